/**
 * How the two halves of a client's session end, as it is told: each when it ends while the other goes
 * on, and what is left when the session is over. Of a session that failed as a whole one error is
 * told, not two.
 */
import { TransferError } from "../errors.ts";
import type { DoneEvent, TransferEvent } from "../events.ts";
import { errorEvent } from "../operation/operation.ts";
import type { ExchangeEnd, HalfEnd } from "../transfer/exchange.ts";
import type { TransferSummary } from "../transfer/transfer_notice.ts";

/** What to do when a client was lost that had been let in. */
const COMES_AGAIN_HINT = "It comes again by itself when it can, and goes on: keep this running";

/** Which half: what the sharer gives, or what the client does. */
type HalfName = "forth" | "back";

/** What the ends of one session are told with. */
export interface HalfEndsParts {
  /** Number of the session. */
  readonly session: number;
  /** Whether the share is of nothing: the end of that is no news. */
  readonly givesNothing: boolean;
  /** The event of a half that ended well; undefined when that was told in a session before. */
  readonly doneEvent: (half: HalfName, summary: TransferSummary) => DoneEvent | undefined;
  readonly tell: (event: TransferEvent) => void;
}

/** The ends of the halves of one session. */
export class HalfEnds {
  readonly #parts: HalfEndsParts;
  /** Halves whose end was told while the other went on. */
  readonly #told = new Set<HalfName>();
  readonly #dones: DoneEvent[] = [];

  /** @param parts What they are told with. */
  constructor(parts: HalfEndsParts) {
    this.#parts = parts;
  }

  /** The events of halves that ended well. */
  get dones(): readonly DoneEvent[] {
    return this.#dones;
  }

  /** A half ended while the other goes on: tells it. */
  handleHalfEnd(half: HalfName, end: HalfEnd): void {
    if (this.#parts.givesNothing) return;
    this.#told.add(half);
    const event = this.#eventOf(half, end);
    if (event !== undefined) this.#parts.tell(event);
  }

  /**
   * The session is over: tells what was not told yet, but for the last event.
   *
   * @param isLost Whether the client may come again, and go on.
   * @returns The last event, which is the owner's to tell.
   */
  handleEnd(end: ExchangeEnd, isLost: boolean): TransferEvent {
    const events = isLost ? this.#lostEvents(end) : this.#endEvents(end);
    const untold = events.filter((event) => event !== undefined);
    const last = untold.pop() ?? this.#dones.at(-1) ?? this.#eventOf("forth", end.forth)!;
    for (const event of untold) this.#parts.tell(event);
    return last;
  }

  #lostEvents({ forth, back }: ExchangeEnd): (TransferEvent | undefined)[] {
    const { code, message } = [forth, back].find(isPathLost)!;
    const lost = new TransferError(code, message, { hint: COMES_AGAIN_HINT });
    const well = ([["forth", forth], ["back", back]] as const).map(([half, end]) => {
      const isNews = end !== undefined && !(end instanceof TransferError) && !this.#told.has(half);
      return isNews ? this.#eventOf(half, end) : undefined;
    });
    return [...well, errorEvent(lost, { session: this.#parts.session, fatal: false })];
  }

  #endEvents({ forth, back }: ExchangeEnd): (TransferEvent | undefined)[] {
    const { givesNothing } = this.#parts;
    const isOfBoth = forth === back; // the session failed, not a half of it
    const tellsForth = !this.#told.has("forth") && !(givesNothing && back !== undefined);
    const tellsBack = !this.#told.has("back") && back !== undefined && !isOfBoth;
    return [
      tellsForth || isOfBoth ? this.#eventOf("forth", forth) : undefined,
      tellsBack ? this.#eventOf("back", back) : undefined,
    ];
  }

  #eventOf(half: HalfName, end: HalfEnd): TransferEvent | undefined {
    const { session, doneEvent } = this.#parts;
    if (end instanceof TransferError) {
      const back = half === "back" ? { back: true as const } : {};
      return errorEvent(end, { session, ...back, fatal: false });
    }
    const done = doneEvent(half, end);
    if (done !== undefined) this.#dones.push(done);
    return done;
  }
}

/**
 * How a session ended. *Lost*: nothing was heard of a client any more that had been let in.
 * *Superseded*: it came again; nothing is told then. *Interrupted*: a client that was let in ended the
 * transfer on purpose.
 */
export type SessionEnd = "served" | "lost" | "superseded" | "interrupted" | "failed";

/** How a session ended that none goes on with yet. */
export function howEnded(
  { forth, back }: ExchangeEnd,
  session: {
    /** Whether the client was let in, here or in a session before, in which it was lost. */
    readonly wasLetIn: boolean;
    /** Whether the share is of nothing. */
    readonly givesNothing: boolean;
    /** Whether the client closed the connection. */
    readonly isByPeer: boolean;
  },
): SessionEnd {
  const { wasLetIn, givesNothing, isByPeer } = session;
  if (wasLetIn && (isPathLost(forth) || isPathLost(back))) return "lost";
  const wanted = givesNothing ? back : forth;
  if (wanted !== undefined && !(wanted instanceof TransferError)) return "served";
  const isInterrupted = forth instanceof TransferError && forth.code === "interrupted";
  return wasLetIn && isInterrupted && isByPeer ? "interrupted" : "failed";
}

/** Whether a half ended because nothing was heard of the client any more. */
function isPathLost(end: HalfEnd | undefined): end is TransferError {
  return end instanceof TransferError && end.code === "path_lost";
}
