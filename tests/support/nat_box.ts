/**
 * One NAT or stateful firewall as a pure state machine, in the terms of RFC 4787: given a datagram's
 * addresses and the time it says which addresses it leaves with, or that it is dropped. It knows
 * nothing of datagrams, hops, links or simulations: `sim_internet.ts` runs it on virtual time, a
 * user-space router on the system's.
 *
 * It is the NAT of the book, with every behaviour chosen by hand. What Linux's connection tracking
 * does differently is in `conntrack_box.ts`, behind the same {@linkcode NatRouter}.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";

/** A router between an inside and an outside network, as whoever moves datagrams sees it. */
export interface NatRouter {
  /** Its outside address; undefined for a firewall, which translates nothing. */
  readonly externalHost: string | undefined;
  /** Mappings (connections, for connection tracking) it holds, expired ones included. */
  readonly size: number;
  /**
   * A datagram from the inside to the outside.
   *
   * @param nowMs Never before an earlier call's.
   * @returns The source it leaves with, or undefined when it is dropped.
   */
  outbound(nowMs: number, from: SocketAddress, to: SocketAddress): SocketAddress | undefined;
  /**
   * A datagram from the outside.
   *
   * @param nowMs Never before an earlier call's.
   * @returns The inside address it goes to, or undefined when it is dropped.
   */
  inbound(nowMs: number, from: SocketAddress, to: SocketAddress): SocketAddress | undefined;
  /**
   * A datagram from the inside to the router's own outside address.
   *
   * @returns The addresses it is delivered with on the inside, or undefined when it is dropped.
   */
  hairpin(nowMs: number, from: SocketAddress, to: SocketAddress): HairpinResult | undefined;
  /** Opens an outside port for an inside address, as UPnP or a person does; lasts until a flush. */
  forward(externalPort: number, inside: SocketAddress): void;
  /** Forgets everything but forwards' wishes, which are gone too: a power cut. */
  flush(): void;
  /** A new outside address; what was mapped on the old one is gone. No effect on a firewall. */
  renumber(externalHost: string): void;
}

/** Source and destination of a datagram that turned round at the router. */
export interface HairpinResult {
  /** What the receiver sees as the sender. */
  readonly from: SocketAddress;
  /** The inside address it goes to. */
  readonly to: SocketAddress;
}

/** RFC 4787, sections 4.1 and 5: what a mapping or a filter depends on. */
export type NatDependence =
  | "endpoint_independent"
  | "address_dependent"
  | "address_and_port_dependent";

/**
 * RFC 4787, section 4.2.1. `preserving`: the inside port, or a random one when that is taken or
 * outside of the range. `sequential`: the last one plus the step. `random`: any that is free.
 */
export type PortPolicy = "preserving" | "sequential" | "random";

/** Where random ports come from; `Prng` is one. */
export interface PortRandom {
  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
}

/** What a NAT is like. */
export interface NatBoxOptions {
  /** Outside address, canonical; undefined for a firewall that filters and translates nothing. */
  readonly externalHost: string | undefined;
  /** When one inside address keeps its outside port (default endpoint-independent). */
  readonly mapping?: NatDependence;
  /** Who may answer (default address- and port-dependent). */
  readonly filtering?: NatDependence;
  /** How outside ports are chosen (default preserving). */
  readonly ports?: PortPolicy;
  /** Lowest outside port that is given out (default 1024). */
  readonly firstPort?: number;
  /** Highest outside port that is given out (default 65535). */
  readonly lastPort?: number;
  /** From one sequential port to the next, perhaps negative (default 1). */
  readonly portStep?: number;
  /** What hosts inside see of each other through the outside address (default nothing). */
  readonly hairpin?: "none" | "external_source" | "internal_source";
  /** Life of an unused mapping, and of a filter's entry (default 120 s, RFC 4787 REQ-5). */
  readonly lifetimeMs?: number;
  /** Whether datagrams from outside keep a mapping alive too (default both). */
  readonly refresh?: "outbound" | "both";
  /** Mappings it can hold; with a full table nothing new gets out (default unlimited). */
  readonly maxMappings?: number;
}

interface Mapping {
  readonly key: string;
  readonly inside: SocketAddress;
  readonly external: SocketAddress;
  readonly isStatic: boolean;
  /** Last use, by remote as the filter sees it; unused without a filter. */
  readonly remotes: Map<string, number>;
  usedMs: number;
}

