/** One connection of a receive to its sharer: what goes over it both ways, and what is told of that. */
import { connectionError } from "../operation/connection_error.ts";
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import type { TransferError } from "../errors.ts";
import type { ConnectedEvent, DoneEvent, OfferEvent, TransferEvent } from "../events.ts";
import { GivingHalf } from "../session/giving_half.ts";
import { formatSocketAddress } from "../nat/address.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Path } from "../nat/path.ts";
import type { ReceiveOptions } from "../options.ts";
import { pathEvent, routeTo } from "../operation/path_report.ts";
import type { PathTeller } from "../operation/path_teller.ts";
import type { Connection } from "../protocol/connection.ts";
import type { ConnectionEnd } from "../protocol/connection_options.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import type { SessionIdentity } from "../session/session_identity.ts";
import type { PreparedSource } from "../session/share_source.ts";
import { decisionByOptions, TakingHalf } from "../session/taking_half.ts";
import type { TakingRun } from "../session/taking_run.ts";
import { ClientExchange, type ClientExchangeOptions } from "../transfer/client_exchange.ts";
import type { ExchangeEnd, HalfEnd } from "../transfer/exchange.ts";
import type { GivingOptions } from "../transfer/sending/sender.ts";
import type { Clock } from "../transport/clock.ts";

/** The sessions of a receive follow one another: to its owner they are one. */
export const SESSION = 1;

/** What a session works with. */
export interface ReceiveSessionParts {
  readonly connected: EndpointEvent & { readonly type: "connected" };
  /** Who is who in it. */
  readonly identity: SessionIdentity;
  readonly options: ReceiveOptions;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly provider: CryptoProvider;
  /** Where files go, and what becomes of them. */
  readonly target: Pick<
    ClientExchangeOptions,
    "storage" | "directory" | "showsTexts" | "findProblem" | "onInPlace"
  >;
  /** What is offered to the sharer; undefined when there is nothing, or not yet. */
  readonly source: () => PreparedSource | undefined;
  /** What the receipt waits for: something that is to be offered, and is being looked at still. */
  readonly beforeReceipt: () => Promise<void> | undefined;
  /** The key that this side has shown. */
  readonly clientKey: Uint8Array;
  /** What the sessions come to together. */
  readonly run: TakingRun;
  /** Whether it goes on with a session that was lost. */
  readonly isResuming: boolean;
  /** How a path came about. */
  readonly methodOf: (path: Path) => PathMethod;
  /** Which way datagrams go through a path's socket. */
  readonly acceleration: ConnectedEvent["acceleration"];
  readonly pathTeller: PathTeller;
  readonly emit: (event: TransferEvent) => void;
  /** An offer came; told before anything of it is, and whether it is that of the session before. */
  readonly onOffer: (offer: Omit<OfferEvent, "session">, isSame: boolean) => void;
  /** Something was offered to the sharer, which has let this side in. */
  readonly onOffered: () => void;
  /** The share admits only those whose reply code was pasted there. */
  readonly onReplyWanted: () => void;
  /** Called once for each half that ended; its files are closed by then. */
  readonly onHalfEnd: (half: "forth" | "back", end: HalfEnd) => void;
  /** Called once; files are closed by then, and what can be used later is on the disk. */
  readonly onEnd: (end: ExchangeEnd) => void;
}

/** A session under way. */
export class ReceiveSession {
  readonly #parts: ReceiveSessionParts;
  readonly #exchange: ClientExchange;
  readonly #taking: TakingHalf;
  readonly #giving: GivingHalf;

