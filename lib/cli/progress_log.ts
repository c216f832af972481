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
  /** By session, and by way. */
  readonly #sessions = new Map<number, Map<string, PlainProgress>>();
  /** What is done, the last of it: a last report of its progress may follow. */
  readonly #done = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The lines for `progress`: mostly none. */
  linesFor(progress: ProgressEvent): string[] {
    const key = keyOf(progress);
    if (this.#done.has(key)) return [];
    const ways = this.#sessions.get(progress.session) ?? new Map<string, PlainProgress>();
    this.#sessions.set(progress.session, ways);
    const plain = ways.get(key) ?? new PlainProgress();
    ways.set(key, plain);
    const count = this.#sessions.size;
    const isDue = plain.isDue(this.#clock.now(), progress, count);
    // Lines that many clients share are limited by this and that all the time.
    const limit = isDue || count === 1 ? limitLine(progress) : undefined;
    return [
      ...(isDue ? [renderPlainProgress(progress)] : []),
      ...(limit !== undefined && plain.isNewLimit(progress.limitedBy) ? [limit] : []),
    ];
  }

  /** One way of a session is done, whatever is still told of it. */
  finish(half: { readonly session: number; readonly back?: true }): void {
    const key = keyOf(half);
    this.#drop(half.session, key);
    this.#done.add(key);
    const [oldest] = this.#done;
    if (this.#done.size > MAX_DONE) this.#done.delete(oldest!);
  }

  /** Something begins in a session: an offer, or all of it anew. */
  begin(half: { readonly session: number; readonly back?: true }): void {
    const key = keyOf(half);
    this.#drop(half.session, key);
    this.#done.delete(key);
  }

  #drop(session: number, key: string): void {
    const ways = this.#sessions.get(session);
    ways?.delete(key);
    if (ways?.size === 0) this.#sessions.delete(session);
  }
}

function keyOf({ session, back }: { readonly session: number; readonly back?: true }): string {
  return `${session}${back ? " back" : ""}`;
}
