/** Round trips of `ping`, ten a second, beside a transfer. */
import type { Place } from "./place.ts";
import { missingPrograms } from "./tool.ts";

/** One answer. */
export interface RoundTrip {
  /** When it came, in `performance.now()`. */
  readonly atMs: number;
  readonly rttMs: number;
}

const INTERVAL_SECONDS = 0.1;

/** Why delays cannot be measured; undefined when they can. */
export function missingPing(): string | undefined {
  return missingPrograms("ping");
}

/** Asks the sender's host from the receiver's until it is disposed of. */
export class Ping implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #answers: RoundTrip[] = [];

  /** @param place Where {@linkcode missingPing} is undefined. */
  constructor({ sender, receiver }: Place) {
    const [program, ...args] = [...receiver.wrapper, "ping"];
    this.#child = new Deno.Command(program!, {
      args: [...args, "-n", "-i", `${INTERVAL_SECONDS}`, sender.address],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /** The answers so far. */
  get answers(): readonly RoundTrip[] {
    return this.#answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const rttMs = /time=([\d.]+) ms/.exec(line)?.[1];
        if (rttMs === undefined) continue;
        this.#answers.push({ atMs: performance.now(), rttMs: Number(rttMs) });
      }
    }
  }
}
