/** The records of an announced share (RFC 6763), and which of them answer which question. Pure. */
import { concatBytes } from "../bytes/concat.ts";
import type { IpAddress } from "../nat/address.ts";
import type { DnsQuestion, DnsRecord, SrvData } from "./dns_message.ts";
import { TTL_SECONDS } from "./limits.ts";
import { canonicalName, SERVICE, SERVICE_LIST, shareName } from "./service_names.ts";
import { encodeShareText } from "./share_text.ts";

/** What is announced. */
export interface AnnouncedShare {
  readonly label: string;
  /** Name of the host, made up for this share: `….local`. */
  readonly hostName: string;
  readonly port: number;
  readonly code: string;
}

/**
 * A part of what is announced, as it is asked for: the entry in the list of services, that in the list
 * of shares, where the share is, its text, its host's addresses, and that there is nothing else of the
 * share or of the host.
 */
export type RecordPart =
  | "services"
  | "shares"
  | "srv"
  | "txt"
  | "host"
  | "no-more"
  | "no-more-host";

/** Everything that an announcement says. */
export const ALL_PARTS: readonly RecordPart[] = ["services", "shares", "srv", "txt", "host"];

/** The parts that nobody else may claim. */
export const UNIQUE_PARTS: readonly RecordPart[] = ["srv", "txt", "host"];

/** What goes with a part unasked, since it is asked for next. */
const COMPANIONS: Partial<Record<RecordPart, readonly RecordPart[]>> = {
  shares: ["srv", "txt", "host"],
  srv: ["host"],
};

/** The parts that come with `parts` and are not among them. */
export function companionsOf(parts: Iterable<RecordPart>): RecordPart[] {
  const asked = new Set(parts);
  const companions = new Set([...asked].flatMap((part) => COMPANIONS[part] ?? []));
  return [...companions.difference(asked)];
}

/**
 * The records of some parts.
 *
 * @param hosts Addresses of the link that they are announced on.
 * @param ttlSeconds 0 takes them back.
 */
export function recordsOf(
  share: AnnouncedShare,
  parts: Iterable<RecordPart>,
  hosts: readonly IpAddress[],
  ttlSeconds: number = TTL_SECONDS,
): DnsRecord[] {
  const name = shareName(share.label);
  const { hostName, port } = share;
  return [...parts].flatMap((part): DnsRecord[] => {
    switch (part) {
      case "services":
        return [{ type: "PTR", name: SERVICE_LIST, ttlSeconds, target: SERVICE }];
      case "shares":
        return [{ type: "PTR", name: SERVICE, ttlSeconds, target: name }];
      case "srv":
        return [{ type: "SRV", name, ttlSeconds, priority: 0, weight: 0, port, target: hostName }];
      case "txt":
        return [{ type: "TXT", name, ttlSeconds, strings: encodeShareText(share.code) }];
      case "host":
        return hosts.map(({ family, host }) => (
          { type: family === 4 ? "A" : "AAAA", name: hostName, ttlSeconds, host }
        ));
      case "no-more":
        return [{ type: "NSEC", name, ttlSeconds, types: ["TXT", "SRV"] }];
      case "no-more-host":
        return [{ type: "NSEC", name: hostName, ttlSeconds, types: hostTypes(hosts) }];
      default:
        return part satisfies never;
    }
  });
}

function hostTypes(hosts: readonly IpAddress[]): string[] {
  return [...new Set(hosts.map(({ family }) => family === 4 ? "A" : "AAAA"))];
}

/** Which parts a question asks for; none when it is about something else. */
export function partsAsked(
  share: AnnouncedShare,
  { name, type }: DnsQuestion,
  hosts: readonly IpAddress[],
): RecordPart[] {
  const asked = canonicalName(name);
  const isAny = type === "ANY";
  if (asked === SERVICE_LIST) return isAny || type === "PTR" ? ["services"] : [];
  if (asked === SERVICE) return isAny || type === "PTR" ? ["shares"] : [];
  if (asked === canonicalName(shareName(share.label))) {
    if (isAny) return ["srv", "txt"];
    return type === "SRV" ? ["srv"] : type === "TXT" ? ["txt"] : ["no-more"];
  }
  if (asked !== canonicalName(share.hostName)) return [];
  // Both families at once, so that nobody has to ask for the other.
  return isAny || hostTypes(hosts).includes(type) ? ["host"] : ["no-more-host"];
}

/** Which of `parts` a record in a question says is known already (RFC 6762, section 7.1). */
export function isKnownAnswer(share: AnnouncedShare, part: RecordPart, known: DnsRecord): boolean {
  if (part !== "services" && part !== "shares") return false;
  return recordsOf(share, [part], []).some((own) =>
    known.type === "PTR" && own.type === "PTR" && known.ttlSeconds * 2 >= own.ttlSeconds &&
    canonicalName(known.name) === own.name &&
    canonicalName(known.target) === canonicalName(own.target)
  );
}

/** Numbers of record types, in the order in which they are compared. */
const COMPARED_TYPES = ["TXT", "SRV"] as const;

/**
 * Compares what two want to announce under one name: the later of the two has it (RFC 6762, section
 * 8.2). Both lists may hold other records, which do not count.
 *
 * @returns Less than 0 when `ours` loses, 0 when both are the same.
 */
export function compareClaims(
  name: string,
  ours: readonly DnsRecord[],
  theirs: readonly DnsRecord[],
): number {
  const a = claimBytes(name, ours);
  const b = claimBytes(name, theirs);
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareBytes(a[index]!, b[index]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Type and contents of each record of `name`, in order. */
function claimBytes(name: string, records: readonly DnsRecord[]): Uint8Array[] {
  const wanted = canonicalName(name);
  const own = records.filter((record) => canonicalName(record.name) === wanted);
  return COMPARED_TYPES.flatMap((type, index) =>
    own.filter((record) => record.type === type)
      .map((record) => concatBytes(Uint8Array.of(index), contentBytes(record)))
      .sort(compareBytes)
  );
}

function contentBytes(record: DnsRecord): Uint8Array {
  if (record.type === "TXT") {
    return concatBytes(...record.strings.flatMap((text) => [Uint8Array.of(text.length), text]));
  }
  return record.type === "SRV" ? srvBytes(record) : new Uint8Array(0);
}

function srvBytes({ priority, weight, port, target }: SrvData): Uint8Array {
  const numbers = [priority, weight, port].flatMap((value) => [value >> 8, value & 0xff]);
  const labels = target.split(".").map((label) => new TextEncoder().encode(label));
  return concatBytes(
    Uint8Array.from(numbers),
    ...labels.flatMap((label) => [Uint8Array.of(label.length), label]),
    Uint8Array.of(0),
  );
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, index) => byte !== b[index]);
  return index < 0 ? a.length - b.length : a[index]! - (b[index] ?? -1);
}

/** Whether a record in a response claims the name of a share for somebody else. */
export function isRivalClaim(share: AnnouncedShare, record: DnsRecord): boolean {
  // The host's name is random, so only the share's own process has it. The text may differ: it may be
  // an earlier one of our own that comes back.
  return record.type === "SRV" && record.ttlSeconds > 0 &&
    canonicalName(record.name) === canonicalName(shareName(share.label)) &&
    canonicalName(record.target) !== canonicalName(share.hostName);
}
