/**
 * Trees of files for tests: made the same way every time, and compared byte by byte with their
 * names, modification times (whole milliseconds) and executable bits.
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { join } from "node:path";

/** What becomes of {@linkcode makeTree}. */
export interface TreeOptions {
  /** Files with content; they are spread over nested folders. */
  readonly files: number;
  /** Bytes of each of them. */
  readonly fileBytes: number;
}

/** Files in one folder of a tree; every seventh folder is in the one before it. */
const FILES_PER_FOLDER = 64;
const NESTED_EVERY = 7;

/** Names that go wrong where bytes and characters are confused, or a shell or a terminal is near. */
const ODD_NAMES = [
  "Überraschung.txt",
  "наука",
  "日本語のファイル",
  "emoji 🚀👩‍🚀.bin",
  "it's $HOME & co; `x` %41 #1 {a,b}",
  " leading and trailing ",
  "-rf",
  "עברית",
  "ﬁ ligature",
  "z".repeat(255),
];

/** A whole second far from any border, plus milliseconds that a coarse clock would lose. */
const FIRST_MTIME_MS = 1_600_000_000_123;

/**
 * Makes a folder with nested folders, empty files, empty folders and odd names in it.
 *
 * @returns How many entries it has, itself included.
 */
export async function makeTree(root: string, options: TreeOptions): Promise<number> {
  const folders: string[] = [root];
  let count = 1;
  let mtimeMs = FIRST_MTIME_MS;
  // One after the other on purpose: so many at once need more open files than there may be.
  const add = async (path: string, sizeBytes: number) => {
    writeFileSync(path, sizeBytes, count++);
    if (count % 5 === 0 && Deno.build.os !== "windows") Deno.chmodSync(path, 0o755);
    mtimeMs += 1001;
    await Deno.utime(path, new Date(mtimeMs), new Date(mtimeMs));
  };
  const addFolder = async (path: string) => {
    await Deno.mkdir(path, { recursive: true });
    folders.push(path);
    count++;
  };
  await Deno.mkdir(root, { recursive: true });
  let folder = root;
  for (let index = 0; index < options.files; index++) {
    if (index % FILES_PER_FOLDER === 0) {
      const number = index / FILES_PER_FOLDER;
      folder = join(number % NESTED_EVERY === 0 ? root : folder, `folder ${number}`);
      await addFolder(folder);
    }
    await add(join(folder, `file_${String(index).padStart(5, "0")}.dat`), options.fileBytes);
  }
  await addFolder(join(root, "empty folder"));
  await addFolder(join(root, "a"));
  await addFolder(join(root, "a", "b"));
  await addFolder(join(root, "a", "b", "empty too"));
  await add(join(root, "a", "empty file"), 0);
  await add(join(root, "a", "b", ".hidden"), 1);
  await addFolder(join(root, "ünïcödé 目录"));
  const odd = Deno.build.os === "windows" ? ODD_NAMES.filter(isWindowsName) : ODD_NAMES;
  for (const [index, name] of odd.entries()) {
    await add(join(root, "ünïcödé 目录", name), index * 100);
  }
  // Putting something into a folder changes its time, so these come last, the deepest first.
  for (const path of folders.reverse()) {
    mtimeMs += 1001;
    await Deno.utime(path, new Date(mtimeMs), new Date(mtimeMs));
  }
  return count;
}

function isWindowsName(name: string): boolean {
  return !/[<>:"|?*]/.test(name) && !/[. ]$/.test(name);
}

const PATTERN_BYTES = 1_048_576;
let pattern: Uint32Array<ArrayBuffer> | undefined;

/** Makes a file whose every 4 KiB differ from every other in it and in files of another `seed`. */
export function writeFileSync(path: string, sizeBytes: number, seed: number): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  for (let offset = 0; offset < sizeBytes; offset += PATTERN_BYTES) {
    const length = Math.min(PATTERN_BYTES, sizeBytes - offset);
    let rest = patternBlock(seed, offset / PATTERN_BYTES, length);
    while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
  }
  // Writing it back later would take time from whatever is measured or waited for then.
  if (sizeBytes > PATTERN_BYTES) file.syncSync();
}

