/** One client of a share: its admission, its transfer, and what is told of it. */
import { constantTimeEqual } from "./bytes/equal.ts";
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { TransferError } from "./errors.ts";
import type { ConnectedEvent, PathRoute, TransferEvent } from "./events.ts";
import { LimitWatch } from "./limit_watch.ts";
import { formatSocketAddress } from "./nat/address.ts";
import type { PathMethod } from "./nat/path_method.ts";
import { isSamePath, type Path } from "./nat/path.ts";
import { doneEvent, errorEvent } from "./operation.ts";
import type { ShareOptions } from "./options.ts";
import { type OwnCandidates, tellCandidates } from "./own_candidates.ts";
import { PathTeller } from "./path_teller.ts";
import { pathEvent, routeTo } from "./path_report.ts";
import type { Places } from "./places.ts";
import { ProgressTicker } from "./progress_ticker.ts";
import type { ConnectionEnd } from "./protocol/connection_options.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import type { ReplyCode } from "./rendezvous/reply_code.ts";
import type { Instant } from "./time.ts";
import type { PreparedSource } from "./share_source.ts";
import { Sender } from "./transfer/sending/sender.ts";
import type { PathRepair } from "./traversal/path_repair.ts";
import type { TransferNotice, TransferSummary } from "./transfer/transfer_notice.ts";
import type { Clock } from "./transport/clock.ts";
import { systemRandom } from "./transport/random.ts";

/** What to do when a client was lost that had been let in. */
const COMES_AGAIN_HINT = "It comes again by itself when it can, and goes on: keep this running";

/** How a session ended; see {@linkcode ShareSessionParts.onEnd}. */
export type SessionEnd = "served" | "lost" | "superseded" | "interrupted" | "failed";

/** The session of a client that was let in before, and comes again. */
export interface EarlierSession {
  /** Its number. */
  readonly number: number;
  /** Whether it was there still, and its place is passed on. */
  readonly hasPlace: boolean;
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
  readonly provider: CryptoProvider;
  /** The share's places. */
  readonly places: Places;
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
   */
  readonly onEnd: (how: SessionEnd, last: TransferEvent) => void;
}

/** A client of a share. */
export class ShareSession {
  readonly #parts: ShareSessionParts;
  readonly #address: string;
  readonly #sender: Sender;
  #startedAt: Instant;
  #ticker: ProgressTicker | undefined;
  /** Whether it was let in: from then on it sees the share, and where else this machine can be found. */
  #isAdmitted = false;
  readonly #pathTeller: PathTeller;
  /** Where it came from; what followed before it was let in is told then. */
  readonly #firstPath: Path;
  /** Whether it holds one of the share's places. */
  #hasPlace = false;
  /** While nothing is heard of the client: takes back the offer of its place. */
  #keepPlace = (): void => {};
  #hasEnded = false;
  #isSuperseded = false;
  /** Resolves when its reply code was pasted. */
  readonly #invited = Promise.withResolvers<void>();
  #isInvited: boolean;

