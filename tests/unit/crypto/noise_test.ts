/**
 * Goal: every Noise pattern we have gives the bytes others publish for it, and bad messages change
 * nothing.
 * Method: the vectors of cacophony, snow and flynn/noise through both providers, message by message,
 * both roles; then damage, truncation and keys of small order.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { CipherState } from "../../../lib/crypto/cipher_state.ts";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
import type { NoiseOptions, NoiseRole } from "../../../lib/crypto/noise_options.ts";
import { NOISE_BASE_PATTERNS, noisePattern } from "../../../lib/crypto/noise_patterns.ts";
import type { CryptoProvider, KeyPair } from "../../../lib/crypto/provider.ts";
import cacophony from "../../vectors/noise_cacophony.json" with { type: "json" };
import flynn from "../../vectors/noise_flynn.json" with { type: "json" };
import snow from "../../vectors/noise_snow.json" with { type: "json" };
import { countingRandom, fixedRandom, plain, PROVIDERS, someBytes, text } from "./_support.ts";

interface NoiseVector {
  readonly pattern: string;
  readonly prologue: string;
  readonly psks?: readonly string[];
  readonly initiatorStatic?: string;
  readonly responderStatic?: string;
  readonly initiatorStaticPublic?: string;
  readonly responderStaticPublic?: string;
  readonly initiatorEphemeral?: string;
  readonly responderEphemeral?: string;
  readonly handshakeHash?: string;
  readonly messages: readonly {
    readonly from: string;
    readonly payload: string;
    readonly ciphertext: string;
  }[];
}

const SOURCES: readonly (readonly [string, readonly NoiseVector[]])[] = [
  ["cacophony", cacophony],
  ["snow", snow],
  ["flynn/noise", flynn],
];

function keyPair(provider: CryptoProvider, hex: string | undefined): KeyPair | undefined {
  if (hex === undefined) return undefined;
  const secretKey = decodeHex(hex);
  return { secretKey, publicKey: provider.publicKeyOf(secretKey) };
}

function startSide(provider: CryptoProvider, vector: NoiseVector, role: NoiseRole): NoiseHandshake {
  const initiator = keyPair(provider, vector.initiatorStatic);
  const responder = keyPair(provider, vector.responderStatic);
  const [own, remote] = role === "initiator" ? [initiator, responder] : [responder, initiator];
  return NoiseHandshake.start(provider, {
    pattern: vector.pattern,
    role,
    prologue: decodeHex(vector.prologue),
    psks: (vector.psks ?? []).map(decodeHex),
    ...(own && { staticKeys: own }),
    ...(remote && { remoteStaticKey: remote.publicKey }),
  });
}

function runVector(provider: CryptoProvider, vector: NoiseVector): void {
  const sides = {
    initiator: startSide(provider, vector, "initiator"),
    responder: startSide(provider, vector, "responder"),
  };
  const ephemerals = {
    initiator: vector.initiatorEphemeral ?? "",
    responder: vector.responderEphemeral ?? "",
  };
  let transport: { initiator: CipherState; responder: CipherState }[] | undefined;
  for (const { from, payload, ciphertext } of vector.messages) {
    const role = from as NoiseRole;
    const [writer, reader] = role === "initiator"
      ? [sides.initiator, sides.responder]
      : [sides.responder, sides.initiator];
    if (!writer.isFinished) {
      const message = writer.writeMessage(decodeHex(payload), fixedRandom(ephemerals[role]));
      assert.equal(encodeHex(message!), ciphertext);
      assert.equal(encodeHex(reader.readMessage(message!)!), payload);
      continue;
    }
    transport ??= [writer, reader].map((side) => {
      const { initiatorSecret, responderSecret } = side.split();
      return {
        initiator: new CipherState(provider, initiatorSecret),
        responder: new CipherState(provider, responderSecret),
      };
    });
    const none = new Uint8Array(0);
    const sealed = transport[0]![role].encryptWithAd(none, decodeHex(payload));
    assert.equal(encodeHex(sealed), ciphertext);
    const opened = transport[1]![role].decryptWithAd(none, sealed);
    assert.equal(encodeHex(opened!), payload);
  }
  assert.ok(sides.initiator.isFinished && sides.responder.isFinished);
  const hash = encodeHex(sides.initiator.handshakeHash);
  assert.equal(encodeHex(sides.responder.handshakeHash), hash);
  if (vector.handshakeHash !== undefined) assert.equal(hash, vector.handshakeHash);
}

for (const provider of PROVIDERS) {
  for (const [source, vectors] of SOURCES) {
    Deno.test(`NoiseHandshake gives the bytes of ${source} with ${provider.name}`, () => {
      for (const vector of vectors) {
        assert.doesNotThrow(() => runVector(provider, vector), vector.pattern);
      }
    });
  }
}

Deno.test("vectors give the public halves we compute", () => {
  for (const vector of [...cacophony, ...snow] as NoiseVector[]) {
    for (
      const [secret, known] of [
        [vector.initiatorStatic, vector.initiatorStaticPublic],
        [vector.responderStatic, vector.responderStaticPublic],
      ]
    ) {
      if (secret === undefined || known === undefined) continue;
      for (const provider of PROVIDERS) {
        assert.equal(encodeHex(provider.publicKeyOf(decodeHex(secret))), known);
      }
    }
  }
});

Deno.test("every base pattern and XXpsk0 have a vector", () => {
  const covered = new Set(SOURCES.flatMap(([, vectors]) => vectors.map(({ pattern }) => pattern)));
  for (const pattern of [...NOISE_BASE_PATTERNS, "XXpsk0"]) {
    assert.ok(covered.has(pattern), pattern);
  }
});

Deno.test("noisePattern refuses what does not exist", () => {
  for (
    const name of [
      "",
      "xx",
      "XY",
      "XXpsk",
      "XXpsk4",
      "NNpsk3",
      "Npsk2",
      "XXpsk0+",
      "XX+psk0",
      "XXfallback",
    ]
  ) {
    assert.throws(() => noisePattern(name), RangeError, name);
  }
  assert.deepEqual(noisePattern("XXpsk0+psk3").messages[2], ["s", "se", "psk"]);
});

/** The handshake of this protocol, with keys of this file. */
function startXXpsk0(role: NoiseRole, overrides: Partial<NoiseOptions> = {}): NoiseHandshake {
  const provider = PROVIDERS[0]!;
  return NoiseHandshake.start(provider, {
    pattern: "XXpsk0",
    role,
    prologue: text("p2pft/1"),
    psks: [someBytes(32, 7)],
    staticKeys: provider.generateKeyPair(countingRandom(role === "initiator" ? 8 : 9)),
    ...overrides,
  });
}

