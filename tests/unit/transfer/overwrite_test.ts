/**
 * Goal: what is here is replaced, kept or stored beside as the person decided, and nothing is touched
 * before.
 * Method: whole transfers in memory, into a folder that holds something already.
 */
import assert from "node:assert/strict";
import type { DifferingItem, OfferDecision, OverwritePolicy } from "../../../lib/options.ts";
import type { TransferNotice } from "../../../lib/transfer/transfer_notice.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { TransferPair, type TransferPairOptions } from "../../support/transfer_pair.ts";

const MIB = 1_048_576;
const MTIME = 1_234_567_890_123;

/** What was sent and received at the end of a transfer that went well. */
async function transfer(pair: TransferPair) {
  await pair.start();
  const { sent, received } = await pair.run();
  if (received.status === "rejected") throw received.reason;
  if (sent.status === "rejected") throw sent.reason;
  assert.equal(sent.value.root, received.value.root);
  return received.value;
}

interface Case {
  /** Offered as `/share/f.txt`; by default `theirs`. */
  readonly theirs?: string | Uint8Array;
  readonly theirTime?: number;
  /** Here as `/into/share/f.txt`. */
  readonly mine: string | Uint8Array;
  readonly myTime?: number;
  /** Further files here, by name. */
  readonly others?: Readonly<Record<string, { readonly text: string; readonly mtimeMs: number }>>;
  readonly overwrite: NonNullable<OfferDecision["overwrite"]>;
  readonly options?: TransferPairOptions;
}

/** What is in the folder afterwards, by name, and what was told. */
async function overwrite(given: Case) {
  const { theirs = "theirs", theirTime = MTIME, mine, myTime = MTIME - 1 } = given;
  const decision = { accept: true, overwrite: given.overwrite };
  const pair = new TransferPair({ decision, ...given.options });
  pair.source.addFile("/share/f.txt", theirs, { mtimeMs: theirTime });
  pair.target.addFile("/into/share/f.txt", mine, { mtimeMs: myTime });
  for (const [name, { text, mtimeMs }] of Object.entries(given.others ?? {})) {
    pair.target.addFile(`/into/share/${name}`, text, { mtimeMs });
  }
  const received = await transfer(pair);
  return { files: contents(pair.target), received, warnings: pair.warnings, pair };
}

function contents(storage: FakeStorage): Record<string, string> {
  const files: Record<string, string> = {};
  for (const path of storage.paths("/into/share")) {
    const { bytes, mtimeMs } = storage.get(path)!;
    const text = bytes.length > 100 ? `${bytes.length} bytes` : new TextDecoder().decode(bytes);
    files[path.slice("/into/share/".length)] = `${text} ${mtimeMs - MTIME}`;
  }
  return files;
}

Deno.test("never keeps what differs [KEEP-2]", async () => {
  const { files, received, warnings } = await overwrite({ mine: "mine!", overwrite: "never" });
  assert.deepEqual(files, { "f.txt": "mine! -1" });
  assert.deepEqual([received.leftOut, received.exit], [1, 13]);
  assert.deepEqual(warnings, ["kept share/f.txt"]);
});

Deno.test("always replaces what differs [KEEP-2]", async () => {
  const { files, received } = await overwrite({ mine: "mine!", overwrite: "always" });
  assert.deepEqual(files, { "f.txt": "theirs 0" });
  assert.deepEqual([received.leftOut, received.exit], [0, 0]);
});

Deno.test("newer replaces what is older only [KEEP-2]", async () => {
  const older = await overwrite({ mine: "mine!", myTime: MTIME - 1, overwrite: "newer" });
  assert.deepEqual(older.files, { "f.txt": "theirs 0" });
  for (const myTime of [MTIME, MTIME + 1]) {
    const { files, received } = await overwrite({ mine: "mine!", myTime, overwrite: "newer" });
    assert.deepEqual(files, { "f.txt": `mine! ${myTime - MTIME}` });
    assert.equal(received.exit, 13);
  }
});

