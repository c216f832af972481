/**
 * Goal: bytes of which nobody knows how many there are arrive as they were, as fast as the client
 * takes them and no faster, and nothing waits for them for ever.
 * Method: a real sender of one stream against a peer that says what the test tells it to.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { hashGroup, TreeHasher } from "../../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES, READ_AHEAD_GROUPS } from "../../../lib/transfer/limits.ts";
import { ShareTree } from "../../../lib/transfer/offer/share_tree.ts";
import { streamManifest } from "../../../lib/transfer/offer/single_source.ts";
import { FakeStream, type StreamEnd } from "../../support/fake_stream.ts";
import { Prng } from "../../support/prng.ts";
import { all, SenderAttack } from "../../support/sender_attack.ts";

const MIB = GROUP_BYTES;

interface StreamAttackOptions {
  readonly end?: StreamEnd;
  readonly creditBytes?: number;
}

/** A sender of one stream of some length, and an evil client. */
async function share(lengthBytes: number, { end, creditBytes }: StreamAttackOptions = {}) {
  const bytes = new Prng(lengthBytes + 1).bytes(lengthBytes);
  const stream = new FakeStream(bytes, end);
  const link = { queueTargetBytes: 2 * MIB, creditBytes: creditBytes ?? 64 * MIB };
  const attack = new SenderAttack(link);
  await attack.start({
    storage: stream,
    manifest: streamManifest({ name: "stdin", mtimeMs: 5 }),
  });
  return { attack, stream, bytes };
}

Deno.test("Sender sends a stream of any length, with its hashes and its length [XFER-19]", async () => {
  for (const length of [0, 1, 65_536, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 70_000]) {
    const { attack, stream, bytes } = await share(length);
    attack.get(0, all(0));
    await attack.settle();
    const tree = new TreeHasher(nodeProvider);
    const expected: [number, Uint8Array][] = [];
    for (let offset = 0; offset < length; offset += MIB) {
      const group = bytes.subarray(offset, offset + MIB);
      const hash = hashGroup(nodeProvider, group);
      tree.push(hash);
      if (offset > 0 || group.length === MIB) expected.push([offset / MIB, hash]);
    }
    const nodes = attack.peer.of("nodes").map(({ firstGroup, hashes }) => [firstGroup, hashes]);
    assert.deepEqual(nodes, expected, `${length} bytes`);
    assert.deepEqual(attack.messagesOf(0).at(-1), {
      type: "root",
      request: 0,
      status: "whole",
      root: tree.root(),
      sentBytes: length,
    });
    assert.deepEqual(attack.bytesOf(0), bytes);
    assert.deepEqual([stream.opened, stream.isOpen], [1, false]);
    const { bytesDone, bytesTotal, itemsTotal } = attack.sender.forth.progress;
    assert.deepEqual([bytesDone, bytesTotal, itemsTotal], [length, length, 1]);

    const shareTree = new ShareTree(nodeProvider, attack.manifest.entries);
    shareTree.setRoot(0, tree.root(), length);
    const root = shareTree.root();
    attack.peer.say({ type: "receipt", root, items: 1, bytes: length, leftOut: 0 });
    assert.equal(await attack.outcome(), "ok");
    const done = attack.notices.filter(({ event }) => event === "file-done");
    assert.deepEqual(done.map((notice) => notice.event === "file-done" && notice.bytes), [length]);
  }
});

