/**
 * Announces one share on local networks: a responder of multicast DNS (RFC 6762) for the records of
 * `share_records.ts`. Pure; `station.ts` drives it.
 *
 * ```
 *            handleLinks           3 × asked, no rival          close
 *   (start) ─────────────▶ probing ─────────────────▶ announced ─────▶ closed
 *                           ▲   ▲  rival: another name │    ▲
 *                           │   └──────────────────────┘    └ update, questions
 *                           └ new links, rival
 * ```
 *
 * Everything goes to the group, never to an address: what a stranger asks cannot be aimed at anybody
 * [LAN-2].
 */
import type { RandomSource } from "../crypto/provider.ts";
import { after, earlier, type Instant, later, NEVER } from "../time.ts";
import type { DnsMessage, DnsRecord } from "./dns_message.ts";
import type { LanLink } from "./link.ts";
import { LinkAnswers } from "./link_answers.ts";
import type { LanArrival, LanMachine, LanTransmit } from "./machine.ts";
import { NameClaim, randomName } from "./name_claim.ts";
import { randomDelay } from "./random_delay.ts";
import { shareName } from "./service_names.ts";
import {
  ALL_PARTS,
  type AnnouncedShare,
  companionsOf,
  compareClaims,
  isRivalClaim,
  partsAsked,
  type RecordPart,
  recordsOf,
  UNIQUE_PARTS,
} from "./share_records.ts";

/** What {@linkcode ShareAnnouncer} announces. */
export interface AnnouncerOptions {
  /** What the person calls it. */
  readonly name: string;
  readonly code: string;
  /** UDP port of the share, for tools that show it. */
  readonly port: number;
  readonly random: RandomSource;
}

/** Questions whether somebody has the name already, and their distance, ms (RFC 6762, section 8.1). */
const PROBE_COUNT = 3;
const PROBE_EVERY_MS = 250;
/** Who lost against another that asked at the same time asks again after this, ms (section 8.2). */
const DEFER_MS = 1000;
/**
 * Announcements of something new, and the distance of the first two, ms; each is twice as far from the
 * next (section 8.3). Two are the least; multicast gets lost on Wi-Fi.
 */
const ANNOUNCE_COUNT = 4;
const ANNOUNCE_EVERY_MS = 1000;

/** One announced share. */
export class ShareAnnouncer implements LanMachine {
  readonly #random: RandomSource;
  readonly #name: NameClaim;
  readonly #hostName: string;
  readonly #port: number;
  #code: string;
  #state: "idle" | "probing" | "announced" | "closed" = "idle";
  /** Probes or announcements that are still to be sent, and when the next is. */
  #stepsLeft = 0;
  #stepAt: Instant = NEVER;
  /** Whether others may remember something. */
  #isTold = false;
  #links = new Map<string, LinkAnswers>();
  readonly #outgoing: LanTransmit[] = [];

  constructor({ name, code, port, random }: AnnouncerOptions) {
    this.#random = random;
    this.#name = new NameClaim(name, random);
    this.#hostName = `p2pft-${randomName(random)}.local`;
    this.#port = port;
    this.#code = code;
  }

  /** What the share is called now: the name, or another where somebody else has it. */
  get label(): string {
    return this.#name.label;
  }

  /** Whether it has the name and was announced. */
  get isAnnounced(): boolean {
    return this.#state === "announced" && this.#isTold;
  }

  get #share(): AnnouncedShare {
    return { label: this.label, hostName: this.#hostName, port: this.#port, code: this.#code };
  }

