/**
 * The manifest of what was received: collects the entries that are in their place, reads their files
 * back from the disk when all is done, and writes it. A file that reads back as other bytes than
 * those that were verified on their way ends the transfer with `integrity`: the disk, or the memory
 * in front of it, did not keep them.
 */
import { encodeHex } from "../bytes/hex.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { formatManifest, type ListedFile, type ManifestRemarks } from "./checksum_manifest.ts";
import { FileDigester } from "./file_digests.ts";
import { sameHash } from "../transfer/hash_tree.ts";
import { writeManifestFile } from "./manifest_file.ts";
import { foldName, pathInFolder } from "../transfer/names.ts";
import type { PlannedEntry } from "../transfer/receiving/plan.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import type { TransferProgress } from "../transfer/transfer_notice.ts";

/** What a {@linkcode ManifestWriter} works with. */
export interface ManifestWriterOptions {
  readonly storage: Storage;
  readonly crypto: Pick<CryptoProvider, "sha256" | "createSha256">;
  /** The folder that is received into; the names in the manifest belong to it. */
  readonly directory: string;
  /** Where the manifest goes. */
  readonly path: string;
  /** The folder of that. */
  readonly folder: string;
  /** Whether a file that is there before the transfer may be replaced. */
  readonly overwrite: boolean;
  /** Milliseconds since 1970: the time that the manifest gets. */
  readonly wallClockMs: () => number;
  /** Aborted when the transfer ends otherwise. */
  readonly signal: AbortSignal;
}

/** What a manifest holds. */
export interface WrittenManifest {
  readonly files: number;
  readonly bytes: number;
}

interface PlacedEntry {
  readonly planned: PlannedEntry;
  /** Of its tree, as it was verified on its way; undefined for a file that was here already. */
  readonly root: Uint8Array | undefined;
}

/** Hint where the name of the manifest is taken. */
const CHOOSE_ANOTHER = "Choose another name for the manifest";

/** Writes one manifest. */
export class ManifestWriter {
  readonly #options: ManifestWriterOptions;
  #placed: PlacedEntry[] = [];
  /** Roots of files that a session before put into their place, by the number of their entry. */
  readonly #earlierRoots = new Map<number, Uint8Array>();
  #wasThere = false;
  #bytesRead = 0;
  #bytesTotal = 0;
  #filesRead = 0;
  #filesTotal = 0;
  #currentFile = "";

  /** @param options What it works with. */
  constructor(options: ManifestWriterOptions) {
    this.#options = options;
  }

  /**
   * Looks before the transfer whether the manifest can be written after it.
   *
   * @throws {TransferError} `usage` when not.
   * @throws {StorageError} When that cannot be looked at.
   */
  async check(): Promise<void> {
    const { storage, path, folder, directory, overwrite } = this.#options;
    const info = await storage.inspect(path);
    this.#wasThere = info !== undefined;
    if (info !== undefined && !(overwrite && info.kind === "file")) {
      throw new TransferError("usage", `Cannot write the manifest ${path}: it is there already`, {
        hint: `${CHOOSE_ANOTHER}, or replace a file with --overwrite always`,
      });
    }
    // The target folder is made when it is missing.
    if (folder === directory || (await storage.inspect(folder)) !== undefined) return;
    throw new TransferError("usage", `Cannot write the manifest ${path}: its folder is not there`, {
      hint: "Make the folder first, or choose one that is there",
    });
  }

  /**
   * Everything in its place is noted again from here on, because the transfer begins anew.
   *
   * @param isSameOffer Whether it is of the same entries: then the roots that are known still count.
   */
  restart(isSameOffer: boolean): void {
    if (!isSameOffer) this.#earlierRoots.clear();
    for (const { planned, root } of this.#placed) {
      if (isSameOffer && root !== undefined) this.#earlierRoots.set(planned.index, root);
    }
    this.#placed = [];
    this.#bytesTotal = 0;
    this.#filesTotal = 0;
  }

  /** Notes an entry that is in its place, with the root of its file if it was sent. */
  add(planned: PlannedEntry, root?: Uint8Array): void {
    // The root may be a view of memory that is used again.
    const known = root?.slice() ?? this.#earlierRoots.get(planned.index);
    this.#placed.push({ planned, root: known });
    this.#bytesTotal += planned.entry.sizeBytes;
    if (isFile(planned)) this.#filesTotal++;
  }

