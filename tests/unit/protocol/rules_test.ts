/**
 * Goal: the rules of docs/protocol.md about handshakes, strangers and paths, one test for each id.
 * Method: real keys; the other side is made by hand, so that it can also do what no honest side does.
 */
import assert from "node:assert/strict";
import { HandshakeCodec } from "../../../lib/crypto/handshake_datagram.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import { readConnectionId } from "../../../lib/protocol/connection_id.ts";
import { CookiePolicy } from "../../../lib/protocol/cookie_policy.ts";
import { Endpoint } from "../../../lib/protocol/endpoint.ts";
import { HandshakeClient } from "../../../lib/protocol/handshake_client.ts";
import { HandshakeSharer } from "../../../lib/protocol/handshake_sharer.ts";
import {
  COOKIE_CLIENTS_PER_SECOND,
  COOKIE_HALF_OPEN_PER_HOST,
  HALF_OPEN_MS,
  MAX_EARLY_PACKETS,
  MAX_HALF_OPEN,
  MAX_REMEMBERED_NONCES,
  MAX_SESSIONS,
  UNASKED_ANSWER_MS,
} from "../../../lib/protocol/params.ts";
import { isSamePath, type Path } from "../../../lib/nat/path.ts";
import { instant } from "../../../lib/time.ts";
import { answerMessage1, HandClient, newShare } from "../../support/code_holder.ts";
import { ackNow, readFrames } from "../../support/frame_bytes.ts";
import { Prng } from "../../support/prng.ts";

const provider = nodeProvider;
const random = new Prng(1);
const { staticKeys: SHARER_KEYS, t: T } = newShare(random);
const CODEC = new HandshakeCodec(provider, deriveShareKeys(provider, T), random);

/** A path to a host of its own for every number, or to one port of a given host. */
const pathTo = (number: number, host = `198.51.${number >>> 8}.${number & 255}`): Path => ({
  socket: 0,
  remote: { family: 4, host, port: 4000 + number },
});
const HERE = pathTo(1);

/** A client written by hand that holds the code. */
const newClient = (): HandClient => new HandClient(T, random);

/** What a client says once it has message 2. */
function message3(client: HandClient, message2: Uint8Array): Uint8Array {
  assert.ok(client.takeMessage2(message2));
  return client.message3();
}

/** The share under test, and all that it answers. */
class Share {
  readonly handshakes = new HandshakeSharer({ provider, random, t: T, staticKeys: SHARER_KEYS });
  nowMs = 0;
  sessionCount = 0;

  /** What it answers to a datagram: nothing, or one datagram and where it goes. */
  answer(datagram: Uint8Array, path: Path = HERE): { datagram: Uint8Array; path: Path }[] {
    this.hand(datagram, path);
    const answers = [];
    const out = new Uint8Array(1472);
    while (this.handshakes.hasTransmit) {
      const length = this.handshakes.pollTransmit(instant(this.nowMs), out);
      answers.push({ datagram: out.slice(0, length), path: this.handshakes.transmitPath });
    }
    return answers;
  }

  hand(datagram: Uint8Array, path: Path = HERE): ReturnType<HandshakeSharer["handleDatagram"]> {
    const now = instant(this.nowMs);
    return this.handshakes.handleDatagram(now, datagram, path, this.sessionCount);
  }

  /** Lets time pass. */
  advanceTo(nowMs: number): void {
    this.nowMs = nowMs;
    this.handshakes.handleTimeout(instant(nowMs));
  }

  /** Begins handshakes of that many other clients, each from a path of its own. */
  begin(count: number, path: (index: number) => Path): void {
    for (let index = 0; index < count; index++) {
      assert.equal(this.answer(newClient().message1(), path(index)).length, 1);
    }
  }
}

const typeOf = (datagram: Uint8Array): number => CODEC.classify(datagram);

