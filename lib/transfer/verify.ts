/**
 * The exchange behind `--verify`, step by step [XFER-5]: the sharer commits to a
 * nonce, the client shows its own, the sharer opens. Pure; the messages travel elsewhere, and what
 * is hashed stands in `lib/crypto/sas.ts`.
 */
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { isSasOpening, SAS_NONCE_BYTES, sasCommitment, sasIndices } from "../crypto/sas.ts";
import { sasWords } from "../crypto/sas_words.ts";

/** What both sides need for the exchange. */
export interface VerificationOptions {
  /** The hash of the finished Noise handshake, the same on both sides when nobody is in between. */
  readonly handshakeHash: Uint8Array;
  /** Where the nonce comes from. */
  readonly random: RandomSource;
}

/** The sharer's side [XFER-5]. */
export class SharerVerification {
  /** 32 bytes; sent only after the client's nonce came. */
  readonly nonce: Uint8Array;
  /** SHA-256 of the nonce; sent first. */
  readonly commitment: Uint8Array;
  readonly #crypto: CryptoProvider;
  readonly #handshakeHash: Uint8Array;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param options The handshake and the nonce's source.
   */
  constructor(crypto: CryptoProvider, options: VerificationOptions) {
    this.#crypto = crypto;
    this.#handshakeHash = options.handshakeHash;
    this.nonce = freshNonce(options.random);
    this.commitment = sasCommitment(crypto, this.nonce);
  }

  /** The words, once the client's nonce is there. */
  words(clientNonce: Uint8Array): readonly string[] {
    return sasWords(sasIndices(this.#crypto, this.#handshakeHash, this.nonce, clientNonce));
  }
}

/** The client's side [XFER-5]. */
export class ClientVerification {
  /** 32 bytes; sent once the sharer has committed. */
  readonly nonce: Uint8Array;
  readonly #crypto: CryptoProvider;
  readonly #handshakeHash: Uint8Array;
  readonly #commitment: Uint8Array;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param commitment The 32 bytes the sharer sent.
   * @param options The handshake and the nonce's source.
   */
  constructor(crypto: CryptoProvider, commitment: Uint8Array, options: VerificationOptions) {
    this.#crypto = crypto;
    this.#handshakeHash = options.handshakeHash;
    this.#commitment = commitment.slice();
    this.nonce = freshNonce(options.random);
  }

  /** The words, or undefined when the sharer's nonce is not the one it committed to. */
  words(sharerNonce: Uint8Array): readonly string[] | undefined {
    if (!isSasOpening(this.#crypto, this.#commitment, sharerNonce)) return undefined;
    return sasWords(sasIndices(this.#crypto, this.#handshakeHash, sharerNonce, this.nonce));
  }
}

function freshNonce(random: RandomSource): Uint8Array {
  const nonce = new Uint8Array(SAS_NONCE_BYTES);
  random.fill(nonce);
  return nonce;
}
