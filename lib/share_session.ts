/** One client of a share: its admission, its transfer, and what is told of it. */
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { TransferError } from "./errors.ts";
import type { TransferEvent } from "./events.ts";
import { formatSocketAddress } from "./nat/address.ts";
import { errorEvent } from "./operation.ts";
import type { ShareOptions } from "./options.ts";
import type { Places } from "./places.ts";
import { ProgressTicker } from "./progress_ticker.ts";
import type { ConnectionEnd } from "./protocol/connection.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import type { Instant } from "./protocol/time.ts";
import type { Manifest } from "./transfer/manifest.ts";
import { Sender } from "./transfer/sender.ts";
import type { Storage } from "./transfer/storage.ts";
import type { TransferNotice, TransferSummary } from "./transfer/transfer_notice.ts";
import type { Clock } from "./transport/clock.ts";
import { systemRandom } from "./transport/random.ts";

/** The route as people read it. */
export const DIRECT_ROUTE = "direct";

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
  /** Called once. */
  readonly onEnd: (isServed: boolean) => void;
}

/** A client of a share. */
export class ShareSession {
  readonly #parts: ShareSessionParts;
  readonly #address: string;
  readonly #sender: Sender;
  readonly #startedAt: Instant;
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
    if (words) this.#tell({ event: "words", session: number, words });
    const request = { session: number, address: this.#address, ...(words ? { words } : {}) };
    // Somebody else may be taking the last place: if that fails, this client is next.
    const isAdmitted = (await options.admit?.(request) ?? true) && await places.take();
    if (this.#hasEnded) {
      if (isAdmitted) places.giveBack();
      return false;
    }
    this.#hasPlace = isAdmitted;
    this.#tell({
      event: "admission",
      session: number,
      address: this.#address,
      admitted: isAdmitted,
    });
    return isAdmitted;
  }

  #handleNotice(notice: TransferNotice): void {
    const { number, accepted, clock } = this.#parts;
    this.#tell({ ...notice, session: number });
    if (notice.event !== "offer") return;
    this.#ticker = new ProgressTicker(
      clock,
      () => this.#sender.progress,
      (progress) => this.#tell({ ...progress, session: number, route: DIRECT_ROUTE }),
    );
    // A session that ended while its offer was made must not tick on.
    if (accepted.connection.closed) this.#ticker.stop();
  }

  #handleDone(summary: TransferSummary): void {
    const { number, clock, onEnd } = this.#parts;
    this.#hasEnded = true;
    this.#ticker?.stop();
    const elapsedMs = clock.now() - this.#startedAt;
    this.#tell({
      event: "done",
      session: number,
      ...summary,
      elapsedMs: Math.round(elapsedMs),
      rateBytesPerSecond: Math.round(summary.bytes / Math.max(elapsedMs, 1) * 1000),
    });
    onEnd(true);
  }

  #handleFailure(error: TransferError): void {
    const { number, onEnd, places } = this.#parts;
    this.#hasEnded = true;
    if (this.#hasPlace) places.giveBack();
    this.#ticker?.stop();
    this.#tell(errorEvent(error, { session: number, fatal: false }));
    onEnd(false);
  }

  #tell(event: TransferEvent): void {
    this.#parts.emit(event);
  }
}
