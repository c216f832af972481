import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import type { TransferEvent } from "../../../lib/events.ts";
import { ReceivedManifest } from "../../../lib/receiving/received_manifest.ts";
import { parseManifest } from "../../../lib/checksums/checksum_manifest.ts";
import { GROUP_BYTES } from "../../../lib/transfer/limits.ts";
import type { PlannedEntry } from "../../../lib/transfer/receiving/plan.ts";
import { systemClock } from "../../../lib/transport/clock.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

/** A receive into /in that has put one file of three groups into its place. */
function received() {
  const storage = new FakeStorage();
  const bytes = new Uint8Array(3 * GROUP_BYTES).fill(7);
  storage.addFile("/in/large", bytes);
  const events: TransferEvent[] = [];
  const manifest = new ReceivedManifest({
    options: { storage, directory: "/in", manifest: "/in/SUMS" },
    crypto: nodeProvider,
    clock: systemClock,
    session: 1,
    emit: (event) => events.push(event),
  });
  const planned: PlannedEntry = {
    index: 0,
    entry: {
      kind: "file",
      path: "large",
      sizeBytes: bytes.length,
      mtimeMs: 0,
      executable: false,
    },
    parent: "/in",
    storedAs: "large",
    isDotName: false,
  };
  manifest.add(planned);
  return { storage, events, manifest, bytes };
}

Deno.test("a manifest is written with progress, and told of at the end", async () => {
  const { storage, events, manifest, bytes } = received();
  await manifest.check();
  await manifest.write();
  const progress = events.at(-2)!;
  assert.ok(progress.event === "progress" && progress.readingBack === true);
  assert.deepEqual(
    [progress.session, progress.bytesDone, progress.bytesTotal, progress.itemsDone],
    [1, bytes.length, bytes.length, 1],
  );
  assert.deepEqual(events.at(-1), {
    event: "manifest",
    session: 1,
    path: "/in/SUMS",
    files: 1,
    bytes: bytes.length,
  });
  const before = Date.now();
  assert.ok(Math.abs(storage.get("/in/SUMS")!.mtimeMs - before) < 60_000);
  assert.equal(parseManifest(storage.get("/in/SUMS")!.bytes)[0]!.path, "large");
});

Deno.test("a manifest that is stopped while files are read back is not written", async () => {
  const { storage, events, manifest } = received();
  let stopped: Promise<void> | undefined;
  storage.onRead = (_path, offset) => {
    if (offset > 0) stopped ??= manifest.stop();
  };
  await assert.rejects(manifest.write(), TransferError);
  await stopped;
  assert.ok(stopped);
  assert.equal(storage.get("/in/SUMS"), undefined);
  assert.equal(storage.openFiles, 0);
  assert.ok(!events.some(({ event }) => event === "manifest"));
  await received().manifest.stop();
});

Deno.test("trouble with the disk is told in the words of a transfer", async () => {
  const { storage, manifest } = received();
  storage.capacityBytes = 10;
  await assert.rejects(
    manifest.write(),
    (error) => error instanceof TransferError && error.code === "disk_full",
  );
  storage.addFile("/in/SUMS", "mine");
  await assert.rejects(
    manifest.check(),
    (error) => error instanceof TransferError && error.code === "usage",
  );
});
