// Goal: a handshake finishes whatever is lost, is not fooled by who holds only the code, and says
// nothing to strangers or to recordings.
// Method: real endpoints at addresses; the test carries each datagram itself.
import assert from "node:assert/strict";
import { MESSAGE_1_PAYLOAD_BYTES, MESSAGE_2_PAYLOAD_BYTES } from "../../../lib/crypto/mod.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { MAX_REQUEST_BYTES } from "../../../lib/protocol/handshake_client.ts";
import {
  BASE_DATAGRAM_BYTES,
  ETHERNET_DATAGRAM_BYTES_V4,
  HALF_OPEN_MS,
  HANDSHAKE_DATAGRAM_BYTES,
  MAX_EARLY_PACKETS,
} from "../../../lib/protocol/params.ts";
import {
  answerMessage1,
  HandClient,
  newShare,
  parametersPayload,
  type Share,
} from "../../support/code_holder.ts";
import { ack, control, ping } from "../../support/frame_bytes.ts";
import { address, type Carried, type HandHost, HandNetwork } from "../../support/hand_network.ts";

const SHARER = address(1);
const CLIENT = address(2);
const STRANGER = address(3);

/** A share, its sharer and an idle client. */
function network(
  seed = 1,
): { net: HandNetwork; share: Share; sharer: HandHost; client: HandHost } {
  const net = new HandNetwork(seed);
  const share = newShare(net.random);
  const sharer = net.host(SHARER);
  sharer.endpoint.listen(share);
  return { net, share, sharer, client: net.host(CLIENT) };
}

/** A client made by hand that is half open with the sharer. */
function halfOpen(net: HandNetwork, share: Share, sharer: HandHost, at = CLIENT): HandClient {
  const client = new HandClient(share.t, net.random);
  const [answer, ...more] = sharer.take(client.message1(), at);
  assert.equal(more.length, 0);
  assert.equal(client.takeMessage2(answer!.bytes), true);
  return client;
}

const accepted = (host: HandHost) => host.events.filter(({ type }) => type === "accepted");

Deno.test("HandshakeClient and HandshakeSharer agree in three datagrams of 1200 bytes", () => {
  const { net, share, sharer, client } = network();
  net.connect(client, share, [SHARER], new Uint8Array([9, 8, 7]));
  net.run(0);
  assert.deepEqual(
    net.log.slice(0, 3).map(({ from, bytes }) => [from.host, bytes.length]),
    [[CLIENT.host, 1200], [SHARER.host, 1200], [CLIENT.host, 1200]],
  );
  const [connected] = client.events;
  const [event] = sharer.events;
  assert.ok(connected?.type === "connected" && event?.type === "accepted");
  assert.deepEqual([...event.request], [9, 8, 7]);
  assert.deepEqual(event.handshakeHash, connected.handshakeHash);
  assert.equal(event.remoteKey.length, 32);
  assert.deepEqual(event.connection.path, { socket: 0, remote: CLIENT });
  const told = [...client.events, ...sharer.events].filter(({ type }) => type !== "observed");
  assert.equal(told.length, 2);
});

Deno.test("both sides hand out the same exporter secret, when it is asked for and not else", () => {
  const secretsOf = (isWanted: readonly [boolean, boolean], seed: number) => {
    const { net, share, sharer, client } = network(seed);
    sharer.endpoint.listen({ ...share, isExported: isWanted[0] });
    net.connect(client, share, [SHARER], new Uint8Array(1), { isExported: isWanted[1] });
    net.run(0);
    const [connected] = client.events;
    const [event] = sharer.events;
    assert.ok(connected?.type === "connected" && event?.type === "accepted");
    return [event.exporter, connected.exporter, connected.handshakeHash] as const;
  };
  const [ofSharer, ofClient, hash] = secretsOf([true, true], 1);
  assert.equal(ofSharer?.length, 32);
  assert.deepEqual(ofSharer, ofClient);
  assert.notDeepEqual(ofSharer, hash);
  assert.notDeepEqual(secretsOf([true, true], 2)[0], ofSharer);
  assert.deepEqual(secretsOf([false, false], 1).slice(0, 2), [undefined, undefined]);
  assert.deepEqual(secretsOf([false, true], 1).map((secret) => secret !== undefined).slice(0, 2), [
    false,
    true,
  ]);
});

