import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { decodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { maskReplyCandidates, replyChecksumMask } from "../../../lib/crypto/reply_mask.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import { ipAddressFromBytes, parseSocketAddress } from "../../../lib/nat/address.ts";
import { type Candidate, type CandidateKind, forbiddenScope } from "../../../lib/nat/candidate.ts";
import { MAPPING_CLASSES } from "../../../lib/nat/mapping_class.ts";
import type { CodeProblem } from "../../../lib/rendezvous/code_header.ts";
import {
  decodeReplyCode,
  encodeReplyCode,
  type ReplyCode,
} from "../../../lib/rendezvous/reply_code.ts";
import { decodeShareCode, encodeShareCode } from "../../../lib/rendezvous/share_code.ts";

const T = decodeHex("000102030405060708090a0b0c0d0e0f");
const KEYS = deriveShareKeys(nodeProvider, T);
const OTHER_KEYS = deriveShareKeys(nodeProvider, T.toReversed());
const R = decodeHex("a0a1a2a3a4a5a6a7a8a9");
const PUBLIC = "203.0.113.5:40000";
const LAN = "192.168.1.20:40000";

function candidate(text: string, kind: CandidateKind = "host"): Candidate {
  return { kind, address: parseSocketAddress(text)! };
}

function codeOf(...addresses: string[]): string {
  const candidates = addresses.map((address) => candidate(address));
  return encodeReplyCode({ r: R, mappingClass: "unknown", candidates }, KEYS);
}

function problemOf(text: string, allowLoopback = false): CodeProblem | undefined {
  const result = decodeReplyCode(text, KEYS, { allowLoopback });
  return result.ok ? undefined : result.problem;
}

/** A code of this share with these candidates, in hexadecimal, whatever they are. */
function madeOf(header: string, candidates: string): string {
  const masked = decodeHex(candidates.replaceAll(" ", ""));
  maskReplyCandidates(KEYS, R, masked);
  const bytes = new Uint8Array([...decodeHex(header), ...R, ...masked]);
  return encodeBech32m("p2p", bytes, replyChecksumMask(KEYS));
}

const replyCode: fc.Arbitrary<ReplyCode> = fc.record({
  r: fc.uint8Array({ minLength: 10, maxLength: 10 }),
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

Deno.test("decodeReplyCode reads what encodeReplyCode wrote, however it is typed", () => {
  fc.assert(fc.property(replyCode, fc.constantFrom("", " ", "-", "\n"), (code, gap) => {
    const typed = [...encodeReplyCode(code, KEYS).toUpperCase()].join(gap);
    assert.deepEqual(decodeReplyCode(typed, KEYS, { allowLoopback: true }), { ok: true, code });
  }));
});

Deno.test("encodeReplyCode keeps codes short", () => {
  const lengths: [string[], number][] = [
    [[PUBLIC], 39],
    [[PUBLIC, LAN], 44],
    [[LAN], 36],
    [["[2001:db8::5]:40000"], 58],
  ];
  for (const [addresses, length] of lengths) {
    assert.equal(codeOf(...addresses).length, length, addresses.join(" "));
  }
});

Deno.test("encodeReplyCode throws on what is no reply code", () => {
  const good: ReplyCode = { r: R, mappingClass: "none", candidates: [candidate(PUBLIC)] };
  assert.throws(() => encodeReplyCode({ ...good, r: T }, KEYS), RangeError);
  assert.throws(() => encodeReplyCode({ ...good, candidates: [] }, KEYS), RangeError);
  const five = Array.from({ length: 5 }, (_, index) => candidate(`192.0.2.1:${index + 1}`));
  assert.throws(() => encodeReplyCode({ ...good, candidates: five }, KEYS), RangeError);
});

Deno.test("encodeReplyCode shows no address without the keys of the share", () => {
  // The same client at one address, answering two shares: what stands behind r has nothing in common.
  const both = [KEYS, OTHER_KEYS].map((keys) => {
    const masked = decodeHex("00cb0071059c40");
    maskReplyCandidates(keys, R, masked);
    return masked;
  });
  assert.ok(both[0]!.filter((byte, index) => byte === both[1]![index]).length <= 2);
  assert.notDeepEqual(both[0], decodeHex("00cb0071059c40"));
});

Deno.test("[CODE-5] decodeReplyCode refuses a reply to another share", () => {
  const candidates = [candidate(PUBLIC), candidate(LAN)];
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (t) => {
      const keys = deriveShareKeys(nodeProvider, t);
      const text = encodeReplyCode({ r: R, mappingClass: "none", candidates }, keys);
      const result = decodeReplyCode(text, KEYS, { allowLoopback: true });
      assert.equal(result.ok, false);
    }),
  );
  const text = encodeReplyCode({ r: R, mappingClass: "none", candidates }, OTHER_KEYS);
  assert.deepEqual(problemOf(text), { reason: "other_share", characterCount: 44 });
});

Deno.test("[CODE-5] decodeReplyCode names one and two wrong characters, and no more", () => {
  const code = codeOf(PUBLIC, LAN);
  const other = fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn54khce6mua7lbio1");
  const mistakes = fc.uniqueArray(fc.tuple(fc.nat(code.length - 1), other), {
    minLength: 1,
    maxLength: 2,
    selector: ([at]) => at,
  }).filter((all) => all.every(([at, by]) => code[at] !== by));
  fc.assert(fc.property(mistakes, (mistakes) => {
    const characters = [...code];
    for (const [at, by] of mistakes) characters[at] = by;
    const problem = problemOf(characters.join(""));
    assert.ok(problem?.reason === "wrong_characters");
    assert.deepEqual(
      problem.characters.map(({ position }) => position - 1),
      mistakes.map(([at]) => at).sort((a, b) => a - b),
    );
  }));
  const garbled = code.slice(0, 8) + "qqqq" + code.slice(12);
  assert.deepEqual(problemOf(garbled), { reason: "other_share", characterCount: 44 });
});

Deno.test("[CODE-4] decodeReplyCode recognises a share code, mistyped or not", () => {
  for (const mappingClass of MAPPING_CLASSES) {
    const share = encodeShareCode({ t: T, mappingClass, candidates: [candidate(PUBLIC)] });
    const mistyped = share.slice(0, 20) + "xxx" + share.slice(23);
    for (const text of [share, share.toUpperCase(), mistyped]) {
      assert.deepEqual(problemOf(text), { reason: "share_code" }, text);
    }
  }
});

Deno.test("[CODE-4] decodeShareCode recognises every reply code", () => {
  fc.assert(fc.property(replyCode, (code) => {
    const result = decodeShareCode(encodeReplyCode(code, KEYS), { allowLoopback: true });
    assert.deepEqual(result, { ok: false, problem: { reason: "reply_code" } });
  }));
});

Deno.test("decodeReplyCode does not take a typing error for a share code", () => {
  const code = codeOf(PUBLIC);
  // 2 is the first symbol of a reply code; with 0 it would be a share code.
  assert.equal(code[4], "z");
  const problem = problemOf("p2p1q" + code.slice(5));
  assert.ok(problem?.reason === "wrong_characters");
  assert.deepEqual(problem.characters.map(({ position }) => position), [5]);
});

Deno.test("[CODE-6] decodeReplyCode refuses contents that break the format", () => {
  const address = "00 cb007105 9c40";
  const problem = (header: string, candidates: string) => problemOf(madeOf(header, candidates));
  assert.equal(problem("10", address), undefined);
  assert.equal(problem("1a", address), undefined);
  assert.deepEqual(problem("11", address), { reason: "reserved_bits" });
  assert.deepEqual(problem("1c", address), { reason: "reserved_bits" });
  assert.deepEqual(problem("00", address), { reason: "share_code" });
  assert.deepEqual(problem("7f", address), {
    reason: "unknown_version",
    version: 3,
    supported: 0,
  });
  assert.deepEqual(problem("10", ""), { reason: "no_candidates" });
  assert.deepEqual(problem("10", "00 cb007105 9c"), { reason: "truncated" });
  assert.deepEqual(problem("10", address + "04 cb007105".repeat(4)), {
    reason: "too_many_candidates",
  });
  assert.deepEqual(problem("10", "00 c0a80114 9c40"), { reason: "not_shortest" });
  assert.deepEqual(problem("10", "00 ffffffff 9c40"), {
    reason: "forbidden_address",
    host: "255.255.255.255",
    scope: "broadcast",
  });
  const mask = replyChecksumMask(KEYS);
  for (const hex of ["", "10", "10a0a1a2a3a4a5a6a7a8"]) {
    assert.deepEqual(problemOf(encodeBech32m("p2p", decodeHex(hex), mask)), {
      reason: "truncated",
    });
  }
});

Deno.test("decodeReplyCode takes loopback addresses only when allowed", () => {
  const text = codeOf("127.0.0.1:4000");
  assert.deepEqual(problemOf(text), {
    reason: "forbidden_address",
    host: "127.0.0.1",
    scope: "loopback",
  });
  assert.equal(problemOf(text, true), undefined);
});

Deno.test("decodeReplyCode never throws", () => {
  const mask = replyChecksumMask(KEYS);
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.uint8Array({ maxLength: 160 }).map((bytes) => encodeBech32m("p2p", bytes, mask)),
    fc.uint8Array({ maxLength: 160 }).map((bytes) =>
      encodeBech32m("p2p", new Uint8Array([0x10, ...bytes]), mask)
    ),
  );
  fc.assert(fc.property(text, fc.boolean(), (text, allowLoopback) => {
    const result = decodeReplyCode(text, KEYS, { allowLoopback });
    if (result.ok) assert.equal(encodeReplyCode(result.code, KEYS), text);
  }));
});
