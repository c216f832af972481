import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { decodeHex } from "../../../lib/bytes/hex.ts";
import { ipAddressFromBytes, parseSocketAddress } from "../../../lib/nat/address.ts";
import { type Candidate, type CandidateKind, forbiddenScope } from "../../../lib/nat/candidate.ts";
import { MAPPING_CLASSES } from "../../../lib/nat/mapping_class.ts";
import type { CodeProblem } from "../../../lib/rendezvous/code_header.ts";
import {
  decodeShareCode,
  encodeShareCode,
  type ShareCode,
} from "../../../lib/rendezvous/share_code.ts";

const T_HEX = "000102030405060708090a0b0c0d0e0f";
const T = decodeHex(T_HEX);
const PUBLIC = "203.0.113.5:40000";
const LAN = "192.168.1.20:40000";
const IPV6 = "[2001:db8::5]:40000";

function candidate(text: string, kind: CandidateKind = "host"): Candidate {
  return { kind, address: parseSocketAddress(text)! };
}

function codeOf(...addresses: string[]): string {
  return encodeShareCode({
    t: T,
    mappingClass: "unknown",
    candidates: addresses.map((address) => candidate(address)),
  });
}

/** The problem of a code with these contents and a right checksum. */
function problemOf(hex: string, allowLoopback = false): CodeProblem | undefined {
  const text = encodeBech32m("p2p", decodeHex(hex.replaceAll(" ", "")));
  const result = decodeShareCode(text, { allowLoopback });
  return result.ok ? undefined : result.problem;
}

const shareCode: fc.Arbitrary<ShareCode> = fc.record({
  t: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  mappingClass: fc.constantFrom(...MAPPING_CLASSES),
  candidates: fc.array(
    fc.record({
      kind: fc.constantFrom<CandidateKind>("host", "reflexive", "mapped", "manual"),
      bytes: fc.oneof(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
      ),
      port: fc.oneof(fc.constant(4000), fc.integer({ min: 1, max: 65_535 })),
    }).map(({ kind, bytes, port }) => ({
      kind,
      address: { ...ipAddressFromBytes(bytes)!, port },
    })).filter(({ address }) => forbiddenScope(address, true) === undefined),
    { minLength: 1, maxLength: 4 },
  ),
}, { noNullPrototype: true });

/** Case, spaces, dashes and line breaks as people and programs change them. */
function retyped(code: string): fc.Arbitrary<string> {
  const gap = fc.constantFrom("", "", "", " ", "-", "\n", "\t");
  return fc.array(fc.tuple(fc.boolean(), gap), { minLength: code.length, maxLength: code.length })
    .map((all) =>
      all.map(([isUpper, gap], index) => (isUpper ? code[index]!.toUpperCase() : code[index]) + gap)
        .join("")
    );
}

Deno.test("decodeShareCode reads what encodeShareCode wrote, however it is typed", () => {
  const cases = shareCode.chain((code) =>
    fc.tuple(fc.constant(code), retyped(encodeShareCode(code)))
  );
  fc.assert(fc.property(cases, ([code, typed]) => {
    assert.deepEqual(decodeShareCode(typed, { allowLoopback: true }), { ok: true, code });
  }));
});

Deno.test("encodeShareCode writes known codes", () => {
  assert.equal(codeOf(PUBLIC), "p2p1qqqqzqsrqszsvpcgpy9qkrqdpc8spjcqwyzecsqezt50n");
  const bytes = `04 ${T_HEX} 40 cb007105 9c40 14 0114`;
  assert.equal(
    encodeShareCode({
      t: T,
      mappingClass: "endpoint_independent",
      candidates: [candidate(PUBLIC, "reflexive"), candidate(LAN)],
    }),
    encodeBech32m("p2p", decodeHex(bytes.replaceAll(" ", ""))),
  );
});

