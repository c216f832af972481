// Goal: what BBR remembers of a path is what docs/protocol.md says, for as long as it says.
// Method: hand-made samples, one filter after the other.
import assert from "node:assert/strict";
import { FullPipe } from "../../../../lib/protocol/congestion/full_pipe.ts";
import { MinRtt } from "../../../../lib/protocol/congestion/min_rtt.ts";
import { QueueWatch } from "../../../../lib/protocol/congestion/queue_watch.ts";
import { RoundLosses } from "../../../../lib/protocol/congestion/round_losses.ts";
import { Rounds } from "../../../../lib/protocol/congestion/rounds.ts";
import { WindowedMax } from "../../../../lib/protocol/congestion/windowed_max.ts";
import { instant } from "../../../../lib/time.ts";
import { sampleOf } from "./_sample.ts";

Deno.test("WindowedMax remembers the present period and the one before", () => {
  const max = new WindowedMax();
  assert.equal(max.value, 0);
  max.add(5);
  max.add(3);
  assert.equal(max.value, 5);
  max.advance();
  max.add(4);
  assert.equal(max.value, 5);
  max.advance();
  assert.equal(max.value, 4);
  max.clear();
  assert.equal(max.value, 0);
});

Deno.test("Rounds ends a round when something sent after its beginning is acknowledged", () => {
  const rounds = new Rounds();
  rounds.handleAck(sampleOf({ delivered: 10, priorDelivered: 0 }));
  assert.ok(rounds.isStart);
  rounds.handleAck(sampleOf({ delivered: 20, priorDelivered: 9 }));
  assert.equal(rounds.isStart, false);
  rounds.handleAck(sampleOf({ delivered: 30, priorDelivered: 10 }));
  assert.ok(rounds.isStart);
  rounds.restart(35);
  rounds.handleAck(sampleOf({ delivered: 40, priorDelivered: 34 }));
  assert.equal(rounds.isStart, false);
  assert.equal(rounds.count, 2);
});

Deno.test("FullPipe is full after three rounds without a quarter more", () => {
  const pipe = new FullPipe();
  for (const rate of [10, 12.5, 20, 24, 24]) pipe.handleAck(sampleOf({ rate }), true);
  assert.equal(pipe.isFull, false);
  pipe.handleAck(sampleOf({ rate: 24, isAppLimited: true }), true);
  assert.equal(pipe.isFull, false, "the application limited that");
  pipe.handleAck(sampleOf({ rate: 24.9 }), true);
  assert.equal(pipe.isFull, true);
  pipe.restart(10);
  assert.equal(pipe.isFull, false);
});

Deno.test("MinRtt takes the least, confirms it, looks for it after five seconds", () => {
  const min = new MinRtt();
  min.handleAck(instant(0), 50);
  min.handleAck(instant(10), 40);
  min.handleAck(instant(4000), 40.5);
  assert.equal(min.valueMs, 40);
  assert.ok(min.isConfirmed(instant(6000), 2500));
  min.handleAck(instant(8999), 60);
  assert.equal(min.isProbeDue, false);
  min.handleAck(instant(9001), 60);
  assert.ok(min.isProbeDue);
  min.handleProbed(instant(9300));
  assert.equal(min.isProbeDue, false);
});

Deno.test("MinRtt forgets the round trip of a path that got longer after ten seconds", () => {
  const min = new MinRtt();
  for (let ms = 0; ms <= 30_000; ms += 100) {
    min.handleAck(instant(ms), ms < 2000 ? 40 : 70);
    if (ms === 10_000) assert.equal(min.valueMs, 40);
  }
  assert.equal(min.valueMs, 70);
});

Deno.test("MinRtt keeps the round trip for twenty seconds beside flows that fill queues", () => {
  const min = new MinRtt();
  for (let ms = 0; ms <= 30_000; ms += 100) {
    min.handleAck(instant(ms), ms < 2000 ? 40 : 70, 0, true);
    if (ms === 20_000) assert.equal(min.valueMs, 40);
  }
  assert.equal(min.valueMs, 70);
});

Deno.test("QueueWatch sees a queue that stands for two rounds, and one that builds at once", () => {
  const queue = new QueueWatch();
  assert.equal(queue.standingMs(40), 0);
  queue.handleAck(40, true);
  for (const rttMs of [60, 70, 60, 55]) queue.handleAck(rttMs, false);
  assert.equal(queue.recentMs(40), 15);
  assert.ok(queue.isBuilding(40));
  assert.equal(queue.isStanding(40), false);
  queue.handleAck(50, true);
  queue.handleAck(48, true);
  assert.equal(queue.standingMs(40), 8);
  assert.ok(queue.isStanding(40));
  queue.handleAck(Number.NaN, false);
  assert.equal(queue.standingMs(40), 8);
  queue.handleAck(44, false);
  assert.equal(queue.isStanding(40), false, "an eighth of 40 ms is noise");
});

Deno.test("RoundLosses asks for more than chance, and without a queue for much more", () => {
  const losses = new RoundLosses();
  losses.handleAcked(970 * 1000);
  losses.handleLost(30 * 1000, 30);
  assert.ok(losses.isTooHigh(1000, true));
  assert.equal(losses.isTooHigh(1000, false), false);
  losses.handleLost(200 * 1000, 200);
  assert.ok(losses.isTooHigh(1000, false));
  losses.restart();
  losses.handleAcked(29 * 1000);
  losses.handleLost(1000, 1);
  assert.equal(losses.isTooHigh(1000, true), false, "one of thirty");
  assert.equal(losses.packets, 1);
});

Deno.test("RoundLosses learns what a path loses without a queue, and takes no more for unusual", () => {
  const losses = new RoundLosses();
  const lose = (packets: number) => {
    losses.handleAcked((1000 - packets) * 1000);
    losses.handleLost(packets * 1000, packets);
  };
  lose(0);
  assert.equal(losses.isUnusual(1000), false);
  lose(1);
  assert.ok(losses.isUnusual(1000), "one is much where none is usual");
  for (let round = 0; round < 64; round++) {
    losses.restart(true);
    lose(50);
  }
  assert.equal(losses.isUnusual(1000), false);
  assert.equal(losses.isTooHigh(1000, true), false, "the queue is not why");
  losses.restart();
  lose(80);
  assert.ok(losses.isUnusual(1000));
  assert.ok(losses.isTooHigh(1000, true));
});
