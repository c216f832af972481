/**
 * What the sessions of one receive come to together: when one is lost another one goes on, which
 * counts only what is left, and tells what was told before.
 */
import type {
  TransferNotice,
  TransferProgress,
  TransferSummary,
} from "../transfer/transfer_notice.ts";

/**
 * Paths of which is remembered what was told, of one kind of notice: beyond it all is told, also for
 * the second time. A share keeps this for hundreds of clients, each of which may offer a million.
 */
export const MAX_TOLD = 10_000;

/** Counters and notices of one run. */
export class RunAccount {
  /** What was asked for in all, in the sessions before. */
  #bytesTotal = 0;
  #itemsTotal = 0;
  /** What was in its place before this session; undefined until it asks. */
  #bytesBefore: number | undefined;
  #itemsBefore = 0;
  /** File bytes that came over the line in the sessions before, and in this one so far. */
  #movedBefore = 0;
  #moved = 0;
  #last: TransferProgress | undefined;
  /** Paths that warnings, and texts, were about, by the kind of notice. */
  readonly #told = new Map<string, Set<string>>();

  /** The newest of {@linkcode RunAccount.progressOf}; undefined before the first. */
  get last(): TransferProgress | undefined {
    return this.#last;
  }

  /**
   * Another session begins.
   *
   * @param isSameOffer Whether it goes on with what the one before had; else all begins anew.
   */
  restart(isSameOffer: boolean): void {
    this.#bytesTotal = isSameOffer ? this.#last?.bytesTotal ?? 0 : 0;
    this.#itemsTotal = isSameOffer ? this.#last?.itemsTotal ?? 0 : 0;
    this.#bytesBefore = undefined;
    this.#itemsBefore = 0;
    this.#movedBefore = isSameOffer ? this.#movedBefore + this.#moved : 0;
    this.#moved = 0;
    if (!isSameOffer) this.#told.clear();
  }

  /**
   * Progress of the run, from that of the session now.
   *
   * @param progress Of a session that has asked for all it wants.
   */
  progressOf(progress: TransferProgress): TransferProgress {
    if (this.#bytesBefore === undefined) {
      this.#bytesBefore = Math.max(0, this.#bytesTotal - progress.bytesTotal);
      this.#itemsBefore = Math.max(0, this.#itemsTotal - progress.itemsTotal);
    }
    this.#moved = progress.bytesDone - (progress.keptBytes ?? 0);
    const before = this.#bytesBefore;
    const keptBytes = (progress.keptBytes ?? 0) + before;
    return this.#last = {
      ...progress,
      bytesDone: progress.bytesDone + before,
      bytesTotal: progress.bytesTotal + before,
      ...(keptBytes > 0 ? { keptBytes } : {}),
      itemsDone: progress.itemsDone + this.#itemsBefore,
      itemsTotal: progress.itemsTotal + this.#itemsBefore,
    };
  }

  /** The end of the run, from that of its last session: what came before was not here before it. */
  summaryOf({ keptBytes = 0, ...summary }: TransferSummary): TransferSummary {
    const bytes = summary.bytes + (this.#bytesBefore ?? 0);
    const movedBytes = this.#movedBefore + summary.bytes - keptBytes;
    const keptByRun = Math.max(0, bytes - movedBytes);
    return { ...summary, bytes, ...(keptByRun > 0 ? { keptBytes: keptByRun } : {}) };
  }

  /** Whether a notice is new: what is said of a path is said once. */
  isNews(notice: TransferNotice): boolean {
    if (notice.event !== "warning" && notice.event !== "text") return true;
    const kind = notice.event === "warning" ? notice.code : notice.event;
    const { path } = notice;
    if (path === undefined) return true;
    const told = this.#told.get(kind) ?? new Set();
    this.#told.set(kind, told);
    if (told.has(path)) return false;
    if (told.size < MAX_TOLD) told.add(path);
    return true;
  }
}
