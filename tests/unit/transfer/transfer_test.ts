/**
 * Goal: whole transfers, sender and receiver as they are, end as they should.
 * Method: files in memory, a link in memory that cuts, reorders and repeats by a seed.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { ownNamesOf } from "../../../lib/transfer/own_names.ts";
import { StorageError } from "../../../lib/storage/storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { Prng } from "../../support/prng.ts";
import { assertSameFakeTree } from "../../support/same_fake_tree.ts";
import { TransferPair, type TransferPairOptions } from "../../support/transfer_pair.ts";

const MIB = 1_048_576;
const FILE_MTIME = 1_234_567_890_123;

/** A tree with everything in it that a transfer treats in a way of its own. */
function mixedTree(prng: Prng): FakeStorage {
  const storage = new FakeStorage();
  const sizes = [0, 1, 4096, 65_535, 65_536, 65_537, MIB - 1, MIB, MIB + 1, 2 * MIB, 3_456_789];
  for (const size of sizes) {
    const details = { mtimeMs: FILE_MTIME + size, executable: prng.chance(0.3) };
    storage.addFile(`/share/size ${size}`, prng.bytes(size), details);
  }
  for (let index = 0; index < 150; index++) {
    const folder = prng.pick(["many", "many/ünï", "many/日本/deep", "ordner"]);
    const bytes = prng.bytes(prng.integer(0, 9000));
    storage.addFile(`/share/${folder}/${index}`, bytes, { mtimeMs: FILE_MTIME });
  }
  storage.addFolder("/share/empty/inside");
  for (const path of storage.paths("/")) {
    const node = storage.get(path)!;
    if (node.kind === "directory") node.mtimeMs = FILE_MTIME - path.length;
  }
  return storage;
}

/** Runs a transfer that must end well on both sides. */
async function succeed(pair: TransferPair, ...paths: string[]) {
  return await succeedKeeping([], pair, ...paths);
}

/** The same; part files of some files are left for a later run. */
async function succeedKeeping(kept: readonly string[], pair: TransferPair, ...paths: string[]) {
  await pair.start(paths.length > 0 ? paths : ["/share"]);
  const { sent, received } = await pair.run();
  if (received.status === "rejected") throw received.reason;
  if (sent.status === "rejected") throw sent.reason;
  assert.equal(sent.value.root, received.value.root);
  assert.equal(pair.link.right.consumedBytes, pair.link.right.acceptedBytes);
  assertNothingLeft(pair, kept);
  return { sent: sent.value, received: received.value };
}

/** Runs a transfer that must fail; gives the codes of both sides. */
async function fail(
  pair: TransferPair,
  kept: readonly string[] = [],
): Promise<{ sent: string; received: string }> {
  await pair.start();
  const { sent, received } = await pair.run();
  assertNothingLeft(pair, kept);
  return { sent: codeOf(sent), received: codeOf(received) };
}

function codeOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === "fulfilled") return "ok";
  assert.ok(result.reason instanceof TransferError, String(result.reason));
  if (result.reason.code === "internal") throw result.reason.cause;
  return result.reason.code;
}

/**
 * No file is open, and nothing lies about but the part files and journals of the files in `kept`,
 * named as in the share.
 */
function assertNothingLeft(pair: TransferPair, kept: readonly string[] = []): void {
  assert.equal(pair.source.openFiles, 0);
  assert.equal(pair.target.openFiles, 0);
  const expected = kept.flatMap((path) => {
    const { part, journal } = ownNamesOf(nodeProvider, path);
    const folder = `/into/${path}`.replace(/\/[^/]*$/, "");
    return [`${folder}/${part}`, `${folder}/${journal}`];
  });
  assert.deepEqual(
    pair.target.paths("/").filter((path) => path.includes("/.p2pft-")),
    expected.sort(),
  );
}

/** What is under its own name in the folder that was shared. */
function inPlace(pair: TransferPair): string[] {
  return pair.target.paths("/into/share").filter((path) => !path.includes("/.p2pft-"));
}

function pairWith(files: Record<string, string | Uint8Array>, options: TransferPairOptions = {}) {
  const pair = new TransferPair(options);
  for (const [path, bytes] of Object.entries(files)) {
    pair.source.addFile(path, bytes, { mtimeMs: FILE_MTIME });
  }
  return pair;
}

