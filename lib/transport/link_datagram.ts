/**
 * The largest datagram that this machine's link towards an address carries in one piece. Larger ones
 * a system sends in fragments, without a word, so that a probe of such a size would prove nothing.
 *
 * The system's routing table knows it, and what routers behind it said too big of in the last ten
 * minutes: a socket that is connected to an address, which sends nothing, tells (ip(7), `IP_MTU`).
 * That needs FFI on Linux. Without it only this much is sure: over loopback nothing is lost by size.
 */
import { addressScope, type SocketAddress } from "../nat/address.ts";
import { MAX_DATAGRAM_BYTES } from "../protocol/params.ts";
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  type Libc,
  loadedLibc,
  readOption,
  SOCK_DGRAM,
  SOCKADDR_BYTES,
  sockaddrOf,
  SYSTEM_FAMILY,
} from "./libc.ts";

/** Level and name of the option that tells the MTU; what IP and UDP take of it. */
const MTU_OPTION = {
  4: { level: IPPROTO_IP, name: 14, headerBytes: 28 },
  6: { level: IPPROTO_IPV6, name: 24, headerBytes: 48 },
} as const;

/** See above; undefined if unknown. Never throws, and sends nothing. */
export function linkDatagramBytes(to: SocketAddress): number | undefined {
  const libc = loadedLibc();
  const bytes = libc && askSystem(libc, to);
  return bytes ?? (addressScope(to) === "loopback" ? MAX_DATAGRAM_BYTES : undefined);
}

function askSystem(libc: Libc, to: SocketAddress): number | undefined {
  const descriptor = libc.socket(SYSTEM_FAMILY[to.family], SOCK_DGRAM, 0);
  if (descriptor < 0) return undefined;
  try {
    if (libc.connect(descriptor, sockaddrOf(to), SOCKADDR_BYTES) !== 0) return undefined;
    const { level, name, headerBytes } = MTU_OPTION[to.family];
    const mtu = readOption(libc, descriptor, level, name, new Int32Array(1), new Uint32Array(1));
    return mtu === undefined ? undefined : mtu - headerBytes;
  } finally {
    libc.close(descriptor);
  }
}
