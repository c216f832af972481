/**
 * Whose turn it is to be asked about. A share can have many more clients before its door than a
 * person, or a program, should be asked about at a time; who comes from where many come does not keep
 * others from their turn.
 */

/** Questions that are open at a time. */
export const MAX_OPEN_QUESTIONS = 16;

/** Of these, questions about clients of one host. */
export const MAX_OPEN_QUESTIONS_OF_HOST = 4;

/** Hosts of which is remembered how often they were asked about. */
const MAX_HOSTS = 1024;

interface Waiting {
  readonly host: string;
  readonly onTurn: () => void;
}

/** The questions of one share. */
export class QuestionTurns {
  readonly #room: () => number;
  /** First come, first. */
  readonly #waiting = new Set<Waiting>();
  readonly #open = new Set<Waiting>();
  /** By host, how often somebody from there was asked about; the one asked about last is last. */
  readonly #counts = new Map<string, number>();

  /** @param room How many clients there would be places for: more are not asked about. */
  constructor(room: () => number) {
    this.#room = room;
  }

  /** Whether there is a place left for one more, were everybody who is asked about let in. */
  get hasRoom(): boolean {
    return this.#open.size < this.#room();
  }

  /**
   * Waits for the turn of a client: that of the host which was asked about least often, and of those
   * the client that waits longest.
   *
   * @param host Where it comes from.
   * @param onTurn Called once, perhaps at once: ask now.
   * @returns To be called when there is nothing more to be asked, before the turn or after it.
   */
  wait(host: string, onTurn: () => void): () => void {
    const waiting = { host, onTurn };
    this.#waiting.add(waiting);
    this.update();
    return () => {
      this.#waiting.delete(waiting);
      if (this.#open.delete(waiting)) this.update();
    };
  }

  /** There may be room again. */
  update(): void {
    while (this.#open.size < Math.min(MAX_OPEN_QUESTIONS, this.#room())) {
      const next = this.#next();
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#open.add(next);
      this.#count(next.host);
      next.onTurn();
    }
  }

  #next(): Waiting | undefined {
    let best: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (this.#openOf(waiting.host) >= MAX_OPEN_QUESTIONS_OF_HOST) continue;
      if (best === undefined || this.#countOf(waiting) < this.#countOf(best)) best = waiting;
    }
    return best;
  }

  #openOf(host: string): number {
    let count = 0;
    for (const open of this.#open) if (open.host === host) count++;
    return count;
  }

  #countOf({ host }: Waiting): number {
    return this.#counts.get(host) ?? 0;
  }

  #count(host: string): void {
    const count = (this.#counts.get(host) ?? 0) + 1;
    this.#counts.delete(host);
    this.#counts.set(host, count);
    if (this.#counts.size > MAX_HOSTS) this.#counts.delete(this.#counts.keys().next().value!);
  }
}
