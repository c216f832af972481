/**
 * Messages on the ordered control stream: type (1 byte), length (varint), body [XFER-1]. The reader
 * cuts them out however the bytes arrive; the outbox puts several into one write.
 */
import { ByteReader, varintLength, writeVarint } from "../bytes/varint.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";
import { encodeMessage } from "./message_encoder.ts";
import { messageTypeNumber } from "./message_numbers.ts";
import type { Message } from "./messages.ts";

const MAX_HEADER_BYTES = 9;

/** Cuts a stream into messages. */
export class MessageReader {
  readonly #onMessage: (typeNumber: number, body: Uint8Array) => void;
  readonly #header = new ByteReader(new Uint8Array(0));
  #pending = new Uint8Array(4096);
  #pendingLength = 0;

  /**
   * @param onMessage Called for each message; `body` is a view that is only valid during the call.
   */
  constructor(onMessage: (typeNumber: number, body: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @returns False when a message is longer than any may be; the reader is of no use afterwards.
   */
  push(bytes: Uint8Array): boolean {
    if (this.#pendingLength === 0) {
      const used = this.#cut(bytes, bytes.length);
      if (used < 0) return false;
      this.#keep(bytes.subarray(used));
      return true;
    }
    this.#keep(bytes);
    const used = this.#cut(this.#pending, this.#pendingLength);
    if (used < 0) return false;
    if (used > 0) {
      this.#pending.copyWithin(0, used, this.#pendingLength);
      this.#pendingLength -= used;
    }
    return true;
  }

  /** Hands out every whole message of `bytes[0..end)`; gives how many bytes they took, or −1. */
  #cut(bytes: Uint8Array, end: number): number {
    const header = this.#header;
    let at = 0;
    for (;;) {
      header.reset(bytes, at, end);
      const typeNumber = header.u8();
      const length = header.varint();
      if (!header.ok) {
        // Short by now, or a length beyond 2^53: a whole header never has more than nine bytes.
        return end - at >= MAX_HEADER_BYTES ? -1 : at;
      }
      if (length > MAX_MESSAGE_BYTES) return -1;
      const bodyStart = header.offset;
      if (end - bodyStart < length) return at;
      at = bodyStart + length;
      this.#onMessage(typeNumber, bytes.subarray(bodyStart, at));
    }
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#pendingLength + bytes.length;
    if (length > this.#pending.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#pending.length));
      larger.set(this.#pending.subarray(0, this.#pendingLength));
      this.#pending = larger;
    }
    this.#pending.set(bytes, this.#pendingLength);
    this.#pendingLength = length;
  }
}

/** Messages on their way to the control stream, joined. */
export class MessageOutbox {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #count = 0;

  /** How many messages wait. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the messages that wait. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a message.
   *
   * @throws {RangeError} If its body is longer than {@linkcode MAX_MESSAGE_BYTES}.
   */
  add(message: Message): void {
    const bodyStart = this.#length + 1 + varintLength(MAX_MESSAGE_BYTES);
    const bodyEnd = this.#encodeBody(message, bodyStart);
    const bodyLength = bodyEnd - bodyStart;
    if (bodyLength > MAX_MESSAGE_BYTES) {
      throw new RangeError(`Cannot send ${message.type}: ${bodyLength} bytes are too many`);
    }
    const bytes = this.#bytes;
    bytes[this.#length] = messageTypeNumber(message.type);
    const at = writeVarint(bodyLength, bytes, this.#length + 1);
    bytes.copyWithin(at, bodyStart, bodyEnd);
    this.#length = at + bodyLength;
    this.#count++;
  }

  /** The joined messages, which are then forgotten; a view that is only valid until the next call. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    this.#count = 0;
    return bytes;
  }

  #encodeBody(message: Message, offset: number): number {
    for (;;) {
      try {
        return encodeMessage(message, this.#bytes, offset);
      } catch (error) {
        // Too little room is the one thing a codec says by throwing; a message never needs 1 MiB.
        if (!(error instanceof RangeError) || this.#bytes.length > offset + 4 * MAX_MESSAGE_BYTES) {
          throw error;
        }
        const larger = new Uint8Array(4 * this.#bytes.length);
        larger.set(this.#bytes.subarray(0, this.#length));
        this.#bytes = larger;
      }
    }
  }
}