Deno.test("rename stores the other beside, with the next number that is free [KEEP-3]", async () => {
  const { files, received, warnings } = await overwrite({
    mine: "mine!",
    others: { "f (2).txt": { text: "older", mtimeMs: MTIME - 9 } },
    overwrite: "rename",
  });
  assert.deepEqual(files, {
    "f.txt": "mine! -1",
    "f (2).txt": "older -9",
    "f (3).txt": "theirs 0",
  });
  assert.deepEqual([received.leftOut, received.exit, received.bytes], [0, 0, 6]);
  assert.deepEqual(warnings, ["renamed share/f.txt"]);
});

Deno.test("rename finds what an earlier run stored, and makes no other [KEEP-3]", async () => {
  const { files, received } = await overwrite({
    mine: "mine!",
    others: { "f (2).txt": { text: "theirs", mtimeMs: MTIME } },
    overwrite: "rename",
  });
  assert.deepEqual(files, { "f.txt": "mine! -1", "f (2).txt": "theirs 0" });
  assert.deepEqual([received.leftOut, received.bytes, received.items], [0, 0, 2]);
});

Deno.test("rename leaves the names of the share alone [KEEP-3]", async () => {
  const pair = new TransferPair({ decision: { accept: true, overwrite: "rename" } });
  pair.source.addFile("/share/f", "theirs", { mtimeMs: MTIME });
  pair.source.addFile("/share/f (2)", "its own", { mtimeMs: MTIME });
  pair.target.addFile("/into/share/f", "mine!", { mtimeMs: MTIME - 1 });
  await transfer(pair);
  assert.deepEqual(contents(pair.target), {
    "f": "mine! -1",
    "f (2)": "its own 0",
    "f (3)": "theirs 0",
  });
});

Deno.test("rename counts in spellings of one name where names are folded", async () => {
  const target = new FakeStorage({ foldsNames: true });
  const pair = new TransferPair({ target, decision: { accept: true, overwrite: "rename" } });
  pair.source.addFile("/share/f.txt", "theirs", { mtimeMs: MTIME });
  target.addFile("/into/share/f.txt", "mine!", { mtimeMs: MTIME - 1 });
  target.addFile("/into/share/F (2).TXT", "older", { mtimeMs: MTIME - 9 });
  await transfer(pair);
  assert.deepEqual(contents(target), {
    "f.txt": "mine! -1",
    "F (2).TXT": "older -9",
    "f (3).txt": "theirs 0",
  });
});

Deno.test("no policy lets an empty file empty one that is here unless it may replace it [KEEP-1]", async () => {
  for (const policy of ["never", "newer", "rename"] as const) {
    const { files } = await overwrite({
      theirs: "",
      mine: "years of work",
      myTime: MTIME + 1,
      overwrite: policy,
    });
    assert.equal(files["f.txt"], "years of work 1", policy);
    assert.equal(files["f (2).txt"], policy === "rename" ? " 0" : undefined);
  }
});

Deno.test("nothing is touched before the decision, and nothing after a no [KEEP-1]", async () => {
  const pair = new TransferPair({
    receiver: {
      decide: async () => {
        await Promise.resolve();
        assert.deepEqual(contents(pair.target), { "f.txt": "mine! -1" });
        return { accept: false };
      },
    },
  });
  pair.source.addFile("/share/f.txt", "", { mtimeMs: MTIME });
  pair.source.addFile("/share/new", "x", { mtimeMs: MTIME });
  pair.target.addFile("/into/share/f.txt", "mine!", { mtimeMs: MTIME - 1 });
  await pair.start();
  const { received } = await pair.run();
  assert.equal(received.status, "rejected");
  assert.deepEqual(contents(pair.target), { "f.txt": "mine! -1" });
});

Deno.test("a file with another time and the same bytes is left as it is, whatever the policy", async () => {
  for (const mine of ["theirs", new Uint8Array(3 * MIB).fill(7)]) {
    for (const policy of ["never", "newer", "always"] as const) {
      const { files, received, warnings } = await overwrite({
        theirs: mine,
        mine,
        myTime: MTIME + 5,
        overwrite: policy,
      });
      const text = typeof mine === "string" ? mine : `${mine.length} bytes`;
      // Its time is set where it may be replaced.
      assert.deepEqual(files, { "f.txt": `${text} ${policy === "always" ? 0 : 5}` }, policy);
      assert.deepEqual([received.leftOut, received.exit], [0, 0]);
      assert.deepEqual(warnings, []);
    }
  }
});

