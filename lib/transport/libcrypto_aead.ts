/**
 * ChaCha20-Poly1305 and AES-256-GCM from the system's OpenSSL 3 through FFI, five calls for a
 * datagram. `node:crypto` makes a new cipher object for each one, which costs more than the cipher;
 * here one context is kept for each key and direction, and only its nonce changes.
 *
 * @see {@link https://docs.openssl.org/3.0/man3/EVP_EncryptInit/ | EVP_CipherInit_ex}
 */
import { KeyedAead } from "../crypto/keyed_aead.ts";
import { TAG_BYTES } from "../crypto/provider.ts";
import { assertDone, type Libcrypto } from "./libcrypto.ts";

const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

/** The last argument of `EVP_CipherInit_ex`. */
const Direction = { OPEN: 0, SEAL: 1 } as const;
type Direction = (typeof Direction)[keyof typeof Direction];

/** The ciphers, by the name of the function that gives them. */
export type LibcryptoCipher = "EVP_chacha20_poly1305" | "EVP_aes_256_gcm";

/** Ciphers that nobody wiped must not keep the library's memory for ever. */
const abandoned = new FinalizationRegistry<CipherContext>((context) => context.free());

/** A cipher of libcrypto with one key. */
export class LibcryptoAead extends KeyedAead {
  readonly #functions: Libcrypto;
  readonly #cipher: LibcryptoCipher;
  // Made when they are needed: most ciphers only seal or only open.
  #sealing: CipherContext | undefined;
  #opening: CipherContext | undefined;

  /**
   * Copies the key; the library sees it with the first datagram.
   *
   * @param key 32 bytes.
   * @throws {RangeError} If it has another length.
   */
  constructor(functions: Libcrypto, cipher: LibcryptoCipher, key: Uint8Array) {
    super(key);
    this.#functions = functions;
    this.#cipher = cipher;
  }

  protected override encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#sealing ??= this.#createContext(key, Direction.SEAL);
    this.#sealing.seal(nonce, additionalData, buffer, start, end);
  }

  protected override decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    this.#opening ??= this.#createContext(key, Direction.OPEN);
    return this.#opening.open(nonce, additionalData, buffer, start, end);
  }

  /** Overwrites the key here and in the library; using the cipher throws from then on. */
  override wipe(): void {
    super.wipe();
    this.#sealing?.free();
    this.#opening?.free();
    abandoned.unregister(this);
    this.#sealing = undefined;
    this.#opening = undefined;
  }

  #createContext(key: Uint8Array, direction: Direction): CipherContext {
    const context = new CipherContext(this.#functions, this.#cipher, key, direction);
    abandoned.register(this, context, this);
    return context;
  }
}

/** One `EVP_CIPHER_CTX` with a key, for one direction. */
class CipherContext {
  readonly #functions: Libcrypto;
  readonly #direction: Direction;
  #pointer: Deno.PointerValue;
  /** The tag on its way to or from the library: a view of where it belongs would cost more. */
  readonly #tag = new Uint8Array(new ArrayBuffer(TAG_BYTES));
  readonly #tagPointer = Deno.UnsafePointer.of(this.#tag);
  /** Where the library says how much it wrote: always what it was given. */
  readonly #length = new Int32Array(new ArrayBuffer(4));
  readonly #lengthPointer = Deno.UnsafePointer.of(this.#length);

  constructor(
    functions: Libcrypto,
    cipher: LibcryptoCipher,
    key: Uint8Array,
    direction: Direction,
  ) {
    this.#functions = functions;
    this.#direction = direction;
    this.#pointer = functions.EVP_CIPHER_CTX_new();
    const bytes = key as Uint8Array<ArrayBuffer>;
    const status = this.#pointer === null ? 0 : functions.EVP_CipherInit_ex(
      this.#pointer,
      functions[cipher](),
      null,
      bytes,
      null,
      direction,
    );
    assertDone(status);
  }

  /** Encrypts `buffer[start..end)` in place and writes the tag behind it. */
  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { EVP_CIPHER_CTX_ctrl } = this.#functions;
    const tag = this.#tag;
    this.#run(nonce, additionalData, buffer, start, end);
    assertDone(this.#finish());
    assertDone(
      EVP_CIPHER_CTX_ctrl(this.#pointer, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, this.#tagPointer),
    );
    for (let index = 0; index < TAG_BYTES; index++) buffer[end + index] = tag[index]!;
  }

  /**
   * Decrypts `buffer[start..end)` in place.
   *
   * @returns Whether the tag behind it is right; the library compares in the same time for any.
   */
  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const { EVP_CIPHER_CTX_ctrl } = this.#functions;
    const tag = this.#tag;
    this.#run(nonce, additionalData, buffer, start, end);
    for (let index = 0; index < TAG_BYTES; index++) tag[index] = buffer[end + index]!;
    assertDone(
      EVP_CIPHER_CTX_ctrl(this.#pointer, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, this.#tagPointer),
    );
    return this.#finish() === 1;
  }

  /** Gives the memory back; the library overwrites the key in it. Nothing may be called then. */
  free(): void {
    if (this.#pointer !== null) this.#functions.EVP_CIPHER_CTX_free(this.#pointer);
    this.#pointer = null;
  }

  /** Encrypts or decrypts in place, behind additional data. */
  #run(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { EVP_CipherInit_ex, EVP_CipherUpdate } = this.#functions;
    const pointer = this.#pointer;
    const length = this.#lengthPointer;
    const iv = nonce as Uint8Array<ArrayBuffer>;
    const data = additionalData as Uint8Array<ArrayBuffer>;
    assertDone(EVP_CipherInit_ex(pointer, null, null, null, iv, this.#direction));
    // Of nothing there is no address to hand over.
    if (data.length > 0) {
      assertDone(EVP_CipherUpdate(pointer, null, length, data, data.length));
    }
    if (end > start) {
      const text = buffer.subarray(start, end) as Uint8Array<ArrayBuffer>;
      assertDone(EVP_CipherUpdate(pointer, text, length, text, end - start));
    }
  }

  /** Makes or compares the tag; the library wants to know where to write, and writes nothing. */
  #finish(): number {
    return this.#functions.EVP_CipherFinal_ex(
      this.#pointer,
      this.#tagPointer,
      this.#lengthPointer,
    );
  }
}
