/** Share codes taken apart and put together, on this machine. */
import type { SocketAddress } from "../../lib/nat/address.ts";
import {
  decodeShareCode,
  encodeShareCode,
  type ShareCode,
} from "../../lib/rendezvous/share_code.ts";

/** What a code says; the code must be one. */
export function readCode(text: string): ShareCode {
  const result = decodeShareCode(text, { allowLoopback: true });
  if (!result.ok) throw new Error(`${text} is not a code: ${result.problem.reason}`);
  return result.code;
}

/** A code for `t` at one address. */
export function codeFor(t: Uint8Array, address: SocketAddress): string {
  const candidates = [{ kind: "manual", address }] as const;
  return encodeShareCode({ t, mappingClass: "unknown", candidates });
}