Deno.test("[HS-2] a handshake datagram that opened gets silence when it comes again", () => {
  const share = new Share();
  const client = newClient();
  const first = client.message1();
  const [reply] = share.answer(first);
  assert.deepEqual(share.answer(first), []);
  assert.deepEqual(share.answer(first, pathTo(2)), [], "nor from elsewhere");
  const repeat = client.message1();
  assert.equal(share.answer(repeat).length, 1);
  assert.deepEqual(share.answer(repeat), [], "nor a repeat of message 1");
  const third = message3(client, reply!.datagram);
  assert.notEqual(share.hand(third), "handled");
  assert.equal(share.hand(third), "handled");
});

Deno.test("[HS-2] a handshake datagram that did not open is not remembered", () => {
  const share = new Share();
  const datagram = newClient().message1();
  const damaged = datagram.slice();
  damaged[500]! ^= 1;
  assert.deepEqual(share.answer(damaged), []);
  assert.equal(share.answer(datagram).length, 1);
});

Deno.test("[HS-2] a cookie is asked of everyone once the memory for nonces is full", () => {
  const policy = new CookiePolicy();
  const nonce = new Uint8Array(12);
  for (let count = 0; count < MAX_REMEMBERED_NONCES; count++) {
    assert.equal(policy.isCookieNeeded(instant(0), HERE.remote), false);
    new DataView(nonce.buffer).setUint32(0, count);
    policy.rememberNonce(nonce);
  }
  assert.equal(policy.isCookieNeeded(instant(1e9), HERE.remote), true);
  assert.equal(policy.isNewNonce(nonce), false, "what is remembered stays so");
});

/** A real client, with what it wants to send at each moment. */
class Client {
  readonly handshake: HandshakeClient;
  readonly paths: readonly Path[];

  constructor(...paths: readonly Path[]) {
    this.paths = paths;
    this.handshake = new HandshakeClient(instant(0), {
      provider,
      random,
      t: T,
      staticKeys: provider.generateKeyPair(random),
      paths,
      request: new Uint8Array(0),
    });
  }

  sent(nowMs: number): { datagram: Uint8Array; path: Path }[] {
    const sent = [];
    const out = new Uint8Array(1472);
    for (;;) {
      const length = this.handshake.pollTransmit(instant(nowMs), out);
      if (length === 0) return sent;
      sent.push({ datagram: out.slice(0, length), path: this.handshake.transmitPath });
    }
  }
}

Deno.test("[HS-3] a client says nothing to who lacks the key of the code, and waits for who has it", () => {
  const client = new Client(HERE);
  const [{ datagram }] = client.sent(0) as [{ datagram: Uint8Array; path: Path }];
  const impostor = answerMessage1(datagram, T, provider.generateKeyPair(random), random);
  assert.equal(client.handshake.handleDatagram(instant(1), impostor, HERE), "handled");
  assert.equal(client.handshake.impostors, 1);
  assert.deepEqual(client.sent(1), []);
  const sharer = answerMessage1(datagram, T, SHARER_KEYS, random);
  const connected = client.handshake.handleDatagram(instant(2), sharer, HERE);
  assert.ok(typeof connected === "object");
});

/** A client that has asked at HERE, and what the sharer answers to it. */
function asked(): { client: Client; answer: () => Uint8Array } {
  const client = new Client(HERE);
  const share = new Share();
  const [{ datagram }] = client.sent(0) as [{ datagram: Uint8Array; path: Path }];
  const hello = CODEC.decodeMessage1(datagram)!;
  return {
    client,
    answer: () => share.answer(CODEC.encodeMessage1(hello.message))[0]!.datagram,
  };
}

Deno.test("[HS-13] a client takes no message 2 from where it did not ask while another may come", () => {
  for (const isFirst of [true, false]) {
    const { client, answer } = asked();
    const handle = (nowMs: number, path: Path) =>
      client.handshake.handleDatagram(instant(nowMs), answer(), path);
    if (isFirst) {
      assert.equal(handle(10, pathTo(2)), "handled");
      assert.equal(handle(10, pathTo(2, "203.0.113.9")), "handled");
      assert.equal(client.handshake.handleTimeout(instant(10 + UNASKED_ANSWER_MS - 1)), undefined);
    }
    const connected = handle(10 + UNASKED_ANSWER_MS - 1, HERE);
    assert.ok(typeof connected === "object");
    assert.deepEqual(connected.start.path, HERE);
    assert.equal(connected.start.unasked, undefined);
  }
});

