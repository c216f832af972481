import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  decodeNatPmpResponse,
  describeNatPmpResult,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
} from "../../../lib/portmap/nat_pmp_message.ts";

Deno.test("encodeNatPmpAddressRequest writes two zeros", () => {
  assert.equal(encodeHex(encodeNatPmpAddressRequest()), "0000");
});

Deno.test("encodeNatPmpMapRequest writes the fields of RFC 6886, section 3.3", () => {
  const request = { internalPort: 0x1234, externalPort: 0x5678, lifetimeSeconds: 3600 };
  assert.equal(encodeHex(encodeNatPmpMapRequest(request)), "000100001234567800000e10");
});

Deno.test("decodeNatPmpResponse reads an outside address", () => {
  assert.deepEqual(decodeNatPmpResponse(decodeHex("0080000000000102cb007107")), {
    kind: "address",
    epochSeconds: 258,
    address: { family: 4, host: "203.0.113.7" },
  });
});

Deno.test("decodeNatPmpResponse reads a mapping", () => {
  assert.deepEqual(decodeNatPmpResponse(decodeHex("00810000000001021234567800000e10")), {
    kind: "map",
    epochSeconds: 258,
    internalPort: 0x1234,
    externalPort: 0x5678,
    lifetimeSeconds: 3600,
  });
});

Deno.test("decodeNatPmpResponse reads a refusal from its header alone", () => {
  const refusal = { kind: "refused", result: 2, epochSeconds: 258 };
  for (const [opcode, request] of [["80", "address"], ["81", "map"], ["82", "other"]]) {
    const bytes = decodeHex(`00${opcode}000200000102`);
    assert.deepEqual(decodeNatPmpResponse(bytes), { ...refusal, request });
  }
  assert.equal(describeNatPmpResult(2), "2 not authorized");
  assert.equal(describeNatPmpResult(77), "77 unknown result");
});

Deno.test("decodeNatPmpResponse refuses requests, other versions and what is cut short", () => {
  const map = decodeHex("00810000000001021234567800000e10");
  for (let length = 0; length < map.length; length++) {
    assert.equal(decodeNatPmpResponse(map.subarray(0, length)), undefined);
  }
  assert.equal(decodeNatPmpResponse(map.with(0, 2)), undefined);
  assert.equal(decodeNatPmpResponse(map.with(1, 1)), undefined);
  assert.equal(decodeNatPmpResponse(decodeHex("0080000000000102cb0071")), undefined);
});

Deno.test("decodeNatPmpResponse never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    decodeNatPmpResponse(bytes);
    decodeNatPmpResponse(Uint8Array.of(0, 0x81, 0, 0, ...bytes));
  }));
});
