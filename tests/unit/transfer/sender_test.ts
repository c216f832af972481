/**
 * Goal: no client, however evil, reads outside the share, sees it before it is let in, or makes the
 * sharer hang or take too much.
 * Method: a real sender against a peer that says what the test tells it to.
 */
import assert from "node:assert/strict";
import { encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { hashGroup } from "../../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES, MAX_OPEN_REQUESTS } from "../../../lib/transfer/limits.ts";
import { buildManifest } from "../../../lib/transfer/offer/manifest.ts";
import { encodeHello } from "../../../lib/transfer/message_encoder.ts";
import type { Message, RequestItem } from "../../../lib/transfer/messages.ts";
import { SharerExchange } from "../../../lib/transfer/sharer_exchange.ts";
import { ShareTree } from "../../../lib/transfer/offer/share_tree.ts";
import { wireOf } from "../../support/raw_peer.ts";
import { all, SenderAttack } from "../../support/sender_attack.ts";
import { clientHello } from "../../support/transfer_pair.ts";

const MIB = GROUP_BYTES;
const LIST: Message = { type: "list", first: 0 };

Deno.test("Sender shows nothing of the share before the client was let in [XFER-4]", async () => {
  const attack = await new SenderAttack().start({ admit: () => new Promise(() => {}) });
  attack.peer.say(LIST);
  await attack.settle();
  assert.deepEqual(attack.peer.received.map(({ type }) => type), ["hello", "pending"]);
  attack.get(0, all(3));
  assert.equal(await attack.outcome(), "protocol_violation");
  assert.deepEqual(attack.peer.blocks, []);
});

Deno.test("Sender answers LIST from any entry on [XFER-6]", async () => {
  const attack = await new SenderAttack().start();
  attack.peer.say({ type: "list", first: 2 });
  await attack.settle();
  const [page] = attack.peer.of("entries");
  assert.equal(page!.first, 2);
  assert.deepEqual(page!.entries.map(({ path }) => path), ["share/empty", "share/small"]);
  attack.peer.say({ type: "list", first: 4 });
  await attack.settle();
  assert.equal(attack.peer.of("entries").length, 1);
  attack.peer.say({ type: "list", first: 5 });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender answers whole files with blocks, hashes and roots in order [XFER-10] [XFER-11]", async () => {
  const attack = await new SenderAttack().start();
  attack.get(0, all(3), all(1), all(2));
  await attack.settle();
  const { big, peer } = attack;
  const roots = peer.of("root");
  assert.deepEqual(roots.map(({ request, status }) => [request, status]), [
    [0, "whole"],
    [1, "whole"],
    [2, "whole"],
  ]);
  const nodes = peer.of("nodes");
  assert.deepEqual(nodes.map(({ request, firstGroup }) => [request, firstGroup]), [
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 3],
  ]);
  assert.deepEqual(nodes[1]!.hashes, hashGroup(nodeProvider, big.subarray(MIB, 2 * MIB)));
  const received = new Uint8Array(big.length);
  for (const { request, offset, bytes } of peer.blocks) {
    if (request === 1) received.set(bytes, offset);
  }
  assert.deepEqual(received, big);
});

Deno.test("Sender answers ranges with their bytes and hashes only [XFER-8]", async () => {
  const attack = await new SenderAttack().start();
  const ranges = [{ offset: MIB, length: MIB }, { offset: 3 * MIB, length: 10 }];
  attack.get(0, { entry: 1, ranges });
  await attack.settle();
  const { peer } = attack;
  const bytes = peer.blocks.reduce((sum, block) => sum + block.bytes.length, 0);
  assert.equal(bytes, MIB + 10);
  assert.ok(peer.blocks.every(({ offset }) => offset >= MIB && offset !== 2 * MIB));
  assert.deepEqual(peer.of("nodes").map(({ firstGroup }) => firstGroup), [1, 3]);
  assert.deepEqual(peer.of("root"), [
    { type: "root", request: 0, status: "ranges", root: new Uint8Array(0), sentBytes: 0 },
  ]);
});

