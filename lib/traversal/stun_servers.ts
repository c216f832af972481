/** Which STUN servers are asked, and where they are. */
import { TransferError } from "../errors.ts";
import { parseIpAddress, type SocketAddress, splitHostPort } from "../nat/address.ts";

/**
 * Public servers of different operators, asked when nobody names others. Two that answer are enough;
 * a server learns that this address asked, nothing of what for.
 */
export const DEFAULT_STUN_SERVERS: readonly string[] = [
  "stun.cloudflare.com:3478",
  "stun.l.google.com:19302",
  "stun.nextcloud.com:3478",
  "stunserver2025.stunprotocol.org:3478",
];

/** The port of STUN (RFC 8489, section 13). */
const STUN_PORT = 3478;

/** Addresses of one name that are asked, of each family. */
const MAX_ADDRESSES_PER_NAME = 1;

/** Looks up the IPv4 and IPv6 addresses of a name, until the signal is aborted; may reject. */
export type ResolveName = (name: string, signal?: AbortSignal) => Promise<readonly string[]>;

/** A server that was named. */
export interface StunServer {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads servers as a person gives them: `HOST` or `HOST:PORT`, IPv6 addresses in brackets.
 *
 * @throws {TransferError} `usage` for a text that is neither.
 */
export function readStunServers(texts: readonly string[]): StunServer[] {
  return texts.map((text) => {
    const split = splitHostPort(text);
    // A name holds no colon: with one it is IPv6, or something else such as stun:HOST:PORT.
    if (!split || (split.host.includes(":") && !parseIpAddress(split.host))) {
      throw new TransferError("usage", `Cannot ask STUN server ${text}: it is no address or name`, {
        hint: "Give it as HOST or HOST:PORT, for example stun.example.org:3478",
      });
    }
    return { host: split.host, port: split.port ?? STUN_PORT };
  });
}

/**
 * Looks up every server on its own, so that a name nobody answers for holds up no other.
 *
 * @param found Called for each server that has an address, until the signal is aborted.
 * @param signal Ends every look-up.
 * @returns Resolves when all are found or have failed; never rejects.
 */
export async function findStunServers(
  servers: readonly StunServer[],
  resolve: ResolveName,
  found: (addresses: readonly SocketAddress[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  await Promise.all(servers.map(async ({ host, port }) => {
    const literal = parseIpAddress(host);
    if (literal) return found([{ ...literal, port }]);
    const texts = await resolve(host, signal).catch(() => []);
    if (signal?.aborted) return;
    const ips = texts.flatMap((text) => parseIpAddress(text) ?? []);
    const addresses = ([4, 6] as const).flatMap((family) =>
      ips.filter((ip) => ip.family === family).slice(0, MAX_ADDRESSES_PER_NAME)
    );
    if (addresses.length > 0) found(addresses.map((ip) => ({ ...ip, port })));
  }));
}
