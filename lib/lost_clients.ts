/**
 * Clients that a share had let in and lost, by the key that they proved: who comes again with the
 * same key is the same program, and goes on without a question [AGAIN-1].
 */
import { encodeHex } from "./bytes/hex.ts";

/** Lost clients that a share remembers; older ones are asked about as any. */
const MAX_LOST_CLIENTS = 256;

/** Of these, so many newest ones that this side is kept open for [AGAIN-3]. */
const MAX_DOORS = 16;

/** What keeps this side open for a client. */
export interface Door {
  /** Ends it. */
  close(): void;
}

interface LostClient {
  readonly session: number;
  readonly door: Door | undefined;
}

/** The lost clients of one share. */
export class LostClients {
  /** By key, newest last. */
  readonly #clients = new Map<string, LostClient>();

  /**
   * A client that was let in is lost.
   *
   * @param key Its public key.
   * @param session Number of its session.
   * @param door What keeps this side open for it, if anything does; closed when that is over.
   */
  add(key: Uint8Array, session: number, door?: Door): void {
    this.take(key);
    this.#clients.set(encodeHex(key), { session, door });
    const keys = Array.from(this.#clients.keys());
    for (const old of keys.slice(0, -MAX_DOORS)) this.#clients.get(old)!.door?.close();
    for (const oldest of keys.slice(0, -MAX_LOST_CLIENTS)) this.#clients.delete(oldest);
  }

  /** Number of the session in which a client was lost, and forgets it; undefined for all others. */
  take(key: Uint8Array): number | undefined {
    const text = encodeHex(key);
    const client = this.#clients.get(text);
    this.#clients.delete(text);
    client?.door?.close();
    return client?.session;
  }

  /** Nobody is let in any more. */
  close(): void {
    for (const { door } of this.#clients.values()) door?.close();
    this.#clients.clear();
  }
}
