/**
 * The text of the file in which an identity and the peers are kept (docs/identities.md, "The
 * file"): one JSON object a line, each in exactly the form in which it is written here. So nothing
 * that this program does not know is lost when it writes the file again, and a line that is odd can
 * be named.
 */
import { decodeHex, encodeHex } from "../bytes/hex.ts";
import { type IdentityBook, MAX_PEERS, MAX_SECONDS, type Peer } from "./identity_book.ts";
import { PETNAME_PROBLEMS, petnameProblem } from "./petname.ts";

/** The longest file that is read. */
export const MAX_IDENTITY_FILE_BYTES = 1_048_576;

/** The version that is read and written. */
export const IDENTITY_FILE_VERSION = 1;

/** Why a file was not understood. */
export type IdentityFileProblem =
  | { readonly reason: "odd_line"; /** From 1. */ readonly line: number; readonly why: string }
  | { readonly reason: "unknown_version"; readonly version: number };

/** What {@linkcode parseIdentityFile} made of a text. */
export type IdentityFileResult =
  | { readonly ok: true; readonly book: IdentityBook }
  | { readonly ok: false; readonly problem: IdentityFileProblem };

const FORMAT = "p2pft identities";
const KEY = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Writes the whole file. */
export function formatIdentityFile(book: IdentityBook): string {
  const lines = [headerLine()];
  if (book.secretKey !== undefined) lines.push(ownLine(book.secretKey));
  lines.push(...book.peers.map(peerLine));
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * Reads the whole file. Never throws.
 *
 * @param bytes At most {@linkcode MAX_IDENTITY_FILE_BYTES}.
 * @returns The contents, or the first line that is not as it must be, and why. No part of a line is
 * repeated in the reason: it may be a secret.
 */
export function parseIdentityFile(bytes: Uint8Array): IdentityFileResult {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return odd(lineOfInvalidUtf8(bytes), "is not UTF-8");
  }
  const lines = text.split("\n");
  const rest = lines.pop();
  if (rest !== "") return odd(lines.length + 1, "was cut off: it has no line feed at its end");
  let book: IdentityBook = { peers: [] };
  const seen = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    const read = index === 0 ? readHeader(line) : readEntry(line, index === 1);
    if ("reason" in read) return { ok: false, problem: read };
    if ("why" in read) return odd(index + 1, read.why);
    if ("secretKey" in read) book = { ...book, secretKey: read.secretKey };
    if (!("peer" in read)) continue;
    for (
      const [what, value] of [["name", read.peer.name], ["key", encodeHex(read.peer.publicKey)]]
    ) {
      const before = seen.get(`${what} ${value}`);
      if (before !== undefined) return odd(index + 1, `has the ${what} of line ${before}`);
      seen.set(`${what} ${value}`, index + 1);
    }
    if (book.peers.length >= MAX_PEERS) return odd(index + 1, `is more than ${MAX_PEERS} peers`);
    // Grown in place: nobody else has it yet.
    (book.peers as Peer[]).push(read.peer);
  }
  return lines.length === 0 ? odd(1, "is missing: the file is empty") : { ok: true, book };
}

/** What a line turned out to be. */
type ReadLine =
  | { readonly header: true }
  | { readonly secretKey: Uint8Array }
  | { readonly peer: Peer }
  | { readonly why: string }
  | Extract<IdentityFileProblem, { reason: "unknown_version" }>;

function headerLine(): string {
  return JSON.stringify({ format: FORMAT, version: IDENTITY_FILE_VERSION });
}

function ownLine(secretKey: Uint8Array): string {
  return JSON.stringify({ secretKey: encodeHex(secretKey) });
}

function peerLine(peer: Peer): string {
  return JSON.stringify({
    peer: peer.name,
    key: encodeHex(peer.publicKey),
    firstSeen: formatTime(peer.firstSeenSeconds),
    lastSeen: formatTime(peer.lastSeenSeconds),
    ...(peer.pairSecret === undefined ? {} : { pairSecret: encodeHex(peer.pairSecret) }),
    ...(peer.isAlwaysAdmitted ? { always: true } : {}),
  });
}

function readHeader(line: string): ReadLine {
  const fields = readFields(line);
  if (fields?.["format"] !== FORMAT) return { why: `is not the first line of a ${FORMAT} file` };
  const version = fields["version"];
  if (typeof version === "number" && Number.isSafeInteger(version)) {
    if (version !== IDENTITY_FILE_VERSION) return { reason: "unknown_version", version };
    if (line === headerLine()) return { header: true };
  }
  return { why: NOT_OUR_FORM };
}

function readEntry(line: string, isSecond: boolean): ReadLine {
  const fields = readFields(line);
  if (fields === undefined) return { why: "is not a JSON object" };
  const { secretKey } = fields;
  if (secretKey !== undefined) {
    if (!isSecond) return { why: "has a secret key, which belongs into line 2" };
    if (typeof secretKey !== "string" || !KEY.test(secretKey)) {
      return { why: "has a secretKey that is not 64 small hexadecimal digits" };
    }
    const bytes = decodeHex(secretKey);
    return line === ownLine(bytes) ? { secretKey: bytes } : { why: NOT_OUR_FORM };
  }
  return readPeer(line, fields);
}

function readPeer(line: string, fields: Readonly<Record<string, unknown>>): ReadLine {
  const { peer: name, key, firstSeen, lastSeen, pairSecret, always } = fields;
  if (typeof name !== "string") return { why: "is neither a peer nor a secret key" };
  const problem = petnameProblem(name);
  if (problem !== undefined) return { why: `has a name that ${PETNAME_PROBLEMS[problem]}` };
  for (const [what, value] of Object.entries({ key, pairSecret })) {
    if (what === "pairSecret" && value === undefined) continue;
    if (typeof value !== "string" || !KEY.test(value)) {
      return { why: `has a ${what} that is not 64 small hexadecimal digits` };
    }
  }
  const [firstSeenSeconds, lastSeenSeconds] = [parseTime(firstSeen), parseTime(lastSeen)];
  if (firstSeenSeconds === undefined || lastSeenSeconds === undefined) {
    return { why: "has a time that is not of the form 2026-01-31T12:00:00Z" };
  }
  const peer: Peer = {
    name,
    publicKey: decodeHex(key as string),
    firstSeenSeconds,
    lastSeenSeconds,
    ...(pairSecret === undefined ? {} : { pairSecret: decodeHex(pairSecret as string) }),
    isAlwaysAdmitted: always === true,
  };
  return line === peerLine(peer) ? { peer } : { why: NOT_OUR_FORM };
}

const NOT_OUR_FORM = "has fields that are not known, twice there, or in another order or form";

/** The fields of a JSON object; undefined for anything else. */
function readFields(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined; // not JSON
  }
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function parseTime(text: unknown): number | undefined {
  if (typeof text !== "string" || !TIME.test(text)) return undefined;
  const seconds = Date.parse(text) / 1000;
  // Neither NaN nor a 31st of February, which some engines take for the 3rd of March.
  const isDate = seconds >= 0 && seconds <= MAX_SECONDS && formatTime(seconds) === text;
  return isDate ? seconds : undefined;
}

/** From 1; the line feeds in front of the first byte that fits nowhere tell. */
function lineOfInvalidUtf8(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(
        bytes.subarray(start, end < 0 ? undefined : end),
      );
    } catch {
      return line;
    }
    if (end < 0) return line;
    start = end + 1;
    line++;
  }
}

function odd(line: number, why: string): IdentityFileResult {
  return { ok: false, problem: { reason: "odd_line", line, why } };
}
