import assert from "node:assert/strict";
import { concatBytes } from "../../../../lib/bytes/concat.ts";
import { decodeHex, encodeHex } from "../../../../lib/bytes/hex.ts";
import { formatSocketAddress, parseSocketAddress } from "../../../../lib/nat/address.ts";
import {
  encodeBindingError,
  encodeBindingRequest,
  encodeBindingResponse,
} from "../../../../lib/nat/stun/encode.ts";
import { stunFingerprint } from "../../../../lib/nat/stun/fingerprint.ts";
import { STUN_BINDING } from "../../../../lib/nat/stun/header.ts";
import {
  decodeStunMessage,
  isStunMessage,
  peekStunLength,
} from "../../../../lib/nat/stun/message.ts";
import vectors from "../../../vectors/rfc5769.json" with { type: "json" };

const ID = "b7e7a701bc34d686fa87dfae";
const transactionId = decodeHex(ID);
const COOKIE = "2112a442";

function written(write: (out: Uint8Array) => number): Uint8Array {
  const out = new Uint8Array(256).fill(0xee);
  return out.slice(0, write(out));
}

/** A message with the given type and attributes, in hexadecimal, and a header that fits. */
function message(type: string, attributes: string): Uint8Array {
  const body = attributes.replaceAll(" ", "");
  const length = (body.length / 2).toString(16).padStart(4, "0");
  return decodeHex(type + length + COOKIE + ID + body);
}

Deno.test("decodeStunMessage reads every message of RFC 5769", () => {
  for (const vector of vectors) {
    const datagram = decodeHex(vector.message);
    assert.equal(isStunMessage(datagram), true, vector.section);
    const read = decodeStunMessage(datagram)!;
    assert.equal(read.method, STUN_BINDING);
    assert.equal(read.messageClass, vector.class);
    assert.equal(encodeHex(read.transactionId), vector.transactionId);
    assert.equal(read.hasFingerprint, vector.hasFingerprint);
    const mapped = read.mappedAddress && formatSocketAddress(read.mappedAddress);
    assert.equal(mapped, vector.mappedAddress);
    // PRIORITY of ICE in the first request is the one attribute that is not known here.
    assert.deepEqual(read.unknownRequired, vector.section === "2.1" ? [0x0024] : []);
  }
});

