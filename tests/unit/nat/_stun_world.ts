/**
 * A discovery behind a NAT with STUN servers outside, in virtual time: what a test of discovery
 * needs and no more. Every way takes 10 ms.
 */
import {
  formatSocketAddress,
  parseSocketAddress,
  type SocketAddress,
} from "../../../lib/nat/address.ts";
import { Discovery, type DiscoveryOptions } from "../../../lib/nat/discovery/discovery.ts";
import type { DiscoveryEvent } from "../../../lib/nat/discovery/report.ts";
import { instant } from "../../../lib/time.ts";
import { Prng } from "../../support/prng.ts";
import { answerStun, isStunServerAt, type StunServer } from "../../support/stun_server.ts";

type Dependence = "none" | "endpoint" | "address" | "port";

/** How the NAT behaves; it may be changed while the world runs. */
export interface NatBehaviour {
  mapping: Dependence;
  filtering: Dependence;
  ports: "preserving" | "sequential" | "random";
  /** From one mapping to the next, when sequential. */
  step: number;
  /** Mappings that others make between two of ours, when sequential. */
  others: number;
  hairpin: boolean;
  host: string;
}

interface Mapping {
  readonly inside: SocketAddress;
  readonly key: string;
  readonly outside: SocketAddress;
  readonly sentTo: SocketAddress[];
}

export const OUTSIDE = "198.51.100.7";
const WAY_MS = 10;

/** Reads an address that is right. */
export function at(text: string): SocketAddress {
  return parseSocketAddress(text)!;
}

export class StunWorld {
  nowMs = 1000;
  readonly nat: NatBehaviour;
  readonly discovery: Discovery;
  readonly servers: StunServer[] = [];
  /** Hosts that answer nobody. */
  readonly dead = new Set<string>();
  /** Everything told so far, with the time since the start. */
  readonly events: { readonly ms: number; readonly event: DiscoveryEvent }[] = [];
  /** Whether sockets are given when they are wanted. */
  givesSockets = true;
  /** Hosts to which the system has no way: it refuses to send there. */
  readonly routeless = new Set<string>();
  /** How many of the datagrams are lost on each way, 0 to 1. */
  lossRate = 0;
  /** How many datagrams the discovery sent. */
  sent = 0;
  readonly #targets: string[] = [];
  readonly prng: Prng;
  readonly sockets: SocketAddress[];
  /** Every datagram that came in, with the path, for tests that replay them. */
  readonly received: { bytes: Uint8Array; socket: number; from: SocketAddress }[] = [];
  #mappings: Mapping[] = [];
  #nextPort = 40_000;
  #agenda: { readonly ms: number; readonly run: () => void }[] = [];

  constructor(
    nat: Partial<NatBehaviour> = {},
    options: Partial<DiscoveryOptions> = {},
    locals: readonly string[] = ["192.168.1.2:5000"],
    seed = 1,
  ) {
    this.prng = new Prng(seed);
    this.nat = {
      mapping: "endpoint",
      filtering: "port",
      ports: "preserving",
      step: 1,
      others: 0,
      hairpin: false,
      host: OUTSIDE,
      ...nat,
    };
    this.sockets = locals.map(at);
    this.discovery = new Discovery(instant(this.nowMs), {
      random: this.prng,
      sockets: this.sockets.map((local, index) => ({ index, local })),
      localAddresses: this.sockets,
      ...options,
    });
  }

  /** Adds servers: "host:port", or "host:port otherHost:otherPort" for one of RFC 5780. */
  addServers(...texts: readonly string[]): void {
    const servers = texts.map((text): StunServer => {
      const [primary, alternate] = text.split(" ");
      return alternate === undefined
        ? { primary: at(primary!) }
        : { primary: at(primary!), alternate: at(alternate) };
    });
    this.servers.push(...servers);
    this.discovery.addServers(instant(this.nowMs), servers.map(({ primary }) => primary));
  }

  /** Gives one more socket; its index. */
  openSocket(): number {
    this.sockets.push(at(`192.168.1.2:${5000 + this.sockets.length}`));
    return this.sockets.length - 1;
  }

