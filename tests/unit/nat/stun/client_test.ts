import assert from "node:assert/strict";
import { parseSocketAddress, type SocketAddress } from "../../../../lib/nat/address.ts";
import type { Path } from "../../../../lib/nat/path.ts";
import {
  MAX_STUN_TRANSACTIONS,
  StunClient,
  type StunOutcome,
  type StunRequestOptions,
} from "../../../../lib/nat/stun/client.ts";
import { encodeBindingError } from "../../../../lib/nat/stun/encode.ts";
import { decodeStunMessage } from "../../../../lib/nat/stun/message.ts";
import { instant, NEVER } from "../../../../lib/time.ts";
import { Prng } from "../../../support/prng.ts";
import { answerStun, type StunServer } from "../../../support/stun_server.ts";

const at = (text: string): SocketAddress => parseSocketAddress(text)!;
const ME = at("198.51.100.7:5000");
const SERVER: StunServer = { primary: at("203.0.113.1:3478"), alternate: at("203.0.113.2:3479") };
const OTHER = SERVER.alternate!;
const PATH: Path = { socket: 0, remote: SERVER.primary };

/** A client, and what it sends. */
class Scene {
  readonly client = new StunClient({ random: new Prng(1) });

  /** Sends everything that is due. */
  send(ms: number): { bytes: Uint8Array; path: Path }[] {
    const sent = [];
    const out = new Uint8Array(1500);
    for (;;) {
      const length = this.client.pollTransmit(instant(ms), out);
      if (length === 0) return sent;
      sent.push({ bytes: out.slice(0, length), path: this.client.transmitPath });
    }
  }

  /** Begins a transaction and sends it; the request. */
  ask(options: StunRequestOptions = {}, path = PATH): Uint8Array {
    this.client.request(instant(0), path, options);
    return this.send(0)[0]!.bytes;
  }

  give(ms: number, bytes: Uint8Array, remote: SocketAddress, socket = 0): boolean {
    return this.client.handleDatagram(instant(ms), bytes, { socket, remote });
  }

  outcomes(): StunOutcome[] {
    const outcomes = [];
    for (let next = this.client.pollOutcome(); next; next = this.client.pollOutcome()) {
      outcomes.push(next);
    }
    return outcomes;
  }

  /** Runs to the end of all deadlines; the times at which something was sent. */
  runAlone(): number[] {
    const times: number[] = [];
    for (let now = instant(0); now !== NEVER; now = this.client.pollTimeout()) {
      this.client.handleTimeout(now);
      for (const _ of this.send(now)) times.push(now);
    }
    return times;
  }
}

function answer(request: Uint8Array, server = SERVER): Uint8Array {
  return answerStun(request, ME, server.primary, server)!.bytes;
}

Deno.test("StunClient tells how the server saw it, and the round-trip time", () => {
  const scene = new Scene();
  const request = scene.ask();
  assert.equal(scene.give(40, answer(request), SERVER.primary), true);
  assert.deepEqual(scene.outcomes(), [{
    type: "answer",
    handle: 1,
    path: PATH,
    from: SERVER.primary,
    mapped: ME,
    otherAddress: OTHER,
    rttMs: 40,
  }]);
  assert.equal(scene.client.pollTimeout(), NEVER);
});

