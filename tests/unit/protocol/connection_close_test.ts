// Goal: a connection ends once, says so without flooding, gives everything back and falls silent.
// Method: a real connection opposite a peer made by hand, in steps of virtual time.
import assert from "node:assert/strict";
import { ERRORS, WIRE_DONE } from "../../../lib/errors.ts";
import type { OutgoingBlock } from "../../../lib/protocol/channel.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../../lib/crypto/packet_sealer.ts";
import { IDLE_TIMEOUT_MS, MAX_CLOSE_REASON_BYTES } from "../../../lib/protocol/params.ts";
import { ack, block, close, control, ping } from "../../support/frame_bytes.ts";
import { HandPeer, type HandPeerOptions } from "../../support/hand_peer.ts";

/** Round trip of the handshake; long enough for several repeats of CLOSE before the end. */
const RTT_MS = 200;
/** Three probe timeouts at that: 3 · (200 + 4 · 100 + 25) ms. */
const DRAIN_MS = 1875;

function open(options: HandPeerOptions = {}): HandPeer {
  const peer = new HandPeer({ ...options, connection: { rttMs: RTT_MS, ...options.connection } });
  peer.drain();
  peer.forget();
  return peer;
}

const newBlock = (length: number, offset = 0): OutgoingBlock => ({
  request: 1,
  offset,
  bytes: new Uint8Array(length),
});

Deno.test("[CLOSE-1] Connection sends three copies of CLOSE with code and reason", () => {
  const peer = open();
  peer.connection.close(ERRORS.refused.wire, "not today");
  peer.drain();
  peer.drain();
  assert.deepEqual(
    peer.sentFrames,
    new Array(3).fill({ name: "CLOSE", code: 5, reason: "not today" }),
  );
  assert.deepEqual(peer.end(), { code: "refused", reason: "not today", byPeer: false });
});

Deno.test("Connection sends a long reason cut to the limit, at a character's end", () => {
  const peer = open();
  peer.connection.close(WIRE_DONE, "é".repeat(MAX_CLOSE_REASON_BYTES));
  peer.drain();
  assert.equal(peer.sentOf("CLOSE")[0]?.reason, "é".repeat(MAX_CLOSE_REASON_BYTES / 2));
});

Deno.test("[CLOSE-1] Connection sends all three CLOSEs when a packet comes before they are out", () => {
  const peer = open();
  peer.connection.close(WIRE_DONE, "");
  peer.hand(peer.seal([ping()]));
  peer.drain();
  assert.equal(peer.sentOf("CLOSE").length, 3);
});

Deno.test("[CLOSE-1] Connection repeats CLOSE for a peer that still talks, once in 100 ms", () => {
  const peer = open();
  peer.connection.close(WIRE_DONE, "");
  peer.drain();
  for (let step = 0; step < 150; step++) {
    peer.advance(10);
    peer.send(ping());
  }
  const times = peer.sent.map(({ atMs }) => atMs);
  assert.ok(peer.sentFrames.every(({ name }) => name === "CLOSE"));
  assert.ok(times.length >= 15, "it was told again and again");
  const repeats = times.slice(3);
  for (let index = 1; index < repeats.length; index++) {
    assert.ok(repeats[index]! - repeats[index - 1]! >= 100);
  }
});

Deno.test("Connection ends after 2^36 packets with a wrong tag and not before", () => {
  const opener = new PacketOpener(nodeProvider, new Uint8Array(32).fill(2));
  const peer = open({ connection: { opener } });
  const forged = peer.seal([ping()]);
  forged[forged.length - 1]! ^= 1;
  opener.tagFailures = 2 ** 36 - 2;
  peer.hand(forged);
  assert.equal(peer.end(), undefined);
  peer.hand(forged);
  assert.equal(peer.end()?.code, "limit_exceeded");
});

Deno.test("Connection does not repeat CLOSE for silence, strangers or repeated packets", () => {
  const peer = open();
  const packet = peer.seal([ping()]);
  peer.hand(packet);
  peer.connection.close(WIRE_DONE, "");
  peer.drain();
  for (let step = 0; step < 15; step++) {
    peer.advance(100);
    peer.hand(packet);
    peer.hand(peer.seal([ping()]).fill(0, 20, 30));
    peer.drain();
  }
  assert.equal(peer.sent.length, 3, "the copies of the first");
});

Deno.test("[CLOSE-1] Connection that closed is over after three probe timeouts", () => {
  const peer = open();
  peer.advance(1);
  peer.connection.close(WIRE_DONE, "");
  peer.drain();
  peer.advance(DRAIN_MS - 0.5);
  assert.equal(peer.connection.isEnded, false);
  assert.equal(peer.connection.pollTimeout(), DRAIN_MS + 1);
  peer.advance(0.5);
  assert.equal(peer.connection.isEnded, true);
  assert.equal(peer.connection.pollTimeout(), Infinity);
});

Deno.test("[CLOSE-2] Connection that was closed says nothing more and is over after three probe timeouts", () => {
  const peer = open();
  peer.connection.sendControl(new Uint8Array([1]));
  peer.send(ping(), close(ERRORS.disk_full.wire, "full"));
  peer.connection.sendControl(new Uint8Array([2]));
  peer.connection.close(WIRE_DONE, "too late");
  for (let step = 0; step < 50; step++) {
    peer.advance(20);
    peer.send(ping());
  }
  peer.assertSilent();
  assert.deepEqual(peer.end(), { code: "disk_full", reason: "full", byPeer: true });
  peer.advance(DRAIN_MS);
  assert.equal(peer.connection.isEnded, true);
});

