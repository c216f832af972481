/**
 * The client's side of a session (docs/transfer.md, "Client"): greets the sharer, takes what it
 * offers, and offers something in its turn.
 */
import { ClientGreeting, type ClientGreetingOptions } from "./client_greeting.ts";
import { Exchange, type ExchangeOptions } from "./exchange.ts";
import type { Message } from "./messages.ts";
import { Receiver, type ReceiverOptions, type TakingOptions } from "./receiving/receiver.ts";
import { type GivingOptions, Sender } from "./sending/sender.ts";

/** Options of a {@linkcode ClientExchange}. */
export interface ClientExchangeOptions
  extends
    ExchangeOptions,
    ClientGreetingOptions,
    TakingOptions,
    Pick<ReceiverOptions, "declines" | "beforeReceipt"> {
  /** What is offered to the sharer as soon as it has let this side in, if there is something then. */
  readonly give?: (() => GivingOptions | undefined) | undefined;
}

/** A client's side of one session. */
export class ClientExchange extends Exchange {
  /** What it takes. */
  readonly forth: Receiver;
  readonly #options: ClientExchangeOptions;
  readonly #greeting: ClientGreeting;
  /** What is offered, perhaps not before the words were compared. */
  #gift: GivingOptions | undefined;
  #back: Sender | undefined;

  /** @param options What it works with. */
  constructor(options: ClientExchangeOptions) {
    super(options);
    this.#options = options;
    this.#greeting = new ClientGreeting(options, this, (reason) => {
      this.forth.half.notify({ event: "waiting", reason });
    });
    this.forth = new Receiver({
      ...options,
      exchange: this,
      isTrusted: () => this.#isTrusted(),
    });
    this.follow("forth", this.forth.half);
  }

  /** What it gives; undefined until it has offered something. */
  get back(): Sender | undefined {
    return this.#back;
  }

  protected get giver(): Sender | undefined {
    return this.#back;
  }

  protected get taker(): Receiver {
    return this.forth;
  }

  /** Begins; called once, when the channel is open. */
  start(): void {
    this.#greeting.start();
    this.forth.start();
    this.flush(); // a statement of identity, when nothing is asked for
  }

  /**
   * Whether something may be offered now: the sharer has let this side in, has not had its receipt,
   * and nothing was offered before [BACK-1].
   */
  get mayOffer(): boolean {
    return this.#gift === undefined && this.forth.isTaking;
  }

  /**
   * Offers something to the sharer, as soon as that is known to be the right one; only while
   * {@linkcode ClientExchange.mayOffer}.
   */
  offer(give: GivingOptions): void {
    this.#gift = give;
    if (this.#greeting.isConfirmed) this.#offerGift();
  }

  protected handleMessage(message: Message): void {
    switch (message.type) {
      case "hello":
      case "verify_commit":
      case "verify_nonce":
      case "identity":
      case "pending":
        return this.#greeting.handleMessage(message);
      case "offer":
        return this.#handleOffer(message);
      default:
        return this.routeToHalf(message);
    }
  }

  /** Whoever may be in the middle is not told what this side has, either [XFER-5]. */
  async #isTrusted(): Promise<boolean> {
    const isTrusted = await this.#greeting.isTrusted();
    // Right here: what is taken may be over with the next step, and then it is too late [BACK-1].
    if (isTrusted && !this.hasEnded) this.#offerGift();
    return isTrusted;
  }

  #offerGift(): void {
    if (this.#gift === undefined || this.#back !== undefined) return;
    const { channel, crypto } = this.#options;
    this.#back = new Sender({ ...this.#gift, channel, crypto, exchange: this });
    this.follow("back", this.#back.half);
    this.#back.offer();
  }

  /** This side is let in: says what it has for the other before it looks at what there is [BACK-1]. */
  #handleOffer(offer: Message & { readonly type: "offer" }): void {
    if (!this.#greeting.isOver || this.forth.wasOffered) return this.violation("OFFER out of turn");
    const give = this.#options.give?.();
    if (give !== undefined) this.offer(give);
    this.forth.handleMessage(offer);
  }
}