for (let seed = 1; seed <= 9; seed++) {
  Deno.test(`transfer brings a mixed tree over unharmed [seed ${seed}]`, async () => {
    const prng = new Prng(seed);
    const pair = new TransferPair({
      seed,
      source: mixedTree(prng),
      reorderWindow: prng.pick([1, 5, 60]),
      duplicateRate: prng.pick([0, 0.02, 0.3]),
      pieceBytes: prng.pick([1400, 20_000, 200_000]),
      controlPieceBytes: prng.pick([7, 1200, 50_000]),
      creditBytes: prng.pick([2 * MIB, 4 * MIB]),
      queueTargetBytes: prng.pick([200_000, 3 * MIB]),
    });
    pair.source.answersAtOnce = seed % 3 !== 0;
    pair.target.answersAtOnce = seed % 3 !== 1;
    const { sent, received } = await succeed(pair);
    assertSameFakeTree(pair.source, "/share", pair.target, "/into/share");
    const entries = pair.source.paths("/").length;
    assert.deepEqual([received.items, received.leftOut, received.exit], [entries, 0, 0]);
    assert.deepEqual(sent, received);
    assert.deepEqual(pair.warnings, []);
    for (const side of [pair.sender, pair.receiver]) {
      const { bytesDone, bytesTotal, itemsDone, itemsTotal } = side.forth.progress;
      assert.deepEqual([bytesDone, bytesTotal], [sent.bytes, sent.bytes]);
      assert.deepEqual([itemsDone, itemsTotal], [161, 161]);
    }
    for (const notices of [pair.senderNotices, pair.receiverNotices]) {
      assert.equal(notices.filter(({ event }) => event === "file-done").length, 161);
    }
  });
}

Deno.test("transfer is the same to the byte with the same seed", async () => {
  const run = async () => {
    const pair = new TransferPair({
      source: mixedTree(new Prng(3)),
      reorderWindow: 9,
      duplicateRate: 0.1,
    });
    await succeed(pair);
    const { left, right } = pair.link;
    return [left.controlBytes, left.controlWrites, left.blocks, right.controlBytes];
  };
  assert.deepEqual(await run(), await run());
});

Deno.test("transfer sends nothing twice: a second run finds everything the same", async () => {
  const source = mixedTree(new Prng(1));
  const target = new FakeStorage();
  await succeed(new TransferPair({ source, target }));
  const again = new TransferPair({ source, target });
  const { received } = await succeed(again);
  assert.equal(again.offer!.sameItems, 161);
  assert.equal(again.link.left.blocks, 0);
  assert.deepEqual([received.bytes, received.leftOut, received.exit], [0, 0, 0]);
  assert.equal(received.items, source.paths("/").length);
  assertSameFakeTree(source, "/share", target, "/into/share");
});

Deno.test("transfer needs few messages for many small files", async () => {
  const pair = new TransferPair();
  for (let index = 0; index < 5000; index++) {
    pair.source.addFile(`/share/file ${index}`, new Uint8Array(100));
  }
  await succeed(pair);
  const { left, right } = pair.link;
  assert.ok(right.controlWrites < 10, `${right.controlWrites} writes to ask`);
  assert.ok(left.controlWrites < 250, `${left.controlWrites} writes to answer`);
  assert.ok(left.controlBytes < 5000 * 60, `${left.controlBytes} bytes`);
  assert.ok(pair.source.peakOpenFiles <= 8);
});

Deno.test("transfer takes an empty share of one empty file, and one of one folder", async () => {
  const pair = pairWith({ "/share": "" });
  const { received } = await succeed(pair);
  assert.deepEqual([received.items, received.bytes], [1, 0]);
  assert.equal(pair.target.get("/into/share")!.bytes.length, 0);
  const folder = new TransferPair();
  folder.source.addFolder("/share", 5);
  await succeed(folder);
  assert.equal(folder.target.get("/into/share")!.mtimeMs, 5);
});

Deno.test("transfer waits for the sharer's person and shows nothing before [XFER-4]", async () => {
  let admit: (isAdmitted: boolean) => void = () => {};
  const asked = new Promise<boolean>((resolve) => admit = resolve);
  const pair = pairWith({ "/share/x": "x" }, { sender: { admit: () => asked } });
  await pair.start();
  let isStuck = false;
  await pair.link.run(pair.receiver.forth.half.finished).catch(() => isStuck = true);
  assert.ok(isStuck);
  assert.deepEqual(pair.receiverNotices, [{ event: "waiting", reason: "admission" }]);
  admit(true);
  const { received } = await pair.run();
  assert.equal(received.status, "fulfilled");
});

