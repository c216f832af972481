/**
 * Hashes of groups that were computed for one client and are told to others that CHECK the same file,
 * without reading it again. Never sent beside bytes: those are hashed as they were read [READ-1].
 */
import { HASH_BYTES, KEPT_HASH_BYTES } from "../limits.ts";
import { sameHash } from "../hash_tree.ts";
import type { FileInfo } from "../../storage/storage.ts";
import { isSameState } from "./source_state.ts";

/** Hashes in one piece of memory; a file of fewer groups has a shorter one. */
const PAGE_HASHES = 256;
/** What a file costs besides its hashes, about. */
const FILE_BYTES = 512;

/** The hashes of the groups of one file in one state. */
export class FileHashes {
  /** What the file was. */
  readonly info: FileInfo;
  /** Memory they take. */
  bytes = FILE_BYTES;
  readonly #groups: number;
  readonly #pages = new Map<number, { readonly hashes: Uint8Array; readonly known: Uint8Array }>();
  readonly #grow: (file: FileHashes, bytes: number) => boolean;

  /**
   * @param info What the file is.
   * @param groups How many groups it has.
   * @param grow Asked for more memory.
   */
  constructor(
    info: FileInfo,
    groups: number,
    grow: (file: FileHashes, bytes: number) => boolean,
  ) {
    this.info = info;
    this.#groups = groups;
    this.#grow = grow;
  }

  /** Whether the hash of a group is known. */
  has(group: number): boolean {
    return this.#pages.get(Math.floor(group / PAGE_HASHES))?.known[group % PAGE_HASHES] === 1;
  }

  /** The hash of a group, if it is known. */
  get(group: number): Uint8Array | undefined {
    if (!this.has(group)) return undefined;
    const { hashes } = this.#pages.get(Math.floor(group / PAGE_HASHES))!;
    const start = group % PAGE_HASHES * HASH_BYTES;
    return hashes.slice(start, start + HASH_BYTES);
  }

  /**
   * Notes the hash of a group that was read. When another one was known, the file has changed in a way
   * that neither size nor times tell: nothing that was known before counts any more.
   */
  note(group: number, hash: Uint8Array): void {
    const known = this.get(group);
    if (known !== undefined && !sameHash(known, hash)) {
      for (const page of this.#pages.values()) page.known.fill(0);
    }
    const page = this.#pageOf(group);
    if (page === undefined) return;
    page.known[group % PAGE_HASHES] = 1;
    page.hashes.set(hash, group % PAGE_HASHES * HASH_BYTES);
  }

  #pageOf(group: number) {
    const number = Math.floor(group / PAGE_HASHES);
    const there = this.#pages.get(number);
    if (there !== undefined) return there;
    const length = Math.min(PAGE_HASHES, this.#groups - number * PAGE_HASHES);
    if (!this.#grow(this, length * (HASH_BYTES + 1))) return undefined;
    const page = { hashes: new Uint8Array(length * HASH_BYTES), known: new Uint8Array(length) };
    this.#pages.set(number, page);
    return page;
  }
}

/** The hashes of all files of a share, those asked for last, within {@linkcode KEPT_HASH_BYTES}. */
export class KeptHashes {
  /** By entry, the one that was used longest ago first. */
  readonly #files = new Map<number, FileHashes>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes How much memory they may take. */
  constructor(maxBytes: number = KEPT_HASH_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The hashes of a file that was just opened: those known, if it is still what it was. */
  of(entry: number, info: FileInfo, groups: number): FileHashes {
    const there = this.#files.get(entry);
    const isSame = there !== undefined && isSameState(there.info, info);
    if (there !== undefined) this.#files.delete(entry);
    if (there !== undefined && !isSame) this.#bytes -= there.bytes;
    const file = isSame
      ? there
      : new FileHashes(info, groups, (file, bytes) => this.#grow(entry, file, bytes));
    this.#files.set(entry, file);
    if (!isSame) this.#bytes += file.bytes;
    this.#makeRoom(0, file);
    return file;
  }

  #grow(entry: number, file: FileHashes, bytes: number): boolean {
    // One that was dropped grows no more: nobody would find it.
    if (this.#files.get(entry) !== file || !this.#makeRoom(bytes, file)) return false;
    file.bytes += bytes;
    this.#bytes += bytes;
    return true;
  }

  /** Drops files that were not used for longest, but for one. */
  #makeRoom(bytes: number, but: FileHashes): boolean {
    for (const [entry, file] of this.#files) {
      if (this.#bytes + bytes <= this.#maxBytes) return true;
      if (file === but) continue;
      this.#files.delete(entry);
      this.#bytes -= file.bytes;
    }
    return this.#bytes + bytes <= this.#maxBytes;
  }
}
