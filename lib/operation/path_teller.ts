/**
 * Tells of the paths of a session, however often they change: the first at once, then at most one a
 * second, the newest. A peer can change its path with every datagram.
 */
import type { PathEvent } from "../events.ts";
import { after, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";

/** Least time between two of a session, ms. */
const PATH_TELL_MS = 1000;

/** Tells of the paths of one session. */
export class PathTeller {
  readonly #clock: Clock;
  readonly #tell: (event: PathEvent) => void;
  #nextAt: Instant | undefined;
  #waiting: PathEvent | undefined;
  #cancel: (() => void) | undefined;

  /** @param tell Called with what is to be told. */
  constructor(clock: Clock, tell: (event: PathEvent) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** The session goes another way. */
  push(event: PathEvent): void {
    const now = this.#clock.now();
    if (this.#nextAt === undefined || now >= this.#nextAt) return this.#tellNow(now, event);
    this.#waiting = event;
    this.#cancel ??= this.#clock.setTimer(this.#nextAt, () => {
      const waiting = this.#waiting;
      if (waiting) this.#tellNow(this.#clock.now(), waiting);
    });
  }

  /** The session is over: what waits is told now. */
  end(): void {
    const waiting = this.#waiting;
    if (waiting) this.#tellNow(this.#clock.now(), waiting);
    this.#forget();
  }

  #forget(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = undefined;
  }

  #tellNow(now: Instant, event: PathEvent): void {
    this.#forget();
    this.#nextAt = after(now, PATH_TELL_MS);
    this.#tell(event);
  }
}
