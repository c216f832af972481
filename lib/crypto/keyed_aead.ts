/**
 * What every AEAD here has in common, whichever library does the work: a key of its own that can be
 * overwritten, the lengths it insists on, and where the tag is. Below it are the few calls that
 * differ ({@linkcode KeyedAead.encrypt} and {@linkcode KeyedAead.decrypt}).
 */
import { assertKeyLength, assertNonceLength, NO_KEY } from "./primitive_lengths.ts";
import { type Aead, TAG_BYTES } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** An {@linkcode Aead} with a 32-byte key, without its library. */
export abstract class KeyedAead implements Aead {
  #key: Uint8Array;

  /**
   * Copies the key.
   *
   * @param key 32 bytes.
   * @throws {RangeError} If it has another length.
   */
  constructor(key: Uint8Array) {
    assertKeyLength("AEAD key", key);
    this.#key = new Uint8Array(key);
  }

  /**
   * Encrypts `text` in place and writes the tag; all lengths were checked.
   *
   * @param key 32 bytes; only as long as the call lasts.
   * @param tag 16 bytes, right behind `text` in the same memory.
   */
  protected abstract encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    text: Uint8Array,
    tag: Uint8Array,
  ): void;

  /**
   * Compares the tag and decrypts `text` in place; all lengths were checked.
   *
   * @param key 32 bytes; only as long as the call lasts.
   * @param tag 16 bytes, right behind `text` in the same memory.
   * @returns Whether the tag was right.
   */
  protected abstract decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    text: Uint8Array,
    tag: Uint8Array,
  ): boolean;

  /**
   * See {@linkcode Aead.seal}.
   *
   * @throws {RangeError} If the nonce is not 12 bytes, the tag has no room, or the key was wiped.
   */
  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number {
    assertKeyLength("AEAD key", this.#key);
    assertNonceLength(nonce);
    const sealedEnd = end + TAG_BYTES;
    // Said so that NaN is refused, too: a library must not be given a tag without room.
    if (!(start >= 0 && end >= start && sealedEnd <= buffer.length)) {
      throw new RangeError(
        `Cannot seal: no room for ${sealedEnd - start} bytes at ${start} of ${buffer.length}`,
      );
    }
    const tag = buffer.subarray(end, sealedEnd);
    this.encrypt(this.#key, nonce, additionalData, buffer.subarray(start, end), tag);
    return sealedEnd;
  }

  /**
   * See {@linkcode Aead.open}.
   *
   * @throws {RangeError} If the nonce is not 12 bytes, or the key was wiped.
   */
  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number {
    assertKeyLength("AEAD key", this.#key);
    assertNonceLength(nonce);
    const tagStart = end - TAG_BYTES;
    if (!(start >= 0 && tagStart >= start && end <= buffer.length)) return -1;
    const text = buffer.subarray(start, tagStart);
    const tag = buffer.subarray(tagStart, end);
    return this.decrypt(this.#key, nonce, additionalData, text, tag) ? tagStart : -1;
  }

  /** See {@linkcode Aead.wipe}; using the cipher throws from then on. */
  wipe(): void {
    wipe(this.#key);
    // A wiped key must not go on as the key of zeros: an empty one is refused.
    this.#key = NO_KEY;
  }
}
