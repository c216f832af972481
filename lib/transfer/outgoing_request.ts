/** One request on its way out: what of which file, and how far it got. */
import type { OutgoingBlock } from "../protocol/channel.ts";
import type { ByteRange, RootStatus } from "./messages.ts";

/** A request of the receiver. */
export class OutgoingRequest {
  /** Its number. */
  readonly id: number;
  /** Which entry it asks for. */
  readonly entry: number;
  /** Which parts, each of whole groups; none for a whole file. */
  readonly ranges: readonly ByteRange[];
  /** Whether it asks for all of the file. */
  readonly isWhole: boolean;
  /** Bytes of all its parts. */
  readonly length: number;
  /** Bytes lent to the channel so far. */
  sentBytes = 0;
  /** Bytes of those that came back. */
  releasedBytes = 0;
  /** Whether the receiver gave it up. */
  isCancelled = false;
  /** Whether it is the first for all of its file, and so counts. */
  readonly isCounted: boolean;
  /** How it ended; undefined while it goes on. */
  status: RootStatus | undefined;

  /**
   * @param id Its number.
   * @param entry Which entry it asks for.
   * @param ranges Which parts; none for the whole file.
   * @param file Size of the file, and whether this is the first request for all of it.
   */
  constructor(
    id: number,
    entry: number,
    ranges: readonly ByteRange[],
    file: { readonly sizeBytes: number; readonly isCounted: boolean },
  ) {
    const { sizeBytes, isCounted } = file;
    this.id = id;
    this.entry = entry;
    this.isWhole = ranges.length === 0;
    this.isCounted = isCounted;
    this.ranges = ranges;
    this.length = ranges.reduce((sum, range) => sum + range.length, this.isWhole ? sizeBytes : 0);
  }

  /** Whether it ended well and everything of it arrived. */
  get isDelivered(): boolean {
    return this.status !== undefined && this.releasedBytes === this.sentBytes;
  }
}

/** A block on its way out, with the buffer to give back and the request it belongs to. */
export class LentBlock implements OutgoingBlock {
  readonly request: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** The buffer behind `bytes`. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** What it belongs to. */
  readonly owner: OutgoingRequest;
  /** Who still reads the buffer: the channel, and for a while whoever hashes it. */
  users = 1;

  /**
   * @param owner What it belongs to.
   * @param offset Where in the file the first byte belongs.
   * @param buffer A buffer of the pool.
   * @param length How many of its bytes to send.
   */
  constructor(
    owner: OutgoingRequest,
    offset: number,
    buffer: Uint8Array<ArrayBuffer>,
    length: number,
  ) {
    this.request = owner.id;
    this.owner = owner;
    this.offset = offset;
    this.buffer = buffer;
    this.bytes = buffer.subarray(0, length);
  }
}
