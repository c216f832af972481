/**
 * The peer seems to have moved: its newest packet came from elsewhere. Decides, from the answers to
 * challenges along both paths, whether to follow (docs/protocol.md, "Paths"). The client chooses
 * paths, so the sharer follows as soon as the new path is proved [PATH-1]; the client follows only
 * where its own path is dead [PATH-6], or the two would chase each other.
 */
import type { PathProbe } from "./probe.ts";
import { MIN_PATH_VALIDATION_MS, PATH_VALIDATION_TRIES } from "../params.ts";
import { after, type Instant, instant, NEVER } from "../../time.ts";

/** Least time between challenges along the session's own path, ms. */
const MIN_PRESENT_INTERVAL_MS = 50;
/** Such intervals the client waits for an answer: three challenges are under way by then. */
const VERDICT_INTERVALS = 2.5;

const LONG_AGO = instant(Number.NEGATIVE_INFINITY);

/** One possible move of the peer at a time. */
export class PathFollow {
  readonly #isClient: boolean;
  #target: PathProbe | undefined;
  #verdictAt: Instant = LONG_AGO;
  #endsAt: Instant = NEVER;
  #restUntil: Instant = LONG_AGO;

  constructor(isClient: boolean) {
    this.#isClient = isClient;
  }

  /** The path that may be followed; undefined when there is none. */
  get target(): PathProbe | undefined {
    return this.#target;
  }

  /** When `isDecided` may have another answer. */
  deadline(now: Instant): Instant {
    return now < this.#verdictAt ? this.#verdictAt : this.#endsAt;
  }

  /**
   * The peer's newest packet came along another path than the session's: both are challenged.
   *
   * @param present The session's own path.
   */
  begin(now: Instant, target: PathProbe, present: PathProbe, probeTimeoutMs: number): void {
    if (target === this.#target || now < this.#restUntil) return;
    const intervalMs = Math.max(probeTimeoutMs, MIN_PATH_VALIDATION_MS / PATH_VALIDATION_TRIES);
    const presentMs = Math.max(probeTimeoutMs, MIN_PRESENT_INTERVAL_MS);
    const count = PATH_VALIDATION_TRIES;
    this.#target = target;
    this.#verdictAt = this.#isClient ? after(now, VERDICT_INTERVALS * presentMs) : now;
    this.#endsAt = after(now, count * Math.max(intervalMs, presentMs));
    if (!target.isValid(now)) target.begin(now, { count, intervalMs, isPadded: true });
    // Who only copied packets cannot keep the real peer from answering here (RFC 9000, 9.3.3).
    present.begin(now, { count, intervalMs: presentMs });
  }

  /** The session's own path answered. */
  handlePresentAlive(now: Instant): void {
    if (!this.#isClient || !this.#target) return;
    this.end();
    // What is under way along the other path would begin it all again at once.
    this.#restUntil = after(now, MIN_PATH_VALIDATION_MS);
  }

  /** Whether to go along with the target now; gives up when time is over. */
  isDecided(now: Instant): boolean {
    if (!this.#target) return false;
    if (this.#target.isValid(now) && now >= this.#verdictAt) return true;
    if (now >= this.#endsAt) this.end();
    return false;
  }

  /** Forgets the target. */
  end(): void {
    this.#target = undefined;
    this.#verdictAt = LONG_AGO;
    this.#endsAt = NEVER;
  }
}
