// Goal: what a connection does about paths, packet by packet, and what a hostile peer cannot make it
// do. Whole journeys are in tests/sim/path_test.ts.
import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import type { Path } from "../../../lib/nat/path.ts";
import { encodeCandidateList } from "../../../lib/protocol/candidates_frame.ts";
import type { PathEvent } from "../../../lib/protocol/paths/events.ts";
import {
  BASE_DATAGRAM_BYTES,
  INITIAL_WINDOW_DATAGRAMS,
  KEEPALIVE_MS,
  MAX_PATH_RESPONSES,
  PATH_QUIET_MS,
  PATH_SILENCE_MS,
} from "../../../lib/protocol/params.ts";
import {
  ack,
  candidates,
  control,
  observedAddress,
  pathChallenge,
  pathResponse,
  ping,
} from "../../support/frame_bytes.ts";
import { HandPeer, type HandPeerOptions, PEER_PATH } from "../../support/hand_peer.ts";

const SMALL = 38;
const CLIENT: HandPeerOptions = { connection: { writeConfirmation: (out) => void out.fill(0xcc) } };

const from = (last: number, socket = 0): Path => ({
  socket,
  remote: { family: 4, host: `203.0.113.${last}`, port: 7000 },
});

/** A connection whose first packets are acknowledged. */
function settled(options: HandPeerOptions = {}): HandPeer {
  const peer = new HandPeer(options);
  peer.drain();
  peer.send(ping());
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.advance(100);
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.forget();
  return peer;
}

const challengesAlong = (peer: HandPeer, path: Path): Uint8Array[] =>
  peer.sentAlong(path).flatMap(({ frames }) =>
    frames.flatMap((frame) => frame.name === "PATH_CHALLENGE" ? [frame.data] : [])
  );

function events(peer: HandPeer): PathEvent[] {
  const found: PathEvent[] = [];
  for (;;) {
    const event = peer.connection.takePathEvent();
    if (!event) return found;
    found.push(event);
  }
}

Deno.test("[FRM-2] Connection answers a challenge along the path it came on, in its size, up to 1200 bytes", () => {
  for (const isClient of [false, true]) {
    const peer = settled(isClient ? CLIENT : {});
    for (const [bytes, size] of [[0, SMALL], [500, SMALL + 500], [1400, 1200]] as const) {
      peer.forget();
      const data = new Uint8Array(8).fill(size & 0xff);
      peer.sendFrom(from(1), pathChallenge(data), new Uint8Array(bytes));
      const [answer] = peer.sentAlong(from(1));
      assert.equal(answer?.bytes, size);
      assert.deepEqual(answer.frames[0], { name: "PATH_RESPONSE", data });
    }
    assert.deepEqual(peer.connection.path, PEER_PATH, "a challenge moves nothing");
  }
});

Deno.test("[FRM-2] Connection bears a flood of challenges: few answers wait, none is larger than its question", () => {
  const peer = settled();
  let bytes = 0;
  for (let count = 0; count < 1000; count++) {
    const packet = peer.seal([pathChallenge(new Uint8Array(8).fill(count))]);
    bytes += packet.length;
    peer.hand(packet, from(count % 250));
  }
  peer.drain();
  const answers = peer.sent.filter(({ frames }) => frames[0]?.name === "PATH_RESPONSE");
  assert.equal(answers.length, MAX_PATH_RESPONSES);
  const sentBytes = peer.sent.filter(({ path }) => path.remote.host !== PEER_PATH.remote.host)
    .reduce((sum, packet) => sum + packet.bytes, 0);
  assert.ok(sentBytes <= 3 * bytes);
  assert.ok(sentBytes < 5000, `${sentBytes} bytes`);
});

