/**
 * Clients that a share had let in and lost, by the key that they proved: who comes again with the
 * same key is the same program, and goes on without a question [AGAIN-1].
 */
import { encodeHex } from "../bytes/hex.ts";
import type { IdentityReport } from "../events.ts";
import type { TakingRun } from "../session/taking_run.ts";
import { type Instant, instant } from "../time.ts";

/** Lost clients that a share remembers; older ones are asked about as any. */
const MAX_LOST_CLIENTS = 256;

/** Of these, so many newest ones that this side is kept open for [AGAIN-3]. */
const MAX_DOORS = 16;

/** What keeps this side open for a client. */
export interface Door {
  /** Ends it. */
  close(): void;
}

/** A client that was let in and lost. */
export interface LostClient {
  /** The key that it proved. */
  readonly key: Uint8Array;
  /** Number of its session. */
  readonly session: number;
  /** Where it was, as `host:port`. */
  readonly address: string;
  /** Who it had proved to be, if it had. */
  readonly identity?: IdentityReport | undefined;
  /** What came of taking what it offered. */
  readonly taking: TakingRun;
  /** Until when it is waited for. */
  readonly endsAt: Instant;
  /** What keeps this side open for it, if anything does; closed when that is over. */
  readonly door?: Door;
}

/** The lost clients of one share. */
export class LostClients {
  /** By key, newest last. */
  readonly #clients = new Map<string, LostClient>();

  /** A client that was let in is lost. */
  add(client: LostClient): void {
    this.take(client.key);
    this.#clients.set(encodeHex(client.key), client);
    const keys = Array.from(this.#clients.keys());
    for (const old of keys.slice(0, -MAX_DOORS)) this.#clients.get(old)!.door?.close();
    for (const oldest of keys.slice(0, -MAX_LOST_CLIENTS)) this.#clients.delete(oldest);
  }

  /** The client with this key, which is forgotten; undefined for all others. */
  take(key: Uint8Array): LostClient | undefined {
    const text = encodeHex(key);
    const client = this.#clients.get(text);
    this.#clients.delete(text);
    client?.door?.close();
    return client;
  }

  /** The client that was lost in a session, which is forgotten; undefined when there is none. */
  takeOf(session: number): LostClient | undefined {
    for (const client of this.#clients.values()) {
      if (client.session === session) return this.take(client.key);
    }
    return undefined;
  }

  /** Until when one of them is waited for; long ago when there are none. */
  get endsAt(): Instant {
    let last = instant(Number.NEGATIVE_INFINITY);
    for (const { endsAt } of this.#clients.values()) if (endsAt > last) last = endsAt;
    return last;
  }

  /** Nobody is let in any more. */
  close(): void {
    for (const { door } of this.#clients.values()) door?.close();
    this.#clients.clear();
  }
}
