import assert from "node:assert/strict";
import fc from "fast-check";
import { PacketFlag, SentPackets } from "../../../lib/protocol/sent_packets.ts";

function fill(sent: SentPackets, slot: number, packetNumber: number): void {
  sent.sentAt[slot] = packetNumber / 3;
  sent.sizes[slot] = packetNumber % 1473;
  sent.flags[slot] = packetNumber % 128;
  sent.firstSegments[slot] = packetNumber * 2 ** 30;
  sent.segmentCounts[slot] = packetNumber % 300;
  sent.acknowledged[slot] = packetNumber * 2 ** 20;
  sent.delivered[slot] = packetNumber * 2 ** 21;
  sent.deliveredAt[slot] = packetNumber / 5;
  sent.firstSentAt[slot] = packetNumber / 7;
  sent.inFlight[slot] = packetNumber * 2 ** 23;
}

function check(sent: SentPackets, packetNumber: number): void {
  const slot = sent.slot(packetNumber);
  assert.deepEqual(
    [
      sent.sentAt[slot],
      sent.sizes[slot],
      sent.flags[slot],
      sent.firstSegments[slot],
      sent.segmentCounts[slot],
      sent.acknowledged[slot],
      sent.delivered[slot],
      sent.deliveredAt[slot],
      sent.firstSentAt[slot],
      sent.inFlight[slot],
    ],
    [
      packetNumber / 3,
      packetNumber % 1473,
      packetNumber % 128,
      packetNumber * 2 ** 30,
      packetNumber % 300,
      packetNumber * 2 ** 20,
      packetNumber * 2 ** 21,
      packetNumber / 5,
      packetNumber / 7,
      packetNumber * 2 ** 23,
    ],
  );
}

Deno.test("SentPackets remembers every packet from oldest to next, through growth", () => {
  const anyStep = fc.record({ add: fc.nat(1500), forget: fc.nat(1500) });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 8, size: "max" }), (steps) => {
      const sent = new SentPackets();
      let oldest = 0;
      let next = 0;
      for (const { add, forget } of steps) {
        for (let count = 0; count < add; count++) {
          const slot = sent.add();
          assert.equal(slot, sent.slot(next));
          fill(sent, slot, next++);
        }
        oldest = Math.min(oldest + forget, next);
        sent.forgetBelow(oldest);
        assert.deepEqual([sent.oldest, sent.next], [oldest, next]);
        for (let number = oldest; number < next; number++) check(sent, number);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("SentPackets does not grow while old packets are forgotten in time", () => {
  const sent = new SentPackets();
  const capacity = sent.sentAt.length;
  for (let number = 0; number < 20 * capacity; number++) {
    sent.add();
    sent.forgetBelow(number - 900);
  }
  assert.equal(sent.sentAt.length, capacity);
});

Deno.test("SentPackets.forgetBelow never goes back", () => {
  const sent = new SentPackets();
  for (let count = 0; count < 10; count++) sent.add();
  sent.forgetBelow(5);
  sent.forgetBelow(3);
  assert.equal(sent.oldest, 5);
});

Deno.test("PacketFlag's bits are distinct and fit the array", () => {
  const bits = Object.values(PacketFlag);
  let all = 0;
  for (const bit of bits) {
    assert.equal(all & bit, 0);
    all |= bit;
  }
  const flags = new SentPackets().flags;
  flags[0] = all;
  assert.equal(flags[0], all);
});
