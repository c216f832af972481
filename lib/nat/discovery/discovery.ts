/**
 * Finds out how the world sees this machine: outside addresses, the behaviour of the NAT in front
 * (RFC 4787, RFC 5780), and changes of either, by asking STUN servers from the sockets that carry
 * data. Learns piece by piece: nothing waits for a server that is dead.
 *
 * 1. Every server that is named is asked from every main socket of its family. The first answer gives
 *    the reflexive address; two different servers give the mapping class.
 * 2. Where the outside ports differ, another port of a server that offers one (RFC 5780) tells
 *    address-dependent from port-dependent mapping; too few ports for a pattern are made more by
 *    asking from further sockets.
 * 3. Extended, for those who want to know: more sockets for the port pattern, filtering, hairpinning.
 * 4. From then on one request every 20 s on each main socket keeps its mapping alive and shows when
 *    it has changed; then all begins anew.
 *
 * The contract: *after any call that changes it, drain `pollTransmit`, then `pollEvent`, then arm one
 * timer for `pollTimeout`.*
 */
import type { RandomSource } from "../../crypto/provider.ts";
import { after, earlier, type Instant, NEVER } from "../../time.ts";
import { formatSocketAddress, type IpAddress, isSameSocketAddress } from "../address.ts";
import type { SocketAddress } from "../address.ts";
import { forbiddenScope } from "../candidate.ts";
import type { DatagramMachine } from "../datagram_machine.ts";
import { DiscoveryChecks, type NamedAddress } from "./checks.ts";
import { hintsAtDoubleNat } from "./double_nat.ts";
import { MainSocket } from "./main_socket.ts";
import { classifyMapping, comparisonWith, mappingEvidence } from "./mapping.ts";
import type { DiscoveryEvent, DiscoveryReport, LocalSocket, ReflexiveAddress } from "./report.ts";
import { DiscoverySamples } from "./samples.ts";
import { type DiscoveryServer, DiscoveryServers } from "./servers.ts";
import { type DiscoveryPurpose, type DiscoveryTask, DiscoveryTasks } from "./tasks.ts";
import type { MappingClass } from "../mapping_class.ts";
import type { Path } from "../path.ts";
import { StunClient, type StunOutcome, type StunSchedule } from "../stun/client.ts";
import { decodeStunMessage } from "../stun/message.ts";

/** Settings of a discovery. */
export interface DiscoveryOptions {
  /** Where transaction ids come from. */
  readonly random: RandomSource;
  /** The sockets that carry data, at most one of each family. */
  readonly sockets: readonly LocalSocket[];
  /** Addresses of this machine's interfaces: whoever is seen at one of them is behind no NAT. */
  readonly localAddresses: readonly IpAddress[];
  /** Also port pattern, filtering and hairpinning, on further sockets (default false). */
  readonly extended?: boolean;
  /** Allows servers and reflexive addresses on loopback (default false). */
  readonly allowLoopback?: boolean;
}

/** Sent at 0, 250 and 750 ms, given up after 1.5 s: a person is waiting. */
export const DISCOVERY_SCHEDULE: StunSchedule = {
  rtoMs: 250,
  maxSends: 3,
  lastWaitFactor: 4,
  capMs: 1500,
};

/** How long sockets that were asked for are waited for. */
const SOCKETS_PATIENCE_MS = 500;
/** With one of the main socket's mappings enough for a pattern. */
const SOCKETS_FOR_PATTERN = 2;
/** One for filtering, one for hairpinning, and a pattern that chance does not make. */
const SOCKETS_EXTENDED = 4;

