/**
 * A provider with AES-256-GCM that needs no FFI: `node:crypto`, and noble for AES. What the system's
 * libcrypto must give, byte for byte.
 */
import { gcm } from "npm:@noble/ciphers@2.4.0/aes.js";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { KeyedAead } from "../../lib/crypto/keyed_aead.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { CryptoProvider } from "../../lib/crypto/provider.ts";

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
    text: Uint8Array,
    tag: Uint8Array,
  ): void {
    const sealed = gcm(key, nonce, additionalData).encrypt(text.slice());
    text.set(sealed.subarray(0, text.length));
    tag.set(sealed.subarray(text.length));
  }

  protected override decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    text: Uint8Array,
    tag: Uint8Array,
  ): boolean {
    try {
      text.set(gcm(key, nonce, additionalData).decrypt(concatBytes(text, tag)));
    } catch {
      return false; // lengths were accepted before: a wrong tag is left
    }
    return true;
  }
}