Deno.test("transfer turns away whom the sharer's person refuses [XFER-4]", async () => {
  const pair = pairWith({ "/share/x": "x" }, { sender: { admit: () => Promise.resolve(false) } });
  assert.deepEqual(await fail(pair), { sent: "refused", received: "refused" });
  assert.equal(pair.offer, undefined);
});

Deno.test("transfer ends when the offer is turned down, and writes nothing", async () => {
  const pair = pairWith({ "/share/x": "x" }, { decision: { accept: false } });
  assert.deepEqual(await fail(pair), { sent: "refused", received: "refused" });
  assert.deepEqual(pair.target.paths("/"), []);
});

for (const isSame of [true, false]) {
  Deno.test(`transfer shows ${isSame ? "the same" : "other"} words on both sides [XFER-5]`, async () => {
    const words: (readonly string[])[] = [];
    const hash = new Uint8Array(32);
    const { encodeHello } = await import("../../../lib/transfer/message_encoder.ts");
    const { FEATURE_VERIFY } = await import("../../../lib/transfer/messages.ts");
    const pair = pairWith({ "/share/x": "x" }, {
      sender: {
        verification: { handshakeHash: hash, random: new Prng(1) },
        clientHello: encodeHello({ version: 1, features: FEATURE_VERIFY, text: "" }),
        // deno-lint-ignore require-await
        admit: async (own) => {
          words.push(own!);
          return true;
        },
      },
      receiver: {
        verification: {
          handshakeHash: isSame ? hash : new Uint8Array(32).fill(1),
          random: new Prng(2),
          // deno-lint-ignore require-await
          confirmWords: async (own) => {
            words.push(own);
            return isSame;
          },
        },
      },
    });
    await pair.start();
    const { sent, received } = await pair.run();
    assert.equal(words.length, 2);
    if (isSame) assert.deepEqual(words[0], words[1]);
    else assert.notDeepEqual(words[0], words[1]);
    const code = isSame ? "ok" : "authentication_failed";
    assert.deepEqual([codeOf(sent), codeOf(received)], [code, code]);
    assert.equal(pair.target.get("/into/share/x") !== undefined, isSame);
  });
}

Deno.test("transfer ends when only one side wants the words [XFER-5]", async () => {
  const verification = { handshakeHash: new Uint8Array(32), random: new Prng(1) };
  const confirmWords = () => Promise.resolve(true);
  const both = { sent: "authentication_failed", received: "authentication_failed" };
  assert.deepEqual(await fail(pairWith({ "/share/x": "" }, { sender: { verification } })), both);
  const receiver = { verification: { ...verification, confirmWords } };
  assert.deepEqual(await fail(pairWith({ "/share/x": "" }, { receiver })), both);
});

Deno.test("transfer keeps files that differ, unless told to replace them", async () => {
  const source = new FakeStorage();
  source.addFile("/share/a", "new", { mtimeMs: FILE_MTIME });
  source.addFile("/share/b", "b");
  const target = new FakeStorage();
  target.addFile("/into/share/a", "old");
  const pair = new TransferPair({ source, target });
  const { sent, received } = await succeed(pair);
  assert.deepEqual([received.leftOut, received.exit, sent.exit], [1, 13, 0]);
  assert.deepEqual(pair.warnings, ["kept share/a"]);
  assert.equal(new TextDecoder().decode(target.get("/into/share/a")!.bytes), "old");

  const decision = { accept: true, overwrite: "always" } as const;
  const { received: replaced } = await succeed(new TransferPair({ source, target, decision }));
  assert.deepEqual([replaced.leftOut, replaced.exit, replaced.bytes], [0, 0, 3]);
  assertSameFakeTree(source, "/share", target, "/into/share");
});

Deno.test("transfer keeps what appears in a place while the file is under way [DISK-4]", async () => {
  const pair = pairWith({ "/share/a": "theirs", "/share/big": new Uint8Array(2 * MIB) });
  pair.target.onPlace = (path) => {
    if (path.startsWith("/into/share/")) pair.target.addFile(path, "mine");
  };
  const { received } = await succeed(pair);
  assert.deepEqual([received.leftOut, received.exit], [2, 13]);
  assert.deepEqual(pair.warnings.sort(), ["kept share/a", "kept share/big"]);
  for (const path of ["/into/share/a", "/into/share/big"]) {
    assert.equal(new TextDecoder().decode(pair.target.get(path)!.bytes), "mine");
  }
});

