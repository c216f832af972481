/**
 * The questions of one side: their transaction ids, and which answers are still awaited; others
 * count for nothing [PROBE-2]. An id is four bytes drawn once and a count; it is sealed on its way, so
 * a count gives nothing away. The drawn bytes tell an own question that somebody sent back from one
 * of the other side, which has the same key.
 */
import type { RandomSource } from "../../crypto/provider.ts";
import { TRANSACTION_ID_BYTES } from "../../crypto/probe.ts";
import type { Instant } from "../../time.ts";
import { OPEN_QUESTIONS } from "./limits.ts";

const SALT_BYTES = 4;

/** Issues transaction ids and recognises them. */
export class PunchQuestions {
  readonly #id = new Uint8Array(TRANSACTION_ID_BYTES);
  readonly #view = new DataView(this.#id.buffer);
  /** Place is the count modulo the size; NaN where no answer is awaited. */
  readonly #sentAt = new Float64Array(OPEN_QUESTIONS).fill(Number.NaN);
  #count = 0;

  /** Draws what its ids have in common. */
  constructor(random: RandomSource) {
    random.fill(this.#id.subarray(0, SALT_BYTES));
  }

  /** The id of a question that is sent now; overwritten by the next. */
  issue(now: Instant): Uint8Array {
    this.#sentAt[this.#count % OPEN_QUESTIONS] = now;
    this.#view.setUint32(SALT_BYTES, this.#count++);
    return this.#id;
  }

  /** Whether an id was issued here. */
  isOwn(id: Uint8Array): boolean {
    for (let index = 0; index < SALT_BYTES; index++) {
      if (id[index] !== this.#id[index]) return false;
    }
    return true;
  }

  /**
   * Takes an answer; each question has one.
   *
   * @returns How long it took, ms; undefined when nobody asked, or the answer is there already.
   */
  takeAnswer(now: Instant, id: Uint8Array): number | undefined {
    if (!this.isOwn(id)) return undefined;
    const view = new DataView(id.buffer, id.byteOffset, id.byteLength);
    const count = view.getUint32(SALT_BYTES);
    if (count >= this.#count || count < this.#count - OPEN_QUESTIONS) return undefined;
    const place = count % OPEN_QUESTIONS;
    const sentAt = this.#sentAt[place]!;
    if (Number.isNaN(sentAt)) return undefined;
    this.#sentAt[place] = Number.NaN;
    return now - sentAt;
  }
}