  /** How far reading back is. */
  get progress(): TransferProgress {
    return {
      bytesDone: this.#bytesRead,
      bytesTotal: this.#bytesTotal,
      itemsDone: this.#filesRead,
      itemsTotal: this.#filesTotal,
      file: this.#currentFile,
    };
  }

  /**
   * Reads everything back and writes the manifest.
   *
   * @throws {TransferError} `integrity` when a file is not as it was sent; `write_failed` when
   *   something of the share has the manifest's name.
   * @throws {StorageError} When a file cannot be read or the manifest not written.
   * @throws The reason of the signal.
   */
  async write(): Promise<WrittenManifest> {
    const { storage, crypto, path, folder, overwrite, wallClockMs, signal } = this.#options;
    const placed = this.#placed.sort((a, b) => a.planned.index - b.planned.index);
    await this.#checkName(placed);
    const onBytes = (count: number) => {
      this.#bytesRead += count;
    };
    const digester = new FileDigester({ storage, crypto, onBytes, signal });
    const files: ListedFile[] = [];
    for (const { planned, root } of placed) {
      if (!isFile(planned)) continue;
      this.#currentFile = planned.storedAs;
      files.push(await this.#readBack(digester, planned, root));
      this.#filesRead++;
    }
    signal.throwIfAborted();
    const result = await writeManifestFile(storage, crypto, {
      path,
      folder,
      mtimeMs: wallClockMs(),
      overwrite: overwrite && this.#wasThere,
    }, formatManifest(files, remarksOn(placed)));
    if (result === "exists") throw this.#nameTaken("something appeared there meanwhile");
    return { files: files.length, bytes: this.#bytesRead };
  }

  async #readBack(
    digester: FileDigester,
    { entry, storedAs }: PlannedEntry,
    root: Uint8Array | undefined,
  ): Promise<ListedFile> {
    const { storage, directory } = this.#options;
    const place = pathInFolder(storage, directory, storedAs);
    if ("refusal" in place) throw new Error(`Placed under a name that ${place.refusal}`);
    try {
      const digests = await digester.digest(place.path, entry.sizeBytes);
      if (root !== undefined && !sameHash(root, digests.root)) throw damaged(storedAs);
      return {
        path: storedAs,
        sizeBytes: digests.sizeBytes,
        sha256: encodeHex(digests.sha256),
        root: encodeHex(digests.root),
      };
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind === "permission_missing") throw error;
      const message = `Cannot read ${storedAs} back: ${error.message}`;
      throw new TransferError("read_failed", message, { cause: error });
    }
  }

  /** Nothing that was received is replaced by the manifest of it. */
  async #checkName(placed: readonly PlacedEntry[]): Promise<void> {
    const { storage, directory, folder, path } = this.#options;
    if (placed.length === 0) return;
    const root = await storage.resolve(directory);
    const fold = (text: string) => storage.foldsNames ? foldName(text) : text;
    const own = fold(storage.join(await storage.resolve(folder), storage.baseName(path)));
    for (const { planned } of placed) {
      const place = pathInFolder(storage, root, planned.storedAs);
      if ("path" in place && fold(place.path) === own) {
        throw this.#nameTaken("something that was received has this name");
      }
    }
  }

  #nameTaken(how: string): TransferError {
    const message = `Cannot write the manifest ${this.#options.path}: ${how}`;
    return new TransferError("write_failed", message, { hint: CHOOSE_ANOTHER });
  }
}

function isFile({ entry }: PlannedEntry): boolean {
  return entry.kind === "file" || entry.kind === "stream";
}

function remarksOn(placed: readonly PlacedEntry[]): ManifestRemarks {
  const folders: string[] = [];
  const links: { path: string; target: string }[] = [];
  for (const { planned: { entry, storedAs } } of placed) {
    if (entry.kind === "directory") folders.push(storedAs);
    if (entry.kind === "symlink") links.push({ path: storedAs, target: entry.linkTarget ?? "" });
  }
  return { folders, links };
}

function damaged(path: string): TransferError {
  return new TransferError(
    "integrity",
    `Damaged: ${path} does not read back from the disk as it was written`,
    { hint: "Check the disk and the memory of this machine, then run the same command again" },
  );
}
