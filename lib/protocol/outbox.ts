/**
 * What waits to be sent on a connection, and what becomes of it: control bytes first, then lost
 * stretches of blocks, then new blocks. Fills packets, and learns what was acknowledged or lost.
 */
import { BlockQueue } from "./block_queue.ts";
import type { OutgoingBlock } from "./channel.ts";
import { Fifo } from "./fifo.ts";
import { blockHeadLength, controlHeadLength, writeBlockHead, writeControlHead } from "./frame.ts";
import { SegmentTable } from "./segments.ts";
import { SendStream } from "./send_stream.ts";

/** A frame that would carry fewer bytes than this waits for the next packet, unless it is the whole. */
const WORTHWHILE_BYTES = 32;

/** Outgoing control bytes and blocks of one connection. */
export class Outbox {
  /** The ordered control stream. */
  readonly control: SendStream = new SendStream();
  /** Blocks in order. */
  readonly blocks: BlockQueue = new BlockQueue();
  /** How far the peer lets the control stream go. */
  controlLimit = 0;
  /** How many block bytes the peer lets us send in all. */
  blockLimit = 0;
  /** What is in flight. */
  readonly segments: SegmentTable = new SegmentTable();
  /** Number of the first segment of the last {@linkcode Outbox.fill}. */
  filledFirst = 0;
  /** How many segments the last {@linkcode Outbox.fill} wrote. */
  filledCount = 0;
  readonly #lostControl = new Fifo<number>();
  readonly #lostBlocks = new Fifo<number>();
  readonly #onReleased: (block: OutgoingBlock) => void;

  /** @param onReleased Told of each block that was acknowledged whole. */
  constructor(onReleased: (block: OutgoingBlock) => void) {
    this.#onReleased = onReleased;
  }

  /** Whether {@linkcode Outbox.fill} would write anything. */
  get hasWork(): boolean {
    return this.#hasLost(this.#lostControl) || this.#hasLost(this.#lostBlocks) ||
      (this.control.sentOffset < this.control.writtenOffset &&
        this.control.sentOffset < this.controlLimit) ||
      (this.blocks.first() !== undefined && this.blocks.freshSentBytes < this.blockLimit);
  }

  /**
   * Writes frames, as much as fits, and notes them as segments in flight: `filledCount` of them from
   * `filledFirst` on.
   *
   * @returns The index just past the last frame; `offset` when nothing was written.
   */
  fill(out: Uint8Array, offset: number, end: number): number {
    this.filledFirst = this.segments.nextId;
    this.filledCount = 0;
    let at = this.#fillLost(this.#lostControl, out, offset, end);
    at = this.#fillControl(out, at, end);
    at = this.#fillLost(this.#lostBlocks, out, at, end);
    return this.#fillBlocks(out, at, end);
  }

  /** The peer has these segments. */
  acknowledge(firstSegment: number, count: number): void {
    const segments = this.segments;
    for (let id = firstSegment; id < firstSegment + count; id++) {
      if (!segments.isLive(id)) continue;
      const slot = segments.slot(id);
      const owner = segments.owners[slot]!;
      const length = segments.lengths[slot]!;
      if (owner === null) {
        this.control.acknowledge(segments.offsets[slot]!, length);
      } else if (this.blocks.acknowledge(owner, length)) {
        this.#onReleased(owner.block);
      }
      segments.free(id);
    }
  }

  /** These segments must be sent again: lost, or repeated by a probe. */
  lose(firstSegment: number, count: number): void {
    for (let id = firstSegment; id < firstSegment + count; id++) {
      if (!this.segments.markLost(id)) continue;
      const owner = this.segments.owners[this.segments.slot(id)];
      (owner === null ? this.#lostControl : this.#lostBlocks).push(id);
    }
  }

  /** Drops acknowledged entries from the front, then tells whether anything lost is left. */
  #hasLost(queue: Fifo<number>): boolean {
    for (;;) {
      const id = queue.peek();
      if (id === undefined) return false;
      if (this.segments.isLost(id)) return true;
      queue.shift();
    }
  }

  #fillLost(queue: Fifo<number>, out: Uint8Array, offset: number, end: number): number {
    const segments = this.segments;
    let at = offset;
    while (this.#hasLost(queue)) {
      const id = queue.peek()!;
      const slot = segments.slot(id);
      const owner = segments.owners[slot]!;
      const from = segments.offsets[slot]!;
      const length = segments.lengths[slot]!;
      const head = owner === null
        ? controlHeadLength(from, length)
        : blockHeadLength(owner.block.request, owner.block.offset + from, length);
      const part = Math.min(length, end - at - head);
      if (part < length && part < WORTHWHILE_BYTES) return at;
      queue.shift();
      segments.free(id);
      at = owner === null
        ? this.#writeControl(from, part, out, at)
        : this.#writeBlock(owner, from, part, out, at);
      if (part < length) {
        const rest = segments.add(owner, from + part, length - part);
        segments.markLost(rest);
        queue.unshift(rest);
        // No other frame fits behind it now, so the rest's number ends this packet's run.
        return at;
      }
    }
    return at;
  }

  #fillControl(out: Uint8Array, offset: number, end: number): number {
    const control = this.control;
    const from = control.sentOffset;
    const ready = Math.min(control.writtenOffset, this.controlLimit) - from;
    if (ready <= 0) return offset;
    const room = end - offset;
    const part = Math.min(ready, room - controlHeadLength(from, Math.min(ready, room)));
    if (part < ready && part < WORTHWHILE_BYTES) return offset;
    control.sentOffset += part;
    return this.#writeControl(from, part, out, offset);
  }

  #fillBlocks(out: Uint8Array, offset: number, end: number): number {
    let at = offset;
    for (;;) {
      // Mostly one block fills the packet.
      const state = at === end ? undefined : this.blocks.first();
      if (!state) return at;
      const ready = Math.min(
        state.block.bytes.length - state.sentBytes,
        this.blockLimit - this.blocks.freshSentBytes,
      );
      if (ready <= 0) return at;
      const from = state.sentBytes;
      // The length field is as long as this packet's part needs, not the whole block.
      const room = end - at;
      const most = Math.min(ready, room);
      const head = blockHeadLength(state.block.request, state.block.offset + from, most);
      const part = Math.min(ready, room - head);
      if (part < ready && part < WORTHWHILE_BYTES) return at;
      this.blocks.advance(state, part);
      at = this.#writeBlock(state, from, part, out, at);
    }
  }

  #writeControl(from: number, length: number, out: Uint8Array, offset: number): number {
    const at = writeControlHead(from, length, out, offset);
    this.control.copy(from, length, out, at);
    this.segments.add(null, from, length);
    this.filledCount++;
    return at + length;
  }

  #writeBlock(
    state: NonNullable<ReturnType<BlockQueue["first"]>>,
    from: number,
    length: number,
    out: Uint8Array,
    offset: number,
  ): number {
    const block = state.block;
    const at = writeBlockHead(block.request, block.offset + from, length, out, offset);
    out.set(block.bytes.subarray(from, from + length), at);
    this.segments.add(state, from, length);
    this.filledCount++;
    return at + length;
  }
}