Deno.test("[HS-13] a client prefers the answer to itself to one that was made for somebody else", () => {
  const client = new Client(HERE);
  const share = new Share();
  const [{ datagram }] = client.sent(0) as [{ datagram: Uint8Array; path: Path }];
  const { message } = CODEC.decodeMessage1(datagram)!;
  // Who holds the code asks with the client's message in his own name, and passes the answer on.
  const [made] = share.answer(CODEC.encodeMessage1(message), pathTo(2));
  const [own] = share.answer(datagram, HERE);
  assert.equal(client.handshake.handleDatagram(instant(5), made!.datagram, pathTo(2)), "handled");
  const connected = client.handshake.handleDatagram(instant(9), own!.datagram, HERE);
  assert.ok(typeof connected === "object");
  const out = new Uint8Array(1200);
  connected.start.writeConfirmation!(out);
  assert.ok(typeof share.hand(out, HERE) === "object", "it is the one that the sharer knows");
});

Deno.test("[HS-13] a client takes a message 2 from elsewhere when nothing else comes, and goes on asking", () => {
  const { client, answer } = asked();
  const elsewhere = pathTo(2);
  const hand = (nowMs: number, path: Path) =>
    client.handshake.handleDatagram(instant(nowMs), answer(), path);
  assert.equal(hand(10, elsewhere), "handled");
  assert.equal(hand(150, elsewhere), "handled");
  assert.equal(hand(160, pathTo(3)), "handled");
  assert.ok(client.handshake.pollTimeout() <= 10 + UNASKED_ANSWER_MS);
  const connected = client.handshake.handleTimeout(instant(10 + UNASKED_ANSWER_MS));
  assert.deepEqual(connected?.start.path, elsewhere);
  assert.deepEqual(connected.start.unasked, { asked: [HERE], receivedBytes: 2400 });
  assert.ok(client.sent(400).length > 0, "message 1 again");
  assert.equal(client.handshake.handleTimeout(instant(5000)), undefined, "it begins once");
  assert.equal(hand(600, HERE), "again");
  const other = answerMessage1(client.sent(5000)[0]!.datagram, T, SHARER_KEYS, random);
  assert.equal(client.handshake.handleDatagram(instant(5001), other, HERE), "handled");
});

Deno.test("[HS-4] a cookie is asked of a busy host, and it is good for its address and port only", () => {
  const share = new Share();
  const sameHost = (index: number) => pathTo(index, "203.0.113.7");
  share.begin(COOKIE_HALF_OPEN_PER_HOST, sameHost);
  const client = newClient();
  const home = sameHost(100);
  const [asked] = share.answer(client.message1(), home);
  assert.equal(typeOf(asked!.datagram), 4);
  assert.deepEqual(asked!.path, home);
  const cookie = CODEC.openCookie(asked!.datagram)!;
  assert.equal(typeOf(share.answer(client.message1(cookie), sameHost(101))[0]!.datagram), 4);
  assert.equal(typeOf(share.answer(client.message1(cookie), home)[0]!.datagram), 2);
  assert.equal(typeOf(share.answer(newClient().message1(), pathTo(5))[0]!.datagram), 2);
});

Deno.test("[HS-4] a cookie is asked of everyone while many clients come, and no longer", () => {
  const share = new Share();
  share.begin(COOKIE_CLIENTS_PER_SECOND, pathTo);
  share.nowMs = 999;
  assert.equal(typeOf(share.answer(newClient().message1())[0]!.datagram), 4);
  share.nowMs = 1000;
  assert.equal(typeOf(share.answer(newClient().message1())[0]!.datagram), 2);
});

