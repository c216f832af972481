/**
 * How one client of a share gets in: by what it is let in, whether somebody is asked about it, and
 * its place. What all clients of the share have in common is in `places.ts` and `question_turns.ts`.
 *
 * ```
 *                  ┌ lost before ─────────────────────────────────────┐
 *                  ├ its reply code was pasted, no words to compare ──┤
 *                  ├ its identity is allowed, no words to compare ────┤         a place
 *  decide() ───────┼ nobody to ask ───────────────────────────────────┼▶ placed ───────▶ in
 *                  └▶ private: waits for its reply code               │
 *                        ├ pasted ────────────────────────────────────┤
 *                        ▼            its turn           yes          │
 *                     waits for ─────────────▶ asked ─────────────────┘
 *                     a question                 └ no ─▶ refused
 * ```
 *
 * Before somebody was asked about it a client holds no place: who is let in without a question does
 * not wait behind one.
 */
import type { AdmittedBy, IdentityReport } from "../events.ts";
import type { ClientRequest } from "../options.ts";
import type { ShareDoor } from "./share_door.ts";

/** The most clients of a share at a time. */
export const MAX_CLIENTS = 256;

/** The client, as far as it matters here. */
export interface AdmissionClient {
  /** Counts from 1. */
  readonly session: number;
  /** Its `host:port`. */
  readonly address: string;
  /** What many clients of one person have in common: the host, or the network of an IPv6 one. */
  readonly host: string;
  /** Who it has proved to be, once that is known. */
  readonly identity: () => IdentityReport | undefined;
  /** Whether its identity is let in without a question. */
  readonly isAllowed: () => boolean;
  /** Whether it was let in before, and lost. */
  readonly comesAgain: boolean;
  /** Whether its place is passed on to it by the session that it goes on with. */
  readonly hasPlace: boolean;
  /** Whether its reply code was pasted before it came. */
  readonly isInvited: boolean;
  /** Told once when it waits for a place. */
  readonly onWaits: () => void;
  /** Told the words to compare, right before somebody is asked about it. */
  readonly onWords: (words: readonly string[]) => void;
}

/** The way in of one client. */
export class Admission {
  readonly #door: ShareDoor;
  readonly #client: AdmissionClient;
  /** Resolves when its reply code was pasted. */
  readonly #invited = Promise.withResolvers<void>();
  /** Resolves when it left, or was turned away. */
  readonly #gone = Promise.withResolvers<void>();
  #state: "asking" | "waiting" | "in" = "asking";
  #isInvited: boolean;
  #hasPlace: boolean;
  #hasLeft = false;
  #hasSaidWaits = false;
  /** Leaves whatever is waited in. */
  #leave: () => void = () => {};

  /**
   * @param door What it gets through.
   * @param client Who wants to.
   */
  constructor(door: ShareDoor, client: AdmissionClient) {
    this.#door = door;
    this.#client = client;
    this.#isInvited = client.isInvited;
    this.#hasPlace = client.hasPlace;
    if (client.hasPlace) this.#state = "in";
  }

  /** What it does until it is in, and whether it is, or was. */
  get state(): "asking" | "waiting" | "in" {
    return this.#state;
  }

  /** Whether its reply code was pasted. */
  get isInvited(): boolean {
    return this.#isInvited;
  }

  /** Whether nobody is asked about it before it has shown its reply code. */
  get mustShowReply(): boolean {
    const { comesAgain, isAllowed } = this.#client;
    return this.#door.options.private === true && !this.#isInvited && !comesAgain && !isAllowed();
  }

