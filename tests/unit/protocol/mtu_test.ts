import assert from "node:assert/strict";
import { MtuLadder } from "../../../lib/protocol/mtu.ts";
import {
  BASE_DATAGRAM_BYTES,
  BLACK_HOLE_PROBES,
  MTU_FIRST_RETRY_MS,
  MTU_RETRY_MS,
} from "../../../lib/protocol/params.ts";
import { after, instant } from "../../../lib/time.ts";

const NOW = instant(5000);

/** Sends all probes that are due and gives their sizes. */
function probeAll(ladder: MtuLadder): number[] {
  const sizes: number[] = [];
  for (let size = ladder.nextProbeBytes(); size > 0; size = ladder.nextProbeBytes()) {
    sizes.push(size);
    ladder.onProbeSent();
  }
  return sizes;
}

function timeOut(ladder: MtuLadder, times: number) {
  let retryAt;
  for (let count = 0; count < times; count++) retryAt = ladder.onTimeout(NOW);
  return retryAt;
}

Deno.test("MtuLadder starts at the size the handshake proved", () => {
  assert.equal(new MtuLadder(4, 1472).datagramBytes, BASE_DATAGRAM_BYTES);
});

Deno.test("[MTU-1] MtuLadder probes every size once, the largest first", () => {
  assert.deepEqual(probeAll(new MtuLadder(4, 65_535)), [1472, 1464, 1452, 1392, 1372, 1352, 1252]);
  assert.deepEqual(probeAll(new MtuLadder(6, 65_535)), [1452, 1444, 1432, 1372, 1352, 1332, 1232]);
});

Deno.test("MtuLadder's smallest probe fits an MTU of 1280, its largest one of 1500", () => {
  assert.equal(probeAll(new MtuLadder(4, 1472)).at(-1), 1280 - 28);
  assert.equal(probeAll(new MtuLadder(6, 1472)).at(-1), 1280 - 48);
  assert.equal(probeAll(new MtuLadder(4, 1472))[0], 1500 - 28);
  assert.equal(probeAll(new MtuLadder(6, 1472))[0], 1500 - 48);
});

Deno.test("[MTU-1] MtuLadder probes nothing the peer would not take", () => {
  assert.deepEqual(probeAll(new MtuLadder(4, 1400)), [1392, 1372, 1352, 1252]);
  assert.deepEqual(probeAll(new MtuLadder(4, 1200)), []);
});

Deno.test("MtuLadder takes the largest size that arrived, in any order", () => {
  const ladder = new MtuLadder(4, 1472);
  probeAll(ladder);
  assert.equal(ladder.onProbeAcked(1252), true);
  assert.equal(ladder.onProbeAcked(1392), true);
  assert.equal(ladder.onProbeAcked(1352), false);
  assert.equal(ladder.onProbeAcked(1392), false);
  assert.equal(ladder.datagramBytes, 1392);
});

Deno.test("MtuLadder falls back after a row of probe timeouts and names when to try again", () => {
  const ladder = new MtuLadder(4, 1472);
  probeAll(ladder);
  ladder.onProbeAcked(1472);
  assert.equal(timeOut(ladder, BLACK_HOLE_PROBES - 1), undefined);
  assert.equal(ladder.datagramBytes, 1472);
  assert.equal(ladder.onTimeout(NOW), after(NOW, MTU_FIRST_RETRY_MS));
  assert.equal(ladder.datagramBytes, BASE_DATAGRAM_BYTES);
  assert.equal(ladder.nextProbeBytes(), 0, "no size twice before then");
  assert.equal(ladder.onTimeout(NOW), undefined, "it is at the base already");
  ladder.restart();
  assert.equal(probeAll(ladder)[0], 1472);
  ladder.onProbeAcked(1472);
  ladder.onProgress();
  assert.equal(timeOut(ladder, BLACK_HOLE_PROBES), after(NOW, MTU_RETRY_MS), "not so soon again");
});

Deno.test("MtuLadder.onProgress starts the row of timeouts anew", () => {
  const ladder = new MtuLadder(4, 1472);
  ladder.onProbeAcked(1472);
  timeOut(ladder, BLACK_HOLE_PROBES - 1);
  ladder.onProgress();
  assert.equal(timeOut(ladder, BLACK_HOLE_PROBES - 1), undefined);
  assert.equal(ladder.datagramBytes, 1472);
});

Deno.test("MtuLadder keeps the base whatever times out", () => {
  const ladder = new MtuLadder(4, 1472);
  assert.equal(timeOut(ladder, 10), undefined);
  assert.equal(ladder.datagramBytes, BASE_DATAGRAM_BYTES);
});

Deno.test("MtuLadder stops a ladder half sent when the path turns black", () => {
  const ladder = new MtuLadder(4, 1472);
  ladder.onProbeSent();
  ladder.onProbeAcked(1472);
  assert.notEqual(timeOut(ladder, BLACK_HOLE_PROBES), undefined);
  assert.equal(ladder.nextProbeBytes(), 0);
});
