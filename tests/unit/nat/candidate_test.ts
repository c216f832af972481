import assert from "node:assert/strict";
import fc from "fast-check";
import { ipAddressFromBytes, parseSocketAddress } from "../../../lib/nat/address.ts";
import {
  type Candidate,
  type CandidateKind,
  decodeCandidates,
  encodeCandidates,
  forbiddenScope,
  MAX_CANDIDATE_BYTES,
  MAX_CANDIDATES,
} from "../../../lib/nat/candidate.ts";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";

const LOOPBACK_TOO = { allowLoopback: true };
const NO_LOOPBACK = { allowLoopback: false };

function candidate(kind: CandidateKind, text: string): Candidate {
  return { kind, address: parseSocketAddress(text)! };
}

function encode(candidates: readonly Candidate[]): Uint8Array {
  const out = new Uint8Array(candidates.length * MAX_CANDIDATE_BYTES);
  return out.subarray(0, encodeCandidates(candidates, out, 0));
}

function problemOf(hex: string, options = NO_LOOPBACK): unknown {
  const result = decodeCandidates(decodeHex(hex.replaceAll(" ", "")), 0, options);
  return result.ok ? undefined : result.problem;
}

/** Any list that may be in a code with loopback allowed. */
const candidates: fc.Arbitrary<Candidate[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<CandidateKind>("host", "reflexive", "mapped", "manual"),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.tuple(
        fc.constantFrom([192, 168], [10, 3], [172, 16], [172, 32], [100, 64], [100, 1], [127, 0]),
        fc.uint8Array({ minLength: 2, maxLength: 2 }),
      ).map(([head, tail]) => new Uint8Array([...head, ...tail])),
    ),
    // Few ports, so that neighbours often share one.
    port: fc.oneof(fc.constantFrom(1, 4000, 65_535), fc.integer({ min: 1, max: 65_535 })),
  }).map(({ kind, bytes, port }) => ({
    kind,
    address: { ...ipAddressFromBytes(bytes)!, port },
  })).filter(({ address }) => forbiddenScope(address, true) === undefined),
  { minLength: 1, maxLength: MAX_CANDIDATES },
);

Deno.test("encodeCandidates writes the shortest form of every kind of address", () => {
  const cases: [Candidate[], string][] = [
    [[candidate("host", "203.0.113.5:4000")], "00 cb007105 0fa0"],
    [[candidate("reflexive", "[2001:db8::1]:443")], "48 20010db8000000000000000000000001 01bb"],
    [[candidate("host", "192.168.1.20:4000")], "10 0114 0fa0"],
    [[candidate("mapped", "10.1.2.3:65535")], "98 010203 ffff"],
    [[candidate("manual", "172.31.2.3:1")], "e0 1f0203 0001"],
    [[candidate("host", "172.32.2.3:1")], "00 ac200203 0001"],
    [[candidate("host", "100.127.0.9:2")], "28 7f0009 0002"],
    [[candidate("host", "100.128.0.9:2")], "00 64800009 0002"],
    [
      [candidate("reflexive", "203.0.113.5:4000"), candidate("host", "192.168.1.20:4000")],
      "40 cb007105 0fa0 14 0114",
    ],
    [
      [
        candidate("host", "10.0.0.1:1"),
        candidate("host", "10.0.0.1:2"),
        candidate("host", "10.0.0.1:2"),
      ],
      "18 000001 0001 18 000001 0002 1c 000001",
    ],
  ];
  for (const [candidates, hex] of cases) {
    assert.equal(encodeHex(encode(candidates)), hex.replaceAll(" ", ""));
    assert.equal(problemOf(hex), undefined, hex);
  }
});

Deno.test("decodeCandidates gives back what encodeCandidates wrote", () => {
  fc.assert(fc.property(candidates, (candidates) => {
    assert.deepEqual(decodeCandidates(encode(candidates), 0, LOOPBACK_TOO), {
      ok: true,
      candidates,
    });
  }));
});

Deno.test("decodeCandidates never throws, and takes one encoding of a list only", () => {
  // Few different head bytes, so that a good part of the inputs gets past the first check.
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 90 }),
    fc.array(fc.constantFrom(0x00, 0x10, 0x14, 0x18, 0x48, 0xff, 0x01), { maxLength: 30 })
      .map((all) => new Uint8Array(all)),
    fc.tuple(candidates, fc.nat(), fc.integer({ min: 0, max: 255 })).map(
      ([candidates, at, value]) => {
        const bytes = encode(candidates).slice();
        bytes[at % bytes.length] = value;
        return bytes;
      },
    ),
  );
  let accepted = 0;
  fc.assert(
    fc.property(bytes, (bytes) => {
      const result = decodeCandidates(bytes, 0, LOOPBACK_TOO);
      if (!result.ok) return;
      accepted++;
      assert.deepEqual(encode(result.candidates), bytes);
    }),
    { numRuns: 2000 },
  );
  assert.ok(accepted > 100, `only ${accepted} inputs got through`);
});