Deno.test("transfer takes dot-names only with their own yes [NAME-7]", async () => {
  const files = { "/share/.rc": "1", "/.ssh/keys/a": "2", "/share/ok": "3" };
  const skipped = pairWith(files);
  const { received } = await succeed(skipped, "/share", "/.ssh");
  assert.deepEqual(skipped.offer!.dotNames, [".ssh"]);
  assert.deepEqual(skipped.target.paths("/into"), [
    "/into/share",
    "/into/share/.rc",
    "/into/share/ok",
  ]);
  assert.deepEqual([received.leftOut, received.exit], [1, 13]);
  assert.deepEqual(skipped.warnings, ["dot_name .ssh"]);
  const taken = pairWith(files, { decision: { accept: true, takeDotNames: true } });
  await succeed(taken, "/share", "/.ssh");
  assert.ok(taken.target.get("/into/.ssh/keys/a"));
});

Deno.test("transfer stores names that the system takes for one under different names [NAME-5]", async () => {
  const target = new FakeStorage({ foldsNames: true });
  const pair = pairWith({ "/share/A/x": "1", "/share/a/x": "2", "/share/a/X": "3" }, { target });
  await succeed(pair);
  const text = (path: string) => new TextDecoder().decode(target.get(path)!.bytes);
  assert.deepEqual(
    ["/into/share/A/x", "/into/share/a (2)/X", "/into/share/a (2)/x (2)"].map(text),
    ["1", "3", "2"],
  );
  assert.deepEqual(pair.warnings, ["renamed share/a", "renamed share/a/x"]);
});

Deno.test("transfer leaves out what is blocked and goes on [DISK-1]", async () => {
  const pair = pairWith({ "/share/in/x": "1", "/share/in/y": "2", "/share/ok": "3" });
  pair.target.addSpecial("/into/share/in", "symlink");
  const { received } = await succeed(pair);
  assert.deepEqual(pair.target.paths("/into"), ["/into/share", "/into/share/in", "/into/share/ok"]);
  assert.deepEqual(pair.warnings, ["blocked share/in"]);
  assert.deepEqual([received.leftOut, received.exit], [3, 13]);
});

Deno.test("transfer leaves out names the target cannot store and tells the sharer [XFER-14]", async () => {
  const big = new Prng(1).bytes(3 * MIB);
  const pair = pairWith({ "/share/bad": "1", "/share/big": big, "/share/ok": "3" });
  pair.target.badNames.add("bad").add("big");
  const { received } = await succeed(pair);
  assert.deepEqual([received.leftOut, received.exit, received.bytes], [2, 12, 1]);
  assert.deepEqual(pair.warnings.sort(), ["unsafe_name share/bad", "unsafe_name share/big"]);
  assert.deepEqual(pair.target.paths("/into/share"), ["/into/share/ok"]);
});

Deno.test("transfer reports unreadable sources and goes on [XFER-13]", async () => {
  const pair = pairWith({
    "/share/a": "1",
    "/share/locked": "2",
    "/share/torn": new Uint8Array(4 * MIB),
    "/share/z": "3",
  });
  pair.source.unreadable.add("/share/locked");
  pair.source.onRead = (path, offset) => {
    if (path === "/share/torn" && offset === 2 * MIB) pair.source.unreadable.add(path);
  };
  const { sent, received } = await succeedKeeping(["share/torn"], pair);
  for (const summary of [sent, received]) {
    assert.deepEqual([summary.leftOut, summary.exit, summary.bytes], [2, 13, 2]);
  }
  assert.deepEqual(pair.warnings, ["unreadable share/locked", "unreadable share/torn"]);
  assert.deepEqual(pair.senderWarnings, pair.warnings);
  assert.deepEqual(inPlace(pair), ["/into/share/a", "/into/share/z"]);
});

Deno.test("transfer fails when nothing could be read [XFER-13]", async () => {
  const pair = pairWith({ "/share/locked": "2" });
  pair.source.unreadable.add("/share/locked");
  assert.deepEqual(await fail(pair), { sent: "read_failed", received: "read_failed" });
});

