/**
 * The sharer's side of a session (docs/transfer.md, "Sharer"): greets the client, gives it what it
 * asks for once it is let in, and takes what it offers in its turn, or says that it takes nothing.
 */
import { Exchange, type ExchangeOptions } from "./exchange.ts";
import type { Message } from "./messages.ts";
import { Receiver, type TakingOptions } from "./receiving/receiver.ts";
import { type GivingOptions, Sender } from "./sending/sender.ts";
import { SharerGreeting, type SharerGreetingOptions } from "./sharer_greeting.ts";

/** Options of a {@linkcode SharerExchange}. */
export interface SharerExchangeOptions
  extends ExchangeOptions, SharerGreetingOptions, GivingOptions {
  /** Where what the client offers goes; without it everything is declined. */
  readonly take?: TakingOptions | undefined;
}

/** A sharer's side of one session. */
export class SharerExchange extends Exchange {
  /** What it gives. */
  readonly forth: Sender;
  readonly #options: SharerExchangeOptions;
  readonly #greeting: SharerGreeting;
  #back: Receiver | undefined;
  #hasOffer = false;

  /** @param options What it works with. */
  constructor(options: SharerExchangeOptions) {
    super(options);
    this.#options = options;
    this.#greeting = new SharerGreeting(options, this, () => this.forth.offer());
    this.forth = new Sender({ ...options, exchange: this });
    this.follow("forth", this.forth.half);
  }

  /** What it takes; undefined until the client has offered something that may be taken. */
  get back(): Receiver | undefined {
    return this.#back;
  }

  protected get giver(): Sender {
    return this.forth;
  }

  protected get taker(): Receiver | undefined {
    return this.#back;
  }

  /** Begins; called once, when the channel is open. */
  start(): void {
    this.#greeting.start();
  }

  protected handleMessage(message: Message): void {
    if (this.#greeting.isIdentityAwaited && message.type !== "identity") { // [WHO-1]
      return this.violation(`${message.type} before IDENTITY`);
    }
    switch (message.type) {
      case "identity":
      case "verify_nonce":
        return this.#greeting.handleMessage(message);
      case "offer":
        return this.#handleOffer(message);
      case "hello":
      case "verify_commit":
      case "pending":
        return this.violation(`${message.type} from the client`);
      default:
        return this.routeToHalf(message);
    }
  }

  /** The client offers something, once, while it is served [BACK-1] [BACK-3]. */
  #handleOffer(offer: Message & { readonly type: "offer" }): void {
    if (this.#hasOffer || !this.forth.isServing) return this.violation("OFFER out of turn");
    this.#hasOffer = true;
    const { take } = this.#options;
    if (take === undefined) {
      return this.decline({ code: "refused", reason: "nothing is taken here" });
    }
    this.#back = new Receiver({ ...this.#options, ...take, exchange: this });
    this.follow("back", this.#back.half);
    this.#back.start();
    this.#back.handleMessage(offer);
  }
}
