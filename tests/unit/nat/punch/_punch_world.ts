/**
 * Two hosts, each behind a NAT of its own, in virtual time: just enough of RFC 4787 to see two
 * machines join. Datagrams take 40 ms; one with a low TTL opens the own NAT and dies.
 */
import type { SocketAddress } from "../../../../lib/nat/address.ts";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import type { PathMethod } from "../../../../lib/nat/path_method.ts";
import { Punch, type PunchOptions } from "../../../../lib/nat/punch/punch.ts";
import { instant } from "../../../../lib/time.ts";
import { Agenda } from "../../../support/agenda.ts";
import { Prng } from "../../../support/prng.ts";
import { candidate, CLIENT_HOST, ipv4, pairCodec, SHARER_HOST } from "./_punch.ts";

const DELAY_MS = 40;
const HOLE_MS = 30_000;
const STUN = ipv4("192.0.2.77", 3478);

/** A NAT with endpoint-independent, stepping, random or address-dependent mapping. */
class TinyNat {
  readonly #ports = new Map<string, number>();
  readonly #sockets = new Map<number, number>();
  readonly #holes = new Map<string, number>();
  #next: number;

  constructor(
    readonly host: string,
    readonly mapping: MappingClass,
    readonly random: Prng,
    readonly filtersPorts: boolean,
  ) {
    this.#next = random.integer(2000, 60_000);
  }

  /** The newest port; what a stepping NAT gives next is one more. */
  get newestPort(): number {
    return this.#next;
  }

  /** Another machine behind it takes a port. */
  disturb(): void {
    this.#next++;
  }

  send(nowMs: number, socket: number, to: SocketAddress): number {
    const key = this.mapping === "endpoint_independent"
      ? `${socket}`
      : this.mapping === "address_dependent"
      ? `${socket} ${to.host}`
      : `${socket} ${to.host} ${to.port}`;
    let port = this.#ports.get(key);
    if (port === undefined) {
      do {
        port = this.mapping === "port_dependent_stepping"
          ? ++this.#next
          : this.random.integer(1024, 65_535);
      } while (this.#sockets.has(port));
      this.#ports.set(key, port);
      this.#sockets.set(port, socket);
    }
    this.#holes.set(this.#holeOf(port, to), nowMs);
    return port;
  }

  /** The socket that a datagram reaches; undefined when it is filtered. */
  receive(nowMs: number, port: number, from: SocketAddress): number | undefined {
    const openedAt = this.#holes.get(this.#holeOf(port, from));
    return openedAt === undefined || nowMs - openedAt > HOLE_MS
      ? undefined
      : this.#sockets.get(port);
  }

  #holeOf(port: number, remote: SocketAddress): string {
    return `${port} ${remote.host}` + (this.filtersPorts ? ` ${remote.port}` : "");
  }
}

interface Side {
  readonly nat: TinyNat;
  machine: Punch | undefined;
  heardAtMs: number | undefined;
  method: PathMethod | undefined;
}

export interface MeetOptions {
  readonly seed: number;
  readonly sharer: MappingClass;
  readonly client: MappingClass;
  /** By default unless it maps by address. */
  readonly sharerFiltersPorts?: boolean;
  readonly lossRate?: number;
  /** When the reply code is pasted. */
  readonly pasteMs?: number;
  readonly canLimitHops?: boolean;
  /** Ports that others take behind the sharer's NAT before the paste. */
  readonly sharerMoves?: number;
  /** Ports that others take behind either NAT between STUN and the first probe. */
  readonly disturbances?: number;
}

export interface Meeting {
  /** From the paste until the client, and until both, heard of each other. */
  readonly clientMs: number | undefined;
  readonly bothMs: number | undefined;
  readonly methods: readonly (PathMethod | undefined)[];
  readonly sentByClient: number;
  readonly sentBySharer: number;
  readonly sprayedBySharer: number;
}

