/**
 * ChaCha20-Poly1305 from the system's OpenSSL 3 through FFI: 1.1 µs for a datagram, where
 * `node:crypto` takes 3.3 and more, most of it for making a new cipher object each time. The bytes
 * are the same; `lib/system_provider.ts` takes it only when it passes the self-test. Linux only, where
 * FFI is granted; nobody is prompted.
 *
 * @see {@link https://docs.openssl.org/3.0/man3/EVP_EncryptInit/ | EVP_CipherInit_ex}
 */
import { assertKeyLength, assertNonceLength, NO_KEY } from "../crypto/primitive_lengths.ts";
import { type Aead, type CryptoProvider, TAG_BYTES } from "../crypto/provider.ts";

const SYMBOLS = {
  EVP_chacha20_poly1305: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_CIPHER_CTX_ctrl: { parameters: ["pointer", "i32", "i32", "buffer"], result: "i32" },
  EVP_CipherInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  EVP_CipherUpdate: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  EVP_CipherFinal_ex: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
} as const;

const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

/** The last argument of `EVP_CipherInit_ex`. */
const Direction = { OPEN: 0, SEAL: 1 } as const;
type Direction = (typeof Direction)[keyof typeof Direction];

type Functions = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Loaded when it is needed first; null when it cannot be. */
let functions: Functions | null | undefined;

/**
 * The provider, or undefined where there is no such library or no FFI.
 *
 * @param others Where all other primitives come from.
 */
export function libcryptoProvider(others: CryptoProvider): CryptoProvider | undefined {
  if (functions === undefined) functions = load();
  if (functions === null) return undefined;
  const loaded = functions;
  return {
    ...others,
    name: "libcrypto",
    createAead: (key) => new LibcryptoChaCha20Poly1305(loaded, key),
  };
}

function load(): Functions | null {
  if (Deno.build.os !== "linux") return null;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
  try {
    return Deno.dlopen("libcrypto.so.3", SYMBOLS).symbols;
  } catch {
    return null; // not installed, or another version
  }
}

/** Ciphers that nobody wiped must not keep the library's memory for ever. */
const abandoned = new FinalizationRegistry<CipherContext>((context) => context.free());

class LibcryptoChaCha20Poly1305 implements Aead {
  readonly #functions: Functions;
  #key: Uint8Array;
  // Made when they are needed: most ciphers only seal or only open.
  #sealing: CipherContext | undefined;
  #opening: CipherContext | undefined;

  constructor(functions: Functions, key: Uint8Array) {
    assertKeyLength("AEAD key", key);
    this.#functions = functions;
    this.#key = new Uint8Array(key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number {
    assertKeyLength("AEAD key", this.#key);
    assertNonceLength(nonce);
    this.#sealing ??= this.#createContext(Direction.SEAL);
    this.#sealing.run(nonce, additionalData, buffer.subarray(start, end));
    buffer.set(this.#sealing.takeTag(), end);
    return end + TAG_BYTES;
  }

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
    if (tagStart < start || end > buffer.length) return -1;
    this.#opening ??= this.#createContext(Direction.OPEN);
    this.#opening.run(nonce, additionalData, buffer.subarray(start, tagStart));
    return this.#opening.isTag(buffer.subarray(tagStart, end)) ? tagStart : -1;
  }

  wipe(): void {
    this.#sealing?.free();
    this.#opening?.free();
    abandoned.unregister(this);
    this.#sealing = undefined;
    this.#opening = undefined;
    this.#key.fill(0);
    // A wiped key must not go on as the key of zeros: an empty one is refused.
    this.#key = NO_KEY;
  }

  #createContext(direction: Direction): CipherContext {
    const context = new CipherContext(this.#functions, this.#key, direction);
    abandoned.register(this, context, this);
    return context;
  }
}

/** One `EVP_CIPHER_CTX` with a key, for one direction. */
class CipherContext {
  readonly #functions: Functions;
  readonly #direction: Direction;
  #pointer: Deno.PointerValue;
  readonly #length = new Int32Array(1);
  readonly #tag = new Uint8Array(TAG_BYTES);

  constructor(functions: Functions, key: Uint8Array, direction: Direction) {
    this.#functions = functions;
    this.#direction = direction;
    this.#pointer = functions.EVP_CIPHER_CTX_new();
    const cipher = functions.EVP_chacha20_poly1305();
    const bytes = key as Uint8Array<ArrayBuffer>;
    const status = this.#pointer === null
      ? 0
      : functions.EVP_CipherInit_ex(this.#pointer, cipher, null, bytes, null, direction);
    this.#check(status);
  }

  /** Encrypts or decrypts `text` in place, behind additional data. */
  run(nonce: Uint8Array, additionalData: Uint8Array, text: Uint8Array): void {
    const functions = this.#functions;
    const pointer = this.#pointer;
    const iv = nonce as Uint8Array<ArrayBuffer>;
    const data = additionalData as Uint8Array<ArrayBuffer>;
    const bytes = text as Uint8Array<ArrayBuffer>;
    this.#check(
      functions.EVP_CipherInit_ex(pointer, null, null, null, iv, this.#direction),
    );
    // Of nothing there is no address to hand over.
    if (data.length > 0) {
      this.#check(functions.EVP_CipherUpdate(pointer, null, this.#length, data, data.length));
    }
    if (bytes.length > 0) {
      this.#check(functions.EVP_CipherUpdate(pointer, bytes, this.#length, bytes, bytes.length));
    }
  }

  /** The tag of what was encrypted; overwritten by the next. */
  takeTag(): Uint8Array {
    const { EVP_CipherFinal_ex, EVP_CIPHER_CTX_ctrl } = this.#functions;
    this.#check(EVP_CipherFinal_ex(this.#pointer, this.#tag, this.#length));
    this.#check(
      EVP_CIPHER_CTX_ctrl(this.#pointer, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, this.#tag),
    );
    return this.#tag;
  }

  /** Whether what was decrypted has this tag; compared by the library, in the same time for any. */
  isTag(tag: Uint8Array): boolean {
    const { EVP_CipherFinal_ex, EVP_CIPHER_CTX_ctrl } = this.#functions;
    const bytes = tag as Uint8Array<ArrayBuffer>;
    this.#check(EVP_CIPHER_CTX_ctrl(this.#pointer, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, bytes));
    return EVP_CipherFinal_ex(this.#pointer, this.#tag, this.#length) === 1;
  }

  /** Gives the memory back; the library overwrites the key in it. Nothing may be called then. */
  free(): void {
    if (this.#pointer !== null) this.#functions.EVP_CIPHER_CTX_free(this.#pointer);
    this.#pointer = null;
  }

  #check(status: number): void {
    if (status !== 1) throw new Error("Cannot use libcrypto: a call failed");
  }
}
