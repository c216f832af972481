/** One request on its way out: what of which file, and how far it got. */
import type { OutgoingBlock } from "../../protocol/channel.ts";
import type { HeldBytes } from "./held_bytes.ts";
import type { ByteRange, RootStatus } from "../messages.ts";

/** What a request asks for: bytes, or hashes only. Each kind is answered in a lane of its own. */
export type RequestKind = "get" | "check";

/** What a {@linkcode OutgoingRequest} is for. */
export interface RequestedPart {
  readonly kind: RequestKind;
  /** Which parts of the file, each of whole groups; none for all of it. */
  readonly ranges: readonly ByteRange[];
  /** Whether its bytes count in the progress: not when they were asked for before. */
  readonly isCounted: boolean;
}

/** A request of the receiver. */
export class OutgoingRequest {
  /** Its number. */
  readonly id: number;
  /** Which entry it asks for. */
  readonly entry: number;
  /** Whether it asks for hashes only. */
  readonly isCheck: boolean;
  /** Which parts, each of whole groups; none for all of the file. */
  readonly ranges: readonly ByteRange[];
  /** Bytes lent to the channel so far. */
  sentBytes = 0;
  /** Bytes of those that came back. */
  releasedBytes = 0;
  /** Whether the receiver gave it up. */
  isCancelled = false;
  /** Whether its bytes count in the progress. */
  readonly isCounted: boolean;
  /** How it ended; undefined while it goes on. */
  status: RootStatus | undefined;

  /**
   * @param id Its number.
   * @param entry Which entry it asks for.
   * @param part What of it.
   */
  constructor(id: number, entry: number, part: RequestedPart) {
    this.id = id;
    this.entry = entry;
    this.isCheck = part.kind === "check";
    this.ranges = part.ranges;
    this.isCounted = part.isCounted;
  }

  /** Whether it ended well and everything of it arrived. */
  get isDelivered(): boolean {
    return this.status !== undefined && this.releasedBytes === this.sentBytes;
  }
}

/** A block on its way out, with what is to be released then and the request it belongs to. */
export class LentBlock implements OutgoingBlock {
  readonly request: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** What `bytes` are of: held for the channel. */
  readonly held: HeldBytes;
  /** What it belongs to. */
  readonly owner: OutgoingRequest;

  /**
   * @param owner What it belongs to.
   * @param offset Where in the file the first byte belongs.
   * @param bytes What to send.
   * @param held What they are of.
   */
  constructor(owner: OutgoingRequest, offset: number, bytes: Uint8Array, held: HeldBytes) {
    this.request = owner.id;
    this.owner = owner;
    this.offset = offset;
    this.bytes = bytes;
    this.held = held;
  }
}