Deno.test("decodeStunMessage refuses a message of RFC 5769 with any bit of it changed", () => {
  for (const vector of vectors.filter(({ hasFingerprint }) => hasFingerprint)) {
    const datagram = decodeHex(vector.message);
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      datagram[bit >> 3]! ^= 1 << (bit & 7);
      const read = decodeStunMessage(datagram);
      // The one thing that may change unnoticed is that there was a FINGERPRINT at all.
      assert.equal(read?.hasFingerprint ?? false, false, `${vector.section}, bit ${bit}`);
      datagram[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

Deno.test("decodeStunMessage refuses every beginning of a message, and more than one", () => {
  for (const vector of vectors) {
    const datagram = decodeHex(vector.message);
    for (let length = 0; length < datagram.length; length++) {
      assert.equal(decodeStunMessage(datagram.subarray(0, length)), undefined);
    }
    assert.equal(decodeStunMessage(new Uint8Array([...datagram, 0, 0, 0, 0])), undefined);
  }
});

Deno.test("isStunMessage wants two zero bits, the cookie and the right length", () => {
  const good = message("0001", "");
  assert.equal(isStunMessage(good), true);
  for (const [index, value] of [[0, 0x40], [0, 0x80], [4, 0x20], [7, 0], [3, 4], [3, 1]] as const) {
    const bad = good.slice();
    bad[index] = value;
    assert.equal(isStunMessage(bad), false, `byte ${index} = ${value}`);
  }
  assert.equal(isStunMessage(new Uint8Array([...message("0001", ""), 0])), false);
});

Deno.test("encodeBindingRequest writes what RFC 8489 and RFC 5780 say", () => {
  const plain = written((out) => encodeBindingRequest({ transactionId }, out, 0));
  assert.equal(encodeHex(plain.subarray(0, 24)), `00010008${COOKIE}${ID}80280004`);
  assert.equal(plain.length, 28);
  const change = written((out) =>
    encodeBindingRequest({ transactionId, changePort: true }, out, 0)
  );
  assert.equal(encodeHex(change.subarray(20, 28)), "0003000400000002");
  for (const changeAddress of [true, false]) {
    for (const changePort of [true, false]) {
      const request = { transactionId, changeAddress, changePort };
      const read = decodeStunMessage(written((out) => encodeBindingRequest(request, out, 0)))!;
      assert.equal(read.messageClass, "request");
      assert.deepEqual([read.changeAddress, read.changePort], [changeAddress, changePort]);
      assert.equal(read.hasFingerprint, true);
    }
  }
});

Deno.test("encodeBindingResponse is read back, for both families", () => {
  for (const text of ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:1"]) {
    const mappedAddress = parseSocketAddress(text)!;
    const otherAddress = parseSocketAddress("203.0.113.9:3479")!;
    const responseOrigin = parseSocketAddress("[2001:db8::1]:3478")!;
    const response = { transactionId, mappedAddress, otherAddress, responseOrigin };
    const read = decodeStunMessage(written((out) => encodeBindingResponse(response, out, 0)))!;
    assert.equal(read.messageClass, "success");
    assert.deepEqual(read.mappedAddress, mappedAddress);
    assert.deepEqual(read.otherAddress, otherAddress);
    assert.deepEqual(read.responseOrigin, responseOrigin);
  }
});

Deno.test("encodeBindingResponse writes the XOR-MAPPED-ADDRESS of RFC 5769", () => {
  for (const vector of vectors.filter(({ mappedAddress }) => mappedAddress)) {
    const mappedAddress = parseSocketAddress(vector.mappedAddress!)!;
    const bytes = written((out) => encodeBindingResponse({ transactionId, mappedAddress }, out, 0));
    const attribute = encodeHex(bytes.subarray(20, bytes.length - 8));
    assert.ok(vector.message.includes(attribute), attribute);
  }
});

Deno.test("encodeBindingError tells code and attributes", () => {
  const error = { transactionId, code: 420, reason: "No", unknownAttributes: [0x0003, 0x7fff] };
  const read = decodeStunMessage(written((out) => encodeBindingError(error, out, 0)))!;
  assert.equal(read.messageClass, "error");
  assert.equal(read.errorCode, 420);
  assert.deepEqual(read.refusedAttributes, [0x0003, 0x7fff]);
  assert.throws(
    () => encodeBindingError({ ...error, code: 200 }, new Uint8Array(99), 0),
    RangeError,
  );
});

Deno.test("STUN encoders refuse a wrong transaction id and too little room", () => {
  const out = new Uint8Array(256);
  assert.throws(
    () => encodeBindingRequest({ transactionId: out.subarray(0, 8) }, out, 0),
    RangeError,
  );
  assert.throws(() => encodeBindingRequest({ transactionId }, out, 229), RangeError);
  assert.equal(encodeBindingRequest({ transactionId }, out, 228), 256);
});

Deno.test("decodeStunMessage ignores optional attributes and names unknown required ones", () => {
  const read = decodeStunMessage(
    message("0101", "c057 0003 aabbcc00 7fff 0001 aa000000 0020 0008 0001a147e112a643"),
  )!;
  assert.deepEqual(read.unknownRequired, [0x7fff]);
  assert.equal(read.mappedAddress!.host, "192.0.2.1");
  // Old servers tell SOURCE-ADDRESS and CHANGED-ADDRESS, which nobody has to know any more.
  const old = "0004 0008 0001 0d96 cb007101 0005 0008 0001 0d97 cb007102";
  assert.deepEqual(decodeStunMessage(message("0101", old))!.unknownRequired, []);
});

Deno.test("decodeStunMessage takes MAPPED-ADDRESS where there is no better", () => {
  const plain = "0001 0008 0001 1388 c6336407";
  const xored = "0020 0008 0001 a147 e112a643";
  assert.deepEqual(
    decodeStunMessage(message("0101", plain))!.mappedAddress,
    { family: 4, host: "198.51.100.7", port: 5000 },
  );
  for (const both of [plain + xored, xored + plain, xored + plain + plain]) {
    assert.equal(decodeStunMessage(message("0101", both))!.mappedAddress!.host, "192.0.2.1");
  }
});

Deno.test("decodeStunMessage believes nothing behind MESSAGE-INTEGRITY", () => {
  const integrity = "0008 0014" + "00".repeat(20);
  const read = decodeStunMessage(message("0101", `${integrity} 0020 0008 0001a147e112a643`))!;
  assert.equal(read.mappedAddress, undefined);
});

Deno.test("decodeStunMessage refuses what it cannot make sense of", () => {
  const cases: Record<string, string> = {
    "attribute longer than the message": "0020 000c 0001a147e112a643",
    "address of no family": "0020 0008 0003a147e112a643",
    "IPv6 of 4 bytes": "0020 0008 0002a147e112a643",
    "IPv4 of 16 bytes": "0020 0014 0001a147" + "00".repeat(16),
    "empty address": "0020 0000",
    "port 0": "0020 0008 00012112e112a643",
    "error without code": "0009 0000",
    "error of code 200": "0009 0004 00000200",
    "error of code 4100": "0009 0004 00000464",
    "change request of 2 bytes": "0003 0002 00060000",
    "wrong fingerprint": "8028 0004 00000000",
    "short fingerprint": "8028 0000",
  };
  for (const [name, attributes] of Object.entries(cases)) {
    assert.equal(decodeStunMessage(message("0101", attributes)), undefined, name);
  }
  const followed = message("0001", "8028 0004 00000000 8022 0000");
  const fingerprint = stunFingerprint(followed.subarray(0, 20));
  new DataView(followed.buffer).setUint32(24, fingerprint);
  assert.equal(decodeStunMessage(followed), undefined, "something behind a right FINGERPRINT");
});

Deno.test("decodeStunMessage leaves out an unreadable other address", () => {
  const read = decodeStunMessage(message("0101", "802c 0008 0001 0000 cb007101 802b 0000"))!;
  assert.equal(read.otherAddress, undefined);
  assert.equal(read.responseOrigin, undefined);
});

Deno.test("decodeStunMessage tells method and class apart", () => {
  const cases = [["0001", 1, "request"], ["0011", 1, "indication"], ["0111", 1, "error"], [
    "0113",
    3,
    "error",
  ], ["3eef", 0xfff, "request"]] as const;
  for (const [type, method, messageClass] of cases) {
    const read = decodeStunMessage(message(type, ""))!;
    assert.deepEqual([read.method, read.messageClass], [method, messageClass]);
  }
});

Deno.test("peekStunLength tells where a message ends that has others behind it", () => {
  const first = message("0101", "0020 0008 0001 a147 e112 a643");
  const second = message("0101", "");
  assert.equal(peekStunLength(concatBytes(first, second)), first.length);
  assert.equal(peekStunLength(concatBytes(second, first)), second.length);
  assert.equal(peekStunLength(first), first.length);
  assert.equal(peekStunLength(first.subarray(0, first.length - 1)), 0, "cut off");
  assert.equal(peekStunLength(new Uint8Array(100)), 0);
  assert.equal(peekStunLength(new Uint8Array(3)), 0);
});