/** Draws of a random port before the range is searched from one end. */
const RANDOM_PORT_TRIES = 64;

/** How often a full table is searched for what has expired. */
const FULL_SWEEP_MS = 100;

/** A NAT with chosen behaviour, or a firewall. */
export class NatBox implements NatRouter {
  externalHost: string | undefined;
  readonly #options: Required<Omit<NatBoxOptions, "externalHost">>;
  readonly #random: PortRandom;
  readonly #byKey = new Map<string, Mapping>();
  readonly #byExternal = new Map<string, Mapping>();
  readonly #forwards = new Map<string, Mapping>();
  /** Mappings for which there is room and a port. */
  readonly #capacity: number;
  #nextSequential: number | undefined;
  #sweptMs = Number.NEGATIVE_INFINITY;

  /**
   * Holds no mappings at first.
   *
   * @throws {RangeError} If the port range is empty.
   */
  constructor(options: NatBoxOptions, random: PortRandom) {
    const { externalHost, ...rest } = options;
    this.externalHost = externalHost;
    this.#options = {
      mapping: "endpoint_independent",
      filtering: "address_and_port_dependent",
      ports: "preserving",
      firstPort: 1024,
      lastPort: 65_535,
      portStep: 1,
      hairpin: "none",
      lifetimeMs: 120_000,
      refresh: "both",
      maxMappings: Number.POSITIVE_INFINITY,
      ...rest,
    };
    const { firstPort, lastPort } = this.#options;
    if (!(firstPort >= 1 && firstPort <= lastPort && lastPort <= 65_535)) {
      throw new RangeError(`Cannot give out ports ${firstPort} to ${lastPort}`);
    }
    this.#capacity = Math.min(
      this.#options.maxMappings,
      externalHost === undefined ? Number.POSITIVE_INFINITY : lastPort - firstPort + 1,
    );
    this.#random = random;
  }

  get size(): number {
    return this.#byExternal.size;
  }

  outbound(nowMs: number, from: SocketAddress, to: SocketAddress): SocketAddress | undefined {
    this.#sweep(nowMs);
    const opened = this.#forwards.size > 0 ? this.#forwards.get(addressKey(from)) : undefined;
    const mapping = opened ?? this.#mapped(nowMs, from, to);
    if (mapping === undefined) return undefined;
    mapping.usedMs = nowMs;
    const filter = this.#filterKey(to);
    if (filter !== undefined) mapping.remotes.set(filter, nowMs);
    return mapping.external;
  }

  inbound(nowMs: number, from: SocketAddress, to: SocketAddress): SocketAddress | undefined {
    const mapping = this.#byExternal.get(addressKey(to));
    if (mapping === undefined || this.#isExpired(mapping, nowMs)) return undefined;
    const { refresh, lifetimeMs } = this.#options;
    const filter = this.#filterKey(from);
    if (filter !== undefined && !mapping.isStatic) {
      const usedMs = mapping.remotes.get(filter);
      if (usedMs === undefined || nowMs - usedMs >= lifetimeMs) return undefined;
      if (refresh === "both") mapping.remotes.set(filter, nowMs);
    }
    if (refresh === "both") mapping.usedMs = nowMs;
    return mapping.inside;
  }

  hairpin(nowMs: number, from: SocketAddress, to: SocketAddress): HairpinResult | undefined {
    const { hairpin } = this.#options;
    if (hairpin === "none" || this.externalHost === undefined) return undefined;
    const source = this.outbound(nowMs, from, to);
    if (source === undefined) return undefined;
    const target = this.inbound(nowMs, source, to);
    if (target === undefined) return undefined;
    return { from: hairpin === "external_source" ? source : from, to: target };
  }

  forward(externalPort: number, inside: SocketAddress): void {
    const mapping: Mapping = {
      key: "",
      inside,
      external: this.#externalAddress(inside, externalPort),
      isStatic: true,
      remotes: new Map(),
      usedMs: 0,
    };
    this.#byExternal.set(addressKey(mapping.external), mapping);
    this.#forwards.set(addressKey(inside), mapping);
  }

  flush(): void {
    this.#byKey.clear();
    this.#byExternal.clear();
    this.#forwards.clear();
  }

  renumber(externalHost: string): void {
    if (this.externalHost === undefined) return;
    this.flush();
    this.externalHost = externalHost;
  }

  #mapped(nowMs: number, from: SocketAddress, to: SocketAddress): Mapping | undefined {
    const key = this.#mappingKey(from, to);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (!this.#isExpired(known, nowMs)) return known;
      this.#remove(known);
    }
    if (this.#byKey.size >= this.#capacity) return undefined;
    const port = this.externalHost === undefined ? from.port : this.#freePort(nowMs, from);
    if (port === undefined) return undefined;
    const mapping: Mapping = {
      key,
      inside: { family: from.family, host: from.host, port: from.port },
      external: this.#externalAddress(from, port),
      isStatic: false,
      remotes: new Map(),
      usedMs: nowMs,
    };
    this.#byKey.set(key, mapping);
    this.#byExternal.set(addressKey(mapping.external), mapping);
    return mapping;
  }

  #externalAddress(inside: SocketAddress, port: number): SocketAddress {
    return { family: inside.family, host: this.externalHost ?? inside.host, port };
  }

  #mappingKey(from: SocketAddress, to: SocketAddress): string {
    const inside = addressKey(from);
    // Without translation the outside port is the inside one, whoever is talked to.
    if (this.externalHost === undefined) return inside;
    switch (this.#options.mapping) {
      case "endpoint_independent":
        return inside;
      case "address_dependent":
        return `${inside}>${to.host}`;
      case "address_and_port_dependent":
        return `${inside}>${addressKey(to)}`;
    }
  }

  #filterKey(remote: SocketAddress): string | undefined {
    switch (this.#options.filtering) {
      case "endpoint_independent":
        return undefined;
      case "address_dependent":
        return remote.host;
      case "address_and_port_dependent":
        return addressKey(remote);
    }
  }

  #freePort(nowMs: number, from: SocketAddress): number | undefined {
    const { ports, firstPort, lastPort, portStep } = this.#options;
    if (ports === "preserving" && from.port >= firstPort && from.port <= lastPort) {
      if (this.#isFree(nowMs, from.port)) return from.port;
    }
    const count = lastPort - firstPort + 1;
    if (ports === "sequential") {
      let port = this.#nextSequential ?? this.#random.integer(firstPort, lastPort);
      for (let tries = 0; tries < count; tries++) {
        const next = firstPort + modulo(port - firstPort + portStep, count);
        if (this.#isFree(nowMs, port)) {
          this.#nextSequential = next;
          return port;
        }
        port = next;
      }
      return undefined;
    }
    for (let tries = 0; tries < RANDOM_PORT_TRIES; tries++) {
      const port = this.#random.integer(firstPort, lastPort);
      if (this.#isFree(nowMs, port)) return port;
    }
    for (let port = firstPort; port <= lastPort; port++) {
      if (this.#isFree(nowMs, port)) return port;
    }
    return undefined;
  }

  #isFree(nowMs: number, port: number): boolean {
    const taken = this.#byExternal.get(`${this.externalHost} ${port}`);
    if (taken === undefined) return true;
    if (!this.#isExpired(taken, nowMs)) return false;
    this.#remove(taken);
    return true;
  }

  #isExpired(mapping: Mapping, nowMs: number): boolean {
    return !mapping.isStatic && nowMs - mapping.usedMs >= this.#options.lifetimeMs;
  }

  #remove(mapping: Mapping): void {
    this.#byKey.delete(mapping.key);
    this.#byExternal.delete(addressKey(mapping.external));
  }

  // Memory stays within what a lifetime's traffic needs; a full table looks sooner whether what
  // fills it is still alive, but not for each datagram it drops.
  #sweep(nowMs: number): void {
    const { lifetimeMs } = this.#options;
    const pauseMs = this.#byKey.size < this.#capacity ? lifetimeMs : FULL_SWEEP_MS;
    if (nowMs - this.#sweptMs < pauseMs) return;
    this.#sweptMs = nowMs;
    for (const mapping of this.#byKey.values()) {
      if (this.#isExpired(mapping, nowMs)) {
        this.#remove(mapping);
        continue;
      }
      for (const [remote, usedMs] of mapping.remotes) {
        if (nowMs - usedMs >= lifetimeMs) mapping.remotes.delete(remote);
      }
    }
  }
}

function addressKey({ host, port }: SocketAddress): string {
  return `${host} ${port}`;
}

/** The remainder that is never negative. */
function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
