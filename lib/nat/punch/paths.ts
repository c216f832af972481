/**
 * The paths on which the other side was heard. Each is asked at once and a few times more, so that
 * the loss of one datagram does not cost a round, and then seldom: who was heard must hear us, too.
 */
import { after, earlier, type Instant, NEVER } from "../../time.ts";
import { formatSocketAddress } from "../address.ts";
import type { Path } from "../path.ts";
import { HEARD_PATHS, JOIN_SILENCE_MS, REFRESH_MS } from "./limits.ts";

/** What a probe tells of its path. */
export type Hearing =
  /** The other side was heard there for the first time, or answered there for the first time. */
  | "news"
  | "known";

interface HeardPath {
  readonly path: Path;
  /** Whether an answer came: then somebody is there. A question's sender address may be forged. */
  isAnswered: boolean;
  asked: number;
  nextAt: Instant;
}

/** Until the next question on a path, after so many. */
const ASK_GAPS_MS = [100, 100, 200, 400];
/** After those. */
const ASK_GAP_MS = 1000;
/** From when on it is only kept open. */
const MANY_ASKED = 16;

/** Paths that were heard, at most {@linkcode HEARD_PATHS}. */
export class PunchPaths {
  readonly #paths = new Map<string, HeardPath>();
  #lastHeardAt: Instant | undefined;
  #joinedAt: Instant | undefined;

  /** When the other side was heard last. */
  get lastHeardAt(): Instant | undefined {
    return this.#lastHeardAt;
  }

  /** When it was heard for the first time, or again after a long silence. */
  get joinedAt(): Instant | undefined {
    return this.#joinedAt;
  }

  /**
   * An authentic probe came on a path.
   *
   * @param isAnswer Whether it answered a question of ours.
   */
  hear(now: Instant, path: Path, isAnswer: boolean): Hearing {
    const last = this.#lastHeardAt;
    if (last === undefined || now - last >= JOIN_SILENCE_MS) this.#joinedAt = now;
    this.#lastHeardAt = now;
    const key = `${path.socket} ${formatSocketAddress(path.remote)}`;
    const known = this.#paths.get(key);
    if (known !== undefined) {
      const isNews = isAnswer && !known.isAnswered;
      known.isAnswered ||= isAnswer;
      return isNews ? "news" : "known";
    }
    if (this.#paths.size >= HEARD_PATHS) return "known";
    this.#paths.set(key, { path, isAnswered: isAnswer, asked: 0, nextAt: now });
    return "news";
  }

  /** When a path is to be asked. */
  get nextAt(): Instant {
    let nextAt = NEVER;
    for (const path of this.#paths.values()) nextAt = earlier(nextAt, path.nextAt);
    return nextAt;
  }

  /** A path that is to be asked now. */
  take(now: Instant): Path | undefined {
    for (const heard of this.#paths.values()) {
      if (heard.nextAt > now) continue;
      const gapMs = ASK_GAPS_MS[heard.asked] ??
        (heard.asked < MANY_ASKED ? ASK_GAP_MS : REFRESH_MS);
      heard.asked++;
      heard.nextAt = after(now, gapMs);
      return heard.path;
    }
    return undefined;
  }
}
