import assert from "node:assert/strict";
import fc from "fast-check";
import { TransferError } from "../../../lib/errors.ts";
import {
  formatManifest,
  type ListedFile,
  type ManifestFile,
  ManifestReader,
  parseManifest,
} from "../../../lib/checksums/checksum_manifest.ts";
import { MAX_ENTRIES, MAX_MANIFEST_LINE_BYTES } from "../../../lib/transfer/limits.ts";

const encoder = new TextEncoder();
const A = "0123456789abcdef".repeat(4);
const B = "fedcba9876543210".repeat(4);

function parse(text: string): ManifestFile[] {
  return parseManifest(encoder.encode(text));
}

function format(files: readonly ListedFile[]): string {
  return Array.from(formatManifest(files)).join("");
}

function rejects(text: string | Uint8Array, pattern: RegExp, code = "read_failed"): void {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  assert.throws(() => parseManifest(bytes), (error) => {
    assert.ok(error instanceof TransferError);
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  });
}

/** Characters that have a meaning somewhere in a line, and some that have none. */
const oddName = fc.string({
  unit: fc.constantFrom(
    "a",
    " ",
    "*",
    "#",
    "\\",
    "\n",
    "\r",
    "-",
    ".",
    "/",
    "é",
    "n",
    "😀",
    "\ufeff",
  ),
  minLength: 1,
  maxLength: 12,
});

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toHex());

const listedFile: fc.Arbitrary<ListedFile> = fc.record({
  path: oddName,
  sha256: digest,
  root: digest,
  sizeBytes: fc.integer({ min: 0, max: 2 ** 50 }),
});

/** What readers take for the same name. */
function withoutDots(path: string): string {
  let rest = path;
  while (rest.startsWith("./") && rest.length > 2) rest = rest.slice(2);
  return rest;
}

/** The grammar again, one character after the other; undefined where a line makes no sense. */
function readSlowly(text: string): { path: string; sha256: string }[] | undefined {
  const found: { path: string; sha256: string }[] = [];
  for (let line of text.split("\n")) {
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line === "" || line[0] === "#") continue;
    let at = 0;
    while (line[at] === " " || line[at] === "\t") at++;
    const isEscaped = line[at] === "\\";
    if (isEscaped) at++;
    let sha256 = "";
    while (sha256.length < 64) {
      const digit = line[at++]?.toLowerCase();
      if (digit === undefined || !"0123456789abcdef".includes(digit)) return undefined;
      sha256 += digit;
    }
    if (line[at++] !== " ") return undefined;
    const mode = line[at++];
    if (mode !== " " && mode !== "*") return undefined;
    let path = "";
    while (at < line.length) {
      const character = line[at++]!;
      if (!isEscaped || character !== "\\") {
        path += character;
        continue;
      }
      const letter = line[at++];
      if (letter === "\\") path += "\\";
      else if (letter === "n") path += "\n";
      else if (letter === "r") path += "\r";
      else return undefined;
    }
    if (path === "") return undefined;
    found.push({ path: withoutDots(path), sha256 });
  }
  return found.length === 0 ? undefined : found;
}

Deno.test("a manifest is comments and lines as sha256sum writes them", () => {
  const lines = Array.from(formatManifest(
    [
      { path: "photos/a b.jpg", sha256: A, root: B, sizeBytes: 5 },
      { path: "odd\\\n\r", sha256: B, root: A, sizeBytes: 0 },
      { path: "-", sha256: B, root: A, sizeBytes: 7 },
    ],
    { folders: ["photos", "x\u202e"], links: [{ path: "l", target: "a\n\u001b[2J" }] },
  ));
  assert.deepEqual(lines, [
    "# p2pft manifest 1: 3 files, 12 bytes\n",
    "# folder photos\n",
    "# folder x\\u{202e}\n",
    "# link l -> a\\u{a}\\u{1b}[2J\n",
    `# size 5 root ${B}\n`,
    `${A} *photos/a b.jpg\n`,
    `# size 0 root ${A}\n`,
    `\\${B} *odd\\\\\\n\\r\n`,
    `# size 7 root ${A}\n`,
    // Without the folder it would be standard input.
    `${B} *./-\n`,
  ]);
});

Deno.test("what was written is read, whatever the names, in pieces of any size", () => {
  fc.assert(fc.property(fc.array(listedFile, { maxLength: 6 }), fc.nat(90), (files, size) => {
    const bytes = encoder.encode(format(files));
    const reader = new ManifestReader();
    for (let at = 0; at < bytes.length; at += size + 1) {
      reader.add(bytes.subarray(at, at + size + 1));
    }
    const expected = files.map((file) => ({ ...file, path: withoutDots(file.path) }));
    assert.deepEqual(reader.end(), expected);
  }));
});

