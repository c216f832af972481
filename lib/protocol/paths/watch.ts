/**
 * Whether the path of a session still carries anything: notes what was heard and what waits for an
 * answer, and says when silence has lasted too long (docs/protocol.md, "Paths"). What is done about
 * it is the business of `paths.ts`.
 *
 * Called for every packet, so it only notes times; its timer looks at them at leisure.
 */
import { PATH_ACTIVE_MS, PATH_QUIET_MS, PATH_SILENCE_MS } from "../params.ts";
import type { RttEstimator } from "../rtt.ts";
import { after, earlier, type Instant, instant, NEVER } from "../../time.ts";
import { Timer, type TimerTable } from "../timer_table.ts";

/** Probe timeouts of silence that a path with long round trips is given. */
const SILENT_PROBE_TIMEOUTS = 3;

/** The watch over one connection. */
export class PathWatch {
  /** Whether the path counts as lost; ended by `handleFound`. */
  isSilent = false;
  readonly #timers: TimerTable;
  readonly #rtt: RttEstimator;
  #heardAt: Instant;
  /** Since when something is in flight without anything heard. */
  #awaitingSince: Instant = NEVER;
  #contentAt: Instant = instant(Number.NEGATIVE_INFINITY);

  /** @param timers Where {@linkcode Timer.WATCH} is armed; its owner calls `check` when it expires. */
  constructor(now: Instant, timers: TimerTable, rtt: RttEstimator) {
    this.#timers = timers;
    this.#rtt = rtt;
    this.#heardAt = now;
  }

  /** How long nothing authentic has come, ms. */
  silentMs(now: Instant): number {
    return now - this.#heardAt;
  }

  /** Whether content was sent or received within the last {@linkcode PATH_ACTIVE_MS}. */
  isActive(now: Instant): boolean {
    return now - this.#contentAt < PATH_ACTIVE_MS;
  }

  /** Something authentic and new came. */
  handleHeard(now: Instant): void {
    this.#heardAt = now;
    this.#awaitingSince = NEVER;
  }

  /** A packet in flight left, that wants an answer. */
  handleSent(now: Instant): void {
    if (this.#awaitingSince !== NEVER) return;
    this.#awaitingSince = now;
    this.#arm(now);
  }

  /** Something other than acknowledgements and PINGs came or left. */
  handleContent(now: Instant): void {
    this.#contentAt = now;
    this.#arm(now);
  }

  /** A path that works was found. */
  handleFound(now: Instant): void {
    this.isSilent = false;
    this.handleHeard(now);
    this.#arm(now);
  }

  /**
   * Looks at the times, and arms the timer again as long as there is something to look for.
   *
   * @returns `"lost"` once, when the silence has become too long; `"ping"` when only a PING can tell
   *   whether anybody is there.
   */
  check(now: Instant): "lost" | "ping" | undefined {
    if (this.isSilent) return undefined;
    const silenceMs = Math.max(PATH_SILENCE_MS, SILENT_PROBE_TIMEOUTS * this.#rtt.probeTimeoutMs);
    if (this.#awaitingSince !== NEVER) {
      // A PING after a long rest is given half of it: the silence before it was nobody's fault.
      const lostAt = Math.max(this.#heardAt + silenceMs, this.#awaitingSince + silenceMs / 2);
      if (now >= lostAt) return this.declareLost();
      this.#timers.set(Timer.WATCH, earlier(lostAt as Instant, after(now, PATH_QUIET_MS)));
      return undefined;
    }
    if (!this.isActive(now)) return undefined;
    const quietAt = after(this.#heardAt, PATH_QUIET_MS);
    const isQuiet = now >= quietAt;
    this.#timers.set(Timer.WATCH, isQuiet ? after(now, PATH_QUIET_MS) : quietAt);
    return isQuiet ? "ping" : undefined;
  }

  /** The machine slept: whatever was known of the path is old. Whether it counts as lost now. */
  handleWoke(now: Instant): boolean {
    if (this.isSilent || this.silentMs(now) < PATH_SILENCE_MS) return false;
    return this.declareLost() === "lost";
  }

  /** The path is lost for another reason than silence. */
  declareLost(): "lost" {
    this.isSilent = true;
    this.#timers.clear(Timer.WATCH);
    return "lost";
  }

  #arm(now: Instant): void {
    if (!this.isSilent && this.#timers.get(Timer.WATCH) === NEVER) {
      this.#timers.set(Timer.WATCH, after(now, PATH_QUIET_MS));
    }
  }
}