Deno.test("Sender reads a stream once, from its beginning [XFER-19]", async () => {
  const cases: ((attack: SenderAttack) => void)[] = [
    (attack) => attack.get(0, all(0), all(0)),
    (attack) => {
      attack.get(0, all(0));
      attack.get(1, all(0));
    },
    (attack) => {
      attack.get(0, all(0));
      attack.cancel(0);
      attack.get(1, all(0));
    },
    (attack) => attack.get(0, { entry: 0, ranges: [{ offset: 0, length: MIB }] }),
    (attack) => attack.get(0, { entry: 0, ranges: [{ offset: 0, length: 0 }] }),
    (attack) => attack.check(0, 0),
    (attack) => {
      attack.get(0, all(0));
      attack.check(1, 0);
    },
  ];
  for (const ask of cases) {
    const { attack, stream } = await share(5 * MIB);
    ask(attack);
    assert.equal(await attack.outcome(), "protocol_violation", String(ask));
    assert.ok(stream.opened <= 1 && !stream.isOpen);
  }
  const { attack } = await share(10);
  attack.get(0, all(0));
  await attack.settle();
  attack.get(1, all(0));
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender reads an endless stream no faster than a client takes it [XFER-19]", async () => {
  const { attack, stream } = await share(0, { end: "endless", creditBytes: 4 * MIB });
  attack.get(0, all(0));
  // A client that takes nothing: its credit is used up, and then what waits here.
  await attack.settle();
  assert.equal(attack.bytesOf(0).length, 4 * MIB);
  assert.ok(stream.readBytes > 4 * MIB);
  // What is queued, the group that filled the queue, and those that are read ahead of it.
  assert.ok(stream.readBytes <= (4 + 2 + 1 + READ_AHEAD_GROUPS) * MIB, `${stream.readBytes}`);
  assert.ok(attack.sender.forth.isAsked);
  const { bytesDone, bytesTotal } = attack.sender.forth.progress;
  assert.ok(bytesDone === 4 * MIB && bytesTotal >= bytesDone);
  attack.sender.abort(new TransferError("interrupted", "Stopped"));
  await assert.rejects(attack.sender.forth.half.finished, { code: "interrupted" });
  assert.ok(!stream.isOpen);
});

Deno.test("Sender gives up a stream that gives nothing when nobody wants it [XFER-14] [XFER-19]", async () => {
  const cancelled = await share(2 * MIB, { end: "waits" });
  cancelled.attack.get(0, all(0));
  await cancelled.attack.settle();
  assert.ok(cancelled.stream.isOpen);
  cancelled.attack.cancel(0);
  await cancelled.attack.settle();
  assert.deepEqual(cancelled.attack.ends, [[0, "cancelled", 2 * MIB]]);
  assert.ok(!cancelled.stream.isOpen);
  assert.ok(!cancelled.attack.sender.forth.isAsked);

  const stop = new TransferError("interrupted", "Stopped");
  const ends: ((attack: SenderAttack) => void)[] = [
    (attack) => attack.sender.abort(stop),
    (attack) => attack.link.left.vanish(),
    (attack) => attack.peer.sayBytes(0x0d, 0),
  ];
  for (const end of ends) {
    const { attack, stream } = await share(2 * MIB, { end: "waits" });
    attack.get(0, all(0));
    await attack.settle();
    assert.ok(stream.isOpen);
    end(attack);
    await attack.settle();
    await assert.rejects(attack.sender.forth.half.finished, TransferError);
    assert.ok(!stream.isOpen, String(end));
  }
});

Deno.test("Sender names a stream that fails, and says how far it came [XFER-13] [XFER-19]", async () => {
  const { attack, stream, bytes } = await share(2 * MIB + 7, { end: "fails" });
  attack.get(0, all(0));
  await attack.settle();
  // What came with the error cannot be told from what is missing.
  assert.deepEqual(attack.ends, [[0, "unreadable", 2 * MIB]]);
  assert.deepEqual(attack.bytesOf(0), bytes.subarray(0, 2 * MIB));
  assert.deepEqual(attack.warnings, ["unreadable stdin"]);
  assert.ok(!stream.isOpen);
});

Deno.test("Sender says when the client took no stream: it is gone, other than a file", async () => {
  const { attack, stream } = await share(10);
  const root = new ShareTree(nodeProvider, attack.manifest.entries).root();
  attack.peer.say({ type: "receipt", root, items: 0, bytes: 0, leftOut: 1 });
  assert.equal(await attack.outcome(), "ok");
  const { exit, leftOut } = await attack.sender.forth.half.finished;
  assert.deepEqual([exit, leftOut, stream.opened], [13, 1, 0]);
  assert.deepEqual(attack.warnings, ["not_taken stdin"]);
});
