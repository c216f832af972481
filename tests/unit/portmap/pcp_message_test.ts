import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  decodePcpResponse,
  describePcpResult,
  encodePcpMapRequest,
} from "../../../lib/portmap/pcp_message.ts";

const NONCE = "000102030405060708090a0b";
const REQUEST = {
  client: { family: 4, host: "192.168.1.20" },
  nonce: decodeHex(NONCE),
  internalPort: 0x1234,
  externalPort: 0x5678,
  lifetimeSeconds: 3600,
} as const;
const RESPONSE = decodeHex(
  "02810000" + "00000e10" + "00000102" + "00".repeat(12) +
    NONCE + "11000000" + "12345678" + "00000000000000000000ffffcb007107",
);

Deno.test("encodePcpMapRequest writes the fields of RFC 6887, sections 7.1 and 11.1", () => {
  const header = "02010000" + "00000e10" + "00000000000000000000ffffc0a80114";
  const body = NONCE + "11000000" + "12345678";
  assert.equal(
    encodeHex(encodePcpMapRequest(REQUEST)),
    header + body + "00000000000000000000ffff00000000",
  );
  const externalAddress = { family: 4, host: "203.0.113.7" } as const;
  assert.equal(
    encodeHex(encodePcpMapRequest({ ...REQUEST, externalAddress })),
    header + body + "00000000000000000000ffffcb007107",
  );
});

Deno.test("encodePcpMapRequest refuses a nonce of another length", () => {
  assert.throws(() => encodePcpMapRequest({ ...REQUEST, nonce: new Uint8Array(11) }), RangeError);
});

Deno.test("decodePcpResponse reads a mapping", () => {
  assert.deepEqual(decodePcpResponse(RESPONSE), {
    kind: "map",
    result: 0,
    epochSeconds: 258,
    lifetimeSeconds: 3600,
    nonce: REQUEST.nonce,
    internalPort: 0x1234,
    externalPort: 0x5678,
    externalAddress: { family: 4, host: "203.0.113.7" },
  });
});

Deno.test("decodePcpResponse reads a refusal, another version and an announcement", () => {
  const refusal = decodePcpResponse(RESPONSE.with(3, 11));
  assert.equal(refusal?.kind === "map" && refusal.result, 11);
  assert.equal(describePcpResult(11), "11 cannot provide external");
  assert.equal(describePcpResult(200), "200 unknown result");
  const other = RESPONSE.with(0, 1);
  assert.deepEqual(decodePcpResponse(other.with(3, 1)), { kind: "other_version" });
  assert.equal(decodePcpResponse(other), undefined);
  const announce = RESPONSE.with(1, 0x80).subarray(0, 24);
  assert.deepEqual(decodePcpResponse(announce), { kind: "announce", epochSeconds: 258 });
});

Deno.test("decodePcpResponse refuses requests, other protocols and what is too short or too long", () => {
  for (let length = 0; length < RESPONSE.length; length++) {
    assert.equal(decodePcpResponse(RESPONSE.subarray(0, length)), undefined);
  }
  assert.equal(decodePcpResponse(RESPONSE.with(0, 0)), undefined);
  assert.equal(decodePcpResponse(RESPONSE.with(1, 1)), undefined);
  assert.equal(decodePcpResponse(RESPONSE.with(1, 0x82)), undefined);
  assert.equal(decodePcpResponse(RESPONSE.with(36, 6)), undefined);
  const long = new Uint8Array(1101);
  long.set(RESPONSE);
  assert.equal(decodePcpResponse(long), undefined);
  assert.notEqual(decodePcpResponse(long.subarray(0, 1100)), undefined);
});

Deno.test("decodePcpResponse never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    decodePcpResponse(bytes);
    decodePcpResponse(Uint8Array.of(2, 0x81, ...bytes));
  }));
});
