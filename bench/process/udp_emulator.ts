/**
 * Our own link emulator (`tests/support/link_emulator.ts`) in a process of its own, so that it takes
 * no time from what is measured. It carries UDP only and needs no rights.
 */
import { fileURLToPath } from "node:url";
import { ALL_FLAGS } from "../../tests/support/cli_process.ts";
import type { EmulatedLinkStatistics } from "../../tests/support/emulated_link.ts";
import { codeFor, readCode } from "../../tests/support/share_codes.ts";
import { LOOPBACK } from "./place.ts";

const EMULATOR = fileURLToPath(new URL("../../tests/support/link_emulator.ts", import.meta.url));

/** A running emulator. */
export class UdpEmulator implements AsyncDisposable {
  /** The sender's code with the emulator's address in place of its own. */
  readonly code: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: Deno.ChildProcess, lines: AsyncIterator<string>, code: string) {
    this.#child = child;
    this.#lines = lines;
    this.code = code;
  }

  /** Starts one in front of the program that printed `senderCode`. */
  static async start(senderCode: string, args: readonly string[]): Promise<UdpEmulator> {
    const { t, candidates } = readCode(senderCode);
    const { host, port } = candidates[0]!.address;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...ALL_FLAGS, EMULATOR, "--json", "--target", `${host}:${port}`, ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const lines = readLines(child.stdout);
    const ready = JSON.parse((await lines.next()).value!);
    const code = codeFor(t, { family: 4, host: LOOPBACK.sender.address, port: ready.port });
    return new UdpEmulator(child, lines, code);
  }

  /** Ends it and gives its statistics. */
  async stop(): Promise<EmulatedLinkStatistics> {
    this.#child.kill("SIGTERM");
    const statistics = JSON.parse((await this.#lines.next()).value!);
    await this.#child.status;
    return statistics;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
    await this.#lines.return?.();
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
