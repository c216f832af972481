/**
 * Goal: what several clients take is read and hashed once where they are close to each other; what is
 * sent always has the hash that is sent with it, whatever becomes of the source; nobody's wishes cost
 * memory without bound, or others anything.
 * Method: real sessions of one share over links in memory, files in memory that count their reads.
 */
import assert from "node:assert/strict";
import { GROUP_BYTES, SHARED_GROUP_BYTES } from "../../../lib/transfer/limits.ts";
import { Prng } from "../../support/prng.ts";
import { ReadingScene } from "../../support/reading_scene.ts";

const MIB = GROUP_BYTES;
const BIG = 1;
const GROUPS = 12;
const WHOLE = { entry: BIG, ranges: [] };

/** Not by `deepEqual`, which compares megabytes for minutes where they differ. */
function assertBytes(actual: Uint8Array, expected: Uint8Array, message?: string): void {
  assert.equal(actual.length, expected.length, message);
  assert.ok(actual.every((byte, at) => byte === expected[at]), message);
}

async function bigScene(groups = GROUPS): Promise<{ scene: ReadingScene; big: Uint8Array }> {
  const scene = new ReadingScene();
  const big = scene.add("big", (groups - 1) * MIB + 10);
  await scene.open();
  return { scene, big };
}

Deno.test("SharedReading reads and hashes a large file once for clients that take it together", async () => {
  const { scene, big } = await bigScene();
  for (let index = 0; index < 16; index++) scene.join().get(WHOLE);
  let most = 0;
  scene.onTurn = () => most = Math.max(most, scene.reading.cache.size);
  await scene.run(() => scene.clients.every(({ peer }) => peer.takenBytes > 0));
  // All use the one that is open.
  assert.equal(scene.storage.openFiles, 1);
  await scene.run();
  assert.ok(scene.readBytes <= 1.1 * big.length, `${scene.readBytes} bytes read`);
  assert.ok(scene.hashedBytes <= 1.1 * big.length, `${scene.hashedBytes} bytes hashed`);
  assert.ok(most <= SHARED_GROUP_BYTES / MIB);
  for (const client of scene.clients) {
    assert.deepEqual(client.ends, ["whole"]);
    assertBytes(client.bytesOf(0, BIG), big);
  }
  await scene.close();
});

Deno.test("SharedReading reads and hashes small files once for clients that take them together", async () => {
  const scene = new ReadingScene();
  const files = Array.from({ length: 300 }, (_, index) => scene.add(`${1000 + index}`, index * 37));
  await scene.open();
  const all = files.map((_, index) => ({ entry: index + 1, ranges: [] }));
  for (let index = 0; index < 16; index++) scene.join().get(...all);
  await scene.run();
  const bytes = scene.manifest.bytes;
  assert.ok(scene.readBytes <= 1.1 * bytes, `${scene.readBytes} of ${bytes} bytes read`);
  assert.ok(scene.hashedBytes <= 1.3 * bytes, `${scene.hashedBytes} of ${bytes} bytes hashed`);
  for (const client of scene.clients) {
    assert.deepEqual(client.ends, files.map(() => "whole"));
    for (const [index, file] of files.entries()) {
      assert.deepEqual(client.bytesOf(index, index + 1), file);
    }
  }
  await scene.close();
});

Deno.test("SharedReading keeps nothing for one client", async () => {
  const scene = new ReadingScene();
  const sizes = [6 * MIB, 10, 1000, MIB];
  for (const [index, size] of sizes.entries()) scene.add(`${index}`, size);
  await scene.open();
  scene.onTurn = () => {
    assert.equal(scene.reading.cache.size, 0);
    assert.equal(scene.reading.smallFiles.keptBytes, 0);
  };
  scene.join().get(...sizes.map((_, index) => ({ entry: index + 1, ranges: [] })));
  await scene.run();
  assert.deepEqual(scene.clients[0]!.ends, sizes.map(() => "whole"));
  assert.equal(scene.readBytes, scene.manifest.bytes);
  await scene.close();
});

Deno.test("SharedReading reads anew for a client that comes later, but not to tell hashes [XFER-17]", async () => {
  const { scene, big } = await bigScene();
  scene.join().get(WHOLE);
  await scene.run();
  scene.join().get(WHOLE);
  await scene.run();
  // Bytes that were read again are hashed again: nobody knows what they are before.
  assert.equal(scene.readBytes, 2 * big.length);
  scene.join().check(BIG);
  await scene.run();
  assert.equal(scene.readBytes, 2 * big.length);
  const [first, , third] = scene.clients;
  assert.deepEqual(third!.ends, ["hashed"]);
  assert.deepEqual(third!.hashesOf(0), first!.hashesOf(0));
  assert.deepEqual(third!.of("root")[0]!.root, first!.of("root")[0]!.root);
  await scene.close();
});

