/**
 * Collects what an endpoint has to send into trains: datagrams of one length on one path, one behind
 * the other in one buffer, so that a socket that can takes them in one call. How many there are is
 * the endpoint's matter: its pacer ends a train by having nothing more to send now.
 */
import { isSamePath, type Path } from "../nat/path.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import { MAX_DATAGRAM_BYTES_V4 } from "../protocol/params.ts";
import type { Clock } from "./clock.ts";
import { MAX_TRAIN_BYTES, MAX_TRAIN_SEGMENTS } from "./socket.ts";

/** One train at a time; nothing is allocated for a datagram. */
export class Train {
  /** `buffer[0..length)` is the train. */
  readonly buffer: Uint8Array = new Uint8Array(MAX_TRAIN_BYTES + MAX_DATAGRAM_BYTES_V4);
  /** Bytes of the whole. */
  length = 0;
  /** Bytes of each of its datagrams but the last, which may be shorter. */
  segmentBytes = 0;
  /** Where it goes. */
  path!: Path;
  /** How many routers it may pass; undefined for the system's default. */
  hops: number | undefined;
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #takesTrains: (socket: number) => boolean;
  /** Views of the places of datagrams, for one length: they are the same in every train of it. */
  #places: Uint8Array[] = [];
  #placeBytes = 0;
  /** The datagram that did not fit the last train begins the next. */
  #carriedStart = 0;
  #carriedBytes = 0;

  /** @param takesTrains Whether a socket, by its index, takes more than one datagram at once. */
  constructor(endpoint: Endpoint, clock: Clock, takesTrains: (socket: number) => boolean) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#takesTrains = takesTrains;
    this.#places.push(this.buffer.subarray(0, MAX_DATAGRAM_BYTES_V4));
  }

  /** Takes the next train; false when there is nothing to send now. */
  fill(): boolean {
    const endpoint = this.#endpoint;
    if (this.#carriedBytes > 0) {
      const end = this.#carriedStart + this.#carriedBytes;
      this.buffer.copyWithin(0, this.#carriedStart, end);
      this.length = this.#carriedBytes;
      this.#carriedBytes = 0;
    } else {
      this.length = endpoint.pollTransmit(this.#clock.now(), this.#places[0]!);
      if (this.length === 0) return false;
    }
    this.segmentBytes = this.length;
    this.path = endpoint.transmitPath;
    this.hops = endpoint.transmitHops;
    if (this.hops === undefined && this.#takesTrains(this.path.socket)) this.#extend();
    return true;
  }

  #extend(): void {
    const endpoint = this.#endpoint;
    const { segmentBytes } = this;
    for (let count = 1; count < MAX_TRAIN_SEGMENTS; count++) {
      if (this.length + segmentBytes > MAX_TRAIN_BYTES) return;
      const bytes = endpoint.pollTransmit(this.#clock.now(), this.#placeAt(count));
      if (bytes === 0) return;
      const isFitting = bytes <= segmentBytes && endpoint.transmitHops === undefined &&
        isSamePath(endpoint.transmitPath, this.path);
      if (!isFitting) {
        this.#carriedStart = this.length;
        this.#carriedBytes = bytes;
        return;
      }
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
    return this.#places[index] ??= this.buffer.subarray(start, start + MAX_DATAGRAM_BYTES_V4);
  }
}
