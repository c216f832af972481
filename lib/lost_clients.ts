/**
 * Clients that a share had let in and lost, by the key that they proved: who comes again with the
 * same key is the same program, and goes on without a question.
 */
import { encodeHex } from "./bytes/hex.ts";

/** Lost clients that a share remembers; older ones are asked about as any. */
const MAX_LOST_CLIENTS = 256;

/** The lost clients of one share. */
export class LostClients {
  /** Numbers of their last sessions by key, newest last. */
  readonly #sessions = new Map<string, number>();

  /**
   * A client that was let in is lost.
   *
   * @param key Its public key.
   * @param session Number of its session.
   */
  add(key: Uint8Array, session: number): void {
    const text = encodeHex(key);
    this.#sessions.delete(text);
    this.#sessions.set(text, session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_LOST_CLIENTS) break;
      this.#sessions.delete(oldest);
    }
  }

  /** Number of the session in which a client was lost, and forgets it; undefined for all others. */
  take(key: Uint8Array): number | undefined {
    const text = encodeHex(key);
    const session = this.#sessions.get(text);
    this.#sessions.delete(text);
    return session;
  }
}