  handleLinks(now: Instant, links: readonly LanLink[]): void {
    if (this.#state === "closed") return;
    const before = this.#links;
    this.#links = new Map(
      links.map((link) => [link.key, before.get(link.key) ?? new LinkAnswers(link, this.#random)]),
    );
    if (links.every(({ key }) => before.has(key))) return;
    this.#probe(now, randomDelay(this.#random, 0, PROBE_EVERY_MS));
  }

  /** Announces another code from now on. */
  update(now: Instant, code: string): void {
    if (this.#state === "closed" || code === this.#code) return;
    this.#code = code;
    if (this.#state !== "announced") return;
    let at = now;
    for (const answers of this.#links.values()) at = later(at, answers.announceAt(now));
    this.#announce(at);
  }

  /** Takes back what was announced [LAN-4]; nothing is sent after that. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#stepAt = NEVER;
    for (const answers of this.#links.values()) {
      answers.clear();
      // Others may have shares, too: their entry in the list of services stays.
      const parts = ALL_PARTS.filter((part) => part !== "services");
      if (this.#isTold) this.#tell(answers.link, parts, [], 0);
    }
  }

  handleMessage(now: Instant, message: DnsMessage, { linkKey, from }: LanArrival): void {
    if (this.#state !== "probing" && this.#state !== "announced") return;
    if (message.isResponse) this.#readClaims(now, message.answers);
    else if (this.#state === "probing") this.#readRivalProbe(now, message);
    else this.#links.get(linkKey)?.handleQuery(now, this.#share, message, from.host);
  }

  handleTimeout(now: Instant): void {
    if (this.#stepAt <= now) {
      if (this.#state === "probing") this.#stepProbing(now);
      else this.#stepAnnouncing(now);
    }
    for (const answers of this.#links.values()) {
      const parts = answers.take(now);
      if (parts !== undefined) this.#tell(answers.link, parts, companionsOf(parts));
    }
  }

  pollTransmit(): LanTransmit | undefined {
    return this.#outgoing.shift();
  }

  pollTimeout(): Instant {
    let next = this.#stepAt;
    for (const { dueAt } of this.#links.values()) next = earlier(next, dueAt);
    return next;
  }

  #probe(now: Instant, delayMs: number): void {
    this.#state = "probing";
    this.#stepsLeft = PROBE_COUNT;
    this.#stepAt = after(now, delayMs);
    for (const answers of this.#links.values()) answers.clear();
  }

  #stepProbing(now: Instant): void {
    if (this.#stepsLeft === 0) {
      this.#announce(now);
      return this.#stepAnnouncing(now);
    }
    this.#stepsLeft--;
    this.#stepAt = after(now, PROBE_EVERY_MS);
    const names = [shareName(this.label), this.#hostName];
    for (const { link } of this.#links.values()) {
      this.#outgoing.push({
        linkKey: link.key,
        message: {
          isResponse: false,
          isTruncated: false,
          questions: names.map((name) => ({ name, type: "ANY" })),
          answers: [],
          authorities: recordsOf(this.#share, UNIQUE_PARTS, link.hosts),
          additionals: [],
        },
      });
    }
  }

  #announce(at: Instant): void {
    this.#state = "announced";
    this.#stepsLeft = ANNOUNCE_COUNT;
    this.#stepAt = at;
  }

  #stepAnnouncing(now: Instant): void {
    this.#isTold = true;
    for (const answers of this.#links.values()) {
      answers.noteTold(now);
      this.#tell(answers.link, ALL_PARTS, []);
    }
    this.#stepsLeft--;
    const waitMs = ANNOUNCE_EVERY_MS * 2 ** (ANNOUNCE_COUNT - 1 - this.#stepsLeft);
    this.#stepAt = this.#stepsLeft > 0 ? after(now, waitMs) : NEVER;
  }

  /** Somebody says that the name is his. */
  #readClaims(now: Instant, answers: readonly DnsRecord[]): void {
    if (this.#isAboutToProbe) return;
    const share = this.#share;
    if (!answers.some((record) => isRivalClaim(share, record))) return;
    // Whoever is announced already has a right to the name, and finds out whether the other gives in.
    if (this.#name.noteConflict(this.#state === "probing")) this.#probe(now, PROBE_EVERY_MS);
  }

  /** Somebody asks for the name at the same time. */
  #readRivalProbe(now: Instant, { questions, authorities }: DnsMessage): void {
    if (this.#isAboutToProbe || authorities.length === 0) return;
    const share = this.#share;
    if (!questions.some((question) => partsAsked(share, question, []).includes("srv"))) return;
    const ours = recordsOf(share, UNIQUE_PARTS, []);
    if (compareClaims(shareName(share.label), ours, authorities) >= 0) return;
    if (this.#name.noteConflict(false)) this.#probe(now, DEFER_MS);
  }

  /**
   * Whether it will ask for the name, which draws every rival out: what is said before that may be the
   * same once more, through another link.
   */
  get #isAboutToProbe(): boolean {
    return this.#state === "probing" && this.#stepsLeft === PROBE_COUNT;
  }

  #tell(
    link: LanLink,
    parts: Iterable<RecordPart>,
    companions: readonly RecordPart[],
    ttlSeconds?: number,
  ): void {
    const share = this.#share;
    this.#outgoing.push({
      linkKey: link.key,
      message: {
        isResponse: true,
        isTruncated: false,
        questions: [],
        answers: recordsOf(share, parts, link.hosts, ttlSeconds),
        authorities: [],
        additionals: recordsOf(share, companions, link.hosts, ttlSeconds),
      },
    });
  }
}