Deno.test("StunClient sends at the times of RFC 8489 and then gives up", () => {
  const scene = new Scene();
  scene.client.request(instant(0), PATH);
  assert.deepEqual(scene.runAlone(), [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
  assert.deepEqual(scene.outcomes(), [{ type: "silent", handle: 1, path: PATH }]);
});

Deno.test("StunClient gives up 39.5 s after the first request", () => {
  const scene = new Scene();
  scene.ask();
  let last = instant(0);
  while (scene.client.pollTimeout() !== NEVER) {
    last = scene.client.pollTimeout();
    scene.client.handleTimeout(last);
    scene.send(last);
  }
  assert.equal(last, 39_500);
});

Deno.test("StunClient keeps to another schedule and its cap", () => {
  const scene = new Scene();
  const schedule = { rtoMs: 250, maxSends: 7, lastWaitFactor: 16, capMs: 1000 };
  scene.client.request(instant(0), PATH, { schedule });
  assert.deepEqual(scene.runAlone(), [0, 250, 750]);
  assert.equal(scene.outcomes()[0]!.type, "silent");
});

Deno.test("StunClient gives up a server when the system refuses to send there twice", () => {
  const scene = new Scene();
  const elsewhere: Path = { socket: 0, remote: OTHER };
  scene.ask();
  scene.ask({}, elsewhere);
  scene.client.handleUnsent(instant(0), PATH);
  assert.deepEqual(scene.outcomes(), [], "a buffer may be full once");
  scene.client.handleUnsent(instant(0), { ...PATH, socket: 1 });
  scene.client.handleTimeout(instant(500));
  scene.send(500);
  scene.client.handleUnsent(instant(500), PATH);
  assert.deepEqual(scene.outcomes(), [{ type: "silent", handle: 1, path: PATH }]);
  scene.client.handleTimeout(instant(1500));
  assert.deepEqual(scene.send(1500).map(({ path }) => path), [elsewhere]);
});

Deno.test("StunClient repeats the same request, and then knows no round-trip time", () => {
  const scene = new Scene();
  const first = scene.ask();
  scene.client.handleTimeout(instant(499));
  assert.deepEqual(scene.send(499), [], "too early");
  scene.client.handleTimeout(instant(500));
  const [second] = scene.send(500);
  assert.deepEqual(second, { bytes: first, path: PATH });
  scene.give(510, answer(first), SERVER.primary);
  const [outcome] = scene.outcomes();
  assert.equal(outcome?.type, "answer");
  assert.equal(outcome?.type === "answer" ? outcome.rttMs : 0, undefined);
});

Deno.test("StunClient believes only who was asked, where it asked, and once", () => {
  const scene = new Scene();
  const request = scene.ask();
  const good = answer(request);
  const refused = (bytes: Uint8Array, remote = SERVER.primary, socket = 0) =>
    assert.equal(scene.give(1, bytes, remote, socket), false);
  refused(good, at("203.0.113.66:3478"));
  refused(good, at("203.0.113.1:3479"));
  refused(good, OTHER);
  refused(good, SERVER.primary, 1);
  const other = new Scene().ask();
  const wrongId = good.slice();
  wrongId.set(other.subarray(8, 20).map((byte) => byte ^ 1), 8);
  refused(wrongId);
  const damaged = good.slice();
  damaged[30]! ^= 1;
  refused(damaged);
  assert.deepEqual(scene.outcomes(), []);
  assert.equal(scene.client.droppedAnswers, 6);
  assert.equal(scene.give(2, good, SERVER.primary), true, "the true answer still counts");
  refused(good);
  assert.equal(scene.client.droppedAnswers, 7);
  assert.equal(scene.outcomes().length, 1);
});

Deno.test("StunClient leaves requests and other traffic to others, uncounted", () => {
  const scene = new Scene();
  const request = scene.ask();
  assert.equal(scene.give(1, request, SERVER.primary), false);
  assert.equal(scene.give(1, new Uint8Array(1200), SERVER.primary), false);
  assert.equal(scene.give(1, new Uint8Array(0), SERVER.primary), false);
  assert.equal(scene.client.droppedAnswers, 0);
});

Deno.test("StunClient takes a changed answer from the other address and only there", () => {
  for (const [changeAddress, changePort] of [[true, true], [true, false], [false, true]] as const) {
    const scene = new Scene();
    const request = scene.ask({ changeAddress, changePort, otherAddress: OTHER });
    const { bytes, fromAddress } = answerStun(request, ME, SERVER.primary, SERVER)!;
    assert.equal(scene.give(1, bytes, at("203.0.113.66:3479")), false);
    assert.equal(scene.give(1, bytes, at("203.0.113.2:9")), false);
    assert.equal(scene.give(1, bytes, fromAddress), true);
    const [outcome] = scene.outcomes();
    assert.deepEqual(outcome?.type === "answer" ? outcome.from : undefined, fromAddress);
  }
});

Deno.test("StunClient tells of a refusal with its code", () => {
  const scene = new Scene();
  const request = scene.ask();
  const { transactionId } = decodeStunMessage(request)!;
  const out = new Uint8Array(100);
  const end = encodeBindingError({ transactionId, code: 300, reason: "Try Alternate" }, out, 0);
  assert.equal(scene.give(1, out.subarray(0, end), SERVER.primary), true);
  assert.deepEqual(scene.outcomes(), [{ type: "refused", handle: 1, path: PATH, code: 300 }]);

  const plain: StunServer = { primary: SERVER.primary };
  scene.give(2, answer(scene.ask({ changePort: true }), plain), SERVER.primary);
  assert.deepEqual(scene.outcomes(), [{ type: "refused", handle: 2, path: PATH, code: 420 }]);
});

Deno.test("StunClient has no use for an answer with unknown required attributes or no address", () => {
  const mapped = [0, 0x01, 0, 8, 0, 1, 0x13, 0x88, 198, 51, 100, 7];
  for (const attributes of [[0x7f, 0xff, 0, 0, ...mapped], [0x80, 0x22, 0, 0]]) {
    const scene = new Scene();
    const request = scene.ask();
    const reply = new Uint8Array(20 + attributes.length);
    reply.set(request.subarray(0, 20));
    reply.set([1, 1, 0, attributes.length]);
    reply.set(attributes, 20);
    assert.equal(scene.give(1, reply, SERVER.primary), true);
    assert.equal(scene.outcomes()[0]!.type, "refused");
  }
});

Deno.test("StunClient runs many transactions, in the order in which they were made", () => {
  const scene = new Scene();
  const paths = [0, 1, 2].map((socket) => ({ socket, remote: SERVER.primary }));
  const handles = paths.map((path) => scene.client.request(instant(0), path));
  const sent = scene.send(0);
  assert.deepEqual(sent.map(({ path }) => path), paths);
  for (const { bytes, path } of sent.toReversed()) {
    assert.equal(scene.give(5, answer(bytes), path.remote, path.socket), true);
  }
  assert.deepEqual(scene.outcomes().map(({ handle }) => handle), handles.toReversed());
});

Deno.test("StunClient forgets what is cancelled", () => {
  const scene = new Scene();
  const request = scene.ask();
  scene.client.cancel(1);
  scene.client.cancel(1);
  assert.equal(scene.client.pollTimeout(), NEVER);
  assert.equal(scene.give(1, answer(request), SERVER.primary), false);
  assert.deepEqual(scene.outcomes(), []);
});

Deno.test("StunClient knows its own requests", () => {
  const scene = new Scene();
  const { transactionId } = decodeStunMessage(scene.ask())!;
  assert.equal(scene.client.handleOf(transactionId), 1);
  assert.equal(scene.client.handleOf(new Uint8Array(12)), undefined);
});

Deno.test("StunClient gives up the oldest of too many transactions", () => {
  const scene = new Scene();
  for (let count = 0; count < MAX_STUN_TRANSACTIONS; count++) {
    scene.client.request(instant(0), PATH);
  }
  assert.deepEqual(scene.outcomes(), []);
  scene.client.request(instant(0), PATH);
  assert.deepEqual(scene.outcomes(), [{ type: "silent", handle: 1, path: PATH }]);
  assert.equal(scene.send(0).length, MAX_STUN_TRANSACTIONS);
});
