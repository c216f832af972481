/** A process that announces a share or looks for some, with exactly the permissions that takes. */
import assert from "node:assert/strict";
import type { Namespace } from "./netns.ts";
import { within } from "./within.ts";

/** The permissions of `docs/lan.md`. */
export const LAN_PERMISSIONS: readonly string[] = [
  "--allow-net=0.0.0.0:5353,224.0.0.251:5353,[::]:5353,[ff02::fb]:5353",
  "--allow-sys=networkInterfaces",
];

const PATH = decodeURIComponent(new URL("_lan_main.ts", import.meta.url).pathname);

/** Fetches what the program imports: a namespace has no network to do it from. */
export async function cacheLanProgram(): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", PATH],
  }).output();
  assert.ok(success, "the program and its packages are here");
}

/** A running program. */
export class LanProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #values: unknown[] = [];
  #partial = "";

  /**
   * Starts it.
   *
   * @param namespace Where; undefined for the machine itself.
   * @param args As `_lan_main.ts` has them.
   */
  constructor(
    namespace: Namespace | undefined,
    args: readonly string[],
    permissions: readonly string[] = LAN_PERMISSIONS,
  ) {
    const words = ["run", "--no-prompt", "--no-config", ...permissions, PATH, ...args];
    const options = { stdin: "piped", stdout: "piped" } as const;
    const command = namespace?.command([Deno.execPath(), ...words], options) ??
      new Deno.Command(Deno.execPath(), { ...options, args: words });
    this.#child = command.spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Writes one line. */
  async say(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits for something it prints; what it printed before that is forgotten. */
  async until<T>(what: string, isIt: (value: T) => boolean): Promise<T> {
    return await within(what, this.#find(isIt), 30_000);
  }

  async #find<T>(isIt: (value: T) => boolean): Promise<T> {
    for (;;) {
      while (this.#values.length > 0) {
        const value = this.#values.shift() as T;
        if (isIt(value)) return value;
      }
      const { value, done } = await this.#output.read();
      assert.ok(!done, "the process ended");
      const lines = (this.#partial + value).split("\n");
      this.#partial = lines.pop()!;
      this.#values.push(...lines.map((line) => JSON.parse(line)));
    }
  }

  /** Ends it in good order. */
  async end(): Promise<void> {
    // A program that has ended already has closed its end.
    await this.#input.close().catch(() => {});
    await within("a LAN process to end", this.#child.status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#output.cancel();
  }
}