Deno.test("SharedReading lets a client catch up from what another one has just had", async () => {
  const { scene, big } = await bigScene(40);
  const leader = scene.join();
  leader.get(WHOLE);
  const follower = scene.join();
  await scene.run(() => leader.peer.takenBytes >= 8 * MIB);
  const before = scene.readBytes;
  follower.get(WHOLE);
  await scene.run();
  assertBytes(follower.bytesOf(0, BIG), big);
  // The first groups were gone, the others not.
  const again = scene.readBytes - before - (big.length - before);
  assert.ok(again > 0 && again < 20 * MIB, `${again / MIB} MiB read again`);
  await scene.close();
});

Deno.test("SharedReading reports a source that changed between two clients [XFER-13]", async () => {
  // What those hear who come to it then, and those for whom it is open.
  const changes: [string, string, string, (scene: ReadingScene, path: string) => void][] = [
    ["written to", "changed", "changed", ({ storage }, path) => void storage.get(path)!.mtimeMs++],
    ["truncated", "changed", "changed", ({ storage }, path) => {
      const node = storage.get(path)!;
      node.bytes = node.bytes.subarray(1);
    }],
    ["gone", "unreadable", "whole", ({ storage }, path) => storage.delete(path)],
    ["a folder", "changed", "whole", ({ storage }, path) => {
      storage.delete(path);
      storage.addFolder(path);
    }],
  ];
  for (const [what, status, openStatus, change] of changes) {
    const scene = new ReadingScene();
    const big = scene.add("big", 5 * MIB + 1);
    const small = scene.add("small", 5000);
    await scene.open();
    const [first, second] = [scene.join(), scene.join()];
    // Both begin, so that what the first one has is kept for the second.
    first.get(WHOLE, { entry: 2, ranges: [] });
    second.get(WHOLE, { entry: 2, ranges: [] });
    await scene.run(() => second.peer.takenBytes > 0);
    second.restTurns = 1_000_000;
    await scene.run(() => first.ends.length === 2);
    change(scene, "/share/big");
    change(scene, "/share/small");
    second.restTurns = 0;
    const third = scene.join();
    third.check(BIG, 2);
    await scene.run();
    assert.deepEqual(first.ends, ["whole", "whole"], what);
    assertBytes(first.bytesOf(0, BIG), big, what);
    assertBytes(first.bytesOf(1, 2), small, what);
    // What was sent has the right hashes all the same.
    second.bytesOf(0, BIG);
    assert.deepEqual(second.ends, [openStatus, status], what);
    assert.deepEqual(third.ends, [status, status], what);
    await scene.close();
  }
});

Deno.test("SharedReading gives what is at the path now, though size and time are the same [READ-2]", async () => {
  const scene = new ReadingScene();
  scene.add("big", 3 * MIB);
  scene.add("small", 5000);
  await scene.open();
  const items = [WHOLE, { entry: 2, ranges: [] }];
  const [first, idle] = [scene.join(), scene.join()];
  first.get(...items);
  await scene.run();
  const big = new Prng(77).bytes(3 * MIB);
  const small = new Prng(78).bytes(5000);
  const { mtimeMs } = scene.storage.get("/share/big")!;
  scene.storage.addFile("/share/big", big, { mtimeMs });
  scene.storage.addFile("/share/small", small, { mtimeMs });
  const third = scene.join();
  third.check(BIG, 2);
  idle.get(...items);
  await scene.run();
  assert.deepEqual(idle.ends, ["whole", "whole"]);
  assertBytes(idle.bytesOf(0, BIG), big);
  assertBytes(idle.bytesOf(1, 2), small);
  assert.deepEqual(third.hashesOf(0), idle.hashesOf(0));
  assert.deepEqual(
    third.of("root").map(({ root }) => root),
    idle.of("root").map(({ root }) => root),
  );
  await scene.close();
});

Deno.test("SharedReading sends no group with the hash of other bytes, whenever a source changes [READ-1] [XFER-13]", async () => {
  for (let atRead = 1; atRead <= 8; atRead++) {
    for (const isSilent of [false, true]) {
      const { scene } = await bigScene(6);
      let reads = 0;
      scene.storage.onRead = () => {
        if (++reads !== atRead) return;
        const node = scene.storage.get("/share/big")!;
        node.bytes = node.bytes.map((byte) => byte ^ 1);
        if (!isSilent) node.mtimeMs++;
      };
      const [first, second, third] = [scene.join(), scene.join(), scene.join()];
      first.get(WHOLE);
      second.restTurns = 3;
      second.get(WHOLE);
      third.restTurns = 7;
      third.get({ entry: BIG, ranges: [{ offset: MIB, length: 2 * MIB }] });
      third.check(BIG);
      await scene.run();
      for (const client of [first, second, third]) client.bytesOf(0, BIG);
      if (!isSilent) {
        const ends = scene.clients.flatMap(({ ends }) => ends);
        assert.ok(reads < atRead || ends.includes("changed"), `${atRead}: ${ends}`);
      }
      scene.storage.onRead = () => {};
      // Who comes now hears of the file as it is.
      const last = scene.join();
      last.get(WHOLE);
      await scene.run();
      assert.deepEqual(last.ends, [isSilent || reads < atRead ? "whole" : "changed"]);
      const bytes = last.bytesOf(0, BIG);
      if (isSilent) assertBytes(bytes, scene.storage.get("/share/big")!.bytes);
      await scene.close();
    }
  }
});

