// Goal: numbers are left out where nobody can foresee it, often at first and rarely later, and who
// acknowledges one is found out; nothing else notices them.
// Method: the places alone; then a real connection opposite a peer made by hand that lies.
import assert from "node:assert/strict";
import { PacketGaps } from "../../../lib/protocol/packet_gaps.ts";
import {
  FIRST_GAP_PACKET,
  LARGEST_GAP_DISTANCE,
  LEAST_GAP_DISTANCE,
} from "../../../lib/protocol/params.ts";
import { ack } from "../../support/frame_bytes.ts";
import { HandPeer } from "../../support/hand_peer.ts";
import { Prng } from "../../support/prng.ts";

const PACKETS = 400_000;

/** Numbers left out of the first so many. */
function gapsOf(seed: number, packets = PACKETS): number[] {
  const gaps = new PacketGaps(new Prng(seed));
  const numbers: number[] = [];
  for (let number = 0; number < packets; number++) if (gaps.take(number)) numbers.push(number);
  assert.equal(gaps.count, numbers.length);
  return numbers;
}

const distancesOf = (numbers: readonly number[]): number[] =>
  numbers.slice(1).map((number, index) => number - numbers[index]!);

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("[ACK-6] PacketGaps leaves out one number in a thousand later, and more at first", () => {
  const numbers = gapsOf(1);
  const late = distancesOf(numbers.filter((number) => number > 8 * LARGEST_GAP_DISTANCE));
  assert.ok(Math.abs(mean(late) / LARGEST_GAP_DISTANCE - 1) < 0.15, `${mean(late)}`);
  assert.ok(Math.min(...late) < LARGEST_GAP_DISTANCE / 8, "also next to each other");
  assert.ok(Math.max(...late) <= 2 * LARGEST_GAP_DISTANCE);
  const firsts = Array.from({ length: 200 }, (_, seed) => gapsOf(seed, 1000));
  for (const [first] of firsts) {
    assert.ok(first! > FIRST_GAP_PACKET && first! <= FIRST_GAP_PACKET + 2 * LEAST_GAP_DISTANCE);
  }
  assert.ok(mean(firsts.map(({ length }) => length)) > 4, "among the first thousand");
});

Deno.test("[ACK-6] PacketGaps gives each connection places of its own", () => {
  assert.deepEqual(gapsOf(3), gapsOf(3));
  const seen = new Set(Array.from({ length: 100 }, (_, seed) => gapsOf(seed, 300).join()));
  assert.ok(seen.size > 95, `${seen.size} of 100`);
});

Deno.test("[ACK-6] PacketGaps asks for chance once in dozens of gaps", () => {
  let calls = 0;
  const prng = new Prng(1);
  const gaps = new PacketGaps({
    fill: (out) => {
      calls++;
      prng.fill(out);
    },
  });
  for (let number = 0; number < FIRST_GAP_PACKET; number++) gaps.take(number);
  assert.equal(calls, 0, "a session of a few packets needs none");
  for (let number = FIRST_GAP_PACKET; number < PACKETS; number++) gaps.take(number);
  assert.ok(gaps.count > 300 && calls <= gaps.count / 30 + 1, `${calls} for ${gaps.count}`);
});

/** Sends blocks and acknowledges what came, until a number was left out; gives it. */
function untilGap(peer: HandPeer): number {
  for (let round = 0; round < 2000; round++) {
    peer.connection.sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(3000) });
    peer.drain();
    const { sent } = peer;
    for (let index = 1; index < sent.length; index++) {
      const { number } = sent[index]!;
      if (number !== sent[index - 1]!.number + 1) return number - 1;
    }
    peer.advance(1);
    peer.send(peer.ackOfAll());
  }
  throw new Error("no number was left out");
}

Deno.test("[ACK-6] Connection closes on an ACK that names a number it left out", () => {
  for (const isAlone of [true, false]) {
    const peer = new HandPeer();
    const gap = untilGap(peer);
    peer.send(ack(isAlone ? [[gap, gap]] : [[0, peer.sent.at(-1)!.number]]));
    assert.equal(peer.end()?.code, "protocol_violation");
    assert.match(peer.end()!.reason, /never sent/);
  }
});

Deno.test("[ACK-6] Connection loses nothing by the numbers it leaves out", () => {
  const peer = new HandPeer();
  for (let gaps = 0; gaps < 20; gaps++) {
    const gap = untilGap(peer);
    peer.forget();
    for (let round = 0; round < 10; round++) {
      peer.advance(1);
      peer.send(peer.ackOfAll());
    }
    assert.equal(peer.end(), undefined, `${gap}`);
  }
  const { lostPackets, spuriousPackets, inFlightBytes, sentPackets } = peer.connection.statistics;
  assert.deepEqual([lostPackets, spuriousPackets, inFlightBytes], [0, 0, 0]);
  assert.equal(peer.connection.blockQueuedBytes, 0);
  const { ranges } = peer.received;
  assert.equal(sentPackets, peer.received.count);
  assert.ok(ranges > 20);
});
