/**
 * What to do next when nothing can be kept: what came as a stream, or went to standard output,
 * cannot be gone on with, though the hints of most errors say so.
 */
import type { ErrorCode } from "../errors.ts";
import type { ErrorEvent } from "../events.ts";

const SEND_AGAIN = "A stream cannot be resumed: have it sent again from the beginning";

const NOTHING_KEPT: Partial<Record<ErrorCode, string>> = {
  disk_full: "Free some space and have it sent again: a stream cannot be resumed",
  path_lost: SEND_AGAIN,
  interrupted: SEND_AGAIN,
};

/**
 * The error as the person who receives should be told it.
 *
 * @param flow Whether a stream was offered, and whether it goes to standard output.
 */
export function withStreamHint(
  event: ErrorEvent,
  flow: { readonly isStream: boolean; readonly toOutput: boolean },
): ErrorEvent {
  const hint = flow.toOutput && event.code === "write_failed"
    ? "See what the program says that reads the output: it ended early"
    : flow.isStream || flow.toOutput
    ? NOTHING_KEPT[event.code]
    : undefined;
  return hint === undefined ? event : { ...event, hint };
}
