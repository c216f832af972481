/**
 * The paths of one connection (docs/protocol.md, "Paths"): which one it goes along, which others
 * are tried, and when it changes. The connection asks it and writes its packets; packets of
 * challenges and responses are not in flight, and say nothing of congestion.
 *
 * In the order of the file: what the connection reports of each packet, what its owner says, what
 * is due, what is sent, and how it all is decided.
 */
import type { RandomSource } from "../../crypto/provider.ts";
import { addressScope, isSameSocketAddress, type SocketAddress } from "../../nat/address.ts";
import type { Candidate } from "../../nat/candidate.ts";
import { isSamePath, type Path, type PathSocket } from "../../nat/path.ts";
import {
  MAX_FRAME_CANDIDATES,
  PATH_FIRST_RETRY_MS,
  PATH_HOLD_MS,
  PATH_REPROBE_MS,
  PATH_REPROBE_TRIES,
  PATH_SEARCH_MS,
  PATH_TRIES,
} from "../params.ts";
import { isClearlyBetter } from "./choice.ts";
import { type PathEvent, PathEvents, type PathReason } from "./events.ts";
import { PathFollow } from "./follow.ts";
import { PathNews } from "./news.ts";
import { PathPackets } from "./packets.ts";
import type { UnaskedAnswer } from "../connection_options.ts";
import type { PathAnswer, PathProbe } from "./probe.ts";
import { PathTable } from "./table.ts";
import { PathWatch } from "./watch.ts";
import type { RttEstimator } from "../rtt.ts";
import { after, earlier, type Instant, instant, NEVER } from "../../time.ts";
import { Timer, type TimerTable } from "../timer_table.ts";

/** A change of the path that datagrams take. */
export interface PathChange {
  /** The one before. */
  readonly from: Path;
  /** The one from now on. */
  readonly to: Path;
  /** Its round trip, if it was measured. */
  readonly rttMs: number | undefined;
  /** Whether what is on its way along the one before is surely lost. */
  readonly wasLost: boolean;
}

/** What {@linkcode Paths} works with. */
export interface PathsOptions {
  /** That of the handshake. */
  readonly path: Path;
  /** Set when the client was answered from where it had not asked. */
  readonly unasked: UnaskedAnswer | undefined;
  /** The client chooses paths, the sharer follows. */
  readonly isClient: boolean;
  /** Where challenges come from. */
  readonly random: RandomSource;
  /** Where {@linkcode Timer.PATH} and {@linkcode Timer.WATCH} are armed. */
  readonly timers: TimerTable;
  /** Of the session's path. */
  readonly rtt: RttEstimator;
  /** Told when `current` has changed. */
  readonly onChange: (now: Instant, change: PathChange) => void;
}

const LONG_AGO = instant(Number.NEGATIVE_INFINITY);

/** The paths of one connection. */
export class Paths {
  /** The path of the session. */
  current: Path;
  /** Whether the session's path carries anything. */
  readonly watch: PathWatch;
  /** What is told of addresses. */
  readonly news: PathNews;
  readonly #options: PathsOptions;
  readonly #timers: TimerTable;
  readonly #table = new PathTable();
  readonly #events = new PathEvents();
  readonly #follow: PathFollow;
  readonly #packets: PathPackets;
  #sockets: readonly PathSocket[];
  #own: readonly SocketAddress[] = [];
  #candidates: readonly SocketAddress[] = [];
  #extra: SocketAddress[] = [];
  /** The session's path while nothing has proved that the sharer is there; else undefined. */
  #unproved: PathProbe | undefined;
  #challenge: Uint8Array | undefined;
  #heldUntil: Instant = LONG_AGO;
  #searchAt: Instant = NEVER;
  #reprobeAt: Instant = NEVER;

  constructor(now: Instant, options: PathsOptions) {
    const { path, isClient, timers, rtt } = options;
    this.#options = options;
    this.#timers = timers;
    this.current = path;
    this.watch = new PathWatch(now, timers, rtt);
    this.news = new PathNews(path.remote);
    this.#follow = new PathFollow(isClient);
    this.#packets = new PathPackets(now, this.#table, options.random, path);
    this.#sockets = [{ index: path.socket, family: path.remote.family }];
    if (options.unasked) {
      this.#unproved = this.#probeOf(path);
      this.#unproved.handleReceived(options.unasked.receivedBytes);
    }
  }

  /** Takes the oldest event. */
  takeEvent(): PathEvent | undefined {
    return this.#events.take();
  }

  // ---- while nothing proves the session's path ----

  /** Whether nobody asked where the session goes, and nothing has proved yet that the sharer is there. */
  get isUnproved(): boolean {
    return this.#unproved !== undefined;
  }

