/**
 * What is kept of taking an offer when a session is lost, for the session that goes on with it: what
 * the person has said, what was counted and told, and whether all was taken [AGAIN-2] [AGAIN-4].
 */
import { Agreement } from "./agreement.ts";
import { RunAccount } from "./run_account.ts";
import type { Instant } from "../time.ts";

/** The taking of one offer, over all sessions of a run. */
export class TakingRun {
  /** What the person has said. */
  readonly agreement: Agreement = new Agreement();
  /** What the sessions come to together. */
  readonly account: RunAccount = new RunAccount();
  /** Paths of the folders that were made: their times are set at the end, whichever session made them. */
  readonly foldersMade: Set<string> = new Set();
  /** When files began to move; undefined before. */
  startedAt: Instant | undefined;
  /** Whether its end was told: a later session takes the same once more, and nothing of that is. */
  isDone = false;

  /** Another offer than that of the session before: nothing of that matters any more. */
  begin(): void {
    this.startedAt = undefined;
    this.foldersMade.clear();
  }
}
