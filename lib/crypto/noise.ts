/**
 * A Noise handshake over X25519, ChaCha20-Poly1305 and SHA-256: one object for one side of one
 * handshake, in any pattern of `noise_patterns.ts`. This protocol uses `XXpsk0` (docs/protocol.md,
 * "Handshake"); the others are here because the public vectors for them prove the machine.
 *
 * Not here: where a message lies in a datagram (`handshake_datagram.ts`), what its payload means,
 * when it is sent again, and the protection of packets afterwards.
 *
 * **Failure changes nothing** [HS-5]. A message that cannot be read, and one that cannot be written
 * because the peer's key is of small order, give undefined and leave the object exactly as it was,
 * so a forged message cannot spoil a handshake that waits for the real one. A message that *can* be
 * read but comes from the wrong static key is the caller's to judge: read it with a
 * {@linkcode NoiseHandshake.clone} and keep the clone only if the key is the right one.
 *
 * **Snapshots.** Starting already mixes in prologue, known keys and a leading `psk` token, so a
 * server starts one handshake and clones it for each client.
 *
 * @see {@link https://noiseprotocol.org/noise.html | The Noise Protocol Framework, revision 34}
 */
import { concatBytes } from "../bytes/concat.ts";
import { checkNoiseOptions, type NoiseOptions, type NoiseRole } from "./noise_options.ts";
import { type NoisePattern, noisePattern, type NoiseToken } from "./noise_patterns.ts";
import { KEY_BYTES } from "./primitive_lengths.ts";
import { type CryptoProvider, type KeyPair, type RandomSource, TAG_BYTES } from "./provider.ts";
import { SymmetricState } from "./symmetric_state.ts";
import { wipe } from "./wipe.ts";

/** The longest Noise message, in bytes (rev 34, section 3). */
export const MAX_NOISE_MESSAGE_BYTES = 65_535;

/** The two secrets a finished handshake leaves, 32 bytes each; the receiver of them wipes them. */
export interface NoiseSecrets {
  /** Split()'s first output: what the initiator sends with. */
  readonly initiatorSecret: Uint8Array;
  /** Split()'s second output: what the responder sends with. */
  readonly responderSecret: Uint8Array;
}

/** One side of one handshake. */
export class NoiseHandshake {
  #provider: CryptoProvider;
  #pattern: NoisePattern;
  #options: NoiseOptions;
  #progress: Progress;
  #isWiped = false;

  private constructor(
    provider: CryptoProvider,
    pattern: NoisePattern,
    options: NoiseOptions,
    progress: Progress,
  ) {
    this.#provider = provider;
    this.#pattern = pattern;
    this.#options = options;
    this.#progress = progress;
  }

  /**
   * Begins a handshake.
   *
   * @throws {RangeError} If the pattern is not known, or a key it needs is missing or not 32 bytes.
   */
  static start(provider: CryptoProvider, options: NoiseOptions): NoiseHandshake {
    const pattern = noisePattern(options.pattern);
    checkNoiseOptions(pattern, options);
    const name = `Noise_${pattern.name}_25519_ChaChaPoly_SHA256`;
    const progress = new Progress(new SymmetricState(provider, name));
    const handshake = new NoiseHandshake(provider, pattern, options, progress);
    handshake.#mixKnown();
    return handshake;
  }

  /** Which side this is. */
  get role(): NoiseRole {
    return this.#options.role;
  }

  /** Whether all messages of the pattern are through. */
  get isFinished(): boolean {
    return this.#progress.messageIndex === this.#pattern.messages.length;
  }

  /** Whether the next message is this side's to write. */
  get isMyTurn(): boolean {
    const initiatorsTurn = this.#progress.messageIndex % 2 === 0;
    return !this.isFinished && initiatorsTurn === (this.role === "initiator");
  }

  /**
   * The hash of the whole handshake (32 bytes, a copy): equal on both sides if nobody is in between,
   * and unique to this session. Before the end it is the hash of what was said so far.
   */
  get handshakeHash(): Uint8Array {
    return this.#progress.symmetric.handshakeHash;
  }

  /** The peer's static public key, once it is known. */
  get remoteStaticKey(): Uint8Array | undefined {
    return this.#progress.remoteStaticKey;
  }

