/** What was left out and why, and the exit status that follows; who wants it is told what was not. */
import { encodeHex } from "../bytes/hex.ts";
import { ERRORS } from "../errors.ts";
import type { PlannedEntry } from "./receiving/plan.ts";
import type { TransferSummary } from "./transfer_notice.ts";

/**
 * Takes an entry that is in its place, with the root of its file when that was sent or compared. The
 * root is only lent.
 */
export type InPlaceListener = (planned: PlannedEntry, root?: Uint8Array) => void;

/** Counts of files that did not make it. */
export class Outcome {
  /** Receiver: told of each entry that is in its place. */
  readonly onInPlace: InPlaceListener;
  /** Names that were not safe. */
  refused = 0;
  /** Kept what was here, skipped a dot-name, or something was in the way. */
  kept = 0;
  /** Who gives could not read them. */
  unreadable = 0;
  /** They changed while they were read. */
  changed = 0;

  /** @param onInPlace Told of each entry that is in its place. */
  constructor(onInPlace: InPlaceListener = () => {}) {
    this.onInPlace = onInPlace;
  }

  /** All of them. */
  get leftOut(): number {
    return this.refused + this.kept + this.unreadable + this.changed;
  }

  /** The exit status: what is most worth knowing comes first. */
  get exit(): number {
    if (this.refused > 0) return ERRORS.unsafe_name.exit;
    if (this.changed > 0) return ERRORS.source_changed.exit;
    return this.leftOut > 0 ? ERRORS.some_kept.exit : 0;
  }

  /**
   * Whether there was something to read and nothing of it could be.
   *
   * @param asked Files and streams of which anything was asked for.
   */
  isAllUnreadable(asked: number): boolean {
    return this.unreadable > 0 && this.unreadable === asked;
  }

  /**
   * How a transfer ended that ended well.
   *
   * @param root Root over the share, 32 bytes.
   * @param counts As in {@linkcode TransferSummary}.
   */
  summary(
    root: Uint8Array,
    { bytes, keptBytes, items, leftOut }: {
      readonly bytes: number;
      readonly keptBytes: number;
      readonly items: number;
      readonly leftOut: number;
    },
  ): TransferSummary {
    return {
      bytes,
      ...(keptBytes > 0 ? { keptBytes } : {}),
      items,
      leftOut,
      root: encodeHex(root),
      exit: this.exit,
    };
  }
}
