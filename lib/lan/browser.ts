/**
 * Finds shares that are announced on local networks: a querier of multicast DNS (RFC 6762, section 5.2)
 * for the list of shares. Pure; `station.ts` drives it.
 *
 * What is remembered is remembered of whoever said it: a share is a name and a code, heard from some
 * addresses. So a neighbour who takes the name of another is a second entry, and can neither
 * change nor take back what others announced, short of forging their addresses [LAN-5]. For the same
 * reason nothing is listed as known when it asks: that would silence who is imitated [LAN-6].
 */
import type { RandomSource } from "../crypto/provider.ts";
import { after, earlier, type Instant, later, NEVER } from "../time.ts";
import type { DnsMessage, DnsQuestion, DnsRecord } from "./dns_message.ts";
import {
  MAX_SHARES,
  MAX_SHARES_PER_SOURCE,
  MAX_SOURCES_PER_SHARE,
  MAX_UNRESOLVED,
  TTL_SECONDS,
} from "./limits.ts";
import type { LanLink } from "./link.ts";
import type { LanArrival, LanMachine, LanTransmit } from "./machine.ts";
import { randomDelay } from "./random_delay.ts";
import { canonicalName, labelOf, SERVICE, shareName } from "./service_names.ts";
import { decodeShareText, type ShareText } from "./share_text.ts";

/** A share that somebody announces. Whoever does may call it what he likes. */
export interface LanShare {
  /** The same in all events about it. */
  readonly id: string;
  /** What its announcer calls it: any text, to be escaped before it is shown. */
  readonly name: string;
  /** The share code; a good one, but nothing says whose. */
  readonly code: string;
  /** Where it was heard from, the earliest first: IP addresses of neighbours. */
  readonly addresses: readonly string[];
}

/** What happened in the network. */
export interface LanShareEvent {
  /**
   * `changed`: other addresses. With another name or code it is another share, found when the one
   * before is gone.
   */
  readonly type: "found" | "changed" | "gone";
  /** As it is now; when it is gone, as it was. */
  readonly share: LanShare;
}

/** First question, ms after the start (RFC 6762, section 5.2). */
const FIRST_QUERY_AFTER_MS = [20, 120] as const;
/** Distance of the first two questions, ms; each is twice as far from the next as from the last. */
const FIRST_INTERVAL_MS = 1000;
/** Longest distance of two questions, ms. */
const LAST_INTERVAL_MS = 3_600_000;
/** When to ask about what is about to be forgotten, as parts of its time. */
const REFRESH_AT = [0.8, 0.85, 0.9, 0.95] as const;
/** Shortest distance of questions that others cause, ms, whatever they announce [LAN-2]. */
const MIN_REFRESH_MS = 5000;
/** What says goodbye is forgotten after this, ms (section 10.1). */
const GOODBYE_MS = 1000;

/** What one neighbour says about a share. */
interface Source {
  readonly heardAt: Instant;
  readonly ttlMs: number;
  readonly expiresAt: Instant;
  /** How many of {@linkcode REFRESH_AT} have passed. */
  refreshes: number;
}

interface Entry {
  readonly id: string;
  readonly label: string;
  readonly text: ShareText;
  readonly sources: Map<string, Source>;
  /** What was told of it last. */
  told: LanShare | undefined;
}

/** Looks for shares. */
export class ShareBrowser implements LanMachine {
  readonly #random: RandomSource;
  /** In the order in which they were found, so that the oldest stay. */
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Set<Entry>();
  /** Names that were listed without their text, and since when there are any. */
  readonly #unresolved = new Set<string>();
  #unresolvedSince: Instant = NEVER;
  #linkKeys: ReadonlySet<string> = new Set();
  #outgoing: LanTransmit | undefined;
  #askedAt: Instant | undefined;
  #intervalMs = FIRST_INTERVAL_MS;
  #nextQueryAt: Instant = NEVER;
  #idCount = 0;

  constructor(options: { readonly random: RandomSource }) {
    this.#random = options.random;
  }