/** Both sides, with the first `count` messages exchanged. */
function exchange(count: number): { client: NoiseHandshake; sharer: NoiseHandshake } {
  const client = startXXpsk0("initiator");
  const sharer = startXXpsk0("responder");
  const random = countingRandom(10);
  for (let index = 0; index < count; index++) {
    const [writer, reader] = index % 2 === 0 ? [client, sharer] : [sharer, client];
    assert.ok(reader.readMessage(writer.writeMessage(text("payload"), random)!));
  }
  return { client, sharer };
}

Deno.test("[HS-5] readMessage returns undefined for any flipped bit and then still reads the real message", () => {
  for (const index of [0, 1, 2]) {
    const { client, sharer } = exchange(index);
    const [writer, reader] = index % 2 === 0 ? [client, sharer] : [sharer, client];
    const message = writer.writeMessage(text("payload"), countingRandom(11))!;
    const hash = reader.handshakeHash;
    for (let bit = 0; bit < message.length * 8; bit += 3) {
      const damaged = new Uint8Array(message);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      // X25519 ignores the top bit of a public key, but the hash of the handshake does not.
      assert.equal(reader.readMessage(damaged), undefined, `message ${index + 1}, bit ${bit}`);
    }
    assert.deepEqual(reader.handshakeHash, hash);
    assert.deepEqual(plain(reader.readMessage(message)), plain(text("payload")));
  }
});

