// Goal: an ACK goes out when docs/protocol.md says, and not for what needs none.
// Method: packet numbers and times written out; the timer is read, not waited for.
import assert from "node:assert/strict";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import { AckScheduler } from "../../../lib/protocol/ack_scheduler.ts";
import { AckFrame } from "../../../lib/protocol/frame.ts";
import {
  ACK_EVERY_DISORDERED_PACKETS,
  ACK_EVERY_PACKETS,
  MAX_ACK_DELAY_MS,
  MAX_PROMPT_ACKS,
  PACKETS_PER_PROMPT_ACK,
} from "../../../lib/protocol/params.ts";
import { instant, NEVER } from "../../../lib/time.ts";
import { Timer, TimerTable } from "../../../lib/protocol/timer_table.ts";

const RTT_MS = 40;

class World {
  readonly timers = new TimerTable();
  readonly acks = new AckScheduler(instant(0), this.timers);
  readonly out = new Uint8Array(200);

  take(atMs: number, packetNumber: number, isEliciting = true, rttMs = RTT_MS): void {
    this.acks.handlePacket(instant(atMs), packetNumber, isEliciting, rttMs);
  }

  /** Writes an ACK and reads it back. */
  write(atMs: number): AckFrame {
    const end = this.acks.write(instant(atMs), this.out, 0, this.out.length);
    const frame = new AckFrame();
    assert.ok(frame.read(new ByteReader(this.out.subarray(1, end))));
    return frame;
  }

  get timer(): number {
    return this.timers.get(Timer.ACK);
  }
}

Deno.test("[ACK-1] AckScheduler waits a quarter of the round trip, from the first packet on", () => {
  const world = new World();
  world.take(100, 0);
  world.take(103, 1);
  assert.equal(world.timer, 100 + RTT_MS / 4);
  assert.deepEqual([world.acks.isDue, world.acks.isOwed], [false, true]);
  const slow = new World();
  slow.take(100, 0, true, 1000);
  assert.equal(slow.timer, 100 + MAX_ACK_DELAY_MS);
});

Deno.test("[ACK-1] AckScheduler waits no longer for the sixteenth packet, a gap or the peer's wish", () => {
  const many = new World();
  for (let number = 0; number < ACK_EVERY_PACKETS; number++) {
    assert.equal(many.acks.isDue, false);
    many.take(1, number);
  }
  assert.equal(many.acks.isDue, true);
  const gap = new World();
  gap.take(1, 1);
  assert.equal(gap.acks.isDue, true);
  const wish = new World();
  wish.acks.demand();
  assert.equal(wish.acks.isDue, true);
});

Deno.test("[ACK-1] AckScheduler acknowledges fewer packets where much comes out of order", () => {
  const world = new World();
  let number = 0;
  for (let count = 0; count < MAX_PROMPT_ACKS; count++) {
    world.take(1, number += 2);
    assert.equal(world.acks.isDue, true, "at once");
    world.write(1);
  }
  for (let count = 0; count < ACK_EVERY_DISORDERED_PACKETS; count++) {
    assert.equal(world.acks.isDue, false);
    world.take(1, number += 2);
    assert.notEqual(world.timer, NEVER, "the time for it runs as ever");
  }
  assert.equal(world.acks.isDue, true);
  world.write(1);
  for (let count = 0; count < PACKETS_PER_PROMPT_ACK; count++) world.take(2, ++number);
  assert.equal(world.acks.isDue, false);
  world.take(3, number += 2);
  assert.equal(world.acks.isDue, true, "a gap at once again");
});

Deno.test("[ACK-3] AckScheduler owes nothing for packets that elicit no ACK, and names them later", () => {
  const world = new World();
  world.take(1, 0, false);
  world.take(1, 2, false);
  assert.deepEqual([world.acks.isOwed, world.timer], [false, NEVER]);
  world.take(2, 3);
  const frame = world.write(2);
  assert.deepEqual([frame.count, frame.largest[0], frame.smallest[1]], [2, 3, 0]);
});

Deno.test("AckScheduler moves an ACK forward for a packet that came again, if one is owed", () => {
  const world = new World();
  world.acks.handleDuplicate();
  assert.equal(world.acks.isOwed, false);
  world.take(1, 0);
  world.acks.handleDuplicate();
  assert.equal(world.acks.isDue, true);
});

Deno.test("AckScheduler owes nothing after an ACK, and says how long the newest packet waited", () => {
  const world = new World();
  world.take(100, 0);
  const frame = world.write(107);
  assert.equal(frame.delayMs, 7);
  assert.deepEqual([world.acks.isOwed, world.timer], [false, NEVER]);
});

Deno.test("AckScheduler goes on owing an ACK that found no room", () => {
  const world = new World();
  world.take(100, 0);
  world.acks.demand();
  assert.equal(world.acks.write(instant(100), world.out, 5, 10), 5);
  assert.equal(world.acks.isDue, true);
});

Deno.test("AckScheduler leaves out what the peer knows to have arrived", () => {
  const world = new World();
  for (const number of [0, 1, 4, 5]) world.take(1, number);
  assert.equal(world.acks.largest, 5);
  world.acks.forgetUpTo(4);
  const frame = world.write(1);
  assert.deepEqual([frame.count, frame.largest[0], frame.smallest[0]], [1, 5, 5]);
});
