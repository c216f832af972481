/** Cryptography without encryption, where only what is around it is looked at. */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { type CryptoProvider, TAG_BYTES } from "../../lib/crypto/provider.ts";

/** The provider of `node:crypto`, with ciphers that change nothing. */
export const plainProvider: CryptoProvider = {
  ...nodeProvider,
  createAead: () => ({
    seal: (_nonce, _header, _buffer, _start, end) => end + TAG_BYTES,
    open: (_nonce, _header, _buffer, _start, end) => end - TAG_BYTES,
    wipe: () => {},
  }),
};
