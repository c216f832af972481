/**
 * One path besides, or under, the session's own: the challenges sent along it, and what they proved
 * (docs/protocol.md, "Paths"). Which paths are tried and what follows is decided in `paths.ts`.
 */
import { constantTimeEqual } from "../../bytes/equal.ts";
import type { RandomSource } from "../../crypto/provider.ts";
import type { Path } from "../../nat/path.ts";
import { AMPLIFICATION_LIMIT, PATH_CHALLENGE_BYTES, PATH_TRIES, PATH_VALID_MS } from "../params.ts";
import { after, type Instant, instant, NEVER } from "../../time.ts";

interface Challenge {
  readonly data: Uint8Array;
  readonly sentAt: Instant;
  readonly isPadded: boolean;
}

/** What an answer proved. */
export interface PathAnswer {
  /** From the challenge to its answer. */
  readonly rttMs: number;
  /** Whether it was a full datagram. */
  readonly isPadded: boolean;
}

/** How a path is to be challenged. */
export interface PathTries {
  /** Challenges in a row. */
  readonly count: number;
  /** From the first to the second. */
  readonly intervalMs: number;
  /** How much longer each further pause is (default 1: not at all). */
  readonly growth?: number;
  /** Whether to send full datagrams where that is allowed. */
  readonly isPadded?: boolean;
}

/** A path and its challenges. */
export class PathProbe {
  /** Where the challenges go. */
  readonly path: Path;
  /** Whether the peer or the owner named the address. */
  isListed = false;
  /** Whether a challenge is to be sent now. */
  isDue = false;
  /** Round trip of the last answer; infinite before the first. */
  rttMs = Number.POSITIVE_INFINITY;
  /** When the next challenge is due. */
  nextTryAt: Instant = NEVER;
  #triesLeft = 0;
  #intervalMs = 0;
  #growth = 1;
  #isPadded = false;
  #answeredAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #receivedBytes = 0;
  #sentBytes = 0;
  /** The last {@linkcode PATH_TRIES}: a long round trip answers the first when more are under way. */
  readonly #challenges: Challenge[] = [];

  constructor(path: Path) {
    this.path = path;
  }

  /** Whether the peer ever answered along this path. */
  get hasAnswered(): boolean {
    return this.#answeredAt !== Number.NEGATIVE_INFINITY;
  }

  /** Whether the peer answered lately. */
  isValid(now: Instant): boolean {
    return now - this.#answeredAt < PATH_VALID_MS;
  }

  /** Begins a row of challenges; one under way ends. */
  begin(now: Instant, tries: PathTries): void {
    this.#triesLeft = tries.count;
    this.#intervalMs = tries.intervalMs;
    this.#growth = tries.growth ?? 1;
    this.#isPadded = tries.isPadded ?? false;
    this.nextTryAt = now;
    this.handleTimeout(now);
  }

  /** Sends no more challenges. */
  stop(): void {
    this.#triesLeft = 0;
    this.nextTryAt = NEVER;
    this.isDue = false;
  }

  /** Makes the next challenge due when its time has come. */
  handleTimeout(now: Instant): void {
    if (now < this.nextTryAt) return;
    this.isDue = true;
    this.#triesLeft--;
    this.nextTryAt = this.#triesLeft > 0 ? after(now, this.#intervalMs) : NEVER;
    this.#intervalMs *= this.#growth;
  }

  /** A packet of the peer came along this path. */
  handleReceived(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  /** A packet other than a challenge is sent along this path. */
  handleSent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /** [PATH-3] Whether so much may be sent to an address that may be somebody else's. */
  maySend(bytes: number): boolean {
    return this.hasAnswered ||
      this.#sentBytes + bytes <= AMPLIFICATION_LIMIT * this.#receivedBytes;
  }

  /**
   * Notes that the challenge that was due is sent now.
   *
   * @param sizes Bytes of a packet with a challenge alone, and of a padded one.
   * @returns Its 8 bytes, and whether it is to be padded.
   */
  challenge(
    now: Instant,
    random: RandomSource,
    sizes: { readonly small: number; readonly padded: number },
  ): { readonly data: Uint8Array; readonly isPadded: boolean } {
    const data = new Uint8Array(PATH_CHALLENGE_BYTES);
    random.fill(data);
    const isPadded = this.#isPadded && this.maySend(sizes.padded);
    this.isDue = false;
    this.#sentBytes += isPadded ? sizes.padded : sizes.small;
    this.#challenges.push({ data, sentAt: now, isPadded });
    if (this.#challenges.length > PATH_TRIES) this.#challenges.shift();
    return { data, isPadded };
  }

  /** Takes a PATH_RESPONSE; undefined when it answers none of the challenges sent here. */
  answer(now: Instant, data: Uint8Array): PathAnswer | undefined {
    const challenge = this.#challenges.find((one) => constantTimeEqual(one.data, data));
    if (!challenge) return undefined;
    this.#challenges.length = 0;
    this.stop();
    this.rttMs = Math.max(now - challenge.sentAt, 0.001);
    this.markValid(now);
    return { rttMs: this.rttMs, isPadded: challenge.isPadded };
  }

  /** The path is known to work: the session used it until now. */
  markValid(now: Instant): void {
    this.#answeredAt = now;
  }
}
