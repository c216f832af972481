/** One client of a share: its admission, its transfer, and what is told of it. */
import { Admission, type ShareDoor } from "./admission.ts";
import { constantTimeEqual } from "../bytes/equal.ts";
import { connectionError } from "../operation/connection_error.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import type {
  AdmittedBy,
  ConnectedEvent,
  DoneEvent,
  IdentityReport,
  PathRoute,
  TransferEvent,
} from "../events.ts";
import { GivingHalf } from "../session/giving_half.ts";
import { GuardedHandler } from "./guarded_handler.ts";
import { HalfEnds, isPathLost } from "./half_ends.ts";
import { formatSocketAddress, hostKey } from "../nat/address.ts";
import type { PathMethod } from "../nat/path_method.ts";
import { isSamePath, type Path } from "../nat/path.ts";
import type { ClientReport, ShareOptions } from "../options.ts";
import { type OwnCandidates, tellCandidates } from "../operation/own_candidates.ts";
import { PathTeller } from "../operation/path_teller.ts";
import { pathEvent, routeTo } from "../operation/path_report.ts";
import type { Connection } from "../protocol/connection.ts";
import type { ConnectionEnd } from "../protocol/connection_options.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import type { ReplyCode } from "../rendezvous/reply_code.ts";
import type { Instant } from "../time.ts";
import type {
  RememberOptions,
  RememberResult,
  SessionIdentity,
} from "../session/session_identity.ts";
import type { PreparedSource } from "../session/share_source.ts";
import type { Storage } from "../storage/storage.ts";
import { decisionByOptions, TakingHalf } from "../session/taking_half.ts";
import { TakingRun } from "../session/taking_run.ts";
import type { ExchangeEnd, HalfEnd } from "../transfer/exchange.ts";
import type { NameClaims } from "../transfer/own_names.ts";
import type { ListRoom } from "../transfer/receiving/list_room.ts";
import type { SharedReading } from "../transfer/sending/shared_reading.ts";
import { SharerExchange } from "../transfer/sharer_exchange.ts";
import type { PathRepair } from "../traversal/path_repair.ts";
import type { Clock } from "../transport/clock.ts";
import { systemRandom } from "../transport/random.ts";

/** How a session ended; see {@linkcode ShareSessionParts.onEnd}. */
export type SessionEnd = "served" | "lost" | "superseded" | "interrupted" | "failed";

/** The session of a client that was let in before, and comes again. */
export interface EarlierSession {
  /** Its number. */
  readonly number: number;
  /** Whether it was there still, and its place is passed on. */
  readonly hasPlace: boolean;
  /** What came of taking what it offered. */
  readonly taking: TakingRun;
}

/** What a session works with. */
export interface ShareSessionParts {
  /** Counts from 1. */
  readonly number: number;
  readonly accepted: EndpointEvent & { readonly type: "accepted" };
  readonly options: ShareOptions;
  readonly clock: Clock;
  /** What is shared. */
  readonly source: PreparedSource;
  /** Where it is read, for all clients. */
  readonly reading: SharedReading;
  /** Where what it offers goes; undefined when nothing is taken. */
  readonly taking: ShareTaking | undefined;
  readonly provider: CryptoProvider;
  /** What it gets in through. */
  readonly door: ShareDoor;
  /** Who the client is, as far as it shows it. */
  readonly identity: SessionIdentity;
  /** Fingerprints of those who are let in without a question. */
  readonly allowed: ReadonlySet<string>;
  /** Whether its reply code was pasted before it came. */
  readonly isInvited: boolean;
  /** What it goes on with: then nobody is asked about the client. */
  readonly earlier: EarlierSession | undefined;
  /** Whether a reply code is that of this client. */
  readonly isOfClient: (reply: ReplyCode) => boolean;
  /** How a path came about. */
  readonly methodOf: (path: Path) => PathMethod;
  /** Which way datagrams go through a path's socket. */
  readonly accelerationOf: (path: Path) => ConnectedEvent["acceleration"];
  /** All the ways to this machine that are known now. */
  readonly candidates: () => OwnCandidates;
  /** Mends its path. */
  readonly repair: PathRepair;
  readonly emit: (event: TransferEvent) => void;
  /**
   * Called once, with the session's last event. *Lost*: nothing was heard of a client any more that
   * had been let in. *Superseded*: it came again; nothing is told then. *Interrupted*: a client that
   * was let in ended the transfer on purpose.
   *
   * @param dones Those of its halves that ended well; told already, or the last.
   */
  readonly onEnd: (how: SessionEnd, last: TransferEvent, dones: readonly DoneEvent[]) => void;
}

