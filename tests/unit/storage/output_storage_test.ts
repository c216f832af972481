/**
 * Goal: one file or stream goes into a stream as it was, no faster than that is read, and whoever
 * reads it is never told that something is complete which is not.
 * Method: whole transfers in memory into streams whose reader the test plays.
 */
import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { OUTPUT_ROOT, OutputStorage } from "../../../lib/storage/output_storage.ts";
import { streamManifest } from "../../../lib/transfer/offer/single_source.ts";
import { FakeStream, type StreamEnd } from "../../support/fake_stream.ts";
import { Prng } from "../../support/prng.ts";
import { TransferPair, type TransferPairOptions } from "../../support/transfer_pair.ts";

const MIB = 1_048_576;

/** A reader that remembers. */
class Reader {
  readonly chunks: Uint8Array[] = [];
  end: "open" | "closed" | "aborted" = "open";
  /** Called for each chunk; what it returns is waited for. */
  onChunk: () => Promise<void> | void = () => {};
  readonly stream: WritableStream<Uint8Array> = new WritableStream({
    write: async (chunk) => {
      this.chunks.push(chunk);
      await this.onChunk();
    },
    close: () => void (this.end = "closed"),
    abort: () => void (this.end = "aborted"),
  });

  get bytes(): Uint8Array {
    const bytes = new Uint8Array(this.chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

/** A transfer into a stream. */
function start(reader: Reader, options: TransferPairOptions = {}) {
  const output = new OutputStorage(reader.stream);
  const receiver = { storage: output, directory: OUTPUT_ROOT, ...options.receiver };
  return { pair: new TransferPair({ ...options, receiver }), output };
}

/** A transfer of one stream. */
function startStream(reader: Reader, bytes: Uint8Array, end: StreamEnd = "ends") {
  const manifest = streamManifest({ name: "stdin", mtimeMs: 5 });
  return start(reader, { manifest, sender: { storage: new FakeStream(bytes, end) } });
}

Deno.test("a file arrives in order, whatever its size, and the stream is closed", async () => {
  for (const size of [0, 1, 65_536, MIB, MIB + 1, 5 * MIB + 12_345]) {
    for (const seed of [1, 2]) {
      const bytes = new Prng(size + seed).bytes(size);
      const reader = new Reader();
      const { pair } = start(reader, { seed, reorderWindow: 60, pieceBytes: 20_000 });
      pair.source.addFile("/one", bytes);
      await pair.start(["/one"]);
      const { sent, received } = await pair.run();
      assert.ok(sent.status === "fulfilled" && received.status === "fulfilled", `${size}`);
      assert.equal(received.value.items, 1);
      assert.deepEqual(reader.bytes, bytes);
      assert.equal(reader.end, "closed");
    }
  }
});

Deno.test("a stream of any length arrives in order, and the stream is closed", async () => {
  for (const size of [0, 1, MIB, 3 * MIB + 70_000]) {
    const bytes = new Prng(size).bytes(size);
    const reader = new Reader();
    const { pair } = startStream(reader, bytes);
    await pair.start();
    const { sent, received } = await pair.run();
    assert.ok(sent.status === "fulfilled" && received.status === "fulfilled", `${size}`);
    assert.deepEqual(reader.bytes, bytes);
    assert.equal(reader.end, "closed");
  }
});

Deno.test("a chunk is the reader's to keep", async () => {
  const bytes = new Prng(7).bytes(6 * MIB);
  const reader = new Reader();
  reader.onChunk = () => {
    // Whoever takes it may also change it.
    if (reader.chunks.length === 2) reader.chunks[0]!.fill(0);
  };
  const { pair } = start(reader);
  pair.source.addFile("/one", bytes);
  await pair.start(["/one"]);
  assert.equal((await pair.run()).received.status, "fulfilled");
  assert.deepEqual(reader.bytes.subarray(MIB), bytes.subarray(MIB));
});

Deno.test("a reader that takes nothing stops the sharer within the credit", async () => {
  const reader = new Reader();
  const { promise: later, resolve: takeAll } = Promise.withResolvers<void>();
  reader.onChunk = () => later;
  const manifest = streamManifest({ name: "stdin", mtimeMs: 5 });
  const source = new FakeStream(new Uint8Array(0), "endless");
  const { pair, output } = start(reader, {
    manifest,
    creditBytes: 4 * MIB,
    queueTargetBytes: MIB,
    sender: { storage: source },
  });
  await pair.start();
  const running = pair.run();
  for (let turn = 0; turn < 20_000; turn++) await Promise.resolve();
  assert.equal(reader.chunks.length, 1);
  assert.ok(source.readBytes <= 16 * MIB, `${source.readBytes}`);
  // Nobody waits for the reader for ever.
  const closed = new TransferError("interrupted", "Closed");
  pair.receiver.abort(closed);
  output.abort(closed);
  const { received } = await running;
  assert.ok(received.status === "rejected");
  assert.equal(received.reason.code, "interrupted");
  takeAll();
});

Deno.test("a transfer that fails aborts the stream", async () => {
  const reader = new Reader();
  const { pair, output } = startStream(reader, new Uint8Array(2 * MIB), "fails");
  await pair.start();
  const { received } = await pair.run();
  if (received.status === "rejected") output.abort(received.reason);
  else assert.notEqual(received.value.exit, 0);
  await Promise.resolve();
  assert.equal(reader.end, "aborted");
});

Deno.test("a reader that is gone ends the transfer with write_failed", async () => {
  for (const size of [1000, 5 * MIB]) {
    const reader = new Reader();
    reader.onChunk = () => {
      throw new Error("Broken pipe (os error 32)");
    };
    const { pair } = start(reader);
    pair.source.addFile("/one", new Uint8Array(size));
    await pair.start(["/one"]);
    const { received } = await pair.run();
    assert.ok(received.status === "rejected");
    assert.equal(received.reason.code, "write_failed");
    assert.match(received.reason.message, /Cannot write the output: Broken pipe/);
  }
});