Deno.test("readMessage returns undefined for every truncation, and for what is too long", () => {
  for (const index of [0, 1, 2]) {
    const { client, sharer } = exchange(index);
    const [writer, reader] = index % 2 === 0 ? [client, sharer] : [sharer, client];
    const message = writer.writeMessage(text("payload"), countingRandom(11))!;
    for (let length = 0; length < message.length; length++) {
      assert.equal(reader.readMessage(message.subarray(0, length)), undefined);
    }
    assert.equal(reader.readMessage(new Uint8Array(65_536)), undefined);
  }
});

Deno.test("readMessage never throws on random bytes", () => {
  const readers = [exchange(0).sharer, exchange(1).client, exchange(2).sharer];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    for (const reader of readers) assert.equal(reader.readMessage(bytes), undefined);
  }));
});

Deno.test("readMessage returns undefined for a wrong pre-shared key or prologue", () => {
  const message = startXXpsk0("initiator").writeMessage(text(""), countingRandom())!;
  assert.equal(
    startXXpsk0("responder", { psks: [someBytes(32, 6)] }).readMessage(message),
    undefined,
  );
  assert.equal(
    startXXpsk0("responder", { prologue: text("p2pft/2") }).readMessage(message),
    undefined,
  );
  assert.ok(startXXpsk0("responder").readMessage(message));
});

Deno.test("an ephemeral key of small order is refused before anything is answered", () => {
  const lowOrder = decodeHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
  for (const provider of PROVIDERS) {
    // Without a pre-shared key the first message of NN is the bare ephemeral key.
    const responder = NoiseHandshake.start(provider, { pattern: "NN", role: "responder" });
    assert.ok(responder.readMessage(lowOrder));
    assert.equal(responder.writeMessage(text("x"), countingRandom()), undefined);
    assert.ok(responder.isMyTurn);

    const initiator = NoiseHandshake.start(provider, { pattern: "NN", role: "initiator" });
    initiator.writeMessage(text(""), countingRandom());
    assert.equal(
      initiator.readMessage(new Uint8Array([...lowOrder, ...new Uint8Array(16)])),
      undefined,
    );
  }
});

Deno.test("clone goes on by itself, and the original stays where it was", () => {
  const { client, sharer } = exchange(1);
  const first = sharer.clone();
  const second = sharer.clone();
  const a = first.writeMessage(text("a"), countingRandom(1))!;
  const b = second.writeMessage(text("b"), countingRandom(2))!;
  first.wipe();
  assert.ok(sharer.isMyTurn);
  const reader = client.clone();
  assert.deepEqual(plain(reader.readMessage(a)), plain(text("a")));
  assert.deepEqual(plain(client.readMessage(b)), plain(text("b")));
  const last = client.writeMessage(text(""), countingRandom())!;
  assert.ok(second.readMessage(last));
  assert.deepEqual(second.split(), client.split());
});

Deno.test("wipe makes a handshake unusable but keeps its hash", () => {
  const { client } = exchange(3);
  const hash = client.handshakeHash;
  client.wipe();
  assert.deepEqual(client.handshakeHash, hash);
  for (
    const use of [
      () => client.split(),
      () => client.clone(),
      () => client.writeMessage(text(""), countingRandom()),
      () => client.readMessage(text("")),
    ]
  ) {
    assert.throws(use, RangeError);
  }
});

Deno.test("NoiseHandshake throws when its owner errs", () => {
  const { client, sharer } = exchange(0);
  assert.throws(() => sharer.writeMessage(text(""), countingRandom()), RangeError);
  assert.throws(() => client.readMessage(text("")), RangeError);
  assert.throws(() => client.split(), RangeError);
  assert.throws(() => client.writeMessage(new Uint8Array(65_500), countingRandom()), RangeError);
  assert.throws(() => startXXpsk0("initiator", { psks: [] }), RangeError);
  assert.throws(() => startXXpsk0("initiator", { psks: [new Uint8Array(31)] }), RangeError);
  const provider = PROVIDERS[0]!;
  assert.throws(
    () => NoiseHandshake.start(provider, { pattern: "XX", role: "responder" }),
    RangeError,
  );
  assert.throws(
    () => NoiseHandshake.start(provider, { pattern: "NK", role: "initiator" }),
    RangeError,
  );
  assert.throws(
    () => NoiseHandshake.start(provider, { pattern: "NK", role: "responder" }),
    RangeError,
  );
});
