/**
 * Messages of multicast DNS, as far as shares need them. The wire format is `dns-packet`'s; here is
 * what of it is let in and out: bounded, with errors as values, in types of our own.
 *
 * Names are text with dots between labels, so a label with a dot in it cannot be told from two.
 * `service_names.ts` makes none.
 */
import { Buffer } from "node:buffer";
import { decode, encode } from "npm:dns-packet@5.6.1";
import { MAX_MESSAGE_BYTES, MAX_MESSAGE_ENTRIES } from "./limits.ts";

/** Where a service is. */
export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

interface RecordBase {
  readonly name: string;
  /** 0 says goodbye. */
  readonly ttlSeconds: number;
}

/** A record that is read and written. */
export type DnsRecord =
  & RecordBase
  & (
    | { readonly type: "PTR"; readonly target: string }
    | ({ readonly type: "SRV" } & SrvData)
    | { readonly type: "TXT"; readonly strings: readonly Uint8Array[] }
    | { readonly type: "A" | "AAAA"; readonly host: string }
    /** Which types there are of a name: there are no others. Written only. */
    | { readonly type: "NSEC"; readonly types: readonly string[] }
  );

/** What is asked. */
export interface DnsQuestion {
  readonly name: string;
  /** `PTR`, `TXT`, `ANY` and so on. */
  readonly type: string;
}

/** A message. */
export interface DnsMessage {
  readonly isResponse: boolean;
  /** More known answers follow in the next message. */
  readonly isTruncated: boolean;
  readonly questions: readonly DnsQuestion[];
  /** Answers; the known ones in a query. What was read has the additional records here, too. */
  readonly answers: readonly DnsRecord[];
  /** What whoever asks is about to announce. */
  readonly authorities: readonly DnsRecord[];
  /** What is told unasked. */
  readonly additionals: readonly DnsRecord[];
}

const AUTHORITATIVE = 1 << 10;
const HEADER_BYTES = 12;

/** Class IN, and IN with the top bit, which in a question asks for an answer by unicast. */
const OWN_CLASSES: ReadonlySet<unknown> = new Set(["IN", "ANY", "UNKNOWN_32769", "UNKNOWN_33023"]);

/** Labels without one of which no message is about shares. Lower case. */
const OWN_LABELS = ["p2pft", "_services"].map((label) => new TextEncoder().encode(label));

/**
 * Whether a datagram can be about shares at all: labels are never cut in pieces. A cheap look, for a
 * network's printers and loudspeakers talk a lot.
 */
export function mentionsShares(datagram: Uint8Array): boolean {
  return OWN_LABELS.some((label) => contains(datagram, label));
}

/** Whether `text`, lower case, is in `bytes` in any case. */
function contains(bytes: Uint8Array, text: Uint8Array): boolean {
  for (let start = HEADER_BYTES; start + text.length <= bytes.length; start++) {
    let count = 0;
    while (count < text.length && lowerCase(bytes[start + count]!) === text[count]) count++;
    if (count === text.length) return true;
  }
  return false;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** Writes a message; records of which there is one only replace what others remember. */
export function encodeDnsMessage(message: DnsMessage): Uint8Array {
  const toPacket = (record: DnsRecord) => packetRecord(record, message.isResponse);
  return encode({
    // Responses have id 0, and so have our queries: nothing goes by it (RFC 6762, section 18.1).
    id: 0,
    type: message.isResponse ? "response" : "query",
    flags: message.isResponse ? AUTHORITATIVE : 0,
    questions: message.questions.map(({ name, type }) => ({ name, type, class: "IN" })),
    answers: message.answers.map(toPacket),
    authorities: message.authorities.map(toPacket),
    additionals: message.additionals.map(toPacket),
  });
}

function packetRecord(record: DnsRecord, isResponse: boolean): unknown {
  const { name, type, ttlSeconds } = record;
  const isOnlyOne = type !== "PTR";
  const base = { name, type, ttl: ttlSeconds, class: "IN", flush: isResponse && isOnlyOne };
  switch (type) {
    case "PTR":
      return { ...base, data: record.target };
    case "SRV": {
      const { priority, weight, port, target } = record;
      return { ...base, data: { priority, weight, port, target } };
    }
    case "TXT":
      return { ...base, data: record.strings.map((string) => Buffer.from(string)) };
    case "A":
    case "AAAA":
      return { ...base, data: record.host };
    case "NSEC":
      return { ...base, data: { nextDomain: name, rrtypes: [...record.types] } };
    default:
      return record satisfies never;
  }
}

/**
 * Reads a message of a neighbour. Never throws.
 *
 * @returns Undefined for what is no message of multicast DNS, or a longer one than there can be.
 * Records of other types and classes are left out.
 */
export function decodeDnsMessage(datagram: Uint8Array): DnsMessage | undefined {
  if (datagram.length < HEADER_BYTES || datagram.length > MAX_MESSAGE_BYTES) return undefined;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const flags = view.getUint16(2);
  // Other operations, and responses with an error, are ignored (RFC 6762, sections 18.3 and 18.11).
  if ((flags & 0x780f) !== 0) return undefined;
  let entryCount = 0;
  for (let offset = 4; offset < HEADER_BYTES; offset += 2) entryCount += view.getUint16(offset);
  if (entryCount > MAX_MESSAGE_ENTRIES) return undefined;
  let packet: Packet;
  try {
    packet = decode(Buffer.from(datagram));
  } catch {
    // Cut off, names that point at themselves, lengths that lie: whatever it is, it says nothing.
    return undefined;
  }
  return {
    isResponse: packet.type === "response",
    isTruncated: packet.flag_tc,
    questions: packet.questions.filter((question) => OWN_CLASSES.has(question.class)),
    answers: [...packet.answers, ...packet.additionals].flatMap(readRecord),
    authorities: packet.authorities.flatMap(readRecord),
    additionals: [],
  };
}

/** What `decode` of `dns-packet` returns, which has no types of its own. */
interface Packet {
  readonly type: "query" | "response";
  readonly flag_tc: boolean;
  readonly questions: readonly (DnsQuestion & { readonly class: string })[];
  readonly answers: readonly PacketRecord[];
  readonly authorities: readonly PacketRecord[];
  readonly additionals: readonly PacketRecord[];
}

/** A record of any type; of `OPT` there is no class, time to live or data. */
interface PacketRecord {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
  readonly ttl?: number;
  readonly data?: unknown;
}

function readRecord(record: PacketRecord): DnsRecord[] {
  const { name, type, ttl, data } = record;
  if (record.class !== "IN" || ttl === undefined) return [];
  const base = { name, ttlSeconds: ttl };
  switch (type) {
    case "PTR":
      return [{ ...base, type, target: data as string }];
    case "SRV":
      return [{ ...base, type, ...data as SrvData }];
    case "TXT":
      return [{ ...base, type, strings: data as readonly Uint8Array[] }];
    case "A":
    case "AAAA":
      return [{ ...base, type, host: data as string }];
    default:
      return [];
  }
}