Deno.test("[PATH-1] Connection goes where its peer went once a challenge there is answered", () => {
  const peer = settled();
  peer.sendFrom(from(1), ping());
  const [challenge] = challengesAlong(peer, from(1));
  assert.equal(challengesAlong(peer, PEER_PATH).length, 1, "the path before is asked too");
  assert.deepEqual(peer.connection.path, PEER_PATH);
  peer.sendFrom(from(1), pathResponse(challenge!));
  assert.deepEqual(peer.connection.path, from(1));
  const [event] = events(peer);
  assert.ok(event?.type === "path" && event.reason === "followed");
  peer.forget();
  peer.connection.sendControl(new Uint8Array([1]));
  peer.drain();
  assert.ok(peer.sentAlong(from(1)).length > 0);
  // And back, without a question: that path was in use a moment ago.
  peer.send(ping());
  assert.deepEqual(peer.connection.path, PEER_PATH);
});

Deno.test("[PATH-1] Connection is not moved by late, by probing, or by replayed packets", () => {
  const peer = settled();
  const late = peer.seal([ping()]);
  peer.send(ping());
  peer.hand(late, from(1));
  const probing = peer.seal([pathChallenge(new Uint8Array(8)), new Uint8Array(3)]);
  peer.hand(probing, from(2));
  peer.hand(probing, from(3));
  peer.drain();
  peer.advance(50);
  for (const last of [1, 2, 3]) {
    for (const { frames } of peer.sentAlong(from(last))) {
      assert.ok(["PATH_CHALLENGE", "PATH_RESPONSE"].includes(frames[0]!.name));
    }
  }
  assert.equal(challengesAlong(peer, PEER_PATH).length, 0, "no move was looked into");
  assert.deepEqual(peer.connection.path, PEER_PATH);
});

Deno.test("[PATH-1] [PATH-3] Connection gives up on a source that answers nothing, and stays", () => {
  const peer = settled();
  const packet = peer.seal([ping()]);
  peer.hand(packet, from(1));
  peer.drain();
  peer.advance(4000);
  const sent = peer.sentAlong(from(1)).reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(sent > 0 && sent <= 3 * packet.length, `${sent} bytes for ${packet.length}`);
  assert.deepEqual(peer.connection.path, PEER_PATH);
});

Deno.test("[PATH-6] A client stays where its own path answers, and follows where it does not", () => {
  for (const isAlive of [true, false]) {
    const peer = settled(CLIENT);
    peer.sendFrom(from(1), ping());
    const [there] = challengesAlong(peer, from(1));
    const [here] = challengesAlong(peer, PEER_PATH);
    if (isAlive) peer.send(pathResponse(here!));
    peer.sendFrom(from(1), pathResponse(there!));
    assert.deepEqual(peer.connection.path, PEER_PATH, "not yet");
    peer.advance(700);
    assert.deepEqual(peer.connection.path, isAlive ? PEER_PATH : from(1));
  }
});

Deno.test("[PATH-2] Connection keeps its window when only a port changed, and begins anew on another host", () => {
  for (const [host, isKept] of [[PEER_PATH.remote.host, true], ["203.0.113.1", false]] as const) {
    const peer = settled();
    for (let round = 0; round < 30; round++) {
      peer.connection.sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(200_000) });
      peer.drain();
      peer.advance(1);
      peer.send(peer.ackOfAll());
    }
    const before = peer.connection.statistics;
    assert.notEqual(before.windowBytes, INITIAL_WINDOW_DATAGRAMS * BASE_DATAGRAM_BYTES);
    const path: Path = { socket: 0, remote: { family: 4, host, port: 1 } };
    peer.sendFrom(path, ping());
    peer.sendFrom(path, pathResponse(challengesAlong(peer, path)[0]!));
    const now = peer.connection.statistics;
    assert.deepEqual(peer.connection.path, path);
    if (isKept) assert.ok(now.windowBytes >= before.windowBytes);
    else assert.equal(now.windowBytes, INITIAL_WINDOW_DATAGRAMS * BASE_DATAGRAM_BYTES);
    assert.equal(now.datagramBytes === before.datagramBytes, isKept);
  }
});

