/**
 * What two peers tell each other about where they are: their own candidates, and at which address
 * each sees the other. The newest of either is sent until it is acknowledged; of what comes, the
 * newest counts. No path is chosen here.
 */
import type { ByteReader } from "../../bytes/varint.ts";
import { isSameSocketAddress, type SocketAddress } from "../../nat/address.ts";
import type { Candidate } from "../../nat/candidate.ts";
import {
  encodeCandidateList,
  MAX_CANDIDATES_FRAME_BYTES,
  MAX_OBSERVED_FRAME_BYTES,
  readCandidates,
  readObservedAddress,
  writeCandidates,
  writeObservedAddress,
} from "../candidates_frame.ts";

/** Most bytes that {@linkcode PathNews.write} writes. */
export const MAX_PATH_NEWS_BYTES: number = MAX_CANDIDATES_FRAME_BYTES + MAX_OBSERVED_FRAME_BYTES;

/** The news of one connection, in both directions. */
export class PathNews {
  /** Whether there is something to tell the peer. */
  isDue = true;
  #candidates: Uint8Array | undefined;
  #candidatesSequence = 0;
  #peer: SocketAddress;
  #peerSequence = 0;
  #heardCandidates = -1;
  #heardAddress = -1;
  #ownAddress: SocketAddress | undefined;

  /** @param peer Where the peer is seen. */
  constructor(peer: SocketAddress) {
    this.#peer = peer;
  }

  /**
   * Sets what is told of this side.
   *
   * @throws {RangeError} As `encodeCandidateList`.
   */
  setCandidates(candidates: readonly Candidate[]): void {
    this.#candidates = encodeCandidateList(candidates);
    this.#candidatesSequence++;
    this.isDue = true;
  }

  /** The peer is seen at this address from now on. */
  setPeer(address: SocketAddress): void {
    if (isSameSocketAddress(address, this.#peer)) return;
    this.#peer = address;
    this.#peerSequence++;
    this.isDue = true;
  }

  /** A packet with news was lost: the newest go out again [LOSS-1]. */
  handleLost(): void {
    this.isDue = true;
  }

  /** Writes all there is to tell; at most {@linkcode MAX_PATH_NEWS_BYTES}. */
  write(out: Uint8Array, offset: number): number {
    this.isDue = false;
    let at = writeObservedAddress(this.#peerSequence, this.#peer, out, offset);
    if (this.#candidates) {
      at = writeCandidates(this.#candidatesSequence, this.#candidates, out, at);
    }
    return at;
  }

  /**
   * Reads the body of a CANDIDATES frame.
   *
   * @returns The list if it is newer than all before, `"old"` if not, undefined when malformed.
   */
  readCandidates(reader: ByteReader): readonly Candidate[] | "old" | undefined {
    const frame = readCandidates(reader);
    if (!frame) return undefined;
    if (frame.sequence <= this.#heardCandidates) return "old";
    this.#heardCandidates = frame.sequence;
    return frame.candidates;
  }

  /**
   * Reads the body of an OBSERVED_ADDRESS frame.
   *
   * @returns The address if it is news, `"old"` if not, undefined when malformed.
   */
  readObservedAddress(reader: ByteReader): SocketAddress | "old" | undefined {
    const frame = readObservedAddress(reader);
    if (!frame) return undefined;
    const { sequence, address } = frame;
    if (sequence <= this.#heardAddress) return "old";
    this.#heardAddress = sequence;
    if (this.#ownAddress && isSameSocketAddress(address, this.#ownAddress)) return "old";
    this.#ownAddress = address;
    return address;
  }
}
