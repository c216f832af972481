/** Standard input as what is sent: as a stream of bytes, or as a short text. */
import { MAX_SNIPPET_BYTES } from "../transfer/limits.ts";
import type { ConsoleStreams } from "./console_streams.ts";

/** Bytes asked of the system at once: what a pipe of Linux holds. */
const READ_BYTES = 65_536;

/** What is read of standard input, and who reads it. */
type Input = Pick<ConsoleStreams, "readInput">;

/** The input as a stream; nothing is read before somebody wants it. */
export function inputStream(input: Input): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const buffer = new Uint8Array(READ_BYTES);
      const length = await input.readInput(buffer);
      if (length === null) controller.close();
      else controller.enqueue(buffer.subarray(0, length));
    },
  }, { highWaterMark: 0 });
}

/**
 * Reads the input to its end.
 *
 * @param signal Gives up waiting.
 * @returns The text; undefined when given up.
 * @throws {TypeError} If it is more than 64 KiB, or not UTF-8.
 */
export async function readInputText(
  input: Input,
  signal: AbortSignal,
): Promise<string | undefined> {
  const bytes = new Uint8Array(MAX_SNIPPET_BYTES + 1);
  const given = Promise.withResolvers<undefined>();
  const giveUp = () => given.resolve(undefined);
  signal.addEventListener("abort", giveUp, { once: true });
  let length = 0;
  try {
    while (length < bytes.length) {
      if (signal.aborted) return undefined;
      const count = await Promise.race([input.readInput(bytes.subarray(length)), given.promise]);
      if (count === undefined) return undefined;
      if (count === null) return decodeText(bytes.subarray(0, length));
      length += count;
    }
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  throw new TypeError("Cannot send a text of more than 64 KiB: send it with p2pft send -");
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // A fatal decoder reports bytes that are not UTF-8 in no other way.
    throw new TypeError("Cannot send standard input as a text: it is not UTF-8");
  }
}