Deno.test("Connection tells its candidates and where it sees the peer, again when that is lost", () => {
  const peer = new HandPeer();
  peer.drain();
  assert.deepEqual(
    peer.sentOf("OBSERVED_ADDRESS").map(({ sequence, ip, port }) => [sequence, ip, port]),
    [
      [0, [192, 0, 2, 9], 9000],
    ],
  );
  const address: SocketAddress = { family: 4, host: "192.168.1.7", port: 4000 };
  peer.connection.setLocalCandidates(peer.now, [{ kind: "host", address }]);
  assert.ok(peer.wakeCount > 0);
  peer.drain();
  const lost = peer.sent.at(-1)!.number;
  const list = encodeCandidateList([{ kind: "host", address }]);
  assert.deepEqual(peer.sentOf("CANDIDATES"), [{ name: "CANDIDATES", sequence: 1, list }]);
  for (let count = 0; count < 3; count++) {
    peer.connection.sendControl(new Uint8Array(1));
    peer.drain();
  }
  peer.forget();
  peer.send(ack([[lost + 1, lost + 3]]));
  assert.deepEqual(peer.sentOf("CANDIDATES"), [{ name: "CANDIDATES", sequence: 1, list }]);
  const tooMany = new Array(9).fill({ kind: "host", address });
  assert.throws(() => peer.connection.setLocalCandidates(peer.now, tooMany), RangeError);
});

Deno.test("Connection tells its owner where the peer sees it, when that is news", () => {
  const peer = settled();
  peer.send(observedAddress(2, 4, [203, 0, 113, 5], 5000));
  peer.send(observedAddress(1, 4, [203, 0, 113, 6], 5000)); // an old one
  peer.send(observedAddress(3, 4, [203, 0, 113, 5], 5000)); // nothing new
  peer.send(observedAddress(4, 4, [203, 0, 113, 5], 5001));
  assert.deepEqual(
    events(peer).map((event) => event.type === "observed" ? event.address.port : event.type),
    [5000, 5001],
  );
});

Deno.test("Connection probes what the peer lists from every socket of its family, each five times at most", () => {
  const peer = settled();
  peer.connection.setSockets([{ index: 0, family: 4 }, { index: 1, family: 6 }, {
    index: 2,
    family: 4,
  }]);
  const address: SocketAddress = { family: 4, host: "198.51.100.4", port: 40 };
  peer.send(candidates(0, encodeCandidateList([{ kind: "host", address }])));
  peer.advance(5000);
  for (const socket of [0, 2]) {
    const packets = peer.sentAlong({ socket, remote: address });
    assert.deepEqual(packets.map(({ bytes }) => bytes), new Array(5).fill(SMALL));
  }
  assert.equal(peer.sentAlong({ socket: 1, remote: address }).length, 0);
});

Deno.test("Connection never sends to a loopback address that a peer elsewhere lists", () => {
  const peer = settled();
  const loopback: SocketAddress = { family: 4, host: "127.0.0.1", port: 40 };
  peer.send(candidates(0, encodeCandidateList([{ kind: "host", address: loopback }])));
  peer.advance(3000);
  assert.equal(peer.sentAlong({ socket: 0, remote: loopback }).length, 0);
  assert.equal(peer.end(), undefined);
});

Deno.test("Connection takes only the newest list of candidates", () => {
  const peer = settled();
  const listed = (last: number) =>
    encodeCandidateList([{ kind: "host" as const, address: from(last).remote }]);
  peer.send(candidates(5, listed(5)));
  peer.send(candidates(4, listed(4)));
  assert.ok(challengesAlong(peer, from(5)).length > 0);
  assert.equal(challengesAlong(peer, from(4)).length, 0);
});

