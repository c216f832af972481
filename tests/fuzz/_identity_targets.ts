/** What others write about identities: short codes, statements of peers, and the file on the disk. */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { checkIdentity, signIdentity } from "../../lib/crypto/identity.ts";
import type { IdentityBook, Peer } from "../../lib/identity/identity_book.ts";
import { formatIdentityFile, parseIdentityFile } from "../../lib/identity/identity_file.ts";
import { decodeShortCode, encodeShortCode } from "../../lib/rendezvous/short_code.ts";
import type { FuzzTarget } from "./_engine.ts";

const PAIR = { sharerKey: new Uint8Array(32).fill(1), pairSecret: new Uint8Array(32).fill(2) };
const OTHER = { sharerKey: new Uint8Array(32).fill(3), pairSecret: new Uint8Array(32).fill(4) };
const SCOPE = { role: "client", handshakeHash: new Uint8Array(32).fill(5) } as const;
const STATEMENT = signIdentity(nodeProvider, new Uint8Array(32).fill(6), SCOPE);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const shortCodeText: FuzzTarget = {
  name: "short code as text",
  seeds: [1, 2].map((last) =>
    encoder.encode(encodeShortCode(nodeProvider, {
      hint: Uint8Array.of(9, 8, 7, last),
      mappingClass: "none",
      candidates: [{ kind: "host", address: { family: 4, host: "192.168.7.9", port: 41_000 } }],
    }, PAIR))
  ),
  inputs: 3000,
  check: (input) => {
    const text = decoder.decode(input);
    const read = decodeShortCode(nodeProvider, text, [OTHER, PAIR], { allowLoopback: true });
    if (!read.ok) return read.problem.reason;
    assert.equal(read.code.t.length, 16);
    assert.ok(read.code.candidates.length >= 1);
    return "taken";
  },
};

const statement: FuzzTarget = {
  name: "statement of identity",
  seeds: [STATEMENT],
  inputs: 2000,
  check: (input) => {
    const key = checkIdentity(nodeProvider, input, SCOPE);
    if (key === undefined) return "refused";
    // Nobody has the secret key of another one, so there is no other right statement.
    assert.deepEqual(input, STATEMENT);
    return "taken";
  },
};

function peer(name: string, first: number, more: Partial<Peer> = {}): Peer {
  return {
    name,
    publicKey: new Uint8Array(32).fill(first),
    firstSeenSeconds: 1_700_000_000,
    lastSeenSeconds: 1_750_000_000,
    isAlwaysAdmitted: false,
    ...more,
  };
}

const BOOKS: readonly IdentityBook[] = [
  { peers: [] },
  { secretKey: new Uint8Array(32).fill(7), peers: [peer("alice", 1)] },
  {
    peers: [
      peer("Zoë 🦆", 1, { pairSecret: new Uint8Array(32).fill(8) }),
      peer('"', 2, { isAlwaysAdmitted: true }),
    ],
  },
];

const identityFile: FuzzTarget = {
  name: "file of identities",
  seeds: BOOKS.map((book) => encoder.encode(formatIdentityFile(book))),
  inputs: 15_000,
  check: (input) => {
    const read = parseIdentityFile(input);
    if (!read.ok) {
      const { problem } = read;
      if (problem.reason === "unknown_version") return problem.reason;
      assert.ok(problem.line >= 1 && problem.line <= decoder.decode(input).split("\n").length + 1);
      return problem.why.replaceAll(/\d+/g, "n");
    }
    // There is one way to write a book.
    assert.deepEqual(encoder.encode(formatIdentityFile(read.book)), input);
    return `${read.book.peers.length} peers`;
  },
};

/** All of this file. */
export const IDENTITY_TARGETS: readonly FuzzTarget[] = [shortCodeText, statement, identityFile];
