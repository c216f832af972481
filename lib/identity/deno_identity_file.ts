/**
 * The file of identities on a disk: in a folder of mode 0700, itself of mode 0600, and refused where
 * others could read it (docs/identities.md, "Permissions on disk"). On Windows both inherit the
 * access of the person's profile, which is not looked at.
 *
 * Work order of a change: take the lock, read, write a new file beside the old one, sync it, rename
 * it over the old one, sync the folder, give the lock back. The lock is on a file of its own, because
 * the other one is replaced; the system gives it back when a program ends in whatever way.
 */
import { TransferError } from "../errors.ts";
import type { IdentityFile } from "./identity_store.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const FILE_NAME = "identities";

/** Permissions of everybody but the owner. */
const OTHERS = 0o077;

/** How often a file that is replaced while it is opened is tried. */
const MAX_READ_TRIES = 10;

/** How often, and for how long, a lock is tried that another program holds. */
const LOCK_INTERVAL_MS = 20;
const LOCK_WAIT_MS = 10_000;

/** The file of identities in a folder. */
export class DenoIdentityFile implements IdentityFile {
  readonly #folder: string;
  /** Where the file is. */
  readonly path: string;
  readonly #nextPath: string;
  readonly #lockPath: string;

  /** @param folder Made when something is kept for the first time. */
  constructor(folder: string) {
    const separator = IS_WINDOWS ? "\\" : "/";
    this.#folder = folder;
    this.path = `${folder}${separator}${FILE_NAME}`;
    this.#nextPath = `${this.path}.next`;
    this.#lockPath = `${this.path}.lock`;
  }

  /** See {@linkcode IdentityFile.read}. */
  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    return await attempt("read_failed", `read ${this.path}`, async () => {
      const folder = await lookAt(this.#folder);
      if (folder === undefined) return undefined;
      this.#checkFolder(folder);
      for (let tries = 1;; tries++) {
        const info = await lookAt(this.path);
        if (info === undefined) return undefined;
        this.#checkFile(info, maxBytes);
        using file = await Deno.open(this.path, { read: true });
        const opened = await file.stat();
        // Replaced files are never written into, so this one cannot grow while it is read.
        const isSame = opened.dev === info.dev && opened.ino === info.ino;
        if (isSame) return await readAll(file, info.size);
        // Between the look and the opening another program replaced it, or somebody put a link there.
        if (tries === MAX_READ_TRIES) throw this.#refused("is replaced again and again");
      }
    });
  }

  /** See {@linkcode IdentityFile.exclusively}. */
  async exclusively<Result>(
    work: (replace: (bytes: Uint8Array) => Promise<void>) => Promise<Result>,
  ): Promise<Result> {
    using lock = await attempt("write_failed", `change ${this.path}`, async () => {
      await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
      this.#checkFolder(await Deno.lstat(this.#folder));
      return await this.#lock();
    });
    // Held until `lock` is closed, when this function is left.
    void lock;
    return await work((bytes) => this.#replace(bytes));
  }

  async #lock(): Promise<Deno.FsFile> {
    const file = await Deno.open(this.#lockPath, { write: true, create: true, mode: 0o600 });
    try {
      for (let waitedMs = 0;; waitedMs += LOCK_INTERVAL_MS) {
        if (await file.tryLock(true)) return file;
        if (waitedMs >= LOCK_WAIT_MS) {
          throw new TransferError(
            "write_failed",
            `Cannot change ${this.path}: another program has held ${this.#lockPath} for ${
              LOCK_WAIT_MS / 1000
            } s`,
            { hint: "End the other p2pft that changes it, then try again" },
          );
        }
        await new Promise((resolve) => setTimeout(resolve, LOCK_INTERVAL_MS));
      }
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async #replace(bytes: Uint8Array): Promise<void> {
    await attempt("write_failed", `write ${this.path}`, async () => {
      await removeIfThere(this.#nextPath);
      try {
        await this.#writeNext(bytes);
        await Deno.rename(this.#nextPath, this.path);
      } catch (error) {
        // The first error says more than that this failed too; the next change removes it.
        await removeIfThere(this.#nextPath).catch(() => {});
        throw error;
      }
      if (IS_WINDOWS) return; // folders cannot be opened there
      using folder = await Deno.open(this.#folder, { read: true });
      await folder.sync();
    });
  }

  async #writeNext(bytes: Uint8Array): Promise<void> {
    using file = await Deno.open(this.#nextPath, { write: true, createNew: true, mode: 0o600 });
    const [own, folder] = [await file.stat(), await Deno.lstat(this.#folder)];
    if (!IS_WINDOWS && own.uid !== folder.uid) {
      throw new TransferError(
        "write_failed",
        `Cannot write ${this.path}: the folder belongs to another user, who could not read it then`,
        { hint: "Run it as that user, without sudo, or name a folder of this user's with --home" },
      );
    }
    for (let written = 0; written < bytes.length;) {
      written += await file.write(bytes.subarray(written));
    }
    await file.sync();
  }

  #checkFolder(info: Deno.FileInfo): void {
    if (!info.isDirectory) {
      throw new TransferError(
        "read_failed",
        `Cannot use ${this.#folder}: it is a file or a link, not a folder`,
        { hint: "Name the folder itself with --home or P2PFT_HOME" },
      );
    }
    if (!isOpenToOthers(info)) return;
    throw new TransferError(
      "read_failed",
      `Cannot use ${this.#folder}: other users of this machine can look into it (mode ${
        modeOf(info)
      })`,
      { hint: `Run: chmod 700 '${this.#folder}'` },
    );
  }

  #checkFile(info: Deno.FileInfo, maxBytes: number): void {
    if (!info.isFile) throw this.#refused("is a folder or a link, not a file");
    if (isOpenToOthers(info)) {
      throw new TransferError(
        "read_failed",
        `Cannot use ${this.path}: other users of this machine can read it (mode ${modeOf(info)})`,
        {
          hint: `Run: chmod 600 '${this.path}'. If others have used this machine meanwhile, ` +
            "remove the secretKey and every pairSecret from it too: they are no longer secret",
        },
      );
    }
    if (info.size > maxBytes) {
      throw this.#refused(`has ${info.size} bytes, more than the ${maxBytes} that are read`);
    }
  }

  #refused(why: string): TransferError {
    return new TransferError("read_failed", `Cannot read ${this.path}: it ${why}`, {
      hint: "Look at what is there; it was left as it is",
    });
  }
}

/** What is at a path, a link itself too; undefined when nothing is. */
async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readAll(file: Deno.FsFile, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isOpenToOthers(info: Deno.FileInfo): boolean {
  return !IS_WINDOWS && info.mode !== null && (info.mode & OTHERS) !== 0;
}

function modeOf(info: Deno.FileInfo): string {
  return ((info.mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
}

/** Makes errors of the system into ours; `what` follows “Cannot”. */
async function attempt<Result>(
  code: "read_failed" | "write_failed",
  what: string,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TransferError || !(error instanceof Error)) throw error;
    const isFull = (error as Error & { code?: unknown }).code === "ENOSPC";
    // Call and path stand behind the reason; `what` has said both.
    const reason = error.message.replace(/[:,] \w+ '.*$/s, "");
    throw new TransferError(isFull ? "disk_full" : code, `Cannot ${what}: ${reason}`, {
      cause: error,
    });
  }
}