Deno.test("transfer tells the sharer with its exit what could not be offered", async () => {
  const pair = pairWith({ "/share/locked/a": "1", "/share/ok": "2" });
  pair.source.unreadable.add("/share/locked");
  const { sent, received } = await succeed(pair);
  assert.deepEqual(pair.senderWarnings, ["unreadable share/locked"]);
  assert.deepEqual([sent.leftOut, sent.exit], [1, 13]);
  assert.deepEqual([received.leftOut, received.exit], [0, 0]);
});

Deno.test("transfer leaves out what changes while it is read [XFER-13]", async () => {
  const files: Record<string, Uint8Array> = {
    "/share/grown": new Uint8Array(500),
    "/share/shrunk": new Uint8Array(3 * MIB + 5),
    "/share/touched": new Uint8Array(2 * MIB),
    "/share/ok": new Uint8Array(3 * MIB),
  };
  const pair = pairWith(files, { reorderWindow: 30, duplicateRate: 0.1 });
  pair.source.onRead = (path, offset) => {
    const node = pair.source.get(path)!;
    if (path === "/share/grown") node.bytes = new Uint8Array(501);
    if (path === "/share/shrunk" && offset === MIB) node.bytes = new Uint8Array(2 * MIB + 1);
    if (path === "/share/touched" && offset === MIB) node.mtimeMs++;
  };
  const { sent, received } = await succeedKeeping(["share/shrunk", "share/touched"], pair);
  for (const summary of [sent, received]) {
    assert.deepEqual([summary.leftOut, summary.exit, summary.bytes], [3, 14, 3 * MIB]);
  }
  const changed = ["grown", "shrunk", "touched"].map((name) => `source_changed share/${name}`);
  assert.deepEqual(pair.warnings.sort(), changed);
  assert.deepEqual(inPlace(pair), ["/into/share/ok"]);
});

Deno.test("transfer leaves out what changed since it was listed", async () => {
  const pair = pairWith({ "/share/a": "1", "/share/b": "2", "/share/c": new Uint8Array(2 * MIB) });
  await pair.start();
  pair.source.delete("/share/a");
  pair.source.get("/share/b")!.mtimeMs++;
  pair.source.delete("/share/c");
  pair.source.addSpecial("/share/c", "symlink");
  const { received } = await pair.run();
  assert.ok(received.status === "fulfilled");
  assert.deepEqual(pair.warnings, [
    "unreadable share/a",
    "source_changed share/b",
    "source_changed share/c",
  ]);
  assert.equal(received.value.exit, 14);
});

Deno.test("transfer asks for nothing when there is no room", async () => {
  const pair = pairWith({ "/share/a": "123" });
  pair.target.reportedFreeBytes = 2;
  assert.deepEqual(await fail(pair), { sent: "disk_full", received: "disk_full" });
  assert.equal(pair.link.left.blocks, 0);
  assert.deepEqual(pair.target.paths("/"), []);
});

Deno.test("transfer ends the same with storages that answer at once", async () => {
  const files = { "/share/a": "1", "/share/b": "22", "/share/c": "333", "/share/d": "" };
  const quickPair = () => {
    const pair = pairWith(files);
    pair.source.answersAtOnce = true;
    pair.target.answersAtOnce = true;
    return pair;
  };
  const troubled = quickPair();
  troubled.source.unreadable.add("/share/a");
  troubled.target.badNames.add("b");
  troubled.target.onPlace = (path) => {
    if (path.endsWith("/c")) troubled.target.addFile(path, "mine");
  };
  const { received } = await succeed(troubled);
  assert.deepEqual([received.leftOut, received.exit], [3, 12]);
  assert.deepEqual(troubled.warnings.sort(), [
    "kept share/c",
    "unreadable share/a",
    "unsafe_name share/b",
  ]);

  const full = quickPair();
  full.target.capacityBytes = 4;
  assert.deepEqual(await fail(full), { sent: "disk_full", received: "disk_full" });
});

Deno.test("transfer ends when the disk is full, and leaves what there was room for [DISK-7]", async () => {
  for (const capacityBytes of [100, MIB + 10]) {
    const pair = pairWith({ "/share/a": new Uint8Array(3 * MIB), "/share/b": new Uint8Array(500) });
    pair.target.capacityBytes = capacityBytes;
    await pair.start();
    const { sent, received } = await pair.run();
    assert.deepEqual([codeOf(sent), codeOf(received)], ["disk_full", "disk_full"]);
    const part = `/into/share/${ownNamesOf(nodeProvider, "share/a").part}`;
    const left = pair.target.paths("/").filter((path) => path.includes("/.p2pft-"));
    assert.deepEqual(left, capacityBytes < MIB ? [] : [part]);
    assert.equal(pair.target.get(part)?.bytes.length, capacityBytes < MIB ? undefined : MIB);
  }
});

