// Goal: keys are replaced in mid-transfer without a byte lost, and the datagram size follows the path.
// Method: two connections over simulated links; every byte is checked where it arrives.
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { PacketSealer } from "../../../lib/crypto/packet_sealer.ts";
import {
  BASE_DATAGRAM_BYTES,
  ETHERNET_DATAGRAM_BYTES_V4,
  ETHERNET_DATAGRAM_BYTES_V6,
  KEY_UPDATE_MS,
  MTU_RETRY_MS,
} from "../../../lib/protocol/params.ts";
import { defaultParameters } from "../../../lib/protocol/transport_parameters.ts";
import { ConnectionPair } from "../../support/connection_pair.ts";
import { ack, ping } from "../../support/frame_bytes.ts";
import type { LinkOptions } from "../../support/link.ts";
import { HandPeer } from "../../support/hand_peer.ts";
import { SimWorld } from "../../support/sim_world.ts";

const FILE_BYTES = 1_200_000;

const paths: Record<string, LinkOptions> = {
  "a good path": { delayMs: 5 },
  "loss": { delayMs: 5, lossRate: 0.05 },
  "reordering": { delayMs: 5, reorderRate: 0.1, reorderMs: 8 },
  "loss, reordering and repeats": {
    delayMs: 5,
    jitterMs: 6,
    jitterKind: "independent",
    lossRate: 0.03,
    duplicateRate: 0.05,
  },
};
for (const [name, link] of Object.entries(paths)) {
  for (const isBothWays of [false, true]) {
    const direction = isBothWays ? "both ways" : "one way";
    Deno.test(`Connection replaces keys in mid-transfer, ${direction}, over ${name}`, () => {
      const world = new SimWorld(5);
      const forth = { ...link, rateBytesPerSecond: 400_000, queueBytes: 40_000 };
      const { a, b } = new ConnectionPair(world, { forth }, { keyUpdatePackets: 40 });
      a.queue(FILE_BYTES);
      if (isBothWays) b.queue(FILE_BYTES);
      world.run({ untilMs: 60_000, until: () => a.lentCount === 0 && b.lentCount === 0 });
      assert.equal(b.receivedBytes, FILE_BYTES);
      assert.equal(b.controlBytes, FILE_BYTES / 20_000);
      assert.equal(a.receivedBytes, isBothWays ? FILE_BYTES : 0);
      assert.ok(a.sealer.generation >= 2, `${a.sealer.generation} updates`);
      assert.ok(Math.abs(a.sealer.generation - b.sealer.generation) <= 1, "one side left behind");
      assert.equal(a.connection.closed ?? b.connection.closed, undefined);
    });
  }
}

Deno.test("Connection replaces keys after an hour and forgets the old ones", () => {
  const world = new SimWorld(1);
  const { a, b } = new ConnectionPair(world, { forth: { delayMs: 10 } });
  world.run({ untilMs: KEY_UPDATE_MS - 1 });
  assert.equal(a.sealer.generation, 0);
  world.run({ untilMs: KEY_UPDATE_MS + 20_000 });
  assert.deepEqual([a.sealer.generation, b.sealer.generation], [1, 1]);
  assert.deepEqual([a.opener.hasOldKeys, b.opener.hasOldKeys], [false, false]);
  world.run({ untilMs: 3 * KEY_UPDATE_MS + 60_000 });
  assert.deepEqual([a.sealer.generation, b.sealer.generation], [3, 3]);
});

Deno.test("[KEY-1] Connection does not replace keys again before the peer proved the present ones", () => {
  const peer = new HandPeer({ connection: { keyUpdatePackets: 1 } });
  peer.drain();
  for (let count = 0; count < 20; count++) {
    peer.connection.sendControl(new Uint8Array(1));
    peer.drain();
  }
  assert.ok(peer.sent.every(({ keyPhase }) => keyPhase === 0), "nothing was acknowledged yet");
});

Deno.test("Connection rests between two key updates until the old keys are surely forgotten", () => {
  const sealer = new PacketSealer(nodeProvider, new Uint8Array(32).fill(1));
  const peer = new HandPeer({ connection: { keyUpdatePackets: 1, sealer } });
  const updatedAtMs: number[] = [];
  for (let step = 0; step < 2000; step++) {
    peer.connection.sendControl(new Uint8Array(1));
    peer.drain();
    peer.sealer.followUpdate(sealer.generation);
    peer.send(peer.ackOfAll());
    if (sealer.generation > updatedAtMs.length) updatedAtMs.push(peer.nowMs);
    peer.advance(1);
  }
  assert.ok(updatedAtMs.length >= 5);
  const pauses = updatedAtMs.slice(1).map((atMs, index) => atMs - updatedAtMs[index]!);
  // Six probe timeouts, each at least the 25 ms that an ACK may wait.
  assert.ok(Math.min(...pauses) >= 150, `${pauses} ms`);
});

Deno.test("[KEY-2] Connection follows a key update of the peer with its very next packet", () => {
  const peer = new HandPeer();
  peer.drain();
  peer.send(ping());
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.advance(100);
  peer.forget();
  peer.sealer.followUpdate(1);
  peer.send(ping());
  peer.advance(30);
  assert.ok(peer.sent.length > 0);
  assert.ok(peer.sent.every(({ keyPhase }) => keyPhase === 1));
});