Deno.test("a file with another time and other bytes is kept, and none of it is sent [KEEP-2]", async () => {
  const theirs = new Uint8Array(3 * MIB).fill(1);
  const mine = theirs.slice().fill(2, 2 * MIB);
  const { files, received, warnings, pair } = await overwrite({ theirs, mine, overwrite: "never" });
  assert.deepEqual(files, { "f.txt": `${mine.length} bytes -1` });
  assert.deepEqual(pair.target.get("/into/share/f.txt")!.bytes, mine);
  assert.equal(received.exit, 13);
  assert.deepEqual(warnings, ["kept share/f.txt"]);
  assert.equal(pair.link.right.acceptedBytes, 0);
});

Deno.test("of a file that is replaced only what differs is sent", async () => {
  const theirs = new Uint8Array(8 * MIB).fill(1);
  const mine = theirs.slice(0, 7 * MIB).fill(2, 3 * MIB, 4 * MIB);
  const { pair } = await overwrite({ theirs, mine, overwrite: "always" });
  assert.deepEqual(pair.target.get("/into/share/f.txt")!.bytes, theirs);
  assert.equal(pair.link.right.acceptedBytes, 2 * MIB);
});

Deno.test("a file that is stored beside takes what it can from the one that is here", async () => {
  const theirs = new Uint8Array(8 * MIB).fill(1);
  const mine = theirs.slice().fill(2, 3 * MIB, 4 * MIB);
  const { pair } = await overwrite({ theirs, mine, overwrite: "rename" });
  assert.deepEqual(pair.target.get("/into/share/f.txt")!.bytes, mine);
  assert.deepEqual(pair.target.get("/into/share/f (2).txt")!.bytes, theirs);
  assert.equal(pair.link.right.acceptedBytes, MIB);
});

Deno.test("a file that has another name now is not sent again", async () => {
  const bytes = new Uint8Array(3 * MIB).fill(3);
  const pair = new TransferPair();
  pair.source.addFile("/share/new name", bytes, { mtimeMs: MTIME });
  pair.source.addFile("/share/small", "small", { mtimeMs: MTIME });
  pair.target.addFile("/into/share/old name", bytes, { mtimeMs: MTIME });
  pair.target.addFile("/into/share/little", "small", { mtimeMs: MTIME });
  await transfer(pair);
  assert.deepEqual(pair.target.get("/into/share/new name")!.bytes, bytes);
  assert.equal(contents(pair.target)["small"], "small 0");
  assert.deepEqual(pair.target.get("/into/share/old name")!.bytes, bytes);
  assert.equal(pair.link.right.acceptedBytes, 0);
});

Deno.test("a chooser is asked for each, in order, before anything is written", async () => {
  const asked: DifferingItem[] = [];
  const pair: TransferPair = new TransferPair({
    decision: {
      accept: true,
      overwrite: (item): OverwritePolicy => {
        asked.push(item);
        assert.deepEqual(pair.target.paths("/into/share"), before);
        return item.path.endsWith("a") ? "always" : item.path.endsWith("b") ? "never" : "rename";
      },
    },
  });
  for (const name of ["a", "b", "c", "new", "same"]) {
    pair.source.addFile(`/share/${name}`, "theirs", { mtimeMs: MTIME });
  }
  for (const name of ["a", "b", "c"]) {
    pair.target.addFile(`/into/share/${name}`, "mine!", { mtimeMs: MTIME - 1 });
  }
  pair.target.addFile("/into/share/same", "theirs", { mtimeMs: MTIME });
  const before = pair.target.paths("/into/share");
  await transfer(pair);
  assert.deepEqual(contents(pair.target), {
    "a": "theirs 0",
    "b": "mine! -1",
    "c": "mine! -1",
    "c (2)": "theirs 0",
    "new": "theirs 0",
    "same": "theirs 0",
  });
  const here = { kind: "file", sizeBytes: 5, mtimeMs: MTIME - 1 };
  assert.deepEqual(
    asked,
    ["a", "b", "c"].map((name) => ({ path: `share/${name}`, sizeBytes: 6, mtimeMs: MTIME, here })),
  );
});