Deno.test("HandshakeClient repeats message 1 to every candidate at 0, 100, 200, 400, 800 ms, then each second", () => {
  const { net, share, client } = network();
  const candidates = [address(10), address(11), { ...address(10), port: 2000 }];
  net.connect(client, share, candidates);
  net.run(4000);
  for (const to of candidates) {
    const times = net.log.filter((datagram) => datagram.to === to).map(({ atMs }) => atMs);
    assert.deepEqual(times, [0, 100, 200, 400, 800, 1800, 2800, 3800]);
  }
  const nonces = new Set(net.log.map(({ bytes }) => bytes.slice(0, 12).join()));
  assert.equal(nonces.size, net.log.length, "every datagram has a fresh N");
  assert.ok(net.log.every(({ bytes }) => bytes.length === HANDSHAKE_DATAGRAM_BYTES));
});

Deno.test("HandshakeClient stops repeating when it is told to give up", () => {
  const { net, share, client } = network();
  net.connect(client, share, [address(10)]);
  net.run(150);
  client.endpoint.stopConnecting();
  const before = net.log.length;
  net.run(5000);
  assert.equal(net.log.length, before);
});

for (let lost = 0; lost < 3; lost++) {
  Deno.test(`The handshake survives the loss of message ${lost + 1}`, () => {
    const { net, share, sharer, client } = network();
    net.connect(client, share, [SHARER]);
    let count = 0;
    net.passes = () => count++ !== lost;
    net.run(0);
    assert.equal(accepted(sharer).length, 0);
    net.run(400);
    assert.equal(accepted(sharer).length, 1);
    assert.equal(sharer.endpoint.connectionCount, 1);
    sharer.connection!.sendControl(new Uint8Array([5]));
    client.connection!.sendControl(new Uint8Array([6]));
    net.run(100);
    assert.equal(sharer.connection!.controlQueuedBytes, 0);
    assert.equal(client.connection!.controlQueuedBytes, 0);
  });
}

Deno.test("The handshake survives the loss of half of all datagrams", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { net, share, sharer, client } = network(seed);
    net.connect(client, share, [SHARER]);
    net.passes = () => net.random.chance(0.5);
    net.run(8000);
    assert.equal(accepted(sharer).length, 1, `seed ${seed}`);
  }
});

Deno.test("HandshakeSharer answers a repeat of message 1 with the same message 2 under a fresh N", () => {
  const { net, share, sharer } = network();
  const client = new HandClient(share.t, net.random);
  const answers = [1, 2, 3].map(() => sharer.take(client.message1(), CLIENT)[0]!.bytes);
  const messages = answers.map((answer) => client.codec.decodeMessage2(answer)!);
  assert.deepEqual(messages[1], messages[0]);
  assert.deepEqual(messages[2], messages[0]);
  assert.notDeepEqual(answers[0]!.slice(0, 12), answers[1]!.slice(0, 12));
});

Deno.test("HandshakeClient takes the first of several candidates that answers", () => {
  const { net, share, sharer, client } = network();
  net.connect(client, share, [address(10), SHARER]);
  net.run(0);
  assert.deepEqual(client.connection?.path.remote, SHARER);
  assert.equal(accepted(sharer).length, 1);
});

Deno.test("HandshakeClient refuses a request that does not fit message 3", () => {
  const { net, share, sharer, client } = network();
  assert.throws(
    () => net.connect(client, share, [SHARER], new Uint8Array(MAX_REQUEST_BYTES + 1)),
    RangeError,
  );
  net.connect(client, share, [SHARER], new Uint8Array(MAX_REQUEST_BYTES).fill(4));
  net.run(0);
  const [event] = accepted(sharer);
  assert.ok(event?.type === "accepted");
  assert.deepEqual(event.request, new Uint8Array(MAX_REQUEST_BYTES).fill(4));
});

// ---- who holds the code but not the key ----

Deno.test("HandshakeClient takes any key behind a short code, whose t commits to none [CODE-8]", () => {
  for (const isShortCode of [true, false]) {
    const { net, share, client } = network();
    const otherKeys = nodeProvider.generateKeyPair(net.random);
    net.connect(client, share, [SHARER], new Uint8Array(1), { isShortCode });
    const [first] = client.poll();
    client.take(answerMessage1(first!.bytes, share.t, otherKeys, net.random), SHARER);
    assert.equal(client.endpoint.connectionCount, isShortCode ? 1 : 0);
    assert.equal(client.endpoint.impostors, isShortCode ? 0 : 1);
  }
});