Deno.test("encodeShareCode keeps codes short", () => {
  const lengths: [string[], number][] = [
    [[PUBLIC], 49],
    [[PUBLIC, LAN], 54],
    [[PUBLIC, "10.1.2.3:40000"], 55],
    [[PUBLIC, LAN, IPV6], 81],
    [[PUBLIC, IPV6], 76],
    [[IPV6], 68],
    [[LAN], 46],
    [["10.1.2.3:40000"], 47],
    [["[2001:db8::1]:1", "[2001:db8::1]:2", "[2001:db8::1]:3", "[2001:db8::1]:4"], 159],
  ];
  for (const [addresses, length] of lengths) {
    assert.equal(codeOf(...addresses).length, length, addresses.join(" "));
  }
});

Deno.test("encodeShareCode throws on what is no share code", () => {
  const good: ShareCode = { t: T, mappingClass: "none", candidates: [candidate(PUBLIC)] };
  assert.throws(() => encodeShareCode({ ...good, t: T.subarray(1) }), RangeError);
  assert.throws(() => encodeShareCode({ ...good, candidates: [] }), RangeError);
  const five = Array.from({ length: 5 }, (_, index) => candidate(`192.0.2.1:${index + 1}`));
  assert.throws(() => encodeShareCode({ ...good, candidates: five }), RangeError);
  assert.throws(
    () => encodeShareCode({ ...good, candidates: [candidate("0.0.0.0:1")] }),
    RangeError,
  );
});

Deno.test("decodeShareCode names one and two wrong characters exactly", () => {
  const code = codeOf(PUBLIC, LAN);
  const other = fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn54khce6mua7lbio1");
  const place = fc.nat(code.length - 1);
  const mistakes = fc.uniqueArray(fc.tuple(place, other), {
    minLength: 1,
    maxLength: 2,
    selector: ([at]) => at,
  }).filter((all) => all.every(([at, by]) => code[at] !== by));
  fc.assert(
    fc.property(mistakes, (mistakes) => {
      const characters = [...code];
      for (const [at, by] of mistakes) characters[at] = by;
      const result = decodeShareCode(characters.join(""), { allowLoopback: false });
      assert.ok(!result.ok && result.problem.reason === "wrong_characters");
      assert.equal(result.problem.complete, true);
      assert.deepEqual(
        result.problem.characters.map(({ position }) => position - 1),
        mistakes.map(([at]) => at).sort((a, b) => a - b),
      );
    }),
    { numRuns: 1000 },
  );
});

