// Goal: whatever an authentic peer sends against the rules ends its own session with a numbered
// CLOSE, and nothing throws.
// Method: a peer made by hand seals malformed frames with the real keys, one session for each.
import assert from "node:assert/strict";
import { MAX_VARINT } from "../../../lib/bytes/varint.ts";
import { ERRORS } from "../../../lib/errors.ts";
import {
  CONTROL_WINDOW_BYTES,
  INITIAL_BLOCK_WINDOW_BYTES,
  MAX_ACK_RANGES,
  MAX_CLOSE_REASON_BYTES,
} from "../../../lib/protocol/params.ts";
import { concatBytes } from "../../../lib/bytes/concat.ts";
import {
  ack,
  ackNow,
  block,
  candidates,
  close,
  control,
  credit,
  frame,
  limited,
  observedAddress,
  padding,
  pathChallenge,
  pathResponse,
  ping,
} from "../../support/frame_bytes.ts";
import { HandPeer, type HandPeerOptions } from "../../support/hand_peer.ts";

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(3);

/** Sends frames and expects the session to end as the peer's fault. */
function expectViolation(
  frames: readonly Uint8Array[],
  options: HandPeerOptions = {},
  before: (peer: HandPeer) => void = () => {},
): void {
  const peer = new HandPeer(options);
  peer.drain();
  before(peer);
  peer.forget();
  peer.send(...frames);
  assert.equal(peer.end()?.code, "protocol_violation", "the session goes on");
  assert.equal(peer.end()?.byPeer, false);
  const closes = peer.sentOf("CLOSE");
  assert.deepEqual(
    closes.map(({ code }) => code),
    new Array(3).fill(ERRORS.protocol_violation.wire),
  );
  assert.equal(closes[0]!.reason, peer.end()!.reason);
  assert.equal(peer.sentFrames.length, 3, "CLOSE goes alone");
}

Deno.test("[FRM-1] Connection closes on a packet without frames", () => expectViolation([]));

for (const type of [0x08, 0x0e, 0x3f, 0x40, 0xff]) {
  Deno.test(`Connection closes on frame type 0x${type.toString(16)}`, () => {
    expectViolation([new Uint8Array([type]), bytes(30)]);
    expectViolation([ping(), padding(3), new Uint8Array([type])]);
  });
}

Deno.test("[FRM-1] Connection closes on every frame that is cut short, wherever it is cut", () => {
  const whole = [
    ack([[5, 7], [0, 2]], 20_000),
    control(0, bytes(100)),
    control(70, bytes(20)),
    block(1, 100_000, bytes(90)),
    credit(20_000, 2 ** 40),
    pathChallenge(bytes(8)),
    pathResponse(bytes(8)),
    candidates(3, new Uint8Array([0x08, ...bytes(16), 0x10, 0, 0x10, 1, 1, 0x20, 0])),
    observedAddress(3, 4, [192, 0, 2, 1], 4000),
    observedAddress(70, 6, [0x20, ...new Array<number>(15).fill(9)], 4000),
    close(5, "a reason of some length"),
    limited(1, 20_000),
  ];
  const sendEight = (peer: HandPeer) => {
    // So that numbers up to 7 were really sent.
    assert.ok(peer.sent.at(-1)!.number >= 7);
  };
  for (const one of whole) {
    for (let length = 1; length < one.length; length++) {
      expectViolation([one.subarray(0, length)], {}, sendEight);
      expectViolation([ping(), one.subarray(0, length)], {}, sendEight);
    }
    const peer = new HandPeer();
    peer.drain();
    peer.send(one);
    assert.notEqual(peer.end()?.code, "protocol_violation", "the whole frame is in order");
  }
});

const acks: Record<string, (next: number) => Uint8Array> = {
  "of the next packet, which was not sent": (next) => ack([[next, next]]),
  "of packets far ahead": () => ack([[0, MAX_VARINT]]),
  "of sent packets and one more": (next) => ack([[0, next]]),
  "with a first range below 0": () => frame(0x02, 3, 0, 0, 4),
  "with a gap below 0": () => frame(0x02, 5, 0, 1, 2, 2, 0),
  "with a second range below 0": () => frame(0x02, 5, 0, 1, 0, 0, 4),
  "with numbers that no number can hold": () => frame(0x02, 5, 0, 1, 0, MAX_VARINT, MAX_VARINT),
  "with more gaps than the limit": () =>
    frame(0x02, 7, 0, MAX_ACK_RANGES, 0, ...new Array<number>(2 * MAX_ACK_RANGES).fill(0)),
  "with a count of gaps that is not there": () => frame(0x02, 7, 0, MAX_VARINT, 0),
};
for (const [name, make] of Object.entries(acks)) {
  Deno.test(`Connection closes on an ACK ${name}`, () => {
    const probe = new HandPeer();
    probe.drain();
    expectViolation([make(probe.sent.at(-1)!.number + 1)]);
  });
}

Deno.test("[ACK-5] Connection closes on two ACKs in one packet", () => {
  expectViolation([ack([[0, 0]]), ping(), ack([[0, 0]])]);
});

Deno.test("Connection takes an ACK of everything it sent", () => {
  const peer = new HandPeer();
  peer.drain();
  peer.send(ack([[0, peer.sent.at(-1)!.number]], MAX_VARINT));
  assert.equal(peer.end(), undefined);
  assert.ok(peer.connection.statistics.rttMs > 0);
});