  /**
   * Decides whether it is let in: at once, where there is nothing to wait for.
   *
   * @param words Those to compare, when that is wished.
   * @returns By what it was let in, and then it has a place; undefined when it was turned away or has
   *   left.
   * @throws Whatever `admit` rejects with.
   */
  decide(words: readonly string[] | undefined): AdmittedBy | Promise<AdmittedBy | undefined> {
    const by = this.#unasked(words !== undefined);
    if (by === undefined || !this.#tryPlace()) return this.#decideLater(by, words);
    this.#sayWords(by, words);
    return by;
  }

  /** Its reply code was pasted: nobody needs to be asked about it, but for its words. */
  invite(): void {
    this.#isInvited = true;
    this.#invited.resolve();
  }

  /** It left, or is sent away: nothing is waited for any more; its place is for others. */
  end(wasServed: boolean): void {
    this.#hasLeft = true;
    this.#gone.resolve();
    this.#leave();
    if (this.#hasPlace) {
      if (wasServed) this.#door.places.useUp();
      else this.#door.places.giveBack();
    }
    this.#hasPlace = false;
  }

  /**
   * The client came again in another session: this one is over, and nothing is given back.
   *
   * @returns Whether it had a place, which the other session has from now on.
   */
  passOn(): boolean {
    const hadPlace = this.#hasPlace;
    this.#hasPlace = false;
    this.end(false);
    return hadPlace;
  }

  /** Nothing is heard of it: somebody else may have its place. */
  offerPlace(): void {
    if (!this.#hasPlace) return;
    this.#leave();
    this.#leave = this.#door.places.offer(() => this.#hasPlace = false);
  }

  /**
   * It is heard again.
   *
   * @returns False when its place is another's by now, and there is no other.
   */
  keepPlace(): boolean {
    this.#leave();
    return this.#state !== "in" || this.#tryPlace();
  }

  /** By what it is let in without a question; undefined when there is one, or a code to wait for. */
  #unasked(hasWords: boolean): AdmittedBy | undefined {
    const { comesAgain, isAllowed } = this.#client;
    if (comesAgain) return "again";
    if (hasWords && this.#door.options.admit !== undefined) return undefined;
    if (this.#isInvited) return "reply";
    if (isAllowed()) return "identity";
    const { admit, private: isPrivate } = this.#door.options;
    return admit === undefined && isPrivate !== true ? "code" : undefined;
  }

  async #decideLater(
    unasked: AdmittedBy | undefined,
    words: readonly string[] | undefined,
  ): Promise<AdmittedBy | undefined> {
    const by = unasked ?? await this.#reason(words);
    if (by === undefined || this.#hasLeft) return undefined;
    if (!this.#tryPlace() && !await this.#waitForPlace()) return undefined;
    this.#sayWords(by, words);
    return by;
  }

  /** Waits for what it is let in by. */
  async #reason(words: readonly string[] | undefined): Promise<AdmittedBy | undefined> {
    if (this.mustShowReply) {
      this.#state = "waiting";
      await Promise.race([this.#invited.promise, this.#gone.promise]);
    }
    const by = this.#unasked(words !== undefined);
    if (by !== undefined || this.#hasLeft) return by;
    this.#state = "asking";
    const { turns } = this.#door;
    if (!turns.hasRoom) this.#sayWaits();
    const turn = Promise.withResolvers<void>();
    const question = new AbortController();
    const endTurn = turns.wait(this.#client.host, turn.resolve);
    try {
      const noMore = [this.#gone.promise, ...(words === undefined ? [this.#invited.promise] : [])];
      const over = Promise.race(noMore).then(() => undefined);
      await Promise.race([turn.promise, over]);
      const by = this.#unasked(words !== undefined);
      if (by !== undefined || this.#hasLeft) return by;
      if (words !== undefined) this.#client.onWords(words);
      const { admit } = this.#door.options;
      const answer = await Promise.race([admit!(this.#request(words, question.signal)), over]);
      if (answer === undefined) return this.#unasked(words !== undefined);
      return answer ? "yes" : undefined;
    } finally {
      question.abort();
      endTurn();
    }
  }

  #request(words: readonly string[] | undefined, signal: AbortSignal): ClientRequest {
    const { session, address, identity } = this.#client;
    const report = identity();
    return {
      session,
      address,
      isInvited: this.#isInvited,
      signal,
      ...(words === undefined ? {} : { words }),
      ...(report === undefined ? {} : { identity: report }),
    };
  }

  #tryPlace(): boolean {
    this.#hasPlace ||= this.#door.places.tryTake();
    if (this.#hasPlace) this.#state = "in";
    return this.#hasPlace;
  }

  async #waitForPlace(): Promise<boolean> {
    this.#state = "waiting";
    this.#sayWaits();
    const placed = Promise.withResolvers<void>();
    this.#leave = this.#door.places.wait(() => {
      this.#hasPlace = true;
      this.#state = "in";
      placed.resolve();
    });
    await Promise.race([placed.promise, this.#gone.promise]);
    return this.#hasPlace;
  }

  /** Tells the words where nobody was asked about them. */
  #sayWords(by: AdmittedBy, words: readonly string[] | undefined): void {
    if (words !== undefined && by !== "again" && by !== "yes") this.#client.onWords(words);
  }

  #sayWaits(): void {
    if (this.#hasSaidWaits) return;
    this.#hasSaidWaits = true;
    this.#client.onWaits();
  }
}
