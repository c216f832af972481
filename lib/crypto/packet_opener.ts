/**
 * Takes the protection off the packets of one direction, in place. In order, cheapest first: unmask
 * the header (0.1 µs); compare reserved bits and length [PKT-2], which drops all but one in eight
 * million of a stranger's datagrams; expand the packet number; look it up in the replay window; and
 * only then check the tag (1 to 3 µs, up to 10 µs when it is wrong). State changes only after the tag was
 * right [PKT-3].
 *
 * RFC 9001, section 9.5, asks for the same time whatever the header says, lest a forger learn about
 * masked bits. Here a drop is silent and sends nothing, so there is no answer to be timed, and the
 * cheap filter is worth more.
 *
 * Key updates: a packet of the other key phase is tried with the next keys, which are ready
 * beforehand. When it opens, {@linkcode PacketOpener.generation} grows, and the connection lets its
 * sealer follow. The old keys stay for packets that come late, until
 * {@linkcode PacketOpener.dropOldKeys}; as long as they stay, a second update is refused [KEY-3].
 *
 * The layout stands in `packet_layout.ts`.
 */
import type { ChaCha20Key } from "./chacha20_block.ts";
import { CHACHA20_POLY1305, type CipherSuite } from "./cipher_suite.ts";
import { deriveHeaderKey, deriveNextSecret, writeHeaderMask } from "./key_schedule.ts";
import {
  CONNECTION_ID_BYTES,
  FLAG_KEY_PHASE,
  FLAGS_RESERVED,
  MASK_BUFFER_BYTES,
  MASKED_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_OVERHEAD_BYTES,
} from "./packet_layout.ts";
import { PhaseKeys } from "./phase_keys.ts";
import type { CryptoProvider } from "./provider.ts";
import { ReplayWindow } from "./replay_window.ts";
import { wipe } from "./wipe.ts";

const TWO_32 = 0x1_0000_0000;
const TWO_31 = 0x8000_0000;

/** The receiving half of a session's packet protection. */
export class PacketOpener {
  /** Number of the packet opened last; −1 at first. */
  packetNumber: number = -1;
  /** Key phase bit of the packet opened last. */
  keyPhase = 0;
  /**
   * Whether the last packet was refused only because its number was received before or is older than
   * the window. Its tag was not looked at.
   */
  isDuplicate = false;
  /** Packets whose tag was wrong; the suite says how many are too many. */
  tagFailures = 0;
  /** What packets are sealed with. */
  readonly suite: CipherSuite;
  #provider: CryptoProvider;
  #headerKey: ChaCha20Key;
  #current: PhaseKeys;
  #previous: PhaseKeys | undefined;
  #next: PhaseKeys | undefined;
  #nextSecret: Uint8Array;
  #generation = 0;
  /** Number of the packet that brought the present keys; all of the old keys have smaller ones. */
  #updateNumber = 0;
  #replay = new ReplayWindow();
  #header = new Uint8Array(PACKET_HEADER_BYTES);
  #mask = new Uint8Array(MASK_BUFFER_BYTES);
  /** Where the packet is whose mask `peekLength` left for `open`; −1 when there is none. */
  #maskedStart = -1;

  /**
   * Makes an opener in key phase 0.
   *
   * @param secret The secret of this direction (32 bytes); not kept.
   * @param suite The cipher; the sealer on the other side has the same.
   */
  constructor(
    provider: CryptoProvider,
    secret: Uint8Array,
    suite: CipherSuite = CHACHA20_POLY1305,
  ) {
    this.suite = suite;
    this.#provider = provider;
    this.#headerKey = deriveHeaderKey(provider, secret);
    this.#current = new PhaseKeys(provider, secret, suite);
    this.#nextSecret = deriveNextSecret(provider, secret);
    this.#next = new PhaseKeys(provider, this.#nextSecret, suite);
  }

  /** How many key updates of the peer were followed. */
  get generation(): number {
    return this.#generation;
  }

  /** The largest packet number opened; −1 at first. */
  get largestNumber(): number {
    return this.#replay.largest;
  }

  /** Whether keys of the phase before are still there. */
  get hasOldKeys(): boolean {
    return this.#previous !== undefined;
  }