  /** The NAT forgets everything. */
  flush(): void {
    this.#mappings = [];
    this.#nextPort += 100;
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const end = this.nowMs + durationMs;
    for (;;) {
      this.#drain();
      this.#agenda.sort((a, b) => a.ms - b.ms);
      const next = Math.min(this.#agenda[0]?.ms ?? Infinity, this.discovery.pollTimeout());
      if (next > end) break;
      this.nowMs = Math.max(this.nowMs, next);
      if (this.#agenda[0] !== undefined && this.#agenda[0].ms <= this.nowMs) {
        this.#agenda.shift()!.run();
      } else this.discovery.handleTimeout(instant(this.nowMs));
    }
    this.nowMs = end;
  }

  /** Events of one type. */
  told<T extends DiscoveryEvent["type"]>(type: T): Extract<DiscoveryEvent, { type: T }>[] {
    return this.events.map(({ event }) => event)
      .filter((event): event is Extract<DiscoveryEvent, { type: T }> => event.type === type);
  }

  /** Hosts that begin so and were sent to, one for each datagram. */
  sentTo(prefix: string): string[] {
    return this.#targets.filter((host) => host.startsWith(prefix));
  }

  /** When the last event of a type was told, in ms since the start. */
  toldAt(type: DiscoveryEvent["type"]): number | undefined {
    return this.events.findLast(({ event }) => event.type === type)?.ms;
  }

  #drain(): void {
    const out = new Uint8Array(1500);
    for (;;) {
      const length = this.discovery.pollTransmit(instant(this.nowMs), out);
      if (length === 0) break;
      this.sent++;
      const { socket, remote } = this.discovery.transmitPath;
      this.#targets.push(remote.host);
      if (this.routeless.has(remote.host)) {
        this.discovery.handleUnsent(instant(this.nowMs), this.discovery.transmitPath);
      } else this.#leave(out.slice(0, length), socket, remote);
    }
    for (let event = this.discovery.pollEvent(); event; event = this.discovery.pollEvent()) {
      this.events.push({ ms: this.nowMs - 1000, event });
      if (event.type !== "sockets-wanted" || !this.givesSockets) continue;
      const sockets = Array.from({ length: event.count }, () => this.openSocket());
      this.discovery.addSockets(
        instant(this.nowMs),
        sockets.map((index) => ({ index, local: this.sockets[index]! })),
      );
      this.#drain();
    }
  }

  #later(run: () => void): void {
    if (this.lossRate > 0 && this.prng.chance(this.lossRate)) return;
    this.#agenda.push({ ms: this.nowMs + WAY_MS, run });
  }

  #leave(bytes: Uint8Array, socket: number, remote: SocketAddress): void {
    const inside = this.sockets[socket]!;
    const from = this.#map(inside, remote);
    this.#later(() => {
      if (remote.host === this.nat.host) {
        if (this.nat.hairpin) this.#enter(bytes, from, remote);
        return;
      }
      const server = this.servers.find((one) => isStunServerAt(one, remote));
      if (server === undefined || this.dead.has(remote.host)) return;
      const reply = answerStun(bytes, from, remote, server);
      if (reply) this.#later(() => this.#enter(reply.bytes, reply.fromAddress, from));
    });
  }

  #map(inside: SocketAddress, remote: SocketAddress): SocketAddress {
    const { mapping, ports, step, others, host } = this.nat;
    const key = mapping === "port"
      ? formatSocketAddress(remote)
      : mapping === "address"
      ? remote.host
      : "";
    let found = this.#mappings.find((one) => one.inside === inside && one.key === key);
    if (found === undefined) {
      const isKept = mapping === "none" || ports === "preserving";
      let port = inside.port;
      if (!isKept && ports === "random") port = this.prng.integer(1024, 65_535);
      if (!isKept && ports === "sequential") {
        port = this.#nextPort;
        this.#nextPort += step * (1 + this.prng.integer(0, others));
      }
      const outside = mapping === "none" ? inside : { family: inside.family, host, port };
      found = { inside, key, outside, sentTo: [] };
      this.#mappings.push(found);
    }
    found.sentTo.push(remote);
    return found.outside;
  }

  #enter(bytes: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    const { filtering } = this.nat;
    const found = this.#mappings.find(({ outside, sentTo }) =>
      formatSocketAddress(outside) === formatSocketAddress(to) &&
      (filtering === "none" || filtering === "endpoint" ||
        sentTo.some(({ host, port }) =>
          host === from.host && (filtering === "address" || port === from.port)
        ))
    );
    if (found === undefined) return;
    const socket = this.sockets.indexOf(found.inside);
    this.received.push({ bytes: bytes.slice(), socket, from });
    this.discovery.handleDatagram(instant(this.nowMs), bytes, { socket, remote: from });
  }
}
