/**
 * Hole punching: how two peers that hold a share code and a reply code find a path through the NATs
 * between them, without a server and without agreeing on a time. The client *waits*: from the
 * moment its reply code is shown it keeps its side open. The sharer *acts* when the code is pasted.
 * Pure: probes and time in; probes, deadlines and events out.
 *
 * ```
 *                        sharer: 30 s after the paste
 *   searching ───────────────────────────────────────▶ over: only answers
 *     │    ▲                                              ▲
 *     │    └── 10 s of silence ──┐                        │ sharer: 30 s
 *     └── an authentic probe ──▶ joined ──────────────────┘
 *                                asks where it was heard, elsewhere for 1 s more
 * ```
 *
 * The contract: *after any call that changes the machine, drain `pollTransmit`, then `pollEvent`,
 * then arm one timer for `pollTimeout`.* The owner starts a handshake on each path that was heard,
 * and stops the machine when a session stands.
 *
 * Not here: who does what in a pair (`plan.ts`), what is sent while waiting and acting
 * (`waiting.ts`, `acting.ts`), and the probes' format (docs/protocol.md, "Probes").
 */
import type { RandomSource } from "../../crypto/provider.ts";
import { after, earlier, type Instant, NEVER } from "../../time.ts";
import type { Candidate } from "../candidate.ts";
import type { DatagramMachine } from "../datagram_machine.ts";
import type { MappingClass } from "../mapping_class.ts";
import type { Path, PathSocket } from "../path.ts";
import type { PathMethod } from "../path_method.ts";
import { actingStreams } from "./acting.ts";
import { PunchAnswers } from "./answers.ts";
import { PunchBudget } from "./budget.ts";
import type { PunchCodec, PunchProbe } from "./codec.ts";
import {
  ACT_MS,
  JOIN_GRACE_MS,
  JOIN_SILENCE_MS,
  PLAIN_FIRST_MS,
  SPRAY_PROBES,
  SPRAY_WINDOW_MS,
} from "./limits.ts";
import { punchMethod, type PunchMethodOptions } from "./method.ts";
import { PunchPaths } from "./paths.ts";
import { planPunch, type PunchRole, socketsToOpen } from "./plan.ts";
import { stepsAhead } from "./ports.ts";
import { PunchQuestions } from "./questions.ts";
import type { PunchStream } from "./stream.ts";
import { PunchTargets } from "./targets.ts";
import { waitingStreams } from "./waiting.ts";

/** What a punching machine needs. */
export interface PunchOptions {
  /** Which side this is. */
  readonly role: PunchRole;
  /** Seals and opens the probes of this pair of codes; the owner wipes it. */
  readonly codec: PunchCodec;
  /** Where transaction ids come from. */
  readonly random: RandomSource;
  /** The sockets to punch from: the first of each family counts. */
  readonly sockets: readonly PathSocket[];
  /** What the NAT in front of this side is like, as its code says. */
  readonly local: {
    readonly mapping: MappingClass;
    /** What its code says, which the other side tries; only to name a path (default none). */
    readonly candidates?: readonly Candidate[];
  };
  /** What the other side's code says. */
  readonly remote: {
    readonly mapping: MappingClass;
    readonly candidates: readonly Candidate[];
  };
  /**
   * Client: how many routers part of its probes pass: 2, and 4 behind two NATs; undefined where the
   * owner cannot send with a low TTL.
   */
  readonly lowHops?: 2 | 4 | undefined;
  /**
   * Client: an IPv4 socket on the port next above that of the first in `sockets`, from which nothing
   * was sent so far. The sharer tries that port, too.
   */
  readonly guardSocket?: number | undefined;
  /** Sharer behind a stepping NAT: the outside port that its share code holds. */
  readonly codePort?: number | undefined;
  /** And the newest that a STUN server saw just now, from a fresh socket. */
  readonly currentPort?: number | undefined;
  /**
   * What the spray probes to a host are taken from, when several machines share it; by default each
   * has 2048 in any 30 s of its own.
   */
  readonly budgetFor?: ((host: string) => PunchBudget) | undefined;
}

/** What a machine reports. */
export type PunchEvent =
  /**
   * The other side was heard on a path for the first time, or answered there for the first time: only
   * an answer shows that somebody is there.
   */
  | {
    readonly type: "heard";
    readonly path: Path;
    /** Whether it answered; else it asked. */
    readonly isAnswer: boolean;
    /** Of an answer: how long it took, ms. */
    readonly rttMs?: number;
  }
  /** More sockets are wanted, for {@linkcode Punch.addSockets}; fewer are of use, too. */
  | { readonly type: "sockets-wanted"; readonly count: number; readonly family: 4 | 6 }
  /** Sharer: 30 s went by, 40 s if somebody was heard at last; it only answers from now on. */
  | { readonly type: "exhausted" };