Deno.test("Sender refuses requests for what is not there [XFER-7] [XFER-8]", async () => {
  const range = (offset: number, length: number): RequestItem => ({
    entry: 1,
    ranges: [{ offset, length }],
  });
  const cases: [number, RequestItem[]][] = [
    [0, [all(0)]], // a folder
    [0, [all(4)]], // past the end
    [0, [all(2 ** 50)]],
    [1, [all(1)]], // not the next number
    [0, [range(1, MIB)]],
    [0, [range(0, 5)]],
    [0, [range(0, 0)]],
    [0, [range(4 * MIB, 1)]],
    [0, [range(3 * MIB, 11)]],
    [0, [range(0, 2 ** 53 - 1)]],
    [0, [{ entry: 1, ranges: [{ offset: MIB, length: MIB }, { offset: 0, length: MIB }] }]],
    [0, [{ entry: 2, ranges: [{ offset: 0, length: 0 }] }]],
  ];
  for (const [first, items] of cases) {
    const attack = await new SenderAttack().start();
    attack.get(first, ...items);
    assert.equal(await attack.outcome(), "protocol_violation", JSON.stringify(items));
    assert.equal(attack.peer.wireCode, wireOf("protocol_violation"));
    assert.deepEqual(attack.peer.blocks, []);
  }
});

Deno.test("Sender sends no link as a file [XFER-7]", async () => {
  const { manifest } = await new SenderAttack().start();
  const link = { kind: "symlink", path: "share/z", linkTarget: "small" } as const;
  const entries = [...manifest.entries, { ...link, sizeBytes: 0, mtimeMs: 0, executable: false }];
  const attack = await new SenderAttack().start({ manifest: { ...manifest, entries } });
  attack.get(0, all(4));
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender bounds unanswered requests [XFER-7]", async () => {
  const attack = await new SenderAttack().start();
  const items = Array.from({ length: MAX_OPEN_REQUESTS }, () => all(3));
  attack.get(0, ...items);
  attack.get(items.length, all(3), all(3));
  // More than one page of answers is still unread, so all of these are open.
  attack.get(items.length + 2, ...items);
  assert.equal(await attack.outcome(), "limit_exceeded");
});

const NO_OFFER: Message = {
  type: "offer",
  entries: 0,
  files: 0,
  directories: 0,
  links: 0,
  bytes: 0,
};

Deno.test("Sender refuses messages that are not the client's turn [XFER-2]", async () => {
  const sequences: Message[][] = [
    [{ type: "hello", version: 1, features: 0, text: "" }],
    [{ type: "verify_commit", commitment: new Uint8Array(32) }],
    [{ type: "verify_nonce", nonce: new Uint8Array(32) }],
    [{ type: "pending", reason: "admission" }],
    [NO_OFFER, NO_OFFER],
    [{ type: "entries", first: 0, entries: [] }],
    [{ type: "nodes", request: 0, firstGroup: 0, hashes: new Uint8Array(32) }],
    [{ type: "bye" }],
    [{ type: "cancel", request: 0 }],
    [LIST, LIST],
  ];
  for (const sequence of sequences) {
    const attack = await new SenderAttack().start();
    attack.peer.say(...sequence);
    assert.equal(await attack.outcome(), "protocol_violation", JSON.stringify(sequence));
  }
  const attack = await new SenderAttack().start();
  attack.peer.block(0, 0, new Uint8Array(1));
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender refuses a client of another version, naming both [XFER-3]", async () => {
  const hello = encodeHello({ version: 2, features: 0, text: "" });
  const attack = await new SenderAttack().start({ clientHello: hello });
  assert.equal(await attack.outcome(), "version_mismatch");
  assert.match(attack.peer.end!.reason, /version 1.*2/);
  const malformed = await new SenderAttack().start({ clientHello: new Uint8Array([1]) });
  assert.equal(await malformed.outcome(), "protocol_violation");
});