Deno.test("[KEY-3] Connection opens packets of the old keys that come late, for three probe timeouts", () => {
  const peer = new HandPeer();
  peer.drain();
  const [first, second] = [peer.seal([ping()]), peer.seal([ping()])];
  peer.sealer.followUpdate(1);
  peer.send(ping());
  assert.equal(peer.hand(second), true);
  peer.advance(1000);
  assert.equal(peer.hand(first), false);
});

Deno.test("Connection finds the largest datagram that passes", () => {
  for (
    const [mtuBytes, datagramBytes] of [[1500, 1472], [1492, 1464], [1280, 1252], [1240, 1200]]
  ) {
    const world = new SimWorld(1);
    const { a } = new ConnectionPair(world, { forth: { delayMs: 5, mtuBytes: mtuBytes! } });
    world.run({ untilMs: 100 });
    assert.equal(a.connection.statistics.datagramBytes, datagramBytes);
  }
});

Deno.test("Connection on IPv6 never exceeds 1452 bytes", () => {
  const peer = new HandPeer({
    connection: { path: { socket: 0, remote: { family: 6, host: "2001:db8::1", port: 1 } } },
  });
  peer.drain();
  assert.equal(Math.max(...peer.sent.map(({ bytes }) => bytes)), ETHERNET_DATAGRAM_BYTES_V6);
});

Deno.test("Connection never sends more than the peer says it takes", () => {
  const peer = new HandPeer({ remote: { maxDatagramBytes: 1300 } });
  peer.drain();
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.connection.sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(50_000) });
  peer.drain();
  assert.equal(Math.max(...peer.sent.map(({ bytes }) => bytes)), 1252);
});

Deno.test("[MTU-3] Connection sends jumbo datagrams where its link and the path carry them", () => {
  for (
    const { linkBytes, mtuBytes, expected } of [
      { linkBytes: 8972, mtuBytes: 9000, expected: 8972 },
      { linkBytes: 8972, mtuBytes: 1500, expected: 1472 },
      { linkBytes: 65_508, mtuBytes: 65_536, expected: 65_507 },
      { linkBytes: 65_508, mtuBytes: 9000, expected: 8972 },
      { linkBytes: undefined, mtuBytes: 9000, expected: 1472 },
      { linkBytes: 1412, mtuBytes: 9000, expected: 1412 },
    ]
  ) {
    const world = new SimWorld(1);
    const { a, b } = new ConnectionPair(world, { forth: { delayMs: 5, mtuBytes } }, {
      linkDatagramBytes: () => linkBytes,
      remote: { ...defaultParameters(new Uint8Array(6).fill(1)), receiveBufferBytes: 3_000_000 },
    });
    world.run({ untilMs: 100 });
    assert.equal(a.connection.statistics.datagramBytes, expected, `${linkBytes}, ${mtuBytes}`);
    a.queue(FILE_BYTES);
    world.run({ untilMs: 20_000, until: () => a.lentCount === 0 });
    assert.equal(b.receivedBytes, FILE_BYTES);
    assert.equal(a.connection.statistics.lostPackets, 0);
  }
});

Deno.test("[MTU-3] Connection under a limit sends no jumbo datagram that takes longer than 10 ms", () => {
  for (const [limitBytesPerSecond, expected] of [[100_000, 1472], [400_000, 4000], [5e6, 8972]]) {
    const peer = new HandPeer({
      connection: { linkDatagramBytes: () => 8972, limitBytesPerSecond: limitBytesPerSecond! },
      remote: { receiveBufferBytes: 3_000_000 },
    });
    peer.drain();
    peer.send(ack([[0, peer.sent.at(-1)!.number]]));
    assert.equal(peer.connection.statistics.datagramBytes, 8972);
    peer.forget();
    peer.connection.sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(50_000) });
    peer.nowMs += 200;
    peer.drain();
    assert.equal(Math.max(...peer.sent.map(({ bytes }) => bytes)), expected);
  }
});

Deno.test("[MTU-2] Connection falls back when larger datagrams begin to vanish, and tries again later", () => {
  const world = new SimWorld(2);
  const { a, b, forth } = new ConnectionPair(world, { forth: { delayMs: 10 } });
  world.run({ untilMs: 200 });
  assert.equal(a.connection.statistics.datagramBytes, ETHERNET_DATAGRAM_BYTES_V4);
  forth.model.change({ mtuBytes: 1300 });
  a.queue(FILE_BYTES);
  world.run({ untilMs: 20_000, until: () => a.lentCount === 0 });
  assert.equal(b.receivedBytes, FILE_BYTES);
  const shrunk: number = a.connection.statistics.datagramBytes;
  assert.ok([BASE_DATAGRAM_BYTES, 1252].includes(shrunk), `${shrunk} bytes`);
  forth.model.change({ mtuBytes: 1500 });
  world.run({ untilMs: world.nowMs + MTU_RETRY_MS + 1000 });
  assert.equal(a.connection.statistics.datagramBytes, ETHERNET_DATAGRAM_BYTES_V4);
});

Deno.test("Connection does not take the loss of size probes for congestion", () => {
  const world = new SimWorld(3);
  const { a } = new ConnectionPair(world, { forth: { delayMs: 10, mtuBytes: 1240 } });
  const before = a.connection.statistics.windowBytes;
  a.queue(30_000);
  world.run({ untilMs: 2000 });
  const { windowBytes, lostPackets } = a.connection.statistics;
  assert.ok(windowBytes >= before);
  assert.equal(lostPackets, 0);
});