/** Runs one pair from the showing of the reply code until 30 s after the paste. */
export function meet(options: MeetOptions): Meeting {
  const { seed, lossRate = 0, pasteMs = 10_000, canLimitHops = true } = options;
  const random = new Prng(seed);
  const agenda = new Agenda<() => void>();
  let nowMs = 0;
  const side = (
    host: string,
    mapping: MappingClass,
    // Who maps by address in practice filters by address.
    filtersPorts = mapping !== "address_dependent",
  ): Side => ({
    nat: new TinyNat(host, mapping, random.fork(), filtersPorts),
    machine: undefined,
    heardAtMs: undefined,
    method: undefined,
  });
  const sharer = side(SHARER_HOST, options.sharer, options.sharerFiltersPorts);
  const client = side(CLIENT_HOST, options.client);
  const out = new Uint8Array(1472);

  const settle = (self: Side, peer: Side): void => {
    const machine = self.machine!;
    const now = instant(nowMs);
    for (;;) {
      const length = machine.pollTransmit(now, out);
      if (length === 0) break;
      const { socket, remote } = machine.transmitPath;
      const port = self.nat.send(nowMs, socket, remote);
      const isLost = machine.transmitHops !== undefined || random.chance(lossRate);
      if (isLost || remote.host !== peer.nat.host) continue;
      const datagram = out.slice(0, length);
      agenda.add(nowMs + DELAY_MS, () => {
        const from = ipv4(self.nat.host, port);
        const into = peer.nat.receive(nowMs, remote.port, from);
        if (into === undefined || peer.machine === undefined) return;
        peer.machine.handleDatagram(instant(nowMs), datagram, { socket: into, remote: from });
        settle(peer, self);
      });
    }
    for (let event = machine.pollEvent(); event; event = machine.pollEvent()) {
      if (event.type === "heard") {
        self.heardAtMs ??= nowMs;
        self.method ??= machine.methodOf(event.path);
      }
      if (event.type === "sockets-wanted") {
        const { count, family } = event;
        agenda.add(nowMs + 5, () => {
          const sockets = Array.from({ length: count }, (_, index) => ({
            index: 100 + index,
            family,
          }));
          machine.addSockets(instant(nowMs), sockets);
          settle(self, peer);
        });
      }
    }
  };
  const start = (self: Side, peer: Side, more: Partial<PunchOptions>, peerPort: number): void => {
    const role = self === sharer ? "sharer" : "client";
    self.machine = new Punch(instant(nowMs), {
      role,
      codec: pairCodec(random.nextUint32()),
      random: random.fork(),
      sockets: [{ index: 0, family: 4 }],
      local: { mapping: self.nat.mapping },
      remote: {
        mapping: peer.nat.mapping,
        candidates: [
          candidate("host", "192.168.1.2", 5000),
          candidate("reflexive", peer.nat.host, peerPort),
        ],
      },
      lowHops: canLimitHops ? 2 : undefined,
      ...more,
    });
    settle(self, peer);
  };

  const sharerPort = sharer.nat.send(0, 0, STUN);
  // The direct try: what it opens is older than what STUN sees.
  client.nat.send(0, 0, ipv4(SHARER_HOST, sharerPort));
  const clientPort = client.nat.send(0, 0, STUN);
  for (let count = 0; count < (options.disturbances ?? 0); count++) client.nat.disturb();
  start(client, sharer, {}, sharerPort);
  for (let count = 0; count < (options.sharerMoves ?? 0); count++) sharer.nat.disturb();
  agenda.add(pasteMs, () => {
    const isStepping = options.sharer === "port_dependent_stepping";
    const currentPort = isStepping ? sharer.nat.newestPort : undefined;
    for (let count = 0; count < (options.disturbances ?? 0); count++) sharer.nat.disturb();
    start(sharer, client, { codePort: sharerPort, currentPort }, clientPort);
  });

  const endMs = pasteMs + 30_000;
  for (;;) {
    const timeouts = [client, sharer].map((each) => each.machine?.pollTimeout() ?? Infinity);
    const atMs = Math.max(nowMs, Math.min(agenda.nextMs, ...timeouts));
    const isJoined = client.heardAtMs !== undefined && sharer.heardAtMs !== undefined;
    if (atMs > endMs || isJoined) break;
    nowMs = atMs;
    if (agenda.nextMs <= nowMs) agenda.take()!();
    for (const [self, peer] of [[client, sharer], [sharer, client]] as const) {
      if (self.machine === undefined || self.machine.pollTimeout() > nowMs) continue;
      self.machine.handleTimeout(instant(nowMs));
      settle(self, peer);
    }
  }
  const since = (atMs: number | undefined): number | undefined =>
    atMs === undefined ? undefined : atMs - pasteMs;
  const [clientMs, sharerMs] = [since(client.heardAtMs), since(sharer.heardAtMs)];
  return {
    clientMs,
    bothMs: clientMs === undefined || sharerMs === undefined
      ? undefined
      : Math.max(clientMs, sharerMs),
    methods: [sharer.method, client.method],
    sentByClient: client.machine!.sentProbes,
    sentBySharer: sharer.machine?.sentProbes ?? 0,
    sprayedBySharer: sharer.machine?.sprayedProbes ?? 0,
  };
}
