/**
 * What is to be answered through one link, and when: answers wait a little, so that one answers several
 * questions, and longer when something was told just before [LAN-2].
 */
import type { RandomSource } from "../crypto/provider.ts";
import { after, earlier, type Instant, later, NEVER } from "../time.ts";
import type { DnsMessage } from "./dns_message.ts";
import type { LanLink } from "./link.ts";
import { randomDelay } from "./random_delay.ts";
import {
  type AnnouncedShare,
  isKnownAnswer,
  partsAsked,
  type RecordPart,
} from "./share_records.ts";

/** How long an answer waits for others to be answered with it, ms (RFC 6762, section 6). */
const ANSWER_AFTER_MS = [20, 120] as const;
/** And for the rest of the known answers (section 7.2). */
const TRUNCATED_ANSWER_AFTER_MS = [400, 500] as const;
/** Shortest time between two messages through the link, ms (section 6) [LAN-2]. */
const ANSWER_EVERY_MS = 1000;
/** The same when somebody is about to take the name. */
const DEFENCE_EVERY_MS = 250;

interface Pending {
  readonly parts: Set<RecordPart>;
  readonly dueAt: Instant;
  /** The only one who asked; undefined when there are several. */
  readonly asker: string | undefined;
}

/** The answers of one link. */
export class LinkAnswers {
  /** Through which link. */
  readonly link: LanLink;
  readonly #random: RandomSource;
  #toldAt: Instant | undefined;
  #pending: Pending | undefined;

  constructor(link: LanLink, random: RandomSource) {
    this.link = link;
    this.#random = random;
  }

  /** When something is to be told. */
  get dueAt(): Instant {
    return this.#pending?.dueAt ?? NEVER;
  }

  /** When everything may be told again, if that is wanted now. */
  announceAt(now: Instant): Instant {
    return this.#allowedAt(now, ANSWER_EVERY_MS);
  }

  /** Something was told. */
  noteTold(now: Instant): void {
    this.#toldAt = now;
  }

  /** Answers nothing of what was asked so far. */
  clear(): void {
    this.#pending = undefined;
  }

  /**
   * Takes a message with questions, or with more of the answers that are known.
   *
   * @param asker The address that it came from.
   */
  handleQuery(now: Instant, share: AnnouncedShare, message: DnsMessage, asker: string): void {
    const { questions, answers } = message;
    const asked = new Set(
      questions.flatMap((question) => partsAsked(share, question, this.link.hosts)),
    );
    dropKnown(asked, share, message);
    if (asked.size === 0) {
      // The rest of what somebody knows; nobody else can keep an answer from him [LAN-6].
      if (this.#pending?.asker === asker && answers.length > 0) {
        dropKnown(this.#pending.parts, share, message);
        if (this.#pending.parts.size === 0) this.#pending = undefined;
      }
      return;
    }
    const isProbe = message.authorities.length > 0 && asked.has("srv");
    const [least, most] = message.isTruncated ? TRUNCATED_ANSWER_AFTER_MS : ANSWER_AFTER_MS;
    const delayMs = isProbe ? 0 : randomDelay(this.#random, least, most);
    const allowedAt = this.#allowedAt(now, isProbe ? DEFENCE_EVERY_MS : ANSWER_EVERY_MS);
    this.#add({ parts: asked, dueAt: later(after(now, delayMs), allowedAt), asker });
  }

  /** Takes what is to be told now; undefined when nothing is. */
  take(now: Instant): ReadonlySet<RecordPart> | undefined {
    const pending = this.#pending;
    if (pending === undefined || pending.dueAt > now) return undefined;
    this.#pending = undefined;
    this.#toldAt = now;
    return pending.parts;
  }

  #allowedAt(now: Instant, pauseMs: number): Instant {
    return this.#toldAt === undefined ? now : later(now, after(this.#toldAt, pauseMs));
  }

  #add(added: Pending): void {
    const before = this.#pending;
    this.#pending = before === undefined ? added : {
      parts: before.parts.union(added.parts),
      dueAt: earlier(before.dueAt, added.dueAt),
      asker: before.asker === added.asker ? added.asker : undefined,
    };
  }
}

function dropKnown(parts: Set<RecordPart>, share: AnnouncedShare, { answers }: DnsMessage): void {
  for (const part of parts) {
    if (answers.some((known) => isKnownAnswer(share, part, known))) parts.delete(part);
  }
}
