import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_PEERS } from "../../../lib/identity/identity_book.ts";
import {
  formatIdentityFile,
  type IdentityFileProblem,
  MAX_IDENTITY_FILE_BYTES,
  parseIdentityFile,
} from "../../../lib/identity/identity_file.ts";
import { identityBook, keyOf, peerOf } from "./_books.ts";

const HEADER = '{"format":"p2pft identities","version":1}';
const KEY = "01" + "5a".repeat(31);
const ALICE = `{"peer":"alice","key":"${KEY}",` +
  '"firstSeen":"2023-11-14T22:13:20Z","lastSeen":"2025-06-15T15:06:40Z"}';

function parsed(...lines: string[]) {
  return parseIdentityFile(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}

function problemOf(...lines: string[]): IdentityFileProblem | undefined {
  const result = parsed(...lines);
  return result.ok ? undefined : result.problem;
}

Deno.test("parseIdentityFile reads what formatIdentityFile wrote", () => {
  fc.assert(fc.property(identityBook, (book) => {
    const bytes = new TextEncoder().encode(formatIdentityFile(book));
    assert.deepEqual(parseIdentityFile(bytes), { ok: true, book });
  }));
});

Deno.test("the file is written as documented", () => {
  const secret = { pairSecret: keyOf(2), isAlwaysAdmitted: true };
  const book = { secretKey: keyOf(3), peers: [peerOf("alice", 1), peerOf("b", 4, secret)] };
  assert.equal(
    formatIdentityFile(book),
    [
      HEADER,
      `{"secretKey":"03${"5a".repeat(31)}"}`,
      ALICE,
      `{"peer":"b","key":"04${"5a".repeat(31)}","firstSeen":"2023-11-14T22:13:20Z",` +
      `"lastSeen":"2025-06-15T15:06:40Z","pairSecret":"02${"5a".repeat(31)}","always":true}`,
      "",
    ].join("\n"),
  );
});

Deno.test("the largest book is shorter than what is read", () => {
  const peers = Array.from(
    { length: MAX_PEERS },
    () => peerOf('"'.repeat(40), 1, { pairSecret: keyOf(1), isAlwaysAdmitted: true }),
  );
  const wide = peers.map((peer) => ({ ...peer, name: "🦆".repeat(40) }));
  for (const each of [peers, wide]) {
    const text = formatIdentityFile({ secretKey: keyOf(1), peers: each });
    assert.ok(new TextEncoder().encode(text).length <= MAX_IDENTITY_FILE_BYTES);
  }
});

Deno.test("parseIdentityFile names the line that is odd, and why", () => {
  const cases: [string[], number, RegExp][] = [
    [[], 1, /file is empty/],
    [[""], 1, /first line/],
    [["alice"], 1, /first line/],
    [[`${HEADER} `], 1, /order or form/],
    [['{"version":1,"format":"p2pft identities"}'], 1, /order or form/],
    [['{"format":"p2pft identities","version":"1"}'], 1, /order or form/],
    [[HEADER, ""], 2, /not a JSON object/],
    [[HEADER, "[]"], 2, /not a JSON object/],
    [[HEADER, "null"], 2, /not a JSON object/],
    [[HEADER, "{}"], 2, /neither/],
    [[HEADER, '{"secretKey":"00"}'], 2, /64 small hex/],
    [[HEADER, `{"secretKey":"${KEY.toUpperCase()}"}`], 2, /64 small hex/],
    [[HEADER, `{"secretKey":"${KEY}","more":1}`], 2, /order or form/],
    [[HEADER, ALICE, `{"secretKey":"${KEY}"}`], 3, /belongs into line 2/],
    [[HEADER, ALICE, ALICE], 3, /has the name of line 2/],
    [[HEADER, ALICE, ALICE.replace("alice", "al")], 3, /has the key of line 2/],
    [[HEADER, ALICE.replace("alice", "al\\u001bice")], 2, /terminals act on/],
    [[HEADER, ALICE.replace("alice", "")], 2, /is empty/],
    [[HEADER, ALICE.replace(KEY, KEY.slice(2))], 2, /a key that is not 64/],
    [[HEADER, ALICE.replace('Z"}', 'Z","pairSecret":"x"}')], 2, /a pairSecret that is not 64/],
    [[HEADER, ALICE.replace('Z"}', 'Z","always":false}')], 2, /order or form/],
    [[HEADER, ALICE.replace('Z"}', 'Z","always":1}')], 2, /order or form/],
    [[HEADER, ALICE.replace("2023-11-14", "2023-02-31")], 2, /has a time/],
    [[HEADER, ALICE.replace("2023-11-14", "2023-13-01")], 2, /has a time/],
    [[HEADER, ALICE.replace("22:13:20Z", "22:13:20+00:00")], 2, /has a time/],
    [[HEADER, ALICE.replace('"peer":"alice"', '"peer":"alice","peer":"alice"')], 2, /twice there/],
    [[HEADER, ALICE.replace("alice", "\\u0061lice")], 2, /order or form/],
    [[HEADER, `${ALICE}\r`], 2, /order or form/],
    [[HEADER, ` ${ALICE}`], 2, /order or form/],
  ];
  for (const [lines, line, why] of cases) {
    const problem = problemOf(...lines);
    assert.ok(problem?.reason === "odd_line", JSON.stringify(lines));
    assert.equal(problem.line, line, problem.why);
    assert.match(problem.why, why);
  }
});

Deno.test("parseIdentityFile refuses what was cut off, and what is no UTF-8, with the line", () => {
  const whole = new TextEncoder().encode(`${HEADER}\n${ALICE}\n`);
  for (let length = 0; length < whole.length; length++) {
    const result = parseIdentityFile(whole.subarray(0, length));
    // Cut behind a line, it is a whole file with less in it.
    assert.equal(result.ok, length === HEADER.length + 1, `${length}`);
  }
  const odd = new Uint8Array([...whole, 0xff, 0x0a]);
  assert.deepEqual(parseIdentityFile(odd), {
    ok: false,
    problem: { reason: "odd_line", line: 3, why: "is not UTF-8" },
  });
  const marked = parseIdentityFile(new Uint8Array([0xef, 0xbb, 0xbf, ...whole]));
  assert.ok(!marked.ok);
});

Deno.test("parseIdentityFile says that a file is of a later version", () => {
  const later = '{"format":"p2pft identities","version":2,"more":true}';
  assert.deepEqual(problemOf(later, "whatever"), { reason: "unknown_version", version: 2 });
});

Deno.test("parseIdentityFile takes at most the peers that are remembered", () => {
  const line = (index: number) =>
    ALICE.replace("alice", `p${index}`).replace(KEY, index.toString(16).padStart(64, "0"));
  const lines = Array.from({ length: MAX_PEERS + 1 }, (_, index) => line(index));
  assert.equal(problemOf(HEADER, ...lines.slice(1)), undefined);
  assert.deepEqual(problemOf(HEADER, ...lines), {
    reason: "odd_line",
    line: MAX_PEERS + 2,
    why: `is more than ${MAX_PEERS} peers`,
  });
});

Deno.test("parseIdentityFile takes nothing that it would write in another way, and repeats no line", () => {
  const changed = fc.tuple(identityBook, fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(changed, ([book, at, change]) => {
      const bytes = new TextEncoder().encode(formatIdentityFile(book));
      bytes[at % bytes.length]! ^= change;
      const result = parseIdentityFile(bytes);
      if (result.ok) {
        assert.deepEqual(new TextEncoder().encode(formatIdentityFile(result.book)), bytes);
      } else if (result.problem.reason === "odd_line") {
        assert.ok(!/[0-9a-f]{16}/.test(result.problem.why), result.problem.why);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("parseIdentityFile never throws", () => {
  const line = fc.oneof(fc.json(), fc.string(), fc.constantFrom(HEADER, ALICE));
  fc.assert(fc.property(fc.array(line), (lines) => void parsed(HEADER, ...lines)));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseIdentityFile(bytes)));
});
