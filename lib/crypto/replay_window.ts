/**
 * Which packet numbers were received already (docs/protocol.md, "Replay"): a bitmap of the newest
 * 32,768 numbers. What is older counts as received.
 *
 * Checking and marking are two steps: a number is marked only once the packet proved authentic, or
 * a forger could shut out real packets.
 */

/**
 * How many numbers below the largest one are still accepted. A gigabit carries 90,000 datagrams a
 * second, so this is more than a third of a second of reordering at that rate.
 */
export const REPLAY_WINDOW_PACKETS = 32_768;

/**
 * Twice the window: a word is cleared as a whole when the largest number enters it, and what it held
 * one lap ago is then far outside the window.
 */
const WORD_COUNT = 2 * REPLAY_WINDOW_PACKETS / 32;
const WORD_MASK = WORD_COUNT - 1;

/** A sliding window over packet numbers from 0 to 2^53 − 1; 8 KiB. */
export class ReplayWindow {
  #words = new Uint32Array(WORD_COUNT);
  #largest = -1;

  /** The largest number marked; −1 at first. */
  get largest(): number {
    return this.#largest;
  }

  /** Whether `packetNumber` is new: neither marked nor older than the window. */
  check(packetNumber: number): boolean {
    if (packetNumber > this.#largest) return true;
    if (this.#largest - packetNumber >= REPLAY_WINDOW_PACKETS) return false;
    // Bit operations keep the low 32 bits of any integer, and only the low 16 count here.
    const word = this.#words[(packetNumber >>> 5) & WORD_MASK]!;
    return (word & (1 << (packetNumber & 31))) === 0;
  }

  /** Marks a number for which {@linkcode check} was true; constant time, amortised. */
  mark(packetNumber: number): void {
    if (packetNumber > this.#largest) {
      const first = Math.floor(this.#largest / 32) + 1;
      const last = Math.floor(packetNumber / 32);
      const count = Math.min(last - first + 1, WORD_COUNT);
      for (let index = 0; index < count; index++) this.#words[(last - index) & WORD_MASK] = 0;
      this.#largest = packetNumber;
    }
    this.#words[(packetNumber >>> 5) & WORD_MASK]! |= 1 << (packetNumber & 31);
  }
}