Deno.test("SharedReading finds hashes that are not true any more when bytes are read again [READ-1]", async () => {
  const { scene } = await bigScene(4);
  scene.join().check(BIG);
  await scene.run();
  // In place, as by a program that maps it: no time of the file tells.
  const node = scene.storage.get("/share/big")!;
  node.bytes[0]! ^= 1;
  const [, second] = [scene.clients[0], scene.join()];
  second!.get(WHOLE);
  await scene.run();
  const third = scene.join();
  third.check(BIG);
  await scene.run();
  second!.bytesOf(0, BIG);
  assert.deepEqual(third.hashesOf(0), second!.hashesOf(0));
  await scene.close();
});

Deno.test("SharedReading tells of a group that cannot be read, to all who want it, and tries again later [READ-2]", async () => {
  const { scene, big } = await bigScene(6);
  scene.storage.onRead = (_path, offset) => {
    if (offset === 3 * MIB) scene.storage.unreadable.add("/share/big");
  };
  for (let index = 0; index < 3; index++) scene.join().get(WHOLE);
  await scene.run();
  for (const client of scene.clients) {
    assert.deepEqual(client.ends, ["unreadable"]);
    assertBytes(client.bytesOf(0, BIG).subarray(0, 3 * MIB), big.subarray(0, 3 * MIB));
  }
  scene.storage.onRead = () => {};
  scene.storage.unreadable.clear();
  const later = scene.join();
  later.get(WHOLE);
  await scene.run();
  assertBytes(later.bytesOf(0, BIG), big);
  await scene.close();
});

Deno.test("SharedReading goes on for others when the client leaves for whom a group is read", async () => {
  const { scene, big } = await bigScene();
  const [first, second] = [scene.join(), scene.join()];
  first.get(WHOLE);
  second.get(WHOLE);
  await scene.run(() => second.peer.takenBytes > 2 * MIB);
  await first.leave();
  await scene.run();
  assert.deepEqual(second.ends, ["whole"]);
  assertBytes(second.bytesOf(0, BIG), big);
  await scene.close();
});

Deno.test("SharedReading is not disturbed by a client that asks for everything at random", async () => {
  const { scene, big } = await bigScene(24);
  const [leader, follower, evil] = [scene.join(), scene.join(), scene.join()];
  const prng = new Prng(9);
  for (let index = 0; index < 100; index++) {
    const offset = prng.integer(0, 22) * MIB;
    evil.get({ entry: BIG, ranges: [{ offset, length: MIB }] });
  }
  let evilBytes = 0;
  scene.onTurn = () => {
    evilBytes = evil.peer.takenBytes;
    assert.ok(scene.reading.cache.size <= SHARED_GROUP_BYTES / MIB);
  };
  leader.get(WHOLE);
  await scene.run(() => leader.peer.takenBytes > 3 * MIB);
  follower.get(WHOLE);
  await scene.run();
  for (const client of [leader, follower]) {
    assert.deepEqual(client.ends, ["whole"]);
    assertBytes(client.bytesOf(0, BIG), big);
  }
  assert.equal(evil.ends.length, 100);
  // All that it asked for, at most, and the others' once and a little.
  const others = scene.readBytes - evilBytes;
  assert.ok(others <= 1.5 * big.length, `${others / MIB} MiB read for two honest clients`);
  await scene.close();
});

Deno.test("SharedReading holds little for clients that ask for everything and take nothing", async () => {
  const { scene, big } = await bigScene(40);
  for (let index = 0; index < 8; index++) {
    const client = scene.join();
    client.peer.isTaking = false;
    const ranges = [{ offset: 4 * index * MIB, length: big.length - 4 * index * MIB }];
    client.get({ entry: BIG, ranges });
  }
  await scene.run();
  const before = scene.readBytes;
  // Of each what is on its way, what is ready to go and what is read ahead.
  assert.ok(before <= 8 * 8 * MIB, `${before / MIB} MiB`);
  const honest = scene.join();
  honest.get(WHOLE);
  let most = 0;
  scene.onTurn = () => most = Math.max(most, scene.reading.cache.size);
  await scene.run(() => honest.ends.length > 0);
  assert.deepEqual(honest.ends, ["whole"]);
  assertBytes(honest.bytesOf(0, BIG), big);
  assert.ok(most <= SHARED_GROUP_BYTES / MIB);
  await scene.close();
});
