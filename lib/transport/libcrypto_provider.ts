/**
 * The primitives of the system's OpenSSL 3: its AEADs and SHA-256, everything else from another
 * provider. `lib/operation/system_provider.ts` takes it only when it passes the self-test.
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { loadLibcrypto } from "./libcrypto.ts";
import { LibcryptoAead } from "./libcrypto_aead.ts";
import { hasAesInstructions } from "./libcrypto_cpu.ts";
import { libcryptoSha256 } from "./libcrypto_sha256.ts";

/**
 * The provider; undefined where there is no such library or no FFI, or a call of it failed. It has
 * AES-256-GCM where the processor has instructions for it.
 *
 * @param others Where all other primitives come from.
 */
export function libcryptoProvider(others: CryptoProvider): CryptoProvider | undefined {
  const functions = loadLibcrypto();
  if (functions === undefined) return undefined;
  try {
    const fast: CryptoProvider = {
      ...others,
      name: "libcrypto",
      sha256: libcryptoSha256(functions),
      createAead: (key) => new LibcryptoAead(functions, "EVP_chacha20_poly1305", key),
    };
    if (!hasAesInstructions(functions)) return fast;
    return {
      ...fast,
      createAesGcm: (key) => new LibcryptoAead(functions, "EVP_aes_256_gcm", key),
    };
  } catch {
    return undefined; // whatever is odd about it, the others do without
  }
}
