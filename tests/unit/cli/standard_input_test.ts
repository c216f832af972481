import assert from "node:assert/strict";
import { inputStream, readInputText } from "../../../lib/cli/standard_input.ts";

/** An input that gives these parts, one for each read. */
function inputOf(...parts: string[]) {
  let reads = 0;
  return {
    get reads() {
      return reads;
    },
    readInput(buffer: Uint8Array): Promise<number | null> {
      const part = parts[reads++];
      if (part === undefined) return Promise.resolve(null);
      return Promise.resolve(new TextEncoder().encodeInto(part, buffer).written);
    },
  };
}

Deno.test("inputStream reads nothing before it is wanted, and no further than that", async () => {
  const input = inputOf("one", "two", "three");
  const reader = inputStream(input).getReader();
  await Promise.resolve();
  assert.equal(input.reads, 0);
  assert.deepEqual((await reader.read()).value, new TextEncoder().encode("one"));
  assert.equal(input.reads, 1);
});

Deno.test("readInputText puts parts together, cut anywhere", async () => {
  const bytes = new TextEncoder().encode("aé\u{1f600}\n");
  let at = 0;
  const readInput = (buffer: Uint8Array) => {
    if (at === bytes.length) return Promise.resolve(null);
    buffer[0] = bytes[at++]!;
    return Promise.resolve(1);
  };
  assert.equal(await readInputText({ readInput }, new AbortController().signal), "aé\u{1f600}\n");
});

Deno.test("readInputText takes 65,536 bytes and refuses one more", async () => {
  const signal = new AbortController().signal;
  const most = "x".repeat(65_536);
  assert.equal(await readInputText(inputOf(most), signal), most);
  await assert.rejects(readInputText(inputOf(most, "x"), signal), TypeError);
});

Deno.test("readInputText gives up when it is told to, also while it waits", async () => {
  const ended = new AbortController();
  const waiting = readInputText({ readInput: () => new Promise(() => {}) }, ended.signal);
  ended.abort();
  assert.equal(await waiting, undefined);
  assert.equal(await readInputText(inputOf("x"), ended.signal), undefined);
});
