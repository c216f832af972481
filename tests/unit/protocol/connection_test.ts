// Goal: a connection acknowledges, waits, gives up and hands on exactly as docs/protocol.md says.
// Method: a real connection opposite a peer made by hand, in steps of virtual time.
import assert from "node:assert/strict";
import type { OutgoingBlock } from "../../../lib/protocol/channel.ts";
import {
  ACK_EVERY_PACKETS,
  CONTROL_WINDOW_BYTES,
  IDLE_TIMEOUT_MS,
  KEEPALIVE_MS,
  MAX_ACK_RANGES,
  MAX_CONTROL_GAPS,
} from "../../../lib/protocol/params.ts";
import * as frames from "../../support/frame_bytes.ts";
import { ack, ackNow, block, control, credit, padding, ping } from "../../support/frame_bytes.ts";
import { HandPeer, type HandPeerOptions, RecordingHandler } from "../../support/hand_peer.ts";

/** A peer that has acknowledged all that the connection sends by itself. */
function settled(options?: HandPeerOptions): HandPeer {
  const peer = new HandPeer(options);
  peer.drain();
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.forget();
  return peer;
}

const newBlock = (length: number, offset = 0): OutgoingBlock => ({
  request: 1,
  offset,
  bytes: new Uint8Array(length).fill(7),
});

Deno.test("[HS-10] Connection of a sharer tells the client at once that message 3 arrived", () => {
  const peer = new HandPeer();
  peer.drain();
  assert.equal(peer.sent[0]?.atMs, 0);
  assert.ok(peer.sentOf("PING").length > 0);
});

Deno.test("[HS-10] Connection of a client repeats message 3 until a packet opens", () => {
  const peer = new HandPeer({
    connection: { writeConfirmation: (out) => void out.fill(0xcc) },
  });
  peer.drain();
  peer.advance(1000);
  // The probe timeout of a round trip of 20 ms is 20 + 4 · 10 + 25 ms.
  assert.deepEqual(peer.confirmationsAtMs.slice(0, 4), [0, 85, 170, 255]);
  peer.hand(peer.seal([ping()]).fill(0, 20, 24));
  assert.equal(peer.confirmationsAtMs.length, 12, "a packet that does not open changes nothing");
  peer.send(ping());
  peer.advance(1000);
  assert.equal(peer.confirmationsAtMs.length, 12);
});

Deno.test("Connection of a client repeats message 3 at least every 300 ms on slow paths", () => {
  const peer = new HandPeer({
    connection: { rttMs: 2000, writeConfirmation: (out) => void out.fill(0xcc) },
  });
  peer.drain();
  peer.advance(900);
  assert.deepEqual(peer.confirmationsAtMs, [0, 300, 600, 900]);
});

Deno.test("Connection of a client sends data before message 3 is confirmed", () => {
  const peer = new HandPeer({
    connection: { writeConfirmation: (out) => void out.fill(0xcc) },
  });
  peer.connection.sendControl(new Uint8Array([1, 2]));
  peer.drain();
  assert.deepEqual(peer.confirmationsAtMs, [0]);
  assert.deepEqual(peer.sentOf("CONTROL").map((frame) => [...frame.bytes]), [[1, 2]]);
});

// ---- acknowledging ----

Deno.test("[ACK-1] Connection acknowledges every 16 packets at once", () => {
  const peer = settled();
  for (let count = 1; count < ACK_EVERY_PACKETS; count++) peer.send(ping());
  peer.assertSilent();
  peer.send(ping());
  assert.deepEqual(peer.sentOf("ACK").map((frame) => frame.ranges), [[[0, 16]]]);
});

