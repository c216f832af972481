/**
 * What becomes of each file in the end: in its place, shown, found to be here already, or left out.
 * Counts it, tells the owner, and notes for the share root what was verified. What is being moved is
 * the matter of `downloads.ts`.
 */
import { encodeHex } from "../../bytes/hex.ts";
import type { IncomingFile } from "./incoming_file.ts";
import type { Outcome } from "../outcome.ts";
import type { Half } from "../half.ts";
import type { ShareTree } from "../offer/share_tree.ts";
import { type PlaceResult, type Storage, StorageError } from "../../storage/storage.ts";

/** What {@linkcode FileEnds} works with. */
export interface FileEndsOptions {
  readonly half: Half;
  readonly storage: Storage;
  /** Where verified files are noted. */
  readonly shareTree: ShareTree;
  /** Where files that do not make it are counted. */
  readonly outcome: Outcome;
  /** Called for each file, once. */
  readonly onSettled: (file: IncomingFile) => void;
}

/** Why a file is left out. */
export type LeftOutReason =
  /** The sharer's copy changed, or it could not be read there. */
  | "changed"
  | "unreadable"
  /** This system cannot store its name. */
  | "bad_name"
  /** What is here differs, and may not be replaced. */
  | "differs";

const decoder = new TextDecoder();

/** The ends of all files of one transfer. */
export class FileEnds {
  /** Files of which nothing more is to come. */
  filesSettled = 0;
  /** Files that are in their places, and texts that were shown. */
  itemsPlaced = 0;
  readonly #options: FileEndsOptions;
  readonly #half: Half;

  /** @param options What it works with. */
  constructor(options: FileEndsOptions) {
    this.#options = options;
    this.#half = options.half;
  }

  /** A file was put into its place, or something was there. */
  handlePlaced(file: IncomingFile, result: PlaceResult): void {
    const { path } = file.planned.entry;
    this.#noteVerified(file);
    this.#settle(file);
    if (result === "placed") return this.#tellInPlace(file);
    this.#options.outcome.kept++;
    this.#half.warn("kept", path, `Kept ${path}: it appeared here meanwhile`);
  }

  /** A text is there, to be read at once. */
  handleText(file: IncomingFile, bytes: Uint8Array): void {
    const { path } = file.planned.entry;
    this.#noteVerified(file);
    this.#settle(file);
    this.#half.notify({ event: "text", path, text: decoder.decode(bytes) });
    this.#tellDone(file);
  }

  /** The file in its place is the very one: it is left as it is. */
  async handleIdentical(file: IncomingFile): Promise<void> {
    const { target, planned: { overwrite } } = file;
    if (overwrite) {
      try {
        await this.#options.storage.setFileTime(target.path, target.mtimeMs);
      } catch (error) {
        // Not ours to change, perhaps. The bytes are right, and the next run compares them again.
        if (!(error instanceof StorageError)) throw error;
      }
      if (this.#half.hasEnded || file.isSettled) return;
    }
    this.#noteVerified(file);
    this.#settle(file);
    this.#tellInPlace(file);
  }

  /** A file is not taken. */
  handleLeftOut(file: IncomingFile, reason: LeftOutReason): void {
    const { outcome } = this.#options;
    const half = this.#half;
    const { path } = file.planned.entry;
    this.#settle(file);
    switch (reason) {
      case "changed":
        outcome.changed++;
        half.warn("source_changed", path, `Left out ${path}: it changed while it was sent`);
        break;
      case "unreadable":
        outcome.unreadable++;
        half.warn("unreadable", path, `Left out ${path}: the other side could not read it`);
        break;
      case "bad_name":
        outcome.refused++;
        half.warn("unsafe_name", path, `Left out ${path}: this system cannot store its name`);
        break;
      case "differs":
        outcome.kept++;
        half.warn("kept", path, `Kept ${path}: what is here differs`);
        break;
      default:
        return reason satisfies never;
    }
  }

  #settle(file: IncomingFile): void {
    file.isSettled = true;
    this.filesSettled++;
    this.#options.onSettled(file);
  }

  #noteVerified({ planned, sizeBytes, claimedRoot }: IncomingFile): void {
    const streamBytes = planned.entry.kind === "stream" ? sizeBytes : undefined;
    this.#options.shareTree.setRoot(planned.index, claimedRoot!, streamBytes);
  }

  #tellInPlace(file: IncomingFile): void {
    this.#options.outcome.onInPlace(file.planned, file.claimedRoot);
    this.#tellDone(file);
  }

  #tellDone({ planned: { entry: { path } }, sizeBytes, claimedRoot }: IncomingFile): void {
    this.itemsPlaced++;
    const root = encodeHex(claimedRoot!);
    this.#half.notify({ event: "file-done", path, bytes: sizeBytes, root });
  }
}
