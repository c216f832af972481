/**
 * The reading side of a share, one for all its clients: what several want at about the same time is
 * read and hashed once (docs/transfer.md, "Giver") [READ-1] [READ-2].
 *
 * The parts: `shared_file.ts` is a large file that is open, `file_reader.ts` what one request wants of
 * it, `group_cache.ts` which groups are kept for clients that come a little later, `file_hashes.ts`
 * what is known of files without their bytes; `small_files.ts` does the same for files of one group;
 * `hash_turns.ts` says whose group is hashed next.
 */
import { BufferPool } from "../buffer_pool.ts";
import type { TransferCrypto } from "../hash_tree.ts";
import { KeptHashes } from "./file_hashes.ts";
import { FileReader } from "./file_reader.ts";
import { GroupCache } from "./group_cache.ts";
import { HashTurns } from "./hash_turns.ts";
import {
  CHECK_AHEAD_GROUPS,
  GROUP_BYTES,
  READ_AHEAD_GROUPS,
  SHARED_AHEAD_GROUPS,
  SHARED_POOL_BYTES,
} from "../limits.ts";
import type { ByteRange } from "../messages.ts";
import type { Manifest } from "../offer/manifest.ts";
import { ShareRoots } from "../offer/share_roots.ts";
import type { RequestKind } from "./outgoing_request.ts";
import { SharedFile, type TakeClock } from "./shared_file.ts";
import type { SharedGroup } from "./shared_group.ts";
import { SmallFiles } from "./small_files.ts";
import { isSameState } from "./source_state.ts";
import type { SourceStorage } from "../../storage/storage.ts";

/** What a {@linkcode SharedReading} works with. */
export interface SharedReadingOptions {
  /** Where the files are. */
  readonly storage: SourceStorage;
  /** What is offered. */
  readonly manifest: Manifest;
  /** Where SHA-256 comes from. */
  readonly crypto: TransferCrypto;
}

/** What is read of a share. */
export class SharedReading {
  /** Where the files are. */
  readonly storage: SourceStorage;
  /** What is offered. */
  readonly manifest: Manifest;
  /** Where buffers come from. */
  readonly pool: BufferPool = new BufferPool(SHARED_POOL_BYTES);
  /** Files of one group at most. */
  readonly smallFiles: SmallFiles;
  /** The roots of files, as far as any client made them known. */
  readonly roots: ShareRoots;
  /** Groups that are kept. */
  readonly cache: GroupCache = new GroupCache();
  readonly #turns: HashTurns;
  readonly #hashes = new KeptHashes();
  /** Files that are open, by entry. */
  readonly #files = new Map<number, SharedFile>();
  readonly #clock: TakeClock = { taken: 0 };
  #clients = 0;
  /** Requests for bytes of large files that are being answered. */
  #readers = 0;

  /** @param options What it works with. */
  constructor({ storage, manifest, crypto }: SharedReadingOptions) {
    this.storage = storage;
    this.manifest = manifest;
    this.smallFiles = new SmallFiles({ storage, manifest, pool: this.pool });
    this.roots = new ShareRoots(manifest.entries.length);
    this.#turns = new HashTurns(crypto, () => this.breathe());
  }

  /** How many large files are open. */
  get openFiles(): number {
    return this.#files.size;
  }

  /** A client begins to take things. */
  join(): void {
    this.cache.setClients(++this.#clients);
  }

  /** It takes no more. */
  leave(): void {
    this.cache.setClients(--this.#clients);
    if (this.#clients < 2) this.smallFiles.clear();
  }

  /** Lets other things of the program happen. */
  async breathe(): Promise<void> {
    await this.storage.breathe?.();
  }

  /**
   * Opens a file of more than one group, or gives the one that is open, if it is the file that is at
   * the path now. Held for the caller.
   *
   * @param index Its number in the manifest.
   * @throws {StorageError} When it cannot be opened.
   */
  async open(index: number): Promise<SharedFile> {
    const { storage, manifest, pool, cache } = this;
    const source = await storage.openSource(manifest.sourceOf(manifest.entries[index]!));
    const there = this.#files.get(index);
    if (there !== undefined && isSameState(there.info, source.info)) {
      source.close();
      there.hold();
      return there;
    }
    const file = new SharedFile({
      source,
      hashes: this.#hashes.of(index, source.info, Math.ceil(source.info.sizeBytes / GROUP_BYTES)),
      pool,
      cache,
      clock: this.#clock,
      onUnused: (file) => {
        if (this.#files.get(index) === file) this.#files.delete(index);
      },
    });
    this.#files.set(index, file);
    return file;
  }

  /**
   * Begins to read groups of a file; {@linkcode SharedReading.stop} follows.
   *
   * @param kind What the request asks for.
   * @param file What to read; held by the caller until then.
   * @param ranges Which parts; each begins a group.
   * @param isWanted Asked before each read.
   */
  read(
    kind: RequestKind,
    file: SharedFile,
    { ranges, isWanted }: {
      readonly ranges: readonly ByteRange[];
      readonly isWanted: () => boolean;
    },
  ): FileReader {
    const isCheck = kind === "check";
    if (!isCheck) this.#readers++;
    return new FileReader(file, ranges, {
      isWanted,
      isCheck,
      clock: this.#clock,
      aheadGroups: () => isCheck ? CHECK_AHEAD_GROUPS : this.#aheadGroups,
    });
  }

  /** Ends what {@linkcode SharedReading.read} began. */
  async stop(kind: RequestKind, reader: FileReader): Promise<void> {
    if (kind === "get") this.#readers--;
    await reader.stop();
  }

  /** The hash of a group, which the caller holds until then. */
  hashOf(kind: RequestKind, file: SharedFile, group: SharedGroup): Promise<Uint8Array> {
    group.hash ??= this.hash(kind, group.bytes).then((hash) => {
      file.hashes.note(group.index, hash);
      return hash;
    });
    return group.hash;
  }

  /** The hash of bytes of a group when it is its turn; they are not changed until then. */
  async hash(kind: RequestKind, bytes: Uint8Array): Promise<Uint8Array> {
    return await this.#turns.hash(kind, bytes);
  }

  /** What one may read ahead: less when there are many, so that all have no more memory. */
  get #aheadGroups(): number {
    const share = Math.floor(SHARED_AHEAD_GROUPS / Math.max(this.#readers, 1));
    return Math.max(1, Math.min(READ_AHEAD_GROUPS, share));
  }
}