function patternBlock(seed: number, index: number, length: number): Uint8Array {
  pattern ??= makePattern();
  const words = pattern.slice(0, Math.ceil(length / 4));
  // Spread over all bits, so that neither zeros nor repeats are there to be saved.
  const stamp = Math.imul(seed * 65_537 + index + 1, 0x9e37_79b1);
  for (let at = 0; at < words.length; at++) words[at]! ^= stamp;
  return new Uint8Array(words.buffer, 0, length);
}

function makePattern(): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(PATTERN_BYTES / 4);
  let state = 1;
  for (let at = 0; at < words.length; at++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9 | 0;
    words[at] = state ^ (state >>> 13);
  }
  return words;
}

/** Fails unless both folders hold the same, themselves apart. */
export async function assertSameTree(actual: string, expected: string): Promise<void> {
  const differences = await treeDifferences(actual, expected, "all");
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} differences`);
}

/**
 * Fails unless both folders hold the same, the times of folders apart: only a run that made a folder
 * sets its time.
 */
export async function assertSameFiles(actual: string, expected: string): Promise<void> {
  const differences = await treeDifferences(actual, expected, "files");
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} differences`);
}

/** Fails unless both folders hold the same names and bytes, whatever their times and modes. */
export async function assertSameContent(actual: string, expected: string): Promise<void> {
  const differences = await treeDifferences(actual, expected, "none");
  assert.deepEqual(differences.slice(0, 10), [], `${differences.length} differences`);
}

/**
 * What is different in `actual`: a line for each entry, none when the trees are the same.
 *
 * @param attributesOf Of which entries times and exec bits are compared.
 */
async function treeDifferences(
  actual: string,
  expected: string,
  attributesOf: "all" | "files" | "none",
): Promise<string[]> {
  const differences: string[] = [];
  const [here, there] = await Promise.all([listTree(actual), listTree(expected)]);
  for (const [path, info] of here) {
    const other = there.get(path);
    const areAttributesCompared = attributesOf === "all" ||
      (attributesOf === "files" && info.kind === "file");
    if (other === undefined) differences.push(`${path}: should not be there`);
    else if (info.kind !== other.kind) differences.push(`${path}: ${info.kind}`);
    else if (areAttributesCompared && info.mtimeMs !== other.mtimeMs) {
      differences.push(`${path}: time ${info.mtimeMs}, not ${other.mtimeMs}`);
    } else if (areAttributesCompared && info.executable !== other.executable) {
      differences.push(`${path}: executable ${info.executable}`);
    } else if (info.kind === "file" && !sameFile(join(actual, path), join(expected, path))) {
      differences.push(`${path}: other bytes`);
    }
  }
  for (const path of there.keys()) {
    if (!here.has(path)) differences.push(`${path}: missing`);
  }
  return differences;
}

interface TreeEntry {
  readonly kind: "file" | "directory" | "other";
  readonly mtimeMs: number;
  readonly executable: boolean;
}

/** Everything in a folder by its path in it, in any depth. */
async function listTree(root: string): Promise<Map<string, TreeEntry>> {
  const entries = new Map<string, TreeEntry>();
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const { name } of Deno.readDir(join(root, folder))) {
      const path = join(folder, name);
      const info = Deno.lstatSync(join(root, path));
      if (info.isDirectory) folders.push(path);
      entries.set(path, {
        kind: info.isDirectory ? "directory" : info.isFile ? "file" : "other",
        mtimeMs: Math.floor(info.mtime?.getTime() ?? 0),
        // Windows has no such bit.
        executable: info.isFile && ((info.mode ?? 0) & 0o100) !== 0,
      });
    }
  }
  return entries;
}

const bufferA = new Uint8Array(PATTERN_BYTES);
const bufferB = new Uint8Array(PATTERN_BYTES);

function sameFile(pathA: string, pathB: string): boolean {
  using fileA = Deno.openSync(pathA);
  using fileB = Deno.openSync(pathB);
  for (;;) {
    const lengthA = fill(fileA, bufferA);
    const lengthB = fill(fileB, bufferB);
    if (lengthA !== lengthB) return false;
    if (lengthA === 0) return true;
    if (Buffer.compare(bufferA.subarray(0, lengthA), bufferB.subarray(0, lengthA)) !== 0) {
      return false;
    }
  }
}

function fill(file: Deno.FsFile, into: Uint8Array): number {
  let length = 0;
  while (length < into.length) {
    const count = file.readSync(into.subarray(length));
    if (count === null) break;
    length += count;
  }
  return length;
}