Deno.test("[PATH-5] A client moves to a faster path after a full datagram was answered there, a sharer does not", () => {
  for (const isClient of [true, false]) {
    const peer = settled(isClient ? CLIENT : {});
    peer.connection.probePath(peer.now, from(1));
    peer.drain();
    peer.advance(1);
    peer.sendFrom(from(1), pathResponse(challengesAlong(peer, from(1)).at(-1)!));
    assert.deepEqual(peer.connection.path, PEER_PATH);
    if (isClient) {
      assert.equal(peer.sentAlong(from(1)).at(-1)!.bytes, 1200);
      peer.advance(1);
      peer.sendFrom(from(1), pathResponse(challengesAlong(peer, from(1)).at(-1)!));
      assert.deepEqual(peer.connection.path, from(1));
      const names = peer.sentAlong(from(1)).flatMap(({ frames }) => frames.map(({ name }) => name));
      assert.ok(names.includes("PING"), "what shows the sharer where it is");
    } else {
      assert.equal(peer.sentAlong(from(1)).length, 1);
    }
  }
});

Deno.test("[PATH-7] Connection notices silence after 3 s, looks everywhere, and takes the first that answers", () => {
  const peer = settled();
  peer.connection.addRemoteCandidate(peer.now, from(1).remote);
  peer.connection.sendControl(new Uint8Array(1));
  peer.drain();
  peer.advance(PATH_SILENCE_MS - 200);
  assert.deepEqual(events(peer), []);
  peer.advance(500);
  assert.deepEqual(events(peer).map(({ type }) => type), ["path-lost"]);
  peer.forget();
  peer.advance(2000);
  assert.equal(challengesAlong(peer, PEER_PATH).length, 4);
  assert.equal(challengesAlong(peer, from(1)).length, 4);
  peer.sendFrom(from(1), pathResponse(challengesAlong(peer, from(1)).at(-1)!));
  assert.deepEqual(peer.connection.path, from(1));
  const [event] = events(peer);
  assert.ok(event?.type === "path" && event.reason === "found");
  const names = peer.sentAlong(from(1)).flatMap(({ frames }) => frames.map(({ name }) => name));
  assert.ok(names.includes("CONTROL"), "what was in flight goes out again at once");
});

Deno.test("[PATH-7] Connection that only receives asks after 1.5 s of silence, but not when it is idle", () => {
  const peer = settled();
  peer.send(control(0, new Uint8Array([1])));
  peer.advance(PATH_QUIET_MS - 100);
  assert.equal(peer.sentOf("PING").length, 0);
  peer.advance(120);
  assert.equal(peer.sentOf("PING").length, 1);
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.advance(1600);
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.advance(1600);
  peer.send(ack([[0, peer.sent.at(-1)!.number]]));
  peer.forget();
  peer.advance(KEEPALIVE_MS - 2000);
  assert.equal(peer.sentOf("PING").length, 0, "five seconds after the last content it rests");
  assert.deepEqual(events(peer), []);
});

Deno.test("[IDLE-3] Connection that slept past its idle time has ten seconds more to find a path", () => {
  const peer = settled();
  peer.nowMs += 100_000;
  peer.connection.handleTimeout(peer.now);
  peer.drain();
  assert.equal(peer.end(), undefined);
  assert.ok(challengesAlong(peer, PEER_PATH).length > 0);
  peer.advance(9900);
  assert.equal(peer.end(), undefined);
  peer.advance(200);
  assert.equal(peer.end()?.code, "path_lost");
});

Deno.test("Connection leaves a socket that is gone, for another of its family", () => {
  const peer = settled();
  peer.connection.setSockets([{ index: 0, family: 4 }, { index: 3, family: 4 }]);
  peer.connection.removeSocket(0);
  peer.drain();
  assert.deepEqual(peer.connection.path, { socket: 3, remote: PEER_PATH.remote });
  assert.deepEqual(events(peer).map(({ type }) => type), ["path-lost"]);
  peer.connection.removeSocket(3);
  peer.drain();
  peer.advance(1000);
  assert.equal(peer.end(), undefined, "a socket may come back");
});
