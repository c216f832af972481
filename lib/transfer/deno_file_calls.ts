/** The calls that files need of Deno, in two kinds: blocking, and through the thread pool. */
import type { DiskPace } from "./disk_pace.ts";

/** The calls a small file needs, blocking or not. */
export interface FileCalls {
  lstat(path: string): Promise<Deno.FileInfo>;
  open(path: string, options: Deno.OpenOptions): Promise<Deno.FsFile>;
  stat(file: Deno.FsFile): Promise<Deno.FileInfo>;
  read(file: Deno.FsFile, into: Uint8Array): Promise<number | null>;
  write(file: Deno.FsFile, bytes: Uint8Array): Promise<number>;
  utime(file: Deno.FsFile, mtime: Date): Promise<void>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Calls that let other things happen meanwhile. */
export const waitingCalls: FileCalls = {
  lstat: (path) => Deno.lstat(path),
  open: (path, options) => Deno.open(path, options),
  stat: (file) => file.stat(),
  read: (file, into) => file.read(into),
  write: (file, bytes) => file.write(bytes),
  utime: (file, mtime) => file.utime(mtime, mtime),
  link: (from, to) => Deno.link(from, to),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
};

/** Calls that block, timed by `pace`. */
export function blockingCalls(pace: DiskPace): FileCalls {
  return {
    lstat: (path) => pace.block(() => Deno.lstatSync(path)),
    open: (path, options) => pace.block(() => Deno.openSync(path, options)),
    stat: (file) => pace.block(() => file.statSync()),
    read: (file, into) => pace.block(() => file.readSync(into)),
    write: (file, bytes) => pace.block(() => file.writeSync(bytes)),
    utime: (file, mtime) => pace.block(() => file.utimeSync(mtime, mtime)),
    link: (from, to) => pace.block(() => Deno.linkSync(from, to)),
    rename: (from, to) => pace.block(() => Deno.renameSync(from, to)),
    remove: (path) => pace.block(() => Deno.removeSync(path)),
  };
}
