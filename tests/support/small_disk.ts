/**
 * A file system of a few hundred kilobytes in memory, mounted for one test: one that gets full, or can
 * only be read. Takes Linux and root.
 */
import { TempFolder } from "./temp_folder.ts";

async function run(command: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(command, { args }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return String(error);
  }
}

/** A mounted file system, for `await using`. */
export class SmallDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  readonly #folder: TempFolder;

  private constructor(folder: TempFolder) {
    this.#folder = folder;
    this.path = folder.path;
  }

  /** Mounts one. */
  static async mount(sizeBytes: number): Promise<SmallDisk> {
    const folder = await TempFolder.make();
    const options = `size=${sizeBytes},mode=700`;
    const problem = await run("mount", "-t", "tmpfs", "-o", options, "none", folder.path);
    if (problem === undefined) return new SmallDisk(folder);
    await folder[Symbol.asyncDispose]();
    throw new Error(`Cannot mount a file system: ${problem}`);
  }

  /** Makes it larger or smaller. */
  async resize(sizeBytes: number): Promise<void> {
    const problem = await run("mount", "-o", `remount,size=${sizeBytes}`, this.path);
    if (problem !== undefined) throw new Error(`Cannot resize it: ${problem}`);
  }

  /** Lets nothing be written from now on. */
  async makeReadOnly(): Promise<void> {
    const problem = await run("mount", "-o", "remount,ro", this.path);
    if (problem !== undefined) throw new Error(`Cannot make it read-only: ${problem}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", this.path);
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Declares a test that mounts a file system; skipped with the reason in its name where it cannot. */
export function smallDiskTest(name: string, test: () => Promise<void>): void {
  if (problem === undefined) Deno.test(name, test);
  else Deno.test({ name: `${name} [skipped: ${problem}]`, ignore: true, fn: () => {} });
}

/** Why no file system can be mounted here. */
async function findProblem(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root";
  try {
    await using _disk = await SmallDisk.mount(65_536);
    return undefined;
  } catch {
    return "may not mount file systems";
  }
}

const problem = await findProblem();