Deno.test("decodeCandidates names what is wrong with a list", () => {
  assert.deepEqual(problemOf(""), { reason: "no_candidates" });
  assert.deepEqual(problemOf("00"), { reason: "truncated" });
  assert.deepEqual(problemOf("00 cb007105 0f"), { reason: "truncated" });
  assert.deepEqual(problemOf("10 0114 0fa0 10 01"), { reason: "truncated" });
  assert.deepEqual(problemOf("10 0114 0fa0" + "14 0115".repeat(3)), undefined);
  assert.deepEqual(problemOf("10 0114 0fa0" + "14 0115".repeat(4)), {
    reason: "too_many_candidates",
  });
  assert.deepEqual(problemOf("01 cb007105 0fa0"), { reason: "reserved_bits" });
  assert.deepEqual(problemOf("02 cb007105 0fa0"), { reason: "reserved_bits" });
  assert.deepEqual(problemOf("30 cb007105 0fa0"), { reason: "reserved_bits" });
  assert.deepEqual(problemOf("38 cb007105 0fa0"), { reason: "reserved_bits" });
  assert.deepEqual(problemOf("00 cb007105 0000"), { reason: "port_zero", host: "203.0.113.5" });
});

Deno.test("[CODE-2] decodeCandidates refuses a longer way to write the same", () => {
  const cases = [
    "00 c0a80114 0fa0", // 192.168.1.20 in full
    "00 0a010203 0fa0",
    "00 ac100203 0fa0",
    "00 64400203 0fa0",
    "20 200203 0fa0", // 172.32.2.3 in the form of 172.16.0.0/12
    "28 800203 0fa0", // 100.128.2.3 in the form of 100.64.0.0/10
    "48 00000000000000000000ffffcb007105 0fa0", // IPv4 written as IPv6
    "14 0114", // the first has no previous port
    "10 0114 0fa0 10 0115 0fa0", // the same port written again
  ];
  for (const hex of cases) assert.deepEqual(problemOf(hex), { reason: "not_shortest" }, hex);
});

Deno.test("[CODE-1] decodeCandidates refuses addresses at which nobody can be", () => {
  const cases: [string, string, string][] = [
    ["00 00000000 0fa0", "0.0.0.0", "unspecified"],
    ["00 e0000001 0fa0", "224.0.0.1", "multicast"],
    ["00 ffffffff 0fa0", "255.255.255.255", "broadcast"],
    ["00 7f000001 0fa0", "127.0.0.1", "loopback"],
    ["08 00000000000000000000000000000000 0fa0", "::", "unspecified"],
    ["08 00000000000000000000000000000001 0fa0", "::1", "loopback"],
    ["08 ff020000000000000000000000000001 0fa0", "ff02::1", "multicast"],
  ];
  for (const [hex, host, scope] of cases) {
    assert.deepEqual(problemOf(hex), { reason: "forbidden_address", host, scope });
    assert.equal(problemOf(hex, LOOPBACK_TOO) === undefined, scope === "loopback", hex);
  }
});

Deno.test("encodeCandidates throws on addresses that must not be in a code", () => {
  const out = new Uint8Array(40);
  const wrong: Candidate[] = [
    { kind: "host", address: { family: 4, host: "192.0.2.1", port: 0 } },
    { kind: "host", address: { family: 4, host: "192.0.2.1", port: 65_536 } },
    { kind: "host", address: { family: 4, host: "192.0.2.1", port: 1.5 } },
    { kind: "host", address: { family: 4, host: "0.0.0.0", port: 1 } },
    { kind: "host", address: { family: 6, host: "ff02::1", port: 1 } },
    { kind: "host", address: { family: 6, host: "::ffff:192.0.2.1", port: 1 } },
    { kind: "host", address: { family: 6, host: "2001:DB8::1", port: 1 } },
    { kind: "host", address: { family: 4, host: "host.example", port: 1 } },
  ];
  for (const candidate of wrong) {
    assert.throws(() => encodeCandidates([candidate], out, 0), RangeError, candidate.address.host);
  }
  const good = candidate("host", "192.0.2.1:1");
  assert.throws(() => encodeCandidates([good], out, 34), RangeError);
  assert.equal(encodeCandidates([good], out, 33), 40);
});
