/**
 * Loss recovery of one connection: which packets are in flight, which arrived, which were lost, and
 * when to probe (RFC 9002). New packet numbers for everything sent again; a probe timeout declares
 * nothing lost; the thresholds widen on paths that reorder.
 */
import type { CongestionController } from "./congestion/controller.ts";
import { DeliveryRate, type RateSample } from "./congestion/delivery_rate.ts";
import { AckFrame } from "./frame.ts";
import { MAX_PROBE_INTERVAL_MS, PROBE_SHARE_OF_SILENCE } from "./params.ts";
import { Reordering } from "./reordering.ts";
import { RttEstimator } from "./rtt.ts";
import { PacketFlag, SentPackets } from "./sent_packets.ts";
import { after, type Instant, instant, NEVER } from "../time.ts";

/** Doublings of the probe timeout. */
const MAX_BACKOFF = 6;
/** Probe timeouts without any answer that make a loss persistent congestion (RFC 9002, 7.6.1). */
const PERSISTENT_CONGESTION_TIMEOUTS = 3;

/** With only IN_FLIGHT of these, a packet's content is worth repeating. */
const UNREPEATED_MASK = PacketFlag.IN_FLIGHT | PacketFlag.ACKED | PacketFlag.LOST |
  PacketFlag.REPEATED;

/** What recovery tells the connection. */
export interface RecoveryOwner {
  /** A packet arrived at the peer; `slot` indexes the arrays of `recovery.sent`. */
  handlePacketAcked(slot: number): void;
  /** A packet was lost; what it carried must be sent again. */
  handlePacketLost(slot: number): void;
}

/** Packets in flight and their fate. */
export class Recovery {
  /** Round-trip time of the path. */
  readonly rtt: RttEstimator = new RttEstimator();
  /** What was sent. */
  readonly sent: SentPackets = new SentPackets();
  /** Bytes that count against the congestion window. */
  inFlightBytes = 0;
  /** Probe timeouts in a row without an answer. */
  timeoutCount = 0;
  /** When overtaken packets count as lost, or never. */
  lossDeadline: Instant = NEVER;
  /** Packets declared lost, for statistics. */
  lostPackets = 0;
  /** Packets declared lost that arrived after all. */
  spuriousPackets = 0;
  readonly #rate = new DeliveryRate();
  #controller: CongestionController;
  readonly #owner: RecoveryOwner;
  #largestAcked = -1;
  /** The same of packets on the session's path: others overtake without anything being lost. */
  #largestAckedOnPath = -1;
  /** The first packet number on the present path. */
  #pathStart = 0;
  /** Until when packets of the path before may still be acknowledged. */
  #oldPathEnds: Instant = instant(0);
  #firstUnresolved = 0;
  #inFlightPackets = 0;
  #lastInFlightSentAt: Instant = instant(0);
  /** When the first packet left that a probe timeout found unanswered, of those in a row. */
  #silentSince: Instant = instant(0);
  readonly #reordering = new Reordering();
  /** What the last ACK named. */
  readonly #known = new AckFrame();
  /** The largest number acknowledged on the path before the present ACK: what is below came late. */
  #overtaker = -1;
  /** Whether an ACK named a number that was left out. */
  #namesGap = false;
  /** When the last loss episode began: what was sent before belongs to it. */
  #episodeStart: Instant = instant(Number.NEGATIVE_INFINITY);
  /** When packets began to give round-trip samples; always, if one was known at the start. */
  #firstSampleAt: Instant = instant(Number.NEGATIVE_INFINITY);

  constructor(controller: CongestionController, owner: RecoveryOwner) {
    this.#controller = controller;
    this.#owner = owner;
  }

