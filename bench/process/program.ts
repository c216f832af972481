/**
 * Another program in a process of its own: what it prints is kept, what it and its children use is
 * watched, and leaving the scope of an `await using` ends them all.
 */
import { delimiter, join } from "node:path";
import { processTree, type ProcessUsage, UsageWatch } from "./process_usage.ts";

/** How to start one. */
export interface ProgramOptions {
  /** A program and its arguments to run it under, such as one that enters a namespace. */
  readonly wrapper?: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder to run in. */
  readonly cwd?: string;
}

/** Longest wait for a line of a program that should say that it is ready. */
const LINE_LIMIT_MS = 20_000;
/** How much of what it printed is kept for messages. */
const KEPT_CHARACTERS = 2000;

/** A running program. */
export class Program implements AsyncDisposable {
  readonly #words: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #watch: UsageWatch;
  readonly #ended: Promise<Deno.CommandStatus>;
  #printed = "";
  #isEnded = false;
  #onChange: () => void = () => {};

  /** @param words The program and its arguments. */
  constructor(words: readonly string[], options: ProgramOptions = {}) {
    this.#words = words;
    const [program, ...args] = [...(options.wrapper ?? []), ...words];
    this.#child = new Deno.Command(program!, {
      args,
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#watch = new UsageWatch(this.#child.pid);
    const { stdout, stderr, status } = this.#child;
    this.#ended = Promise.all([status, this.#read(stdout), this.#read(stderr)])
      .then(([status]) => status)
      .finally(() => {
        this.#isEnded = true;
        this.#onChange();
      });
  }

  /** Its process id; programs it runs under replace themselves by it. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What it and its children have used; undefined where the system does not tell. */
  get usage(): ProcessUsage | undefined {
    this.#watch.look();
    return this.#watch.last;
  }

  /**
   * The first match of `pattern` in what it prints, now or later.
   *
   * @throws {Error} When it ends without, or takes too long.
   */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    const limit = AbortSignal.timeout(LINE_LIMIT_MS);
    for (;;) {
      const match = pattern.exec(this.#printed);
      if (match !== null) return match;
      if (this.#isEnded || limit.aborted) throw this.#failure(`never printed ${pattern}`);
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
        limit.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /**
   * Waits for its end.
   *
   * @returns Whether it ended in time; otherwise it still runs.
   * @throws {Error} With what it printed, when it failed.
   */
  async end(limitMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), limitMs);
    });
    const status = await Promise.race([this.#child.status, late]);
    clearTimeout(timer);
    if (status === undefined) return false;
    if (status.success) return true;
    await this.#ended;
    throw this.#failure(`ended with ${status.code}`);
  }

  /** Ends it and its children. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    if (!this.#isEnded) { for (const pid of processTree(this.pid)) kill(pid); }
    await this.#ended;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#printed = (this.#printed + text).slice(-KEPT_CHARACTERS);
      this.#onChange();
    }
  }

  #failure(what: string): Error {
    return new Error(`${this.#words.join(" ")} ${what}\n${this.#printed}`);
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    // It has ended.
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
  }
}

/** Where a program is on the PATH; undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  // System administrators' programs are often not on the path of people.
  const folders = [...(Deno.env.get("PATH") ?? "").split(delimiter), "/usr/sbin"];
  for (const folder of folders.filter((folder) => folder !== "")) {
    const path = join(folder, Deno.build.os === "windows" ? `${name}.exe` : name);
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw error;
      }
    }
  }
  return undefined;
}

/** The first line that a program prints about its version. */
export async function versionLine(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const [text = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim())
    .filter((text) => text !== "");
  return text.split("\n")[0]!.trim();
}
