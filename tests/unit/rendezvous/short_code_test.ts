import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { shortCodeChecksumMask } from "../../../lib/crypto/pair_secret.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import { ipAddressFromBytes, parseSocketAddress } from "../../../lib/nat/address.ts";
import { type Candidate, type CandidateKind, forbiddenScope } from "../../../lib/nat/candidate.ts";
import { MAPPING_CLASSES } from "../../../lib/nat/mapping_class.ts";
import { shortProblemError } from "../../../lib/rendezvous/code_error.ts";
import type { CodeProblem } from "../../../lib/rendezvous/code_header.ts";
import { decodeReplyCode, encodeReplyCode } from "../../../lib/rendezvous/reply_code.ts";
import { decodeShareCode, encodeShareCode } from "../../../lib/rendezvous/share_code.ts";
import {
  decodeShortCode,
  encodeShortCode,
  type ShortCode,
} from "../../../lib/rendezvous/short_code.ts";
import vectors from "../../vectors/p2pft_identity.json" with { type: "json" };

const SHARER = decodeHex(vectors.sharerKey);
const CLIENT = decodeHex(vectors.clientKey);
const PAIR = { sharerKey: SHARER, pairSecret: decodeHex(vectors.pairSecret) };
const HINT = decodeHex(vectors.hint);
const PUBLIC = "203.0.113.5:40000";
const LAN = "192.168.1.20:40000";
const OPTIONS = { allowLoopback: false };

function candidate(text: string, kind: CandidateKind = "host"): Candidate {
  return { kind, address: parseSocketAddress(text)! };
}

function codeOf(...addresses: string[]): string {
  const candidates = addresses.map((address) => candidate(address));
  return encodeShortCode(nodeProvider, { hint: HINT, mappingClass: "unknown", candidates }, PAIR);
}

function problemOf(text: string, pairs = [PAIR]): CodeProblem | undefined {
  const result = decodeShortCode(nodeProvider, text, pairs, OPTIONS);
  return result.ok ? undefined : result.problem;
}