/** Discovery on the main sockets of one program. */
export class Discovery implements DatagramMachine {
  readonly #client: StunClient;
  readonly #checks: DiscoveryChecks;
  readonly #servers: DiscoveryServers;
  readonly #samples = new DiscoverySamples();
  readonly #mains: readonly MainSocket[];
  readonly #isExtended: boolean;
  readonly #allowLoopback: boolean;
  readonly #tasks = new DiscoveryTasks();
  readonly #events: DiscoveryEvent[] = [];
  /** Server addresses that comparisons were made with, as `host:port`. */
  readonly #compared = new Set<string>();
  /** Further sockets that were asked from and are seen outside at these addresses. */
  #further: NamedAddress[] = [];
  #localAddresses: readonly IpAddress[];
  #routerAddress: IpAddress | undefined;
  #mapping: MappingClass = "unknown";
  #lifetimeMs: number | undefined;
  #isStarted = false;
  #isComplete = false;
  #hasWantedSockets = false;
  #socketsUntil: Instant = NEVER;

  /** Asks nobody before servers are named. */
  constructor(_now: Instant, options: DiscoveryOptions) {
    const { random, sockets, localAddresses, extended = false, allowLoopback = false } = options;
    this.#client = new StunClient({ random, schedule: DISCOVERY_SCHEDULE });
    this.#checks = new DiscoveryChecks(this.#client);
    this.#servers = new DiscoveryServers(allowLoopback);
    this.#isExtended = extended;
    this.#allowLoopback = allowLoopback;
    this.#localAddresses = localAddresses;
    this.#mains = sockets.map((socket) => new MainSocket(socket));
  }

  /**
   * Asks servers too; may be called again, as names get resolved. Of all together at most
   * `MAX_STUN_SERVERS` are used. An empty list says that no server is to be had.
   */
  addServers(now: Instant, servers: readonly SocketAddress[]): void {
    this.#isStarted = true;
    for (const address of servers) {
      const server = this.#servers.add(address);
      if (server === undefined) continue;
      for (const main of this.#mains) {
        if (main.local.family === address.family) this.#ask(now, "ask", main, address);
      }
      this.#isComplete = false;
    }
    this.#advance(now);
  }

  /** Hands in sockets that were asked for; those that come too late are used all the same. */
  addSockets(now: Instant, sockets: readonly LocalSocket[]): void {
    this.#socketsUntil = NEVER;
    const [reference] = this.#references();
    if (reference !== undefined && sockets.length > 0) {
      this.#further = [];
      this.#isComplete = false;
      for (const socket of sockets.slice(0, SOCKETS_EXTENDED)) {
        this.#ask(now, "more", socket, reference.address);
      }
    }
    this.#advance(now);
  }

  /** Tells the address that a router says it has outside; a second NAT can be seen by it. */
  noteRouterAddress(address: IpAddress): void {
    this.#routerAddress = address;
  }

  /** Tells that the addresses of the interfaces have changed. */
  noteLocalAddresses(now: Instant, localAddresses: readonly IpAddress[]): void {
    this.#localAddresses = localAddresses;
    this.#advance(now);
  }

  /** Asks at once whether the mappings are as they were: after a path was lost. */
  refresh(now: Instant): void {
    for (const main of this.#mains) this.#keepAlive(now, main);
  }

  /**
   * Asks a server from a socket that has not sent anything yet: which port the NAT gives out now.
   * A `port` event tells, with no address when nobody answered.
   */
  probePort(now: Instant, socket: number): void {
    const primary = this.#primary;
    const { host, family } = primary?.local ?? { host: "0.0.0.0", family: 4 };
    const servers = this.#servers.startingAt(primary?.server, family);
    if (servers.length === 0) {
      this.#events.push({ type: "port", socket, address: undefined });
      return;
    }
    // The port inside is not known, so it says nothing of whether ports are preserved.
    const local: LocalSocket = { index: socket, local: { family, host, port: 0 } };
    this.#ask(now, "port", local, servers[0]!, servers.slice(1, 2));
  }

  /** Everything known at this moment. */
  get report(): DiscoveryReport {
    return {
      stun: this.#stun,
      isComplete: this.#isComplete,
      reflexive: this.#mains.flatMap(({ index, reflexive }) =>
        reflexive === undefined ? [] : [{ socket: index, address: reflexive }]
      ),
      mapping: this.#mapping,
      ports: this.#samples.pattern(this.#primary?.local.family ?? 4),
      filtering: this.#checks.filtering,
      hairpin: this.#checks.hairpin,
      lifetimeMs: this.#lifetimeMs,
      doubleNat: hintsAtDoubleNat({
        router: this.#routerAddress,
        reflexive: this.#mains.find(({ local }) => local.family === this.#routerAddress?.family)
          ?.reflexive,
        local: this.#localAddresses,
        mapping: this.#mapping,
      }),
    };
  }