Deno.test("a link in the place of a file is replaced itself, not what it points to [DISK-1]", async () => {
  for (const policy of ["always", "never"] as const) {
    const pair = new TransferPair({ decision: { accept: true, overwrite: policy } });
    pair.source.addFile("/share/f", "theirs", { mtimeMs: MTIME });
    pair.target.addFile("/mine", "mine!");
    pair.target.addSpecial("/into/share/f", "symlink", "/mine");
    await transfer(pair);
    const kind = policy === "always" ? "file" : "symlink";
    assert.equal(pair.target.get("/into/share/f")!.kind, kind);
    assert.equal(new TextDecoder().decode(pair.target.get("/mine")!.bytes), "mine!");
  }
});

/** The events of one kind that the receiver told of. */
function told(pair: TransferPair, event: TransferNotice["event"]) {
  return pair.receiverNotices.filter((notice) => notice.event === event);
}

Deno.test("space is checked for what is missing, before anything is written", async () => {
  const bytes = new Uint8Array(3 * MIB).fill(3);
  const run = async (freeBytes: number) => {
    const pair = new TransferPair();
    pair.source.addFile("/share/sub/f", bytes, { mtimeMs: MTIME });
    pair.source.addFile("/share/there", bytes, { mtimeMs: MTIME });
    pair.target.addFile("/into/share/there", bytes, { mtimeMs: MTIME });
    pair.target.reportedFreeBytes = freeBytes;
    await pair.start();
    return { pair, received: (await pair.run()).received };
  };
  const enough = await run(bytes.length);
  assert.equal(enough.received.status, "fulfilled");
  const short = await run(bytes.length - 1);
  assert.ok(short.received.status === "rejected");
  assert.equal(short.received.reason.code, "disk_full");
  assert.match(short.received.reason.message, /3145728 bytes are needed, 3145727 are free/);
  assert.deepEqual(short.pair.target.paths("/into/share"), ["/into/share/there"]);
  assert.deepEqual(told(short.pair, "file-done"), []);
});

Deno.test("space is not wanted for what is only compared, nor for what an earlier run left", async () => {
  const bytes = new Uint8Array(8 * MIB).fill(3);
  const compared = await overwrite({
    theirs: bytes,
    mine: bytes,
    overwrite: "never",
    options: { target: storageWith(0) },
  });
  assert.equal(compared.received.exit, 0);

  const target = new FakeStorage();
  const cutOff = new TransferPair({ target, receiver: { syncBytes: MIB } });
  cutOff.source.addFile("/share/f", bytes, { mtimeMs: MTIME });
  target.capacityBytes = 5.5 * MIB;
  await cutOff.start();
  assert.equal((await cutOff.run()).received.status, "rejected");
  target.capacityBytes = Infinity;
  const partBytes = Math.max(
    ...target.paths("/into/share").map((path) => target.get(path)!.bytes.length),
  );
  assert.ok(partBytes >= MIB && partBytes < bytes.length, `${partBytes}`);
  const run = async (freeBytes: number) => {
    target.reportedFreeBytes = freeBytes;
    const pair = new TransferPair({ target });
    pair.source.addFile("/share/f", bytes, { mtimeMs: MTIME });
    await pair.start();
    const { received } = await pair.run();
    return received.status === "fulfilled" ? "ok" : received.reason.code;
  };
  assert.equal(await run(bytes.length - partBytes - 1), "disk_full");
  assert.equal(await run(bytes.length - partBytes), "ok");
});

function storageWith(freeBytes: number): FakeStorage {
  const storage = new FakeStorage();
  storage.reportedFreeBytes = freeBytes;
  return storage;
}

Deno.test("space that others take meanwhile ends the transfer early, and what arrived is kept", async () => {
  const target = storageWith(64 * MIB);
  const pair = new TransferPair({ target, receiver: { spaceLookBytes: MIB, syncBytes: MIB } });
  pair.source.addFile("/share/f", new Uint8Array(32 * MIB).fill(3), { mtimeMs: MTIME });
  let looks = 0;
  const freeBytes = target.freeBytes.bind(target);
  target.freeBytes = (folder) => {
    if (++looks === 4) target.reportedFreeBytes = MIB;
    return freeBytes(folder);
  };
  await pair.start();
  const { received } = await pair.run();
  assert.ok(received.status === "rejected");
  assert.equal(received.reason.code, "disk_full");
  const kept = target.paths("/into/share").filter((path) => path.endsWith(".journal"));
  assert.equal(kept.length, 1);
});
