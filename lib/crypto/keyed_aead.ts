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
   * Encrypts `buffer[start..end)` in place and writes the 16 bytes of the tag at `end`; all lengths
   * were checked. Views of the parts are made where a library needs them: each costs as much as
   * sealing a hundred bytes.
   *
   * @param key 32 bytes; only as long as the call lasts.
   */
  protected abstract encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void;

  /**
   * Compares the tag, the 16 bytes at `end`, and decrypts `buffer[start..end)` in place; all lengths
   * were checked.
   *
   * @param key 32 bytes; only as long as the call lasts.
   * @returns Whether the tag was right.
   */
  protected abstract decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
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
    this.encrypt(this.#key, nonce, additionalData, buffer, start, end);
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
    return this.decrypt(this.#key, nonce, additionalData, buffer, start, tagStart) ? tagStart : -1;
  }

  /** See {@linkcode Aead.wipe}; using the cipher throws from then on. */
  wipe(): void {
    wipe(this.#key);
    // A wiped key must not go on as the key of zeros: an empty one is refused.
    this.#key = NO_KEY;
  }
}