Deno.test("[HS-4] a full share gives silence, and answers again when there is room", () => {
  const share = new Share();
  for (let index = 0; index < MAX_HALF_OPEN; index++) {
    const client = newClient();
    const path = pathTo(index);
    const [answer] = share.answer(client.message1(), path);
    if (typeOf(answer!.datagram) === 2) continue;
    const cookie = CODEC.openCookie(answer!.datagram)!;
    assert.equal(typeOf(share.answer(client.message1(cookie), path)[0]!.datagram), 2);
  }
  assert.deepEqual(share.answer(newClient().message1(), pathTo(900)), []);
  share.advanceTo(HALF_OPEN_MS);
  share.sessionCount = MAX_SESSIONS;
  assert.deepEqual(share.answer(newClient().message1(), pathTo(900)), []);
  share.sessionCount--;
  assert.equal(share.answer(newClient().message1(), pathTo(900)).length, 1);
});

Deno.test("[HS-6] a share answers a datagram with one of the same size, to where it came from, or not at all", () => {
  const share = new Share();
  const client = newClient();
  const [second] = share.answer(client.message1());
  const third = message3(client, second!.datagram);
  const questions = [
    newClient().message1(),
    client.message1(),
    third.slice(0, 1199),
    CODEC.encodeCookie(new Uint8Array(16)),
    second!.datagram,
    third,
    client.message1(),
  ];
  const counts = questions.map((question, index) => {
    // Message 3 counts only from where message 2 went, and what follows only there as a repeat.
    const path = index >= 5 ? HERE : pathTo(10 + index);
    const answers = share.answer(question, path);
    for (const answer of answers) {
      assert.equal(answer.datagram.length, question.length);
      assert.deepEqual(answer.path, path);
    }
    return answers.length;
  });
  assert.deepEqual(counts, [1, 1, 0, 0, 0, 0, 0]);
});

Deno.test("[HS-7] a repeated message 1 gets the same message 2 in a fresh datagram, and begins nothing", () => {
  const share = new Share();
  const client = newClient();
  const [one] = share.answer(client.message1());
  const [two] = share.answer(client.message1());
  assert.notDeepEqual(one!.datagram.subarray(0, 12), two!.datagram.subarray(0, 12));
  assert.deepEqual(CODEC.decodeMessage2(one!.datagram), CODEC.decodeMessage2(two!.datagram));
  assert.notEqual(share.hand(message3(client, two!.datagram)), "handled");
  assert.deepEqual(share.answer(client.message1()), [], "finished");
});

Deno.test("[HS-8] early packets are held for message 3, sixteen of them", () => {
  const share = new Share();
  const client = newClient();
  const [second] = share.answer(client.message1());
  const third = message3(client, second!.datagram);
  const id = readConnectionId(client.sharerId, 0);
  const hold = (id: number, bytes: Uint8Array) => share.handshakes.holdEarlyPackets(id, bytes, 0);
  assert.equal(hold(id ^ 1, new Uint8Array(100)), false, "unknown id");
  for (let index = 0; index <= MAX_EARLY_PACKETS; index++) {
    assert.equal(hold(id, new Uint8Array(1472).fill(index)), true);
  }
  const accepted = share.hand(third);
  assert.ok(typeof accepted === "object");
  assert.deepEqual(
    accepted.earlyPackets.map((packet) => [packet.length, packet[0]]),
    Array.from({ length: MAX_EARLY_PACKETS }, (_, index) => [1472, index]),
  );
  assert.equal(hold(id, new Uint8Array(100)), false, "finished");
});

Deno.test("[HS-8] early packets that came joined are held up to the bytes of sixteen", () => {
  const share = new Share();
  const client = newClient();
  const [second] = share.answer(client.message1());
  const third = message3(client, second!.datagram);
  const id = readConnectionId(client.sharerId, 0);
  const lengths = [65_507, 20_000, 3000, 552, 1];
  for (const length of lengths) {
    const piece = new Uint8Array(7 + length);
    assert.equal(share.handshakes.holdEarlyPackets(id, piece, 7), true);
  }
  const accepted = share.hand(third);
  assert.ok(typeof accepted === "object");
  assert.deepEqual(accepted.earlyPackets.map(({ length }) => length), [20_000, 3000, 552]);
});

