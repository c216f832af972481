/**
 * Files in memory, with the behaviour of a disk that transfers depend on. Every promise settles in
 * microtasks, so a run with it is deterministic. Failures are switched on by setting fields.
 */
import { foldName } from "../../lib/transfer/names.ts";
import {
  type FileInfo,
  nextStatePath,
  type PartFile,
  type PlaceResult,
  type SourceFile,
  type StatePlace,
  type Storage,
  StorageError,
  type TargetFile,
  type TargetLink,
  type WholeRead,
} from "../../lib/storage/storage.ts";

/** Something at a path. */
export interface FakeNode {
  kind: "file" | "directory" | "symlink" | "other";
  bytes: Uint8Array;
  mtimeMs: number;
  executable: boolean;
  /** What a symbolic link points to. */
  linkText?: string;
}

/** Where new folders get their time from: it must not look like any time of a test. */
const NOW_MS = 1_600_000_000_000;

/** A file system in memory; paths are absolute and use `/`. */
export class FakeStorage implements Storage {
  nameRules: "posix" | "windows" = "posix";
  readonly foldsNames: boolean;
  /** Paths whose files cannot be opened. */
  readonly unreadable: Set<string> = new Set();
  /** Names no file can be created under. */
  readonly badNames: Set<string> = new Set();
  /** Bytes that may be written in all; beyond, the disk is full. */
  capacityBytes = Infinity;
  /** What `freeBytes` tells. */
  reportedFreeBytes: number | undefined;
  /** Whether small files are read and written before the call returns, as on a quick disk. */
  answersAtOnce = false;
  /** Called before bytes of a source are read. */
  onRead: (path: string, offset: number) => void = () => {};
  /** Called before a file is moved into its place. */
  onPlace: (path: string) => void = () => {};
  /** Files open now. */
  openFiles = 0;
  /** Most files open at the same time. */
  peakOpenFiles = 0;
  readonly #nodes = new Map<string, { readonly path: string; readonly node: FakeNode }>();
  #writtenBytes = 0;

  constructor(options: { readonly foldsNames?: boolean } = {}) {
    this.foldsNames = options.foldsNames ?? false;
    this.addFolder("/");
  }

  // ---- for tests ----

