/**
 * What a connection has received, and when it says so: packet numbers as ranges, and whether an ACK
 * may wait (docs/protocol.md, "Acknowledgements"). What the peer acknowledges is the business of
 * `recovery.ts`.
 */
import { AckRanges } from "./ack_ranges.ts";
import { writeAck } from "./frame.ts";
import {
  ACK_EVERY_DISORDERED_PACKETS,
  ACK_EVERY_PACKETS,
  MAX_ACK_DELAY_MS,
  MAX_PROMPT_ACKS,
  MIN_ACK_DELAY_MS,
  PACKETS_PER_PROMPT_ACK,
} from "./params.ts";
import { after, type Instant, NEVER } from "../time.ts";
import { Timer, type TimerTable } from "./timer_table.ts";

/** The acknowledging half of a connection. */
export class AckScheduler {
  readonly #timers: TimerTable;
  readonly #received = new AckRanges();
  #largest = -1;
  #largestAt: Instant;
  #elicitingSinceAck = 0;
  #isDue = false;
  /** ACKs at once for packets out of order that the path still gets. */
  #promptAcks = MAX_PROMPT_ACKS;
  /** Whether a packet out of order waits for its ACK. */
  #isDisordered = false;

  /** @param timers Where {@linkcode Timer.ACK} is armed; its owner calls `demand` when it expires. */
  constructor(now: Instant, timers: TimerTable) {
    this.#timers = timers;
    this.#largestAt = now;
  }

  /** Whether an ACK may wait no longer, and goes out alone if nothing else does. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Whether the next packet should carry an ACK. */
  get isOwed(): boolean {
    return this.#isDue || this.#elicitingSinceAck > 0;
  }

  /** Largest packet number that {@linkcode AckScheduler.write} would acknowledge. */
  get largest(): number {
    return this.#received.largest(0);
  }

  /** The peer asked for an ACK, or the one that is owed has waited long enough. */
  demand(): void {
    this.#isDue = true;
  }

  /**
   * A packet came again: our ACK for it may be lost. It is as unauthenticated as any stranger's, so
   * it only moves an ACK forward that something authentic has asked for.
   */
  handleDuplicate(): void {
    if (this.#elicitingSinceAck > 0) this.#isDue = true;
  }

  /**
   * Takes note of a packet and decides when it is acknowledged, if at all [ACK-1].
   *
   * @param isEliciting Whether the peer wants an ACK for it.
   * @param smoothedRttMs Of the path.
   */
  handlePacket(
    now: Instant,
    packetNumber: number,
    isEliciting: boolean,
    smoothedRttMs: number,
  ): void {
    const isNext = packetNumber === this.#largest + 1;
    this.#received.add(packetNumber);
    if (packetNumber > this.#largest) {
      this.#largest = packetNumber;
      this.#largestAt = now;
    }
    if (!isEliciting) return; // [ACK-3]
    this.#elicitingSinceAck++;
    if (isNext) {
      const promptAcks = this.#promptAcks + 1 / PACKETS_PER_PROMPT_ACK;
      this.#promptAcks = Math.min(promptAcks, MAX_PROMPT_ACKS);
    } else if (this.#promptAcks >= 1) {
      this.#promptAcks--;
      this.#isDue = true;
    } else {
      this.#isDisordered = true;
    }
    const most = this.#isDisordered ? ACK_EVERY_DISORDERED_PACKETS : ACK_EVERY_PACKETS;
    if (this.#elicitingSinceAck >= most) {
      this.#isDue = true;
    } else if (this.#timers.get(Timer.ACK) === NEVER) {
      const delayMs = Math.min(Math.max(smoothedRttMs / 4, MIN_ACK_DELAY_MS), MAX_ACK_DELAY_MS);
      this.#timers.set(Timer.ACK, after(now, delayMs));
    }
  }

  /**
   * Writes an ACK at `offset`, which settles what is owed.
   *
   * @returns The index just past it, or `offset` when there was no room.
   */
  write(now: Instant, out: Uint8Array, offset: number, end: number): number {
    const at = writeAck(this.#received, now - this.#largestAt, out, offset, end);
    if (at > offset) {
      this.#isDue = false;
      this.#elicitingSinceAck = 0;
      this.#isDisordered = false;
      this.#timers.clear(Timer.ACK);
    }
    return at;
  }

  /** The peer knows that everything up to `packetNumber` arrived. */
  forgetUpTo(packetNumber: number): void {
    this.#received.removeBelow(packetNumber + 1);
  }
}
