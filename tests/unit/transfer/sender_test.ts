/**
 * Goal: no client, however evil, reads outside the share, sees it before it is let in, or makes the
 * sharer hang or take too much.
 * Method: a real sender against a peer that says what the test tells it to.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { hashGroup } from "../../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES, MAX_OPEN_REQUESTS } from "../../../lib/transfer/limits.ts";
import { buildManifest } from "../../../lib/transfer/manifest.ts";
import { encodeHello, type Message, type RequestItem } from "../../../lib/transfer/messages.ts";
import { Sender, type SenderOptions } from "../../../lib/transfer/sender.ts";
import { ShareTree } from "../../../lib/transfer/share_tree.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { MemoryLink } from "../../support/memory_channel.ts";
import { Prng } from "../../support/prng.ts";
import { RawPeer, wireOf } from "../../support/raw_peer.ts";
import { clientHello, reportEnd } from "../../support/transfer_pair.ts";

const MIB = GROUP_BYTES;
const LIST: Message = { type: "list", first: 0 };

/** A sender of `/share` (0), `big` (1), `empty` (2), `small` (3), and an evil client. */
class Attack {
  readonly storage = new FakeStorage();
  readonly link = new MemoryLink(1);
  readonly peer = new RawPeer(this.link.right);
  readonly big = new Prng(1).bytes(3 * MIB + 10);
  sender!: Sender;

  async start(options: Partial<SenderOptions> = {}): Promise<this> {
    this.storage.addFile("/share/big", this.big);
    this.storage.addFile("/share/empty", "");
    this.storage.addFile("/share/small", "small");
    this.storage.addFile("/secret", "secret");
    const manifest = await buildManifest(this.storage, ["/share"], { onWarning: () => {} });
    this.sender = new Sender({
      channel: this.link.left,
      storage: this.storage,
      crypto: nodeProvider,
      manifest,
      clientHello: clientHello(),
      onEvent: () => {},
      ...options,
    });
    this.link.left.handler = this.sender;
    reportEnd(this.link.left, this.sender);
    this.sender.start();
    return this;
  }

  get(firstRequest: number, ...items: RequestItem[]): void {
    this.peer.say({ type: "get", firstRequest, items });
  }

  /** Runs until nothing moves any more, or the end. */
  async settle(): Promise<void> {
    await this.link.run(this.sender.finished).catch(() => {});
  }

  /** Runs to the end; gives the error's code, or `"ok"`. */
  async outcome(): Promise<string> {
    await this.link.run(this.sender.finished);
    assert.equal(this.storage.openFiles, 0);
    try {
      await this.sender.finished;
      return "ok";
    } catch (error) {
      assert.ok(error instanceof TransferError, String(error));
      if (error.code === "internal") throw error.cause;
      return error.code;
    }
  }
}

const ALL = (entry: number): RequestItem => ({ entry, ranges: [] });

Deno.test("Sender shows nothing of the share before the client was let in [XFER-4]", async () => {
  const attack = await new Attack().start({ admit: () => new Promise(() => {}) });
  attack.peer.say(LIST);
  await attack.settle();
  assert.deepEqual(attack.peer.received.map(({ type }) => type), ["hello", "pending"]);
  attack.get(0, ALL(3));
  assert.equal(await attack.outcome(), "protocol_violation");
  assert.deepEqual(attack.peer.blocks, []);
});

Deno.test("Sender answers LIST from any entry on [XFER-6]", async () => {
  const attack = await new Attack().start();
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
  const attack = await new Attack().start();
  attack.get(0, ALL(3), ALL(1), ALL(2));
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
  const attack = await new Attack().start();
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
    [0, [ALL(0)]], // a folder
    [0, [ALL(4)]], // past the end
    [0, [ALL(2 ** 50)]],
    [1, [ALL(1)]], // not the next number
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
    const attack = await new Attack().start();
    attack.get(first, ...items);
    assert.equal(await attack.outcome(), "protocol_violation", JSON.stringify(items));
    assert.equal(attack.peer.wireCode, wireOf("protocol_violation"));
    assert.deepEqual(attack.peer.blocks, []);
  }
});

Deno.test("Sender bounds unanswered requests [XFER-7]", async () => {
  const attack = await new Attack().start();
  const items = Array.from({ length: MAX_OPEN_REQUESTS }, () => ALL(3));
  attack.get(0, ...items);
  attack.get(items.length, ALL(3), ALL(3));
  // More than one page of answers is still unread, so all of these are open.
  attack.get(items.length + 2, ...items);
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Sender refuses messages that are not the client's turn [XFER-2]", async () => {
  const sequences: Message[][] = [
    [{ type: "hello", version: 1, features: 0, text: "" }],
    [{ type: "verify_commit", commitment: new Uint8Array(32) }],
    [{ type: "verify_nonce", nonce: new Uint8Array(32) }],
    [{ type: "pending", reason: "admission" }],
    [{ type: "offer", entries: 0, files: 0, directories: 0, bytes: 0 }],
    [{ type: "entries", first: 0, entries: [] }],
    [{ type: "nodes", request: 0, firstGroup: 0, hashes: new Uint8Array(32) }],
    [{ type: "bye" }],
    [{ type: "cancel", request: 0 }],
    [LIST, LIST],
  ];
  for (const sequence of sequences) {
    const attack = await new Attack().start();
    attack.peer.say(...sequence);
    assert.equal(await attack.outcome(), "protocol_violation", JSON.stringify(sequence));
  }
  const attack = await new Attack().start();
  attack.peer.block(0, 0, new Uint8Array(1));
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender refuses a client of another version, naming both [XFER-3]", async () => {
  const hello = encodeHello({ version: 2, features: 0, text: "" });
  const attack = await new Attack().start({ clientHello: hello });
  assert.equal(await attack.outcome(), "version_mismatch");
  assert.match(attack.peer.end!.reason, /version 1.*2/);
  const malformed = await new Attack().start({ clientHello: new Uint8Array([1]) });
  assert.equal(await malformed.outcome(), "protocol_violation");
});

