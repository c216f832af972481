/**
 * The functions of the system's OpenSSL 3 that are called through FFI. Linux only, where FFI is
 * granted; nobody is prompted. Arguments of type `buffer` are for arrays that change: a fast call
 * takes the address of one in 8 ns, while asking for a pointer takes 0.3 µs. What stays where it is has
 * its pointer asked for once, and is given as `pointer`.
 *
 * What is done with them is in `libcrypto_aead.ts`, `libcrypto_sha256.ts` and `libcrypto_cpu.ts`.
 *
 * @see {@link https://docs.openssl.org/3.0/man7/crypto/ | OpenSSL 3.0, libcrypto}
 */

/** The library that Linux distributions with OpenSSL 3 have. */
const LIBRARY = "libcrypto.so.3";

const SYMBOLS = {
  OPENSSL_info: { parameters: ["i32"], result: "pointer" },
  EVP_chacha20_poly1305: { parameters: [], result: "pointer" },
  EVP_aes_256_gcm: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_CIPHER_CTX_ctrl: { parameters: ["pointer", "i32", "i32", "pointer"], result: "i32" },
  EVP_CipherInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  EVP_CipherUpdate: {
    parameters: ["pointer", "buffer", "pointer", "buffer", "i32"],
    result: "i32",
  },
  EVP_CipherFinal_ex: { parameters: ["pointer", "pointer", "pointer"], result: "i32" },
  EVP_MD_fetch: { parameters: ["pointer", "buffer", "buffer"], result: "pointer" },
  EVP_MD_CTX_new: { parameters: [], result: "pointer" },
  EVP_DigestInit_ex: { parameters: ["pointer", "pointer", "pointer"], result: "i32" },
  EVP_DigestUpdate: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  EVP_DigestFinal_ex: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
} as const;

/** The functions, as they are called. */
export type Libcrypto = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Loaded when it is needed first; null when it cannot be. */
let functions: Libcrypto | null | undefined;

/** The library's functions; undefined where there is no such library or no FFI. */
export function loadLibcrypto(): Libcrypto | undefined {
  if (functions === undefined) functions = open();
  return functions ?? undefined;
}

/**
 * Insists that a call went well: these fail only where memory is out or the library is broken.
 *
 * @throws {Error} If `status` is not 1.
 */
export function assertDone(status: number): void {
  if (status !== 1) throw new Error("Cannot use libcrypto: a call failed");
}

function open(): Libcrypto | null {
  if (Deno.build.os !== "linux") return null;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
  try {
    return Deno.dlopen(LIBRARY, SYMBOLS).symbols;
  } catch {
    return null; // not installed, or another version
  }
}
