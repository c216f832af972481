/** One client of a share: its admission, its transfer, and what is told of it. */
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { TransferError } from "./errors.ts";
import type { TransferEvent } from "./events.ts";
import { formatSocketAddress } from "./nat/address.ts";
import { DIRECT_ROUTE, doneEvent, errorEvent } from "./operation.ts";
import type { ShareOptions } from "./options.ts";
import type { Places } from "./places.ts";
import { ProgressTicker } from "./progress_ticker.ts";
import type { ConnectionEnd } from "./protocol/connection.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import type { Instant } from "./time.ts";
import type { Manifest } from "./transfer/manifest.ts";
import { Sender } from "./transfer/sender.ts";
import type { Storage } from "./transfer/storage.ts";
import type { TransferNotice, TransferSummary } from "./transfer/transfer_notice.ts";
import type { Clock } from "./transport/clock.ts";
import { systemRandom } from "./transport/random.ts";

/** What a session works with. */
export interface ShareSessionParts {
  /** Counts from 1. */
  readonly number: number;
  readonly accepted: EndpointEvent & { readonly type: "accepted" };
  readonly options: ShareOptions;
  readonly clock: Clock;
  readonly manifest: Manifest;
  readonly storage: Storage;
  readonly provider: CryptoProvider;
  /** The share's places. */
  readonly places: Places;
  readonly emit: (event: TransferEvent) => void;
  /**
   * Called once, with the session's last event. *Interrupted*: a client that was let in ended the
   * transfer on purpose.
   */
  readonly onEnd: (how: "served" | "failed" | "interrupted", last: TransferEvent) => void;
}

/** A client of a share. */
export class ShareSession {
  readonly #parts: ShareSessionParts;
  readonly #address: string;
  readonly #sender: Sender;
  #startedAt: Instant;
  #ticker: ProgressTicker | undefined;
  /** Whether it holds one of the share's places. */
  #hasPlace = false;
  #hasEnded = false;

  constructor(parts: ShareSessionParts) {
    const { accepted, options, manifest, storage, provider } = parts;
    this.#parts = parts;
    this.#address = formatSocketAddress(accepted.connection.path.remote);
    this.#startedAt = parts.clock.now();
    const verification = options.verify
      ? {
        handshakeHash: accepted.handshakeHash,
        random: options.random ?? systemRandom,
      }
      : undefined;
    // With nobody to ask and a place free the client has nothing to wait for, and is not told to.
    const isAsked = options.admit !== undefined || verification !== undefined;
    if (!isAsked) this.#hasPlace = parts.places.tryTake();
    this.#sender = new Sender({
      channel: accepted.connection,
      storage,
      crypto: provider,
      manifest,
      clientHello: accepted.request,
      ...(verification ? { verification } : {}),
      ...(this.#hasPlace ? {} : { admit: (words) => this.#admit(words) }),
      onAsked: () => this.#handleAsked(),
      onEvent: (notice) => this.#handleNotice(notice),
    });
  }

  /** Begins to talk with the client. */
  start(): void {
    const { number, accepted: { connection } } = this.#parts;
    this.#tell({
      event: "connected",
      session: number,
      address: this.#address,
      route: DIRECT_ROUTE,
      rttMs: connection.statistics.rttMs,
    });
    this.#sender.finished.then(
      (summary) => this.#handleDone(summary),
      (error) => this.#handleFailure(asTransferError(error)),
    );
    connection.setHandler(this.#sender);
    this.#sender.start();
  }

  /** The connection is over. */
  handleClosed(end: ConnectionEnd): void {
    this.#sender.handleClosed(connectionError(end));
  }

  /** Ends the session; resolves when its files are closed. */
  async abort(error: TransferError): Promise<void> {
    this.#sender.abort(error);
    await this.#sender.finished.catch(() => {}); // told by handleFailure
  }

  async #admit(words: readonly string[] | undefined): Promise<boolean> {
    const { options, number, places } = this.#parts;
    // Somebody else may be taking the last place: if that fails, this client is next. Nobody is asked
    // about a client before there is a place for it.
    const isPlaceTaken = await places.take();
    if (this.#hasEnded) {
      if (isPlaceTaken) places.giveBack();
      return false;
    }
    this.#hasPlace = isPlaceTaken; // given back when the session fails, as it does when refused
    if (words) this.#tell({ event: "words", session: number, words });
    const request = { session: number, address: this.#address, ...(words ? { words } : {}) };
    const isAdmitted = isPlaceTaken && (await options.admit?.(request) ?? true);
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
    if (notice.event === "offer") this.#startedAt = clock.now();
  }

  /** From here on it takes as long as the network does; until here, as long as people do. */
  #handleAsked(): void {
    const { number, clock } = this.#parts;
    this.#startedAt = clock.now();
    this.#ticker = new ProgressTicker(
      clock,
      () => this.#sender.progress,
      (progress) => this.#tell({ ...progress, session: number, route: DIRECT_ROUTE }),
    );
  }

  #handleDone(summary: TransferSummary): void {
    const { number, clock, onEnd } = this.#parts;
    this.#hasEnded = true;
    this.#ticker?.stop();
    onEnd("served", doneEvent(number, summary, clock.now() - this.#startedAt));
  }

  #handleFailure(error: TransferError): void {
    const { number, accepted, onEnd, places } = this.#parts;
    const isOnPurpose = error.code === "interrupted" && this.#hasPlace &&
      accepted.connection.closed?.byPeer === true;
    this.#hasEnded = true;
    if (this.#hasPlace) places.giveBack();
    this.#ticker?.stop();
    const last = errorEvent(error, { session: number, fatal: false });
    onEnd(isOnPurpose ? "interrupted" : "failed", last);
  }

  #tell(event: TransferEvent): void {
    this.#parts.emit(event);
  }
}
