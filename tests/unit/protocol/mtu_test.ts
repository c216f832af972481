import assert from "node:assert/strict";
import { type DatagramBounds, MtuLadder } from "../../../lib/protocol/mtu.ts";
import {
  BASE_DATAGRAM_BYTES,
  BLACK_HOLE_PROBES,
  MTU_RETRY_MS,
  MTU_TRIES,
} from "../../../lib/protocol/params.ts";
import { after, instant } from "../../../lib/time.ts";

const NOW = instant(5000);

/** A path of Ethernet's, of which the system says nothing. */
function ladderOf(
  family: 4 | 6,
  peerBytes: number,
  bounds: Partial<DatagramBounds> = {},
): MtuLadder {
  return new MtuLadder({ family, peerBytes, peerBufferBytes: 0, ...bounds });
}

/** Sends all probes that are due and gives their sizes. */
function probeAll(ladder: MtuLadder): number[] {
  const sizes: number[] = [];
  for (let size = ladder.nextProbeBytes(); size > 0; size = ladder.nextProbeBytes()) {
    sizes.push(size);
    ladder.onProbeSent();
  }
  return sizes;
}

/** Loses all probes of a ladder; gives what the last of them leads to. */
function loseAll(ladder: MtuLadder, count: number) {
  let retryAt;
  for (let index = 0; index < count; index++) retryAt = ladder.onProbeLost(NOW);
  return retryAt;
}

/** Whether the last of `times` timeouts made the size fall. */
function timeOut(ladder: MtuLadder, times: number): boolean {
  let hasFallen = false;
  for (let count = 0; count < times; count++) hasFallen = ladder.onTimeout();
  return hasFallen;
}

Deno.test("MtuLadder starts at the size the handshake proved", () => {
  assert.equal(ladderOf(4, 1472).datagramBytes, BASE_DATAGRAM_BYTES);
});

Deno.test("[MTU-1] MtuLadder probes every size once, the largest first", () => {
  assert.deepEqual(probeAll(ladderOf(4, 65_535)), [1472, 1464, 1452, 1392, 1372, 1352, 1252]);
  assert.deepEqual(probeAll(ladderOf(6, 65_535)), [1452, 1444, 1432, 1372, 1352, 1332, 1232]);
});

Deno.test("MtuLadder's smallest probe fits an MTU of 1280, its largest one of 1500", () => {
  assert.equal(probeAll(ladderOf(4, 1472)).at(-1), 1280 - 28);
  assert.equal(probeAll(ladderOf(6, 1472)).at(-1), 1280 - 48);
  assert.equal(probeAll(ladderOf(4, 1472))[0], 1500 - 28);
  assert.equal(probeAll(ladderOf(6, 1472))[0], 1500 - 48);
});

Deno.test("[MTU-1] MtuLadder probes nothing the peer would not take", () => {
  assert.deepEqual(probeAll(ladderOf(4, 1400)), [1392, 1372, 1352, 1252]);
  assert.deepEqual(probeAll(ladderOf(4, 1200)), []);
});

Deno.test("[MTU-3] MtuLadder tries what the link carries, and nothing that it would cut up", () => {
  const roomy = { peerBufferBytes: 3_000_000 };
  const sizes = (family: 4 | 6, linkBytes: number | undefined, peerBytes = 65_507) =>
    probeAll(ladderOf(family, peerBytes, { ...roomy, linkBytes }));
  const ethernet = [1472, 1464, 1452, 1392, 1372, 1352, 1252];

  assert.deepEqual(sizes(4, undefined), ethernet, "of a link nobody knows nothing is expected");
  assert.deepEqual(sizes(4, 1500 - 28), ethernet);
  assert.deepEqual(sizes(4, 9000 - 28), [8972, ...ethernet]);
  assert.deepEqual(sizes(6, 9000 - 48)[0], 8952);
  assert.deepEqual(sizes(4, 9216 - 28), [9188, 8972, ...ethernet]);
  assert.deepEqual(sizes(4, 65_536 - 28), [65_507, 8972, ...ethernet], "loopback of Linux");
  assert.deepEqual(sizes(4, 65_536 - 28, 1472), ethernet, "the peer takes no more");
  assert.deepEqual(sizes(4, 1440 - 28), [1412, 1392, 1372, 1352, 1252], "a tunnel of its own");
  assert.deepEqual(sizes(4, 1280 - 28), [1252]);
  assert.deepEqual(sizes(4, 1200 - 28), []);
});

