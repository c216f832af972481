/**
 * Where the messages of the handshake lie in a datagram (docs/protocol.md, "Handshake datagrams").
 * Always 1200 bytes: this proves that the path carries them, and an answer is never larger than the
 * question. All of it looks random to whoever does not hold the code. B is the block of
 * `handshake_tag.ts`.
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 12 | N |
 * | 12 | 4 | B[0..3] |
 * | 16 | 1 | type XOR B[4] |
 *
 * then for type 1, the first Noise message (`e`, payload), client to sharer:
 *
 * | 17 | 16 | cookie XOR B[37..52]; the cookie is zero if there is none |
 * | --- | --- | --- |
 * | 33 | 32 | e XOR B[5..36] |
 * | 65 | 1135 | encrypted payload, 1119 bytes and a tag |
 *
 * for type 2, the second (`e`, `s`, payload), sharer to client:
 *
 * | 17 | 32 | e XOR B[5..36] |
 * | --- | --- | --- |
 * | 49 | 48 | encrypted s and a tag |
 * | 97 | 1103 | encrypted payload, 1087 bytes and a tag |
 *
 * for type 3, the third (`s`, payload), client to sharer:
 *
 * | 17 | 6 | connection id that the sharer chose, XOR B[5..10] |
 * | --- | --- | --- |
 * | 23 | 48 | encrypted s and a tag |
 * | 71 | 1129 | encrypted payload, 1113 bytes and a tag |
 *
 * and for type 4, a cookie, sharer to client:
 *
 * | 17 | 1183 | ChaCha20-Poly1305(cookie key, nonce N, ad = bytes 0–16; cookie ‖ 1151 zero bytes) |
 * | --- | --- | --- |
 *
 * A payload always fills its field; what pads it is part of its own format. Bytes 0 to 32 of type 1
 * and the connection id of type 3 are outside Noise's authentication: they decide where a message
 * goes, never what it means.
 *
 * Not here: what was replayed, who is asked for a cookie, and what payloads mean.
 */
import { COOKIE_BYTES } from "./cookie.ts";
import { HANDSHAKE_NONCE_BYTES, HandshakeTag, TAGGED_PREFIX_BYTES } from "./handshake_tag.ts";
import { CONNECTION_ID_BYTES } from "./packet_layout.ts";
import { KEY_BYTES } from "./primitive_lengths.ts";
import { type Aead, type CryptoProvider, type RandomSource, TAG_BYTES } from "./provider.ts";
import type { ShareKeys } from "./share_keys.ts";

/** Bytes of every handshake datagram. */
export const HANDSHAKE_DATAGRAM_BYTES = 1200;

const TYPE_OFFSET = TAGGED_PREFIX_BYTES;
const BODY_OFFSET = TYPE_OFFSET + 1;
const MESSAGE_1_OFFSET = BODY_OFFSET + COOKIE_BYTES;
const MESSAGE_3_OFFSET = BODY_OFFSET + CONNECTION_ID_BYTES;

/** Where the masks begin in B. */
const TYPE_MASK = 4;
const BODY_MASK = 5;
const COOKIE_MASK = BODY_MASK + KEY_BYTES;

/** Bytes of the first Noise message: e, payload, tag. */
export const MESSAGE_1_BYTES: number = HANDSHAKE_DATAGRAM_BYTES - MESSAGE_1_OFFSET;
/** Bytes of the second Noise message: e, s, tag, payload, tag. */
export const MESSAGE_2_BYTES: number = HANDSHAKE_DATAGRAM_BYTES - BODY_OFFSET;
/** Bytes of the third Noise message: s, tag, payload, tag. */
export const MESSAGE_3_BYTES: number = HANDSHAKE_DATAGRAM_BYTES - MESSAGE_3_OFFSET;

/** Bytes of the payload of the first Noise message: 1119. */
export const MESSAGE_1_PAYLOAD_BYTES: number = MESSAGE_1_BYTES - KEY_BYTES - TAG_BYTES;
/** Bytes of the payload of the second Noise message: 1087. */
export const MESSAGE_2_PAYLOAD_BYTES: number = MESSAGE_2_BYTES - 2 * KEY_BYTES - 2 * TAG_BYTES;
/** Bytes of the payload of the third Noise message: 1113. */
export const MESSAGE_3_PAYLOAD_BYTES: number = MESSAGE_3_BYTES - KEY_BYTES - 2 * TAG_BYTES;