const PORT_BITS_BYTES = 65_536 / 8;

/** Looks for a path to one peer. */
export class Punch implements DatagramMachine {
  /** Where the datagram of the last {@linkcode Punch.pollTransmit} goes. */
  transmitPath!: Path;
  /** How many routers it may pass; undefined for the system's default. */
  transmitHops: number | undefined;
  /** Questions and answers sent. */
  sentProbes = 0;
  /** Of these, what was sent to guessed ports or out of extra sockets. */
  sprayedProbes = 0;
  /** Of these, answers. */
  answeredProbes = 0;
  /** Authentic probes that were not taken: replayed, sent back to us, unasked for or too many. */
  droppedProbes = 0;
  readonly #codec: PunchCodec;
  readonly #targets: PunchTargets;
  readonly #streams: readonly PunchStream[];
  readonly #questions: PunchQuestions;
  readonly #answers = new PunchAnswers();
  readonly #paths = new PunchPaths();
  readonly #methodOptions: PunchMethodOptions;
  readonly #extraSockets: PathSocket[] = [];
  readonly #extraIndices = new Set<number>();
  readonly #sprayedPorts = new Uint8Array(PORT_BITS_BYTES);
  readonly #events: PunchEvent[] = [];
  /** When the search ends: never for a client. */
  #endsAt: Instant;
  /** Until when that may be put off for somebody who was heard just before. */
  readonly #latestEndAt: Instant;
  readonly #socketsWanted: number;
  #socketsWantedAt: Instant;
  #isStopped = false;

  /** Begins at once. */
  constructor(now: Instant, options: PunchOptions) {
    const { role, random, local: { mapping: local }, remote: { mapping: remote } } = options;
    const isSharer = role === "sharer";
    const plan = isSharer ? planPunch(local, remote) : planPunch(remote, local);
    const targets = new PunchTargets(options.remote.candidates, options.sockets);
    const side = {
      startAt: now,
      plan,
      local,
      remote,
      targets,
      extraSockets: this.#extraSockets,
      budget: this.#budgetFor(targets, options),
    };
    const { codePort, currentPort } = options;
    const isMoveKnown = codePort !== undefined && currentPort !== undefined;
    this.#streams = isSharer
      ? actingStreams(side, isMoveKnown ? stepsAhead(codePort, currentPort) : 0)
      : waitingStreams(side, {
        hops: options.lowHops,
        guardSocket: options.guardSocket,
      });
    this.#codec = options.codec;
    this.#targets = targets;
    this.#questions = new PunchQuestions(random);
    this.#methodOptions = {
      plan,
      local,
      localCandidates: options.local.candidates ?? [],
      remote,
      remoteCandidates: options.remote.candidates,
      targets,
      isExtra: (socket) => this.#extraIndices.has(socket),
      isSprayed: (port) => (this.#sprayedPorts[port >>> 3]! & (1 << (port & 7))) !== 0,
    };
    this.#endsAt = isSharer ? after(now, ACT_MS) : NEVER;
    this.#latestEndAt = after(this.#endsAt, JOIN_SILENCE_MS);
    this.#socketsWanted = targets.nat === undefined ? 0 : socketsToOpen(plan, role);
    this.#socketsWantedAt = this.#socketsWanted === 0
      ? NEVER
      : after(now, isSharer ? PLAIN_FIRST_MS : 0);
    this.handleTimeout(now);
  }

