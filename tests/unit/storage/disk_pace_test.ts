import assert from "node:assert/strict";
import { DiskPace } from "../../../lib/storage/disk_pace.ts";

/** A disk whose calls take as long as the test says. */
class SlowDisk {
  nowMs = 0;
  readonly pace = new DiskPace(() => this.nowMs);

  /** One file operation; whether it was allowed to block. */
  operate(blockedMs: number): boolean {
    const isBlocking = this.pace.begin();
    if (isBlocking) this.pace.block(() => void (this.nowMs += blockedMs));
    return isBlocking;
  }

  count(operations: number, blockedMs: number): number {
    let blocking = 0;
    for (let done = 0; done < operations; done++) if (this.operate(blockedMs)) blocking++;
    return blocking;
  }
}

Deno.test("DiskPace blocks on a quick disk, also when one call in ten is held up", () => {
  const disk = new SlowDisk();
  for (let round = 0; round < 100; round++) {
    assert.equal(disk.count(9, 0.05), 9);
    assert.equal(disk.count(1, 10), 1);
  }
});

Deno.test("DiskPace waits for a slow disk, and tries again later", () => {
  const disk = new SlowDisk();
  assert.equal(disk.count(64, 8), 64);
  assert.equal(disk.count(1024, 8), 0);
  assert.equal(disk.count(64, 0.05), 64);
  assert.equal(disk.count(500, 0.05), 500);
});

Deno.test("DiskPace gives the event loop a turn after some blocking, and not before", async () => {
  const disk = new SlowDisk();
  const breathesAtOnce = async () => {
    let isDone = false;
    const breath = disk.pace.breathe().then(() => void (isDone = true));
    for (let microtask = 0; microtask < 10; microtask++) await null;
    const isAtOnce = isDone;
    await breath;
    return isAtOnce;
  };
  disk.operate(1.9);
  assert.equal(await breathesAtOnce(), true);
  disk.operate(0.2);
  assert.equal(await breathesAtOnce(), false);
  assert.equal(await breathesAtOnce(), true);
});

Deno.test("DiskPace counts what happens between operations, too", () => {
  const disk = new SlowDisk();
  disk.operate(0.1);
  disk.nowMs += 1.5;
  disk.operate(0.1);
  assert.equal(disk.pace.isSliceOver, false);
  disk.nowMs += 0.5;
  disk.operate(0.1);
  assert.equal(disk.pace.isSliceOver, true);
});

Deno.test("DiskPace counts operations that fail, and hands on what they throw", () => {
  const disk = new SlowDisk();
  const fail = () =>
    disk.pace.block(() => {
      disk.nowMs += 3;
      throw new RangeError("no");
    });
  assert.throws(fail, RangeError);
  assert.equal(disk.pace.isSliceOver, true);
});
