/**
 * A disk with a volatile cache, as far as a power cut tells it from a plain one:
 *
 * - What was written to a file and not synced is lost or kept, each write by itself; the last one may
 *   be torn. The size may be the old one or the new one with zeros.
 * - Names (create, link, rename, unlink, mkdir) reach the disk in their order, as on a journaling file
 *   system, but any number of the last ones may be missing. Syncing a file saves those up to its
 *   creation, syncing a folder those up to the last one in it.
 * - A time that was set and not synced is the old one or the new one.
 *
 * Every call is an injection point and has a number: a {@linkcode Fault} strikes before, in the middle
 * of or after one of them, or makes it fail. Nothing here knows what the calls are for; what a storage
 * is made of them is in `crash_storage.ts`.
 */
import { StorageError } from "../../lib/storage/storage.ts";
import { DiskNames } from "./disk_names.ts";
import { applyChange, type DiskNode, newNode, type Survival } from "./disk_node.ts";

/** What strikes at a call. */
export type FaultKind =
  /** The power is cut before the call does anything. */
  | "cut_before"
  /** The power is cut when the call has done a part of what it does. */
  | "cut_within"
  /** The power is cut when the call has done everything, before anybody hears of it. */
  | "cut_after"
  /** From this call on the disk is full. */
  | "no_space"
  /** This call fails. */
  | "failure";

/** One stroke of bad luck. */
export interface Fault {
  /** Number of the call, from 0. */
  readonly call: number;
  readonly kind: FaultKind;
}

/** What a call does, as far as faults go. */
type CallNature =
  /** It takes room: it fails on a full disk. */
  | "filling"
  /** It changes something, or makes it lasting. */
  | "changing"
  /** It looks. */
  | "looking";

/** Thrown by every call from the power cut on. */
export class PowerCut extends Error {}

/** One disk, until its power is cut; {@linkcode CrashDisk.reboot} gives the next. */
export class CrashDisk {
  /** Calls so far. */
  calls = 0;
  /** What strikes, and when. */
  fault: Fault | undefined;
  /** Called before each call, with its number. */
  onCall: (call: number) => void = () => {};
  /** What was called: the number of a call is its index. */
  readonly log: string[] = [];
  /** Resolves when the power is cut. */
  readonly cut: Promise<void>;
  #signalCut!: () => void;
  #isDown = false;
  #isFull = false;
  readonly #names: DiskNames;

  /** @param names What is on it. */
  constructor(names: DiskNames = new DiskNames()) {
    this.#names = names;
    this.cut = new Promise((resolve) => this.#signalCut = resolve);
  }

  // ---- for tests: no calls of a program ----

  /** Puts a file on the disk for good, making the folders above it. */
  addFile(
    path: string,
    bytes: Uint8Array,
    details: { readonly mtimeMs?: number; readonly executable?: boolean } = {},
  ): void {
    const { mtimeMs, executable } = details;
    const node = newNode("file", -1, executable);
    node.bytes = node.lastingBytes = bytes.slice();
    if (mtimeMs !== undefined) node.mtimeMs = node.lastingMtimeMs = mtimeMs;
    this.#names.addForGood(path, node);
  }

  /** Puts a folder on the disk for good, making those above it. */
  addFolder(path: string, mtimeMs: number): void {
    const node = newNode("directory", -1);
    node.mtimeMs = node.lastingMtimeMs = mtimeMs;
    this.#names.addForGood(path, node);
  }

  /** Puts a symbolic link on the disk for good. */
  addLink(path: string, linkText: string): void {
    this.#names.addForGood(path, newNode("symlink", -1, false, linkText));
  }

  /** Takes a file away for good. */
  remove(path: string): void {
    this.#names.removeForGood(path);
  }

  /** A disk that was full has room again. */
  makeRoom(): void {
    this.#isFull = false;
  }

  /** What is at a path now. */
  peek(path: string): DiskNode | undefined {
    return this.#names.get(path);
  }

  /** Every path, sorted. */
  get paths(): string[] {
    return Array.from(this.#names.paths).sort();
  }

  /** Whether the power was cut. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Cuts the power between two calls. */
  cutPower(): void {
    this.#isDown = true;
    this.#signalCut();
  }

  /** The disk as the next program finds it when only the program was killed: nothing was saved for it. */
  afterKill(): CrashDisk {
    return new CrashDisk(this.#names.copy());
  }

  /** The disk that is found when the power is back. */
  reboot(survival: Survival): CrashDisk {
    return new CrashDisk(this.#names.survivors(survival));
  }

  // ---- calls ----

  /** What is at a path, no link followed. */
  look(path: string): DiskNode | undefined {
    return this.#call(`look ${path}`, "looking", () => this.#names.get(path));
  }

  /** The names in a folder. */
  list(path: string): string[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return this.#call(`list ${path}`, "looking", () =>
      Array.from(this.#names.paths)
        .filter((name) => name.startsWith(prefix) && name !== path)
        .map((name) => name.slice(prefix.length))
        .filter((name) => !name.includes("/"))
        .reverse());
  }

  /** Reads from a file. */
  read(path: string, node: DiskNode, offset: number, into: Uint8Array): number {
    return this.#call(`read ${path} at ${offset}`, "looking", () => {
      const bytes = node.bytes.subarray(offset, offset + into.length);
      into.set(bytes);
      return bytes.length;
    });
  }

  /** Makes a file or link; undefined when something is there. */
  create(
    path: string,
    details: { readonly executable?: boolean; readonly linkText?: string } = {},
  ): DiskNode | undefined {
    const { executable, linkText } = details;
    return this.#call(`create ${path}`, "filling", () => {
      if (this.#names.get(path) !== undefined) return undefined;
      const kind = linkText === undefined ? "file" : "symlink";
      const node = newNode(kind, this.#names.operationCount, executable, linkText);
      this.#names.change({ path, node });
      return node;
    });
  }

  /** Makes a folder; false when something is there. */
  makeFolder(path: string): boolean {
    return this.#call(`mkdir ${path}`, "filling", () => {
      if (this.#names.get(path) !== undefined) return false;
      this.#names.change({ path, node: newNode("directory", this.#names.operationCount) });
      return true;
    });
  }

  /** Writes to a file. */
  write(path: string, node: DiskNode, offset: number, bytes: Uint8Array): void {
    const change = (length: number): void => {
      const copy = bytes.slice(0, length);
      node.pending.push({ offset, bytes: copy });
      node.bytes = applyChange(node.bytes, { offset, bytes: copy });
    };
    this.#call(
      `write ${path} at ${offset}`,
      "filling",
      () => change(bytes.length),
      () => change(bytes.length >> 1),
    );
  }

