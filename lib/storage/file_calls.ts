/**
 * Calls of the file system that Deno has no API for, through the system's C library: Linux with glibc
 * only, where FFI is granted; nobody is prompted. Whoever uses them has another way, so failures are
 * told by `false` and not explained: `errno` of a call on another thread cannot be read.
 *
 * Numbers are of `fcntl.h`, `linux/fs.h` and `linux/stat.h`.
 */
import type { FileIdentity } from "./deno_file_info.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const STATX_INO = 0x100;
/** `struct statx`: its size, and where fields of it begin. */
const STATX_BYTES = 256;
const STATX_INO_AT = 32;
const STATX_DEV_MAJOR_AT = 136;
const STATX_DEV_MINOR_AT = 140;
const RENAME_NOREPLACE = 1;
const POSIX_FADV_DONTNEED = 4;
/** PATH_MAX: longer paths are refused by the kernel; its NUL is counted. */
const PATH_BYTES = 4096;

const SYMBOLS = {
  syncfs: { parameters: ["i32"], result: "i32", nonblocking: true },
  posix_fadvise: { parameters: ["i32", "i64", "i64", "i32"], result: "i32", nonblocking: true },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
  renameat2_later: {
    name: "renameat2",
    parameters: ["i32", "buffer", "i32", "buffer", "u32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const encoder = new TextEncoder();

/** Loaded when it is needed first; null when it cannot be. */
let calls: FileCalls | null | undefined;

/** The calls; undefined where there are none. */
export function loadFileCalls(): FileCalls | undefined {
  if (calls === undefined) {
    const library = open();
    calls = library && new FileCalls(library);
  }
  return calls ?? undefined;
}

/** The calls. */
export class FileCalls {
  readonly #library: Library;
  readonly #from = new Uint8Array(PATH_BYTES);
  readonly #to = new Uint8Array(PATH_BYTES);
  readonly #noPath = new Uint8Array(1);
  readonly #look = new Uint8Array(STATX_BYTES);
  readonly #lookFields = new DataView(this.#look.buffer);

  /** @param library The functions, as they are called. */
  constructor(library: Library) {
    this.#library = library;
  }

  /**
   * Writes everything of a file system to its disk, whoever wrote it. Since Linux 5.8 errors of any
   * file since the descriptor was opened make it fail.
   *
   * @param descriptor Of any file or folder there.
   */
  async syncFileSystem(descriptor: number): Promise<boolean> {
    return await this.#library.syncfs(descriptor) === 0;
  }

  /** Gives up what the page cache holds of a file and the disk has already. */
  async dropFromCache(descriptor: number): Promise<boolean> {
    return await this.#library.posix_fadvise(descriptor, 0n, 0n, POSIX_FADV_DONTNEED) === 0;
  }

  /**
   * Which file a descriptor is of; 6 µs quicker than `fstatSync` of `node:fs`, which makes more of what
   * the system says. Undefined where it cannot be told.
   */
  identityOf(descriptor: number): FileIdentity | undefined {
    const { statx } = this.#library;
    if (statx(descriptor, this.#noPath, AT_EMPTY_PATH, STATX_INO, this.#look) !== 0) {
      return undefined;
    }
    const fields = this.#lookFields;
    return {
      dev: deviceNumber(
        fields.getUint32(STATX_DEV_MAJOR_AT, true),
        fields.getUint32(STATX_DEV_MINOR_AT, true),
      ),
      ino: Number(fields.getBigUint64(STATX_INO_AT, true)),
    };
  }

  /**
   * Renames unless something has the new name, in one step; blocks for a few microseconds. False also
   * where the file system does not know the wish.
   */
  renameNew(from: string, to: string): boolean {
    if (!writePath(from, this.#from) || !writePath(to, this.#to)) return false;
    const { renameat2 } = this.#library;
    return renameat2(AT_FDCWD, this.#from, AT_FDCWD, this.#to, RENAME_NOREPLACE) === 0;
  }

  /** The same on another thread. */
  async renameNewLater(from: string, to: string): Promise<boolean> {
    const fromBytes = new Uint8Array(PATH_BYTES);
    const toBytes = new Uint8Array(PATH_BYTES);
    if (!writePath(from, fromBytes) || !writePath(to, toBytes)) return false;
    const { renameat2_later } = this.#library;
    return await renameat2_later(AT_FDCWD, fromBytes, AT_FDCWD, toBytes, RENAME_NOREPLACE) === 0;
  }
}

/** `makedev` of glibc: the number by which `stat` names a device. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 2 ** 8 + (minor >>> 8) * 2 ** 20 +
    (major >>> 12) * 2 ** 44;
}

/** Writes a path and its NUL; false for what is no path. */
function writePath(path: string, into: Uint8Array): boolean {
  const { read, written } = encoder.encodeInto(path, into);
  if (read !== path.length || written === PATH_BYTES || path.includes("\0")) return false;
  into[written] = 0;
  return true;
}

function open(): Library | null {
  if (Deno.build.os !== "linux") return null;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
  try {
    return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return null; // another C library (musl), or one from before renameat2 (glibc 2.28)
  }
}