for (const [rttMs, delayMs] of [[0.4, 1], [20, 5], [60, 15], [400, 25]] as const) {
  Deno.test(`Connection acknowledges after ${delayMs} ms at a round trip of ${rttMs} ms`, () => {
    // Acknowledging nothing keeps the round trip of the handshake.
    const peer = new HandPeer({ connection: { rttMs } });
    peer.isDeaf = true;
    peer.drain();
    peer.isDeaf = false;
    peer.nowMs = 0.0001;
    peer.send(ping());
    const due = peer.nowMs + delayMs;
    for (let step = 0; step < 40 && peer.sentOf("ACK").length === 0; step++) peer.advance(1);
    const acked = peer.sent.find(({ frames }) => frames.some(({ name }) => name === "ACK"));
    assert.ok(Math.abs(acked!.atMs - due) < 0.01, `at ${acked!.atMs} ms`);
  });
}

Deno.test("[ACK-1] Connection acknowledges at once after a gap and for what comes late", () => {
  const peer = settled();
  const late = peer.seal([ping()]);
  peer.send(ping());
  assert.deepEqual(peer.sentOf("ACK").map((frame) => frame.ranges), [[[2, 2], [0, 0]]]);
  peer.hand(late);
  peer.drain();
  assert.deepEqual(peer.sentOf("ACK").at(-1)!.ranges, [[0, 2]]);
});

Deno.test("[ACK-1] Connection acknowledges at once when the peer asks for it", () => {
  const peer = settled();
  peer.send(ackNow());
  assert.equal(peer.sentOf("ACK").length, 1);
});

Deno.test("Connection says how long it held an ACK back", () => {
  const peer = settled();
  peer.send(ping());
  peer.advance(25);
  const [sent] = peer.sentOf("ACK");
  assert.ok(sent!.delayMs > 3);
  assert.ok(Math.abs(sent!.delayMs - peer.sent[0]!.atMs) < 0.01, "in units of 8 µs");
});

Deno.test("[ACK-3] Connection does not acknowledge packets of ACK and PADDING alone", () => {
  const peer = settled();
  peer.connection.sendControl(new Uint8Array([1]));
  peer.drain();
  const number = peer.sent.at(-1)!.number;
  peer.forget();
  for (let count = 0; count < 40; count++) peer.send(ack([[0, number]]), padding(5));
  peer.advance(1000);
  peer.assertSilent();
});

Deno.test("Connection drops a repeated packet and sends the ACK it may have lost sooner", () => {
  const peer = settled();
  const packet = peer.seal([control(0, new Uint8Array([5]))]);
  assert.equal(peer.hand(packet), true);
  peer.drain();
  peer.assertSilent();
  assert.equal(peer.hand(packet), false);
  peer.drain();
  assert.equal(peer.sentOf("ACK").length, 1);
  assert.deepEqual(peer.handler.control, [5]);
  for (let count = 0; count < 20; count++) peer.hand(packet);
  peer.drain();
  assert.equal(peer.sent.length, 1, "a recording played again and again gets no more answers");
  assert.equal(peer.connection.statistics.droppedDatagrams, 21);
});

Deno.test("[ACK-4] Connection keeps at most 64 ranges, the newest", () => {
  const peer = settled();
  for (let count = 0; count < 200; count++) {
    peer.skip();
    peer.send(ackNow());
  }
  const acks = peer.sentOf("ACK");
  assert.ok(acks.every(({ ranges }) => ranges.length <= MAX_ACK_RANGES));
  const last = acks.at(-1)!;
  assert.equal(last.ranges.length, MAX_ACK_RANGES);
  assert.deepEqual(last.ranges[0], [400, 400]);
});

Deno.test("Connection stops acknowledging what the peer knows is acknowledged", () => {
  const peer = settled();
  peer.send(ackNow());
  peer.connection.sendControl(new Uint8Array(1)); // so that the next ACK must be acknowledged
  peer.skip();
  peer.send(ackNow());
  const carrier = peer.sent.at(-1)!;
  assert.ok(carrier.frames.some(({ name }) => name === "CONTROL"));
  peer.send(ack([[carrier.number, carrier.number]]));
  peer.send(ackNow());
  assert.deepEqual(peer.sentOf("ACK").at(-1)!.ranges, [[4, 5]]);
});

