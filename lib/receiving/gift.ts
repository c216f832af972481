/**
 * What a receive offers to the sharer in return: made ready once, whether it was there from the
 * beginning or came later, and given in every session.
 */
import type { TransferEvent, WarningEvent } from "../events.ts";
import { asTransferError } from "../operation/connection_error.ts";
import type { ReceiveOptions, ShareSource } from "../options.ts";
import { type PreparedSource, prepareSource } from "../session/share_source.ts";
import { SESSION } from "./receive_session.ts";

/** What a gift is made ready with. */
export interface GiftParts {
  readonly options: Pick<ReceiveOptions, "offer" | "storage" | "signal">;
  /** Whether the receive has ended. */
  readonly isOver: () => boolean;
  /**
   * Gives it in the session there is, if there is one.
   *
   * @returns False when that takes no offer any more.
   */
  readonly give: () => boolean;
  readonly emit: (event: TransferEvent) => void;
}

/** What is offered to the sharer, or nothing. */
export class Gift {
  readonly #parts: GiftParts;
  #source: PreparedSource | undefined;
  #preparing: Promise<void> | undefined;

  /** @param parts What it is made ready with. */
  constructor(parts: GiftParts) {
    this.#parts = parts;
  }

  /** What is given; undefined when there is nothing, or not yet. */
  get source(): PreparedSource | undefined {
    return this.#source;
  }

  /** While something that came later is looked at. */
  get preparing(): Promise<void> | undefined {
    return this.#preparing;
  }

  /**
   * Makes ready what there was from the beginning.
   *
   * @throws {TransferError} As `prepareSource`.
   */
  async prepareFirst(): Promise<void> {
    const { offer } = this.#parts.options;
    if (offer !== undefined) await this.#prepare(offer);
  }

  /**
   * Gives something that came later; a warning tells when that cannot be done.
   *
   * @throws {TypeError} If something was offered before, or it cannot be.
   */
  add(source: ShareSource): void {
    checkGift(source);
    const { options, isOver, give } = this.#parts;
    if (options.offer || this.#source || this.#preparing) {
      throw new TypeError("Cannot offer more: something was offered before");
    }
    this.#preparing = this.#prepare(source).then(() => {
      if (!isOver() && !give()) this.#tellNotOffered("the transfer is over");
    }, (error) => {
      // What was received is not the worse for it; another try may be made.
      this.#tellNotOffered(asTransferError(error).message);
      this.#source = undefined;
    }).finally(() => this.#preparing = undefined);
  }

  /** Lets go of it. */
  close(): void {
    this.#source?.stream?.close();
  }

  async #prepare(source: ShareSource): Promise<void> {
    const { options: { storage, signal }, isOver, emit } = this.#parts;
    const options = { ...(storage ? { storage } : {}), ...(signal ? { signal } : {}) };
    const warn = (warning: WarningEvent) => emit({ ...warning, back: true });
    this.#source = await prepareSource(source, options, warn);
    // Ended in the meantime: nobody else lets go of it.
    if (isOver()) this.close();
  }

  #tellNotOffered(why: string): void {
    const message = `Cannot offer to the other side: ${why}`;
    const code = "not_offered";
    this.#parts.emit({ event: "warning", session: SESSION, back: true, code, message });
  }
}

/**
 * Checks that there is something in what is offered.
 *
 * @throws {TypeError} If there is not.
 */
export function checkGift(source: ShareSource): void {
  if ("nothing" in source) throw new TypeError("Cannot offer nothing");
}
