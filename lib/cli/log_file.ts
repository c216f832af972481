/** The file of `--log` on the disk. The only place that touches it. */
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

/**
 * Opens the file, and makes it where there is none.
 *
 * @throws {TransferError} `write_failed` if it cannot be written.
 */
export async function openLogFile(path: string): Promise<LogFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { append: true, create: true, mode: LOG_MODE });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TransferError("write_failed", `Cannot write the log ${path}: ${reason}`, {
      cause,
      hint: "Nothing was shared. Give --log another file, or make this one writable",
    });
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
