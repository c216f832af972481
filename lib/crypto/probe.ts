/**
 * Probes (docs/protocol.md, "Probes"): the small datagrams with which two peers that hold a share
 * code and a reply code find a path to each other, before any session. A probe proves that its
 * sender knows both codes, not who it is.
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 12 | N |
 * | 12 | 4 | B[0..3], as in `handshake_tag.ts` |
 * | 16 | 1 | type ┐ |
 * | 17 | 8 | transaction id │ ChaCha20-Poly1305(probe key, nonce N, no ad) |
 * | 25 | 23–87 | zero bytes ┘ |
 * | last 16 | 16 | tag |
 *
 * The whole is 64 to 128 bytes, drawn anew for each, so that probes have no length of their own.
 * When to send one, and what to answer, belongs to hole punching.
 */
import { HANDSHAKE_NONCE_BYTES, HandshakeTag, TAGGED_PREFIX_BYTES } from "./handshake_tag.ts";
import { type Aead, type CryptoProvider, type RandomSource, TAG_BYTES } from "./provider.ts";

/** The shortest probe, in bytes. */
export const MIN_PROBE_BYTES = 64;

/** The longest probe, in bytes. */
export const MAX_PROBE_BYTES = 128;

/** Bytes of a transaction id. */
export const TRANSACTION_ID_BYTES = 8;

/** 1 asks for an answer, 2 is the answer and repeats the transaction id. */
export type ProbeType = 1 | 2;

/** What a probe says. */
export interface Probe {
  /** Question or answer. */
  readonly type: ProbeType;
  /** 8 bytes chosen by who asked. */
  readonly transactionId: Uint8Array;
}

const NO_DATA = new Uint8Array(0);

/** Seals and opens the probes of one pair of share and reply code. */
export class ProbeCodec {
  #tag: HandshakeTag;
  #aead: Aead;
  #random: RandomSource;

  /**
   * Makes the codec of one pair of codes.
   *
   * @param handshakeKey From `deriveShareKeys`; not kept.
   * @param probeKey From `deriveProbeKey`; not kept.
   */
  constructor(
    provider: CryptoProvider,
    handshakeKey: Uint8Array,
    probeKey: Uint8Array,
    random: RandomSource,
  ) {
    this.#tag = new HandshakeTag(handshakeKey);
    this.#aead = provider.createAead(probeKey);
    this.#random = random;
  }

  /**
   * A new datagram of random length.
   *
   * @throws {RangeError} If the transaction id is not 8 bytes.
   */
  seal(probe: Probe): Uint8Array {
    if (probe.transactionId.length !== TRANSACTION_ID_BYTES) {
      throw new RangeError(
        `Cannot seal probe: transaction id of ${probe.transactionId.length} bytes, not 8`,
      );
    }
    const chance = new Uint8Array(2);
    this.#random.fill(chance);
    const lengths = MAX_PROBE_BYTES - MIN_PROBE_BYTES + 1;
    const length = MIN_PROBE_BYTES + ((chance[0]! << 8) | chance[1]!) % lengths;
    const datagram = new Uint8Array(length);
    this.#tag.write(datagram, this.#random);
    datagram[TAGGED_PREFIX_BYTES] = probe.type;
    datagram.set(probe.transactionId, TAGGED_PREFIX_BYTES + 1);
    this.#aead.seal(
      datagram.subarray(0, HANDSHAKE_NONCE_BYTES),
      NO_DATA,
      datagram,
      TAGGED_PREFIX_BYTES,
      length - TAG_BYTES,
    );
    return datagram;
  }

  /** What a probe says; undefined for anything that is no probe of this pair. */
  open(datagram: Uint8Array): Probe | undefined {
    if (datagram.length < MIN_PROBE_BYTES || datagram.length > MAX_PROBE_BYTES) return undefined;
    if (!this.#tag.matches(datagram)) return undefined;
    const copy = new Uint8Array(datagram);
    const nonce = copy.subarray(0, HANDSHAKE_NONCE_BYTES);
    if (this.#aead.open(nonce, NO_DATA, copy, TAGGED_PREFIX_BYTES, copy.length) < 0) {
      return undefined;
    }
    const type = copy[TAGGED_PREFIX_BYTES]!;
    if (type !== 1 && type !== 2) return undefined;
    const from = TAGGED_PREFIX_BYTES + 1;
    return { type, transactionId: copy.slice(from, from + TRANSACTION_ID_BYTES) };
  }

  /**
   * Bytes of the first of several probes that the kernel joined. A probe does not say how long it is,
   * so the tag of the next one is looked for (0.1 µs a place); only behind a right tag, which
   * strangers cannot make.
   *
   * @returns 0 when `piece` does not begin with two probes of this pair.
   */
  peekLength(piece: Uint8Array): number {
    if (piece.length < 2 * MIN_PROBE_BYTES || !this.#tag.matches(piece)) return 0;
    const longest = Math.min(MAX_PROBE_BYTES, piece.length - MIN_PROBE_BYTES);
    for (let length = MIN_PROBE_BYTES; length <= longest; length++) {
      if (this.#tag.matches(piece.subarray(length, length + TAGGED_PREFIX_BYTES))) return length;
    }
    return 0;
  }

  /** Overwrites the keys; the codec is of no use afterwards. */
  wipe(): void {
    this.#tag.wipe();
    this.#aead.wipe();
  }
}