Deno.test("HandshakeClient ignores and counts who answers without the key, then finds the sharer [HS-3]", () => {
  const { net, share, sharer, client } = network();
  const impostorKeys = nodeProvider.generateKeyPair(net.random);
  net.connect(client, share, [SHARER]);
  const [first] = client.poll();
  for (let count = 1; count <= 3; count++) {
    const answer = answerMessage1(first!.bytes, share.t, impostorKeys, net.random);
    assert.deepEqual(client.take(answer, SHARER), [], "nothing is said to an impostor");
    assert.equal(client.endpoint.impostors, count);
  }
  assert.equal(client.endpoint.connectionCount, 0);
  net.carry([first!]);
  assert.equal(client.events[0]?.type, "connected");
  assert.equal(accepted(sharer).length, 1);
});

Deno.test("HandshakeClient ignores an answer to somebody else's message 1", () => {
  const { net, share, sharer, client } = network();
  const other = new HandClient(share.t, net.random);
  const [answer] = sharer.take(other.message1(), STRANGER);
  net.connect(client, share, [SHARER]);
  const [first] = client.poll();
  assert.deepEqual(client.take(answer!.bytes, SHARER), []);
  net.carry([first!]);
  assert.equal(client.endpoint.connectionCount, 1);
});

Deno.test("HandshakeClient ignores parameters that make no sense, even from the right key", () => {
  const { net, share, client } = network();
  net.connect(client, share, [SHARER]);
  const [first] = client.poll();
  for (
    const payload of [
      new Uint8Array(MESSAGE_2_PAYLOAD_BYTES),
      net.random.bytes(MESSAGE_2_PAYLOAD_BYTES),
    ]
  ) {
    const answer = answerMessage1(first!.bytes, share.t, share.staticKeys, net.random, payload);
    assert.deepEqual(client.take(answer, SHARER), []);
  }
  assert.equal(client.endpoint.connectionCount, 0);
});

Deno.test("HandshakeSharer meets parameters that make no sense with silence", () => {
  const { net, share, sharer } = network();
  for (
    const payload of [
      new Uint8Array(MESSAGE_1_PAYLOAD_BYTES),
      new Uint8Array(MESSAGE_1_PAYLOAD_BYTES).fill(0xff),
      parametersPayload(net.random, MESSAGE_1_PAYLOAD_BYTES).fill(0, 4, 8),
    ]
  ) {
    const client = new HandClient(share.t, net.random, payload);
    const answers = sharer.take(client.message1(), CLIENT);
    if (payload[1] !== 0 && payload[0] === 0) assert.equal(answers.length, 1);
    else assert.deepEqual(answers, []);
  }
});

Deno.test("HandshakeSharer takes a request of impossible length for an empty one", () => {
  const { net, share, sharer } = network();
  const client = halfOpen(net, share, sharer);
  sharer.take(client.message3(undefined, new Uint8Array(1113).fill(0xff)), CLIENT);
  const [event] = accepted(sharer);
  assert.ok(event?.type === "accepted");
  assert.equal(event.request.length, 0);
});

Deno.test("HandshakeSharer is not spoilt by a forged message 3", () => {
  const { net, share, sharer } = network();
  const client = halfOpen(net, share, sharer);
  const good = client.message3(new Uint8Array([1]));
  for (const at of [30, 80, 300, 1199]) {
    const forged = client.message3();
    forged[at]! ^= 1;
    assert.deepEqual(sharer.take(forged, CLIENT), []);
  }
  assert.equal(accepted(sharer).length, 0);
  sharer.take(good, CLIENT);
  assert.equal(accepted(sharer).length, 1);
});

// ---- recordings [HS-2] ----

Deno.test("A recording of a whole session gets silence and creates no state [HS-2]", () => {
  const { net, share, sharer, client } = network();
  let fails = 0;
  net.passes = () => ++fails > 2; // so that repeats are on the recording too
  net.connect(client, share, [SHARER]);
  net.run(500);
  sharer.connection!.sendControl(new Uint8Array(5000));
  client.connection!.sendControl(new Uint8Array(5000));
  net.run(500);
  assert.ok(net.log.length > 10);
  const recording = [...net.log];
  const play = () => {
    const counts = [sharer, client].map(({ endpoint }) => endpoint.connectionCount);
    for (const { to, bytes } of recording) {
      const host = to === SHARER ? sharer : client;
      for (const from of [SHARER, CLIENT, STRANGER]) {
        assert.deepEqual(host.take(bytes, from), [], "an answer to a recording");
      }
    }
    assert.deepEqual([sharer, client].map(({ endpoint }) => endpoint.connectionCount), counts);
    assert.deepEqual(sharer.events.map(({ type }) => type), ["accepted", "observed"]);
  };
  // What never arrived the first time is no recording to the one it was meant for.
  recording.splice(0, 2);
  play();
  net.run(HALF_OPEN_MS + 1000);
  play();
  assert.equal(accepted(sharer).length, 1);
});

