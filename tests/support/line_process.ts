/**
 * A program of these tests in a process of its own, spoken to in lines: one line in, one line out.
 * It prints a first line when it is ready, and ends when its input ends, so it never outlives the
 * process that started it.
 */
import assert from "node:assert/strict";
import type { Namespace } from "./netns.ts";
import { within } from "./within.ts";

const LIMIT_MS = 30_000;

/** A running program. */
export class LineProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #partialLine = "";
  readonly #whole: string[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(name: string, child: Deno.ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /**
   * Starts a module of this folder with all permissions and waits until it is ready.
   *
   * @param namespace Where.
   * @param file Its name, e.g. `_tun_router_main.ts`.
   * @param args Its arguments.
   * @returns The process, and the first line it printed.
   */
  static async start(
    namespace: Namespace,
    file: string,
    args: readonly string[],
  ): Promise<{ readonly process: LineProcess; readonly firstLine: string }> {
    const path = decodeURIComponent(new URL(file, import.meta.url).pathname);
    const flags = ["--no-prompt", "--no-config", "--allow-all", "--unstable-net"];
    const words = [Deno.execPath(), "run", ...flags, path, ...args];
    const options = { stdin: "piped", stdout: "piped" } as const;
    const process = new LineProcess(file, namespace.command(words, options).spawn());
    try {
      return { process, firstLine: await within(`${file} to be ready`, process.#line(), LIMIT_MS) };
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes one line and gives the line it is answered with. */
  async ask(line: string): Promise<string> {
    const answer = this.#turn.then(async () => {
      await this.#input.write(new TextEncoder().encode(`${line}\n`));
      return await this.#line();
    });
    this.#turn = answer.catch(() => {});
    return await within(`${this.#name}: answer to ${line}`, answer, LIMIT_MS);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // A program that has died already has closed its end.
    await this.#input.close().catch(() => {});
    await within(`${this.#name} to end`, this.#child.status, LIMIT_MS);
    await this.#lines.cancel();
  }

  async #line(): Promise<string> {
    while (this.#whole.length === 0) {
      const { value, done } = await this.#lines.read();
      assert.ok(!done, `${this.#name} ended`);
      const parts = (this.#partialLine + value).split("\n");
      this.#partialLine = parts.pop()!;
      this.#whole.push(...parts);
    }
    return this.#whole.shift()!;
  }
}

/**
 * The other end, for the program itself: answers each line of standard input with a line of standard
 * output, and ends the process when the input ends.
 *
 * @param firstLine Printed at once: the program is ready.
 * @param answer Gives the line to print for a line that was read.
 */
export async function answerLines(
  firstLine: string,
  answer: (line: string) => string | Promise<string>,
): Promise<never> {
  const print = async (line: string) => {
    await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
  };
  await print(firstLine);
  let partialLine = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (partialLine + text).split("\n");
    partialLine = lines.pop()!;
    for (const line of lines) await print(await answer(line));
  }
  Deno.exit(0);
}
