/** Parsers of codes and addresses: share codes, reply codes, lists of candidates. */
import assert from "node:assert/strict";
import { encodeBech32m } from "../../lib/bytes/bech32m.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import { type Candidate, decodeCandidates, encodeCandidates } from "../../lib/nat/candidate.ts";
import { decodeReplyCode, encodeReplyCode } from "../../lib/rendezvous/reply_code.ts";
import { decodeShareCode, encodeShareCode } from "../../lib/rendezvous/share_code.ts";
import type { FuzzTarget } from "./_engine.ts";

const T = new Uint8Array(16).fill(4);
const KEYS = deriveShareKeys(nodeProvider, T);
/** The human-readable part of every code. */
const PREFIX = "p2p";
const ANY_LOOPBACK = { allowLoopback: true };

const LISTS: readonly (readonly Candidate[])[] = [
  [{ kind: "reflexive", address: { family: 4, host: "203.0.113.5", port: 41_000 } }],
  [
    { kind: "manual", address: { family: 4, host: "203.0.113.5", port: 41_000 } },
    { kind: "host", address: { family: 4, host: "192.168.7.9", port: 41_000 } },
    { kind: "mapped", address: { family: 6, host: "2001:db8::5", port: 41_001 } },
    { kind: "host", address: { family: 4, host: "10.1.2.3", port: 41_001 } },
  ],
  [
    { kind: "host", address: { family: 4, host: "172.16.0.1", port: 1 } },
    { kind: "host", address: { family: 4, host: "100.64.0.1", port: 65_535 } },
    { kind: "host", address: { family: 4, host: "127.0.0.1", port: 65_535 } },
  ],
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function listBytes(candidates: readonly Candidate[]): Uint8Array {
  const out = new Uint8Array(200);
  return out.slice(0, encodeCandidates(candidates, out, 0));
}

/** The bytes in a share code, behind its checksum. */
function shareContent(candidates: readonly Candidate[]): Uint8Array {
  return new Uint8Array([0b0000_0100, ...T, ...listBytes(candidates)]);
}

const candidateList: FuzzTarget = {
  name: "candidate list",
  seeds: LISTS.map(listBytes),
  inputs: 20_000,
  check: (input) => {
    const result = decodeCandidates(input, 0, { allowLoopback: true });
    if (!result.ok) return result.problem.reason;
    assert.ok(result.candidates.length <= 4);
    // [CODE-2] There is one way to write a list.
    assert.deepEqual(listBytes(result.candidates), input);
    return `${result.candidates.length} candidates`;
  },
};

const shareCodeContent: FuzzTarget = {
  name: "share code behind its checksum",
  seeds: LISTS.map(shareContent),
  inputs: 8000,
  check: (input) => {
    const text = encodeBech32m(PREFIX, input);
    const result = decodeShareCode(text, ANY_LOOPBACK);
    if (!result.ok) return result.problem.reason;
    assert.equal(encodeShareCode(result.code), text);
    return result.code.mappingClass;
  },
};

const shareCodeText: FuzzTarget = {
  name: "share code as text",
  seeds: LISTS.map((candidates) =>
    encoder.encode(encodeShareCode({ t: T, mappingClass: "none", candidates }))
  ),
  inputs: 4000,
  check: (input) => {
    const text = decoder.decode(input);
    const result = decodeShareCode(text, ANY_LOOPBACK);
    if (!result.ok) return result.problem.reason;
    const plain = text.toLowerCase().replace(/[\s\p{Cf}\p{Pd}\u2212]/gu, "");
    assert.equal(encodeShareCode(result.code), plain);
    return "taken";
  },
};

const replyCodeText: FuzzTarget = {
  name: "reply code as text",
  seeds: [
    ...LISTS.map((candidates) =>
      encodeReplyCode({ r: new Uint8Array(10).fill(2), mappingClass: "unknown", candidates }, KEYS)
    ),
    encodeShareCode({ t: T, mappingClass: "none", candidates: LISTS[0]! }),
  ].map((text) => encoder.encode(text)),
  inputs: 4000,
  check: (input) => {
    const text = decoder.decode(input);
    const result = decodeReplyCode(text, KEYS, ANY_LOOPBACK);
    if (!result.ok) return result.problem.reason;
    const plain = text.toLowerCase().replace(/[\s\p{Cf}\p{Pd}\u2212]/gu, "");
    assert.equal(encodeReplyCode(result.code, KEYS), plain);
    return "taken";
  },
};

/** Everything that a person pastes. */
export const CODE_TARGETS: readonly FuzzTarget[] = [
  candidateList,
  shareCodeContent,
  shareCodeText,
  replyCodeText,
];
