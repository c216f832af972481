/** Where events go: text for people, or objects for programs. */
import type { TransferEvent } from "../events.ts";

/** Shows what happens in one operation. */
export interface Reporter {
  /** Takes the next event. */
  handleEvent(event: TransferEvent): void;
  /** Takes what was thrown; the matching error event follows. */
  handleException(error: unknown): void;
}