  #budgetFor({ nat }: PunchTargets, { budgetFor }: PunchOptions): PunchBudget {
    return nat && budgetFor
      ? budgetFor(nat.candidate.address.host)
      : new PunchBudget(SPRAY_PROBES, SPRAY_WINDOW_MS);
  }

  /**
   * Punches from more sockets, of those that were asked for. What is over that count or of another
   * family is left alone. The owner closes them.
   */
  addSockets(_now: Instant, sockets: readonly PathSocket[]): void {
    for (const socket of sockets) {
      if (this.#extraSockets.length === this.#socketsWanted) return;
      if (socket.family !== 4 || this.#extraIndices.has(socket.index)) continue;
      this.#extraSockets.push(socket);
      this.#extraIndices.add(socket.index);
    }
  }

  /** Takes a datagram if it is a probe of this pair of codes. */
  handleDatagram(now: Instant, datagram: Uint8Array, path: Path): boolean {
    if (this.#isStopped) return false;
    const probe = this.#codec.open(datagram);
    if (probe === undefined) return false;
    if (!this.#handleProbe(now, probe, path)) this.droppedProbes++;
    return true;
  }

  /** Of a probe that has another one behind it. */
  peekLength(piece: Uint8Array): number {
    return this.#isStopped ? 0 : this.#codec.peekLength(piece);
  }

  #handleProbe(now: Instant, { type, transactionId }: PunchProbe, path: Path): boolean {
    if (!this.#targets.mayAnswer(path.remote)) return false;
    if (type === 2) {
      const rttMs = this.#questions.takeAnswer(now, transactionId);
      if (rttMs === undefined) return false;
      if (this.#paths.hear(now, path, true) === "news") {
        this.#events.push({ type: "heard", path, isAnswer: true, rttMs });
      }
      return true;
    }
    if (this.#questions.isOwn(transactionId) || this.#answers.isKnown(transactionId)) return false;
    if (this.#paths.hear(now, path, false) === "news") {
      this.#events.push({ type: "heard", path, isAnswer: false });
    }
    return this.#answers.add(now, path, transactionId);
  }

  /** Does what is due. */
  handleTimeout(now: Instant): void {
    if (this.#isStopped) return;
    const resumesAt = this.#sprayResumesAt;
    if (now >= this.#endsAt && !this.#isOver) {
      this.#endsAt = earlier(resumesAt, this.#latestEndAt);
      if (now >= this.#endsAt) {
        this.#endsAt = Number.NEGATIVE_INFINITY as Instant;
        this.#socketsWantedAt = NEVER;
        this.#events.push({ type: "exhausted" });
      }
    }
    if (now < this.#socketsWantedAt) return;
    if (now < resumesAt) {
      this.#socketsWantedAt = resumesAt;
      return;
    }
    this.#socketsWantedAt = NEVER;
    this.#events.push({ type: "sockets-wanted", count: this.#socketsWanted, family: 4 });
  }

  /** The one deadline to arm; `NEVER` when there is none. */
  pollTimeout(): Instant {
    if (this.#isStopped || this.#isOver) return NEVER;
    let deadline = earlier(this.#endsAt, this.#socketsWantedAt);
    deadline = earlier(deadline, this.#paths.nextAt);
    for (const stream of this.#streams) deadline = earlier(deadline, this.#dueAt(stream));
    return deadline;
  }

  /** Writes the next probe to send, and sets where it goes. */
  pollTransmit(now: Instant, out: Uint8Array): number {
    if (this.#isStopped) return 0;
    const answer = this.#answers.take();
    if (answer !== undefined) {
      this.answeredProbes++;
      return this.#send(out, answer.path, { type: 2, transactionId: answer.transactionId });
    }
    if (this.#isOver || now >= this.#endsAt) return 0;
    const heard = this.#paths.take(now);
    if (heard !== undefined) return this.#ask(now, out, heard);
    for (const stream of this.#streams) {
      if (now < this.#dueAt(stream)) continue;
      const target = stream.take(now);
      if (target === undefined) continue;
      const { socket, remote, hops } = target;
      if (stream.isSpray) {
        this.sprayedProbes++;
        this.#sprayedPorts[remote.port >>> 3]! |= 1 << (remote.port & 7);
      }
      return this.#ask(now, out, { socket, remote }, hops);
    }
    return 0;
  }

  #ask(now: Instant, out: Uint8Array, path: Path, hops?: number): number {
    const transactionId = this.#questions.issue(now);
    return this.#send(out, path, { type: 1, transactionId }, hops);
  }

  #send(out: Uint8Array, path: Path, probe: PunchProbe, hops?: number): number {
    const datagram = this.#codec.seal(probe);
    out.set(datagram);
    this.transmitPath = path;
    this.transmitHops = hops;
    this.sentProbes++;
    return datagram.length;
  }

  /** What the owner should know next. */
  pollEvent(): PunchEvent | undefined {
    return this.#events.shift();
  }

  /** How a path that was heard had come to be. */
  methodOf(path: Path): PathMethod {
    return punchMethod(path, this.#methodOptions);
  }

  /** Ends it: nothing is sent, taken or due any more. What was reported may still be polled. */
  stop(): void {
    this.#isStopped = true;
  }

  get #isOver(): boolean {
    return this.#endsAt === Number.NEGATIVE_INFINITY;
  }

  /** When a stream sends next, if the other side is not heard until then. */
  #dueAt(stream: PunchStream): Instant {
    const { nextAt } = stream;
    const { joinedAt } = this.#paths;
    if (!stream.isSpray && joinedAt !== undefined && nextAt < after(joinedAt, JOIN_GRACE_MS)) {
      return nextAt;
    }
    return Math.max(nextAt, this.#sprayResumesAt) as Instant;
  }

  /** From when on others than who was heard are looked for. */
  get #sprayResumesAt(): Instant {
    const { lastHeardAt } = this.#paths;
    return lastHeardAt === undefined
      ? Number.NEGATIVE_INFINITY as Instant
      : after(lastHeardAt, JOIN_SILENCE_MS);
  }
}
