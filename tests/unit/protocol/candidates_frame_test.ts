import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import type { Candidate } from "../../../lib/nat/candidate.ts";
import {
  encodeCandidateList,
  MAX_CANDIDATES_FRAME_BYTES,
  MAX_OBSERVED_FRAME_BYTES,
  readCandidates,
  readObservedAddress,
  writeCandidates,
  writeObservedAddress,
} from "../../../lib/protocol/candidates_frame.ts";
import { Frame } from "../../../lib/protocol/frame.ts";

const v4 = (last: number, port: number): SocketAddress => ({
  family: 4,
  host: `192.0.2.${last}`,
  port,
});
const v6 = (last: number, port: number): SocketAddress => ({
  family: 6,
  host: `2001:db8::${last.toString(16)}`,
  port,
});
const list = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: index % 2 === 0 ? "host" : "reflexive",
    address: index % 2 === 0 ? v6(index + 1, 1000 + index) : v4(index, 2000 + index),
  }));

const MAX_SEQUENCE = Number.MAX_SAFE_INTEGER;

Deno.test("writeCandidates and readCandidates agree on lists of one to eight", () => {
  for (let count = 1; count <= 8; count++) {
    const out = new Uint8Array(MAX_CANDIDATES_FRAME_BYTES);
    const end = writeCandidates(MAX_SEQUENCE, encodeCandidateList(list(count)), out, 0);
    assert.equal(out[0], Frame.CANDIDATES);
    const reader = new ByteReader(out.subarray(1, end));
    assert.deepEqual(readCandidates(reader), { sequence: MAX_SEQUENCE, candidates: list(count) });
    assert.equal(reader.remaining, 0);
  }
});

Deno.test("encodeCandidateList refuses no candidates, nine, and places where nobody is", () => {
  assert.throws(() => encodeCandidateList([]), RangeError);
  assert.throws(() => encodeCandidateList(list(9)), RangeError);
  assert.throws(
    () => encodeCandidateList([{ kind: "host", address: { ...v4(1, 1), host: "224.0.0.1" } }]),
    RangeError,
  );
});

Deno.test("[FRM-1] readCandidates refuses forbidden addresses, nine candidates and bytes that do not fit", () => {
  const refused: readonly (readonly number[])[] = [
    [0], // no candidate
    [7, 0x00, 224, 0, 0, 1, 0, 9], // multicast
    [7, 0x00, 255, 255, 255, 255, 0, 9],
    [7, 0x00, 0, 0, 0, 0, 0, 9],
    [7, 0x00, 192, 0, 2, 1, 0, 0], // port 0
    [6, 0x00, 192, 0, 2, 1, 9], // half a port
    [7, 0x01, 192, 0, 2, 1, 0, 9], // a reserved bit
    [7, 0x00, 192, 168, 2, 1, 0, 9], // not the shortest form
    [8, 0x00, 192, 0, 2, 1, 0, 9], // longer than the packet
    [
      7 + 5 * 8,
      0x00,
      192,
      0,
      2,
      1,
      0,
      9,
      ...Array.from({ length: 8 }, (_, index) => [0x04, 192, 0, 2, 2 + index]).flat(),
    ],
  ];
  for (const bytes of refused) {
    assert.equal(readCandidates(new ByteReader(new Uint8Array([1, ...bytes]))), undefined);
  }
  const loopback = new Uint8Array([1, 7, 0x00, 127, 0, 0, 1, 0, 9]);
  assert.ok(readCandidates(new ByteReader(loopback)), "loopback is for the paths to judge");
});

Deno.test("writeObservedAddress and readObservedAddress agree", () => {
  for (const address of [v4(7, 65_535), v6(9, 1)]) {
    const out = new Uint8Array(MAX_OBSERVED_FRAME_BYTES);
    const end = writeObservedAddress(3, address, out, 0);
    assert.equal(out[0], Frame.OBSERVED_ADDRESS);
    const reader = new ByteReader(out.subarray(1, end));
    assert.deepEqual(readObservedAddress(reader), { sequence: 3, address });
    assert.equal(reader.remaining, 0);
  }
});

Deno.test("[FRM-1] readObservedAddress refuses other families, port 0 and IPv4 written as IPv6", () => {
  const mapped = [6, ...new Array<number>(10).fill(0), 0xff, 0xff, 192, 0, 2, 1, 0, 9];
  for (const bytes of [[5, 192, 0, 2, 1, 0, 9], [4, 192, 0, 2, 1, 0, 0], [4, 192, 0, 2], mapped]) {
    assert.equal(readObservedAddress(new ByteReader(new Uint8Array([1, ...bytes]))), undefined);
  }
});

Deno.test("readCandidates and readObservedAddress never throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    readCandidates(new ByteReader(bytes));
    readObservedAddress(new ByteReader(bytes));
  }));
});
