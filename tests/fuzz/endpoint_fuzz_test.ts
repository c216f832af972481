// Goal: no datagram makes an endpoint throw or answer with more than it got, and none of a stranger's
// makes it answer or remember anything; afterwards an honest client still gets in.
// Method: datagrams of every kind, whole, damaged, joined and replayed, from many addresses, to an
// endpoint that shares, has a session and is connecting to another share, with time passing.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  HandshakeCodec,
  MESSAGE_1_BYTES,
  MESSAGE_1_PAYLOAD_BYTES,
  MESSAGE_2_BYTES,
  MESSAGE_2_PAYLOAD_BYTES,
  MESSAGE_3_BYTES,
} from "../../lib/crypto/handshake_datagram.ts";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import { HALF_OPEN_MS, IDLE_TIMEOUT_MS } from "../../lib/protocol/params.ts";
import { answerMessage1, HandClient, newShare, type Share } from "../support/code_holder.ts";
import { control, ping } from "../support/frame_bytes.ts";
import { address, type HandHost, HandNetwork } from "../support/hand_network.ts";

const TARGET = address(1);
const CLIENT = address(2);
const LATE_CLIENT = address(3);
const DISTANT_SHARER = address(4);

/** An endpoint that does all it can do at once. */
class Scene {
  readonly net: HandNetwork;
  readonly share: Share;
  readonly otherShare: Share;
  readonly target: HandHost;
  readonly client: HandClient;
  /** Codecs of who holds the code of the share, and of the share it connects to. */
  readonly codecs: readonly HandshakeCodec[];
  /** Its own message 1 towards the other share. */
  readonly ownMessage1: Uint8Array;
  /** Everything that was ever sent to it. */
  readonly history: Uint8Array[] = [];

  constructor(seed: number) {
    this.net = new HandNetwork(seed);
    this.share = newShare(this.net.random);
    this.otherShare = newShare(this.net.random);
    this.target = this.net.host(TARGET);
    this.target.endpoint.listen(this.share);
    this.client = new HandClient(this.share.t, this.net.random);
    this.client.takeMessage2(this.give(this.client.message1(), CLIENT)[0]!.bytes);
    this.give(this.client.message3(), CLIENT);
    this.net.connect(this.target, this.otherShare, [DISTANT_SHARER]);
    this.ownMessage1 = this.target.poll()[0]!.bytes;
    this.codecs = [this.share, this.otherShare].map(({ t }) =>
      new HandshakeCodec(nodeProvider, deriveShareKeys(nodeProvider, t), this.net.random)
    );
  }

  give(datagram: Uint8Array, from: ReturnType<typeof address>) {
    this.history.push(datagram);
    return this.target.take(datagram, from);
  }

  advance(durationMs: number): void {
    const untilMs = this.net.nowMs + durationMs;
    for (let turns = 0;; turns++) {
      const next = this.target.endpoint.pollTimeout();
      if (next > untilMs) break;
      assert.ok(turns < 5000, "timers without end");
      this.net.nowMs = Math.max(next, this.net.nowMs);
      this.target.tick();
    }
    this.net.nowMs = untilMs;
  }
}

/** The kinds of datagrams; each draws what it needs from the scene's own generator. */
const kinds: Record<string, (scene: Scene) => Uint8Array> = {
  "noise": ({ net }) => net.random.bytes(net.random.integer(0, 2000)),
  "noise of 1200 bytes": ({ net }) => net.random.bytes(1200),
  "noise behind the session's id": ({ net, client }) => {
    const noise = net.random.bytes(net.random.pick([6, 13, 29, 64, 1200, 1472, 1473, 8000]));
    noise.set(client.sharerId);
    return noise;
  },
  "message 1 of random bytes": ({ net, codecs }) =>
    net.random.pick(codecs).encodeMessage1(net.random.bytes(MESSAGE_1_BYTES)),
  "message 1 with a key of small order": ({ net, codecs }) => {
    const message = net.random.bytes(MESSAGE_1_BYTES);
    message.fill(0, 0, 32);
    return net.random.pick(codecs).encodeMessage1(message, net.random.bytes(16));
  },
  "message 2 of random bytes": ({ net, codecs }) =>
    net.random.pick(codecs).encodeMessage2(net.random.bytes(MESSAGE_2_BYTES)),
  "message 3 of random bytes": ({ net, codecs, client }) =>
    net.random.pick(codecs).encodeMessage3(
      net.random.bytes(MESSAGE_3_BYTES),
      net.random.chance(0.5) ? client.sharerId : net.random.bytes(6),
    ),
  "a cookie": ({ net, codecs }) => net.random.pick(codecs).encodeCookie(net.random.bytes(16)),
  "a true message 1 with random parameters": ({ net, share }) =>
    new HandClient(share.t, net.random, net.random.bytes(MESSAGE_1_PAYLOAD_BYTES)).message1(),
  "a true message 1 with damaged parameters": ({ net, share }) => {
    const payload = new Uint8Array(MESSAGE_1_PAYLOAD_BYTES);
    payload.set([0, net.random.integer(0, 60)]);
    net.random.fill(payload.subarray(2, 70));
    return new HandClient(share.t, net.random, payload).message1();
  },
  "a true message 1": ({ net, share }) => new HandClient(share.t, net.random).message1(),
  "a message 2 of an impostor": ({ net, otherShare, ownMessage1 }) => {
    const keys = nodeProvider.generateKeyPair(net.random);
    return answerMessage1(ownMessage1, otherShare.t, keys, net.random);
  },
  "a message 2 with random parameters": ({ net, otherShare, ownMessage1 }) => {
    const payload = net.random.bytes(MESSAGE_2_PAYLOAD_BYTES);
    return answerMessage1(ownMessage1, otherShare.t, otherShare.staticKeys, net.random, payload);
  },
  "a packet": ({ client }) => client.packet([ping()]),
  "joined packets": ({ net, client }) => {
    const count = net.random.integer(2, 6);
    const packets = Array.from(
      { length: count },
      () => client.packet([control(0, new Uint8Array(3))], 1200),
    );
    const joined = concatBytes(...packets).slice(net.random.pick([0, 0, 1, 1200]));
    return joined.slice(0, joined.length - net.random.pick([0, 0, 1, 1000]));
  },
  "a datagram once more": ({ net, history }) => net.random.pick(history).slice(),
};
const kindNames = Object.keys(kinds);
/** What a stranger, who holds no code and no key, could send. */
const strangeKinds = kindNames.filter((name) => name.startsWith("noise"));

