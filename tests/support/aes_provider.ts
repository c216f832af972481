/**
 * A provider with AES-256-GCM that needs no FFI: `node:crypto`, and noble for AES. What the system's
 * libcrypto must give, byte for byte.
 */
import { gcm } from "npm:@noble/ciphers@2.4.0/aes.js";
import { KeyedAead } from "../../lib/crypto/keyed_aead.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { type CryptoProvider, TAG_BYTES } from "../../lib/crypto/provider.ts";

/** `node:crypto`, with AES-256-GCM from noble. */
export const aesProvider: CryptoProvider = {
  ...nodeProvider,
  name: "node:crypto with AES-256-GCM of noble",
  createAesGcm: (key) => new NobleAes256Gcm(key),
};

class NobleAes256Gcm extends KeyedAead {
  protected override encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    buffer.set(gcm(key, nonce, additionalData).encrypt(buffer.slice(start, end)), start);
  }

  protected override decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    try {
      const sealed = buffer.slice(start, end + TAG_BYTES);
      buffer.set(gcm(key, nonce, additionalData).decrypt(sealed), start);
    } catch {
      return false; // lengths were accepted before: a wrong tag is left
    }
    return true;
  }
}
