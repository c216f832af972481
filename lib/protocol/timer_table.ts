/** All deadlines of a connection, one slot per purpose; the pump arms one real timer for the least. */
import { type Instant, NEVER } from "../time.ts";

/** What a deadline is for. */
export const Timer = {
  /** An ACK may wait no longer. */
  ACK: 0,
  /** Overtaken packets count as lost. */
  LOSS: 1,
  /** No answer to what was sent: probe. */
  PROBE: 2,
  /** The pacer lets the next datagram out. */
  PACE: 3,
  /** Nothing heard: give up. */
  IDLE: 4,
  /** Nothing sent: keep the mapping. */
  KEEPALIVE: 5,
  /** The client repeats message 3. */
  CONFIRM: 6,
  /** The last CLOSE was sent long enough ago. */
  DRAIN: 7,
  /** Larger datagrams may be tried again. */
  MTU: 8,
  /** The key is old. */
  KEY: 9,
  /** Keys of before the last update are forgotten. */
  OLD_KEY: 10,
  /** Paths are challenged, judged or measured again. */
  PATH: 11,
  /** Whether the path still carries anything is looked at. */
  WATCH: 12,
} as const;

/** One of {@linkcode Timer}. */
export type TimerId = typeof Timer[keyof typeof Timer];

const TIMER_COUNT = 13;

/** Deadlines by purpose. */
export class TimerTable {
  readonly #deadlines: Float64Array = new Float64Array(TIMER_COUNT).fill(NEVER);

  /** Arms or moves a deadline. */
  set(id: TimerId, deadline: Instant): void {
    this.#deadlines[id] = deadline;
  }

  /** Disarms a deadline. */
  clear(id: TimerId): void {
    this.#deadlines[id] = NEVER;
  }

  /** Disarms all. */
  clearAll(): void {
    this.#deadlines.fill(NEVER);
  }

  /** The deadline of one purpose; {@linkcode NEVER} when disarmed. */
  get(id: TimerId): Instant {
    return this.#deadlines[id] as Instant;
  }

  /** Whether a deadline has come; then it is disarmed. */
  takeExpired(id: TimerId, now: Instant): boolean {
    if (this.#deadlines[id]! > now) return false;
    this.#deadlines[id] = NEVER;
    return true;
  }

  /** The earliest deadline, or {@linkcode NEVER}. */
  earliest(): Instant {
    let least = this.#deadlines[0]!;
    for (let id = 1; id < TIMER_COUNT; id++) {
      if (this.#deadlines[id]! < least) least = this.#deadlines[id]!;
    }
    return least as Instant;
  }
}