Deno.test("transfer ends when a file cannot be written, and names it", async () => {
  for (const bytes of [new Uint8Array(1), new Uint8Array(2 * MIB)]) {
    const pair = pairWith({ "/share/a": bytes });
    pair.target.onPlace = (path) => {
      throw new StorageError("denied", `Cannot put ${path} in its place: Permission denied`);
    };
    await pair.start();
    const { sent, received } = await pair.run();
    assert.deepEqual([codeOf(sent), codeOf(received)], ["write_failed", "write_failed"]);
    assert.ok(received.status === "rejected" && /\/into\/share\/a/.test(received.reason.message));
    // No path of this machine is told to the peer.
    assert.ok(!pair.link.left.end!.reason.includes("/into"));
    assert.deepEqual([pair.source.openFiles, pair.target.openFiles], [0, 0]);
    // Without a journal: whether it was synced before it could not be placed, nobody knows [DISK-7].
    const part = `/into/share/${ownNamesOf(nodeProvider, "share/a").part}`;
    const left = pair.target.paths("/").filter((path) => path.includes("/.p2pft-"));
    assert.deepEqual(left, bytes.length > MIB ? [part] : []);
    assert.equal(pair.target.get(part)?.bytes.length, bytes.length > MIB ? 2 * MIB : undefined);
  }
});

for (const isReceiver of [true, false]) {
  Deno.test(`transfer stops at once when the ${isReceiver ? "receiver" : "sender"} is told to`, async () => {
    const pair = pairWith({ "/share/a": new Uint8Array(8 * MIB), "/share/b": new Uint8Array(100) });
    await pair.start();
    const side = isReceiver ? pair.receiver : pair.sender;
    const interrupt = () => side.abort(new TransferError("interrupted", "Interrupted by test"));
    let reads = 0;
    pair.source.onRead = () => void (++reads === 3 && interrupt());
    const { sent, received } = await pair.run();
    assert.deepEqual([codeOf(sent), codeOf(received)], ["interrupted", "interrupted"]);
    assertNothingLeft(pair);
    assert.ok(reads <= 5);
    side.abort(new TransferError("internal", "a second time does nothing"));
  });
}

Deno.test("transfer does not hang when the path is lost, whenever that is", async () => {
  let endings = 0;
  let keptParts = 0;
  for (let turns = 1; turns < 400; turns += 7) {
    const pair = pairWith({ "/share/a": new Uint8Array(3 * MIB), "/share/b": "x" });
    await pair.start();
    let left = turns;
    const counted = pair.link.left.deliver.bind(pair.link.left);
    pair.link.left.deliver = () => left-- === 0 ? pair.link.left.vanish() : counted();
    const lost = new TransferError("path_lost", "Lost by test");
    pair.link.left.onEnd = () => pair.sender.handleClosed(lost);
    pair.link.right.onEnd = () => pair.receiver.handleClosed(lost);
    const { received } = await pair.run();
    const isLost = codeOf(received) === "path_lost";
    if (isLost) endings++;
    else assertSameFakeTree(pair.source, "/share", pair.target, "/into/share");
    const isKept = isLost && pair.target.paths("/into").some((path) => path.endsWith(".journal"));
    if (isKept) keptParts++;
    assertNothingLeft(pair, isKept ? ["share/a"] : []);
  }
  assert.ok(endings > 5 && keptParts > 0, `${endings} endings, ${keptParts} kept`);
});

Deno.test("transfer counts as done when the sharer vanishes after the receipt [XFER-15]", async () => {
  const pair = pairWith({ "/share/a": "1" });
  await pair.start();
  const send = pair.link.right.sendControl.bind(pair.link.right);
  const lost = new TransferError("path_lost", "Lost by test");
  pair.link.right.sendControl = (bytes) => {
    send(bytes);
    // The receipt is the only message of this length.
    if (bytes[0] === 0x0c) {
      pair.receiver.handleClosed(lost);
      pair.sender.handleClosed(lost);
    }
  };
  const { sent, received } = await pair.run();
  assert.deepEqual([codeOf(sent), codeOf(received)], ["path_lost", "ok"]);
});
