import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../lib/bytes/concat.ts";
import { MAX_VARINT, writeVarint } from "../../../lib/bytes/varint.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import {
  BASE_DATAGRAM_BYTES,
  IDLE_TIMEOUT_MS,
  MAX_ACK_DELAY_MS,
} from "../../../lib/protocol/params.ts";
import {
  agreedSuite,
  decodeParameters,
  defaultParameters,
  encodeParameters,
  FEATURE_AES_256_GCM,
  FEATURE_LIMITED,
  ownParameters,
  type TransportParameters,
} from "../../../lib/protocol/transport_parameters.ts";
import { aesProvider } from "../../support/aes_provider.ts";

const CONNECTION_ID = Uint8Array.of(1, 2, 3, 4, 5, 6);

function encode(parameters: TransportParameters): Uint8Array {
  const out = new Uint8Array(92);
  return out.slice(0, encodeParameters(parameters, out, 0));
}

function varint(value: number): Uint8Array {
  const out = new Uint8Array(8);
  return out.slice(0, writeVarint(value, out, 0));
}

function field(id: number, value: Uint8Array): Uint8Array {
  return concatBytes(varint(id), varint(value.length), value);
}

function block(...fields: Uint8Array[]): Uint8Array {
  const body = concatBytes(...fields);
  return concatBytes(Uint8Array.of(body.length >>> 8, body.length & 0xff), body);
}

const ID_FIELD = field(1, CONNECTION_ID);

const anyParameters: fc.Arbitrary<TransportParameters> = fc.record({
  connectionId: fc.uint8Array({ minLength: 6, maxLength: 6, size: "max" }),
  maxDatagramBytes: fc.integer({ min: 1200, max: 65_535 }),
  blockCredit: fc.maxSafeNat(),
  controlCredit: fc.maxSafeNat(),
  idleTimeoutMs: fc.integer({ min: 1000, max: MAX_VARINT }),
  ackDelayMs: fc.nat(1000),
  features: fc.maxSafeNat(),
  rateLimit: fc.oneof(fc.constant(0), fc.integer({ min: 1000, max: MAX_VARINT })),
  background: fc.boolean(),
  receiveBufferBytes: fc.maxSafeNat(),
}, { noNullPrototype: true });

Deno.test("transport parameters read back as written, whatever padding follows", () => {
  fc.assert(fc.property(anyParameters, fc.uint8Array(), (parameters, padding) => {
    assert.deepEqual(decodeParameters(concatBytes(encode(parameters), padding)), parameters);
  }));
});

Deno.test("encodeParameters throws without room instead of cutting", () => {
  const parameters = defaultParameters(CONNECTION_ID);
  const length = encode(parameters).length;
  for (let room = 0; room < length; room++) {
    assert.throws(() => encodeParameters(parameters, new Uint8Array(room), 0), RangeError);
  }
  assert.equal(encodeParameters(parameters, new Uint8Array(length + 3), 3), length + 3);
});

Deno.test("[TP-1] decodeParameters ignores fields it does not know, whatever is in them", () => {
  const unknownId = fc.oneof(fc.constant(0), fc.integer({ min: 11, max: MAX_VARINT }));
  fc.assert(fc.property(unknownId, fc.uint8Array(), fc.boolean(), (id, value, isFirst) => {
    const unknown = field(id, value);
    const parameters = decodeParameters(
      isFirst ? block(unknown, ID_FIELD) : block(ID_FIELD, unknown),
    );
    assert.deepEqual(parameters, decodeParameters(block(ID_FIELD)));
    assert.notEqual(parameters, undefined);
  }));
});

Deno.test("decodeParameters takes cautious values for what is not told", () => {
  assert.deepEqual(decodeParameters(block(ID_FIELD)), {
    connectionId: CONNECTION_ID,
    maxDatagramBytes: BASE_DATAGRAM_BYTES,
    blockCredit: 0,
    controlCredit: 0,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    ackDelayMs: MAX_ACK_DELAY_MS,
    features: 0,
    rateLimit: 0,
    background: false,
    receiveBufferBytes: 0,
  });
});