  /** Puts a file somewhere, making the folders above it. */
  addFile(
    path: string,
    bytes: Uint8Array | string,
    details: { readonly mtimeMs?: number; readonly executable?: boolean } = {},
  ): void {
    this.#addParents(path);
    this.#set(path, {
      kind: "file",
      bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
      mtimeMs: details.mtimeMs ?? NOW_MS,
      executable: details.executable ?? false,
    });
  }

  /** Puts a folder somewhere, making the folders above it. */
  addFolder(path: string, mtimeMs = NOW_MS): void {
    if (path !== "/") this.#addParents(path);
    this.#set(path, { kind: "directory", bytes: new Uint8Array(0), mtimeMs, executable: false });
  }

  /** Puts a link, or something that is neither file nor folder, somewhere. */
  addSpecial(path: string, kind: "symlink" | "other", linkText = "elsewhere"): void {
    this.#addParents(path);
    const node: FakeNode = { kind, bytes: new Uint8Array(0), mtimeMs: NOW_MS, executable: false };
    if (kind === "symlink") node.linkText = linkText;
    this.#set(path, node);
  }

  /** What is at a path. */
  get(path: string): FakeNode | undefined {
    return this.#nodes.get(this.#key(path))?.node;
  }

  /** Takes something away. */
  delete(path: string): void {
    this.#nodes.delete(this.#key(path));
  }

  /** Every path under a folder, sorted. */
  paths(folder: string): string[] {
    const prefix = folder === "/" ? "/" : `${folder}/`;
    return Array.from(this.#nodes.values(), ({ path }) => path)
      .filter((path) => path !== folder && path.startsWith(prefix))
      .sort();
  }

  // ---- Storage ----

  join(folder: string, name: string): string {
    return folder === "/" ? `/${name}` : `${folder}/${name}`;
  }

  baseName(path: string): string {
    const trimmed = path.replace(/\/+$/, "");
    return trimmed.slice(trimmed.lastIndexOf("/") + 1);
  }

  // deno-lint-ignore require-await
  async inspect(path: string): Promise<FileInfo | undefined> {
    const node = this.get(path);
    return node === undefined ? undefined : infoOf(node);
  }

  // deno-lint-ignore require-await
  async resolve(path: string): Promise<string> {
    let absolute = path.replace(/\/(\.?\/)*\.?$/, "") || "/";
    // Links at the end of a path only; as many as Linux follows.
    for (let links = 0; links <= 40; links++) {
      const node = this.get(absolute);
      if (node === undefined) break;
      if (node.kind !== "symlink") return absolute;
      const text = node.linkText!;
      absolute = text.startsWith("/") ? text : this.join(parentOf(absolute), text);
    }
    throw new StorageError("not_found", `No ${path}`);
  }

  // deno-lint-ignore require-await
  async list(folder: string): Promise<string[]> {
    if (this.unreadable.has(folder)) throw new StorageError("denied", `Cannot list ${folder}`);
    return this.paths(folder)
      .map((path) => path.slice(folder === "/" ? 1 : folder.length + 1))
      .filter((name) => !name.includes("/"))
      // Not sorted, as on a disk.
      .reverse();
  }

  readWhole(path: string, into: Uint8Array): WholeRead | Promise<WholeRead> {
    return this.answersAtOnce ? this.#readNow(path, into) : this.#readLater(path, into);
  }

  // deno-lint-ignore require-await
  async openSource(path: string): Promise<SourceFile> {
    const node = this.#sourceNode(path);
    this.#opened();
    return {
      info: infoOf(node),
      // deno-lint-ignore require-await
      read: async (offset, into) => this.#readFrom(node, path, offset, into),
      // deno-lint-ignore require-await
      inspect: async () => infoOf(node),
      close: () => void this.openFiles--,
    };
  }

  // deno-lint-ignore require-await
  async freeBytes(_folder: string): Promise<number | undefined> {
    return this.reportedFreeBytes;
  }

  // deno-lint-ignore require-await
  async makeFolders(path: string): Promise<void> {
    this.addFolder(path);
  }

  // deno-lint-ignore require-await
  async makeFolder(path: string): Promise<boolean> {
    if (this.get(path) !== undefined) return false;
    this.#assertName(path);
    this.#assertParent(path);
    this.addFolder(path);
    return true;
  }

  // deno-lint-ignore require-await
  async setFolderTime(path: string, mtimeMs: number): Promise<void> {
    const node = this.get(path);
    if (node?.kind !== "directory") throw new StorageError("not_found", `No ${path}`);
    node.mtimeMs = mtimeMs;
  }

  // deno-lint-ignore require-await
  async setFileTime(path: string, mtimeMs: number): Promise<void> {
    const node = this.get(path);
    if (node?.kind !== "file") throw new StorageError("not_found", `No file ${path}`);
    node.mtimeMs = mtimeMs;
  }

  // deno-lint-ignore require-await
  async createPart(target: TargetFile): Promise<PartFile> {
    const node = this.#addPart(target);
    this.#opened();
    return new FakePart(this, target, node);
  }

  // deno-lint-ignore require-await
  async resumePart(target: TargetFile): Promise<PartFile | undefined> {
    const node = this.get(target.partPath);
    if (node?.kind !== "file") return undefined;
    this.#opened();
    return new FakePart(this, target, node);
  }

  writeWhole(target: TargetFile, bytes: Uint8Array): void | Promise<void> {
    if (this.answersAtOnce) return this.#writeNow(target, bytes);
    return Promise.resolve().then(() => this.#writeNow(target, bytes));
  }

  // deno-lint-ignore require-await
  async placeWhole(targets: readonly TargetFile[]): Promise<(PlaceResult | StorageError)[]> {
    return targets.map((target) => {
      try {
        const node = this.get(target.partPath);
        if (node === undefined) throw new StorageError("not_found", `No ${target.partPath}`);
        return this.place(target, node);
      } catch (error) {
        this.delete(target.partPath);
        if (error instanceof StorageError) return error;
        throw error;
      }
    });
  }

  // deno-lint-ignore require-await
  async discardWhole(target: TargetFile): Promise<void> {
    this.delete(target.partPath);
  }

  // deno-lint-ignore require-await
  async syncFolder(path: string): Promise<void> {
    if (this.get(path)?.kind !== "directory") throw new StorageError("not_found", `No ${path}`);
  }

  // deno-lint-ignore require-await
  async readLink(path: string): Promise<string> {
    const text = this.get(path)?.linkText;
    if (text === undefined) throw new StorageError("not_found", `No link ${path}`);
    return text;
  }

  // deno-lint-ignore require-await
  async makeLink(linkText: string, target: TargetLink): Promise<PlaceResult> {
    this.#assertName(target.path);
    this.#assertParent(target.path);
    const { mtimeMs } = target;
    const bytes = new Uint8Array(0);
    return this.place(target, { kind: "symlink", bytes, mtimeMs, executable: false, linkText });
  }

  // deno-lint-ignore require-await
  async readState({ journalPath }: StatePlace, maxBytes: number): Promise<Uint8Array | undefined> {
    const node = this.get(journalPath);
    if (node?.kind !== "file" || node.bytes.length > maxBytes) return undefined;
    return node.bytes.slice();
  }

  // deno-lint-ignore require-await
  async replaceState(place: StatePlace, bytes: Uint8Array): Promise<void> {
    const path = nextStatePath(place);
    this.#assertParent(path);
    const node = newFile(NOW_MS, false);
    this.#set(path, node);
    try {
      this.write(node, 0, bytes);
      this.#set(place.journalPath, node);
    } finally {
      this.delete(path);
    }
  }

  // deno-lint-ignore require-await
  async removeState(place: StatePlace): Promise<void> {
    this.delete(place.journalPath);
    this.delete(nextStatePath(place));
  }

  // ---- for parts ----

  /** @ignore */
  write(node: FakeNode, offset: number, bytes: Uint8Array): void {
    this.#writtenBytes += bytes.length;
    if (this.#writtenBytes > this.capacityBytes) throw new StorageError("no_space", "Disk full");
    const end = offset + bytes.length;
    if (end > node.bytes.length) {
      const larger = new Uint8Array(end);
      larger.set(node.bytes);
      node.bytes = larger;
    }
    node.bytes.set(bytes, offset);
  }

  /** @ignore */
  place(target: TargetLink, node: FakeNode): PlaceResult {
    this.onPlace(target.path);
    const there = this.get(target.path);
    if (there?.kind === "directory" && target.overwrite) {
      throw new StorageError("other", `A folder: ${target.path}`);
    }
    this.delete(target.partPath);
    if (there !== undefined && !target.overwrite) return "exists";
    this.#set(target.path, node);
    // Every change in a folder changes its time.
    this.get(parentOf(target.path))!.mtimeMs = NOW_MS;
    return "placed";
  }

  #sourceNode(path: string): FakeNode {
    const node = this.get(path);
    if (node === undefined) throw new StorageError("not_found", `No ${path}`);
    if (this.unreadable.has(path)) throw new StorageError("denied", `Cannot open ${path}`);
    if (node.kind !== "file") throw new StorageError("replaced", `Not a file: ${path}`);
    return node;
  }

  #readFrom(node: FakeNode, path: string, offset: number, into: Uint8Array): number {
    this.onRead(path, offset);
    if (this.unreadable.has(path)) throw new StorageError("other", `Cannot read ${path}`);
    const bytes = node.bytes.subarray(offset, offset + into.length);
    into.set(bytes);
    return bytes.length;
  }

  #readNow(path: string, into: Uint8Array): WholeRead {
    const node = this.#sourceNode(path);
    const before = infoOf(node);
    const length = this.#readFrom(node, path, 0, into);
    return { before, length, after: infoOf(node) };
  }

  async #readLater(path: string, into: Uint8Array): Promise<WholeRead> {
    const source = await this.openSource(path);
    try {
      const before = source.info;
      const length = await source.read(0, into);
      return { before, length, after: await source.inspect() };
    } finally {
      source.close();
    }
  }

  #writeNow(target: TargetFile, bytes: Uint8Array): void {
    const node = this.#addPart(target);
    try {
      this.write(node, 0, bytes);
    } catch (error) {
      this.delete(target.partPath);
      throw error;
    }
  }

  #addPart(target: TargetFile): FakeNode {
    this.#assertName(target.path);
    this.#assertParent(target.partPath);
    const node = newFile(target.mtimeMs, target.executable);
    this.#set(target.partPath, node);
    return node;
  }

  #opened(): void {
    this.openFiles++;
    this.peakOpenFiles = Math.max(this.peakOpenFiles, this.openFiles);
  }

  #assertName(path: string): void {
    if (this.badNames.has(this.baseName(path))) {
      throw new StorageError("bad_name", `Cannot create ${path}`);
    }
  }

  #assertParent(path: string): void {
    if (this.get(parentOf(path))?.kind !== "directory") {
      throw new StorageError("not_found", `No folder for ${path}`);
    }
  }

  #addParents(path: string): void {
    const parent = parentOf(path);
    if (this.get(parent) === undefined) this.addFolder(parent);
  }

  #set(path: string, node: FakeNode): void {
    this.#nodes.set(this.#key(path), { path, node });
  }

  #key(path: string): string {
    return this.foldsNames ? foldName(path) : path;
  }
}

