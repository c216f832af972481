/**
 * What `-v` says of this machine's network, once for each change that shows: what is asked in
 * parallel is known piece by piece within some milliseconds.
 */
import type { NetworkEvent } from "../events.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { networkLine } from "./path_messages.ts";

/** Longest that the first line waits for the mapping to be known, ms. */
const MAX_HOLD_MS = 500;

/** The lines of one run. */
export class NetworkLog {
  readonly #clock: Clock;
  readonly #tell: (line: string) => void;
  #told: string | undefined;
  #held: string | undefined;
  #cancelTimer = (): void => {};

  /** @param tell Writes a line. */
  constructor(clock: Clock, tell: (line: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Takes what is known now. */
  handleEvent(event: NetworkEvent): void {
    const isFirst = this.#told === undefined && this.#held === undefined;
    this.#held = networkLine(event);
    const isPartial = event.mapping === "unknown" && event.stun !== "off";
    if (!isPartial || this.#told !== undefined) return this.#tellHeld();
    if (isFirst) {
      const deadline = after(this.#clock.now(), MAX_HOLD_MS);
      this.#cancelTimer = this.#clock.setTimer(deadline, () => this.#tellHeld());
    }
  }

  /** Nothing more will be known. */
  end(): void {
    this.#tellHeld();
  }

  #tellHeld(): void {
    this.#cancelTimer();
    const line = this.#held;
    this.#held = undefined;
    if (line === undefined || line === this.#told) return;
    this.#told = line;
    this.#tell(line);
  }
}