Deno.test("decodeShareCode never throws", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.uint8Array({ maxLength: 120 }).map((bytes) => encodeBech32m("p2p", bytes)),
    // Contents that get past the header more often than chance.
    fc.uint8Array({ maxLength: 80 }).map((rest) =>
      encodeBech32m("p2p", new Uint8Array([0, ...T, 0x10, ...rest]))
    ),
  );
  fc.assert(
    fc.property(text, fc.boolean(), (text, allowLoopback) => {
      const result = decodeShareCode(text, { allowLoopback });
      if (result.ok) assert.equal(encodeShareCode(result.code), text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("[CODE-3] decodeShareCode asks for the version before anything else", () => {
  for (let version = 1; version < 8; version++) {
    const header = (version << 5 | 0x1f).toString(16).padStart(2, "0");
    assert.deepEqual(problemOf(header), { reason: "unknown_version", version, supported: 0 });
    assert.deepEqual(problemOf(`${header} ${T_HEX} ff`), {
      reason: "unknown_version",
      version,
      supported: 0,
    });
  }
});

Deno.test("[CODE-1] decodeShareCode refuses contents that break the format", () => {
  const address = "00 cb007105 9c40";
  assert.equal(problemOf(`00 ${T_HEX} ${address}`), undefined);
  assert.equal(problemOf(`0a ${T_HEX} ${address}`), undefined);
  assert.deepEqual(problemOf(`01 ${T_HEX} ${address}`), { reason: "short_code" });
  assert.deepEqual(problemOf(`0c ${T_HEX} ${address}`), { reason: "reserved_bits" });
  assert.deepEqual(problemOf(`0e ${T_HEX} ${address}`), { reason: "reserved_bits" });
  assert.deepEqual(problemOf(""), { reason: "truncated" });
  assert.deepEqual(problemOf("00"), { reason: "truncated" });
  assert.deepEqual(problemOf(`00 ${T_HEX.slice(2)}`), { reason: "truncated" });
  assert.deepEqual(problemOf(`00 ${T_HEX}`), { reason: "no_candidates" });
  assert.deepEqual(problemOf(`00 ${T_HEX} 00 cb007105 9c`), { reason: "truncated" });
  assert.deepEqual(problemOf(`00 ${T_HEX} ${address}` + "04 cb007105".repeat(4)), {
    reason: "too_many_candidates",
  });
  assert.deepEqual(problemOf(`00 ${T_HEX} 00 cb007105 0000`), {
    reason: "port_zero",
    host: "203.0.113.5",
  });
  assert.deepEqual(problemOf(`00 ${T_HEX} 00 e0000001 9c40`), {
    reason: "forbidden_address",
    host: "224.0.0.1",
    scope: "multicast",
  });
});

Deno.test("decodeShareCode takes loopback addresses only when allowed", () => {
  const hex = `00 ${T_HEX} 00 7f000001 9c40`;
  assert.deepEqual(problemOf(hex), {
    reason: "forbidden_address",
    host: "127.0.0.1",
    scope: "loopback",
  });
  assert.equal(problemOf(hex, true), undefined);
});

Deno.test("[CODE-4] decodeShareCode recognises a reply code, masked or not, mistyped or not", () => {
  const reply = decodeHex("10" + "5a".repeat(10) + "00cb0071059c40");
  const masked = encodeBech32m("p2p", reply, 0x1357_9bdf);
  const mistyped = masked.slice(0, 9) + "b" + masked.slice(10);
  for (const text of [encodeBech32m("p2p", reply), masked, masked.toUpperCase(), mistyped]) {
    assert.deepEqual(decodeShareCode(text, { allowLoopback: false }), {
      ok: false,
      problem: { reason: "reply_code" },
    }, text);
  }
});

Deno.test("[CODE-4] decodeShareCode recognises a short code, and takes no typing error for one", () => {
  const short = decodeHex("055a5a5a5a00cb0071059c40");
  for (const text of [encodeBech32m("p2p", short), encodeBech32m("p2p", short, 0x1357_9bdf)]) {
    assert.deepEqual(decodeShareCode(text, { allowLoopback: false }), {
      ok: false,
      problem: { reason: "short_code" },
    }, text);
  }
  const code = codeOf(PUBLIC);
  // The bit that makes a code a short one, in the second symbol.
  const typo = code.slice(0, 5) + "qpzry9x8gf2tvdw0s3jn54khce6mua7l"[
    "qpzry9x8gf2tvdw0s3jn54khce6mua7l".indexOf(code[5]!) ^ 4
  ] + code.slice(6);
  for (const text of [typo, typo.slice(0, 20) + (typo[20] === "x" ? "y" : "x") + typo.slice(21)]) {
    const result = decodeShareCode(text, { allowLoopback: false });
    assert.ok(!result.ok && result.problem.reason === "wrong_characters");
    assert.equal(result.problem.characters[0]!.position, 6);
  }
});

Deno.test("decodeShareCode does not take a typing error for a reply code", () => {
  const code = codeOf(PUBLIC);
  // The first symbol of a share code is 0; 2 has the reply bit set.
  assert.equal(code[4], "q");
  for (const text of ["p2p1z" + code.slice(5), "p2p1b" + code.slice(5)]) {
    const result = decodeShareCode(text, { allowLoopback: false });
    assert.ok(!result.ok && result.problem.reason === "wrong_characters");
    assert.deepEqual(result.problem.characters.map(({ position }) => position), [5]);
  }
});

Deno.test("decodeShareCode does not guess what a mistyped code of another version is", () => {
  const bytes = decodeHex("50" + "5a".repeat(10) + "00cb0071059c40");
  const result = decodeShareCode(encodeBech32m("p2p", bytes, 0x1357_9bdf), {
    allowLoopback: false,
  });
  assert.ok(!result.ok && result.problem.reason === "wrong_characters");
});