  /** Answers that answered nothing; see {@linkcode StunClient.droppedAnswers}. */
  get droppedAnswers(): number {
    return this.#client.droppedAnswers;
  }

  /** What changed next, in that order. */
  pollEvent(): DiscoveryEvent | undefined {
    return this.#events.shift();
  }

  /** Where the datagram of the last `pollTransmit` goes. */
  get transmitPath(): Path {
    return this.#client.transmitPath;
  }

  /** Takes answers to what was asked, and requests of ours that a NAT hairpinned. */
  handleDatagram(now: Instant, datagram: Uint8Array, path: Path): boolean {
    const isTaken = this.#client.handleDatagram(now, datagram, path) ||
      (this.#checks.isPending && this.#handleOwnRequest(datagram));
    if (isTaken) this.#advance(now);
    return isTaken;
  }

  /** Of any STUN message. */
  peekLength(piece: Uint8Array): number {
    return this.#client.peekLength(piece);
  }

  /** Ends questions to servers that there is no way to. */
  handleUnsent(now: Instant, path: Path): void {
    this.#client.handleUnsent(now, path);
    this.#advance(now);
  }

  /** Does what is due. */
  handleTimeout(now: Instant): void {
    this.#client.handleTimeout(now);
    for (const main of this.#mains) {
      if (main.keepaliveAt <= now) this.#keepAlive(now, main);
    }
    if (this.#socketsUntil <= now) this.#socketsUntil = NEVER;
    this.#advance(now);
  }

  /** The one deadline to arm. */
  pollTimeout(): Instant {
    let deadline = earlier(this.#client.pollTimeout(), this.#socketsUntil);
    for (const { keepaliveAt } of this.#mains) deadline = earlier(deadline, keepaliveAt);
    return deadline;
  }

  /** Writes the next request. */
  pollTransmit(now: Instant, out: Uint8Array): number {
    return this.#client.pollTransmit(now, out);
  }

  /** The socket whose NAT is classified: the one of IPv4, where NATs are. */
  get #primary(): MainSocket | undefined {
    return this.#mains.find(({ local }) => local.family === 4) ?? this.#mains[0];
  }

  #ask(
    now: Instant,
    purpose: DiscoveryPurpose,
    socket: LocalSocket,
    server: SocketAddress,
    others: readonly SocketAddress[] = [],
  ): void {
    const pauseMs = this.#mainOf(socket)?.noteRequest(now, purpose === "keepalive") ?? 0;
    const handle = this.#client.request(now, { socket: socket.index, remote: server });
    this.#tasks.add(handle, { purpose, socket, server, others, pauseMs });
  }

  #mainOf(socket: LocalSocket): MainSocket | undefined {
    return this.#mains.find(({ index }) => index === socket.index);
  }

  #keepAlive(now: Instant, main: MainSocket): void {
    if (this.#tasks.isKeepingAlive(main.index)) return;
    const [first, ...others] = this.#servers.startingAt(main.server, main.local.family);
    if (first === undefined) main.keepaliveAt = NEVER;
    else this.#ask(now, "keepalive", main, first, others);
  }

  /** Draws every conclusion from what came in. Does nothing when there is none. */
  #advance(now: Instant): void {
    for (let outcome = this.#client.pollOutcome(); outcome; outcome = this.#client.pollOutcome()) {
      if (!this.#checks.handleOutcome(outcome)) this.#handleOutcome(now, outcome);
    }
    this.#compare(now);
    this.#wantSockets(now);
    this.#startChecks(now);
    this.#classify();
    this.#finish();
  }

  #handleOutcome(now: Instant, outcome: StunOutcome): void {
    const task = this.#tasks.take(outcome.handle);
    if (task === undefined) return;
    // A reflexive address where nobody can be is a lie or a mistake: as good as no answer.
    if (
      outcome.type === "answer" && outcome.mapped.family === task.server.family &&
      forbiddenScope(outcome.mapped, this.#allowLoopback) === undefined
    ) {
      this.#handleAnswer(now, task, outcome.handle, outcome.mapped);
      this.#servers.noteOther(task.server, outcome.otherAddress);
    } else this.#handleSilence(now, task);
  }

  #handleSilence(now: Instant, task: DiscoveryTask): void {
    const { purpose, socket, others } = task;
    const [next, ...rest] = others;
    if (next !== undefined) return this.#ask(now, purpose, socket, next, rest);
    if (purpose === "port") {
      this.#events.push({ type: "port", socket: socket.index, address: undefined });
    } else if (purpose === "keepalive") {
      this.#mainOf(socket)!.noteSilence(now);
    }
  }