/** What a handshake datagram is: Noise messages 1 to 3, 4 a cookie; 0 none of them. */
export type HandshakeType = 0 | 1 | 2 | 3 | 4;

/** What a type 1 datagram holds. */
export interface HandshakeMessage1 {
  /** 16 bytes; all zero if the client was given none. */
  readonly cookie: Uint8Array;
  /** The Noise message. */
  readonly message: Uint8Array;
}

/** What a type 3 datagram holds. */
export interface HandshakeMessage3 {
  /** 6 bytes: which of the sharer's half-open sessions is meant. */
  readonly connectionId: Uint8Array;
  /** The Noise message. */
  readonly message: Uint8Array;
}

/**
 * Encodes and decodes the handshake datagrams of one share. Every call of an encoder draws a fresh N,
 * so a message is repeated by encoding it again [HS-1]. The decoders take what
 * {@linkcode HandshakeCodec.classify} recognised, and return copies.
 */
export class HandshakeCodec {
  #tag: HandshakeTag;
  #cookieAead: Aead;
  #random: RandomSource;

  /**
   * Makes the codec of one share.
   *
   * @param keys Of the share; not kept.
   * @param random Where N comes from.
   */
  constructor(provider: CryptoProvider, keys: ShareKeys, random: RandomSource) {
    this.#tag = new HandshakeTag(keys.handshake);
    this.#cookieAead = provider.createAead(keys.cookie);
    this.#random = random;
  }

  /**
   * Which type a datagram is, for the price of one ChaCha20 block; 0 for anything that is no
   * handshake datagram of this share. Any bytes may be passed.
   */
  classify(datagram: Uint8Array): HandshakeType {
    if (datagram.length !== HANDSHAKE_DATAGRAM_BYTES || !this.#tag.matches(datagram)) return 0;
    const type = datagram[TYPE_OFFSET]! ^ this.#tag.block[TYPE_MASK]!;
    return type >= 1 && type <= 4 ? type as HandshakeType : 0;
  }

  /**
   * Type 1.
   *
   * @param message The first Noise message, {@linkcode MESSAGE_1_BYTES} long.
   * @param cookie From a type 4 datagram, if there was one.
   * @throws {RangeError} If a length is wrong.
   */
  encodeMessage1(message: Uint8Array, cookie?: Uint8Array): Uint8Array {
    assertLength("first handshake message", message, MESSAGE_1_BYTES);
    assertLength("cookie", cookie ?? NO_COOKIE, COOKIE_BYTES);
    const datagram = this.#begin(1);
    datagram.set(cookie ?? NO_COOKIE, BODY_OFFSET);
    datagram.set(message, MESSAGE_1_OFFSET);
    this.#mask(datagram, BODY_OFFSET, COOKIE_BYTES, COOKIE_MASK);
    this.#mask(datagram, MESSAGE_1_OFFSET, KEY_BYTES, BODY_MASK);
    return datagram;
  }

  /** Takes a type 1 datagram apart; undefined if it is none. */
  decodeMessage1(datagram: Uint8Array): HandshakeMessage1 | undefined {
    if (this.classify(datagram) !== 1) return undefined;
    const copy = new Uint8Array(datagram);
    this.#mask(copy, BODY_OFFSET, COOKIE_BYTES, COOKIE_MASK);
    this.#mask(copy, MESSAGE_1_OFFSET, KEY_BYTES, BODY_MASK);
    return {
      cookie: copy.subarray(BODY_OFFSET, MESSAGE_1_OFFSET),
      message: copy.subarray(MESSAGE_1_OFFSET),
    };
  }

  /**
   * Type 2.
   *
   * @param message The second Noise message, {@linkcode MESSAGE_2_BYTES} long.
   * @throws {RangeError} If the length is wrong.
   */
  encodeMessage2(message: Uint8Array): Uint8Array {
    assertLength("second handshake message", message, MESSAGE_2_BYTES);
    const datagram = this.#begin(2);
    datagram.set(message, BODY_OFFSET);
    this.#mask(datagram, BODY_OFFSET, KEY_BYTES, BODY_MASK);
    return datagram;
  }

  /** The Noise message of a type 2 datagram; undefined if it is none. */
  decodeMessage2(datagram: Uint8Array): Uint8Array | undefined {
    if (this.classify(datagram) !== 2) return undefined;
    const copy = new Uint8Array(datagram);
    this.#mask(copy, BODY_OFFSET, KEY_BYTES, BODY_MASK);
    return copy.subarray(BODY_OFFSET);
  }

  /**
   * Type 3.
   *
   * @param message The third Noise message, {@linkcode MESSAGE_3_BYTES} long.
   * @param connectionId The 6 bytes that the sharer chose in its payload.
   * @throws {RangeError} If a length is wrong.
   */
  encodeMessage3(message: Uint8Array, connectionId: Uint8Array): Uint8Array {
    assertLength("third handshake message", message, MESSAGE_3_BYTES);
    assertLength("connection id", connectionId, CONNECTION_ID_BYTES);
    const datagram = this.#begin(3);
    datagram.set(connectionId, BODY_OFFSET);
    datagram.set(message, MESSAGE_3_OFFSET);
    this.#mask(datagram, BODY_OFFSET, CONNECTION_ID_BYTES, BODY_MASK);
    return datagram;
  }

  /** Takes a type 3 datagram apart; undefined if it is none. */
  decodeMessage3(datagram: Uint8Array): HandshakeMessage3 | undefined {
    if (this.classify(datagram) !== 3) return undefined;
    const copy = new Uint8Array(datagram);
    this.#mask(copy, BODY_OFFSET, CONNECTION_ID_BYTES, BODY_MASK);
    return {
      connectionId: copy.subarray(BODY_OFFSET, MESSAGE_3_OFFSET),
      message: copy.subarray(MESSAGE_3_OFFSET),
    };
  }

  /**
   * Type 4.
   *
   * @param cookie From a `CookieIssuer`, 16 bytes.
   * @throws {RangeError} If the length is wrong.
   */
  encodeCookie(cookie: Uint8Array): Uint8Array {
    assertLength("cookie", cookie, COOKIE_BYTES);
    const datagram = this.#begin(4);
    datagram.set(cookie, BODY_OFFSET);
    this.#cookieAead.seal(
      datagram.subarray(0, HANDSHAKE_NONCE_BYTES),
      datagram.subarray(0, BODY_OFFSET),
      datagram,
      BODY_OFFSET,
      HANDSHAKE_DATAGRAM_BYTES - TAG_BYTES,
    );
    return datagram;
  }

