/** Blocks lent by the transfer on their way out, in order, until every byte is acknowledged. */
import type { OutgoingBlock } from "./channel.ts";
import { Fifo } from "./fifo.ts";

/** A block and how far it got. */
export interface OutgoingBlockState {
  readonly block: OutgoingBlock;
  /** Bytes sent at least once. */
  sentBytes: number;
  /** Bytes acknowledged. */
  ackedBytes: number;
  /** Whether it was given back. */
  isReleased: boolean;
}

/** The queue of blocks not yet sent whole. */
export class BlockQueue {
  /** Bytes lent and not yet released. */
  queuedBytes = 0;
  /** Of these, bytes of blocks sent whole: a loss in one keeps all of it lent. */
  awaitedBytes = 0;
  /** Of the bytes lent, those that were acknowledged. */
  ackedBytes = 0;
  /** Bytes that were sent at least once, in all: what the peer's credit limits. */
  freshSentBytes = 0;
  readonly #unsent = new Fifo<OutgoingBlockState>();
  // The first is still lent. Not a Set: one in which thousands come and go leaves a chain of outgrown
  // tables, which keep what was in them for the collector of old objects.
  readonly #lent = new Fifo<OutgoingBlockState>();

  /** Queues a block. */
  add(block: OutgoingBlock): void {
    const state = { block, sentBytes: 0, ackedBytes: 0, isReleased: false };
    this.#unsent.push(state);
    this.#lent.push(state);
    this.queuedBytes += block.bytes.length;
  }

  /** The first block with bytes never sent, or undefined. */
  first(): OutgoingBlockState | undefined {
    return this.#unsent.peek();
  }

  /** Notes that `length` more bytes of the first block were sent. */
  advance(state: OutgoingBlockState, length: number): void {
    state.sentBytes += length;
    this.freshSentBytes += length;
    if (state.sentBytes < state.block.bytes.length) return;
    this.#unsent.shift();
    this.awaitedBytes += state.sentBytes;
  }

  /**
   * Notes that `length` more bytes of a block were acknowledged.
   *
   * @returns Whether the block is done with: true once, then it is no longer lent.
   */
  acknowledge(state: OutgoingBlockState, length: number): boolean {
    state.ackedBytes += length;
    if (!state.isReleased) this.ackedBytes += length;
    if (state.ackedBytes < state.block.bytes.length) return false;
    // False when releaseAll gave it back already, perhaps from within a release.
    if (state.isReleased) return false;
    state.isReleased = true;
    while (this.#lent.peek()?.isReleased) this.#lent.shift();
    this.queuedBytes -= state.block.bytes.length;
    this.awaitedBytes -= state.block.bytes.length;
    this.ackedBytes -= state.block.bytes.length;
    return true;
  }

  /** Gives back every block that is still lent: the connection is over. */
  releaseAll(): OutgoingBlock[] {
    const blocks: OutgoingBlock[] = [];
    for (let state = this.#lent.shift(); state !== undefined; state = this.#lent.shift()) {
      if (!state.isReleased) blocks.push(state.block);
      state.isReleased = true;
    }
    this.#unsent.clear();
    this.queuedBytes = 0;
    this.awaitedBytes = 0;
    this.ackedBytes = 0;
    return blocks;
  }
}
