/**
 * The half of a session in which this side takes, as its owner is told of it: on a client what the
 * share gives, on a share what a client gives back.
 */
import type { DoneEvent, OfferEvent, TransferEvent } from "../events.ts";
import { doneEvent } from "../operation/operation.ts";
import type { OfferDecision, OverwriteChooser, OverwritePolicy } from "../options.ts";
import type { ProgressTicker } from "../operation/progress_ticker.ts";
import type { Connection } from "../protocol/connection.ts";
import { startProgress } from "./half_progress.ts";
import type { TakingRun } from "./taking_run.ts";
import type { Receiver, TakingOptions } from "../transfer/receiving/receiver.ts";
import type { TransferNotice, TransferSummary } from "../transfer/transfer_notice.ts";
import type { Clock } from "../transport/clock.ts";

/** What a {@linkcode TakingHalf} works with. */
export interface TakingHalfParts {
  /** What the sessions before have come to. */
  readonly run: TakingRun;
  /** Number of the session. */
  readonly session: number;
  /** Whether a client gives and a share takes. */
  readonly isBack: boolean;
  readonly clock: Clock;
  readonly connection: Connection;
  /** The transfer; asked for once it is there. */
  readonly receiver: () => Receiver;
  /** Decides about an offer that was not decided about in this run. */
  readonly decide: (offer: OfferEvent) => Promise<OfferDecision>;
  /** An offer came; told before anything of it is, and whether it is that of the session before. */
  readonly onOffer?: (offer: Omit<OfferEvent, "session">, isSame: boolean) => void;
  readonly emit: (event: TransferEvent) => void;
}

/** How an offer is decided about when nobody is asked. */
export function decisionByOptions(options: {
  readonly overwrite?: OverwritePolicy | OverwriteChooser;
  readonly takeDotNames?: boolean;
}): OfferDecision {
  const { overwrite = "never", takeDotNames = false } = options;
  return { accept: true, overwrite, takeDotNames };
}

/** What is taken in one session. */
export class TakingHalf {
  readonly #parts: TakingHalfParts;
  readonly #where: { readonly session: number; readonly back?: true };
  #ticker: ProgressTicker | undefined;

  constructor(parts: TakingHalfParts) {
    const { session, isBack } = parts;
    this.#parts = parts;
    this.#where = { session, ...(isBack ? { back: true } : {}) };
  }

  /** What the transfer is told, and asks. */
  get options(): Required<Pick<TakingOptions, "decide" | "onBegin" | "onEvent" | "foldersMade">> {
    const { run: { agreement, foldersMade }, decide } = this.#parts;
    return {
      foldersMade,
      decide: (offer) => agreement.decide({ ...offer, ...this.#where }, decide),
      onBegin: () => this.#handleBegin(),
      onEvent: (notice) => this.#handleNotice(notice),
    };
  }

  /** Whether files were asked for. */
  get hasBegun(): boolean {
    return this.#ticker !== undefined;
  }

  /** Bytes per second that it moves at. */
  get rateBytesPerSecond(): number {
    return this.#ticker?.rateBytesPerSecond ?? 0;
  }

  /** It is over: tells how far it came. */
  stop(): void {
    this.#ticker?.stop();
    this.#ticker = undefined;
  }

  /** The event of its end; undefined when that was told already, of an earlier session. */
  doneEvent(summary: TransferSummary): DoneEvent | undefined {
    const { run, clock } = this.#parts;
    if (run.isDone) return undefined;
    run.isDone = true;
    const now = clock.now();
    const elapsedMs = now - (run.startedAt ?? now);
    return doneEvent(this.#where, run.account.summaryOf(summary), elapsedMs);
  }

  #handleBegin(): void {
    const { clock, connection, run, emit, receiver } = this.#parts;
    run.startedAt ??= clock.now();
    if (run.isDone) return;
    this.#ticker = startProgress({
      clock,
      connection,
      where: this.#where,
      poll: () => run.account.progressOf(receiver().progress),
      emit,
    });
  }

  #handleNotice(notice: TransferNotice): void {
    const { run, emit, onOffer, receiver } = this.#parts;
    if (notice.event === "offer") {
      const isSame = run.agreement.recognise(() => receiver().offerDigest!);
      run.account.restart(isSame);
      if (!isSame) run.begin();
      onOffer?.(notice, isSame);
      if (isSame) return;
      run.isDone = false;
    }
    if (!run.isDone && run.account.isNews(notice)) emit({ ...notice, ...this.#where });
  }
}
