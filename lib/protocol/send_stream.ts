/** The outgoing control stream: bytes are kept from queueing to acknowledgement. */

const INITIAL_CAPACITY = 4096;

/** A ring of bytes with three marks: acknowledged, sent, written. Grows with what is queued. */
export class SendStream {
  /** Bytes before this are acknowledged. */
  ackedOffset = 0;
  /** Bytes before this were sent at least once. */
  sentOffset = 0;
  /** Bytes before this were written. */
  writtenOffset = 0;
  #ring = new Uint8Array(INITIAL_CAPACITY);
  /** Acknowledged stretches beyond `ackedOffset`, by start. Few: one per loss. */
  readonly #ackedAhead = new Map<number, number>();

  /** Bytes written and not yet acknowledged. */
  get queuedBytes(): number {
    return this.writtenOffset - this.ackedOffset;
  }

  /** Appends bytes; they are copied. */
  write(bytes: Uint8Array): void {
    if (this.queuedBytes + bytes.length > this.#ring.length) {
      this.#grow(this.queuedBytes + bytes.length);
    }
    const ring = this.#ring;
    const at = this.writtenOffset % ring.length;
    const first = Math.min(bytes.length, ring.length - at);
    ring.set(first === bytes.length ? bytes : bytes.subarray(0, first), at);
    if (first < bytes.length) ring.set(bytes.subarray(first), 0);
    this.writtenOffset += bytes.length;
  }

  /** Copies `length` bytes of the stream from `streamOffset` to `out` at `offset`. */
  copy(streamOffset: number, length: number, out: Uint8Array, offset: number): void {
    const ring = this.#ring;
    const at = streamOffset % ring.length;
    const first = Math.min(length, ring.length - at);
    out.set(ring.subarray(at, at + first), offset);
    if (first < length) out.set(ring.subarray(0, length - first), offset + first);
  }

  /** Notes that a stretch was acknowledged; each stretch is told once and they never overlap. */
  acknowledge(streamOffset: number, length: number): void {
    if (streamOffset !== this.ackedOffset) {
      this.#ackedAhead.set(streamOffset, length);
      return;
    }
    let offset = streamOffset + length;
    for (;;) {
      const ahead = this.#ackedAhead.get(offset);
      if (ahead === undefined) break;
      this.#ackedAhead.delete(offset);
      offset += ahead;
    }
    this.ackedOffset = offset;
  }

  #grow(needed: number): void {
    let capacity = this.#ring.length;
    while (capacity < needed) capacity *= 2;
    const ring = new Uint8Array(capacity);
    const queued = this.queuedBytes;
    // Offsets keep their meaning: byte n of the stream stands at n modulo the capacity.
    const at = this.ackedOffset % capacity;
    const first = Math.min(queued, capacity - at);
    this.copy(this.ackedOffset, first, ring, at);
    if (first < queued) this.copy(this.ackedOffset + first, queued - first, ring, 0);
    this.#ring = ring;
  }
}