Deno.test("a manifest of ours that was cut anywhere is not taken for a whole one", () => {
  fc.assert(
    fc.property(fc.array(listedFile, { minLength: 1, maxLength: 3 }), fc.nat(), (files, n) => {
      const bytes = encoder.encode(format(files));
      assert.throws(() => parseManifest(bytes.subarray(0, n % bytes.length)), TransferError);
    }),
  );
});

Deno.test("ordinary lists are read as a slow reading of the grammar reads them", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      A,
      A.toUpperCase(),
      B,
      "  ",
      " *",
      "\\",
      "\\\\",
      "\\n",
      "\\x",
      "\r",
      "\t",
      "# ",
    ),
    oddName,
  );
  const good = fc.tuple(
    fc.constantFrom("", "\\", " ", "\t\\"),
    fc.constantFrom(A, B, A.toUpperCase()),
    fc.constantFrom("  ", " *"),
    oddName,
  ).map((parts) => parts.join(""));
  const line = fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 1, arbitrary: fc.array(piece, { maxLength: 5 }).map((parts) => parts.join("")) },
  );
  const list = fc.array(line, { maxLength: 4 }).map((lines) => lines.join("\n"))
    .filter((text) => !text.startsWith("\ufeff"));
  let readable = 0;
  fc.assert(
    fc.property(list, (text) => {
      const expected = readSlowly(text);
      if (expected === undefined) return assert.throws(() => parse(text), TransferError);
      readable++;
      assert.deepEqual(parse(text), expected);
    }),
    { numRuns: 1000 },
  );
  assert.ok(readable > 50, `only ${readable} lists made sense`);
});

Deno.test("lists of other tools: text mode, CRLF, a byte order mark, names as find gives them", () => {
  assert.deepEqual(parse(`\ufeff${A}  ././a\r\n\r\n${B.toUpperCase()} *b  c`), [
    { path: "a", sha256: A },
    { path: "b  c", sha256: B },
  ]);
  // Without our first line our comments mean nothing.
  assert.deepEqual(parse(`# size 5 root ${B}\n${A}  a\n`), [{ path: "a", sha256: A }]);
  // It must be the first.
  assert.deepEqual(parse(`${A}  a\n# p2pft manifest 1: 9 files, 1 bytes\n`), [
    { path: "a", sha256: A },
  ]);
});

Deno.test("a name that is not UTF-8 is marked, and the others are read", () => {
  const bytes = new Uint8Array([
    ...encoder.encode(`${A}  a`),
    0xff,
    0x0a,
    ...encoder.encode(`${B}  b`),
  ]);
  assert.deepEqual(parseManifest(bytes), [
    { path: "a\ufffd", sha256: A, isMalformedName: true },
    { path: "b", sha256: B },
  ]);
});

Deno.test("what is no manifest is refused with the line", () => {
  rejects("", /lists no files/);
  rejects("# only a comment\n", /lists no files/);
  rejects(`${A}  a\nhello\n`, /line 2 is no SHA-256 and a name/);
  rejects(`${A.slice(1)}  a\n`, /line 1/);
  rejects(`${A}  \n`, /line 1/);
  rejects(`\\${A}  a\\t\n`, /line 1/);
  rejects(new Uint8Array(100).fill(0xff), /line 1/);
  rejects(`# p2pft manifest 1: 2 files, 5 bytes\n${A} *a\n`, /lists 1 of 2 files/);
  rejects("# p2pft manifest 2: 0 files, 0 bytes\n", /another version/, "version_mismatch");
});

Deno.test("lines and lists have bounds", () => {
  const longest = "a".repeat(MAX_MANIFEST_LINE_BYTES - 66);
  assert.equal(parse(`${A}  ${longest}\n`)[0]!.path, longest);
  rejects(`${A}  ${longest}a\n`, /line 1 is too long/);
  // Before its end is there.
  const reader = new ManifestReader();
  const piece = new Uint8Array(1 << 14).fill(0x61);
  assert.throws(() => {
    for (let count = 0; count < 4; count++) reader.add(piece);
  }, /line 1 is too long/);
  const many = new ManifestReader();
  const lines = encoder.encode(`${A}  a\n`.repeat(1000));
  assert.throws(() => {
    for (let count = 0; count <= MAX_ENTRIES / 1000; count++) many.add(lines);
  }, /more than 1000000 files/);
});