Deno.test("Connection stops acknowledging a peer that never acknowledges, and remembers no more", () => {
  const peer = settled();
  peer.isDeaf = true;
  const before = peer.connection.statistics.sentPackets;
  for (let count = 0; count < 70_000; count++) {
    peer.send(ackNow()); // each must be acknowledged at once
  }
  const sentPackets = peer.connection.statistics.sentPackets - before;
  assert.ok(sentPackets > 60_000 && sentPackets <= 65_536, `${sentPackets} packets`);
  peer.isDeaf = false;
  peer.advance(KEEPALIVE_MS);
  const last = peer.sent.at(-1)!;
  assert.ok(last.frames.some(({ name }) => name === "PING"));
  peer.send(ack([[last.number, last.number]]));
  peer.advance(1000);
  peer.send(ack([[last.number, last.number]]));
  peer.forget();
  peer.send(ackNow());
  assert.equal(peer.sentOf("ACK").length, 1, "it is heard again");
});

// ---- silence ----

Deno.test("[IDLE-2] Connection keeps the mapping of routers alive every 10 s", () => {
  const peer = settled();
  peer.advance(KEEPALIVE_MS - 1);
  peer.assertSilent();
  peer.advance(1);
  assert.equal(peer.sentOf("PING").length, 1);
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.advance(KEEPALIVE_MS);
  assert.equal(peer.sentOf("PING").length, 2);
});

Deno.test("[IDLE-1] Connection gives up after 30 s without an authentic packet", () => {
  const peer = settled();
  peer.advance(20_000);
  peer.send(ping());
  peer.advance(IDLE_TIMEOUT_MS - 1);
  const forged = peer.seal([ping()]);
  forged[20]! ^= 1;
  peer.hand(forged);
  assert.equal(peer.end(), undefined);
  peer.forget();
  peer.advance(1);
  assert.equal(peer.end()?.code, "path_lost");
  assert.equal(peer.end()?.byPeer, false);
  assert.equal(peer.connection.isEnded, true);
  peer.assertSilent("nobody is there to be told");
  assert.equal(peer.connection.pollTimeout(), Infinity);
});

Deno.test("Connection gives blocks back when it gives up", () => {
  const peer = settled();
  const lent = newBlock(50_000);
  peer.connection.sendBlock(lent);
  peer.drain();
  peer.advance(IDLE_TIMEOUT_MS);
  assert.deepEqual(peer.handler.released, [lent]);
});

// ---- control stream ----