  constructor(parts: ShareSessionParts) {
    const { accepted, options, source: { manifest, storage }, provider } = parts;
    this.#parts = parts;
    this.#address = formatSocketAddress(accepted.connection.path.remote);
    this.#startedAt = parts.clock.now();
    const verification = options.verify
      ? {
        handshakeHash: accepted.handshakeHash,
        random: options.random ?? systemRandom,
      }
      : undefined;
    this.#isInvited = parts.isInvited;
    this.#firstPath = accepted.connection.path;
    this.#pathTeller = new PathTeller(parts.clock, (event) => this.#tell(event));
    const { earlier } = parts;
    const isUnknown = !parts.isInvited && (options.private || options.admit !== undefined);
    // With nobody to ask and a place free the client has nothing to wait for, and is not told to.
    const isAsked = isUnknown || verification !== undefined;
    if (earlier?.hasPlace) this.#hasPlace = true;
    else if (!isAsked || earlier !== undefined) this.#hasPlace = parts.places.tryTake();
    this.#sender = new Sender({
      channel: accepted.connection,
      storage,
      crypto: provider,
      manifest,
      clientHello: accepted.request,
      ...(verification ? { verification } : {}),
      ...(this.#hasPlace ? {} : { admit: (words) => this.#admit(words) }),
      ...(this.#mustShowReply ? { pendingReason: "reply" } : {}),
      onAsked: () => this.#handleAsked(),
      onEvent: (notice) => this.#handleNotice(notice),
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
    this.#sender.finished.then(
      (summary) => this.#handleDone(summary),
      (error) => this.#handleFailure(asTransferError(error)),
    );
    connection.setHandler(this.#sender);
    this.#sender.start();
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
    return this.#isAdmitted && !this.#hasEnded &&
      constantTimeEqual(this.#parts.accepted.remoteKey, key);
  }

  /**
   * The client came again, so here nothing will be heard of it any more: ends the session without a
   * word.
   *
   * @returns What the new session goes on with.
   */
  supersede(): EarlierSession {
    const earlier = { number: this.number, hasPlace: this.#hasPlace };
    this.#isSuperseded = true;
    this.#hasEnded = true;
    this.#keepPlace();
    this.#hasPlace = false;
    this.#ticker?.stop();
    this.#pathTeller.end();
    // For a client that is there after all; nobody is told of the error here.
    this.#sender.abort(new TransferError("share_closed", "The client came again"));
    return earlier;
  }

  /** Whether a reply code is that of this client. */
  isOf(reply: ReplyCode): boolean {
    return this.#parts.isOfClient(reply);
  }

  /** The client's reply code was pasted: it is let in, and may be found where the code says. */
  invite(reply: ReplyCode): void {
    this.#isInvited = true;
    this.#invited.resolve();
    const { accepted: { connection }, clock } = this.#parts;
    for (const { address } of reply.candidates) connection.addRemoteCandidate(clock.now(), address);
  }

  /** The session goes another way from now on. */
  handlePath({ path, rttMs }: { readonly path: Path; readonly rttMs: number }): void {
    const { number, methodOf, repair } = this.#parts;
    this.#keepPlace();
    repair.handleFound();
    // A client that is not let in has nothing to say but that it is there.
    if (!this.#isAdmitted) return;
    const method = routeTo(path.remote) === "internet" ? methodOf(path) : "direct";
    this.#pathTeller.push(pathEvent(number, path, { method, rttMs }));
  }

  /** Nothing comes any more; the connection looks for another way. */
  handlePathLost(silentMs: number): void {
    if (!this.#isAdmitted) return;
    this.#parts.repair.handleLost();
    this.#tell({ event: "path-lost", session: this.#parts.number, silentMs });
    if (!this.#hasPlace) return;
    this.#keepPlace();
    this.#keepPlace = this.#parts.places.offer(() => this.#hasPlace = false);
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
    this.#invited.resolve(); // whoever waits for it finds the end
    this.#sender.handleClosed(connectionError(end));
  }

  /** Ends the session; resolves when its files are closed. */
  async abort(error: TransferError): Promise<void> {
    this.#sender.abort(error);
    await this.#sender.finished.catch(() => {}); // told by handleFailure
  }

  /** Nobody is asked about a client that must show its reply code first. */
  get #mustShowReply(): boolean {
    const { options, earlier } = this.#parts;
    return options.private === true && !this.#isInvited && earlier === undefined;
  }

  async #admit(words: readonly string[] | undefined): Promise<boolean> {
    const { options, number, places, earlier } = this.#parts;
    if (this.#mustShowReply) await this.#invited.promise;
    if (this.#mustShowReply) return false; // it left without
    // Somebody else may be taking the last place: if that fails, this client is next. Nobody is asked
    // about a client before there is a place for it.
    if (!places.hasFree) {
      const message = `${this.#address} waits: another client is being served`;
      this.#tell({ event: "warning", session: number, code: "waits_for_place", message });
    }
    if (!await places.take()) return false; // the share is over
    if (this.#hasEnded) {
      places.giveBack();
      return false;
    }
    this.#hasPlace = true; // given back when the session fails, as it does when refused
    if (earlier !== undefined) return true; // asked about then, by this key
    if (words) this.#tell({ event: "words", session: number, words });
    const request = { session: number, address: this.#address, ...(words ? { words } : {}) };
    // An invited client is asked about for its words only.
    const isAsked = !this.#isInvited || words !== undefined;
    const isAdmitted = !isAsked || (await options.admit?.(request) ?? true);
    if (this.#hasEnded) return false;
    this.#tell({
      event: "admission",
      session: number,
      address: this.#address,
      admitted: isAdmitted,
    });
    return isAdmitted;
  }

  #handleNotice(notice: TransferNotice): void {
    const { number, clock } = this.#parts;
    this.#tell({ ...notice, session: number });
    if (notice.event === "offer") {
      this.#startedAt = clock.now();
      this.#isAdmitted = true;
      const { path, statistics: { rttMs } } = this.#parts.accepted.connection;
      if (!isSamePath(path, this.#firstPath)) this.handlePath({ path, rttMs });
      this.handleNetwork();
    }
  }

  /** From here on it takes as long as the network does; until here, as long as people do. */
  #handleAsked(): void {
    const { number, clock } = this.#parts;
    this.#startedAt = clock.now();
    const limits = new LimitWatch({
      clock,
      connection: this.#parts.accepted.connection,
      isAsked: () => this.#sender.isAsked,
    });
    this.#ticker = new ProgressTicker(
      clock,
      () => this.#sender.progress,
      (progress) =>
        this.#tell({ ...progress, ...limits.poll(), session: number, route: this.#route }),
    );
  }

  #handleDone(summary: TransferSummary): void {
    const { number, clock, onEnd } = this.#parts;
    this.#hasEnded = true;
    this.#keepPlace();
    this.#ticker?.stop();
    this.#pathTeller.end();
    onEnd("served", doneEvent(number, summary, clock.now() - this.#startedAt));
  }

  #handleFailure(error: TransferError): void {
    const { number, onEnd, places } = this.#parts;
    const how = this.#howFailed(error);
    if (how !== "superseded") {
      this.#hasEnded = true;
      this.#keepPlace();
      if (this.#hasPlace) places.giveBack();
      this.#ticker?.stop();
      this.#pathTeller.end();
    }
    const told = how === "lost"
      ? new TransferError(error.code, error.message, { hint: COMES_AGAIN_HINT })
      : error;
    onEnd(how, errorEvent(told, { session: number, fatal: false }));
  }

  #howFailed({ code }: TransferError): SessionEnd {
    if (this.#isSuperseded) return "superseded";
    if (!this.#isAdmitted) return "failed";
    const isByPeer = this.#parts.accepted.connection.closed?.byPeer === true;
    if (code === "interrupted" && isByPeer) return "interrupted";
    return code === "path_lost" ? "lost" : "failed";
  }

  /** Where the session's path leads now. */
  get #route(): PathRoute {
    return routeTo(this.#parts.accepted.connection.path.remote);
  }

  #tell(event: TransferEvent): void {
    this.#parts.emit(event);
  }
}
