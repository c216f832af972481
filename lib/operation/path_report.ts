/** What is told of the path that a session uses. */
import type { PathEvent, PathRoute } from "../events.ts";
import { addressScope, formatSocketAddress, type IpAddress } from "../nat/address.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Path } from "../nat/path.ts";

/** Where a path to this address leads, as far as an address tells. */
export function routeTo(address: IpAddress): PathRoute {
  switch (addressScope(address)) {
    case "loopback":
      return "loopback";
    case "private":
    case "link_local":
    case "unique_local":
      return "lan";
    default:
      return "internet";
  }
}

/** The event of a path that a session uses from now on. */
export function pathEvent(
  session: number,
  path: Path,
  how: { readonly method: PathMethod; readonly rttMs: number },
): PathEvent {
  const { remote } = path;
  return {
    event: "path",
    session,
    address: formatSocketAddress(remote),
    family: remote.family,
    route: routeTo(remote),
    method: how.method,
    rttMs: how.rttMs,
  };
}