Deno.test("[CTL-1] Connection puts control bytes in order and hands each on once", () => {
  const peer = settled();
  peer.send(control(3, new Uint8Array([4, 5, 6])));
  peer.send(control(1, new Uint8Array([2, 3, 4])));
  assert.deepEqual(peer.handler.control, []);
  peer.send(control(0, new Uint8Array([1])), control(6, new Uint8Array([7])));
  peer.send(control(0, new Uint8Array([1, 2])));
  assert.deepEqual(peer.handler.control, [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("Connection keeps control bytes until there is a handler", () => {
  const peer = settled({ hasHandler: false });
  peer.send(control(0, new Uint8Array([1, 2])));
  peer.send(control(3, new Uint8Array([4])));
  const wakes = peer.wakeCount;
  peer.connection.setHandler(peer.handler);
  assert.deepEqual(peer.handler.control, [1, 2]);
  assert.ok(peer.wakeCount > wakes);
  peer.send(control(2, new Uint8Array([3])));
  assert.deepEqual(peer.handler.control, [1, 2, 3, 4]);
});

Deno.test("Connection hands control bytes on to the handler that a handler put in its place", () => {
  const peer = settled();
  const second = new RecordingHandler();
  peer.handler.onControl = () => peer.connection.setHandler(second);
  peer.send(control(2, new Uint8Array([3, 4])));
  peer.send(control(0, new Uint8Array([1, 2])));
  assert.deepEqual([...peer.handler.control, ...second.control], [1, 2, 3, 4]);
});

Deno.test("Connection grants control bytes up to its window without a handler, and no more", () => {
  const chunk = new Uint8Array(1024);
  const peer = settled({ hasHandler: false });
  for (let offset = 0; offset < CONTROL_WINDOW_BYTES; offset += chunk.length) {
    peer.send(control(offset, chunk));
  }
  assert.equal(peer.end(), undefined);
  assert.deepEqual(peer.sentOf("CREDIT"), []);
  peer.connection.setHandler(peer.handler);
  peer.drain();
  assert.equal(peer.handler.control.length, CONTROL_WINDOW_BYTES);
  assert.equal(peer.sentOf("CREDIT").at(-1)?.controlLimit, 2 * CONTROL_WINDOW_BYTES);
});

Deno.test("[CTL-1] Connection bears as many gaps in the control stream as the limit says", () => {
  const peer = settled();
  for (let gap = 0; gap < MAX_CONTROL_GAPS; gap++) {
    peer.send(control(1 + 2 * gap, new Uint8Array([gap])));
  }
  assert.equal(peer.end(), undefined);
  peer.send(control(1 + 2 * MAX_CONTROL_GAPS, new Uint8Array([0])));
  assert.equal(peer.end()?.code, "protocol_violation");
});

// ---- sending ----

Deno.test("[CRED-2] Connection sends control bytes only as far as the peer's credit", () => {
  const peer = settled({ remote: { controlCredit: 10 } });
  peer.connection.sendControl(new Uint8Array(25));
  peer.drain();
  const sentBytes = () => peer.sentOf("CONTROL").reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.equal(sentBytes(), 10);
  peer.send(credit(0, 20));
  peer.send(credit(0, 5)); // an old frame that comes late takes nothing back
  assert.equal(sentBytes(), 20);
  assert.equal(peer.connection.controlQueuedBytes, 25);
});

Deno.test("[CRED-1] Connection sends blocks only as far as the peer's credit", () => {
  const peer = settled({ remote: { blockCredit: 3000 } });
  peer.connection.sendBlock(newBlock(10_000));
  peer.drain();
  const sentBytes = () => peer.sentOf("BLOCK").reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.equal(sentBytes(), 3000);
  peer.send(ack([[0, peer.sent.at(-1)!.number]]), credit(4000, 0));
  assert.equal(sentBytes(), 4000);
});

Deno.test("[CRED-2] Connection loses no credit to an old frame that comes late", () => {
  const peer = settled({ remote: { blockCredit: 0, controlCredit: 0 } });
  peer.send(credit(500, 20), credit(400, 10));
  peer.connection.sendControl(new Uint8Array(100));
  peer.connection.sendBlock(newBlock(1000));
  peer.drain();
  assert.equal(peer.sentOf("CONTROL")[0]?.bytes.length, 20);
  assert.equal(peer.sentOf("BLOCK")[0]?.bytes.length, 500);
});

Deno.test("Connection gives a block back once, when its last byte is acknowledged", () => {
  const peer = settled();
  const [first, second] = [newBlock(3000), newBlock(100, 3000)];
  peer.connection.sendBlock(first);
  peer.connection.sendBlock(second);
  peer.drain();
  const numbers = peer.sent.map(({ number }) => number);
  peer.send(ack([[numbers[1]!, numbers.at(-1)!]]));
  assert.deepEqual(peer.handler.released, [second]);
  assert.equal(peer.handler.writableCount, 1);
  peer.send(ack([[numbers[0]!, numbers.at(-1)!]]));
  peer.send(ack([[numbers[0]!, numbers.at(-1)!]]));
  assert.deepEqual(peer.handler.released, [second, first]);
  assert.equal(peer.connection.blockQueuedBytes, 0);
});

Deno.test("[LOSS-1] Connection sends what was lost again under a new number", () => {
  const peer = settled();
  peer.connection.sendControl(new Uint8Array([42]));
  peer.drain();
  const lost = peer.sent.at(-1)!.number;
  for (let count = 0; count < 3; count++) {
    peer.connection.sendBlock(newBlock(10, 10 * count));
    peer.drain();
  }
  peer.send(ack([[lost + 1, peer.sent.at(-1)!.number]]));
  const again = peer.sent.filter((packet) => packet.frames.some(({ name }) => name === "CONTROL"));
  assert.equal(again.length, 2);
  assert.ok(again[1]!.number > lost);
});

Deno.test("[LOSS-3] Connection repeats unanswered data after a probe timeout, then ever more slowly", () => {
  const peer = settled();
  peer.connection.sendControl(new Uint8Array([42]));
  peer.drain();
  peer.forget();
  peer.advance(10_000);
  // Probes of the path's size and challenges follow clocks of their own.
  const probes = peer.sent.filter(({ frames }) =>
    frames.every(({ name }) => name !== "PADDING" && name !== "PATH_CHALLENGE")
  );
  const times = [...new Set(probes.map(({ atMs }) => atMs))];
  const pauses = times.slice(1).map((time, index) => time - times[index]!);
  for (let index = 1; index < pauses.length; index++) {
    assert.ok(pauses[index]! >= pauses[index - 1]! - 0.001);
    assert.ok(pauses[index]! <= 1500.001);
  }
  assert.ok(times.length >= 8);
  assert.deepEqual(peer.sent[0]!.frames[0], {
    name: "CONTROL",
    offset: 0,
    bytes: new Uint8Array([42]),
  });
  assert.equal(peer.connection.statistics.lostPackets, 0, "a probe declares nothing lost");
});

Deno.test("[CRED-2] Connection asks for the credit it has to give, again when the frame is lost", () => {
  const peer = settled();
  peer.send(block(1, 0, new Uint8Array(1000)));
  peer.connection.consumeBlockBytes(2 * 1024 * 1024);
  assert.ok(peer.wakeCount > 0);
  peer.drain();
  const limit = peer.sentOf("CREDIT").at(-1)!.blockLimit;
  const lost = peer.sent.at(-1)!.number;
  peer.forget();
  for (let count = 0; count < 3; count++) {
    peer.connection.sendControl(new Uint8Array(1));
    peer.drain();
  }
  peer.send(ack([[lost + 1, peer.sent.at(-1)!.number]]));
  assert.equal(peer.sentOf("CREDIT").at(-1)?.blockLimit, limit);
});

Deno.test("[FRM-2] Connection answers a PATH_CHALLENGE with its bytes, and only the newest", () => {
  const peer = settled();
  const [first, second] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
  peer.send(frames.pathChallenge(first), frames.pathChallenge(second));
  assert.deepEqual(peer.sentOf("PATH_RESPONSE").map(({ data }) => data), [second]);
  peer.send(frames.pathResponse(first)); // nobody asked; it means nothing
  assert.equal(peer.end(), undefined);
});

Deno.test("Connection wakes its owner for whatever comes from outside", () => {
  const peer = settled();
  const wakes = (action: () => void): boolean => {
    const before = peer.wakeCount;
    action();
    return peer.wakeCount > before;
  };
  assert.ok(wakes(() => peer.connection.sendControl(new Uint8Array(1))), "sendControl");
  assert.ok(wakes(() => peer.connection.sendBlock(newBlock(1))), "sendBlock");
  assert.ok(wakes(() => peer.connection.consumeBlockBytes(4_000_000)), "consumeBlockBytes");
  assert.ok(wakes(() => peer.connection.setHandler(peer.handler)), "setHandler");
  assert.ok(wakes(() => peer.connection.close(0, "")), "close");
});

Deno.test("[CC-1] Connection holds its first flight to the window", () => {
  const peer = settled();
  peer.connection.sendBlock(newBlock(1_000_000));
  peer.drain();
  peer.advance(50);
  const { inFlightBytes, windowBytes } = peer.connection.statistics;
  assert.ok(inFlightBytes > windowBytes / 2 && inFlightBytes <= windowBytes);
});
