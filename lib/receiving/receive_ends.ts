/**
 * How the halves of a receive's sessions end, as it is told: one that ends while the other goes on at
 * once, and what is left when the session is over, for the last event may have to wait for the disk.
 */
import { TransferError } from "../errors.ts";
import type { DoneEvent, TransferEvent } from "../events.ts";
import { errorEvent } from "../operation/operation.ts";
import type { ExchangeEnd, HalfEnd } from "../transfer/exchange.ts";
import { type ReceiveSession, SESSION } from "./receive_session.ts";

/** Why a session did not end well. */
export interface SessionFailure {
  readonly error: TransferError;
  /** Whether only what is given to the sharer failed. */
  readonly isBack: boolean;
  /** Whether nothing was heard of the sharer any more. */
  readonly isLost: boolean;
}

/** What the ends are told with. */
export interface ReceiveEndsParts {
  /** Whether this side takes nothing of what is offered. */
  readonly declines: boolean;
  readonly tell: (event: TransferEvent) => void;
}

/** The ends of the halves of a receive. */
export class ReceiveEnds {
  readonly #parts: ReceiveEndsParts;
  /** Of halves whose end was not told, because nothing goes on beside them. */
  readonly #untold: DoneEvent[] = [];

  /** @param parts What they are told with. */
  constructor(parts: ReceiveEndsParts) {
    this.#parts = parts;
  }

  /** A half ended; its files are closed. */
  handleHalfEnd(session: ReceiveSession, half: "forth" | "back", end: HalfEnd): void {
    const { tell } = this.#parts;
    if (end instanceof TransferError) {
      if (!session.goesOn || (half === "forth" && this.#isDeclined(session, end))) return;
      const back = half === "back" ? { back: true as const } : {};
      return tell(errorEvent(end, { session: SESSION, ...back, fatal: false }));
    }
    const done = session.doneEvent(half, end);
    if (done === undefined) return;
    if (session.goesOn) tell(done);
    else this.#untold.push(done);
  }

  /** Why a session that is over did not end well; undefined when it did. */
  failureOf(session: ReceiveSession, { forth, back }: ExchangeEnd): SessionFailure | undefined {
    const errors = [this.#isDeclined(session, forth) ? undefined : forth, back]
      .filter((end) => end instanceof TransferError);
    const [error] = errors;
    if (error === undefined) return undefined;
    return {
      error,
      isBack: error === back && error !== forth,
      isLost: session.connection.closed?.byPeer === false &&
        errors.some(({ code }) => code === "path_lost"),
    };
  }

  /** Tells what was not told yet. */
  tellAll(): void {
    for (const done of this.#untold.splice(0)) this.#parts.tell(done);
  }

  /**
   * Tells what was not told yet, but for the last event.
   *
   * @returns The last event, which is the owner's to tell; undefined when all were told.
   */
  takeLast(): DoneEvent | undefined {
    const last = this.#untold.pop();
    this.tellAll();
    return last;
  }

  /** Whether what the sharer gives ended because this side wants nothing of it. */
  #isDeclined(session: ReceiveSession, forth: HalfEnd): boolean {
    return this.#parts.declines && session.hasOffered &&
      forth instanceof TransferError && forth.code === "refused";
  }
}
