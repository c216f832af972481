/** Bytes that several clients may be using at the same time. */

/** A buffer with a count of who uses it. */
export interface HeldBytes {
  /** The bytes, and perhaps unused ones behind them; not changed while anybody uses them. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** One more uses them. */
  hold(): void;
  /** One uses them no more; after the last the buffer may be filled anew. */
  release(): void;
}

/** Bytes of one client only: the buffer goes back to where it came from. */
export class OwnBytes implements HeldBytes {
  /** See {@linkcode HeldBytes.buffer}. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly #pool: { give(buffer: Uint8Array<ArrayBuffer>): void };
  #users = 1;

  /**
   * @param buffer A buffer of the pool; used once from now on.
   * @param pool Where it goes in the end.
   */
  constructor(
    buffer: Uint8Array<ArrayBuffer>,
    pool: { give(buffer: Uint8Array<ArrayBuffer>): void },
  ) {
    this.buffer = buffer;
    this.#pool = pool;
  }

  /** See {@linkcode HeldBytes.hold}. */
  hold(): void {
    this.#users++;
  }

  /** See {@linkcode HeldBytes.release}. */
  release(): void {
    if (--this.#users === 0) this.#pool.give(this.buffer);
  }
}