  /** An independent copy that goes on from here. */
  clone(): NoiseHandshake {
    this.#assertNotWiped();
    const progress = this.#progress.clone();
    return new NoiseHandshake(this.#provider, this.#pattern, this.#options, progress);
  }

  /**
   * Writes the next message.
   *
   * @param payload Encrypted as far as the pattern allows at this point.
   * @param random Gives the 32 bytes of an ephemeral key.
   * @returns The message; undefined when the peer's key is of small order.
   * @throws {RangeError} If it is not this side's turn, or the message would be longer than
   *   {@linkcode MAX_NOISE_MESSAGE_BYTES}.
   */
  writeMessage(payload: Uint8Array, random: RandomSource): Uint8Array | undefined {
    this.#assertNotWiped();
    if (!this.isMyTurn) {
      throw new RangeError("Cannot write Noise message: it is not this side's turn");
    }
    const next = this.#progress.clone();
    const parts: Uint8Array[] = [];
    for (const token of this.#tokensLeft()) {
      if (token === "e") {
        next.ephemeralKeys = this.#provider.generateKeyPair(random);
        parts.push(next.ephemeralKeys.publicKey);
        this.#mixEphemeral(next, next.ephemeralKeys.publicKey);
      } else if (token === "s") {
        parts.push(next.symmetric.encryptAndHash(this.#options.staticKeys!.publicKey));
      } else if (!this.#mixSecret(next, token)) {
        next.wipe();
        return undefined;
      }
    }
    parts.push(next.symmetric.encryptAndHash(payload));
    const message = concatBytes(...parts);
    if (message.length > MAX_NOISE_MESSAGE_BYTES) {
      next.wipe();
      throw new RangeError(
        `Cannot write Noise message: ${message.length} bytes, not ≤ ${MAX_NOISE_MESSAGE_BYTES}`,
      );
    }
    this.#commit(next);
    return message;
  }

  /**
   * Reads the next message.
   *
   * @param message Any bytes at all.
   * @returns The payload; undefined when the message is too short or too long, a tag is wrong, or a
   *   key in it is of small order.
   * @throws {RangeError} If it is this side's turn to write, or the handshake is finished.
   */
  readMessage(message: Uint8Array): Uint8Array | undefined {
    this.#assertNotWiped();
    if (this.isMyTurn || this.isFinished) {
      throw new RangeError("Cannot read Noise message: it is not the peer's turn");
    }
    const next = this.#progress.clone();
    const payload = this.#read(next, message);
    if (payload === undefined) next.wipe();
    else this.#commit(next);
    return payload;
  }

  /**
   * The secrets of the session that begins now.
   *
   * @throws {RangeError} If the handshake is not finished.
   */
  split(): NoiseSecrets {
    this.#assertNotWiped();
    if (!this.isFinished) throw new RangeError("Cannot split Noise handshake: it is not finished");
    const [initiatorSecret, responderSecret] = this.#progress.symmetric.split();
    return { initiatorSecret, responderSecret };
  }

  /**
   * Overwrites the secrets of this object, not the keys its owner gave. Only
   * {@linkcode handshakeHash} and {@linkcode remoteStaticKey} can be asked for afterwards; anything
   * else throws, because a cipher without a key would pass plaintext through.
   */
  wipe(): void {
    this.#progress.wipe();
    this.#isWiped = true;
  }

  #assertNotWiped(): void {
    if (this.#isWiped) throw new RangeError("Cannot use Noise handshake: it was wiped");
  }

  #read(next: Progress, message: Uint8Array): Uint8Array | undefined {
    if (message.length > MAX_NOISE_MESSAGE_BYTES) return undefined;
    let offset = 0;
    for (const token of this.#tokensLeft()) {
      if (token === "e" || token === "s") {
        const sealed = token === "s" && next.symmetric.hasKey;
        const end = offset + KEY_BYTES + (sealed ? TAG_BYTES : 0);
        if (end > message.length) return undefined;
        const field = message.slice(offset, end);
        offset = end;
        if (token === "e") {
          next.remoteEphemeralKey = field;
          this.#mixEphemeral(next, field);
        } else {
          const key = next.symmetric.decryptAndHash(field);
          if (key === undefined) return undefined;
          next.remoteStaticKey = key;
        }
      } else if (!this.#mixSecret(next, token)) {
        return undefined;
      }
    }
    return next.symmetric.decryptAndHash(message.subarray(offset));
  }

  /** Tokens of the current message that are still to be done. */
  #tokensLeft(): readonly NoiseToken[] {
    return this.#pattern.messages[this.#progress.messageIndex]!.slice(this.#progress.tokensDone);
  }

  #commit(next: Progress): void {
    next.messageIndex++;
    next.tokensDone = 0;
    this.#progress.wipe();
    this.#progress = next;
  }