Deno.test("HandshakeSharer gives silence to a late repeat of message 1 or 3 of a session", () => {
  const { net, share, sharer } = network();
  const client = halfOpen(net, share, sharer);
  sharer.take(client.message3(), CLIENT);
  sharer.take(client.packet([ack([[0, 7]])]), CLIENT);
  assert.deepEqual(sharer.take(client.message1(), CLIENT), []);
  assert.deepEqual(sharer.take(client.message3(), CLIENT), []);
  assert.equal(sharer.endpoint.connectionCount, 1);
});

// ---- strangers ----

Deno.test("Strangers' datagrams of any size get no byte and create no state", () => {
  const { net, sharer, client } = network();
  const other = newShare(net.random);
  net.connect(client, other, [address(10)]);
  client.poll();
  const foreign = new HandClient(newShare(net.random).t, net.random);
  const datagrams = [
    ...[0, 1, 5, 6, 12, 13, 16, 17, 28, 29, 64, 128, 1199, 1200, 1201, 1472, 1473, 9000, 65_507]
      .flatMap((length) => [new Uint8Array(length), net.random.bytes(length)]),
    foreign.message1(),
    foreign.message1(new Uint8Array(16).fill(1)),
  ];
  for (const host of [sharer, client]) {
    const deadline = host.endpoint.pollTimeout();
    for (const datagram of datagrams) {
      assert.deepEqual(host.take(datagram, STRANGER), [], `${datagram.length} bytes`);
    }
    assert.equal(host.endpoint.droppedDatagrams, datagrams.length);
    assert.equal(host.endpoint.pollTimeout(), deadline);
    assert.equal(host.endpoint.connectionCount, 0);
    assert.equal(host.events.length, 0);
  }
});

Deno.test("Endpoint that neither listens nor connects says nothing", () => {
  const { net, share, client } = network();
  assert.deepEqual(client.take(new HandClient(share.t, net.random).message1(), STRANGER), []);
  assert.equal(client.endpoint.droppedDatagrams, 1);
});

Deno.test("HandshakeSharer gives silence to types 2 and 4, and to unknown types", () => {
  const { net, share, sharer } = network();
  const client = new HandClient(share.t, net.random);
  const answer = answerMessage1(client.message1(), share.t, share.staticKeys, net.random);
  const cookie = client.codec.encodeCookie(new Uint8Array(16));
  const unknown = client.message1();
  unknown[16]! ^= 0x40;
  for (const datagram of [answer, cookie, unknown]) {
    assert.deepEqual(sharer.take(datagram, CLIENT), []);
  }
});

Deno.test("HandshakeSharer sends no address more than it got from there, before message 3 proves it", () => {
  const { net, share, sharer } = network();
  const victim = address(99);
  const clients = Array.from({ length: 40 }, () => new HandClient(share.t, net.random));
  for (const [index, client] of clients.entries()) {
    for (let repeat = 0; repeat < 5; repeat++) sharer.take(client.message1(), address(index % 7));
    sharer.take(client.message1(), victim);
    sharer.take(client.message1(), victim);
    net.nowMs += 10;
    sharer.tick();
  }
  for (
    const at of [victim, ...clients.keys()].map((at) => typeof at === "number" ? address(at) : at)
  ) {
    const { out, in: received } = sharer.traffic(at);
    assert.ok(out <= received, `${out} bytes for ${received} to ${at.host}`);
  }
});

