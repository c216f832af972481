/** What `discovery.ts` finds out, as others read it. */
import type { SocketAddress } from "../address.ts";
import type { MappingClass } from "../mapping_class.ts";
import type { PortPattern } from "./port_pattern.ts";

/**
 * Which datagrams from outside a NAT or firewall lets in to a socket that has sent, in the terms of
 * RFC 4787: all, those from an IP address it has sent to, or from an address and port it has sent to.
 */
export type FilteringClass =
  | "unknown"
  | "endpoint_independent"
  | "address_dependent"
  | "address_and_port_dependent";

/** A local socket. */
export interface LocalSocket {
  /** Its index among the sockets of the program. */
  readonly index: number;
  /** Where it is bound; the host may be unspecified. */
  readonly local: SocketAddress;
}

/** How the world sees a socket. */
export interface ReflexiveAddress {
  /** Index of the socket. */
  readonly socket: number;
  /** Its address outside. */
  readonly address: SocketAddress;
}

/** What is known of the network, at one moment. "unknown" and undefined mean not known. */
export interface DiscoveryReport {
  /**
   * `off` before any server was named, `pending` while none has answered, `silent` when none did, or
   * when in the last round none did any more.
   */
  readonly stun: "off" | "pending" | "answered" | "silent";
  /** Whether nothing more is being looked for; keepalives go on. */
  readonly isComplete: boolean;
  /** Of the main sockets that were answered, in their order. */
  readonly reflexive: readonly ReflexiveAddress[];
  /** How the NAT before the IPv4 socket maps; that of the IPv6 socket when there is no other. */
  readonly mapping: MappingClass;
  /** How it hands out ports. */
  readonly ports: PortPattern;
  /** What it lets in; only with `extended`, and a server with a second address. */
  readonly filtering: FilteringClass;
  /** Whether two sockets behind it can meet at their outside addresses; only with `extended`. */
  readonly hairpin: boolean | undefined;
  /**
   * The mapping outlived a pause of this many ms between two requests, so its lifetime is probably
   * longer. A lower bound, and a guess: what others send on the socket in between also keeps the
   * mapping alive. Undefined until a keepalive was answered; no time is spent on finding the true
   * lifetime, which takes minutes.
   */
  readonly lifetimeMs: number | undefined;
  /** Whether there seem to be two NATs in a row. */
  readonly doubleNat: boolean | undefined;
}

/** What changed. */
export type DiscoveryEvent =
  | {
    /** A main socket's outside address became known, or has changed. */
    readonly type: "reflexive";
    readonly socket: number;
    readonly address: SocketAddress;
    /** False the first time. */
    readonly changed: boolean;
  }
  | {
    /** The mapping class became known or has changed. */
    readonly type: "mapping";
    readonly mapping: MappingClass;
  }
  | {
    /**
     * This many more sockets, of IPv4 where there is any, would tell more: hand them to `addSockets`
     * within half a second. They may be closed when discovery is complete.
     */
    readonly type: "sockets-wanted";
    readonly count: number;
  }
  | {
    /** The answer to `probePort`; undefined when there was none. */
    readonly type: "port";
    readonly socket: number;
    readonly address: SocketAddress | undefined;
  }
  | {
    /** Nothing more will be learnt, until servers are added or an address changes. */
    readonly type: "complete";
  };