Deno.test("ownParameters says the features and wishes, and defaultParameters none", () => {
  const wishes = { limitBytesPerSecond: 5000, background: true };
  assert.deepEqual(ownParameters(CONNECTION_ID, nodeProvider, wishes, 79_872.5), {
    ...defaultParameters(CONNECTION_ID),
    features: FEATURE_LIMITED,
    rateLimit: 5000,
    background: true,
    receiveBufferBytes: 79_872,
  });
  const { features, rateLimit, background, receiveBufferBytes } = defaultParameters(CONNECTION_ID);
  assert.deepEqual({ features, rateLimit, background, receiveBufferBytes }, {
    features: 0,
    rateLimit: 0,
    background: false,
    receiveBufferBytes: 0,
  });
});

Deno.test("[TP-3] agreedSuite is AES-256-GCM only where both sides say so, other bits aside", () => {
  const plain = ownParameters(CONNECTION_ID, nodeProvider);
  const fast = ownParameters(CONNECTION_ID, aesProvider);
  assert.equal(fast.features, FEATURE_LIMITED | FEATURE_AES_256_GCM);
  assert.equal(agreedSuite(fast, fast).name, "AES-256-GCM");
  assert.equal(agreedSuite(fast, { ...fast, features: 0xff }).name, "AES-256-GCM");
  for (const other of [plain, defaultParameters(CONNECTION_ID), { ...fast, features: 0xfd }]) {
    assert.equal(agreedSuite(fast, other).name, "ChaCha20-Poly1305");
    assert.equal(agreedSuite(other, fast).name, "ChaCha20-Poly1305");
  }
});

Deno.test("[TP-2] decodeParameters refuses impossible values", () => {
  const refused: [id: number, value: number][] = [
    [2, 1199], // less than the handshake itself
    [5, 999], // gives up within a second
    [6, 1001], // holds ACKs for longer than a second
    [8, 999], // hardly a session
  ];
  for (const [id, value] of refused) {
    assert.equal(decodeParameters(block(ID_FIELD, field(id, varint(value)))), undefined);
  }
  for (const [id, value] of [[2, 1200], [5, 1000], [6, 1000], [8, 0], [8, 1000], [9, 2]] as const) {
    assert.notEqual(decodeParameters(block(ID_FIELD, field(id, varint(value)))), undefined);
  }
});

Deno.test("[TP-2] decodeParameters refuses malformed fields", () => {
  const malformed: Record<string, Uint8Array> = {
    "no connection id": block(field(2, varint(1400))),
    "connection id of 5 bytes": block(field(1, CONNECTION_ID.subarray(1))),
    "connection id of 7 bytes": block(
      field(1, concatBytes(CONNECTION_ID, CONNECTION_ID.subarray(6 - 1))),
    ),
    "empty number": block(ID_FIELD, field(7, new Uint8Array(0))),
    "number with bytes behind it": block(ID_FIELD, field(7, Uint8Array.of(1, 1))),
    "number above 2^53 - 1": block(ID_FIELD, field(7, new Uint8Array(8).fill(0xff))),
    "field longer than the block": block(ID_FIELD, Uint8Array.of(10, 4, 1)),
    "field without a length": block(ID_FIELD, Uint8Array.of(10)),
    "block longer than the bytes": block(ID_FIELD).subarray(0, -1),
    "half a length": Uint8Array.of(0),
    "nothing": new Uint8Array(0),
  };
  for (const [name, bytes] of Object.entries(malformed)) {
    assert.equal(decodeParameters(bytes), undefined, name);
  }
});

Deno.test("decodeParameters never throws, and copies what it keeps", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80, size: "max" }), fc.nat(80), (bytes, length) => {
      decodeParameters(bytes);
      decodeParameters(concatBytes(Uint8Array.of(0, length), bytes));
    }),
  );
  const bytes = block(ID_FIELD);
  const parameters = decodeParameters(bytes)!;
  bytes.fill(0);
  assert.deepEqual(parameters.connectionId, CONNECTION_ID);
});
