/**
 * The answers of one side: each question gets one, to where it came from, and not too many in a
 * second [PROBE-1]. An answer is about as large as its question, so nobody is flooded through us with
 * more than was sent for it.
 */
import type { Instant } from "../../time.ts";
import type { Path } from "../path.ts";
import { ANSWERS_PER_SECOND, REMEMBERED_QUESTIONS } from "./limits.ts";
import { PunchBudget } from "./budget.ts";

/** An answer on its way out. */
export interface PunchAnswer {
  readonly path: Path;
  /** Of the question. */
  readonly transactionId: Uint8Array;
}

const SECOND_MS = 1000;

/** Remembers what was answered, and holds what is to be sent. */
export class PunchAnswers {
  /** Oldest first: a set keeps its order. */
  readonly #answered = new Set<string>();
  readonly #budget = new PunchBudget(ANSWERS_PER_SECOND, SECOND_MS);
  readonly #waiting: PunchAnswer[] = [];

  /** Whether a question was taken before, and therefore is a replay. */
  isKnown(transactionId: Uint8Array): boolean {
    return this.#answered.has(keyOf(transactionId));
  }

  /** Notes a question that was not known, and answers it unless there are too many. */
  add(now: Instant, path: Path, transactionId: Uint8Array): boolean {
    this.#answered.add(keyOf(transactionId));
    if (this.#answered.size > REMEMBERED_QUESTIONS) {
      for (const oldest of this.#answered) {
        this.#answered.delete(oldest);
        break;
      }
    }
    if (now < this.#budget.nextAt) return false;
    this.#budget.spend(now);
    this.#waiting.push({ path, transactionId });
    return true;
  }

  /** Removes the oldest that is to be sent. */
  take(): PunchAnswer | undefined {
    return this.#waiting.shift();
  }
}

function keyOf(transactionId: Uint8Array): string {
  return String.fromCharCode(...transactionId);
}