  /** The cookie in a type 4 datagram; undefined if it is none, or its AEAD tag is wrong. */
  openCookie(datagram: Uint8Array): Uint8Array | undefined {
    if (this.classify(datagram) !== 4) return undefined;
    const copy = new Uint8Array(datagram);
    const end = this.#cookieAead.open(
      copy.subarray(0, HANDSHAKE_NONCE_BYTES),
      copy.subarray(0, BODY_OFFSET),
      copy,
      BODY_OFFSET,
      HANDSHAKE_DATAGRAM_BYTES,
    );
    return end < 0 ? undefined : copy.slice(BODY_OFFSET, BODY_OFFSET + COOKIE_BYTES);
  }

  /** Overwrites the keys; the codec is of no use afterwards. */
  wipe(): void {
    this.#tag.wipe();
    this.#cookieAead.wipe();
  }

  #begin(type: 1 | 2 | 3 | 4): Uint8Array {
    const datagram = new Uint8Array(HANDSHAKE_DATAGRAM_BYTES);
    this.#tag.write(datagram, this.#random);
    datagram[TYPE_OFFSET] = type ^ this.#tag.block[TYPE_MASK]!;
    return datagram;
  }

  /** XORs `length` bytes at `offset` with B from `blockOffset` on. */
  #mask(datagram: Uint8Array, offset: number, length: number, blockOffset: number): void {
    const block = this.#tag.block;
    for (let index = 0; index < length; index++) {
      datagram[offset + index]! ^= block[blockOffset + index]!;
    }
  }
}

const NO_COOKIE = new Uint8Array(COOKIE_BYTES);

function assertLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new RangeError(`Cannot encode ${what}: ${bytes.length} bytes, not ${length}`);
  }
}
