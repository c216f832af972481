/**
 * Goal: a connection keeps its limits, and says and hears what limits the transfer.
 * Method: a peer made by hand, which sees every frame and lets packets get lost.
 */
import assert from "node:assert/strict";
import { Hold } from "../../../lib/protocol/hold_times.ts";
import { RateLimit } from "../../../lib/protocol/rate_limit.ts";
import { FEATURE_LIMITED } from "../../../lib/protocol/transport_parameters.ts";
import { instant } from "../../../lib/time.ts";
import { credit, limited, ping } from "../../support/frame_bytes.ts";
import { HandPeer, type HandPeerOptions } from "../../support/hand_peer.ts";

const CURIOUS: HandPeerOptions = { remote: { features: FEATURE_LIMITED } };

/** Acknowledges all that was sent, so that neither window nor timers matter. */
function acknowledge(peer: HandPeer): void {
  if (peer.sent.length > 0) peer.send(peer.ackOfAll());
}

function queueBlocks(peer: HandPeer, count: number): void {
  for (let index = 0; index < count; index++) {
    peer.connection.sendBlock({
      request: 1,
      offset: index * 100_000,
      bytes: new Uint8Array(100_000),
    });
  }
  peer.drain();
}

/** Bytes of the datagrams with blocks that were sent within so long. */
function blockBytesWithin(peer: HandPeer, durationMs: number): number {
  peer.forget();
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += 5) {
    peer.advance(5);
    acknowledge(peer);
  }
  return peer.sent.filter(({ frames }) => frames.some(({ name }) => name === "BLOCK"))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

Deno.test("[RATE-1] Connection draws from the limit of all and from its own", () => {
  const shared = new RateLimit(instant(0), 400_000);
  const peer = new HandPeer({ connection: { sharedLimit: shared, limitBytesPerSecond: 100_000 } });
  acknowledge(peer);
  queueBlocks(peer, 20);
  blockBytesWithin(peer, 1000); // until nothing is left of what was saved before
  const own = blockBytesWithin(peer, 5000);
  assert.ok(Math.abs(own / 500_000 - 1) < 0.01, `${own} bytes in 5 s`);
  assert.equal(peer.connection.limits.ownBytesPerSecond, 100_000);
  assert.equal(peer.connection.limits.wishBytesPerSecond, Infinity);

  shared.setRate(peer.now, 20_000);
  const less = blockBytesWithin(peer, 5000);
  assert.ok(Math.abs(less / 100_000 - 1) < 0.05, `${less} bytes in 5 s`);
  assert.equal(peer.connection.limits.ownBytesPerSecond, 20_000);
});

Deno.test("[RATE-1] Connection answers and probes while a limit holds it", () => {
  const peer = new HandPeer({ connection: { limitBytesPerSecond: 1000 } });
  acknowledge(peer);
  queueBlocks(peer, 1);
  peer.advance(2000);
  acknowledge(peer);
  peer.forget();
  // An ACK is asked for, and one is due in any case after some packets.
  for (let count = 0; count < 20; count++) peer.send(credit(1e9, 1e9));
  assert.ok(peer.sentOf("ACK").length > 0);
  assert.equal(peer.sentOf("BLOCK").length, 0);
});

Deno.test("[RATE-2] Connection keeps the limit that its peer asked for", () => {
  const peer = new HandPeer({ remote: { rateLimit: 50_000 } });
  acknowledge(peer);
  queueBlocks(peer, 10);
  blockBytesWithin(peer, 1000);
  const bytes = blockBytesWithin(peer, 5000);
  assert.ok(Math.abs(bytes / 250_000 - 1) < 0.01, `${bytes} bytes in 5 s`);
  assert.equal(peer.connection.limits.wishBytesPerSecond, 50_000);
  const spent = peer.connection.holdTimes(peer.now);
  assert.ok(spent[Hold.WISH]! > 5000, `${spent}`);
});