Deno.test("Sender stops a request that is given up and tells how far it came [XFER-14]", async () => {
  const attack = await new SenderAttack().start();
  attack.storage.onRead = (path, offset) => {
    if (path === "/share/big" && offset === MIB) attack.peer.say({ type: "cancel", request: 0 });
  };
  attack.get(0, all(1), all(3));
  await attack.settle();
  const [first, second] = attack.peer.of("root");
  assert.deepEqual([first!.request, first!.status], [0, "cancelled"]);
  const sent = attack.peer.blocks.filter(({ request }) => request === 0)
    .reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.equal(first!.sentBytes, sent);
  assert.ok(sent > 0 && sent < attack.big.length);
  assert.deepEqual([second!.request, second!.status], [1, "whole"]);
});

Deno.test("Sender does not begin a request that was given up while it waited [XFER-14]", async () => {
  const attack = await new SenderAttack().start();
  const reads: string[] = [];
  attack.storage.onRead = (path, offset) => {
    reads.push(path);
    if (path !== "/share/big" || offset > 0) return;
    attack.peer.say({ type: "cancel", request: 1 });
    attack.peer.say({ type: "cancel", request: 2 });
  };
  const firstGroup = { entry: 1, ranges: [{ offset: 0, length: MIB }] };
  attack.get(0, all(1), all(3), firstGroup);
  await attack.settle();
  assert.deepEqual(
    attack.peer.of("root").map(({ request, status, sentBytes }) => [request, status, sentBytes]),
    [[0, "whole", 0], [1, "cancelled", 0], [2, "cancelled", 0]],
  );
  assert.ok(reads.every((path) => path === "/share/big"));
  assert.ok(attack.peer.blocks.every(({ request }) => request === 0));
});

Deno.test("Sender compares the receipt with what it sent [XFER-14] [XFER-15]", async () => {
  const run = async (cancelled: boolean, counted: boolean) => {
    const attack = await new SenderAttack().start();
    const manifest = await buildManifest(attack.storage, ["/share"], { onWarning: () => {} });
    attack.get(0, all(3));
    await attack.settle();
    if (cancelled) attack.peer.say({ type: "cancel", request: 0 });
    const tree = new ShareTree(nodeProvider, manifest.entries);
    if (counted) tree.setRoot(3, attack.peer.of("root")[0]!.root);
    const root = tree.root();
    attack.peer.say({ type: "receipt", root, items: 1, bytes: 5, leftOut: 3 });
    return { code: await attack.outcome(), attack };
  };
  const { code, attack } = await run(false, true);
  assert.equal(code, "ok");
  assert.equal(attack.peer.of("bye").length, 1);
  const { items, bytes, leftOut, exit } = await attack.sender.forth.half.finished;
  assert.deepEqual([items, bytes, leftOut, exit], [1, 5, 3, 0]);
  assert.equal((await run(false, false)).code, "integrity");
  assert.equal((await run(true, false)).code, "ok");
  assert.equal((await run(true, true)).code, "integrity");
});

Deno.test("Sender refuses a receipt while requests are open [XFER-15]", async () => {
  const attack = await new SenderAttack().start();
  attack.get(0, all(1));
  const root = new Uint8Array(32);
  attack.peer.say({ type: "receipt", root, items: 0, bytes: 0, leftOut: 0 });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender says that files are done only when they have arrived", async () => {
  const done: string[] = [];
  const attack = await new SenderAttack().start({
    onEvent: (notice) => void (notice.event === "file-done" && done.push(notice.path)),
  });
  attack.get(0, all(1), all(2), all(3));
  let deliveries = 0;
  const deliver = attack.link.left.deliver.bind(attack.link.left);
  attack.link.left.deliver = () => ++deliveries === 12 ? attack.link.left.vanish() : deliver();
  attack.link.left.onEnd = () => attack.sender.handleClosed(new TransferError("path_lost", "lost"));
  assert.equal(await attack.outcome(), "path_lost");
  // Everything that was lent came back when the path was lost; only what arrived counts.
  assert.ok(!done.includes("share/big"));
  assert.ok(attack.sender.forth.progress.bytesDone < attack.big.length);
});

