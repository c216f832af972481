// Goal: trains are made of full datagrams for one path, and are not cut up by each ACK.
// Method: a real connection on a socket that takes trains, opposite a peer made by hand.
import assert from "node:assert/strict";
import type { Path } from "../../../lib/nat/path.ts";
import type { CongestionName } from "../../../lib/protocol/congestion/choose.ts";
import { ETHERNET_DATAGRAM_BYTES_V4, TRAIN_DATAGRAMS } from "../../../lib/protocol/params.ts";
import { ack, ackNow, ping } from "../../support/frame_bytes.ts";
import { HandPeer, PEER_PATH } from "../../support/hand_peer.ts";

const OUT = new Uint8Array(2048);
const NEW_PATH: Path = { socket: 0, remote: { ...PEER_PATH.remote, port: 9001 } };

/** A peer that takes full datagrams and has acknowledged all that the connection sends by itself. */
function settled(
  takesTrains: (socket: number) => boolean = () => true,
  congestion: CongestionName = "bbr",
): HandPeer {
  const peer = new HandPeer({
    connection: { takesTrains, congestion },
    remote: { blockCredit: 64 * 1024 * 1024 },
  });
  peer.drain();
  peer.nowMs += 20;
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.forget();
  assert.equal(peer.connection.statistics.datagramBytes, ETHERNET_DATAGRAM_BYTES_V4);
  return peer;
}

/** Takes trains until there is nothing to send; lengths of their datagrams. */
function trainsOf(peer: HandPeer): number[][] {
  const { connection, now } = peer;
  const trains: number[][] = [];
  for (;;) {
    const first = connection.pollTransmit(now, OUT);
    if (first === 0) return trains;
    peer.take(OUT.slice(0, first));
    const train = [first];
    trains.push(train);
    while (train.length < TRAIN_DATAGRAMS && train.at(-1) === first) {
      const length = connection.extendTransmit(now, OUT, first);
      if (length === 0) break;
      assert.equal(connection.transmitPath, connection.path);
      assert.ok(length <= first);
      peer.take(OUT.slice(0, length));
      train.push(length);
    }
  }
}

const newBlock = (length: number) => ({ request: 1, offset: 0, bytes: new Uint8Array(length) });

Deno.test("Connection.extendTransmit adds full datagrams, and a shorter one at the end", () => {
  const peer = settled();
  peer.connection.sendBlock(newBlock(10_000));
  const trains = trainsOf(peer);
  assert.equal(trains.length, 1);
  assert.deepEqual(trains[0]!.slice(0, -1), Array(6).fill(ETHERNET_DATAGRAM_BYTES_V4));
  assert.ok(trains[0]!.at(-1)! < ETHERNET_DATAGRAM_BYTES_V4);
});

Deno.test("Connection.extendTransmit adds nothing to a datagram that is not full", () => {
  const peer = settled();
  peer.connection.sendControl(new Uint8Array(10));
  const length = peer.connection.pollTransmit(peer.now, OUT);
  assert.ok(length > 0 && length < ETHERNET_DATAGRAM_BYTES_V4);
  peer.connection.sendBlock(newBlock(10_000));
  assert.equal(peer.connection.extendTransmit(peer.now, OUT, length), 0);
  assert.equal(peer.connection.pollTransmit(peer.now, OUT), ETHERNET_DATAGRAM_BYTES_V4);
});

Deno.test("Connection.extendTransmit leaves probes of sizes and paths to pollTransmit", () => {
  const peer = new HandPeer({ connection: { takesTrains: () => true } });
  peer.connection.sendBlock(newBlock(100_000));
  const first = trainsOf(peer);
  const sizes = first.filter((train) => train[0]! > 1200);
  assert.ok(sizes.length > 0, "sizes are probed");
  for (const train of sizes) assert.equal(train.length, 1, "a probe is alone");

  const moved = settled();
  moved.connection.sendBlock(newBlock(100_000));
  const length = moved.connection.pollTransmit(moved.now, OUT);
  moved.hand(moved.seal([ping(), ackNow()]), NEW_PATH);
  // The new address is challenged before anything else is sent, and gets little until it answers.
  assert.equal(moved.connection.extendTransmit(moved.now, OUT, length), 0);
});

Deno.test("Connection.extendTransmit ends a train when the session's path or end comes between", () => {
  const peer = settled();
  peer.connection.sendBlock(newBlock(100_000));
  const length = peer.connection.pollTransmit(peer.now, OUT);
  peer.connection.close(0, "done");
  assert.equal(peer.connection.extendTransmit(peer.now, OUT, length), 0);
});

Deno.test("Connection with a full window waits for room for half a train, or a quarter of the window", () => {
  for (const takesTrains of [true, false]) {
    const peer = settled(() => takesTrains);
    peer.connection.sendBlock(newBlock(4_000_000));
    // Time enough for the pacer: the window alone holds back.
    let sent: number[] = [];
    for (let round = 0; round < 100; round++) {
      sent = trainsOf(peer).flat();
      if (sent.length === 0) break;
      peer.nowMs += 2;
    }
    const { windowBytes, inFlightBytes } = peer.connection.statistics;
    assert.ok(inFlightBytes + ETHERNET_DATAGRAM_BYTES_V4 > windowBytes, "the window is full");
    peer.drain();
    const oldest = peer.sent.at(-Math.round(inFlightBytes / ETHERNET_DATAGRAM_BYTES_V4))!.number;
    let acked = 0;
    for (; acked < 40; acked++) {
      peer.nowMs += 1;
      peer.hand(peer.seal([peer.ackOfAll(oldest + acked)]));
      sent = trainsOf(peer).flat();
      if (sent.length > 0) break;
    }
    if (takesTrains) {
      const wanted = Math.min(TRAIN_DATAGRAMS / 2 * ETHERNET_DATAGRAM_BYTES_V4, windowBytes / 4);
      assert.ok(sent.length >= Math.floor(wanted / ETHERNET_DATAGRAM_BYTES_V4), `${sent.length}`);
      assert.ok(acked >= 4, `${acked} more were acknowledged`);
    } else {
      assert.ok(sent.length <= 3 && acked <= 1, `${sent.length} after ${acked}`);
    }
  }
});

Deno.test("Connection wants as much queued again as is in flight, and 4 MiB at least", () => {
  // BBR would hold these acknowledgements for a path of 1 ms, and need little in flight.
  const peer = settled(() => true, "cubic");
  const { connection } = peer;
  assert.equal(connection.blockQueueTargetBytes, 4 * 1024 * 1024);
  connection.sendBlock(newBlock(20_000_000));
  trainsOf(peer);
  const little = connection.statistics.inFlightBytes;
  assert.ok(little > 0);
  assert.equal(connection.blockQueueTargetBytes, little + 4 * 1024 * 1024);
  for (let round = 0; connection.statistics.inFlightBytes < 5_000_000; round++) {
    assert.ok(round < 20_000, "the window does not grow");
    peer.nowMs += 1;
    // All but the newest few: it grows as in slow start.
    if (round % 20 === 19) peer.hand(peer.seal([peer.ackOfAll()]));
    trainsOf(peer);
    if (connection.blockQueuedBytes < 10_000_000) connection.sendBlock(newBlock(20_000_000));
  }
  assert.equal(connection.blockQueueTargetBytes, 2 * connection.statistics.inFlightBytes);
});