  /**
   * The length a packet says it has, so that datagrams the kernel joined can be split. Nothing is
   * authenticated yet; `open` compares the length again.
   *
   * The next call must be `open` for the same bytes, which reuses the mask, or another `peekLength`.
   *
   * @param available Bytes from `start` on.
   * @returns At least {@linkcode PACKET_OVERHEAD_BYTES}, at most `available`; −1 for anything else.
   */
  peekLength(buffer: Uint8Array, start: number, available: number): number {
    this.#maskedStart = -1;
    if (!isRoomForPacket(buffer, start, start + available)) return -1;
    const mask = this.#mask;
    writeHeaderMask(this.#headerKey, buffer, start + PACKET_HEADER_BYTES, mask);
    const length = ((buffer[start + 11]! ^ mask[5]!) << 8) | (buffer[start + 12]! ^ mask[6]!);
    if (length < PACKET_OVERHEAD_BYTES || length > available) return -1;
    this.#maskedStart = start;
    return length;
  }

  /**
   * Opens one packet in place; on success the frames are in `buffer[start + 13..result)`, and
   * {@linkcode packetNumber} and {@linkcode keyPhase} are set. Any bytes may be passed.
   *
   * @returns Index just past the frames, or −1; what is in the buffer then is of no use.
   */
  open(buffer: Uint8Array, start: number, end: number): number {
    this.isDuplicate = false;
    const isMasked = this.#maskedStart === start;
    this.#maskedStart = -1;
    if (!isRoomForPacket(buffer, start, end)) return -1;
    const header = this.#header;
    const mask = this.#mask;
    const payloadStart = start + PACKET_HEADER_BYTES;
    if (!isMasked) writeHeaderMask(this.#headerKey, buffer, payloadStart, mask);
    for (let index = 0; index < CONNECTION_ID_BYTES; index++) {
      header[index] = buffer[start + index]!;
    }
    for (let index = 0; index < MASKED_BYTES; index++) {
      const at = CONNECTION_ID_BYTES + index;
      header[at] = buffer[start + at]! ^ mask[index]!;
    }
    const flags = header[6]!;
    if ((flags & FLAGS_RESERVED) !== 0) return -1;
    if (((header[11]! << 8) | header[12]!) !== end - start) return -1;

    const low = ((header[7]! << 24) | (header[8]! << 16) | (header[9]! << 8) | header[10]!) >>> 0;
    const packetNumber = expandPacketNumber(low, this.#replay.largest);
    if (packetNumber < 0) return -1;
    if (!this.#replay.check(packetNumber)) {
      this.isDuplicate = true;
      return -1;
    }
    const phase = flags & FLAG_KEY_PHASE;
    const keys = this.#keysFor(phase, packetNumber);
    if (keys === undefined) return -1;
    const payloadEnd = keys.open(header, packetNumber, buffer, payloadStart, end);
    if (payloadEnd < 0) {
      this.tagFailures++;
      return -1;
    }

    this.#replay.mark(packetNumber);
    if (keys === this.#next) this.#commitUpdate(packetNumber);
    this.packetNumber = packetNumber;
    this.keyPhase = phase;
    return payloadEnd;
  }

  /**
   * Forgets the keys of the phase before and makes the next ones ready. To be called about three
   * probe timeouts after {@linkcode generation} grew (RFC 9001, section 6.5).
   */
  dropOldKeys(): void {
    this.#previous?.wipe();
    this.#previous = undefined;
    if (this.#next !== undefined) return;
    const secret = deriveNextSecret(this.#provider, this.#nextSecret);
    wipe(this.#nextSecret);
    this.#nextSecret = secret;
    this.#next = new PhaseKeys(this.#provider, secret, this.suite);
  }

  /** Overwrites all secrets; nothing opens afterwards. */
  wipe(): void {
    this.#previous?.wipe();
    this.#current.wipe();
    this.#next?.wipe();
    wipe(this.#nextSecret, this.#headerKey);
  }

  #keysFor(phase: number, packetNumber: number): PhaseKeys | undefined {
    if (phase === (this.#generation & 1)) return this.#current;
    // A number from before the update is a late packet; any other would begin the next update.
    return packetNumber < this.#updateNumber ? this.#previous : this.#next;
  }

  #commitUpdate(packetNumber: number): void {
    this.#previous = this.#current;
    this.#current = this.#next!;
    this.#next = undefined;
    this.#generation++;
    this.#updateNumber = packetNumber;
  }
}

/**
 * The number nearest to the one expected next that has these low 32 bits.
 *
 * @param low The low 32 bits.
 * @param largest The largest number received, or −1.
 * @returns −1 when it would be above 2^53 − 1.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9000#appendix-A.3 | RFC 9000, appendix A.3}
 */
export function expandPacketNumber(low: number, largest: number): number {
  const expected = largest + 1;
  // By distance rather than by absolute values, which near 2^53 would be rounded.
  let distance = low - expected % TWO_32;
  if (distance <= -TWO_31) distance += TWO_32;
  else if (distance > TWO_31 && expected + distance >= TWO_32) distance -= TWO_32;
  const packetNumber = expected + distance;
  return packetNumber <= Number.MAX_SAFE_INTEGER ? packetNumber : -1;
}

function isRoomForPacket(buffer: Uint8Array, start: number, end: number): boolean {
  return start >= 0 && end <= buffer.length && end - start >= PACKET_OVERHEAD_BYTES;
}