Deno.test("Sender tells a client that was not let in nothing of how many entries there are [XFER-4]", async () => {
  let letIn = (_isAdmitted: boolean) => {};
  const admit = () => new Promise<boolean>((resolve) => letIn = resolve);
  const attack = await new SenderAttack().start({ admit });
  attack.peer.say({ type: "list", first: 1_000_000 });
  await attack.settle();
  assert.equal(attack.peer.end, undefined);
  letIn(true);
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender bounds ranges of unanswered requests [XFER-7]", async () => {
  const attack = await new SenderAttack().start();
  const ranges = [0, 1, 2].map((group) => ({ offset: group * MIB, length: MIB }));
  for (let first = 0; first + 300 < MAX_OPEN_REQUESTS; first += 300) {
    attack.get(first, ...Array.from({ length: 300 }, () => ({ entry: 1, ranges })));
  }
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Sender reports a file that cannot be read once, however often it is asked for", async () => {
  const warnings: string[] = [];
  const attack = await new SenderAttack().start({
    onEvent: (notice) => {
      if (notice.event === "warning") warnings.push(`${notice.code} ${notice.path}`);
    },
  });
  attack.storage.unreadable.add("/share/small");
  attack.get(0, all(3), all(3), all(3));
  await attack.settle();
  assert.equal(attack.peer.of("root").length, 3);
  assert.deepEqual(warnings, ["unreadable share/small"]);
});

Deno.test("Sender asks nobody about a client that broke the protocol before it was greeted", async () => {
  const attack = new SenderAttack();
  attack.storage.addFile("/share/a", "a");
  const manifest = await buildManifest(attack.storage, ["/share"], { onWarning: () => {} });
  let asked = 0;
  const sender = new SharerExchange({
    channel: attack.link.left,
    storage: attack.storage,
    crypto: nodeProvider,
    manifest,
    clientHello: clientHello(),
    admit: () => Promise.resolve(++asked > 0),
    onEvent: () => {},
  });
  // BYE, which no client says: it came with the handshake and waited for somebody to take it.
  sender.handleControl(new Uint8Array([0x0d, 0]));
  sender.start();
  await assert.rejects(sender.forth.half.finished, { code: "protocol_violation" });
  assert.equal(asked, 0);
});

Deno.test("Sender counts parts of a file once, and calls it done when the client does", async () => {
  const attack = await new SenderAttack().start();
  const part = (group: number): RequestItem => ({
    entry: 1,
    ranges: [{ offset: group * MIB, length: MIB }],
  });
  attack.check(0, 1);
  attack.get(1, part(1), part(2));
  await attack.settle();
  const { sender } = attack;
  const progress = () => {
    const { bytesDone, bytesTotal, itemsDone, itemsTotal } = sender.forth.progress;
    return [bytesDone, bytesTotal, itemsDone, itemsTotal];
  };
  assert.deepEqual(progress(), [2 * MIB, 2 * MIB, 0, 1]);
  // More than the file has must be parts of it that were damaged on the way.
  attack.get(3, part(0), part(1), part(2));
  await attack.settle();
  assert.deepEqual(progress(), [3 * MIB, 3 * MIB, 0, 1]);
  const { root: fileRoot } = attack.peer.of("root").find(({ status }) => status === "hashed")!;
  const tree = new ShareTree(nodeProvider, attack.manifest.entries);
  tree.setRoot(1, fileRoot);
  const root = tree.root();
  attack.peer.say({ type: "receipt", root, items: 1, bytes: attack.big.length, leftOut: 3 });
  assert.equal(await attack.outcome(), "ok");
  assert.deepEqual(progress(), [3 * MIB, 3 * MIB, 1, 1]);
  assert.deepEqual(attack.notices.filter(({ event }) => event === "file-done"), [{
    event: "file-done",
    path: "share/big",
    bytes: attack.big.length,
    root: encodeHex(fileRoot),
  }]);
});

Deno.test("Sender fails when nothing could be read of what it was asked for", async () => {
  const attack = new SenderAttack();
  await attack.start();
  attack.storage.unreadable.add("/share/big").add("/share/small");
  attack.check(0, 1);
  attack.get(1, all(3));
  await attack.settle();
  const root = new ShareTree(nodeProvider, attack.manifest.entries).root();
  attack.peer.say({ type: "receipt", root, items: 1, bytes: 0, leftOut: 3 });
  assert.equal(await attack.outcome(), "read_failed");
});
