/** What has become of a share so far, for its last event. */
import type { ClosedEvent, DoneEvent } from "../events.ts";
import type { Instant } from "../time.ts";

/** Counts the clients that took a share. */
export class ShareTally {
  readonly #startedAt: Instant;
  #clients = 0;
  #bytes = 0;
  #exit = 0;

  /** @param startedAt When there was a code. */
  constructor(startedAt: Instant) {
    this.#startedAt = startedAt;
  }

  /** A session is over that took the share, or gave to it: with what went well, one way or both. */
  add(dones: readonly DoneEvent[]): void {
    this.#clients++;
    for (const { bytes, keptBytes = 0, exit } of dones) {
      this.#bytes += bytes - keptBytes;
      this.#exit ||= exit;
    }
  }

  /**
   * The share is over.
   *
   * @param failure The error that it ended with, if any.
   */
  closedEvent(
    now: Instant,
    reason: ClosedEvent["reason"],
    failure: { readonly exit: number } | undefined,
  ): ClosedEvent {
    return {
      event: "closed",
      reason,
      clients: this.#clients,
      bytes: this.#bytes,
      elapsedMs: now - this.#startedAt,
      exit: failure?.exit ?? this.#exit,
    };
  }
}
