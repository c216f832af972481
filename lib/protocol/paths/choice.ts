/** Which of two paths is the better one (docs/protocol.md, "Paths"). */
import { addressScope, ipAddressToBytes, type SocketAddress } from "../../nat/address.ts";
import { BETTER_RTT_MS, BETTER_RTT_SHARE } from "../params.ts";

/** Bytes of the part of an IPv6 address that names the network. */
const IPV6_NETWORK_BYTES = 8;

/** A path as far as it matters for the choice. */
export interface PathQuality {
  /** The peer's address. */
  readonly remote: SocketAddress;
  /** Round-trip time. */
  readonly rttMs: number;
}

/**
 * Whether a session should move [PATH-5]: for a round trip that is clearly shorter, or for a path
 * that stays on the local network and is not slower.
 *
 * @param own Addresses of this machine's interfaces.
 */
export function isClearlyBetter(
  other: PathQuality,
  present: PathQuality,
  own: readonly SocketAddress[],
): boolean {
  if (
    other.rttMs < BETTER_RTT_SHARE * present.rttMs &&
    present.rttMs - other.rttMs >= BETTER_RTT_MS
  ) {
    return true;
  }
  return other.rttMs <= present.rttMs && isLocal(other.remote, own) &&
    !isLocal(present.remote, own);
}

/** Whether an address belongs to this machine or its own network. */
function isLocal(address: SocketAddress, own: readonly SocketAddress[]): boolean {
  switch (addressScope(address)) {
    case "loopback":
    case "link_local":
    case "private":
    case "unique_local":
      return true;
    default:
      return address.family === 6 && own.some((one) => isSameNetwork(one, address));
  }
}

function isSameNetwork(a: SocketAddress, b: SocketAddress): boolean {
  if (a.family !== 6 || b.family !== 6) return false;
  const [first, second] = [ipAddressToBytes(a), ipAddressToBytes(b)];
  return first.subarray(0, IPV6_NETWORK_BYTES)
    .every((byte, index) => byte === second[index]);
}
