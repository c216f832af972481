/**
 * Turns counters into progress events: ten times a second at most, with a rate and time left. What was
 * here before is done, and no part of the rate.
 */
import type { ProgressEvent } from "../events.ts";
import { after, type Instant } from "../time.ts";
import type { TransferProgress } from "../transfer/transfer_notice.ts";
import type { Clock } from "../transport/clock.ts";

/** Least time between two events. */
export const PROGRESS_INTERVAL_MS = 100;
/** The rate shown is that of this long a while: steady to look at, quick to notice a stall. */
const RATE_WINDOW_MS = 3000;

interface Sample {
  readonly at: Instant;
  /** What was here already did not come over the line. */
  readonly movedBytes: number;
}

/** Polls one transfer's counters until it is stopped. */
export class ProgressTicker {
  readonly #clock: Clock;
  readonly #poll: () => TransferProgress;
  readonly #emit: (progress: Omit<ProgressEvent, "session" | "route">) => void;
  readonly #samples: Sample[] = [];
  #rateBytesPerSecond = 0;
  #cancel: () => void;

  /**
   * Starts at once.
   *
   * @param poll Reads the counters.
   * @param emit Told when they have changed.
   */
  constructor(
    clock: Clock,
    poll: () => TransferProgress,
    emit: (progress: Omit<ProgressEvent, "session" | "route">) => void,
  ) {
    this.#clock = clock;
    this.#poll = poll;
    this.#emit = emit;
    this.#samples.push({ at: clock.now(), movedBytes: movedBytes(poll()) });
    this.#cancel = this.#arm();
  }

  /** What was last told of the rate; 0 before that. */
  get rateBytesPerSecond(): number {
    return this.#rateBytesPerSecond;
  }

  /** Emits once more and ends. */
  stop(): void {
    this.#cancel();
    this.#tell();
  }

  #arm(): () => void {
    return this.#clock.setTimer(after(this.#clock.now(), PROGRESS_INTERVAL_MS), () => {
      this.#tell();
      this.#cancel = this.#arm();
    });
  }

  #tell(): void {
    const now = this.#clock.now();
    const progress = this.#poll();
    const samples = this.#samples;
    const moved = movedBytes(progress);
    samples.push({ at: now, movedBytes: moved });
    while (samples.length > 2 && samples[1]!.at < now - RATE_WINDOW_MS) samples.shift();
    const first = samples[0]!;
    const elapsedMs = now - first.at;
    const rate = elapsedMs > 0 ? (moved - first.movedBytes) / elapsedMs * 1000 : 0;
    this.#rateBytesPerSecond = Math.round(rate);
    const left = progress.bytesTotal - progress.bytesDone;
    this.#emit({
      event: "progress",
      ...progress,
      rateBytesPerSecond: this.#rateBytesPerSecond,
      ...(rate > 0 && !progress.hasStream ? { remainingSeconds: Math.round(left / rate) } : {}),
    });
  }
}

function movedBytes({ bytesDone, keptBytes = 0 }: TransferProgress): number {
  return bytesDone - keptBytes;
}
