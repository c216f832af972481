import assert from "node:assert/strict";
import fc from "fast-check";
import { StorageError } from "../../../lib/storage/storage.ts";
import { StreamSource } from "../../../lib/storage/stream_source.ts";

/** A stream of these chunks, and what became of it. */
function streamOf(...chunks: Uint8Array[]) {
  const seen = { pulls: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[seen.pulls++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel() {
      seen.isCancelled = true;
    },
  }, { highWaterMark: 0 });
  return { stream, seen };
}

/** Reads in pieces of a size, to the end. */
async function readAll(source: StreamSource, pieceBytes: number): Promise<Uint8Array> {
  const file = await source.openSource();
  const out: number[] = [];
  for (;;) {
    const into = new Uint8Array(pieceBytes);
    const length = await file.read(out.length, into);
    out.push(...into.subarray(0, length));
    if (length < pieceBytes) return new Uint8Array(out);
  }
}

Deno.test("StreamSource fills every piece but the last, however the bytes come", async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 16 }), async (chunks, pieceBytes) => {
      const source = new StreamSource(streamOf(...chunks).stream);
      const all = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
      assert.deepEqual(await readAll(source, pieceBytes), all);
    }),
  );
});

Deno.test("StreamSource reads nothing before it is asked, and no more than it needs", async () => {
  const { stream, seen } = streamOf(new Uint8Array(10), new Uint8Array(10), new Uint8Array(10));
  const source = new StreamSource(stream);
  await Promise.resolve();
  assert.deepEqual([seen.pulls, source.isBegun], [0, false]);
  const file = await source.openSource();
  assert.equal(await file.read(0, new Uint8Array(4)), 4);
  assert.equal(await file.read(4, new Uint8Array(6)), 6);
  assert.deepEqual([seen.pulls, source.isBegun], [1, true]);
});

Deno.test("StreamSource is read once and in order", async () => {
  const source = new StreamSource(streamOf(new Uint8Array(10)).stream);
  assert.throws(() => source.readWhole(), StorageError);
  const file = await source.openSource();
  await assert.rejects(source.openSource(), StorageError);
  await assert.rejects(file.read(1, new Uint8Array(1)), RangeError);
});

Deno.test("StreamSource says why whoever writes failed", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull: () => Promise.reject(new Error("tar: broken disk")),
  });
  const file = await new StreamSource(stream).openSource();
  await assert.rejects(file.read(0, new Uint8Array(1)), (error) => {
    assert.ok(error instanceof StorageError);
    assert.match(error.message, /tar: broken disk/);
    return true;
  });
  file.close();
});

Deno.test("StreamSource.close ends a read that waits, and tells whoever writes", async () => {
  let isCancelled = false;
  const source = new StreamSource(
    new ReadableStream({
      pull: () => new Promise(() => {}),
      cancel: () => void (isCancelled = true),
    }),
  );
  const file = await source.openSource();
  const reading = file.read(0, new Uint8Array(5));
  file.close();
  file.close();
  await assert.rejects(reading, StorageError);
  assert.ok(isCancelled);
  await assert.rejects(file.read(0, new Uint8Array(1)), StorageError);
});