/** A code of the pair with these bytes, in hexadecimal, whatever they are. */
function madeOf(hex: string): string {
  const mask = shortCodeChecksumMask(nodeProvider, PAIR.pairSecret, {
    sharerKey: SHARER,
    hint: HINT,
  });
  return encodeBech32m("p2p", decodeHex(hex.replaceAll(" ", "")), mask);
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const shortCode: fc.Arbitrary<ShortCode> = fc.record({
  hint: bytes(4),
  mappingClass: fc.constantFrom(...MAPPING_CLASSES),
  candidates: fc.array(
    fc.record({
      kind: fc.constantFrom<CandidateKind>("host", "reflexive", "mapped", "manual"),
      bytes: fc.oneof(bytes(4), bytes(16)),
      port: fc.oneof(fc.constant(4000), fc.integer({ min: 1, max: 65_535 })),
    }).map(({ kind, bytes, port }) => ({
      kind,
      address: { ...ipAddressFromBytes(bytes)!, port },
    })).filter(({ address }) => forbiddenScope(address, true) === undefined),
    { minLength: 1, maxLength: 4 },
  ),
}, { noNullPrototype: true });

Deno.test("[CODE-7] a short code is as published", () => {
  const candidates = [candidate(PUBLIC, "reflexive"), candidate(LAN)];
  const code = { hint: HINT, mappingClass: "endpoint_independent", candidates } as const;
  assert.equal(encodeShortCode(nodeProvider, code, PAIR), vectors.shortCode);
  const read = decodeShortCode(nodeProvider, vectors.shortCode, [PAIR], OPTIONS);
  assert.ok(read.ok);
  assert.equal(encodeHex(read.code.t), vectors.t);
  assert.deepEqual(read.code.candidates, candidates);
});

Deno.test("[CODE-8] decodeShortCode reads what encodeShortCode wrote, however it is typed, and says whose it is", () => {
  const pairs = fc.uniqueArray(fc.record({ sharerKey: bytes(32), pairSecret: bytes(32) }), {
    minLength: 1,
    maxLength: 20,
    selector: ({ pairSecret }) => encodeHex(pairSecret),
  });
  fc.assert(
    fc.property(
      shortCode,
      pairs,
      fc.nat(),
      fc.constantFrom("", " ", "-"),
      (code, pairs, pick, gap) => {
        const pair = pairs[pick % pairs.length]!;
        const typed = [...encodeShortCode(nodeProvider, code, pair).toUpperCase()].join(gap);
        const read = decodeShortCode(nodeProvider, typed, pairs, { allowLoopback: true });
        assert.ok(read.ok);
        assert.equal(read.pair, pair);
        assert.equal(read.code.mappingClass, code.mappingClass);
        assert.deepEqual(read.code.candidates, code.candidates);
        assert.equal(read.code.t.length, 16);
      },
    ),
  );
});

Deno.test("encodeShortCode keeps codes short", () => {
  for (const [addresses, length] of [[[PUBLIC], 30], [[PUBLIC, LAN], 34], [[LAN], 26]] as const) {
    assert.equal(codeOf(...addresses).length, length);
  }
});

Deno.test("[CODE-7] decodeShortCode refuses the codes of other pairs, and those of its own side", () => {
  const other = { sharerKey: SHARER, pairSecret: new Uint8Array(32).fill(7) };
  const swapped = { ...PAIR, sharerKey: CLIENT };
  for (const pairs of [[], [other], [swapped], [other, swapped]]) {
    assert.deepEqual(problemOf(codeOf(PUBLIC), pairs), {
      reason: "other_pair",
      characterCount: 30,
    });
  }
});

Deno.test("[CODE-7] decodeShortCode refuses every code with one wrong character", () => {
  const code = codeOf(PUBLIC, LAN);
  for (let at = 4; at < code.length; at++) {
    for (const character of "qpzry9x8gf2tvdw0s3jn54khce6mua7lb") {
      if (code[at] === character) continue;
      assert.ok(problemOf(code.slice(0, at) + character + code.slice(at + 1)) !== undefined);
    }
  }
});

Deno.test("[CODE-4] each reader of codes tells the others' codes apart", () => {
  const keys = deriveShareKeys(nodeProvider, new Uint8Array(16));
  const candidates = [candidate(PUBLIC)];
  const t = new Uint8Array(16).fill(5);
  const share = encodeShareCode({ t, mappingClass: "none", candidates });
  const reply = encodeReplyCode({ r: new Uint8Array(10), mappingClass: "none", candidates }, keys);
  const short = codeOf(PUBLIC);
  const reasonOf = (result: { ok: boolean; problem?: CodeProblem }) => result.problem?.reason;
  assert.equal(problemOf(share)?.reason, "share_code");
  assert.equal(problemOf(reply)?.reason, "reply_code");
  assert.equal(reasonOf(decodeShareCode(short, OPTIONS)), "short_code");
  assert.equal(reasonOf(decodeReplyCode(short, keys, OPTIONS)), "short_code");
});

Deno.test("[CODE-7] decodeShortCode refuses contents that break the format", () => {
  const hint = vectors.hint;
  const cases: [string, CodeProblem["reason"]][] = [
    [`0d ${hint} 00 cb007105 9c40`, "reserved_bits"],
    [`01 ${hint}`, "no_candidates"],
    [`01 ${hint} 00 cb007105 9c`, "truncated"],
    [`01 ${hint} 00 cb007105 0000`, "port_zero"],
    [`01 ${hint} 00 e0000001 9c40`, "forbidden_address"],
    [`01 ${hint} 00 7f000001 9c40`, "forbidden_address"],
  ];
  for (const [hex, reason] of cases) assert.equal(problemOf(madeOf(hex))?.reason, reason, hex);
  const other = encodeBech32m("p2p", decodeHex("21a0a1a2a300cb0071059c40"));
  assert.equal(problemOf(other)?.reason, "unknown_version");
});

Deno.test("decodeShortCode never throws, and takes nothing that it did not write", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.uint8Array().map((data) => encodeBech32m("p2p", data))),
      (text) => {
        assert.ok(problemOf(text) !== undefined);
      },
    ),
  );
});

Deno.test("encodeShortCode throws on wrong lengths", () => {
  const good: ShortCode = { hint: HINT, mappingClass: "none", candidates: [candidate(PUBLIC)] };
  const encode = (code: ShortCode, pair = PAIR) => encodeShortCode(nodeProvider, code, pair);
  assert.throws(() => encode({ ...good, hint: new Uint8Array(3) }), RangeError);
  assert.throws(() => encode({ ...good, candidates: [] }), RangeError);
  assert.throws(() => encode(good, { ...PAIR, pairSecret: new Uint8Array(31) }), RangeError);
});

Deno.test("shortProblemError says in words what is wrong with a short code, with a hint", () => {
  const cases: [string, RegExp, RegExp][] = [
    [
      codeOf(PUBLIC).replace(/.$/, (last) => last === "q" ? "p" : "q"),
      /of nobody who is remembered/,
      /whole code/,
    ],
    [codeOf(PUBLIC).slice(0, 20), /has 20 characters, a short code has at least 26/, /./],
    [
      encodeShareCode({
        t: new Uint8Array(16),
        mappingClass: "none",
        candidates: [candidate(PUBLIC)],
      }),
      /share code/,
      /./,
    ],
  ];
  for (const [text, message, hint] of cases) {
    const error = shortProblemError(problemOf(text)!);
    assert.equal(error.code, "bad_code");
    assert.match(error.message, message);
    assert.match(error.hint, hint);
  }
});