  /** [HS-14] Whether a datagram may go there. */
  maySend(bytes: number): boolean {
    return this.#unproved?.maySend(bytes) ?? true;
  }

  /** A datagram other than a challenge or response goes along the session's path. */
  handleSent(bytes: number): void {
    this.#unproved?.handleSent(bytes);
  }

  /**
   * [HS-13] The message 2 of this session came again. From where message 1 went, it shows where the
   * sharer is; from elsewhere it is as good as the one before, which brought no answer.
   *
   * @returns Whether the session goes along another path now.
   */
  handleMessage2(now: Instant, path: Path, bytes: number): boolean {
    if (!this.#unproved) return false;
    const isElsewhere = !isSamePath(path, this.current);
    if (this.#isAsked(path)) {
      this.#unproved = undefined;
    } else {
      this.#unproved = this.#probeOf(path);
      this.#unproved.handleReceived(bytes);
    }
    if (isElsewhere) this.#settle(now, path);
    return isElsewhere;
  }

  #isAsked(path: Path): boolean {
    return this.#options.unasked?.asked.some((one) => isSamePath(one, path)) ?? false;
  }

  /** Goes along a path because of where the sharer was heard. */
  #settle(now: Instant, to: Path): void {
    const from = this.current;
    this.current = to;
    this.#follow.end();
    this.news.setPeer(to.remote);
    this.#options.onChange(now, { from, to, rttMs: undefined, wasLost: false });
    const rttMs = this.#options.rtt.smoothedMs;
    this.#events.add({ type: "path", path: to, rttMs, reason: "found" });
  }

  // ---- what the connection reports ----

  /** A PATH_CHALLENGE came; of several in one packet the last counts [FRM-2]. */
  handleChallenge(data: Uint8Array): void {
    this.#challenge = data.slice();
  }

  /** A PATH_RESPONSE came. It proves the path along which its challenge went. */
  handleResponse(now: Instant, data: Uint8Array): void {
    for (const probe of this.#table.all) {
      const answer = probe.answer(now, data);
      if (answer) return this.#handleAnswer(now, probe, answer);
    }
  }

  /** CANDIDATES came: the peer's whole list. Loopback counts only where the session itself is. */
  handleCandidates(now: Instant, candidates: readonly Candidate[]): void {
    const isOnLoopback = addressScope(this.current.remote) === "loopback";
    this.#candidates = candidates.map(({ address }) => address)
      .filter((address) => isOnLoopback || addressScope(address) !== "loopback");
    this.#list(now);
  }

  /** OBSERVED_ADDRESS came, with something new. */
  handleObserved(address: SocketAddress): void {
    this.#events.add({ type: "observed", address });
  }

  /**
   * All frames of an authentic new packet were read.
   *
   * @param bytes Of the datagram.
   * @param isMove Whether it shows where the peer is: the newest, and with more than challenges.
   */
  handlePacket(
    now: Instant,
    socket: number,
    remote: SocketAddress,
    bytes: number,
    isMove: boolean,
  ): void {
    this.watch.handleHeard(now);
    const { current } = this;
    if (this.#challenge) this.#packets.respond({ socket, remote }, this.#challenge, bytes);
    this.#challenge = undefined;
    if (
      socket === current.socket && remote.port === current.remote.port &&
      remote.host === current.remote.host
    ) {
      if (this.watch.isSilent) this.#resume(now, this.#probeOf(current));
      if (this.#unproved) this.#prove(now, this.#unproved, bytes);
      return;
    }
    if (this.#unproved && this.#isAsked({ socket, remote })) {
      this.#unproved = undefined;
      return this.#settle(now, { socket, remote });
    }
    const probe = this.#probeOf({ socket, remote });
    probe.handleReceived(bytes);
    if (isMove) this.#handleMove(now, probe);
    else if (!probe.isValid(now) && probe.nextTryAt === NEVER) {
      // The peer tries this path: a challenge back proves it for this side too.
      this.#try(now, probe, 1);
    }
    this.#arm(now);
  }

  // ---- what the owner says ----

  /** Sets what the peer is told of this side. */
  setLocalCandidates(candidates: readonly Candidate[]): void {
    this.news.setCandidates(candidates);
    this.#own = candidates.filter(({ kind }) => kind === "host").map(({ address }) => address);
  }

  /** Sets which sockets there are; paths of all others are forgotten. */
  setSockets(now: Instant, sockets: readonly PathSocket[]): void {
    const isThere = ({ socket }: Path) => sockets.some(({ index }) => index === socket);
    this.#sockets = [...sockets];
    this.#table.keepSockets(sockets);
    if (this.#follow.target && !isThere(this.#follow.target.path)) this.#follow.end();
    this.#packets.keepSockets(isThere);
    this.#list(now);
    if (!isThere(this.current)) this.#leaveSocket(now);
  }

  /** A socket is gone. */
  removeSocket(now: Instant, index: number): void {
    this.setSockets(now, this.#sockets.filter((socket) => socket.index !== index));
  }

  /** Names an address at which the peer may be; challenges go there at once. */
  addRemoteCandidate(now: Instant, address: SocketAddress): void {
    const others = this.#extra.filter((one) => !isSameSocketAddress(one, address));
    this.#extra = [address, ...others].slice(0, MAX_FRAME_CANDIDATES);
    this.#list(now);
    for (const probe of this.#table.all) {
      if (isSameSocketAddress(probe.path.remote, address)) this.#try(now, probe, PATH_TRIES);
    }
    this.#arm(now);
  }

  /** Has one path challenged. */
  probePath(now: Instant, path: Path): void {
    const probe = this.#probeOf(path);
    probe.isListed = true;
    this.#try(now, probe, PATH_TRIES);
    this.#arm(now);
  }

  // ---- what is due ----

  /** Does what is due; {@linkcode Timer.PATH} has expired. */
  handleTimeout(now: Instant): void {
    for (const probe of this.#table.all) {
      probe.handleTimeout(now);
      if (probe.isDue) this.#packets.hasTransmit = true;
    }
    if (now >= this.#searchAt) this.#search(now);
    if (now >= this.#reprobeAt) this.#reprobe(now);
    this.#judge(now);
    this.#arm(now);
  }

  /** {@linkcode Timer.WATCH} has expired; whether a PING is to be sent. */
  handleWatch(now: Instant): boolean {
    const verdict = this.watch.check(now);
    if (verdict === "lost") this.#handleLost(now);
    return verdict === "ping";
  }

  /** A timer fired so late that the machine must have slept: looks for a path at once [IDLE-3]. */
  handleWoke(now: Instant): void {
    if (this.watch.handleWoke(now)) this.#handleLost(now);
  }

  // ---- what is sent ----

  /** Whether {@linkcode Paths.write} may have something. */
  get hasTransmit(): boolean {
    return this.#packets.hasTransmit;
  }

  /** Where the packet of the last {@linkcode Paths.write} goes. */
  get transmitPath(): Path {
    return this.#packets.transmitPath;
  }

  /**
   * Writes the frames of the next packet along some path, and sets `transmitPath`.
   *
   * @returns The end of the frames, which begin behind the header; 0 when there is nothing to send.
   */
  write(now: Instant, out: Uint8Array): number {
    return this.#packets.write(now, out, this.#unproved ? undefined : this.current);
  }

  // ---- how it is decided ----

  #probeOf(path: Path): PathProbe {
    const target = this.#follow.target;
    return this.#table.add(path, target ? [this.current, target.path] : [this.current]);
  }

  #try(now: Instant, probe: PathProbe, count: number, isPadded = false): void {
    probe.begin(now, { count, intervalMs: PATH_FIRST_RETRY_MS, growth: 2, isPadded });
    this.#packets.hasTransmit = true;
  }

  /** [HS-14] The sharer's packets come along the unproved path: whether they do so rightly is asked. */
  #prove(now: Instant, probe: PathProbe, bytes: number): void {
    probe.handleReceived(bytes);
    if (probe.nextTryAt === NEVER && !probe.isDue) this.#try(now, probe, PATH_TRIES);
    this.#arm(now);
  }

  /** Pairs sockets with the peer's addresses and challenges what is new. */
  #list(now: Instant): void {
    const remotes = [...this.#extra, ...this.#candidates];
    for (const probe of this.#table.list(this.#sockets, remotes, [this.current])) {
      if (!isSamePath(probe.path, this.current)) this.#try(now, probe, PATH_TRIES);
    }
    if (this.#reprobeAt === NEVER) this.#reprobeAt = after(now, PATH_REPROBE_MS);
    this.#arm(now);
  }

  #reprobe(now: Instant): void {
    this.#reprobeAt = after(now, PATH_REPROBE_MS);
    if (!this.watch.isActive(now) || this.watch.isSilent) return;
    for (const probe of this.#table.all) {
      const isKnown = probe.isListed || probe.hasAnswered;
      if (isKnown && !isSamePath(probe.path, this.current)) {
        this.#try(now, probe, PATH_REPROBE_TRIES);
      }
    }
  }

  #handleAnswer(now: Instant, probe: PathProbe, answer: PathAnswer): void {
    const isCurrent = isSamePath(probe.path, this.current);
    if (isCurrent) this.#unproved = undefined;
    if (this.watch.isSilent) this.#resume(now, probe);
    else if (isCurrent) this.#follow.handlePresentAlive(now);
    else if (this.#follow.target) this.#judge(now);
    else if (this.#options.isClient) this.#consider(now, probe, answer);
    this.#arm(now);
  }

  /** [PATH-5] The client moves to a path that is clearly better, once a full datagram came back. */
  #consider(now: Instant, probe: PathProbe, { rttMs, isPadded }: PathAnswer): void {
    if (now < this.#heldUntil) return;
    const other = { remote: probe.path.remote, rttMs };
    const present = { remote: this.current.remote, rttMs: this.#options.rtt.smoothedMs };
    if (!isClearlyBetter(other, present, this.#own)) return;
    if (isPadded) this.#change(now, probe, "moved");
    else this.#try(now, probe, PATH_REPROBE_TRIES, true);
  }

  /** [PATH-1] The peer's newest packet came along this path, which is not the session's. */
  #handleMove(now: Instant, probe: PathProbe): void {
    if (probe.isValid(now) && this.watch.isSilent) return this.#resume(now, probe);
    if (probe.isValid(now) && !this.#options.isClient) return this.#change(now, probe, "followed");
    this.#follow.begin(
      now,
      probe,
      this.#probeOf(this.current),
      this.#options.rtt.probeTimeoutMs,
    );
    this.#packets.hasTransmit = true;
  }

  #judge(now: Instant): void {
    const target = this.#follow.target;
    if (target && this.#follow.isDecided(now)) this.#change(now, target, "followed");
  }

  /** [PATH-7] Silence: from now on every known path is challenged until one answers. */
  #handleLost(now: Instant): void {
    this.#events.add({ type: "path-lost", silentMs: this.watch.silentMs(now) });
    this.#search(now);
    this.#arm(now);
  }

  #search(now: Instant): void {
    this.#searchAt = NEVER;
    if (!this.watch.isSilent) return;
    this.#searchAt = after(now, PATH_SEARCH_MS);
    this.#probeOf(this.current);
    for (const remote of this.#table.remotes) {
      for (const { index, family } of this.#sockets) {
        if (family === remote.family) this.#probeOf({ socket: index, remote }).isListed = true;
      }
    }
    // The session's own path among them: it may be the one that comes back.
    for (const probe of this.#table.all) this.#try(now, probe, 1);
  }

  /** The first path that answers after silence is used. */
  #resume(now: Instant, probe: PathProbe): void {
    if (!isSamePath(probe.path, this.current)) return this.#change(now, probe, "found");
    this.watch.handleFound(now);
    const rttMs = this.#options.rtt.smoothedMs;
    this.#events.add({ type: "path", path: this.current, rttMs, reason: "found" });
  }

  /** The socket of the session's path is gone: any other way is better. */
  #leaveSocket(now: Instant): void {
    const from = this.current;
    const { remote } = from;
    const [best] = [...this.#table.all].sort((a, b) => a.rttMs - b.rttMs);
    const other = this.#sockets.find(({ family }) => family === remote.family);
    const to = best?.hasAnswered || !other ? best?.path : { socket: other.index, remote };
    if (to) {
      this.current = to;
      if (this.#unproved) this.#unproved = best?.hasAnswered ? undefined : this.#probeOf(to);
      this.#follow.end();
      this.news.setPeer(to.remote);
      this.#options.onChange(now, { from, to, rttMs: undefined, wasLost: true });
    }
    if (this.watch.isSilent) return;
    this.watch.declareLost();
    this.#handleLost(now);
  }

  #change(now: Instant, probe: PathProbe, reason: PathReason): void {
    const from = this.current;
    const to = probe.path;
    const wasLost = this.watch.isSilent;
    // A path that worked a moment ago needs no new proof, should the peer go back to it.
    if (!wasLost) this.#probeOf(from).markValid(now);
    this.current = to;
    this.#unproved = undefined;
    this.#follow.end();
    this.#heldUntil = after(now, PATH_HOLD_MS);
    // The first that answered is not always the best.
    if (reason === "found") this.#reprobeAt = this.#heldUntil;
    this.watch.handleFound(now);
    this.news.setPeer(to.remote);
    const isMeasured = probe.rttMs !== Number.POSITIVE_INFINITY;
    const rttMs = isMeasured ? probe.rttMs : undefined;
    this.#options.onChange(now, { from, to, rttMs, wasLost });
    this.#events.add({
      type: "path",
      path: to,
      rttMs: rttMs ?? this.#options.rtt.smoothedMs,
      reason,
    });
    this.#arm(now);
  }

  #arm(now: Instant): void {
    let deadline = earlier(this.#follow.deadline(now), this.#reprobeAt);
    if (this.watch.isSilent) deadline = earlier(deadline, this.#searchAt);
    for (const { nextTryAt } of this.#table.all) deadline = earlier(deadline, nextTryAt);
    this.#timers.set(Timer.PATH, deadline);
  }
}
