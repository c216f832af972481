/** One client of a share: its admission, its transfer, and what is told of it. */
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { TransferError } from "./errors.ts";
import type { TransferEvent } from "./events.ts";
import { formatSocketAddress } from "./nat/address.ts";
import { errorEvent } from "./operation.ts";
import type { ShareOptions } from "./options.ts";
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
  /** Whether the share can serve one more. */
  readonly hasPlace: () => boolean;
  readonly emit: (event: TransferEvent) => void;
  /** Called once. */
  readonly onEnd: (isServed: boolean) => void;
}

/** A client of a share. */
export class ShareSession {
  /** Whether the client was let in and is being served. */
  isAdmitted = false;
  readonly #parts: ShareSessionParts;
  readonly #address: string;
  readonly #sender: Sender;
  readonly #startedAt: Instant;
  #ticker: ProgressTicker | undefined;

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
    // Without a person to ask there is nothing to wait for, and the client is not told to wait.
    const asks = options.admit !== undefined || verification !== undefined;
    this.#sender = new Sender({
      channel: accepted.connection,
      storage,
      crypto: provider,
      manifest,
      clientHello: accepted.request,
      ...(verification ? { verification } : {}),
      ...(asks ? { admit: (words) => this.#admit(words) } : {}),
      onEvent: (notice) => this.#handleNotice(notice),
    });
  }

  /** Begins to talk with the client. */
  start(): void {
    const { accepted, options, number, hasPlace } = this.#parts;
    const { connection } = accepted;
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
    if (!options.admit && !options.verify) {
      if (!hasPlace()) return this.#turnAway();
      this.isAdmitted = true;
    }
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
    const { options, number, hasPlace } = this.#parts;
    if (words) this.#tell({ event: "words", session: number, words });
    const request = { session: number, address: this.#address, ...(words ? { words } : {}) };
    const isWanted = await options.admit?.(request) ?? true;
    if (isWanted && !hasPlace()) {
      this.#turnAway();
      return false;
    }
    this.isAdmitted = isWanted;
    this.#tell({
      event: "admission",
      session: number,
      address: this.#address,
      admitted: isWanted,
    });
    return isWanted;
  }

  #turnAway(): void {
    const why = "somebody else is taking this share";
    this.#sender.abort(new TransferError("share_closed", `Turned away ${this.#address}: ${why}`));
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
    const { number, onEnd } = this.#parts;
    this.#ticker?.stop();
    this.#tell(errorEvent(error, { session: number, fatal: false }));
    onEnd(false);
  }

  #tell(event: TransferEvent): void {
    this.#parts.emit(event);
  }
}
