/**
 * Lines of standard input, one at a time, for answers. A question that nobody waits for any more
 * can be given up: the reading under way is kept for the next one.
 */

/** Longest line kept; of a longer one the rest is dropped. Codes are some hundred characters. */
export const MAX_LINE_CHARACTERS = 16_384;

/** Who types without a pause is asked all the same, after so many reads. */
const MAX_DROPPED_READS = 1000;

/** Reads some bytes, null at the end, as `Deno.stdin.read` does. */
export type ReadBytes = (buffer: Uint8Array) => Promise<number | null>;

/** Splits what `read` gives into lines. */
export class LineReader {
  readonly #read: ReadBytes;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(4096);
  #partial = "";
  #lines: string[] = [];
  #ended = false;
  #reading: Promise<void> | undefined;

  /** @param read Where bytes come from; called only while a line is wanted. */
  constructor(read: ReadBytes) {
    this.#read = read;
  }

  /**
   * The next line without its end.
   *
   * @param signal Gives up waiting.
   * @returns Undefined at the end of the input and when given up.
   */
  async next(signal?: AbortSignal): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#ended) {
      if (signal?.aborted) return undefined;
      const reading = this.#readOn();
      await (signal === undefined ? reading : Promise.race([reading, aborted(signal)]));
    }
    if (signal?.aborted) return undefined;
    return this.#lines.shift();
  }

  /**
   * Drops lines that were typed before anyone asked: they answer nothing. Most of them still wait
   * in the system, which can only be asked for them by reading.
   *
   * @param pause Resolves when what waits in the system would have been read.
   */
  async dropTypedAhead(pause: () => Promise<void>): Promise<void> {
    let hasRead = true;
    for (let reads = 0; hasRead && !this.#ended && reads < MAX_DROPPED_READS; reads++) {
      hasRead = false;
      const reading = this.#readOn().then(() => void (hasRead = true));
      await Promise.race([reading, pause()]);
    }
    this.#lines = [];
  }

  /** The reading under way, or a new one. */
  #readOn(): Promise<void> {
    this.#reading ??= this.#readMore().finally(() => this.#reading = undefined);
    return this.#reading;
  }

  async #readMore(): Promise<void> {
    const count = await this.#read(this.#buffer);
    if (count === null) {
      this.#ended = true;
      if (this.#partial !== "") this.#lines.push(this.#partial);
      this.#partial = "";
      return;
    }
    const text = this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    const pieces = (this.#partial + text).split("\n");
    this.#partial = pieces.pop()!.slice(0, MAX_LINE_CHARACTERS);
    for (const piece of pieces) {
      this.#lines.push(piece.replace(/\r$/, "").slice(0, MAX_LINE_CHARACTERS));
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
