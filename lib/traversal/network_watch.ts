/**
 * Watches how a machine is seen from outside through some of its sockets: asks STUN servers and the
 * router while a code is outstanding, keeps the mapping alive, and notices when it changes.
 */
import type { RandomSource } from "../crypto/provider.ts";
import type { NetworkEvent } from "../events.ts";
import {
  formatSocketAddress,
  type IpAddress,
  parseIpAddress,
  type SocketAddress,
} from "../nat/address.ts";
import type { Candidate } from "../nat/candidate.ts";
import { Discovery } from "../nat/discovery/discovery.ts";
import type { DiscoveryReport, LocalSocket } from "../nat/discovery/report.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import type { PortMapNetwork } from "../portmap/network.ts";
import type { PortMapping } from "../portmap/port_mapping.ts";
import type { KnownAddresses } from "../rendezvous/code_candidates.ts";
import type { LocalInterface } from "../rendezvous/local_candidates.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import type { ExtraSockets } from "../transport/extra_sockets.ts";
import type { LiveEndpoint } from "../transport/live_endpoint.ts";
import { RouterPort } from "./router_port.ts";
import {
  findStunServers,
  readStunServers,
  type ResolveName,
  type StunServer,
} from "./stun_servers.ts";
import { resolveName } from "./system_network.ts";

/** Longest that a code waits for what is asked outside, ms. */
const SETTLE_LIMIT_MS = 2500;

/** Longest that a code waits for a second server after one has answered, ms. */
const SECOND_ANSWER_LIMIT_MS = 400;

/** How long the sockets are lent that discovery asks for, ms: its questions end before. */
const LEND_MS = 3000;

/** How often the machine's own addresses are looked at, ms. */
const LOOK_EVERY_MS = 10_000;

/** What a watch needs. */
export interface NetworkWatchOptions {
  readonly live: LiveEndpoint;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Where further sockets come from; none where they cannot be had. */
  readonly extras: ExtraSockets | undefined;
  /** At most one of each family. */
  readonly sockets: readonly LocalSocket[];
  /** Whom to ask, as `host[:port]`; nobody when empty. */
  readonly stunServers: readonly string[];
  /** Whether to ask the router to open a port. */
  readonly portMapping: boolean;
  /** Lists the machine's interfaces. */
  readonly interfaces: () => readonly LocalInterface[];
  /** Addresses that a person gave. */
  readonly manual: readonly Candidate[];
  readonly allowLoopback: boolean;
  /** Whether to find out more than meeting others needs, for people (default false). */
  readonly extended?: boolean;
  /** Looks up the names of STUN servers; the system's way unless tests bring another. */
  readonly resolve?: ResolveName;
  /** The network in which a router is looked for; the system's unless tests bring another. */
  readonly portMapNetwork?: PortMapNetwork;
  /** Called when anything of {@linkcode NetworkWatch.known} or `event` has changed. */
  readonly onChange: () => void;
}

/** A watch that runs until it is closed. */
export class NetworkWatch {
  /** Resolves when enough is known for a code; never rejects. */
  readonly settled: Promise<void>;
  readonly #options: NetworkWatchOptions;
  readonly #discovery: Discovery;
  readonly #settle: () => void;
  readonly #timers: (() => void)[] = [];
  #interfaces: readonly LocalInterface[];
  #routerPort: RouterPort | undefined;
  readonly #lookups = new AbortController();
  #isComplete = false;
  /** Who waits to know where a fresh socket is seen, by its index. */
  readonly #portWaiters = new Map<number, (address: SocketAddress | undefined) => void>();
  #isClosed = false;
  #lastTold: string | undefined;