  /** Sets the size of a file. */
  resize(path: string, node: DiskNode, sizeBytes: number): void {
    this.#call(`resize ${path}`, "changing", () => {
      if (sizeBytes === node.bytes.length) return;
      const change = { offset: sizeBytes, bytes: undefined };
      node.pending.push(change);
      node.bytes = applyChange(node.bytes, change);
    });
  }

  /** Sets the time of a file or folder. */
  setTime(path: string, node: DiskNode, mtimeMs: number): void {
    this.#call(`time ${path}`, "changing", () => void (node.mtimeMs = mtimeMs));
  }

  /** Makes what was written to a file lasting, and its name with it. */
  sync(path: string, node: DiskNode): void {
    this.#call(
      `sync ${path}`,
      "filling",
      () => this.#save(node),
      () => {
        const half = node.pending.splice(0, node.pending.length >> 1);
        for (const change of half) node.lastingBytes = applyChange(node.lastingBytes, change);
      },
    );
  }

  /** Makes the names in a folder lasting, and its time. */
  syncFolder(path: string): void {
    this.#call(`sync folder ${path}`, "filling", () => {
      const node = this.#names.get(path);
      if (node?.kind !== "directory") throw new StorageError("not_found", `No folder ${path}`);
      this.#save(node);
      this.#names.saveFolder(path);
    });
  }

  /** Makes everything lasting. */
  syncAll(): void {
    const { nodes } = this.#names;
    this.#call(
      "sync all",
      "filling",
      () => {
        for (const node of nodes) this.#save(node);
        this.#names.save(this.#names.operationCount);
      },
      () => {
        let count = 0;
        for (const node of nodes) if (count++ % 2 === 0) this.#save(node);
      },
    );
  }

  /** Gives a file a second name; false when something is there. */
  link(from: string, to: string): boolean {
    return this.#call(`link ${to}`, "filling", () => {
      if (this.#names.get(to) !== undefined) return false;
      this.#names.change({ path: to, node: this.#there(from) });
      return true;
    });
  }

  /** Gives a file another name, in place of whatever has it. */
  rename(from: string, to: string): void {
    this.#call(`rename to ${to}`, "filling", () => {
      const node = this.#there(from);
      if (this.#names.get(to)?.kind === "directory") {
        throw new StorageError("other", `Cannot replace ${to}: it is a folder`);
      }
      // Two names of one file: the system does nothing, and says that it is done.
      if (this.#names.get(to) === node) return;
      this.#names.change({ path: to, node, gone: from });
    });
  }

  /** Gives a file another name; false when something has it. */
  renameNew(from: string, to: string): boolean {
    return this.#call(`rename to new ${to}`, "filling", () => {
      if (this.#names.get(to) !== undefined) return false;
      this.#names.change({ path: to, node: this.#there(from), gone: from });
      return true;
    });
  }

  /** Takes a name away. */
  unlink(path: string): void {
    this.#call(`unlink ${path}`, "changing", () => {
      this.#there(path);
      this.#names.change({ path, node: undefined });
    });
  }

  #call<T>(what: string, nature: CallNature, act: () => T, actInPart?: () => void): T {
    if (this.#isDown) throw new PowerCut();
    this.onCall(this.calls);
    const kind = this.fault?.call === this.calls ? this.fault.kind : undefined;
    this.log.push(what);
    this.calls++;
    if (kind === "cut_before") this.#goDown();
    if (kind === "cut_within") {
      actInPart?.();
      this.#goDown();
    }
    if (kind === "no_space") this.#isFull = true;
    if (this.#isFull && nature === "filling") {
      throw new StorageError("no_space", `Cannot ${what}: disk full`);
    }
    if (kind === "failure") throw new StorageError("other", `Cannot ${what}: input/output error`);
    try {
      return act();
    } finally {
      // Whether it went well or not.
      if (kind === "cut_after") this.#goDown();
    }
  }

  #goDown(): never {
    this.cutPower();
    throw new PowerCut();
  }

  #there(path: string): DiskNode {
    const node = this.#names.get(path);
    if (node === undefined) throw new StorageError("not_found", `Nothing at ${path}`);
    return node;
  }

  #save(node: DiskNode): void {
    node.lastingBytes = node.bytes;
    node.lastingMtimeMs = node.mtimeMs;
    node.pending = [];
    this.#names.save(node.madeBy + 1);
  }
}
