/** A receive as its owner sees it. */
import type { TransferEvent } from "../events.ts";
import type { ShareSource } from "../options.ts";
import type { RememberResult } from "../session/session_identity.ts";

/** A receive under way: an iteration of its events, once. */
export interface Receive extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /**
   * Remembers who shared, in the store of `identity`, when that is known; after `done` with the secret
   * for short codes.
   *
   * @param name What this side calls them; may be left out of somebody who is remembered already.
   * @throws {TransferError} `usage` when the other side showed no identity, or the name cannot be
   *   given or has another key; and what the store throws.
   */
  remember(name?: string): Promise<RememberResult>;
  /**
   * Offers something to the sharer, as the option `offer` does, and once: until all that is shared has
   * been taken. When it comes too late a warning `not_offered` says so.
   *
   * @throws {TypeError} If something was offered before, or it cannot be.
   */
  offer(source: ShareSource): void;
  /** Ends it; what has arrived of large files is kept for the next time. */
  close(): Promise<void>;
}