  /** What both sides mix in before anything is sent. */
  #mixKnown(): void {
    const { role, prologue, staticKeys, remoteStaticKey } = this.#options;
    const { symmetric } = this.#progress;
    const [initiatorKey, responderKey] = role === "initiator"
      ? [staticKeys?.publicKey, remoteStaticKey]
      : [remoteStaticKey, staticKeys?.publicKey];
    symmetric.mixHash(prologue ?? new Uint8Array(0));
    if (this.#pattern.initiatorStaticKnown) symmetric.mixHash(initiatorKey!);
    if (this.#pattern.responderStaticKnown) symmetric.mixHash(responderKey!);
    const peerIsKnown = role === "initiator"
      ? this.#pattern.responderStaticKnown
      : this.#pattern.initiatorStaticKnown;
    if (peerIsKnown) this.#progress.remoteStaticKey = remoteStaticKey;
    while (this.#tokensLeft()[0] === "psk") {
      this.#mixSecret(this.#progress, "psk");
      this.#progress.tokensDone++;
    }
  }

  #mixEphemeral(next: Progress, publicKey: Uint8Array): void {
    next.symmetric.mixHash(publicKey);
    // Without this a pre-shared key would be used with the same cipher key and nonce in every
    // handshake (Noise rev 34, section 9.2).
    if (this.#pattern.pskCount > 0) next.symmetric.mixKey(publicKey);
  }

  /** Mixes in a pre-shared key or a Diffie-Hellman result; false when that result is zero. */
  #mixSecret(next: Progress, token: Exclude<NoiseToken, "e" | "s">): boolean {
    if (token === "psk") {
      next.symmetric.mixKeyAndHash(this.#options.psks![next.pskIndex++]!);
      return true;
    }
    // The initiator's key is named first.
    const [mine, theirs] = this.role === "initiator" ? [token[0], token[1]] : [token[1], token[0]];
    const keys = mine === "e" ? next.ephemeralKeys! : this.#options.staticKeys!;
    const peerKey = theirs === "e" ? next.remoteEphemeralKey! : next.remoteStaticKey!;
    const shared = this.#provider.sharedSecret(keys.secretKey, peerKey);
    if (shared === undefined) return false;
    next.symmetric.mixKey(shared);
    wipe(shared);
    return true;
  }
}

/** How far a handshake has come: what a message changes, all of it or nothing. */
class Progress {
  readonly symmetric: SymmetricState;
  ephemeralKeys: KeyPair | undefined;
  remoteEphemeralKey: Uint8Array | undefined;
  remoteStaticKey: Uint8Array | undefined;
  messageIndex = 0;
  pskIndex = 0;
  /** How many tokens of the current message are done already: leading `psk` ones. */
  tokensDone = 0;

  constructor(symmetric: SymmetricState) {
    this.symmetric = symmetric;
  }

  clone(): Progress {
    const copy = new Progress(this.symmetric.clone());
    // The secret half is copied, because each copy wipes its own.
    copy.ephemeralKeys = this.ephemeralKeys && {
      secretKey: new Uint8Array(this.ephemeralKeys.secretKey),
      publicKey: this.ephemeralKeys.publicKey,
    };
    copy.remoteEphemeralKey = this.remoteEphemeralKey;
    copy.remoteStaticKey = this.remoteStaticKey;
    copy.messageIndex = this.messageIndex;
    copy.pskIndex = this.pskIndex;
    copy.tokensDone = this.tokensDone;
    return copy;
  }

  wipe(): void {
    this.symmetric.wipe();
    wipe(this.ephemeralKeys?.secretKey);
  }
}
