// Goal: the rate is what the path delivered, whatever the sender and the ACKs did in bunches.
// Method: packets of 1000 bytes sent and acknowledged by hand, rates worked out by hand.
import assert from "node:assert/strict";
import { DeliveryRate } from "../../../../lib/protocol/congestion/delivery_rate.ts";
import { PacketFlag, SentPackets } from "../../../../lib/protocol/sent_packets.ts";
import { instant } from "../../../../lib/time.ts";

const BYTES = 1000;

class Flow {
  readonly rate = new DeliveryRate();
  readonly sent = new SentPackets();
  inFlight = 0;

  send(atMs: number, count = 1): void {
    for (let index = 0; index < count; index++) {
      const slot = this.sent.add();
      this.sent.sentAt[slot] = atMs;
      this.sent.sizes[slot] = BYTES;
      this.sent.flags[slot] = PacketFlag.IN_FLIGHT;
      this.inFlight += BYTES;
      this.rate.onSent(instant(atMs), this.sent, slot, this.inFlight);
    }
  }

  ack(atMs: number, packetNumbers: readonly number[], minRttMs = 0): number {
    this.rate.begin();
    for (const packetNumber of packetNumbers) {
      this.inFlight -= BYTES;
      this.rate.onAcked(instant(atMs), this.sent, this.sent.slot(packetNumber), packetNumber);
    }
    this.rate.finish(instant(atMs), minRttMs);
    return this.rate.rate;
  }
}

Deno.test("DeliveryRate is the bytes delivered between two ACKs, by their distance", () => {
  const flow = new Flow();
  flow.send(0, 10);
  assert.equal(flow.ack(100, [0, 1]), 2 * BYTES / 100);
  flow.send(100, 2);
  flow.ack(150, [2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(flow.ack(200, [10, 11]), 10 * BYTES / 100, "from the ACK before its sending on");
});

Deno.test("DeliveryRate takes the time of sending where ACKs came in a bunch", () => {
  const flow = new Flow();
  flow.send(0);
  flow.ack(50, [0]);
  for (let index = 1; index <= 10; index++) flow.send(50 + 10 * index);
  // All ten arrive 60 ms after the last was sent; they left over 90 ms.
  assert.ok(flow.ack(210, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) <= 10 * BYTES / 90);
});

Deno.test("DeliveryRate gives none for an interval shorter than any round trip", () => {
  const flow = new Flow();
  flow.send(0, 2);
  assert.equal(flow.ack(10, [0, 1], 50), 0);
});

Deno.test("DeliveryRate tells what was in flight when the newest packet left", () => {
  const flow = new Flow();
  flow.send(0, 3);
  flow.ack(50, [2, 1]);
  assert.equal(flow.rate.inFlightAtSend, 3 * BYTES, "of the newest, in any order");
  assert.equal(flow.rate.ackedBytes, 2 * BYTES);
  flow.rate.onSpuriousLoss(BYTES);
  assert.equal(flow.rate.delivered, 3 * BYTES);
});

Deno.test("DeliveryRate marks what left while the application had nothing more", () => {
  const flow = new Flow();
  flow.send(0);
  flow.rate.markAppLimited(flow.inFlight);
  flow.send(10, 2);
  flow.ack(50, [0]);
  assert.equal(flow.rate.isAppLimited, false);
  flow.ack(60, [1]);
  assert.equal(flow.rate.isAppLimited, true);
  flow.send(70);
  flow.ack(80, [2]);
  flow.ack(120, [3]);
  assert.equal(flow.rate.isAppLimited, false, "all of that was delivered");
});
