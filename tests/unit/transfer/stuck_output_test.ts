/**
 * Goal: whoever reads the output of a transfer, or does not, a transfer that has ended is over.
 * Method: whole transfers into a stream that takes nothing after its first bytes, cut by the sharer.
 */
import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { OUTPUT_ROOT, OutputStorage } from "../../../lib/storage/output_storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { TransferPair } from "../../support/transfer_pair.ts";

const MIB = 1_048_576;

for (const sizeBytes of [1000, 5 * MIB]) {
  Deno.test(`a transfer of ${sizeBytes} bytes that is cut off does not wait for the reader of its output`, async () => {
    const source = new FakeStorage();
    source.addFile("/share", new Uint8Array(sizeBytes));
    const cut = new TransferError("interrupted", "Cut by test");
    let pair: TransferPair | undefined = undefined;
    const stuck = new Promise<void>(() => {});
    const output = new WritableStream<Uint8Array>({
      write: async () => {
        // Not before everybody waits for this.
        for (let turn = 0; turn < 100; turn++) await null;
        pair!.sender.abort(cut);
        await stuck;
      },
    });
    const storage = new OutputStorage(output);
    pair = new TransferPair({ source, receiver: { storage, directory: OUTPUT_ROOT } });
    await pair.start();
    const { received } = await pair.run();
    assert.ok(received.status === "rejected");
    assert.equal(received.reason.code, "interrupted");
  });
}
