/**
 * The program in a process of its own, as people run it: `deno run … cli.ts` with chosen flags, its
 * two output streams collected, its JSON events parsed as they come. Everything is waited for with a
 * generous limit and no duration is ever guessed. Ending the scope of an `await using` ends the
 * process, whatever happened.
 */
import assert from "node:assert/strict";
import type { LanEvent } from "../../lib/cli/lan_events.ts";
import type { TransferEvent } from "../../lib/events.ts";
import { within } from "./within.ts";

/** The entry module of the program. */
export const CLI_PATH: string = filePath("../../cli.ts");

/** What Deno is given when a test does not care: everything, and the UDP socket. */
export const ALL_FLAGS: readonly string[] = ["--allow-all", "--unstable-net"];

/** Longest wait for anything but a whole transfer. */
const LIMIT_MS = 60_000;

/** Commands that look for another machine. */
const MEETING_COMMANDS: readonly string[] = ["send", "share", "wait", "receive"];

/** How to start the program. */
export interface CliOptions {
  /** Flags of `deno run`: permissions and `--unstable-net`; {@linkcode ALL_FLAGS} by default. */
  readonly flags?: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its arguments to run Deno under, for example with fewer rights. */
  readonly wrapper?: readonly string[];
  /** Folder to run in. */
  readonly cwd?: string;
}

/** What is told with `--json` of shares and receives. */
type ProgramEvent = TransferEvent | LanEvent;

/** An event of a certain name. */
export type EventNamed<Name extends ProgramEvent["event"]> = Extract<
  ProgramEvent,
  { readonly event: Name }
>;

/** One line of `--json`. */
export type JsonEvent = ProgramEvent & { readonly v: number };

/** The program, running or ended. */
export class CliProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  readonly #events: JsonEvent[] = [];
  /** Lines of standard output that are not JSON. */
  readonly #otherLines: string[] = [];
  #stdout = "";
  #partialLine = "";
  #stderr = "";
  #isEnded = false;
  #waiters: (() => void)[] = [];

  /**
   * Starts the program.
   *
   * @param args The words after its name.
   */
  constructor(args: readonly string[], options: CliOptions = {}) {
    this.#name = `p2pft ${args[0] ?? ""}`;
    const words = [
      ...(options.wrapper ?? []),
      Deno.execPath(),
      "run",
      "--no-prompt",
      // The published package brings no configuration with it.
      "--no-config",
      ...(options.flags ?? ALL_FLAGS),
      CLI_PATH,
      ...args,
      ...outsideHelp(args),
    ];
    this.#child = new Deno.Command(words[0]!, {
      args: words.slice(1),
      // A code in the environment of the one who runs the tests changes nothing.
      env: { P2PFT_CODE: "", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([
      this.#read(this.#child.stdout, (text) => this.#takeOutput(text)),
      this.#read(this.#child.stderr, (text) => this.#stderr += text),
      this.#child.status.then(() => this.#isEnded = true),
    ]).finally(() => this.#wake());
  }

  /** All of standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** All of standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The JSON events so far. */
  get events(): readonly JsonEvent[] {
    return this.#events;
  }

  /** Whole lines of standard output that are not JSON objects. */
  get otherLines(): readonly string[] {
    return this.#otherLines;
  }

  /** Its process id; with a wrapper that does not replace itself, the wrapper's. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The events of one name so far. */
  eventsNamed<Name extends ProgramEvent["event"]>(name: Name): EventNamed<Name>[] {
    return this.#events.filter((event): event is JsonEvent & EventNamed<Name> =>
      event.event === name
    );
  }

  /** The first event of a name that `isMeant` accepts, now or later. */
  async event<Name extends ProgramEvent["event"]>(
    name: Name,
    isMeant: (event: EventNamed<Name>) => boolean = () => true,
    limitMs?: number,
  ): Promise<EventNamed<Name>> {
    const find = () => this.eventsNamed(name).find(isMeant);
    return await this.#until(`${this.#name}: event ${name}`, find, limitMs);
  }

  /** The first match of `pattern` in standard output, now or later. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#until(
      `${this.#name}: ${pattern} on standard output`,
      () => pattern.exec(this.#stdout) ?? undefined,
    );
  }

  /** The first match of `pattern` in standard error, now or later. */
  async errorOutput(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#until(
      `${this.#name}: ${pattern} on standard error`,
      () => pattern.exec(this.#stderr) ?? undefined,
    );
  }

  /** Writes a line to standard input. */
  async type(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Writes bytes to standard input; rejects when nobody reads it any more. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#input.write(bytes);
  }

  /** Ends standard input. */
  async closeInput(): Promise<void> {
    await this.#input.close();
  }

  /** Sends a signal; nothing happens when the process has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // Deno says so with either of them.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /**
   * Its exit status, once it has ended and all of its output is here.
   *
   * @param limitMs For whole transfers, longer than the usual limit.
   */
  async exit(limitMs: number = LIMIT_MS): Promise<number> {
    await this.#within(`${this.#name} to end`, this.#reading, limitMs);
    return (await this.#child.status).code;
  }

  /** Waits for the end and checks its exit status; a wrong one is shown with what was printed. */
  async expectExit(expected: number, limitMs?: number): Promise<void> {
    const exit = await this.exit(limitMs);
    assert.equal(exit, expected, `${this.#name} ended with ${exit}\n${this.#transcript()}`);
  }

  /** Ends the process if it runs, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#reading;
    // A pipe that its reader left is of no use to anyone.
    await this.#input.close().catch(() => {});
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    take: (text: string) => void,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      this.#wake();
    }
  }

  #takeOutput(text: string): void {
    this.#stdout += text;
    const lines = (this.#partialLine + text).split("\n");
    // What follows the last line break is not a line yet.
    this.#partialLine = lines.pop()!;
    for (const line of lines) {
      const value = parseObject(line);
      if (value === undefined) this.#otherLines.push(line);
      else this.#events.push(value as unknown as JsonEvent);
    }
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Waits until `find` finds something; the end of the process without it is a failure. */
  async #until<T>(what: string, find: () => T | undefined, limitMs = LIMIT_MS): Promise<T> {
    const search = async (): Promise<T> => {
      for (;;) {
        const found = find();
        if (found !== undefined) return found;
        if (this.#isEnded) await this.#reading;
        const last = find();
        if (last !== undefined) return last;
        assert.ok(!this.#isEnded, `${what} never came\n${this.#transcript()}`);
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    };
    return await this.#within(what, search(), limitMs);
  }

  async #within<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T> {
    try {
      return await within(what, promise, limitMs);
    } catch (error) {
      if (error instanceof Error && !error.message.includes("standard error:")) {
        error.message += `\n${this.#transcript()}`;
      }
      throw error;
    }
  }

  /** The last of what it printed, for messages. */
  #transcript(): string {
    return `standard output: ${this.#stdout.slice(-2000)}\nstandard error: ${
      this.#stderr.slice(-2000)
    }`;
  }
}

/** Words to add: tests and benchmarks ask nobody outside, unless they say whom. */
export function outsideHelp(args: readonly string[]): string[] {
  const meetsOthers = MEETING_COMMANDS.includes(args[0] ?? "");
  // What stands behind `--` is a file.
  if (!meetsOthers || args.includes("--stun") || args.includes("--")) return [];
  return ["--stun", "none", "--no-portmap"];
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    // Not JSON at all: text for people.
    return undefined;
  }
}

function filePath(relative: string): string {
  const { pathname } = new URL(relative, import.meta.url);
  const path = decodeURIComponent(pathname);
  return Deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}