  constructor(parts: ReceiveSessionParts) {
    const { connected, identity, options, random, provider, target, clock, run, emit } = parts;
    const { connection } = connected;
    this.#parts = parts;
    this.#taking = new TakingHalf({
      run,
      session: SESSION,
      isBack: false,
      clock,
      connection,
      receiver: () => this.#exchange.forth,
      decide: options.decide ?? (() => Promise.resolve(decisionByOptions(options))),
      onOffer: parts.onOffer,
      emit: (event) => this.#tell(event),
    });
    this.#giving = new GivingHalf({
      session: SESSION,
      isBack: true,
      clock,
      connection,
      sender: () => this.#exchange.back!,
      onOffer: parts.onOffered,
      emit,
    });
    this.#exchange = new ClientExchange({
      ...target,
      ...this.#taking.options,
      channel: connection,
      crypto: provider,
      identity: identity.exchange,
      symlinks: options.symlinks,
      declines: options.declines,
      give: () => this.#gift,
      beforeReceipt: parts.beforeReceipt,
      onHalfEnd: (half, end) => this.#handleHalfEnd(half, end),
      ...(options.verify
        ? {
          verification: {
            handshakeHash: connected.handshakeHash,
            random,
            confirmWords: (words: readonly string[]) => this.#confirmWords(words),
          },
        }
        : {}),
    });
  }

  /** Begins to talk with the sharer. */
  start(): void {
    const { emit, acceleration, isResuming, identity, onEnd } = this.#parts;
    const { path, statistics: { rttMs } } = this.connection;
    emit({
      event: "connected",
      session: SESSION,
      address: formatSocketAddress(path.remote),
      route: routeTo(path.remote),
      rttMs,
      acceleration,
      ...(isResuming ? { resumes: SESSION } : {}),
    });
    this.tellPath(path, rttMs);
    void this.#exchange.finished.then((end) => {
      identity.handleEnd(end);
      this.#stopTelling();
      onEnd(end);
    });
    this.#exchange.start();
    this.connection.setHandler(this.#exchange);
  }

  /** Its connection. */
  get connection(): Connection {
    return this.#parts.connected.connection;
  }

  /** See {@linkcode Receiver.offerDigest}. */
  get offerDigest(): Uint8Array | undefined {
    return this.#exchange.forth.offerDigest;
  }

  /** Whether one half goes on, or both do. */
  get goesOn(): boolean {
    return this.#exchange.goesOn;
  }

  /** Whether something was offered to the sharer. */
  get hasOffered(): boolean {
    return this.#exchange.back !== undefined;
  }

  /**
   * There is something to offer now.
   *
   * @returns Whether it was offered, or will be when the sharer lets this side in; else it is too late.
   */
  offer(): boolean {
    if (!this.#exchange.forth.wasOffered) return true;
    if (!this.#exchange.mayOffer) return false;
    this.#exchange.offer(this.#gift!);
    return true;
  }

  /** The event of the end of a half; undefined when that was told already, of an earlier session. */
  doneEvent(half: "forth" | "back", end: Exclude<HalfEnd, TransferError>): DoneEvent | undefined {
    return half === "forth" ? this.#taking.doneEvent(end) : this.#giving.doneEvent(end);
  }

  /** The session goes another way from now on. */
  tellPath(path: Path, rttMs: number): void {
    const { pathTeller, methodOf } = this.#parts;
    pathTeller.push(pathEvent(SESSION, path, { method: methodOf(path), rttMs }));
  }

  /** The connection is over. */
  handleClosed(end: ConnectionEnd): void {
    this.#exchange.handleClosed(connectionError(end));
  }

  /** Ends it; resolves when files are closed. */
  async abort(error: TransferError): Promise<void> {
    this.#stopTelling();
    this.#exchange.abort(error);
    await this.#exchange.finished;
  }

  get #gift(): GivingOptions | undefined {
    const source = this.#parts.source();
    return source && { ...source, ...this.#giving.options };
  }

  #stopTelling(): void {
    this.#parts.pathTeller.end();
    this.#taking.stop();
    this.#giving.stop();
  }

  #handleHalfEnd(half: "forth" | "back", end: HalfEnd): void {
    if (half === "forth") this.#taking.stop();
    else this.#giving.stop();
    this.#parts.onHalfEnd(half, end);
  }

  async #confirmWords(words: readonly string[]): Promise<boolean> {
    const { run: { agreement }, clientKey, options, emit } = this.#parts;
    return await agreement.confirmWords(clientKey, async () => {
      emit({ event: "words", session: SESSION, words });
      return await options.confirmWords?.(words) ?? true;
    });
  }

  #tell(event: TransferEvent): void {
    const { emit, onReplyWanted } = this.#parts;
    if (event.event === "waiting" && event.reason === "reply") onReplyWanted();
    emit(event);
  }
}
