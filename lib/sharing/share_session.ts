/**
 * One client of a share: its admission (`admission.ts`), where it is (`client_path.ts`) and what goes
 * both ways (`client_halves.ts`), brought together.
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { TransferError } from "../errors.ts";
import type {
  AdmittedBy,
  ConnectedEvent,
  DoneEvent,
  IdentityReport,
  TransferEvent,
} from "../events.ts";
import { formatSocketAddress, hostKey } from "../nat/address.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Path } from "../nat/path.ts";
import { connectionError } from "../operation/connection_error.ts";
import { type OwnCandidates, tellCandidates } from "../operation/own_candidates.ts";
import type { ClientReport } from "../options.ts";
import type { Connection } from "../protocol/connection.ts";
import type { ConnectionEnd } from "../protocol/connection_options.ts";
import type { ReplyCode } from "../rendezvous/reply_code.ts";
import type { RememberOptions, RememberResult } from "../session/session_identity.ts";
import type { TakingRun } from "../session/taking_run.ts";
import type { Instant } from "../time.ts";
import type { ExchangeEnd } from "../transfer/exchange.ts";
import type { PathRepair } from "../traversal/path_repair.ts";
import { Admission } from "./admission.ts";
import { ClientHalves, type ClientHalvesParts } from "./client_halves.ts";
import { ClientPath } from "./client_path.ts";
import { GuardedHandler } from "./guarded_handler.ts";
import { howEnded, type SessionEnd } from "./half_ends.ts";
import type { ShareDoor } from "./share_door.ts";

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
export interface ShareSessionParts extends ClientHalvesParts {
  /** What it gets in through. */
  readonly door: ShareDoor;
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
   * Called once, with the session's last event; nothing is told of one that was superseded.
   *
   * @param dones Those of its halves that ended well; told already, or the last.
   */
  readonly onEnd: (how: SessionEnd, last: TransferEvent, dones: readonly DoneEvent[]) => void;
}

/** A client of a share. */
export class ShareSession {
  readonly #parts: ShareSessionParts;
  readonly #address: string;
  readonly #host: string;
  readonly #admission: Admission;
  readonly #path: ClientPath;
  readonly #halves: ClientHalves;
  /** Whether it was let in: from then on it sees the share, and where else this machine can be found. */
  #isAdmitted = false;
  #hasEnded = false;
  readonly #connectedAt: Instant;
  #isSuperseded = false;

  /** @param parts What it works with. */
  constructor(parts: ShareSessionParts) {
    const { accepted: { connection }, number, clock, repair, methodOf, earlier } = parts;
    this.#parts = parts;
    this.#address = formatSocketAddress(connection.path.remote);
    this.#host = hostKey(connection.path.remote);
    this.#connectedAt = clock.now();
    const tell = (event: TransferEvent) => this.#tell(event);
    this.#path = new ClientPath({ number, clock, connection, repair, methodOf, tell });
    this.#admission = this.#wayIn();
    this.#halves = new ClientHalves(parts, {
      takingRun: earlier?.taking,
      report: () => this.report,
      admit: (words) => this.#decide(words),
      pendingReason: () => this.#admission.mustShowReply ? "reply" : "admission",
      onLetIn: () => this.#handleLetIn(),
      tell,
    });
  }

  #wayIn(): Admission {
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
    const { exchange } = this.#halves;
    this.#tell({
      event: "connected",
      session: number,
      address: this.#address,
      route: this.#path.route,
      rttMs: connection.statistics.rttMs,
      acceleration: this.#parts.accelerationOf(connection.path),
      ...(earlier === undefined ? {} : { resumes: earlier.number }),
    });
    this.#path.tellFirst();
    void exchange.finished.then((end) => {
      this.#parts.identity.handleEnd(end);
      this.#handleEnd(end);
    });
    // First: what came with the handshake is heard only once its greeting was.
    exchange.start();
    connection.setHandler(new GuardedHandler(exchange, (error) => this.crash(error)));
  }

  /** What it is at this moment. */
  get report(): ClientReport {
    const { number, clock, identity } = this.#parts;
    return {
      session: number,
      address: this.#address,
      route: this.#path.route,
      ...(identity.report === undefined ? {} : { identity: identity.report }),
      state: this.#state,
      ...this.#halves.progress,
      connectedMs: clock.now() - this.#connectedAt,
    };
  }

  get #state(): ClientReport["state"] {
    if (this.#path.isSilent) return "silent";
    if (this.#isAdmitted) return this.#halves.areMoving ? "moving" : "admitted";
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
    this.#halves.exchange.abort(new TransferError("share_closed", "The client came again"));
    return earlier;
  }

  /** What the session that goes on with this one has to know of what was taken [AGAIN-4]. */
  get takingRun(): TakingRun {
    return this.#halves.takingRun;
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
  handlePath(found: { readonly path: Path; readonly rttMs: number }): void {
    this.#path.handleFound();
    if (this.#admission.keepPlace()) return this.#path.tell(found);
    const message = "Another client has its place: nothing was heard of this one for a while";
    this.#halves.exchange.abort(new TransferError("share_closed", message));
  }

  /** Nothing comes any more; the connection looks for another way. */
  handlePathLost(silentMs: number): void {
    this.#path.handleLost(silentMs);
    // Who has confirmed what it has has used up its read, whether it is heard again or not.
    const { isConfirmed } = this.#halves.exchange.forth;
    if (this.#isAdmitted && !isConfirmed) this.#admission.offerPlace();
  }

  /** What is known of the ways to this machine has changed. */
  handleNetwork(): void {
    if (!this.#isAdmitted) return;
    const { accepted: { connection }, clock, candidates } = this.#parts;
    tellCandidates(connection, clock.now(), candidates());
  }

  /** The connection is over. */
  handleClosed(end: ConnectionEnd): void {
    this.#path.handleClosed();
    this.#halves.exchange.handleClosed(connectionError(end));
  }

  /** Ends the session because of whatever was thrown. */
  crash(error: unknown): void {
    this.#halves.exchange.crash(error);
  }

  /** Ends the session; resolves when its files are closed. */
  async abort(error: TransferError): Promise<void> {
    const { exchange } = this.#halves;
    exchange.forth.settle(); // its last word may be on its way still
    exchange.abort(error);
    await exchange.finished;
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
    this.#path.handleLetIn();
    this.handleNetwork();
  }

  #handleEnd(end: ExchangeEnd): void {
    const how = this.#howEnded(end);
    if (how !== "superseded") {
      this.#admission.end(how === "served");
      this.#stopTelling();
    }
    const last = this.#halves.handleEnd(end, how === "lost");
    this.#parts.onEnd(how, last, this.#halves.dones);
  }

  #stopTelling(): void {
    this.#hasEnded = true;
    this.#halves.stop();
    this.#path.end();
  }

  /** Whether it was let in, here or in a session before, in which it was lost. */
  get #wasLetIn(): boolean {
    return this.#isAdmitted || this.#parts.earlier !== undefined;
  }

  #howEnded(end: ExchangeEnd): SessionEnd {
    if (this.#isSuperseded) return "superseded";
    return howEnded(end, {
      wasLetIn: this.#wasLetIn,
      givesNothing: this.#halves.givesNothing,
      isByPeer: this.connection.closed?.byPeer === true,
    });
  }

  #tell(event: TransferEvent): void {
    this.#parts.emit(event);
  }
}
