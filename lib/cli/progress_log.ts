/** Progress where no line can be redrawn: lines of their own, for each client by itself. */
import type { ProgressEvent } from "../events.ts";
import type { Clock } from "../transport/clock.ts";
import { limitLine } from "./limit_messages.ts";
import { PlainProgress } from "./plain_progress.ts";
import { renderPlainProgress } from "./render.ts";

/** More than can be done within the time that a last report takes. */
const MAX_DONE = 1024;

/** Picks the lines of one run. */
export class ProgressLog {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, PlainProgress>();
  /** What is done, the last of it: a last report of its progress may follow. */
  readonly #done = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The lines for `progress`: mostly none. */
  linesFor(progress: ProgressEvent): string[] {
    const key = keyOf(progress);
    if (this.#done.has(key)) return [];
    const plain = this.#sessions.get(key) ?? new PlainProgress();
    this.#sessions.set(key, plain);
    const isDue = plain.isDue(this.#clock.now(), progress);
    const limit = limitLine(progress);
    return [
      ...(isDue ? [renderPlainProgress(progress)] : []),
      ...(limit !== undefined && plain.isNewLimit(progress.limitedBy) ? [limit] : []),
    ];
  }

  /** One way of a session is done, whatever is still told of it. */
  finish(half: { readonly session: number; readonly back?: true }): void {
    const key = keyOf(half);
    this.#sessions.delete(key);
    this.#done.add(key);
    const [oldest] = this.#done;
    if (this.#done.size > MAX_DONE) this.#done.delete(oldest!);
  }

  /** Something begins in a session: an offer, or all of it anew. */
  begin(half: { readonly session: number; readonly back?: true }): void {
    const key = keyOf(half);
    this.#sessions.delete(key);
    this.#done.delete(key);
  }
}

function keyOf({ session, back }: { readonly session: number; readonly back?: true }): string {
  return `${session}${back ? " back" : ""}`;
}
