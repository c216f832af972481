import assert from "node:assert/strict";
import { DiskPace } from "../../../lib/transfer/disk_pace.ts";

/** A disk whose calls take as long as the test says. */
class SlowDisk {
  nowMs = 0;
  readonly pace = new DiskPace(() => this.nowMs);

  /** One file operation of one call; whether it was allowed to block. */
  async operate(callMs: number): Promise<boolean> {
    const isBlocking = this.pace.begin();
    if (isBlocking) await this.pace.block(() => void (this.nowMs += callMs));
    return isBlocking;
  }

  async count(operations: number, callMs: number): Promise<number> {
    let blocking = 0;
    for (let done = 0; done < operations; done++) if (await this.operate(callMs)) blocking++;
    return blocking;
  }
}

Deno.test("DiskPace blocks on a quick disk, also when one call in ten is held up", async () => {
  const disk = new SlowDisk();
  for (let round = 0; round < 100; round++) {
    assert.equal(await disk.count(9, 0.05), 9);
    assert.equal(await disk.count(1, 10), 1);
  }
});

Deno.test("DiskPace waits for a slow disk, and tries again later", async () => {
  const disk = new SlowDisk();
  assert.equal(await disk.count(64, 8), 64);
  assert.equal(await disk.count(1024, 8), 0);
  assert.equal(await disk.count(64, 0.05), 64);
  assert.equal(await disk.count(500, 0.05), 500);
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
  await disk.operate(1.9);
  assert.equal(await breathesAtOnce(), true);
  await disk.operate(0.2);
  assert.equal(await breathesAtOnce(), false);
  assert.equal(await breathesAtOnce(), true);
});

Deno.test("DiskPace turns what a call throws into a rejection", async () => {
  const disk = new SlowDisk();
  const failing = disk.pace.block(() => {
    throw new RangeError("no");
  });
  await assert.rejects(failing, RangeError);
});