Deno.test("[RATE-3] Connection's probes to a peer that acknowledges nothing keep its limits", () => {
  const shared = new RateLimit(instant(0), 1000);
  const peer = new HandPeer({ connection: { sharedLimit: shared } });
  acknowledge(peer);
  queueBlocks(peer, 10);
  peer.advance(5000);
  peer.forget();
  let timers = 0;
  for (let second = 0; second < 60; second += 5) {
    peer.advance(5000);
    peer.send(ping()); // so that it is not given up
    if (peer.connection.pollTimeout() <= peer.now) timers++;
  }
  const bytes = peer.sent.filter(({ frames }) => frames.some(({ name }) => name === "BLOCK"))
    .reduce((sum, packet) => sum + packet.bytes, 0);
  assert.ok(bytes > 0.8 * 60_000 && bytes < 1.1 * 60_000, `${bytes} bytes in a minute`);
  assert.equal(timers, 0, "nothing is due again and again");
  assert.equal(peer.connection.closed, undefined);
  // What was owed does not keep others waiting once such a peer is gone.
  assert.ok(shared.opensAt - peer.now < 5000, `closed for ${shared.opensAt - peer.now} ms`);
});

Deno.test("Connection accounts what holds it back", () => {
  const peer = new HandPeer({ remote: { blockCredit: 250_000 } });
  peer.drain();
  acknowledge(peer);
  const spentOn = (hold: number, durationMs: number) => {
    const before = peer.connection.holdTimes(peer.now)[hold]!;
    peer.advance(durationMs);
    return peer.connection.holdTimes(peer.now)[hold]! - before;
  };
  assert.equal(spentOn(Hold.APPLICATION, 500), 500, "nothing to send");
  queueBlocks(peer, 50);
  assert.ok(spentOn(Hold.CONGESTION, 10) >= 9, "the window is full");
  for (let round = 0; round < 100; round++) {
    peer.advance(5);
    acknowledge(peer);
  }
  assert.equal(spentOn(Hold.CREDIT, 100), 100, "the peer takes no more");
  peer.send(credit(1e9, 1e9));
  assert.ok(spentOn(Hold.CONGESTION, 10) >= 9, "the window is full again");
});

Deno.test("Connection tells what limits when it changes, and only who takes it", () => {
  const peer = new HandPeer(CURIOUS);
  acknowledge(peer);
  peer.connection.tellLimitation({ reason: "loss", value: 20_000 });
  peer.connection.tellLimitation({ reason: "loss", value: 20_000 });
  assert.equal(peer.wakeCount, 2, "for the handler and for the news");
  peer.drain();
  assert.deepEqual(peer.sentOf("LIMITED"), [{ name: "LIMITED", reason: 1, value: 20_000 }]);

  const other = new HandPeer();
  other.connection.tellLimitation({ reason: "loss", value: 20_000 });
  other.drain();
  assert.equal(other.sentOf("LIMITED").length, 0);
});

Deno.test("Connection tells what limits again when that was lost, as it is then", () => {
  const peer = new HandPeer(CURIOUS);
  peer.drain();
  acknowledge(peer);
  peer.isDeaf = true;
  peer.connection.tellLimitation({ reason: "disk", value: 0 });
  peer.drain();
  peer.isDeaf = false;
  peer.connection.tellLimitation({ reason: "processor", value: 0 });
  peer.connection.tellLimitation({ reason: "none", value: 0 });
  peer.forget();
  peer.advance(2000);
  assert.equal(peer.sentOf("LIMITED").at(-1)?.reason, 0);
});

Deno.test("[LIM-1] Connection hears what limits its peer, and takes what it does not know for nothing", () => {
  const peer = new HandPeer();
  assert.deepEqual(peer.connection.peerLimitation, { reason: "none", value: 0 });
  peer.send(limited(2, 500_000));
  assert.deepEqual(peer.connection.peerLimitation, { reason: "limit", value: 500_000 });
  peer.send(limited(99, 5));
  assert.equal(peer.connection.peerLimitation.reason, "none");
  assert.equal(peer.end(), undefined);
});
