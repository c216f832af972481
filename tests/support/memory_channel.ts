/**
 * Two channels joined in memory. Control bytes arrive in order but in pieces of any length; blocks
 * in pieces, in any order, some of them twice. All chance comes from a seed. Checks at every step
 * what a connection promises and what it may expect: credit is not exceeded and never given back
 * twice, nothing happens after the end.
 */
import assert from "node:assert/strict";
import { ERRORS } from "../../lib/errors.ts";
import type { Channel, ChannelHandler, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { Prng } from "./prng.ts";

/** What a {@linkcode MemoryLink} may do to what it carries. */
export interface MemoryLinkOptions {
  /** Block bytes a receiver grants ahead (default 4 MiB). */
  readonly creditBytes?: number;
  /** Block bytes a sender should queue (default 2 MiB). */
  readonly queueTargetBytes?: number;
  /** Longest piece of a block (default 64 KiB). */
  readonly pieceBytes?: number;
  /** Longest piece of control bytes (default 16 KiB). */
  readonly controlPieceBytes?: number;
  /** How many pieces may overtake each other (default 1: none). */
  readonly reorderWindow?: number;
  /** How probable it is that a piece arrives once more (default 0). */
  readonly duplicateRate?: number;
  /** Changes the bytes of a block on the way. */
  readonly damage?: (request: number, offset: number, bytes: Uint8Array) => void;
}

/** How a link ended, as one side sees it. */
export interface MemoryEnd {
  readonly wireCode: number;
  readonly reason: string;
  readonly byPeer: boolean;
}

interface Piece {
  readonly block: LentState;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isCopy: boolean;
}

interface LentState {
  readonly block: OutgoingBlock;
  cutBytes: number;
  arrivedBytes: number;
}

/** One end. */
export class MemoryChannel implements Channel {
  /** Who takes what arrives. */
  handler: ChannelHandler | undefined;
  /** How it ended. */
  end: MemoryEnd | undefined;
  /** Told once when it ended. */
  onEnd: (end: MemoryEnd) => void = () => {};
  /** Block bytes the handler said were new. */
  acceptedBytes = 0;
  /** Block bytes given back. */
  consumedBytes = 0;
  /** Control messages' bytes sent in all. */
  controlBytes = 0;
  /** Calls of `sendControl`. */
  controlWrites = 0;
  /** Blocks queued in all. */
  blocks = 0;
  controlQueuedBytes = 0;
  blockQueuedBytes = 0;
  blockAckedBytes = 0;
  readonly #options: MemoryLinkOptions;
  readonly #prng: Prng;
  readonly #control: Uint8Array[] = [];
  readonly #lent: LentState[] = [];
  readonly #pieces: Piece[] = [];
  #freshBytes = 0;
  #peer!: MemoryChannel;

  constructor(prng: Prng, options: MemoryLinkOptions) {
    this.#prng = prng;
    this.#options = options;
  }

  /** Joins the two ends. */
  static join(a: MemoryChannel, b: MemoryChannel): void {
    a.#peer = b;
    b.#peer = a;
  }

  get blockQueueTargetBytes(): number {
    return this.#options.queueTargetBytes ?? 2 * 1_048_576;
  }

  sendControl(bytes: Uint8Array): void {
    if (this.end) return;
    assert.ok(bytes.length > 0, "empty control write");
    this.#control.push(bytes.slice());
    this.controlQueuedBytes += bytes.length;
    this.controlBytes += bytes.length;
    this.controlWrites++;
  }

  sendBlock(block: OutgoingBlock): void {
    if (this.end) return;
    assert.ok(block.bytes.length > 0 && block.bytes.length <= 1_048_576, "block of a wrong length");
    this.#lent.push({ block, cutBytes: 0, arrivedBytes: 0 });
    this.blockQueuedBytes += block.bytes.length;
    this.blocks++;
  }

  consumeBlockBytes(bytes: number): void {
    if (this.end) return;
    this.consumedBytes += bytes;
    assert.ok(this.consumedBytes <= this.acceptedBytes, "more consumed than accepted");
  }

  close(wireCode: number, reason: string): void {
    if (this.end) return;
    this.#finish({ wireCode, reason, byPeer: false });
    this.#peer.#finish({ wireCode, reason, byPeer: true });
  }

  /** Ends both sides without a word, as a lost path does. */
  vanish(): void {
    const end = { wireCode: ERRORS.internal.wire, reason: "vanished", byPeer: true };
    this.#finish(end);
    this.#peer.#finish(end);
  }

  /** Whether something is on its way. */
  get isBusy(): boolean {
    return !this.end && (this.#control.length > 0 || this.#pieces.length > 0 || this.#mayCut());
  }

  /** Moves one thing to the other end, if there is one. */
  deliver(): void {
    if (this.end || this.#peer.handler === undefined) return;
    const hasControl = this.#control.length > 0;
    if (hasControl && (this.#prng.chance(0.5) || !this.#hasBlocks())) return this.#deliverControl();
    if (this.#hasBlocks()) this.#deliverPiece();
  }

  #hasBlocks(): boolean {
    return this.#pieces.length > 0 || this.#mayCut();
  }

  #mayCut(): boolean {
    return this.#lent.some((state) => state.cutBytes < state.block.bytes.length) &&
      this.#credit() > 0;
  }

  #credit(): number {
    const granted = this.#options.creditBytes ?? 4 * 1_048_576;
    return this.#peer.consumedBytes + granted - this.#freshBytes;
  }

  #deliverControl(): void {
    const first = this.#control[0]!;
    const length = Math.min(
      first.length,
      this.#prng.integer(1, this.#options.controlPieceBytes ?? 16_384),
    );
    if (length === first.length) this.#control.shift();
    else this.#control[0] = first.subarray(length);
    // A copy that is spoilt afterwards: the view is only valid during the call.
    const view = first.slice(0, length);
    this.#peer.handler?.handleControl(view);
    view.fill(0xee);
    if (this.end) return;
    this.controlQueuedBytes -= length;
    this.handler?.handleWritable();
  }

  #deliverPiece(): void {
    const window = this.#options.reorderWindow ?? 1;
    while (this.#pieces.length < window && this.#mayCut()) this.#cut();
    const index = this.#prng.integer(0, Math.min(window, this.#pieces.length) - 1);
    const [piece] = this.#pieces.splice(index, 1);
    const { block, offset, bytes, isCopy } = piece!;
    if (this.#prng.chance(this.#options.duplicateRate ?? 0)) {
      this.#pieces.push({ block, offset, bytes, isCopy: true });
    }
    const { handler } = this.#peer;
    const view = bytes.slice();
    const { request } = block.block;
    const accepted = handler!.handleBlock(request, block.block.offset + offset, view);
    view.fill(0xee);
    if (this.end) return;
    if (accepted < 0) return this.#peer.close(ERRORS.protocol_violation.wire, "unasked block");
    assert.ok(accepted <= bytes.length, "accepted more than there was");
    this.#peer.acceptedBytes += accepted;
    const granted = this.#options.creditBytes ?? 4 * 1_048_576;
    assert.ok(this.#peer.acceptedBytes - this.#peer.consumedBytes <= granted, "credit exceeded");
    if (!isCopy) this.#arrive(block, bytes.length);
  }

  #cut(): void {
    const state = this.#lent.find(({ block, cutBytes }) => cutBytes < block.bytes.length)!;
    const { block, cutBytes } = state;
    const wanted = this.#prng.integer(1, this.#options.pieceBytes ?? 65_536);
    const length = Math.min(wanted, block.bytes.length - cutBytes, this.#credit());
    const bytes = block.bytes.slice(cutBytes, cutBytes + length);
    this.#options.damage?.(block.request, block.offset + cutBytes, bytes);
    this.#pieces.push({ block: state, offset: cutBytes, bytes, isCopy: false });
    state.cutBytes += length;
    this.#freshBytes += length;
  }

  #arrive(state: LentState, length: number): void {
    state.arrivedBytes += length;
    this.blockAckedBytes += length;
    if (state.arrivedBytes < state.block.bytes.length) return;
    this.#lent.splice(this.#lent.indexOf(state), 1);
    this.blockQueuedBytes -= state.block.bytes.length;
    this.blockAckedBytes -= state.block.bytes.length;
    this.handler?.handleBlockReleased(state.block);
    this.handler?.handleWritable();
  }

  #finish(end: MemoryEnd): void {
    if (this.end) return;
    this.end = end;
    for (const { block } of this.#lent.splice(0)) this.handler?.handleBlockReleased(block);
    this.blockQueuedBytes = 0;
    this.blockAckedBytes = 0;
    this.onEnd(end);
  }
}

/** Two ends and the loop that moves things between them. */
export class MemoryLink {
  /** One end. */
  readonly left: MemoryChannel;
  /** The other end. */
  readonly right: MemoryChannel;
  readonly #prng: Prng;

  constructor(seed: number, options: MemoryLinkOptions = {}) {
    this.#prng = new Prng(seed);
    this.left = new MemoryChannel(this.#prng.fork(), options);
    this.right = new MemoryChannel(this.#prng.fork(), options);
    MemoryChannel.join(this.left, this.right);
  }

  /**
   * Moves things until `done` is settled.
   *
   * @throws {Error} If nothing moves any more and it is not.
   */
  async run(done: Promise<unknown>): Promise<void> {
    let isDone = false;
    const settle = () => void (isDone = true);
    done.then(settle, settle);
    for (let idleTurns = 0; !isDone; idleTurns++) {
      const isBusy = this.left.isBusy || this.right.isBusy;
      (this.#prng.chance(0.5) ? this.left : this.right).deliver();
      if (isBusy) idleTurns = 0;
      // Promises of a fake storage settle in microtasks; these turns let them.
      if (idleTurns > 100_000) throw new Error("Nothing moves any more: the transfer is stuck");
      await null;
    }
  }
}
