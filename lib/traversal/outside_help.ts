/** Whom an operation asks how it is seen from outside, unless it is told. */
import type { CommonOptions } from "../options.ts";
import { DEFAULT_STUN_SERVERS, readStunServers } from "./stun_servers.ts";

/** Servers and routers to be asked. */
export interface OutsideHelp {
  /** As `host[:port]`; nobody when empty. */
  readonly stunServers: readonly string[];
  /** Whether to ask the router to open a port. */
  readonly portMapping: boolean;
}

/**
 * The system's own sockets are looked up outside and opened in the router. With sockets that were
 * handed in, or addresses that take the place of the machine's own, nobody is asked.
 *
 * @throws {TransferError} `usage` for a STUN server that is no address or name: early, since servers
 *   are asked when nobody waits for an exception any more.
 */
export function outsideHelp(
  options: CommonOptions & { readonly addresses?: readonly string[] },
): OutsideHelp {
  const isOnItsOwn = options.sockets === undefined && options.addresses === undefined;
  readStunServers(options.stunServers ?? []);
  return {
    stunServers: options.stunServers ?? (isOnItsOwn ? DEFAULT_STUN_SERVERS : []),
    portMapping: options.portMapping ?? isOnItsOwn,
  };
}
