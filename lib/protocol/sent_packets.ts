/** What is known of packets sent and not yet forgotten: a ring of typed arrays by packet number. */

/** Bits of {@linkcode SentPackets.flags}. */
export const PacketFlag = {
  /** The peer must acknowledge it. */
  ACK_ELICITING: 1,
  /** It counts in flight. */
  IN_FLIGHT: 2,
  ACKED: 4,
  LOST: 8,
  /** Larger than the path proved; its loss says nothing of congestion. */
  MTU_PROBE: 16,
  /** It carried the newest CREDIT. */
  CREDIT: 32,
  /** It carried an ACK; the number up to which is in `acknowledged`. */
  ACK: 64,
  /** A probe repeats what it carried; it may still arrive itself. */
  REPEATED: 128,
  /** It went along a path that is only being probed: it says nothing of the session's path. */
  OFF_PATH: 256,
  /** It carried CANDIDATES or OBSERVED_ADDRESS. */
  PATH_NEWS: 512,
  /** It left while the application, not the path, held sending back. */
  APP_LIMITED: 1024,
  /** It carried LIMITED. */
  LIMITED: 2048,
  /** There is no such packet: its number was left out. */
  GAP: 4096,
} as const;

const INITIAL_CAPACITY = 1024;

/** A ring of sent packets with consecutive numbers. */
export class SentPackets {
  /** When it was sent, as an instant. */
  sentAt: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Bytes of the datagram. */
  sizes: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  /** Bits of {@linkcode PacketFlag}. */
  flags: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  /** Number of its first segment. */
  firstSegments: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** How many segments it carried. */
  segmentCounts: Uint16Array = new Uint16Array(INITIAL_CAPACITY);
  /** Largest packet number its ACK frame covered. */
  acknowledged: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Bytes delivered in all when it left; this and what follows is of `delivery_rate.ts`. */
  delivered: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** When the newest of those was acknowledged. */
  deliveredAt: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** When the packet was sent that was then the newest acknowledged. */
  firstSentAt: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** Bytes in flight when it left, itself included. */
  inFlight: Float64Array = new Float64Array(INITIAL_CAPACITY);
  /** The oldest number still remembered. */
  oldest = 0;
  /** The next number to use. */
  next = 0;
  #mask = INITIAL_CAPACITY - 1;

  /** Index of a packet in the arrays. */
  slot(packetNumber: number): number {
    return packetNumber & this.#mask;
  }

  /** Makes room for the next packet and returns its index; the caller fills the arrays. */
  add(): number {
    if (this.next - this.oldest > this.#mask) this.#grow();
    return this.next++ & this.#mask;
  }

  /** Forgets packets up to `packetNumber`, which is not forgotten. */
  forgetBelow(packetNumber: number): void {
    if (packetNumber > this.oldest) this.oldest = packetNumber;
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const mask = capacity - 1;
    const sentAt = new Float64Array(capacity);
    const sizes = new Uint16Array(capacity);
    const flags = new Uint16Array(capacity);
    const firstSegments = new Float64Array(capacity);
    const segmentCounts = new Uint16Array(capacity);
    const acknowledged = new Float64Array(capacity);
    const delivered = new Float64Array(capacity);
    const deliveredAt = new Float64Array(capacity);
    const firstSentAt = new Float64Array(capacity);
    const inFlight = new Float64Array(capacity);
    for (let packetNumber = this.oldest; packetNumber < this.next; packetNumber++) {
      const from = packetNumber & this.#mask;
      const to = packetNumber & mask;
      sentAt[to] = this.sentAt[from]!;
      sizes[to] = this.sizes[from]!;
      flags[to] = this.flags[from]!;
      firstSegments[to] = this.firstSegments[from]!;
      segmentCounts[to] = this.segmentCounts[from]!;
      acknowledged[to] = this.acknowledged[from]!;
      delivered[to] = this.delivered[from]!;
      deliveredAt[to] = this.deliveredAt[from]!;
      firstSentAt[to] = this.firstSentAt[from]!;
      inFlight[to] = this.inFlight[from]!;
    }
    this.sentAt = sentAt;
    this.sizes = sizes;
    this.flags = flags;
    this.firstSegments = firstSegments;
    this.segmentCounts = segmentCounts;
    this.acknowledged = acknowledged;
    this.delivered = delivered;
    this.deliveredAt = deliveredAt;
    this.firstSentAt = firstSentAt;
    this.inFlight = inFlight;
    this.#mask = mask;
  }
}