Deno.test("Connection keeps the first of two ends", () => {
  const peer = open();
  peer.connection.close(ERRORS.read_failed.wire, "first");
  peer.connection.close(WIRE_DONE, "second");
  peer.send(close(WIRE_DONE, "third"));
  assert.equal(peer.end()?.reason, "first");
});

for (
  const [how, end] of Object.entries<(peer: HandPeer) => void>({
    "close()": (peer) => peer.connection.close(WIRE_DONE, ""),
    "the peer's CLOSE": (peer) => void peer.send(close(WIRE_DONE)),
    "a violation": (peer) => void peer.send(new Uint8Array([0x3f])),
  })
) {
  Deno.test(`Connection gives every lent block back exactly once on ${how}`, () => {
    const peer = open();
    const blocks = [newBlock(3000), newBlock(3000, 3000), newBlock(500_000, 6000)];
    for (const one of blocks) peer.connection.sendBlock(one);
    peer.drain();
    const numbers = peer.sent.map(({ number }) => number);
    assert.ok(numbers.length > 5);
    peer.send(ack([[numbers[0]!, numbers[2]!]])); // the first block and a part of the second
    assert.deepEqual(peer.handler.released, blocks.slice(0, 1));
    end(peer);
    peer.send(ack([[numbers[0]!, numbers.at(-1)!]]));
    peer.advance(2 * DRAIN_MS);
    assert.deepEqual(peer.handler.released, blocks);
    assert.equal(peer.connection.blockQueuedBytes, 0);
  });
}

Deno.test("Connection takes nothing new once it is closed", () => {
  const peer = open();
  peer.connection.close(WIRE_DONE, "");
  peer.connection.sendBlock(newBlock(1000));
  peer.connection.sendControl(new Uint8Array(10));
  peer.connection.consumeBlockBytes(4_000_000);
  peer.connection.setHandler(peer.handler);
  peer.send(control(0, new Uint8Array([1])), block(1, 0, new Uint8Array(10)));
  peer.advance(10_000);
  assert.ok(peer.sentFrames.every(({ name }) => name === "CLOSE"));
  assert.deepEqual(peer.handler.control, []);
  assert.deepEqual(peer.handler.blocks, []);
  assert.deepEqual(peer.handler.released, []);
});

// A transfer may end the connection from within any of its callbacks. Afterwards no deadline of the
// living connection may be left: nobody would take it, and the pump would spin on it.
const callbacks: Record<string, (peer: HandPeer, end: () => void) => void> = {
  handleControl: (peer, end) => {
    peer.handler.onControl = end;
    peer.send(control(0, new Uint8Array([1])), control(1, new Uint8Array([2])));
  },
  handleBlock: (peer, end) => {
    peer.handler.fresh = (_request, _offset, bytes) => {
      end();
      return bytes.length;
    };
    peer.send(block(1, 0, new Uint8Array(10)), block(1, 10, new Uint8Array(10)));
  },
  handleBlockReleased: (peer, end) => {
    peer.handler.onReleased = end;
    peer.connection.sendBlock(newBlock(1000));
    peer.connection.sendBlock(newBlock(100_000, 1000));
    peer.drain();
    peer.send(ack([[0, peer.sent.at(-1)!.number - 2]]));
  },
};
for (const [name, act] of Object.entries(callbacks)) {
  Deno.test(`Connection may be closed from within ${name}`, () => {
    const peer = open();
    act(peer, () => peer.connection.close(ERRORS.integrity.wire, "from within"));
    assert.equal(peer.end()?.reason, "from within");
    assert.equal(peer.sentOf("CLOSE").length, 3);
    // A probe would be due after a third of this.
    assert.ok(peer.connection.pollTimeout() >= DRAIN_MS, "only the last deadline is left");
    peer.advance(2 * DRAIN_MS);
    assert.equal(peer.connection.isEnded, true);
    assert.ok(peer.handler.control.length <= 1 && peer.handler.blocks.length <= 1);
  });
}

Deno.test("Connection that is over has wiped its keys and takes nothing more", () => {
  const ends: ((peer: HandPeer) => void)[] = [
    (peer) => peer.connection.close(WIRE_DONE, ""),
    () => {}, // silence
  ];
  for (const end of ends) {
    const sealer = new PacketSealer(nodeProvider, new Uint8Array(32).fill(1));
    const opener = new PacketOpener(nodeProvider, new Uint8Array(32).fill(2));
    const peer = open({ connection: { sealer, opener } });
    end(peer);
    peer.drain();
    peer.advance(IDLE_TIMEOUT_MS);
    assert.equal(peer.connection.isEnded, true);
    assert.throws(() => sealer.seal(new Uint8Array(100), 0, 50, 2 ** 40), RangeError);
    assert.equal(peer.hand(peer.seal([ping()])), false);
    peer.forget();
    peer.connection.close(WIRE_DONE, "");
    peer.drain();
    peer.advance(1000);
    peer.assertSilent();
  }
});

Deno.test("Connection of a client that closes before it is confirmed still tells the sharer", () => {
  const peer = open({
    connection: { writeConfirmation: (out) => void out.fill(0xcc) },
  });
  peer.connection.close(ERRORS.interrupted.wire, "stop");
  peer.drain();
  assert.equal(peer.confirmationsAtMs.length, 1, "message 3 is not repeated any more");
  assert.deepEqual(
    peer.sentFrames,
    new Array(3).fill({ name: "CLOSE", code: 13, reason: "stop" }),
  );
});
