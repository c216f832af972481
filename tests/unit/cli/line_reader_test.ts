import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { LineReader, MAX_LINE_CHARACTERS } from "../../../lib/cli/line_reader.ts";

/** Gives the pieces one by one, then the end. */
function readerOf(...pieces: (string | Uint8Array)[]): LineReader {
  return new LineReader((buffer) => {
    const piece = pieces.shift();
    if (piece === undefined) return Promise.resolve(null);
    const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
    buffer.set(bytes);
    return Promise.resolve(bytes.length);
  });
}

Deno.test("LineReader joins pieces and takes off line ends", async () => {
  const reader = readerOf("fir", "st\r\nsecond\nth", "ird");
  assert.equal(await reader.next(), "first");
  assert.equal(await reader.next(), "second");
  assert.equal(await reader.next(), "third");
  assert.equal(await reader.next(), undefined);
  assert.equal(await reader.next(), undefined);
});

Deno.test("LineReader decodes characters split between reads", async () => {
  const bytes = new TextEncoder().encode("写\n");
  assert.equal(await readerOf(bytes.subarray(0, 1), bytes.subarray(1)).next(), "写");
});

Deno.test("LineReader bounds what a line can hold", async () => {
  const reader = readerOf(...Array.from({ length: 10 }, () => "x".repeat(4096)), "\n");
  assert.equal((await reader.next())?.length, MAX_LINE_CHARACTERS);
});

Deno.test("LineReader keeps the read under way for the next question when one is given up", async () => {
  let reads = 0;
  let answer: (count: number) => void = () => {};
  const reader = new LineReader((buffer) => {
    reads++;
    return new Promise((resolve) => {
      answer = (count) => {
        buffer.set(new TextEncoder().encode("y\n"));
        resolve(count);
      };
    });
  });
  const givenUp = new AbortController();
  const first = reader.next(givenUp.signal);
  givenUp.abort();
  assert.equal(await first, undefined);
  const second = reader.next();
  answer(2);
  assert.equal(await second, "y");
  assert.equal(reads, 1);
});

Deno.test("LineReader forgets lines typed ahead, also those that wait in the system", async () => {
  const waiting = ["a\nb\nc\n", "d\n", "e\n"];
  let type: (text: string) => void = () => {};
  const reader = new LineReader((buffer) => {
    const put = (text: string) => buffer.set(new TextEncoder().encode(text));
    const piece = waiting.shift();
    if (piece === undefined) {
      return new Promise((resolve) => {
        type = (text) => {
          put(text);
          resolve(text.length);
        };
      });
    }
    put(piece);
    return Promise.resolve(piece.length);
  });
  assert.equal(await reader.next(), "a");
  const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
  await reader.dropTypedAhead(pause);
  const answer = reader.next();
  type("f\n");
  assert.equal(await answer, "f");
});

Deno.test("LineReader has nothing to forget behind the end of the input", async () => {
  const reader = readerOf("a\nb\n");
  await reader.dropTypedAhead(() => new Promise(() => {}));
  assert.equal(await reader.next(), undefined);
});