Deno.test("Sender stops a request that is given up and tells how far it came [XFER-14]", async () => {
  const attack = await new Attack().start();
  attack.storage.onRead = (path, offset) => {
    if (path === "/share/big" && offset === MIB) attack.peer.say({ type: "cancel", request: 0 });
  };
  attack.get(0, ALL(1), ALL(3));
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
  const attack = await new Attack().start();
  const reads: string[] = [];
  attack.storage.onRead = (path, offset) => {
    reads.push(path);
    if (path !== "/share/big" || offset > 0) return;
    attack.peer.say({ type: "cancel", request: 1 });
    attack.peer.say({ type: "cancel", request: 2 });
  };
  const firstGroup = { entry: 1, ranges: [{ offset: 0, length: MIB }] };
  attack.get(0, ALL(1), ALL(3), firstGroup);
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
    const attack = await new Attack().start();
    const manifest = await buildManifest(attack.storage, ["/share"], { onWarning: () => {} });
    attack.get(0, ALL(3));
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
  const { items, bytes, leftOut, exit } = await attack.sender.finished;
  assert.deepEqual([items, bytes, leftOut, exit], [1, 5, 3, 0]);
  assert.equal((await run(false, false)).code, "integrity");
  assert.equal((await run(true, false)).code, "ok");
  assert.equal((await run(true, true)).code, "integrity");
});

Deno.test("Sender refuses a receipt while requests are open [XFER-15]", async () => {
  const attack = await new Attack().start();
  attack.get(0, ALL(1));
  const root = new Uint8Array(32);
  attack.peer.say({ type: "receipt", root, items: 0, bytes: 0, leftOut: 0 });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender says that files are done only when they have arrived", async () => {
  const done: string[] = [];
  const attack = await new Attack().start({
    onEvent: (notice) => void (notice.event === "file-done" && done.push(notice.path)),
  });
  attack.get(0, ALL(1), ALL(2), ALL(3));
  let deliveries = 0;
  const deliver = attack.link.left.deliver.bind(attack.link.left);
  attack.link.left.deliver = () => ++deliveries === 12 ? attack.link.left.vanish() : deliver();
  attack.link.left.onEnd = () => attack.sender.handleClosed(new TransferError("path_lost", "lost"));
  assert.equal(await attack.outcome(), "path_lost");
  // Everything that was lent came back when the path was lost; only what arrived counts.
  assert.ok(!done.includes("share/big"));
  assert.ok(attack.sender.progress.bytesDone < attack.big.length);
});

Deno.test("Sender tells a client that was not let in nothing of how many entries there are [XFER-4]", async () => {
  let letIn = (_isAdmitted: boolean) => {};
  const admit = () => new Promise<boolean>((resolve) => letIn = resolve);
  const attack = await new Attack().start({ admit });
  attack.peer.say({ type: "list", first: 1_000_000 });
  await attack.settle();
  assert.equal(attack.peer.end, undefined);
  letIn(true);
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender bounds ranges of unanswered requests [XFER-7]", async () => {
  const attack = await new Attack().start();
  const ranges = [0, 1, 2].map((group) => ({ offset: group * MIB, length: MIB }));
  for (let first = 0; first + 300 < MAX_OPEN_REQUESTS; first += 300) {
    attack.get(first, ...Array.from({ length: 300 }, () => ({ entry: 1, ranges })));
  }
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Sender reports a file that cannot be read once, however often it is asked for", async () => {
  const warnings: string[] = [];
  const attack = await new Attack().start({
    onEvent: (notice) => {
      if (notice.event === "warning") warnings.push(`${notice.code} ${notice.path}`);
    },
  });
  attack.storage.unreadable.add("/share/small");
  attack.get(0, ALL(3), ALL(3), ALL(3));
  await attack.settle();
  assert.equal(attack.peer.of("root").length, 3);
  assert.deepEqual(warnings, ["unreadable share/small"]);
});

Deno.test("Sender asks nobody about a client that broke the protocol before it was greeted", async () => {
  const attack = new Attack();
  attack.storage.addFile("/share/a", "a");
  const manifest = await buildManifest(attack.storage, ["/share"], { onWarning: () => {} });
  let asked = 0;
  const sender = new Sender({
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
  await assert.rejects(sender.finished, { code: "protocol_violation" });
  assert.equal(asked, 0);
});
