/**
 * What was sent and must arrive: stretches of the control stream and of blocks, by number. A packet
 * carries segments with consecutive numbers, so a sent packet remembers two numbers instead of a
 * list, and bytes stay where their owner keeps them. Sending a lost stretch again makes new segments
 * of it; the old ones are dead, and a late acknowledgement of them changes nothing.
 */
import type { OutgoingBlockState } from "./block_queue.ts";

const FREE = 0;
const IN_FLIGHT = 1;
const LOST = 2;

const INITIAL_CAPACITY = 1024;

/** A ring of segments. Numbers only grow; a slot is used again once its segment is done with. */
export class SegmentTable {
  /** The block of a segment; null for the control stream. Indexed by {@linkcode slot}. */
  owners: (OutgoingBlockState | null)[] = new Array(INITIAL_CAPACITY).fill(null);
  /** Where the segment starts: in the block's bytes, or in the control stream. */
  offsets: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Bytes of the segment. */
  lengths: Uint32Array = new Uint32Array(INITIAL_CAPACITY);
  /** Number of the next segment. */
  nextId = 0;
  #states = new Uint8Array(INITIAL_CAPACITY);
  #oldestId = 0;
  #mask = INITIAL_CAPACITY - 1;

  /** Index of a segment in the arrays. */
  slot(id: number): number {
    return id & this.#mask;
  }

  /** Adds a segment that is now in flight. */
  add(owner: OutgoingBlockState | null, offset: number, length: number): number {
    const id = this.nextId;
    if (id - this.#oldestId > this.#mask) this.#makeRoom();
    this.nextId = id + 1;
    const slot = id & this.#mask;
    this.owners[slot] = owner;
    this.offsets[slot] = offset;
    this.lengths[slot] = length;
    this.#states[slot] = IN_FLIGHT;
    return id;
  }

  /** Whether a segment is neither acknowledged nor replaced. */
  isLive(id: number): boolean {
    return id >= this.#oldestId && this.#states[id & this.#mask] !== FREE;
  }

  /** Whether a segment was declared lost and waits to be sent again. */
  isLost(id: number): boolean {
    return id >= this.#oldestId && this.#states[id & this.#mask] === LOST;
  }

  /** Declares a segment lost; false when it is not in flight. */
  markLost(id: number): boolean {
    if (id < this.#oldestId || this.#states[id & this.#mask] !== IN_FLIGHT) return false;
    this.#states[id & this.#mask] = LOST;
    return true;
  }

  /** Ends a segment: acknowledged, or replaced by others. */
  free(id: number): void {
    const slot = id & this.#mask;
    this.#states[slot] = FREE;
    this.owners[slot] = null;
  }

  #makeRoom(): void {
    while (this.#oldestId < this.nextId && this.#states[this.#oldestId & this.#mask] === FREE) {
      this.#oldestId++;
    }
    const capacity = this.#mask + 1;
    // Half of it: growing by a few slots would walk the ring again at once.
    if (this.nextId - this.#oldestId <= capacity / 2) return;
    const mask = capacity * 2 - 1;
    const owners = new Array<OutgoingBlockState | null>(capacity * 2).fill(null);
    const offsets = new Float64Array(capacity * 2);
    const lengths = new Uint32Array(capacity * 2);
    const states = new Uint8Array(capacity * 2);
    for (let id = this.#oldestId; id < this.nextId; id++) {
      const from = id & this.#mask;
      const to = id & mask;
      owners[to] = this.owners[from]!;
      offsets[to] = this.offsets[from]!;
      lengths[to] = this.lengths[from]!;
      states[to] = this.#states[from]!;
    }
    this.owners = owners;
    this.offsets = offsets;
    this.lengths = lengths;
    this.#states = states;
    this.#mask = mask;
  }
}