  /** When to probe for what got no answer; never while nothing is in flight. */
  get probeDeadline(): Instant {
    if (this.#inFlightPackets === 0 || this.lossDeadline !== NEVER) return NEVER;
    const timeoutMs = this.rtt.probeTimeoutMs;
    if (this.timeoutCount === 0) return after(this.#lastInFlightSentAt, timeoutMs);
    const backedOffMs = timeoutMs * 2 ** Math.min(this.timeoutCount, MAX_BACKOFF);
    const silentMs = this.#lastInFlightSentAt - this.#silentSince;
    const mostMs = Math.max(MAX_PROBE_INTERVAL_MS, silentMs * PROBE_SHARE_OF_SILENCE);
    const intervalMs = Math.max(timeoutMs, Math.min(backedOffMs, mostMs));
    return after(this.#lastInFlightSentAt, intervalMs);
  }

  /** What the last ACK told of the path; a live view. */
  get sample(): RateSample {
    return this.#rate;
  }

  /** Largest packet number that was acknowledged, or −1. */
  get largestAcked(): number {
    return this.#largestAcked;
  }

  /**
   * Notes a packet that leaves now. The caller fills in its segments and what its ACK covered.
   *
   * @param flags Bits of {@linkcode PacketFlag}; a probe for a larger size is not counted in flight.
   * @returns The index of the packet in the arrays of `sent`.
   */
  onSent(now: Instant, bytes: number, flags: number): number {
    const packetNumber = this.sent.next;
    const slot = this.sent.add();
    const sent = this.sent;
    sent.sentAt[slot] = now;
    sent.sizes[slot] = bytes;
    sent.flags[slot] = flags;
    sent.segmentCounts[slot] = 0;
    if ((flags & PacketFlag.IN_FLIGHT) !== 0) {
      this.#inFlightPackets++;
      this.#lastInFlightSentAt = now;
      this.inFlightBytes += bytes;
      this.#rate.onSent(now, sent, slot, this.inFlightBytes);
      this.#controller.onSent(now, packetNumber, bytes, this.inFlightBytes);
    }
    return slot;
  }

  /**
   * Leaves out the next number [ACK-6]. It counts as lost from the start: nothing waits for it, and
   * nothing is learned from it.
   */
  leaveOut(now: Instant): void {
    const slot = this.sent.add();
    this.sent.sentAt[slot] = now;
    this.sent.sizes[slot] = 0;
    this.sent.flags[slot] = PacketFlag.GAP | PacketFlag.LOST;
    this.sent.segmentCounts[slot] = 0;
  }

  /**
   * Takes an ACK frame.
   *
   * @param isWindowLimited Whether the window held sending back.
   * @returns False when it acknowledges what was never sent: then the session must end.
   */
  onAck(now: Instant, ack: AckFrame, isWindowLimited: boolean): boolean {
    const largest = ack.largest[0]!;
    const sent = this.sent;
    if (largest >= sent.next) return false;
    const isLargestNew = largest > this.#largestAcked;
    const largestSlot = sent.slot(largest);
    this.#rate.begin();
    this.#overtaker = this.#largestAckedOnPath;
    const ackedEliciting = this.#acknowledgeNew(now, ack);
    if (this.#namesGap) return false;
    if (isLargestNew) {
      this.#largestAcked = largest;
      // Only the newest packet gives a sample, and only one the peer had to acknowledge promptly.
      if (
        (sent.flags[largestSlot]! & PacketFlag.ACK_ELICITING) !== 0 && largest >= this.#pathStart
      ) {
        if (!this.rtt.hasSample) this.#firstSampleAt = now;
        this.rtt.addSample(Math.max(now - sent.sentAt[largestSlot]!, 0.001), ack.delayMs);
        this.#rate.rttMs = this.rtt.latestMs;
        this.#rate.ackDelayMs = Math.min(ack.delayMs, this.rtt.maxAckDelayMs);
      }
    }
    if (ackedEliciting) this.timeoutCount = 0;
    this.detectLosses(now);
    this.#rate.finish(now, this.rtt.minMs);
    this.#controller.onAckDone(
      now,
      this.rtt,
      this.#largestAcked,
      this.inFlightBytes,
      isWindowLimited,
      this.#rate,
    );
    this.#forget(now);
    return true;
  }

  /** The application has nothing more to send: what leaves now says little of the path. */
  markAppLimited(): void {
    this.#rate.markAppLimited(this.inFlightBytes);
  }

  /** Declares lost what was overtaken too far or too long ago. */
  detectLosses(now: Instant): void {
    const sent = this.sent;
    const thresholdMs = this.#reordering.thresholdMs(this.rtt);
    const thresholdPackets = this.#reordering.thresholdPackets;
    this.lossDeadline = NEVER;
    let lostBytes = 0;
    let lostCount = 0;
    let largestSentAt = instant(0);
    let runStart = Number.NaN;
    let runEnd = 0;
    let longestRunMs = 0;
    let packetNumber = this.#firstUnresolved;
    const end = Math.max(this.#largestAckedOnPath, this.#pathStart);
    for (; packetNumber < end; packetNumber++) {
      const slot = sent.slot(packetNumber);
      const flags = sent.flags[slot]!;
      if ((flags & PacketFlag.ACKED) !== 0) {
        runStart = Number.NaN;
        continue;
      }
      if ((flags & PacketFlag.LOST) !== 0) continue;
      const sentAt = sent.sentAt[slot]!;
      const isOldPath = packetNumber < this.#pathStart;
      const isOvertaken = !isOldPath &&
        this.#largestAckedOnPath - packetNumber >= thresholdPackets;
      const lostAt = isOldPath ? this.#oldPathEnds : after(sentAt as Instant, thresholdMs);
      if (!isOvertaken && lostAt > now) {
        // Later packets were sent later and are nearer to the newest: none of them is lost yet.
        this.lossDeadline = lostAt;
        break;
      }
      sent.flags[slot] = flags | PacketFlag.LOST;
      this.#leaveFlight(slot, flags);
      this.#owner.handlePacketLost(slot);
      if ((flags & PacketFlag.IN_FLIGHT) === 0) continue;
      this.lostPackets++;
      lostCount++;
      lostBytes += sent.sizes[slot]!;
      largestSentAt = sentAt as Instant;
      // Before the first sample the probe timeout was a guess: too few probes say nothing.
      if (sentAt <= this.#firstSampleAt) continue;
      if (Number.isNaN(runStart)) runStart = sentAt;
      runEnd = sentAt;
      longestRunMs = Math.max(longestRunMs, runEnd - runStart);
    }
    this.#firstUnresolved = packetNumber;
    if (lostCount === 0) return;
    this.#controller.onLost(now, lostBytes, lostCount, largestSentAt);
    this.#onLosses(now, largestSentAt);
    const persistentMs = PERSISTENT_CONGESTION_TIMEOUTS * this.rtt.probeTimeoutMs;
    if (this.rtt.hasSample && longestRunMs > persistentMs) {
      this.#controller.onPersistentCongestion();
      // The path may be another one by now (RFC 9002, section 5.2).
      this.rtt.minMs = this.rtt.latestMs;
    }
  }

  /**
   * What is sent from now on takes another path. What is on its way may still be acknowledged for
   * `graceMs`, then it is sent again; neither says anything of the new path (RFC 9000, section 9.4).
   *
   * @param controller That of the new path; undefined when only the peer's port has changed, and
   *   all that is known of the path still holds.
   */
  changePath(now: Instant, graceMs: number, controller: CongestionController | undefined): void {
    const sent = this.sent;
    const cleared = PacketFlag.IN_FLIGHT | (controller ? PacketFlag.MTU_PROBE : 0);
    for (let packetNumber = sent.oldest; packetNumber < sent.next; packetNumber++) {
      const slot = sent.slot(packetNumber);
      sent.flags[slot] = sent.flags[slot]! & ~cleared;
    }
    this.#inFlightPackets = 0;
    this.inFlightBytes = 0;
    this.timeoutCount = 0;
    this.#pathStart = sent.next;
    this.#oldPathEnds = after(now, graceMs);
    if (controller) {
      this.#controller = controller;
      this.#reordering.clear();
    }
    this.detectLosses(now);
  }

  /** The probe deadline passed. Nothing is declared lost for it [LOSS-3]. */
  onProbeTimeout(): void {
    if (this.timeoutCount === 0) this.#silentSince = this.#lastInFlightSentAt;
    this.timeoutCount++;
  }

  /**
   * Takes the oldest packet in flight that no probe has repeated yet: without that a second timeout
   * would find nothing left to repeat.
   *
   * @returns Its index, or −1.
   */
  takeUnrepeated(): number {
    const sent = this.sent;
    for (let packetNumber = this.#firstUnresolved; packetNumber < sent.next; packetNumber++) {
      const slot = sent.slot(packetNumber);
      const flags = sent.flags[slot]!;
      if ((flags & UNREPEATED_MASK) !== PacketFlag.IN_FLIGHT) continue;
      sent.flags[slot] = flags | PacketFlag.REPEATED;
      return slot;
    }
    return -1;
  }

  /**
   * Acknowledges what a frame names and the one before it did not: frames repeat nearly all of what
   * the last one said, and walking over that again would cost what is in flight, not what is new.
   *
   * @returns Whether any of it was to be acknowledged.
   */
  #acknowledgeNew(now: Instant, ack: AckFrame): boolean {
    const known = this.#known;
    const { oldest } = this.sent;
    let isEliciting = false;
    let first = 0;
    for (let index = 0; index < ack.count; index++) {
      const end = ack.largest[index]!;
      if (end < oldest) break;
      let start = Math.max(ack.smallest[index]!, oldest);
      // Of the known ranges, newest first as well, those from `first` to `past` reach into this one.
      while (first < known.count && known.smallest[first]! > end) first++;
      let past = first;
      while (past < known.count && known.largest[past]! >= start) past++;
      for (let at = past - 1; at >= first; at--) {
        if (this.#acknowledgeRun(now, start, known.smallest[at]! - 1)) isEliciting = true;
        start = Math.max(start, known.largest[at]! + 1);
      }
      if (this.#acknowledgeRun(now, start, end)) isEliciting = true;
      first = Math.max(first, past - 1);
    }
    known.copyFrom(ack);
    return isEliciting;
  }

  #acknowledgeRun(now: Instant, first: number, last: number): boolean {
    const sent = this.sent;
    let isEliciting = false;
    for (let packetNumber = first; packetNumber <= last; packetNumber++) {
      const slot = sent.slot(packetNumber);
      const flags = sent.flags[slot]!;
      if ((flags & PacketFlag.ACKED) !== 0) continue;
      if ((flags & PacketFlag.GAP) !== 0) {
        this.#namesGap = true;
        return false;
      }
      if ((flags & PacketFlag.ACK_ELICITING) !== 0) isEliciting = true;
      if (packetNumber > this.#largestAckedOnPath && (flags & PacketFlag.OFF_PATH) === 0) {
        this.#largestAckedOnPath = packetNumber;
      }
      this.#onPacketAcked(now, packetNumber, slot, flags);
    }
    return isEliciting;
  }

  #onPacketAcked(now: Instant, packetNumber: number, slot: number, flags: number): void {
    const sent = this.sent;
    sent.flags[slot] = flags | PacketFlag.ACKED;
    if (packetNumber < this.#overtaker && (flags & PacketFlag.IN_FLIGHT) !== 0) {
      const overtakenBy = this.#overtaker - packetNumber;
      this.#reordering.handleLate(overtakenBy, now - sent.sentAt[slot]!, this.rtt);
    }
    if ((flags & PacketFlag.LOST) !== 0) {
      this.#onSpurious(packetNumber, slot, flags);
    } else {
      this.#leaveFlight(slot, flags);
      if ((flags & PacketFlag.IN_FLIGHT) !== 0) {
        this.#rate.onAcked(now, sent, slot, packetNumber);
        this.#controller.onAcked(packetNumber, sent.sizes[slot]!, sent.sentAt[slot] as Instant);
      }
    }
    this.#owner.handlePacketAcked(slot);
  }

  /** A packet declared lost has arrived after all. */
  #onSpurious(packetNumber: number, slot: number, flags: number): void {
    if ((flags & PacketFlag.IN_FLIGHT) === 0) return;
    this.spuriousPackets++;
    this.#rate.onSpuriousLoss(this.sent.sizes[slot]!);
    this.#controller.onSpuriousLoss(packetNumber, this.sent.sentAt[slot] as Instant);
  }

  /** Losses of one round trip are one episode. */
  #onLosses(now: Instant, largestSentAt: Instant): void {
    if (largestSentAt <= this.#episodeStart) return;
    this.#episodeStart = now;
    this.#reordering.handleEpisode();
  }

  #leaveFlight(slot: number, flags: number): void {
    if ((flags & PacketFlag.IN_FLIGHT) === 0) return;
    this.#inFlightPackets--;
    this.inFlightBytes -= this.sent.sizes[slot]!;
  }

  /** Lost packets are remembered for a while, to learn from those that were only late. */
  #forget(now: Instant): void {
    const sent = this.sent;
    const keepMs = 2 * this.rtt.probeTimeoutMs;
    let oldest = sent.oldest;
    for (; oldest < this.#firstUnresolved; oldest++) {
      const slot = sent.slot(oldest);
      const flags = sent.flags[slot]!;
      // A gap is forgotten with what is before it: it alone keeps nothing in memory.
      if ((flags & (PacketFlag.ACKED | PacketFlag.GAP)) !== 0) continue;
      if (sent.sentAt[slot]! + keepMs > now) break;
    }
    sent.forgetBelow(oldest);
  }
}