Deno.test("[HS-12] message 3 is taken only from the address to which its message 2 went", () => {
  const share = new Share();
  const client = newClient();
  const [second] = share.answer(client.message1());
  const [elsewhere] = share.answer(client.message1(), pathTo(2));
  const messages = [second, elsewhere].map((answer) => CODEC.decodeMessage2(answer!.datagram));
  assert.notDeepEqual(messages[0], messages[1], "each address has a handshake of its own");
  const third = message3(client, second!.datagram);
  assert.equal(share.hand(third, pathTo(2)), "handled");
  assert.equal(share.hand(third, pathTo(1, "203.0.113.9")), "handled", "the same port elsewhere");
  const accepted = share.hand(third);
  assert.ok(typeof accepted === "object");
  assert.deepEqual(accepted.start.path, HERE);
});

Deno.test("[HS-9] a client repeats message 1 to every candidate, ever more slowly, then every second", () => {
  const client = new Client(pathTo(1), pathTo(2));
  const times: number[] = [];
  for (let nowMs = 0; nowMs < 4000; nowMs = client.handshake.pollTimeout()) {
    client.handshake.handleTimeout(instant(nowMs));
    const sent = client.sent(nowMs);
    assert.deepEqual(sent.map(({ path }) => path), client.paths);
    times.push(nowMs);
  }
  assert.deepEqual(times, [0, 100, 200, 400, 800, 1800, 2800, 3800]);
});

Deno.test("[HS-9] [PROBE-3] a client sends one message 1 where nobody answered, on four paths at most", () => {
  const client = new Client(pathTo(1));
  client.sent(0);
  for (let number = 2; number < 40; number++) {
    client.handshake.addPath(instant(10), pathTo(number), false);
  }
  let sent = 0;
  for (let nowMs = 10; nowMs < 60_000; nowMs = client.handshake.pollTimeout()) {
    client.handshake.handleTimeout(instant(nowMs));
    sent += client.sent(nowMs).filter(({ path }) => !isSamePath(path, pathTo(1))).length;
  }
  assert.equal(sent, 4);
});

Deno.test("[HS-9] [PROBE-3] a client repeats message 1 more often where the sharer answered, for three seconds", () => {
  const client = new Client(pathTo(1));
  const heard = pathTo(2);
  client.sent(0);
  client.handshake.addPath(instant(50), heard, true);
  const times: number[] = [];
  for (let nowMs = 50; nowMs < 5500; nowMs = client.handshake.pollTimeout()) {
    client.handshake.handleTimeout(instant(nowMs));
    if (client.sent(nowMs).some(({ path }) => isSamePath(path, heard))) times.push(nowMs);
  }
  assert.deepEqual(times.slice(0, 4), [50, 150, 250, 350]);
  const pauses = times.slice(1).map((time, index) => time - times[index]!);
  assert.ok(pauses.filter((pause) => pause === 100).length >= 29);
  assert.deepEqual(pauses.slice(-2), [1000, 1000]);
});

Deno.test("[HS-11] a share forgets a handshake after ten seconds and not before", () => {
  for (const [nowMs, isThere] of [[HALF_OPEN_MS - 1, true], [HALF_OPEN_MS, false]] as const) {
    const share = new Share();
    const client = newClient();
    const [second] = share.answer(client.message1());
    assert.equal(share.handshakes.pollTimeout(), HALF_OPEN_MS);
    share.advanceTo(nowMs);
    const accepted = share.hand(message3(client, second!.datagram));
    assert.equal(typeof accepted === "object", isThere, `at ${nowMs} ms`);
  }
});

