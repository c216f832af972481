/** The one interface between a connection and its congestion control. */
import type { Instant } from "../../time.ts";
import type { RttEstimator } from "../rtt.ts";
import type { RateSample } from "./delivery_rate.ts";

/** Decides how much may be in flight and how fast it leaves. Pure; driven by the connection. */
export interface CongestionController {
  /** Stable name, e.g. `"cubic"`. */
  readonly name: string;
  /** Most bytes that may be in flight. */
  readonly windowBytes: number;
  /**
   * How fast datagrams may leave, bytes per millisecond.
   *
   * @param rtt Of the current path.
   */
  pacingRate(rtt: RttEstimator): number;
  /** A datagram of `bytes` was sent. */
  onSent(now: Instant, packetNumber: number, bytes: number, inFlightBytes: number): void;
  /** One packet was acknowledged; called for each before {@linkcode onAckDone}. */
  onAcked(packetNumber: number, bytes: number, sentAt: Instant): void;
  /**
   * All packets of one ACK frame were told.
   *
   * @param isWindowLimited Whether the window, not the application, held sending back.
   * @param sample What the frame tells of the path; valid during the call only.
   */
  onAckDone(
    now: Instant,
    rtt: RttEstimator,
    largestAcked: number,
    inFlightBytes: number,
    isWindowLimited: boolean,
    sample: RateSample,
  ): void;
  /**
   * Packets were lost.
   *
   * @param largestSentAt When the newest of them was sent.
   */
  onLost(now: Instant, bytes: number, packets: number, largestSentAt: Instant): void;
  /** A packet that was told lost has arrived after all. */
  onSpuriousLoss(packetNumber: number, sentAt: Instant): void;
  /** Nothing came through for several probe timeouts (RFC 9002, section 7.6). */
  onPersistentCongestion(): void;
  /** The size of full datagrams changed. */
  onDatagramSize(bytes: number): void;
}