  /**
   * Begins at once.
   *
   * @throws {TransferError} `usage` for a STUN server that is no address or name.
   */
  constructor(options: NetworkWatchOptions) {
    const { live, clock, random, sockets } = options;
    const servers = readStunServers(options.stunServers);
    this.#options = options;
    this.#interfaces = options.interfaces();
    const settled = Promise.withResolvers<void>();
    this.settled = settled.promise;
    this.#settle = settled.resolve;
    this.#discovery = new Discovery(clock.now(), {
      random,
      sockets,
      localAddresses: this.#localAddresses(),
      allowLoopback: options.allowLoopback,
      extended: options.extended ?? false,
    });
    live.attach(this.#discovery, () => this.#tell());
    this.#isComplete = servers.length === 0;
    if (servers.length > 0) void this.#findServers(servers);
    if (options.portMapping) this.#routerPort = this.#askRouter();
    this.#settleIfDone();
    this.#arm(SETTLE_LIMIT_MS, () => this.#settle());
    this.#armLook();
  }

  /** All that is known of the ways to this machine. */
  get known(): KnownAddresses {
    const { sockets, manual, allowLoopback } = this.#options;
    const mapped = this.#routerPort?.current;
    return {
      interfaces: this.#interfaces,
      bound: sockets.map(({ local }) => local),
      manual,
      reflexive: this.report.reflexive.map(({ address }) => this.#nextPortAt(address)),
      ...(mapped ? { mapped: mapped.external } : {}),
      mapping: this.mapping,
      allowLoopback,
    };
  }

  /** Where ports follow one another, the newest is the one to look ahead from. */
  #nextPortAt(address: SocketAddress): SocketAddress {
    const { newestPort } = this.report.ports;
    const isStepping = this.mapping === "port_dependent_stepping" && address.family === 4;
    return isStepping && newestPort !== undefined ? { ...address, port: newestPort } : address;
  }

  /** What was found out. */
  get report(): DiscoveryReport {
    return this.#discovery.report;
  }

  /** The class of the NAT in front of the IPv4 socket. */
  get mapping(): MappingClass {
    return this.report.mapping;
  }

  /** Whether a second NAT seems to stand behind the first. */
  get isDoubleNat(): boolean {
    return this.report.doubleNat === true;
  }

  /** The port mapping; undefined when none was asked for. */
  get portMapping(): PortMapping | undefined {
    return this.#routerPort?.mapping;
  }

  /** What is to be told of the network now; undefined when there is nothing new. */
  takeNews(): NetworkEvent | undefined {
    const event = this.#event;
    const text = JSON.stringify(event);
    if (text === this.#lastTold) return undefined;
    this.#lastTold = text;
    return event;
  }

  get #event(): NetworkEvent | undefined {
    const { stun } = this.report;
    const mapped = this.#routerPort?.current;
    if (stun === "pending") return undefined;
    return {
      event: "network",
      mapping: this.mapping,
      reflexive: this.report.reflexive.map(({ address }) => formatSocketAddress(address)),
      ...(mapped ? { mapped: formatSocketAddress(mapped.external), mappedBy: mapped.by } : {}),
      stun,
    };
  }

  /** Asks again at once: the network may be another one. */
  refresh(): void {
    const now = this.#options.clock.now();
    this.#interfaces = this.#options.interfaces();
    this.#discovery.noteLocalAddresses(now, this.#localAddresses());
    this.#discovery.refresh(now);
    this.#options.live.wake();
  }

  /**
   * Where a STUN server sees a socket now that never sent before: how far a NAT's ports have moved.
   *
   * @param socket Index of a fresh IPv4 socket.
   */
  async freshPort(socket: number, limitMs: number): Promise<SocketAddress | undefined> {
    if (this.#isClosed) return undefined;
    const { clock, live } = this.#options;
    const asked = Promise.withResolvers<SocketAddress | undefined>();
    this.#portWaiters.set(socket, asked.resolve);
    this.#arm(limitMs, () => asked.resolve(undefined));
    this.#discovery.probePort(clock.now(), socket);
    live.wake();
    const address = await asked.promise;
    this.#portWaiters.delete(socket);
    return address;
  }

  /** Ends it: gives back what the router opened. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#lookups.abort();
    for (const cancel of this.#timers.splice(0)) cancel();
    this.#options.live.detach(this.#discovery);
    for (const resolve of this.#portWaiters.values()) resolve(undefined);
    this.#settle();
    await this.#routerPort?.close();
  }

  async #findServers(servers: readonly StunServer[]): Promise<void> {
    const { clock, live, resolve = resolveName } = this.#options;
    const add = (addresses: readonly SocketAddress[]) => {
      if (this.#isClosed) return;
      this.#discovery.addServers(clock.now(), addresses);
      live.wake();
    };
    await findStunServers(servers, resolve, add, this.#lookups.signal);
    add([]); // when none was found, nobody will answer
  }

  #tell(): void {
    let hasChanged = false;
    for (let event = this.#discovery.pollEvent(); event; event = this.#discovery.pollEvent()) {
      switch (event.type) {
        case "complete":
          this.#isComplete = true;
          hasChanged = true;
          break;
        case "port":
          this.#portWaiters.get(event.socket)?.(event.address);
          break;
        case "sockets-wanted":
          void this.#lendSockets(event.count);
          break;
        case "reflexive":
          this.#arm(SECOND_ANSWER_LIMIT_MS, () => this.#endStunWait());
          hasChanged = true;
          break;
        case "mapping":
          hasChanged = true;
          break;
      }
    }
    if (!hasChanged || this.#isClosed) return;
    this.#settleIfDone();
    this.#options.onChange();
  }

  /** Sockets from which a few questions more tell how ports follow one another. */
  async #lendSockets(count: number): Promise<void> {
    const { clock, live, extras } = this.#options;
    const indices = await extras?.take(4, count) ?? [];
    if (this.#isClosed) return indices.forEach((index) => extras!.release(index));
    this.#discovery.addSockets(
      clock.now(),
      indices.map((index) => ({ index, local: live.sockets.get(index)!.localAddress })),
    );
    live.wake();
    this.#arm(LEND_MS, () => indices.forEach((index) => extras!.release(index)));
  }

  #endStunWait(): void {
    this.#isComplete = true;
    this.#settleIfDone();
  }

  #askRouter(): RouterPort {
    const { clock, random, sockets, portMapNetwork, onChange } = this.#options;
    return new RouterPort({
      clock,
      random,
      sockets,
      interfaces: this.#interfaces,
      network: portMapNetwork,
      onChange,
      onRouterAddress: (address) => this.#discovery.noteRouterAddress(address),
      onSettled: () => this.#settleIfDone(),
    });
  }

  #settleIfDone(): void {
    const isStunDone = this.#isComplete || this.mapping !== "unknown";
    if (isStunDone && !this.#routerPort?.isWaitedFor) this.#settle();
  }

  /** Addresses come and go with cables and Wi-Fi, and nobody tells. */
  #armLook(): void {
    this.#arm(LOOK_EVERY_MS, () => {
      const before = JSON.stringify(this.#interfaces);
      if (JSON.stringify(this.#options.interfaces()) !== before) {
        this.refresh();
        this.#options.onChange();
      }
      this.#armLook();
    });
  }

  #arm(delayMs: number, action: () => void): void {
    const { clock } = this.#options;
    const cancel = clock.setTimer(after(clock.now(), delayMs), () => {
      this.#timers.splice(this.#timers.indexOf(cancel), 1);
      if (!this.#isClosed) action();
    });
    this.#timers.push(cancel);
  }

  #localAddresses(): IpAddress[] {
    return this.#interfaces.flatMap(({ address }) => parseIpAddress(address) ?? []);
  }
}