/** An endpoint that shares, with one session to a client written by hand. */
class SharingEndpoint {
  readonly endpoint = new Endpoint({ provider, random, wake: () => {} });
  readonly client = newClient();
  readonly #out = new Uint8Array(2048);

  constructor() {
    this.endpoint.listen({ t: T, staticKeys: SHARER_KEYS });
    this.take(this.client.message1());
    const [second] = this.sent();
    this.take(message3(this.client, second!.datagram));
    assert.equal(this.endpoint.connectionCount, 1);
    const { opener } = this.client.protection!;
    for (const { datagram } of this.sent()) {
      assert.ok(opener.open(datagram, 0, datagram.length) > 0);
    }
  }

  take(datagram: Uint8Array, path: Path = HERE): void {
    this.endpoint.handleDatagram(instant(0), datagram.slice(), path.socket, path.remote);
  }

  sent(): { datagram: Uint8Array; path: Path }[] {
    const sent = [];
    for (;;) {
      const length = this.endpoint.pollTransmit(instant(0), this.#out);
      if (length === 0) return sent;
      sent.push({ datagram: this.#out.slice(0, length), path: this.endpoint.transmitPath });
    }
  }

  /** The client's next packet: ACK_NOW asks for an answer at once. */
  packet(): Uint8Array {
    return this.client.packet([ackNow()]);
  }
}

Deno.test("[DMX-1] what belongs to nobody or does not open gets no answer and changes only counters", () => {
  const sharing = new SharingEndpoint();
  const { endpoint, client } = sharing;
  const packet = sharing.packet();
  const otherKeys = deriveShareKeys(provider, new Uint8Array(16));
  const otherCodec = new HandshakeCodec(provider, otherKeys, random);
  const strange: Uint8Array[] = [
    new Uint8Array(0),
    new Uint8Array(12),
    packet.slice(0, 13),
    packet.slice(0, 29),
    otherCodec.encodeCookie(new Uint8Array(16)),
    client.message1().slice(1),
  ];
  for (let bit = 0; bit < 8 * packet.length; bit++) {
    const damaged = packet.slice();
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    strange.push(damaged);
  }
  for (const length of [30, 64, 128, 1200, 1472, 1473, 9000]) {
    const noise = new Uint8Array(length);
    random.fill(noise);
    strange.push(noise, noise.slice());
    strange.at(-1)!.set(client.sharerId); // as if it were for the session
  }
  endpoint.pollEvent();
  const deadline = endpoint.pollTimeout();
  for (const datagram of strange) {
    sharing.take(datagram);
    assert.deepEqual(sharing.sent(), [], `${datagram.length} bytes`);
  }
  assert.equal(endpoint.pollEvent(), undefined);
  assert.equal(endpoint.connectionCount, 1);
  assert.equal(endpoint.pollTimeout(), deadline);
  assert.ok(endpoint.droppedDatagrams > 0);
  sharing.take(packet);
  assert.equal(sharing.sent().length, 1, "the real packet is still taken");
});

Deno.test("[PATH-1] a packet from another address is taken and answered where the session is; there only a challenge goes", () => {
  for (const number of [50, 51, 52]) {
    const sharing = new SharingEndpoint();
    sharing.take(sharing.packet(), pathTo(number));
    const sent = sharing.sent();
    const there = sent.filter(({ path }) => isSamePath(path, pathTo(number)));
    const { opener } = sharing.client.protection!;
    assert.equal(there.length, 1);
    const { datagram } = there[0]!;
    assert.ok(datagram.length <= 3 * sharing.packet().length, "[PATH-3]");
    const end = opener.open(datagram, 0, datagram.length);
    assert.deepEqual(readFrames(datagram.subarray(13, end)).map(({ name }) => name), [
      "PATH_CHALLENGE",
    ]);
    assert.ok(sent.length >= 3, "an acknowledgement and a challenge");
    const others = sent.filter(({ path }) => !isSamePath(path, pathTo(number)));
    for (const { path } of others) assert.deepEqual(path, HERE);
  }
});