class FakePart implements PartFile {
  readonly #storage: FakeStorage;
  readonly #target: TargetFile;
  readonly #node: FakeNode;
  #isOpen = true;

  constructor(storage: FakeStorage, target: TargetFile, node: FakeNode) {
    this.#storage = storage;
    this.#target = target;
    this.#node = node;
  }

  // deno-lint-ignore require-await
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#storage.write(this.#node, offset, bytes);
  }

  // deno-lint-ignore require-await
  async read(offset: number, into: Uint8Array): Promise<number> {
    const bytes = this.#node.bytes.subarray(offset, offset + into.length);
    into.set(bytes);
    return bytes.length;
  }

  async sync(): Promise<void> {}

  // deno-lint-ignore require-await
  async place(sizeBytes: number): Promise<PlaceResult> {
    this.#close();
    const node = this.#node;
    if (node.bytes.length !== sizeBytes) {
      const bytes = new Uint8Array(sizeBytes);
      bytes.set(node.bytes.subarray(0, sizeBytes));
      node.bytes = bytes;
    }
    node.mtimeMs = this.#target.mtimeMs;
    node.executable = this.#target.executable;
    return this.#storage.place(this.#target, node);
  }

  keep(): void {
    this.#close();
  }

  // deno-lint-ignore require-await
  async discard(): Promise<void> {
    this.#close();
    this.#storage.delete(this.#target.partPath);
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#storage.openFiles--;
  }
}

function newFile(mtimeMs: number, executable: boolean): FakeNode {
  return { kind: "file", bytes: new Uint8Array(0), mtimeMs, executable };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Tells files apart that are at one path one after the other. */
const inodes = new WeakMap<FakeNode, number>();
let lastInode = 0;

function infoOf(node: FakeNode): FileInfo {
  const { kind, mtimeMs, executable } = node;
  const inode = inodes.get(node) ?? ++lastInode;
  inodes.set(node, inode);
  return { kind, sizeBytes: node.bytes.length, mtimeMs, executable, inode };
}
