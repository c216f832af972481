import assert from "node:assert/strict";
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

Deno.test("LineReader forgets lines typed ahead", async () => {
  const reader = readerOf("a\nb\nc\n", "d\n");
  assert.equal(await reader.next(), "a");
  reader.dropTypedAhead();
  assert.equal(await reader.next(), "d");
});
