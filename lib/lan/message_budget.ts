/**
 * How many messages are read, of one neighbour and of all: reading one takes many times as long as
 * sending one.
 */
import type { Instant } from "../time.ts";
import {
  MAX_COUNTED_SOURCES,
  MESSAGE_BURST,
  MESSAGES_PER_SECOND,
  SOURCE_MESSAGE_BURST,
  SOURCE_MESSAGES_PER_SECOND,
} from "./limits.ts";

/** A bucket of tokens that fills up with time. */
class Bucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: Instant;

  constructor(now: Instant, perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  take(now: Instant): boolean {
    const filled = this.#tokens + (now - this.#at) * this.#perSecond / 1000;
    this.#tokens = Math.min(this.#burst, filled);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** What may be read. */
export class MessageBudget {
  readonly #all: Bucket;
  readonly #sources = new Map<string, Bucket>();

  constructor(now: Instant) {
    this.#all = new Bucket(now, MESSAGES_PER_SECOND, MESSAGE_BURST);
  }

  /** Whether a message of a neighbour may be read now [LAN-1]. */
  take(now: Instant, host: string): boolean {
    let source = this.#sources.get(host);
    if (source === undefined) {
      // Forged addresses are told apart in vain; then the common bucket is what holds.
      if (this.#sources.size >= MAX_COUNTED_SOURCES) this.#sources.clear();
      source = new Bucket(now, SOURCE_MESSAGES_PER_SECOND, SOURCE_MESSAGE_BURST);
      this.#sources.set(host, source);
    }
    return source.take(now) && this.#all.take(now);
  }
}