const anyAction = (names: readonly string[]) =>
  fc.record({
    kind: fc.constantFrom(...names),
    /** Bits to flip, as shares of the length. */
    flips: fc.oneof(
      { weight: 3, arbitrary: fc.constant<number[]>([]) },
      fc.array(fc.double({ min: 0, max: 0.9999, noNaN: true }), { maxLength: 3 }),
    ),
    from: fc.oneof(fc.constantFrom(2, 4), fc.integer({ min: 5, max: 12 })),
    waitMs: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(1, 50, 400, 4000)),
  });

Deno.test("Endpoint bears any datagrams, answers none with more than three times as much, and lets the next client in", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(anyAction(kindNames), { minLength: 1, maxLength: 40 }),
      (seed, actions) => {
        const scene = new Scene(seed);
        const { target, net } = scene;
        for (const { kind, flips, from, waitMs } of actions) {
          const datagram = kinds[kind]!(scene);
          for (const flip of flips) {
            const bit = Math.floor(flip * datagram.length * 8);
            if (datagram.length > 0) datagram[bit >> 3]! ^= 1 << (bit & 7);
          }
          scene.give(datagram, address(from));
          scene.advance(waitMs);
        }
        for (let number = 5; number <= 12; number++) {
          const { out, in: received } = target.traffic(address(number));
          assert.ok(out <= 3 * received, `${out} bytes for ${received} to a newcomer`);
        }
        assert.ok(target.endpoint.connectionCount <= 1, "nobody has finished a handshake");
        scene.advance(HALF_OPEN_MS + IDLE_TIMEOUT_MS);
        const late = net.host(LATE_CLIENT);
        net.connect(late, scene.share, [TARGET]);
        net.run(100);
        assert.equal(late.events[0]?.type, "connected");
        const told = target.events.filter(({ type }) => type !== "observed");
        assert.equal(told.at(-1)?.type, "accepted");
      },
    ),
    { numRuns: 120 },
  );
});

Deno.test("Endpoint gives strangers nothing, whatever they send", () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(anyAction(strangeKinds), { maxLength: 40 }), (seed, actions) => {
      const scene = new Scene(seed);
      const { target } = scene;
      const deadline = target.endpoint.pollTimeout();
      const events = target.events.length;
      for (const { kind, from } of actions) {
        assert.deepEqual(scene.give(kinds[kind]!(scene), address(from + 100)), []);
      }
      assert.equal(target.endpoint.pollTimeout(), deadline);
      assert.equal(target.events.length, events);
      assert.equal(target.endpoint.connectionCount, 1);
    }),
    { numRuns: 60 },
  );
});

Deno.test("HandshakeCodec takes any bytes apart without throwing", () => {
  const { codecs, net } = new Scene(1);
  const tagged = fc.tuple(fc.nat(255), fc.uint8Array({ minLength: 1183, maxLength: 1183 }))
    .map(([type, body]) => {
      const datagram = codecs[0]!.encodeCookie(net.random.bytes(16));
      datagram[16]! ^= 4 ^ type;
      datagram.set(body, 17);
      return datagram;
    });
  fc.assert(
    fc.property(fc.oneof(tagged, fc.uint8Array({ maxLength: 1300 })), (datagram) => {
      const codec = codecs[0]!;
      const type = codec.classify(datagram);
      assert.equal(codec.decodeMessage1(datagram) !== undefined, type === 1);
      assert.equal(codec.decodeMessage2(datagram) !== undefined, type === 2);
      assert.equal(codec.decodeMessage3(datagram) !== undefined, type === 3);
      assert.equal(codec.openCookie(datagram), undefined, "no random bytes are a cookie");
    }),
    { numRuns: 500 },
  );
});
