/**
 * Protects the packets of one direction, in place. In order: write flags, number and length; seal
 * the frames with the header as additional data; mask the header from a sample of the ciphertext.
 *
 * Key updates: {@linkcode PacketSealer.updateKeys} begins one,
 * {@linkcode PacketSealer.followUpdate} answers one the peer began. When to begin (after so many
 * packets, or an hour) is the connection's decision; that the previous one is confirmed first is
 * seen to here [KEY-1] (RFC 9001, section 6.1).
 *
 * The layout stands in `packet_layout.ts`.
 */
import type { ChaCha20Key } from "./chacha20_block.ts";
import { CHACHA20_POLY1305, type CipherSuite } from "./cipher_suite.ts";
import { deriveHeaderKey, deriveNextSecret, writeHeaderMask } from "./key_schedule.ts";
import {
  CONNECTION_ID_BYTES,
  MASK_BUFFER_BYTES,
  MASKED_BYTES,
  MAX_PACKET_BYTES,
  PACKET_HEADER_BYTES,
} from "./packet_layout.ts";
import { PhaseKeys } from "./phase_keys.ts";
import { type CryptoProvider, TAG_BYTES } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** The sending half of a session's packet protection. */
export class PacketSealer {
  /** What packets are sealed with. */
  readonly suite: CipherSuite;
  #provider: CryptoProvider;
  #secret: Uint8Array;
  #headerKey: ChaCha20Key;
  #keys: PhaseKeys;
  #header = new Uint8Array(PACKET_HEADER_BYTES);
  #mask = new Uint8Array(MASK_BUFFER_BYTES);
  #generation = 0;
  #packetsSealed = 0;
  #largestNumber = -1;
  #firstNumberOfPhase = -1;
  #isConfirmed = false;

  /**
   * Makes a sealer in key phase 0.
   *
   * @param secret The secret of this direction (32 bytes), copied.
   * @param suite The cipher; the opener on the other side has the same.
   */
  constructor(
    provider: CryptoProvider,
    secret: Uint8Array,
    suite: CipherSuite = CHACHA20_POLY1305,
  ) {
    this.suite = suite;
    this.#provider = provider;
    this.#secret = new Uint8Array(secret);
    this.#headerKey = deriveHeaderKey(provider, secret);
    this.#keys = new PhaseKeys(provider, secret, suite);
  }

  /** How many key updates there were. */
  get generation(): number {
    return this.#generation;
  }

  /** The key phase bit of packets sealed from now on. */
  get keyPhase(): number {
    return this.#generation & 1;
  }

  /** Packets sealed with the present keys. */
  get packetsSealed(): number {
    return this.#packetsSealed;
  }

  /** Whether an update may begin: a packet sealed with the present keys was acknowledged. */
  get canUpdateKeys(): boolean {
    return this.#isConfirmed;
  }

  /**
   * Seals one packet. The caller has written the connection id at `start` and the frames from
   * `start + 13` on; the buffer has 16 bytes of room behind them.
   *
   * @param payloadEnd Index just past the frames.
   * @param packetNumber Larger than in every call before; at most 2^53 − 1.
   * @returns Index just past the packet.
   * @throws {RangeError} If the number was used, the packet is too long for its length field or the
   *   buffer, or the present keys have sealed as much as they may.
   */
  seal(buffer: Uint8Array, start: number, payloadEnd: number, packetNumber: number): number {
    // A number used twice would be a nonce used twice, which gives away both plaintexts and the
    // authentication key: worth a comparison for each packet [PKT-1].
    if (!(packetNumber > this.#largestNumber && packetNumber <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(
        `Cannot seal packet: number ${packetNumber} is not from ${
          this.#largestNumber + 1
        } to 2^53-1`,
      );
    }
    if (this.#packetsSealed >= this.suite.maxSealedPackets) { // [KEY-4]
      throw new RangeError(`Cannot seal packet: ${this.#packetsSealed} with one key are enough`);
    }
    const payloadStart = start + PACKET_HEADER_BYTES;
    const end = payloadEnd + TAG_BYTES;
    const length = end - start;
    if (payloadEnd < payloadStart || end > buffer.length || length > MAX_PACKET_BYTES) {
      throw new RangeError(
        `Cannot seal packet: ${length} bytes at ${start} of ${buffer.length}`,
      );
    }
    const header = this.#header;
    for (let index = 0; index < CONNECTION_ID_BYTES; index++) {
      header[index] = buffer[start + index]!;
    }
    header[6] = this.#generation & 1;
    header[7] = packetNumber >>> 24;
    header[8] = packetNumber >>> 16;
    header[9] = packetNumber >>> 8;
    header[10] = packetNumber;
    header[11] = length >>> 8;
    header[12] = length;
    this.#keys.seal(header, packetNumber, buffer, payloadStart, payloadEnd);
    const mask = this.#mask;
    writeHeaderMask(this.#headerKey, buffer, payloadStart, mask);
    for (let index = 0; index < MASKED_BYTES; index++) {
      const at = CONNECTION_ID_BYTES + index;
      buffer[start + at] = header[at]! ^ mask[index]!;
    }
    if (this.#packetsSealed === 0) this.#firstNumberOfPhase = packetNumber;
    this.#packetsSealed++;
    this.#largestNumber = packetNumber;
    return end;
  }

  /** Takes note that the peer acknowledged `packetNumber`: this may confirm the present keys. */
  handleAcknowledged(packetNumber: number): void {
    if (this.#packetsSealed > 0 && packetNumber >= this.#firstNumberOfPhase) {
      this.#isConfirmed = true;
    }
  }

  /**
   * Begins a key update.
   *
   * @throws {RangeError} Unless {@linkcode canUpdateKeys}.
   */
  updateKeys(): void {
    if (!this.#isConfirmed) {
      throw new RangeError("Cannot update keys: the peer has not confirmed the present ones");
    }
    this.#step();
  }

  /**
   * Answers the peer's key update: brings this side to `generation` of the opener. It does nothing
   * when it is there already, because both sides began at once or this one did.
   */
  followUpdate(generation: number): void {
    while (this.#generation < generation) this.#step();
  }

  /** Overwrites all secrets; sealing throws afterwards. */
  wipe(): void {
    this.#keys.wipe();
    wipe(this.#secret, this.#headerKey);
  }

  #step(): void {
    const secret = deriveNextSecret(this.#provider, this.#secret);
    wipe(this.#secret);
    this.#keys.wipe();
    this.#secret = secret;
    this.#keys = new PhaseKeys(this.#provider, secret, this.suite);
    this.#generation++;
    this.#packetsSealed = 0;
    this.#isConfirmed = false;
  }
}
