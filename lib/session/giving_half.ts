/**
 * The half of a session in which this side gives, as its owner is told of it: on a share what a client
 * takes, on a client what it gives back.
 */
import type { DoneEvent, TransferEvent } from "../events.ts";
import { doneEvent } from "../operation/operation.ts";
import type { ProgressTicker } from "../operation/progress_ticker.ts";
import type { Connection } from "../protocol/connection.ts";
import type { Instant } from "../time.ts";
import type { GivingOptions, Sender } from "../transfer/sending/sender.ts";
import type { TransferNotice, TransferSummary } from "../transfer/transfer_notice.ts";
import type { Clock } from "../transport/clock.ts";
import { startProgress } from "./half_progress.ts";

/** What a {@linkcode GivingHalf} works with. */
export interface GivingHalfParts {
  /** Number of the session. */
  readonly session: number;
  /** Whether a client gives and a share takes. */
  readonly isBack: boolean;
  readonly clock: Clock;
  readonly connection: Connection;
  /** The transfer; asked for once it is there. */
  readonly sender: () => Sender;
  /** The other side was told what there is. */
  readonly onOffer: () => void;
  readonly emit: (event: TransferEvent) => void;
}

/** What is given in one session. */
export class GivingHalf {
  readonly #parts: GivingHalfParts;
  readonly #where: { readonly session: number; readonly back?: true };
  #ticker: ProgressTicker | undefined;
  #startedAt: Instant;

  constructor(parts: GivingHalfParts) {
    const { session, isBack, clock } = parts;
    this.#parts = parts;
    this.#where = { session, ...(isBack ? { back: true } : {}) };
    this.#startedAt = clock.now();
  }

  /** What the transfer tells. */
  get options(): Required<Pick<GivingOptions, "onAsked" | "onEvent">> {
    return {
      onAsked: () => this.#handleAsked(),
      onEvent: (notice) => this.#handleNotice(notice),
    };
  }

  /** Whether anything was asked for. */
  get wasAsked(): boolean {
    return this.#ticker !== undefined;
  }

  /** Bytes per second that it moves at. */
  get rateBytesPerSecond(): number {
    return this.#ticker?.rateBytesPerSecond ?? 0;
  }

  /** It is over: tells how far it came. */
  stop(): void {
    this.#ticker?.stop();
  }

  /** The event of its end. */
  doneEvent(summary: TransferSummary): DoneEvent {
    return doneEvent(this.#where, summary, this.#parts.clock.now() - this.#startedAt);
  }

  #handleNotice(notice: TransferNotice): void {
    const { emit, clock, onOffer } = this.#parts;
    emit({ ...notice, ...this.#where });
    if (notice.event !== "offer") return;
    this.#startedAt = clock.now();
    onOffer();
  }

  /** From here on it takes as long as the network does; until here, as long as people do. */
  #handleAsked(): void {
    const { clock, connection, emit, sender } = this.#parts;
    this.#startedAt = clock.now();
    this.#ticker = startProgress({
      clock,
      connection,
      where: this.#where,
      poll: () => sender().progress,
      isAsked: () => sender().isAsked,
      emit,
    });
  }
}