Deno.test("[MTU-3] MtuLadder tries no datagram of which the peer's buffer holds less than five", () => {
  const largest = (peerBufferBytes: number) =>
    probeAll(ladderOf(4, 65_507, { peerBufferBytes, linkBytes: 65_508 }))[0];
  assert.equal(largest(0), 1472, "unknown");
  assert.equal(largest(5 * 1400), 1472, "Ethernet's are tried in any case");
  assert.equal(largest(79_872), 15_974);
  assert.equal(largest(5 * 65_507), 65_507);
  assert.equal(largest(10_000_000), 65_507);
});

Deno.test("MtuLadder takes the largest size that arrived, in any order", () => {
  const ladder = ladderOf(4, 1472);
  probeAll(ladder);
  assert.equal(ladder.onProbeAcked(1252), true);
  assert.equal(ladder.onProbeAcked(1392), true);
  assert.equal(ladder.onProbeAcked(1352), false);
  assert.equal(ladder.onProbeAcked(1392), false);
  assert.equal(ladder.datagramBytes, 1392);
});

Deno.test("[MTU-1] MtuLadder probes no lost size again when a smaller one arrived", () => {
  const ladder = ladderOf(4, 1472);
  probeAll(ladder);
  ladder.onProbeAcked(1252);
  assert.equal(loseAll(ladder, 6), undefined);
  assert.equal(ladder.nextProbeBytes(), 0);
  assert.equal(ladder.datagramBytes, 1252);
});

Deno.test("[MTU-1] MtuLadder sends the ladder again when all of it was lost, and later once more", () => {
  const ladder = ladderOf(4, 1472);
  for (let tries = 1; tries < MTU_TRIES; tries++) {
    assert.equal(probeAll(ladder).length, 7, `${tries}`);
    assert.equal(loseAll(ladder, 6), undefined);
    assert.equal(ladder.nextProbeBytes(), 0, "the last may still arrive");
    assert.equal(loseAll(ladder, 1), undefined);
  }
  assert.equal(probeAll(ladder).length, 7);
  assert.equal(loseAll(ladder, 7), after(NOW, MTU_RETRY_MS));
  assert.equal(ladder.nextProbeBytes(), 0);
  ladder.restart();
  assert.equal(probeAll(ladder).length, 7);
  assert.equal(loseAll(ladder, 7), undefined, "as many tries as at first");
  assert.equal(probeAll(ladder).length, 7);
});

Deno.test("[MTU-2] MtuLadder falls back after a row of probe timeouts, and tries anew on progress", () => {
  const ladder = ladderOf(4, 1472);
  probeAll(ladder);
  ladder.onProbeAcked(1392);
  assert.equal(timeOut(ladder, BLACK_HOLE_PROBES - 1), false);
  assert.equal(ladder.datagramBytes, 1392);
  assert.equal(ladder.onTimeout(), true);
  assert.equal(ladder.datagramBytes, BASE_DATAGRAM_BYTES);
  assert.equal(ladder.nextProbeBytes(), 0, "nothing while nothing gets through");
  assert.equal(ladder.onTimeout(), false, "it is at the base already");
  assert.equal(ladder.onProgress(NOW), after(NOW, MTU_RETRY_MS));
  assert.deepEqual(probeAll(ladder), [1392, 1372, 1352, 1252], "none that did not pass before");
  ladder.onProbeAcked(1352);
  assert.equal(loseAll(ladder, 2), undefined);
  assert.equal(ladder.datagramBytes, 1352);
  assert.equal(ladder.onProgress(NOW), undefined);
  assert.equal(ladder.nextProbeBytes(), 0, "once for each fall");
  ladder.restart();
  assert.deepEqual(probeAll(ladder), [1472, 1464, 1452, 1392, 1372], "none that is known to pass");
});

Deno.test("MtuLadder.onProgress starts the row of timeouts anew", () => {
  const ladder = ladderOf(4, 1472);
  ladder.onProbeAcked(1472);
  timeOut(ladder, BLACK_HOLE_PROBES - 1);
  ladder.onProgress(NOW);
  assert.equal(timeOut(ladder, BLACK_HOLE_PROBES - 1), false);
  assert.equal(ladder.datagramBytes, 1472);
});

Deno.test("MtuLadder keeps the base whatever times out", () => {
  const ladder = ladderOf(4, 1472);
  assert.equal(timeOut(ladder, 10), false);
  assert.equal(ladder.datagramBytes, BASE_DATAGRAM_BYTES);
});

Deno.test("MtuLadder stops a ladder half sent when the path turns black", () => {
  const ladder = ladderOf(4, 1472);
  ladder.onProbeSent();
  ladder.onProbeAcked(1472);
  assert.equal(timeOut(ladder, BLACK_HOLE_PROBES), true);
  assert.equal(ladder.nextProbeBytes(), 0);
});