  #handleAnswer(now: Instant, task: DiscoveryTask, order: number, mapped: SocketAddress): void {
    const { purpose, socket, server, pauseMs } = task;
    const main = this.#mainOf(socket);
    const known = this.#samples.find(socket.index, server)?.mapped;
    if (main !== undefined) {
      const isKeepalive = purpose === "keepalive";
      // Another server may see another port without any change, unless there is only one port.
      const before = known ?? (this.#isDependent ? undefined : main.reflexive);
      const news = main.noteAnswer(now, server, mapped, isKeepalive, before);
      if (news !== "same") {
        const changed = news === "changed";
        this.#events.push({ type: "reflexive", socket: main.index, address: mapped, changed });
        if (isKeepalive) this.#startOver(now, main, server);
      } else if (isKeepalive && known !== undefined) {
        this.#lifetimeMs = Math.max(this.#lifetimeMs ?? 0, pauseMs);
      }
    }
    const localPort = socket.local.port === 0 ? undefined : socket.local.port;
    this.#samples.add({ at: now, order, socket: socket.index, localPort, server, mapped });
    const reflexive: ReflexiveAddress = { socket: socket.index, address: mapped };
    if (purpose === "more") this.#further.push({ ...reflexive, server });
    if (purpose === "port") this.#events.push({ type: "port", ...reflexive });
  }