Deno.test("[HS-12] nobody can aim a session at an address where he does not receive", () => {
  // Who holds the code forges the victim's address in messages 1 and 3, and acknowledges from his own
  // what the sharer would send to the victim: packet numbers are no secret.
  const { net, share, sharer } = network();
  const victim = address(99);
  const client = halfOpen(net, share, sharer);
  sharer.take(client.message1(), victim);
  sharer.take(client.message3(), victim);
  sharer.take(client.packet([ack([[0, 0]])]), CLIENT);
  for (let step = 0; step < 20; step++) {
    net.nowMs += 100;
    sharer.tick();
  }
  const { out, in: received } = sharer.traffic(victim);
  assert.ok(out <= received, `${out} bytes for ${received}`);
  assert.equal(accepted(sharer).length, 0);
  sharer.take(client.message3(), CLIENT);
  assert.equal(accepted(sharer).length, 1, "where he does receive he is let in");
});

// ---- the life of an unfinished handshake ----

Deno.test("HandshakeSharer forgets an unfinished handshake after 10 s", () => {
  const { net, share, sharer } = network();
  net.nowMs = 500;
  const client = halfOpen(net, share, sharer);
  assert.equal(sharer.endpoint.pollTimeout(), 500 + HALF_OPEN_MS);
  net.nowMs += HALF_OPEN_MS - 1;
  sharer.tick();
  const again = sharer.take(client.message1(), CLIENT);
  assert.equal(again.length, 1, "still known");
  net.nowMs += 1;
  sharer.tick();
  assert.equal(sharer.endpoint.pollTimeout(), Infinity);
  assert.deepEqual(sharer.take(client.message3(), CLIENT), []);
  assert.equal(accepted(sharer).length, 0);
});

Deno.test("HandshakeSharer holds packets that come before message 3, and delivers them", () => {
  const { net, share, sharer } = network();
  const client = halfOpen(net, share, sharer);
  const message3 = client.message3();
  for (let index = 0; index < MAX_EARLY_PACKETS + 4; index++) {
    const early = client.packet([control(index, new Uint8Array([index]))]);
    assert.deepEqual(sharer.take(early, CLIENT), []);
  }
  assert.equal(sharer.endpoint.droppedDatagrams, 0);
  sharer.take(message3, CLIENT);
  assert.equal(sharer.connection!.statistics.receivedPackets, MAX_EARLY_PACKETS);
  const got: number[] = [];
  sharer.connection!.setHandler({
    handleControl: (bytes) => void got.push(...bytes),
    handleBlock: () => -1,
    handleBlockReleased: () => {},
    handleWritable: () => {},
  });
  assert.deepEqual(got, Array.from({ length: MAX_EARLY_PACKETS }, (_, index) => index));
});

Deno.test("HandshakeSharer holds nothing that is longer than a packet", () => {
  // 16 datagrams of 64 KiB for each of 256 handshakes would be 256 MiB of a stranger's choosing.
  const { net, share, sharer } = network();
  const client = halfOpen(net, share, sharer);
  const message3 = client.message3();
  const long = net.random.bytes(60_000);
  long.set(client.sharerId);
  for (let count = 0; count < MAX_EARLY_PACKETS; count++) sharer.take(long, STRANGER);
  sharer.take(client.packet([ping()], ETHERNET_DATAGRAM_BYTES_V4), CLIENT);
  sharer.take(message3, CLIENT);
  assert.equal(sharer.connection!.statistics.receivedPackets, 1);
});

Deno.test("An early packet that breaks the rules ends the session after it was told", () => {
  const { net, share, sharer } = network();
  const client = halfOpen(net, share, sharer);
  const message3 = client.message3();
  sharer.take(client.packet([new Uint8Array([0x3f])]), CLIENT);
  const answers = sharer.take(message3, CLIENT);
  assert.deepEqual(sharer.events.map(({ type }) => type), ["accepted", "closed"]);
  assert.equal(answers.length, 3, "only copies of CLOSE");
  assert.ok(answers[0]!.bytes.length < BASE_DATAGRAM_BYTES);
});

Deno.test("Endpoint that stops listening takes nobody, and its sessions go on", () => {
  const { net, share, sharer } = network();
  const inside = halfOpen(net, share, sharer);
  sharer.take(inside.message3(), CLIENT);
  const outside = halfOpen(net, share, sharer, STRANGER);
  sharer.endpoint.stopListening();
  assert.deepEqual(sharer.take(outside.message3(), STRANGER), []);
  assert.deepEqual(sharer.take(new HandClient(share.t, net.random).message1(), STRANGER), []);
  assert.equal(sharer.endpoint.connectionCount, 1);
  const answers: Carried[] = sharer.take(inside.packet([ping(), new Uint8Array([0x0b])]), CLIENT);
  assert.equal(answers.length, 1);
});
