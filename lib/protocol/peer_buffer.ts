/**
 * [CC-2] What the system of the peer holds while its program is busy bounds what is in flight on
 * short paths. There nearly everything in flight waits in that buffer: it is full long before a queue
 * shows in the round trip (a default one of Linux within about a millisecond), and what comes then is
 * lost. On longer paths most of what is in flight is on the line, queues grow in routers before they
 * do at the peer, and the congestion controller sees both.
 *
 * ```
 * window = rate · least round trip · 1.25 + buffer
 * ```
 */
import { WindowedMax } from "./congestion/windowed_max.ts";
import { ETHERNET_DATAGRAM_BYTES_V4, MIN_PEER_BUFFER_DATAGRAMS, SHORT_PATH_MS } from "./params.ts";
import type { RateSample } from "./congestion/delivery_rate.ts";
import type { RttEstimator } from "./rtt.ts";
import type { Instant } from "../time.ts";

/** Gain over what the rate needs: without it no rate could rise. */
const GAIN = 1.25;
/** How long a rate counts, ms; up to twice as long. */
const RATE_MS = 20;
/** How long a round trip counts, ms; up to twice as long. A path may become longer unseen. */
const RTT_MS = 5000;

/** The buffer of one peer, as it told, on the path of the session. */
export class PeerBuffer {
  /** Most bytes that may be in flight for it; infinite where it bounds nothing. */
  windowBytes: number = Number.POSITIVE_INFINITY;
  readonly #bytes: number;
  /** Bytes per millisecond. */
  readonly #rate = new WindowedMax();
  #rateSince = Number.NEGATIVE_INFINITY;
  #minRttMs = Number.POSITIVE_INFINITY;
  #previousMinRttMs = Number.POSITIVE_INFINITY;
  #minRttSince = Number.NEGATIVE_INFINITY;

  /** @param bytes Of datagrams that the peer's system holds, as it told; 0 if unknown. */
  constructor(bytes: number) {
    this.#bytes = bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
  }

  /** Most bytes to send at once: what comes together needs room together. */
  get burstBytes(): number {
    return this.#bytes / 2;
  }

  /** The path is another one. */
  restart(): void {
    this.windowBytes = Number.POSITIVE_INFINITY;
    this.#rate.clear();
    this.#rateSince = this.#minRttSince = Number.NEGATIVE_INFINITY;
    this.#minRttMs = this.#previousMinRttMs = Number.POSITIVE_INFINITY;
  }

  /**
   * An ACK was taken in.
   *
   * @param path `sample` is of this ACK, `rtt` of the path.
   */
  handleAck(
    now: Instant,
    { sample, rtt }: { readonly sample: RateSample; readonly rtt: RttEstimator },
    datagramBytes: number,
  ): void {
    if (this.#bytes === Number.POSITIVE_INFINITY || rtt.minMs > SHORT_PATH_MS) return;
    if (now - this.#rateSince >= RATE_MS) {
      this.#rateSince = now;
      this.#rate.advance();
    }
    if (now - this.#minRttSince >= RTT_MS) {
      this.#minRttSince = now;
      this.#previousMinRttMs = this.#minRttMs;
      this.#minRttMs = rtt.latestMs;
    }
    this.#rate.add(sample.rate);
    this.#minRttMs = Math.min(this.#minRttMs, rtt.latestMs);
    const minRttMs = Math.min(this.#minRttMs, this.#previousMinRttMs);
    // Larger datagrams are tried only where a few fit [MTU-3]; so many need not.
    const leastBytes = MIN_PEER_BUFFER_DATAGRAMS *
      Math.min(datagramBytes, ETHERNET_DATAGRAM_BYTES_V4);
    const bufferBytes = Math.max(this.#bytes, leastBytes);
    this.windowBytes = GAIN * this.#rate.value * minRttMs + bufferBytes;
  }
}
