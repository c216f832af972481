/** A program of this folder in a process of its own: lines of JSON in and out. */
import { fileURLToPath } from "node:url";

/** A running program. It ends when its input ends. */
export class JsonProcess<Said> implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;

  /**
   * Starts it with all permissions.
   *
   * @param file Its path from this folder.
   * @param onSaid Told each thing it says.
   * @param flags Told to the runtime besides.
   */
  constructor(
    file: string,
    args: readonly string[],
    onSaid: (said: Said) => void,
    flags: readonly string[] = [],
  ) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--allow-all", "--unstable-net", ...flags, path, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = readLines(this.#child.stdout, (line) => onSaid(JSON.parse(line)));
  }

  /** Its number in the system. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves when it has ended and all it said was told. */
  async ended(): Promise<void> {
    await this.#reading;
    await this.#child.status;
  }

  /** Says something to it. */
  async say(value: unknown): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  }

  /** Ends it without a word. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing to close where it was killed.
    await this.#input.close().catch(() => {});
    await this.ended();
  }
}

/** Calls for each whole line of a stream, to its end. */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
  }
}
