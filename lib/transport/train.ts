/**
 * Collects what an endpoint has to send into trains: datagrams of one length on one path, one behind
 * the other in one buffer, so that a socket that can takes them in one call. How many there are is
 * the endpoint's matter: its pacer ends a train by having nothing more to send now.
 */
import type { Path } from "../nat/path.ts";
import { ETHERNET_DATAGRAM_BYTES_V4, MAX_DATAGRAM_BYTES } from "../protocol/params.ts";
import { type Instant, NEVER } from "../time.ts";
import type { Clock } from "./clock.ts";
import { MAX_TRAIN_BYTES, MAX_TRAIN_SEGMENTS } from "./socket.ts";

/** Where datagrams come from: an endpoint (`lib/protocol/endpoint.ts`). */
export interface TrainSource {
  /** Where the last datagram goes. */
  readonly transmitPath: Path;
  /** How many routers it may pass; undefined for the system's default. */
  readonly transmitHops: number | undefined;
  /** Writes the next datagram; its bytes, or 0. */
  pollTransmit(now: Instant, out: Uint8Array): number;
  /** Writes one more for the same path, at most `segmentBytes` long; its bytes, or 0. */
  extendTransmit(now: Instant, out: Uint8Array, segmentBytes: number): number;
}

/** One train at a time; nothing is allocated for a datagram. */
export class Train {
  /** `buffer[0..length)` is the train. */
  readonly buffer: Uint8Array = new Uint8Array(MAX_TRAIN_BYTES + ETHERNET_DATAGRAM_BYTES_V4);
  /** Bytes of the whole. */
  length = 0;
  /** Bytes of each of its datagrams but the last, which may be shorter. */
  segmentBytes = 0;
  /** When it was made; of an empty one, when it was asked for. */
  madeAt: Instant = NEVER;
  /** Where it goes. */
  path!: Path;
  /** How many routers it may pass; undefined for the system's default. */
  hops: number | undefined;
  readonly #source: TrainSource;
  readonly #clock: Clock;
  readonly #takesTrains: (socket: number) => boolean;
  /** Views of the places of datagrams, for one length: they are the same in every train of it. */
  readonly #places: Uint8Array[] = [];
  #placeBytes = 0;

  /** @param takesTrains Whether a socket, by its index, takes more than one datagram at once. */
  constructor(source: TrainSource, clock: Clock, takesTrains: (socket: number) => boolean) {
    this.#source = source;
    this.#clock = clock;
    this.#takesTrains = takesTrains;
    this.#places.push(this.buffer.subarray(0, MAX_DATAGRAM_BYTES));
  }

  /** Takes the next train; false when there is nothing to send now. */
  fill(): boolean {
    const source = this.#source;
    // Read once a train, not once a datagram: a train takes less than 0.1 ms to make.
    const now = this.madeAt = this.#clock.now();
    this.length = this.segmentBytes = source.pollTransmit(now, this.#places[0]!);
    if (this.length === 0) return false;
    this.path = source.transmitPath;
    this.hops = source.transmitHops;
    if (this.hops === undefined && this.#takesTrains(this.path.socket)) this.#extend(now);
    return true;
  }

  #extend(now: Instant): void {
    const { segmentBytes } = this;
    for (let count = 1; count < MAX_TRAIN_SEGMENTS; count++) {
      if (this.length + segmentBytes > MAX_TRAIN_BYTES) return;
      const bytes = this.#source.extendTransmit(now, this.#placeAt(count), segmentBytes);
      this.length += bytes;
      if (bytes < segmentBytes) return;
    }
  }

  #placeAt(index: number): Uint8Array {
    if (this.#placeBytes !== this.segmentBytes) {
      this.#placeBytes = this.segmentBytes;
      this.#places.length = 1;
    }
    const start = index * this.segmentBytes;
    return this.#places[index] ??= this.buffer.subarray(
      start,
      start + Math.max(this.segmentBytes, ETHERNET_DATAGRAM_BYTES_V4),
    );
  }
}
