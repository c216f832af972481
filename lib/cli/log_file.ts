/** The file of `--log` on the disk. The only place that touches it. */
import { isAbsolute, relative, sep } from "node:path";
import { TransferError } from "../errors.ts";

/** A file that lines are appended to. */
export interface LogFile {
  /** Writes a line at once; throws whatever the system throws. */
  write(line: string): void;
  /** Syncs what was written and closes the file. */
  close(): Promise<void>;
}

/** Who took what is nobody else's business. */
const LOG_MODE = 0o600;

const LINE_FEED = 0x0a;

/**
 * Opens the file, and makes it where there is none.
 *
 * @param replacesIn A folder in which others may replace files: the log must not be there.
 * @throws {TransferError} `write_failed` if it cannot be written, `usage` if it is in that folder.
 */
export async function openLogFile(path: string, replacesIn?: string): Promise<LogFile> {
  const { file, isNew } = await attempt(path, () => openToAppend(path));
  try {
    if (replacesIn !== undefined && await attempt(path, () => isInside(path, replacesIn))) {
      if (isNew) await attempt(path, () => Deno.remove(path));
      throw new TransferError(
        "usage",
        `Cannot keep the log ${path}: it is in ${replacesIn}, where clients may replace files`,
        { hint: "Give --log a file elsewhere, or use --overwrite never or rename" },
      );
    }
    await attempt(path, () => endCutLine(file));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    write(line) {
      let rest = new TextEncoder().encode(`${line}\n`);
      while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
    },
    async close() {
      try {
        await file.sync();
      } finally {
        file.close();
      }
    },
  };
}

async function openToAppend(path: string): Promise<{ file: Deno.FsFile; isNew: boolean }> {
  const options = { read: true, append: true, mode: LOG_MODE };
  try {
    return { file: await Deno.open(path, { ...options, createNew: true }), isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    // Also behind a link that leads nowhere yet.
    return { file: await Deno.open(path, { ...options, create: true }), isNew: false };
  }
}

/** Whether a file lies in a folder, whatever links lead to either. */
async function isInside(path: string, folder: string): Promise<boolean> {
  let realFolder: string;
  try {
    realFolder = await Deno.realPath(folder);
  } catch (error) {
    // What is not there yet has nothing in it.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  const way = relative(realFolder, await Deno.realPath(path));
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** A line that a full disk has cut must not spoil the one that comes next. */
async function endCutLine(file: Deno.FsFile): Promise<void> {
  const { isFile, size } = await file.stat();
  if (!isFile || size === 0) return;
  const last = new Uint8Array(1);
  await file.seek(-1, Deno.SeekMode.End);
  await file.read(last);
  if (last[0] !== LINE_FEED) await file.write(Uint8Array.of(LINE_FEED));
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TransferError("write_failed", `Cannot write the log ${path}: ${reason}`, {
      cause,
      hint: "Nothing was shared. Give --log another file, or make this one readable and writable",
    });
  }
}
