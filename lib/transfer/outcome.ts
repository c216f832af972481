/** What was left out and why, and the exit status that follows. */
import { ERRORS } from "../errors.ts";

/** Counts of files that did not make it. */
export class Outcome {
  /** Names that were not safe. */
  refused = 0;
  /** Kept what was here, skipped a dot-name, or something was in the way. */
  kept = 0;
  /** The sharer could not read them. */
  unreadable = 0;
  /** They changed while they were read. */
  changed = 0;

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
}