/** What all clients of a share have in common that offer something to it. */
export interface ShareTaking {
  readonly storage: Storage;
  readonly listRoom: ListRoom;
  readonly claims: NameClaims;
  /** See {@linkcode TakingOptions.bufferBytes}. */
  readonly bufferBytes: number;
}

/** A client of a share. */
export class ShareSession {
  readonly #parts: ShareSessionParts;
  readonly #address: string;
  readonly #host: string;
  readonly #exchange: SharerExchange;
  readonly #giving: GivingHalf;
  readonly #taking: TakingHalf;
  /** What came of taking what the client offers, here and in sessions before. */
  readonly #takingRun: TakingRun;
  readonly #ends: HalfEnds;
  /** Whether it was let in: from then on it sees the share, and where else this machine can be found. */
  #isAdmitted = false;
  readonly #pathTeller: PathTeller;
  /** Where it came from; what followed before it was let in is told then. */
  readonly #firstPath: Path;
  readonly #admission: Admission;
  #hasEnded = false;
  #isSilent = false;
  readonly #connectedAt: Instant;
  #isSuperseded = false;

  constructor(parts: ShareSessionParts) {
    const { accepted, options, source: { manifest, storage }, provider } = parts;
    this.#parts = parts;
    const { remote } = accepted.connection.path;
    this.#address = formatSocketAddress(remote);
    this.#host = hostKey(remote);
    this.#connectedAt = parts.clock.now();
    const verification = options.verify
      ? {
        handshakeHash: accepted.handshakeHash,
        random: options.random ?? systemRandom,
      }
      : undefined;
    this.#firstPath = accepted.connection.path;
    this.#pathTeller = new PathTeller(parts.clock, (event) => this.#tell(event));
    this.#admission = this.#begin();
    this.#takingRun = parts.earlier?.taking ?? new TakingRun();
    const { take } = options;
    const half = {
      session: parts.number,
      clock: parts.clock,
      connection: accepted.connection,
      emit: (event: TransferEvent) => this.#tell(event),
    };
    this.#giving = new GivingHalf({
      ...half,
      isBack: false,
      sender: () => this.#exchange.forth,
      onOffer: () => this.#handleLetIn(),
    });
    this.#taking = new TakingHalf({
      ...half,
      isBack: true,
      run: this.#takingRun,
      receiver: () => this.#exchange.back!,
      decide: (offer) =>
        take?.decide?.(offer, this.report) ?? Promise.resolve(decisionByOptions(take ?? {})),
    });
    this.#ends = new HalfEnds({
      session: parts.number,
      givesNothing: this.#givesNothing,
      doneEvent: (half, summary) =>
        (half === "forth" ? this.#giving : this.#taking).doneEvent(summary),
      tell: (event) => this.#tell(event),
    });
    this.#exchange = new SharerExchange({
      channel: accepted.connection,
      storage,
      reading: parts.reading,
      crypto: provider,
      identity: parts.identity.exchange,
      manifest,
      clientHello: accepted.request,
      ...(verification ? { verification } : {}),
      admit: (words) => this.#decide(words),
      pendingReason: () => this.#admission.mustShowReply ? "reply" : "admission",
      ...this.#giving.options,
      take: take && {
        ...parts.taking!,
        directory: take.directory,
        symlinks: take.symlinks,
        ...this.#taking.options,
      },
      onHalfEnd: (half, end) => this.#handleHalfEnd(half, end),
    });
  }

  #begin(): Admission {
    const { number: session, earlier, identity, allowed, options, door, isInvited } = this.#parts;
    const address = this.#address;
    return new Admission(door, {
      session,
      address,
      host: this.#host,
      identity: () => identity.report,
      // A private share is for those it was made for, whoever else is always let in.
      isAllowed: () => identity.isAllowed(allowed, { alone: options.private === true }),
      comesAgain: earlier !== undefined,
      hasPlace: earlier?.hasPlace ?? false,
      isInvited,
      onWaits: () => {
        const message = `${address} waits: as many clients as may be are being served`;
        this.#tell({ event: "warning", session, code: "waits_for_place", message });
      },
      onWords: (words) => this.#tell({ event: "words", session, words }),
    });
  }

  /** Begins to talk with the client. */
  start(): void {
    const { number, accepted: { connection }, earlier } = this.#parts;
    const { path } = connection;
    const { rttMs } = connection.statistics;
    this.#tell({
      event: "connected",
      session: number,
      address: this.#address,
      route: routeTo(path.remote),
      rttMs,
      acceleration: this.#parts.accelerationOf(path),
      ...(earlier === undefined ? {} : { resumes: earlier.number }),
    });
    this.#pathTeller.push(pathEvent(number, path, { method: this.#parts.methodOf(path), rttMs }));
    void this.#exchange.finished.then((end) => {
      this.#parts.identity.handleEnd(end);
      this.#handleEnd(end);
    });
    // First: what came with the handshake is heard only once its greeting was.
    this.#exchange.start();
    connection.setHandler(new GuardedHandler(this.#exchange, (error) => this.crash(error)));
  }

  /** What it is at this moment. */
  get report(): ClientReport {
    const { number, clock, identity } = this.#parts;
    const { forth, back } = this.#exchange;
    const taken = back === undefined ? undefined : this.#takingRun.account.last;
    return {
      session: number,
      address: this.#address,
      route: this.#route,
      ...(identity.report === undefined ? {} : { identity: identity.report }),
      state: this.#state,
      bytesDone: forth.progress.bytesDone + (taken?.bytesDone ?? 0),
      bytesTotal: forth.progress.bytesTotal + (taken?.bytesTotal ?? 0),
      rateBytesPerSecond: this.#giving.rateBytesPerSecond + this.#taking.rateBytesPerSecond,
      connectedMs: clock.now() - this.#connectedAt,
    };
  }

  get #state(): ClientReport["state"] {
    if (this.#isSilent) return "silent";
    if (this.#isAdmitted) {
      return this.#giving.wasAsked || this.#taking.hasBegun ? "moving" : "admitted";
    }
    const { state } = this.#admission;
    return state === "in" ? "admitted" : state;
  }

  /** Remembers the client, which has proved who it is; see `SessionIdentity.remember`. */
  remember(how: RememberOptions): Promise<RememberResult> {
    return this.#parts.identity.remember(how);
  }

  /** Its connection. */
  get connection(): Connection {
    return this.#parts.accepted.connection;
  }

  /** The key that the client has proved. */
  get key(): Uint8Array {
    return this.#parts.accepted.remoteKey;
  }

  /** Where it came from, as `host:port`. */
  get address(): string {
    return this.#address;
  }

  /** What it has in common with others of the same customer; see `hostKey`. */
  get host(): string {
    return this.#host;
  }

  /** Who it has proved to be; undefined when it has not. */
  get identity(): IdentityReport | undefined {
    return this.#parts.identity.report;
  }

  /** Whether it was let in. */
  get isIn(): boolean {
    return this.#admission.state === "in";
  }

  /** Whether its reply code was pasted. */
  get isInvited(): boolean {
    return this.#admission.isInvited;
  }

  /** Counts from 1. */
  get number(): number {
    return this.#parts.number;
  }

  /** Where its client is now, or was last. */
  get path(): Path {
    return this.#parts.accepted.connection.path;
  }

  /** Whether it is the session of the client with this key, which was let in, and has not ended. */
  isOfAdmitted(key: Uint8Array): boolean {
    return this.#wasLetIn && !this.#hasEnded && constantTimeEqual(this.key, key);
  }

  /**
   * The client came again, so here nothing will be heard of it any more: ends the session without a
   * word.
   *
   * @returns What the new session goes on with.
   */
  supersede(): EarlierSession {
    const hasPlace = this.#admission.passOn();
    const earlier = { number: this.number, hasPlace, taking: this.takingRun };
    this.#isSuperseded = true;
    this.#stopTelling();
    // For a client that is there after all; nobody is told of the error here.
    this.#exchange.abort(new TransferError("share_closed", "The client came again"));
    return earlier;
  }

  /** What the session that goes on with this one has to know of what was taken [AGAIN-4]. */
  get takingRun(): TakingRun {
    this.#takingRun.agreement.noteLost(this.#exchange.back?.offerDigest);
    return this.#takingRun;
  }

  /** Whether a reply code is that of this client. */
  isOf(reply: ReplyCode): boolean {
    return this.#parts.isOfClient(reply);
  }

  /** The client's reply code was pasted: it is let in, and may be found where the code says. */
  invite(reply: ReplyCode): void {
    this.#admission.invite();
    const { accepted: { connection }, clock } = this.#parts;
    for (const { address } of reply.candidates) connection.addRemoteCandidate(clock.now(), address);
  }

  /** The session goes another way from now on. */
  handlePath({ path, rttMs }: { readonly path: Path; readonly rttMs: number }): void {
    const { number, methodOf, repair } = this.#parts;
    this.#isSilent = false;
    repair.handleFound();
    if (!this.#admission.keepPlace()) {
      const message = "Another client has its place: nothing was heard of this one for a while";
      return this.#exchange.abort(new TransferError("share_closed", message));
    }
    // A client that is not let in has nothing to say but that it is there.
    if (!this.#isAdmitted) return;
    const method = routeTo(path.remote) === "internet" ? methodOf(path) : "direct";
    this.#pathTeller.push(pathEvent(number, path, { method, rttMs }));
  }

  /** Nothing comes any more; the connection looks for another way. */
  handlePathLost(silentMs: number): void {
    this.#isSilent = true;
    if (!this.#isAdmitted) return;
    this.#parts.repair.handleLost();
    this.#tell({ event: "path-lost", session: this.#parts.number, silentMs });
    this.#admission.offerPlace();
  }

  /** What is known of the ways to this machine has changed. */
  handleNetwork(): void {
    if (!this.#isAdmitted) return;
    const { accepted: { connection }, clock, candidates } = this.#parts;
    tellCandidates(connection, clock.now(), candidates());
  }

  /** The connection is over. */
  handleClosed(end: ConnectionEnd): void {
    this.#parts.repair.close(this.#parts.accepted.connection.path.socket);
    this.#exchange.handleClosed(connectionError(end));
  }

  /** Ends the session because of whatever was thrown. */
  crash(error: unknown): void {
    this.#exchange.crash(error);
  }

  /** Ends the session; resolves when its files are closed. */
  async abort(error: TransferError): Promise<void> {
    this.#exchange.forth.settle(); // its last word may be on its way still
    this.#exchange.abort(error);
    await this.#exchange.finished;
  }

  #decide(words: readonly string[] | undefined): boolean | Promise<boolean> {
    const by = this.#admission.decide(words);
    return by instanceof Promise
      ? by.then((by) => this.#tellAdmission(by))
      : this.#tellAdmission(by);
  }

  #tellAdmission(by: AdmittedBy | undefined): boolean {
    const { number: session } = this.#parts;
    const admitted = by !== undefined;
    // Who has left was not turned away.
    if (this.#hasEnded) return false;
    const address = this.#address;
    this.#tell({ event: "admission", session, address, admitted, ...(by ? { by } : {}) });
    return admitted;
  }

  #handleLetIn(): void {
    this.#isAdmitted = true;
    const { path, statistics: { rttMs } } = this.#parts.accepted.connection;
    if (!isSamePath(path, this.#firstPath)) this.handlePath({ path, rttMs });
    this.handleNetwork();
  }

  #handleHalfEnd(half: "forth" | "back", end: HalfEnd): void {
    (half === "forth" ? this.#giving : this.#taking).stop();
    if (!this.#isSuperseded && this.#exchange.goesOn) this.#ends.handleHalfEnd(half, end);
  }

  #handleEnd(end: ExchangeEnd): void {
    const how = this.#howEnded(end);
    if (how !== "superseded") {
      this.#admission.end(how === "served");
      this.#stopTelling();
    }
    const last = this.#ends.handleEnd(end, how === "lost");
    this.#parts.onEnd(how, last, this.#ends.dones);
  }

  get #givesNothing(): boolean {
    return this.#parts.source.manifest.entries.length === 0;
  }

  #stopTelling(): void {
    this.#hasEnded = true;
    this.#giving.stop();
    this.#taking.stop();
    this.#pathTeller.end();
  }

  /** Whether it was let in, here or in a session before, in which it was lost. */
  get #wasLetIn(): boolean {
    return this.#isAdmitted || this.#parts.earlier !== undefined;
  }

  #howEnded({ forth, back }: ExchangeEnd): SessionEnd {
    if (this.#isSuperseded) return "superseded";
    const isByPeer = this.#parts.accepted.connection.closed?.byPeer === true;
    if (this.#wasLetIn && (isPathLost(forth) || isPathLost(back))) return "lost";
    const wanted = this.#givesNothing ? back : forth;
    if (wanted !== undefined && !(wanted instanceof TransferError)) return "served";
    const isInterrupted = forth instanceof TransferError && forth.code === "interrupted";
    return this.#wasLetIn && isInterrupted && isByPeer ? "interrupted" : "failed";
  }

  /** Where the session's path leads now. */
  get #route(): PathRoute {
    return routeTo(this.#parts.accepted.connection.path.remote);
  }

  #tell(event: TransferEvent): void {
    this.#parts.emit(event);
  }
}
