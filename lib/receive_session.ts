/** One connection of a receive to its sharer: the transfer over it, and what is told of that. */
import type { Agreement } from "./agreement.ts";
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider, RandomSource } from "./crypto/provider.ts";
import type { TransferError } from "./errors.ts";
import type { ConnectedEvent, OfferEvent, TransferEvent } from "./events.ts";
import { LimitWatch } from "./limit_watch.ts";
import { formatSocketAddress } from "./nat/address.ts";
import type { PathMethod } from "./nat/path_method.ts";
import type { Path } from "./nat/path.ts";
import type { OfferDecision, ReceiveOptions } from "./options.ts";
import { pathEvent, routeTo } from "./path_report.ts";
import type { PathTeller } from "./path_teller.ts";
import { ProgressTicker } from "./progress_ticker.ts";
import type { Connection } from "./protocol/connection.ts";
import type { ConnectionEnd } from "./protocol/connection_options.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import type { RunAccount } from "./run_account.ts";
import { Receiver, type ReceiverOptions } from "./transfer/receiving/receiver.ts";
import type { TransferNotice, TransferSummary } from "./transfer/transfer_notice.ts";
import type { Clock } from "./transport/clock.ts";

/** The sessions of a receive follow one another: to its owner they are one. */
export const SESSION = 1;

/** What a session works with. */
export interface ReceiveSessionParts {
  readonly connected: EndpointEvent & { readonly type: "connected" };
  readonly options: ReceiveOptions;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly provider: CryptoProvider;
  /** Where files go, and what becomes of them. */
  readonly target: Pick<
    ReceiverOptions,
    "storage" | "directory" | "showsTexts" | "findProblem" | "onInPlace"
  >;
  /** The key that this side has shown. */
  readonly clientKey: Uint8Array;
  /** What the person has said. */
  readonly agreement: Agreement;
  /** What the sessions come to together. */
  readonly account: RunAccount;
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
  /** Files are about to move. */
  readonly onBegin: () => void;
  /** The share admits only those whose reply code was pasted there. */
  readonly onReplyWanted: () => void;
  /** Called once; files are closed by then, and what can be used later is on the disk. */
  readonly onEnd: (result: TransferSummary | TransferError) => void;
}

/** A session under way. */
export class ReceiveSession {
  readonly #parts: ReceiveSessionParts;
  readonly #receiver: Receiver;
  #ticker: ProgressTicker | undefined;

  constructor(parts: ReceiveSessionParts) {
    const { connected, options, random, provider, target } = parts;
    this.#parts = parts;
    this.#receiver = new Receiver({
      ...target,
      channel: connected.connection,
      crypto: provider,
      symlinks: options.symlinks,
      decide: (offer) => this.#decide({ ...offer, session: SESSION }),
      ...(options.verify
        ? {
          verification: {
            handshakeHash: connected.handshakeHash,
            random,
            confirmWords: (words: readonly string[]) => this.#confirmWords(words),
          },
        }
        : {}),
      onBegin: () => this.#handleBegin(),
      onEvent: (notice) => this.#handleNotice(notice),
    });
  }

  /** Begins to talk with the sharer. */
  start(): void {
    const { emit, acceleration, isResuming, onEnd } = this.#parts;
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
    this.#receiver.finished.then(
      (summary) => {
        this.#stopTelling();
        onEnd(summary);
      },
      (error) => {
        this.#stopTelling();
        onEnd(asTransferError(error));
      },
    );
    this.connection.setHandler(this.#receiver);
    this.#receiver.start();
  }

  /** Its connection. */
  get connection(): Connection {
    return this.#parts.connected.connection;
  }

  /** See {@linkcode Receiver.offerDigest}. */
  get offerDigest(): Uint8Array | undefined {
    return this.#receiver.offerDigest;
  }

  /** The session goes another way from now on. */
  tellPath(path: Path, rttMs: number): void {
    const { pathTeller, methodOf } = this.#parts;
    pathTeller.push(pathEvent(SESSION, path, { method: methodOf(path), rttMs }));
  }

  /** The connection is over. */
  handleClosed(end: ConnectionEnd): void {
    this.#receiver.handleClosed(connectionError(end));
  }

  /** Ends it; resolves when files are closed. */
  async abort(error: TransferError): Promise<void> {
    this.#stopTelling();
    this.#receiver.abort(error);
    await this.#receiver.finished.catch(() => {}); // told by onEnd
  }

  #stopTelling(): void {
    this.#parts.pathTeller.end();
    this.#ticker?.stop();
    this.#ticker = undefined;
  }

  #decide(offer: OfferEvent): Promise<OfferDecision> {
    const { agreement, options: { decide, overwrite, takeDotNames } } = this.#parts;
    const decideByOptions = () =>
      Promise.resolve({
        accept: true,
        overwrite: overwrite ?? "never",
        takeDotNames: takeDotNames ?? false,
      });
    return agreement.decide(offer, decide ?? decideByOptions);
  }

  async #confirmWords(words: readonly string[]): Promise<boolean> {
    const { agreement, clientKey, options, emit } = this.#parts;
    return await agreement.confirmWords(clientKey, async () => {
      emit({ event: "words", session: SESSION, words });
      return await options.confirmWords?.(words) ?? true;
    });
  }

  #handleBegin(): void {
    const { clock, account, emit, onBegin } = this.#parts;
    onBegin();
    const limits = new LimitWatch({ clock, connection: this.connection });
    this.#ticker = new ProgressTicker(
      clock,
      () => account.progressOf(this.#receiver.progress),
      (progress) =>
        emit({
          ...progress,
          ...limits.poll(),
          session: SESSION,
          route: routeTo(this.connection.path.remote),
        }),
    );
  }

  #handleNotice(notice: TransferNotice): void {
    const { agreement, account, emit, onOffer, onReplyWanted } = this.#parts;
    if (notice.event === "waiting" && notice.reason === "reply") onReplyWanted();
    if (notice.event === "offer") {
      const isSame = agreement.recognise(() => this.#receiver.offerDigest!);
      account.restart(isSame);
      onOffer(notice, isSame);
      if (isSame) return;
    }
    if (account.isNews(notice)) emit({ ...notice, session: SESSION });
  }
}
