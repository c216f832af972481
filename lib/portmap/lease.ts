/**
 * What the three protocols of port mapping have in common: a lease of one router's outside port, and
 * the keeper to whom its owner reports. Not here: any wire format, and the choice between leases
 * (`port_mapping.ts`).
 */
import type { IpAddress, SocketAddress } from "../nat/address.ts";

/** A way to ask a router for a port. */
export type PortMapProtocol = "pcp" | "nat-pmp" | "upnp";

/**
 * What came of asking by one protocol, for people. `not needed`: another protocol's lease is used.
 * `no use`: the router maps ports of an address that the Internet cannot reach, because it is behind
 * another NAT. `refused (…)` holds the code and its name in the protocol, never text of the router's.
 */
export type PortMapOutcome =
  | "asking"
  | "granted"
  | "not needed"
  | "no use"
  | "silent"
  | "not permitted"
  | `refused (${string})`;

/** A lease, asked for again and again until it is closed; none of the methods throws or rejects. */
export interface Lease {
  /** Which protocol asks. */
  readonly protocol: PortMapProtocol;
  /** The router it asks, where it is known. */
  readonly router: IpAddress | undefined;
  /** How it went so far. */
  readonly outcome: PortMapOutcome;
  /** Whether what is held or asked for would stay on the router until it is given back. */
  readonly isEndless: boolean;
  /** Asks, from the beginning; does nothing while an answer is outstanding or a lease is held. */
  start(): void;
  /** Stops asking and renewing, and forgets what is held without giving it back. */
  stop(outcome: PortMapOutcome): void;
  /** As `stop`, and gives back what is held; resolves when the router confirmed it or is silent. */
  release(outcome: PortMapOutcome): Promise<void>;
}

/** Who decides which lease is kept. */
export interface LeaseKeeper {
  /** False while another lease serves: then no port is asked for. */
  isNeeded(): boolean;
  /**
   * A port was granted, or a renewal gave another one. The keeper may stop or release the lease from
   * within this call.
   */
  handleGranted(lease: Lease, external: SocketAddress): void;
  /** What was granted is no longer held. */
  handleLost(lease: Lease): void;
  /** A router says which outside address it has. */
  handleRouterAddress(address: IpAddress): void;
}

/** What is asked for, seconds; routers may grant less. The recommended value of RFC 6886, 3.3, halved. */
export const LIFETIME_SECONDS = 3600;
