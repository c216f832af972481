/** The incoming control stream: puts bytes that arrive in any order back into order. */
import { CONTROL_WINDOW_BYTES, MAX_CONTROL_GAPS } from "./params.ts";

/** Reassembly within the window the peer was granted. */
export class ReceiveStream {
  /** Bytes before this were taken. */
  deliveredOffset = 0;
  // Made when the first byte arrives out of order; most short sessions never need it.
  #ring: Uint8Array | undefined;
  /** Stretches received beyond `deliveredOffset`, ascending, neither touching nor overlapping. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /**
   * Takes bytes at a place in the stream.
   *
   * @param offset At most {@linkcode CONTROL_WINDOW_BYTES} ahead of what was delivered, with the
   *   bytes: the caller has checked it against the credit.
   * @returns False when there are more gaps than an honest path makes.
   */
  receive(offset: number, bytes: Uint8Array): boolean {
    let from = offset;
    const end = offset + bytes.length;
    if (end <= this.deliveredOffset || bytes.length === 0) return true;
    if (from < this.deliveredOffset) from = this.deliveredOffset;
    const ring = this.#ring ??= new Uint8Array(CONTROL_WINDOW_BYTES);
    const source = bytes.subarray(from - offset);
    const at = from % ring.length;
    const first = Math.min(source.length, ring.length - at);
    ring.set(source.subarray(0, first), at);
    if (first < source.length) ring.set(source.subarray(first), 0);
    return this.#addRange(from, end);
  }

  /**
   * Whether bytes at `offset` can be handed on at once, without a copy; then the caller does so and
   * calls {@linkcode ReceiveStream.skip}.
   */
  isNext(offset: number): boolean {
    return offset === this.deliveredOffset && this.#starts.length === 0;
  }

  /** Notes that the caller handed `length` bytes on itself. */
  skip(length: number): void {
    this.deliveredOffset += length;
  }

  /** The next bytes in order (a view, valid until the next call), or undefined. */
  take(): Uint8Array | undefined {
    if (this.#starts[0] !== this.deliveredOffset) return undefined;
    const ring = this.#ring!;
    const at = this.deliveredOffset % ring.length;
    const length = Math.min(this.#ends[0]! - this.deliveredOffset, ring.length - at);
    this.deliveredOffset += length;
    if (this.deliveredOffset === this.#ends[0]) {
      this.#starts.shift();
      this.#ends.shift();
    } else {
      this.#starts[0] = this.deliveredOffset;
    }
    return ring.subarray(at, at + length);
  }

  #addRange(start: number, end: number): boolean {
    const starts = this.#starts;
    const ends = this.#ends;
    let first = starts.length;
    while (first > 0 && ends[first - 1]! >= start) first--;
    let past = first;
    while (past < starts.length && starts[past]! <= end) past++;
    if (past > first) {
      start = Math.min(start, starts[first]!);
      end = Math.max(end, ends[past - 1]!);
    }
    starts.splice(first, past - first, start);
    ends.splice(first, past - first, end);
    return starts.length <= MAX_CONTROL_GAPS;
  }
}