  /** What was seen before the NAT changed says nothing of how it is now. */
  #startOver(now: Instant, main: MainSocket, answered: SocketAddress): void {
    this.#samples.forget(main.local.family);
    this.#compared.clear();
    this.#hasWantedSockets = false;
    this.#isComplete = false;
    for (const { address } of this.#servers.ofFamily(main.local.family)) {
      if (!isSameSocketAddress(address, answered)) this.#ask(now, "ask", main, address);
    }
  }

  get #isDependent(): boolean {
    const primary = this.#primary;
    return primary !== undefined && mappingEvidence(this.#samples.of(primary.index)).isDependent;
  }

  /** The servers that answered the primary socket, those with a second address first. */
  #references(): readonly DiscoveryServer[] {
    const primary = this.#primary;
    if (primary === undefined) return [];
    const answered = this.#servers.ofFamily(primary.local.family)
      .filter(({ address }) => this.#samples.find(primary.index, address) !== undefined);
    const hasOther = ({ otherAddress }: DiscoveryServer): boolean => otherAddress !== undefined;
    return [...answered.filter(hasOther), ...answered.filter((server) => !hasOther(server))];
  }

  /** Asks the second address of a server where the named ones leave a question open. */
  #compare(now: Instant): void {
    const primary = this.#primary;
    if (primary === undefined || this.#tasks.has("compare")) return;
    const evidence = mappingEvidence(this.#samples.of(primary.index));
    const isAsking = this.#tasks.has("ask");
    for (const { address, otherAddress } of this.#references()) {
      if (otherAddress === undefined) return;
      const server = comparisonWith(evidence, { address, otherAddress }, isAsking);
      const key = server && formatSocketAddress(server);
      if (server === undefined || key === undefined || this.#compared.has(key)) continue;
      this.#compared.add(key);
      this.#ask(now, "compare", primary, server);
      return;
    }
  }

  #wantSockets(now: Instant): void {
    const [reference] = this.#references();
    if (this.#hasWantedSockets || reference === undefined) return;
    const isPatternMissing = this.#isDependent && this.#pattern === "unknown" &&
      !this.#tasks.has("compare");
    const isReady = reference.otherAddress !== undefined || !this.#tasks.has("ask", "compare");
    if (!isPatternMissing && !(this.#isExtended && isReady)) return;
    this.#hasWantedSockets = true;
    this.#socketsUntil = after(now, SOCKETS_PATIENCE_MS);
    const count = this.#isExtended ? SOCKETS_EXTENDED : SOCKETS_FOR_PATTERN;
    this.#events.push({ type: "sockets-wanted", count });
  }

  #startChecks(now: Instant): void {
    const primary = this.#primary;
    const [reference] = this.#references();
    if (!this.#isExtended || this.#further.length === 0 || this.#tasks.has("more")) return;
    if (primary?.reflexive === undefined || reference === undefined) return;
    const hasNat = !this.#isOwn(primary, primary.reflexive);
    const main = {
      socket: primary.index,
      address: primary.reflexive,
      server: primary.namedBy!,
    };
    this.#checks.start(now, this.#further, reference, hasNat ? main : undefined);
  }

  #handleOwnRequest(datagram: Uint8Array): boolean {
    const message = decodeStunMessage(datagram);
    if (message?.messageClass !== "request") return false;
    const handle = this.#client.handleOf(message.transactionId);
    return handle !== undefined && this.#checks.handleOwnRequest(handle);
  }

  get #pattern(): DiscoveryReport["ports"]["pattern"] {
    return this.#samples.pattern(this.#primary?.local.family ?? 4).pattern;
  }

  #classify(): void {
    const primary = this.#primary;
    if (primary === undefined) return;
    const isSettled = !this.#isBusy;
    const mapping = classifyMapping(
      this.#samples.of(primary.index),
      (mapped) => this.#isOwn(primary, mapped),
      this.#pattern,
    );
    // A guess that the next answer may overturn is kept back: codes are made of it.
    const isFirm = mapping !== "unknown" &&
      (!this.#isDependent || (this.#pattern !== "unknown" && !this.#tasks.has("compare")));
    if (mapping === this.#mapping || !(isSettled || isFirm)) return;
    this.#mapping = mapping;
    this.#events.push({ type: "mapping", mapping });
  }

  get #isBusy(): boolean {
    return this.#tasks.has("ask", "compare", "more") || this.#checks.isPending ||
      this.#socketsUntil !== NEVER;
  }

  #finish(): void {
    if (!this.#isStarted || this.#isComplete || this.#isBusy) return;
    this.#isComplete = true;
    this.#events.push({ type: "complete" });
  }

  #isOwn({ local }: LocalSocket, mapped: SocketAddress): boolean {
    return mapped.port === local.port &&
      (mapped.host === local.host ||
        this.#localAddresses.some(({ host }) => host === mapped.host));
  }

  get #stun(): DiscoveryReport["stun"] {
    if (!this.#isStarted) return "off";
    if (this.#mains.some(({ isAnswered }) => isAnswered)) return "answered";
    return this.#isComplete ? "silent" : "pending";
  }
}
