/** A share as its owner sees it. */
import type { TransferEvent } from "../events.ts";
import type { ClientReport } from "../options.ts";
import type { RememberOptions, RememberResult } from "../session/session_identity.ts";

/** A share under way: an iteration of its events, once. */
export interface Share extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** What the other side needs: `p2p1…`; the newest one, should addresses have changed. */
  readonly code: string;
  /**
   * Takes the reply code of a client that could not get through by itself: looks for it, and admits
   * it.
   *
   * @param code In any case, with spaces and dashes or without.
   * @throws {TransferError} `bad_code` or `version_mismatch` when it cannot be used or belongs to
   *   another share; nothing is sent then.
   */
  addReply(code: string): void;
  /**
   * Limits all clients together from now on.
   *
   * @param bytesPerSecond As `limitBytesPerSecond` of the options; undefined for no limit.
   * @throws {TypeError} If it is less than 1000, or no number.
   */
  setLimit(bytesPerSecond: number | undefined): void;
  /** Everybody who is connected now, in the order they came. */
  readonly clients: readonly ClientReport[];
  /**
   * Sends a client away, whatever it does, and lets it in no more while this share runs: neither
   * that program, also when it was lost and would come again, nor the identity that it showed.
   *
   * @param session Its number.
   * @returns False when there is no such client.
   */
  kick(session: number): boolean;
  /**
   * Remembers a client that has proved who it is, in the store of `identity`; the secret for short
   * codes follows when its session ends well.
   *
   * @param session Its number; the session goes on.
   * @throws {TransferError} `usage` when there is no such client or it showed no identity, or the
   *   name cannot be given or has another key; and what the store throws.
   */
  remember(session: number, how: RememberOptions): Promise<RememberResult>;
  /**
   * Lets nobody new in; who has not been let in yet is turned away. The share ends when everybody
   * who is in has taken it or is gone, and who was lost has not come again for `timeoutMs`.
   */
  stopAdmitting(): void;
  /** Ends it for everyone. */
  close(): Promise<void>;
}