  handleLinks(now: Instant, links: readonly LanLink[]): void {
    const isNew = links.some(({ key }) => !this.#linkKeys.has(key));
    this.#linkKeys = new Set(links.map(({ key }) => key));
    if (!isNew) return;
    this.#intervalMs = FIRST_INTERVAL_MS;
    this.#nextQueryAt = after(now, randomDelay(this.#random, ...FIRST_QUERY_AFTER_MS));
  }

  handleMessage(now: Instant, { isResponse, answers }: DnsMessage, { from }: LanArrival): void {
    if (!isResponse) return;
    const listed = new Set<string>();
    const texts = new Map<string, DnsRecord & { readonly type: "TXT" }>();
    for (const record of answers) {
      const label = sharedLabel(record);
      if (label === undefined) continue;
      if (record.ttlSeconds === 0) this.#handleGoodbye(now, label, from.host);
      else if (record.type !== "TXT") listed.add(label);
      else if (texts.size < MAX_SHARES_PER_SOURCE) texts.set(label, record);
    }
    for (const [label, { strings, ttlSeconds }] of texts) {
      const text = decodeShareText(strings);
      if (text !== undefined) this.#hear(now, label, text, ttlSeconds, from.host);
      this.#unresolved.delete(label);
    }
    for (const label of listed) if (!texts.has(label)) this.#ask(now, label, from.host);
  }

  handleTimeout(now: Instant): void {
    for (const entry of [...this.#entries.values()]) {
      for (const [host, source] of entry.sources) {
        if (source.expiresAt > now) continue;
        this.#drop(entry, host);
        // Not taken back: perhaps only questions and answers were lost.
        if (source.expiresAt === after(source.heardAt, source.ttlMs)) this.#askAgain(now);
      }
    }
    if (earlier(this.#nextQueryAt, this.#refreshAt()) > now) return;
    for (const { sources } of this.#entries.values()) {
      for (const source of sources.values()) skipRefreshes(source, now);
    }
    if (this.#nextQueryAt <= now) {
      this.#nextQueryAt = after(now, this.#intervalMs);
      this.#intervalMs = Math.min(2 * this.#intervalMs, LAST_INTERVAL_MS);
    }
    this.#askedAt = now;
    this.#outgoing = { linkKey: undefined, message: this.#query() };
    this.#unresolved.clear();
  }

  pollTransmit(): LanTransmit | undefined {
    const transmit = this.#outgoing;
    this.#outgoing = undefined;
    return transmit;
  }

  /** Takes the next thing that happened; what came and went unread never did. */
  pollEvent(): LanShareEvent | undefined {
    for (const entry of this.#changed) {
      this.#changed.delete(entry);
      const { told } = entry;
      const now = shareOf(entry);
      entry.told = now;
      if (now === undefined) {
        if (told !== undefined) return { type: "gone", share: told };
      } else if (told === undefined) return { type: "found", share: now };
      else if (!hasSameAddresses(told, now)) return { type: "changed", share: now };
    }
    return undefined;
  }

  pollTimeout(): Instant {
    let next = earlier(this.#nextQueryAt, this.#refreshAt());
    for (const { sources } of this.#entries.values()) {
      for (const { expiresAt } of sources.values()) next = earlier(next, expiresAt);
    }
    return next;
  }

  /** Asks as often as in the beginning, but for the first questions. */
  #askAgain(now: Instant): void {
    this.#intervalMs = MIN_REFRESH_MS;
    const soonest = this.#askedAt === undefined ? now : after(this.#askedAt, MIN_REFRESH_MS);
    this.#nextQueryAt = earlier(this.#nextQueryAt, later(now, soonest));
  }

  #hear(now: Instant, label: string, text: ShareText, ttlSeconds: number, host: string): void {
    const key = keyOf(label, text);
    const known = this.#entries.get(key);
    this.#forgetOthers(label, text, host, known);
    if (known?.sources.has(host) !== true) {
      if (this.#countOf(host) >= MAX_SHARES_PER_SOURCE) return;
      if ((known?.sources.size ?? 0) >= MAX_SOURCES_PER_SHARE) return;
    }
    const entry = known ?? this.#addEntry(key, label, text);
    if (entry === undefined) return;
    const ttlMs = Math.min(ttlSeconds, TTL_SECONDS) * 1000;
    const expiresAt = after(now, ttlMs);
    entry.sources.set(host, { heardAt: now, ttlMs, expiresAt, refreshes: 0 });
    this.#changed.add(entry);
  }

  /** Of one neighbour a name is one share, and a share has one name and code: the newest [LAN-5]. */
  #forgetOthers(label: string, text: ShareText, host: string, known: Entry | undefined): void {
    for (const entry of [...this.#entries.values()]) {
      const isSameName = canonicalName(entry.label) === canonicalName(label);
      const isSameShare = entry.text.identity === text.identity;
      if (entry !== known && (isSameName || isSameShare)) this.#drop(entry, host);
    }
  }

  /** @returns Undefined when there are too many already [LAN-1]. */
  #addEntry(key: string, label: string, text: ShareText): Entry | undefined {
    if (this.#entries.size >= MAX_SHARES) return undefined;
    this.#idCount++;
    const id = `${this.#idCount}`;
    const entry: Entry = { id, label, text, sources: new Map(), told: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  #countOf(host: string): number {
    return [...this.#entries.values()].filter(({ sources }) => sources.has(host)).length;
  }

  #handleGoodbye(now: Instant, label: string, host: string): void {
    for (const entry of this.#entries.values()) {
      const source = entry.sources.get(host);
      if (source === undefined || canonicalName(entry.label) !== canonicalName(label)) continue;
      const expiresAt = earlier(source.expiresAt, after(now, GOODBYE_MS));
      entry.sources.set(host, { ...source, expiresAt, refreshes: REFRESH_AT.length });
    }
  }

  #drop(entry: Entry, host: string): void {
    if (!entry.sources.delete(host)) return;
    this.#changed.add(entry);
    if (entry.sources.size > 0) return;
    this.#entries.delete(keyOf(entry.label, entry.text));
    // Never told, it has nothing to take back; others wait for their event, one for each that was told.
    if (entry.told === undefined) this.#changed.delete(entry);
  }

  /** The text of a name that was listed without one, unless it is known from there. */
  #ask(now: Instant, label: string, host: string): void {
    const isKnown = [...this.#entries.values()].some((entry) =>
      entry.sources.has(host) && canonicalName(entry.label) === canonicalName(label)
    );
    // A dot in a label cannot be written.
    if (isKnown || label.includes(".") || this.#unresolved.size >= MAX_UNRESOLVED) return;
    if (this.#unresolved.size === 0) this.#unresolvedSince = now;
    this.#unresolved.add(label);
  }

  /** When to ask next because something is about to be forgotten, or not known yet. */
  #refreshAt(): Instant {
    let next = this.#unresolved.size > 0 ? this.#unresolvedSince : NEVER;
    for (const { sources } of this.#entries.values()) {
      for (const { heardAt, ttlMs, refreshes } of sources.values()) {
        const part = REFRESH_AT[refreshes];
        if (part !== undefined) next = earlier(next, after(heardAt, part * ttlMs));
      }
    }
    return this.#askedAt === undefined ? next : later(next, after(this.#askedAt, MIN_REFRESH_MS));
  }

  #query(): DnsMessage {
    const questions: DnsQuestion[] = [{ name: SERVICE, type: "PTR" }];
    for (const label of this.#unresolved) questions.push({ name: shareName(label), type: "TXT" });
    return {
      isResponse: false,
      isTruncated: false,
      questions,
      answers: [],
      authorities: [],
      additionals: [],
    };
  }
}

/** The label of the share that a record lists or describes. */
function sharedLabel(record: DnsRecord): string | undefined {
  if (record.type === "TXT") return labelOf(record.name);
  const isListed = record.type === "PTR" && canonicalName(record.name) === SERVICE;
  return isListed ? labelOf(record.target) : undefined;
}

function skipRefreshes(source: Source, now: Instant): void {
  const { heardAt, ttlMs } = source;
  while (
    source.refreshes < REFRESH_AT.length &&
    after(heardAt, REFRESH_AT[source.refreshes]! * ttlMs) <= now
  ) source.refreshes++;
}

function keyOf(label: string, { code }: ShareText): string {
  return `${canonicalName(label)}\n${code}`;
}

function shareOf({ id, label, text, sources }: Entry): LanShare | undefined {
  if (sources.size === 0) return undefined;
  return { id, name: label, code: text.code, addresses: [...sources.keys()] };
}

function hasSameAddresses(a: LanShare, b: LanShare): boolean {
  return a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => address === b.addresses[index]);
}