Deno.test("[CTL-1] Connection closes on control bytes beyond the credit", () => {
  expectViolation([control(CONTROL_WINDOW_BYTES, bytes(1))]);
  expectViolation([control(CONTROL_WINDOW_BYTES - 1, bytes(2))]);
  expectViolation([control(MAX_VARINT, bytes(1000))]);
  expectViolation([control(CONTROL_WINDOW_BYTES, bytes(1))], { hasHandler: false });
  const peer = new HandPeer();
  peer.send(control(CONTROL_WINDOW_BYTES - 1, bytes(1)), control(CONTROL_WINDOW_BYTES, bytes(0)));
  assert.equal(peer.end(), undefined, "the last byte granted is in order");
});

Deno.test("Connection closes on a length that the packet does not hold", () => {
  expectViolation([frame(0x03, 0, 2), bytes(1)]);
  expectViolation([frame(0x03, 0, MAX_VARINT), bytes(10)]);
  expectViolation([frame(0x04, 1, 0, 1200), bytes(10)]);
  expectViolation([frame(0x0c, 0, 10), bytes(9)]);
});

Deno.test("Connection closes on a number above 2^53 − 1", () => {
  const over = new Uint8Array(8).fill(0xff);
  for (
    const malformed of [
      frame(0x02, over, 0, 0, 0),
      frame(0x03, over, 0),
      frame(0x04, 1, over, 0),
      frame(0x05, over, 0),
      frame(0x05, 0, over),
      frame(0x0c, over, 0),
    ]
  ) expectViolation([malformed, padding(20)]);
});

Deno.test("[BLK-1] Connection closes on a block before there is a handler", () => {
  expectViolation([block(1, 0, bytes(10))], { hasHandler: false });
});

Deno.test("[BLK-1] Connection closes on a block nobody asked for", () => {
  expectViolation([block(1, 0, bytes(10))], {}, (peer) => {
    peer.handler.fresh = () => -1;
  });
});

Deno.test("[CRED-1] Connection closes on the first block byte beyond the credit", () => {
  const chunk = bytes(1024);
  const fill = (peer: HandPeer) => {
    for (let offset = 0; offset < INITIAL_BLOCK_WINDOW_BYTES; offset += chunk.length) {
      peer.send(block(1, offset, chunk));
    }
    assert.equal(peer.end(), undefined);
  };
  expectViolation([block(1, INITIAL_BLOCK_WINDOW_BYTES, bytes(1))], {}, fill);
});

Deno.test("Connection does not count block bytes that came again", () => {
  const peer = new HandPeer();
  peer.handler.fresh = () => 0;
  for (let count = 0; count < 5000; count++) peer.send(block(1, 0, bytes(1024)));
  assert.equal(peer.end(), undefined);
});

Deno.test("Connection closes on a CLOSE with a reason that is too long", () => {
  expectViolation([close(0, bytes(MAX_CLOSE_REASON_BYTES + 1))]);
});

Deno.test("Connection takes a CLOSE with a reason of any bytes", () => {
  const reason = new Uint8Array(MAX_CLOSE_REASON_BYTES);
  for (let index = 0; index < reason.length; index++) reason[index] = 0xff - index;
  const peer = new HandPeer();
  peer.send(close(ERRORS.refused.wire, reason));
  assert.equal(peer.end()?.code, "refused");
  assert.equal(peer.end()?.byPeer, true);
  assert.ok(peer.end()!.reason.includes("\ufffd"));
});

Deno.test("[CLOSE-3] Connection takes a CLOSE with an unknown code for a violation by the peer", () => {
  const peer = new HandPeer();
  peer.send(close(MAX_VARINT, "from the future"));
  assert.deepEqual(peer.end(), {
    code: "protocol_violation",
    reason: "from the future",
    byPeer: true,
  });
});

Deno.test("Connection reads nothing behind a violation or a CLOSE", () => {
  for (const first of [new Uint8Array([0x3f]), close(0)]) {
    const peer = new HandPeer();
    peer.send(first, control(0, bytes(3)));
    peer.send(control(0, bytes(3)));
    assert.deepEqual(peer.handler.control, []);
  }
});

Deno.test("Connection keeps what stood before the violation in the same packet", () => {
  const peer = new HandPeer();
  peer.send(control(0, new Uint8Array([1, 2])), new Uint8Array([0x3f]));
  assert.deepEqual(peer.handler.control, [1, 2]);
  assert.equal(peer.end()?.code, "protocol_violation");
});

Deno.test("Connection bears frames that are in order but make no sense", () => {
  const peer = new HandPeer();
  peer.drain();
  const odd = concatBytes(
    control(0, bytes(0)),
    control(500, bytes(0)),
    block(0, 0, bytes(0)),
    block(MAX_VARINT, MAX_VARINT, bytes(1)),
    credit(0, 0),
    credit(MAX_VARINT, MAX_VARINT),
    ackNow(),
    ackNow(),
  );
  peer.send(odd, odd);
  assert.equal(peer.end(), undefined);
  peer.send(control(0, new Uint8Array([1])), control(1, bytes(0)), control(1, new Uint8Array([2])));
  assert.deepEqual(peer.handler.control, [1, 2]);
});

Deno.test("Connection drops what is not authentic, of any length, without an answer", () => {
  const peer = new HandPeer();
  peer.drain();
  peer.forget();
  const packet = peer.seal([ping()]);
  let dropped = 0;
  for (let length = 0; length < packet.length; length++) {
    assert.equal(peer.hand(packet.subarray(0, length)), false);
    dropped++;
  }
  for (let bit = 0; bit < packet.length * 8; bit++) {
    const damaged = packet.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(peer.hand(damaged), false, `bit ${bit}`);
    dropped++;
  }
  peer.drain();
  peer.assertSilent();
  assert.equal(peer.connection.statistics.droppedDatagrams, dropped);
  assert.equal(peer.hand(packet), true, "the real packet still opens");
});
