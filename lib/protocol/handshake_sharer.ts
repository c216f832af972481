/**
 * The sharer's side of the handshake, for all newcomers of one share (docs/protocol.md,
 * "Handshake"). Who does not hold the code gets silence; who holds it gets at most one datagram of
 * 1200 bytes for each of the same size [HS-6], and little of our memory and time.
 *
 * ```
 *             message 1                 message 3
 *  (unknown) ───────────▶ half open ─────────────────▶ session
 *      │                     │ └─ message 1 again: message 2 again
 *      └─ under load: cookie └─ 10 s: forgotten
 * ```
 */
import { ByteReader } from "../bytes/varint.ts";
import { CookieIssuer } from "../crypto/cookie.ts";
import { type HandshakeCodec, MESSAGE_2_PAYLOAD_BYTES } from "../crypto/handshake_datagram.ts";
import { HANDSHAKE_NONCE_BYTES } from "../crypto/handshake_tag.ts";
import type { NoiseHandshake } from "../crypto/noise.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "../crypto/provider.ts";
import { protectSession } from "../crypto/session_protection.ts";
import { wipe } from "../crypto/wipe.ts";
import { ipAddressToBytes } from "../nat/address.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { createConnectionId, readConnectionId } from "./connection_id.ts";
import { CookiePolicy } from "./cookie_policy.ts";
import { startHandshake } from "./handshake_start.ts";
import {
  ETHERNET_DATAGRAM_BYTES_V4,
  HALF_OPEN_MS,
  MAX_EARLY_PACKETS,
  MAX_HALF_OPEN,
  MAX_REMEMBERED_HANDSHAKES,
  MAX_SESSIONS,
} from "./params.ts";
import { isSamePath, type Path } from "../nat/path.ts";
import { after, type Instant, NEVER } from "../time.ts";
import {
  agreedSuite,
  decodeParameters,
  encodeParameters,
  ownParameters,
  type SendingWishes,
  type TransportParameters,
} from "./transport_parameters.ts";

const COOKIE_SECRET_BYTES = 32;

/** Joined packets count as many: what is held is bounded by its bytes, too [HS-8]. */
const MAX_EARLY_BYTES = MAX_EARLY_PACKETS * ETHERNET_DATAGRAM_BYTES_V4;

/** Bytes of the ephemeral key at the start of Noise message 1. */
const EPHEMERAL_BYTES = 32;
const MINUTE_MS = 60_000;

/** What a share's handshakes need. */
export interface HandshakeSharerOptions {
  /** The primitives. */
  readonly provider: CryptoProvider;
  /** Where keys, ids and nonces come from. */
  readonly random: RandomSource;
  /** The share's commitment, 16 bytes. */
  readonly t: Uint8Array;
  /** The share's static keys; the owner wipes them. */
  readonly staticKeys: KeyPair;
  /** Whether the exporter secret of each session is wanted. */
  readonly isExported?: boolean;
  /** Whether a connection id is in use already. */
  readonly isIdTaken?: (id: number) => boolean;
  /** How this side asks to be sent to. */
  readonly wishes?: SendingWishes;
  /** Bytes of datagrams that the system holds for this side while it is busy, if known. */
  readonly receiveBufferBytes?: number;
}

/** A client that has finished its handshake. */
export interface AcceptedClient {
  /** What its connection starts from. */
  readonly start: ConnectionOptions;
  /** Its static public key. */
  readonly remoteKey: Uint8Array;
  /** Its first request. */
  readonly request: Uint8Array;
  /** The hash of the whole handshake, equal on both sides. */
  readonly handshakeHash: Uint8Array;
  /** The session's exporter secret, when it was asked for; the owner wipes it. */
  readonly exporter?: Uint8Array;
  /** Packets that came before message 3. */
  readonly earlyPackets: readonly Uint8Array[];
}

interface HalfOpen {
  readonly id: number;
  /** The e of its message 1 and where that came from. */
  readonly source: string;
  readonly noise: NoiseHandshake;
  readonly message2: Uint8Array;
  readonly local: TransportParameters;
  readonly remote: TransportParameters;
  /** Where message 1 came from and message 2 goes. */
  readonly path: Path;
  readonly expiresAt: Instant;
  readonly sentAt: Instant;
  /** Whether message 2 was sent more than once: then its round trip cannot be told. */
  wasRepeated: boolean;
  isFinished: boolean;
  earlyPackets: Uint8Array[];
  earlyBytes: number;
}

/** The unfinished handshakes of one share. */
export class HandshakeSharer {
  /** Where the datagram of the last {@linkcode HandshakeSharer.pollTransmit} goes. */
  transmitPath!: Path;
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #isIdTaken: (id: number) => boolean;
  readonly #wishes: SendingWishes | undefined;
  readonly #receiveBufferBytes: number | undefined;
  readonly #isExported: boolean;
  readonly #codec: HandshakeCodec;
  readonly #cookies: CookieIssuer;
  readonly #policy = new CookiePolicy();
  /** The state after prologue and psk, the same for every client. */
  readonly #start: NoiseHandshake;
  readonly #halfOpen = new Map<number, HalfOpen>();
  readonly #bySource = new Map<string, HalfOpen>();
  readonly #replies: { datagram: Uint8Array; path: Path }[] = [];

  constructor(options: HandshakeSharerOptions) {
    const { provider, random } = options;
    this.#provider = provider;
    this.#random = random;
    this.#isIdTaken = options.isIdTaken ?? (() => false);
    this.#wishes = options.wishes;
    this.#receiveBufferBytes = options.receiveBufferBytes;
    this.#isExported = options.isExported ?? false;
    const { codec, noise } = startHandshake("responder", options);
    this.#codec = codec;
    this.#start = noise;
    const secret = new Uint8Array(COOKIE_SECRET_BYTES);
    random.fill(secret);
    this.#cookies = new CookieIssuer(provider, secret);
    wipe(secret);
  }

  /** Whether {@linkcode HandshakeSharer.pollTransmit} has something. */
  get hasTransmit(): boolean {
    return this.#replies.length > 0;
  }

  /**
   * Takes a datagram of 1200 bytes.
   *
   * @param sessionCount How many sessions the share has.
   * @returns A client that is through; `"handled"` for other datagrams with this share's tag;
   *   undefined for a stranger's.
   */
  handleDatagram(
    now: Instant,
    datagram: Uint8Array,
    path: Path,
    sessionCount: number,
  ): AcceptedClient | "handled" | undefined {
    const type = this.#codec.classify(datagram);
    if (type === 0) return undefined;
    const nonce = datagram.subarray(0, HANDSHAKE_NONCE_BYTES);
    if (!this.#policy.isNewNonce(nonce)) return "handled"; // [HS-2] a replay gets silence
    if (type === 1) this.#handleMessage1(now, datagram, path, sessionCount);
    // Handshakes that began while there was room may finish when there is none [HS-4].
    if (type === 3 && sessionCount < MAX_SESSIONS) {
      return this.#handleMessage3(now, datagram, path) ?? "handled";
    }
    return "handled";
  }

  /**
   * Keeps data packets whose message 3 has not come yet [HS-8]: `piece` from `start` on, as it came.
   *
   * @param id Connection id at its start.
   * @returns Whether the id belongs to an unfinished handshake.
   */
  holdEarlyPackets(id: number, piece: Uint8Array, start: number): boolean {
    const halfOpen = this.#halfOpen.get(id);
    if (!halfOpen || halfOpen.isFinished) return false;
    const { earlyPackets } = halfOpen;
    const bytes = halfOpen.earlyBytes + piece.length - start;
    if (earlyPackets.length < MAX_EARLY_PACKETS && bytes <= MAX_EARLY_BYTES) {
      halfOpen.earlyBytes = bytes;
      earlyPackets.push(piece.slice(start));
    }
    return true;
  }

  /** Forgets handshakes 10 s after they began [HS-11]. */
  handleTimeout(now: Instant): void {
    for (const halfOpen of this.#halfOpen.values()) {
      if (halfOpen.expiresAt > now) return; // in order of age
      this.#halfOpen.delete(halfOpen.id);
      this.#bySource.delete(halfOpen.source);
      if (!halfOpen.isFinished) this.#end(halfOpen);
    }
  }

  /** When the oldest unfinished handshake is forgotten. */
  pollTimeout(): Instant {
    for (const halfOpen of this.#halfOpen.values()) return halfOpen.expiresAt;
    return NEVER;
  }

  /** Writes the next answer; 0 when there is none. */
  pollTransmit(_now: Instant, out: Uint8Array): number {
    const reply = this.#replies.shift();
    if (!reply) return 0;
    out.set(reply.datagram);
    this.transmitPath = reply.path;
    return reply.datagram.length;
  }

  /** Overwrites the secrets; no client can finish any more. */
  wipe(): void {
    for (const halfOpen of this.#halfOpen.values()) halfOpen.noise.wipe();
    this.#halfOpen.clear();
    this.#bySource.clear();
    this.#start.wipe();
    this.#codec.wipe();
    this.#cookies.wipe();
  }

  #handleMessage1(now: Instant, datagram: Uint8Array, path: Path, sessionCount: number): void {
    const { cookie, message } = this.#codec.decodeMessage1(datagram)!;
    // Each address has a handshake of its own: only who gets message 2 there can finish it [HS-12].
    const { host, port } = path.remote;
    const ephemeral = String.fromCharCode(...message.subarray(0, EPHEMERAL_BYTES));
    const source = `${ephemeral}${path.socket} ${host} ${port}`;
    const known = this.#bySource.get(source);
    if (known) { // [HS-7] a repeat begins nothing new
      this.#policy.rememberNonce(datagram.subarray(0, HANDSHAKE_NONCE_BYTES));
      if (known.isFinished) return;
      known.wasRepeated = true;
      this.#reply(this.#codec.encodeMessage2(known.message2), path);
      return;
    }
    const noise = this.#start.clone();
    const payload = noise.readMessage(message);
    const remote = payload && decodeParameters(payload);
    if (!remote) {
      noise.wipe();
      return;
    }
    this.#policy.rememberNonce(datagram.subarray(0, HANDSHAKE_NONCE_BYTES));
    if (this.#isTurnedAway(now, cookie, path, sessionCount)) {
      noise.wipe();
      return;
    }
    const isIdTaken = (id: number) => this.#halfOpen.has(id) || this.#isIdTaken(id);
    const connectionId = createConnectionId(this.#random, isIdTaken);
    const local = ownParameters(
      connectionId,
      this.#provider,
      this.#wishes,
      this.#receiveBufferBytes,
    );
    const answer = new Uint8Array(MESSAGE_2_PAYLOAD_BYTES);
    encodeParameters(local, answer, 0);
    const message2 = noise.writeMessage(answer, this.#random);
    if (!message2) {
      noise.wipe();
      return;
    }
    const halfOpen: HalfOpen = {
      id: readConnectionId(local.connectionId, 0),
      source,
      noise,
      message2,
      local,
      remote,
      path,
      expiresAt: after(now, HALF_OPEN_MS),
      sentAt: now,
      wasRepeated: false,
      isFinished: false,
      earlyPackets: [],
      earlyBytes: 0,
    };
    this.#halfOpen.set(halfOpen.id, halfOpen);
    this.#bySource.set(source, halfOpen);
    this.#policy.onHalfOpen(now, path.remote);
    this.#reply(this.#codec.encodeMessage2(message2), path);
  }

  /** [HS-4] Asks for a cookie under load; turns everyone away when full. */
  #isTurnedAway(now: Instant, cookie: Uint8Array, path: Path, sessionCount: number): boolean {
    const isFull = this.#policy.halfOpenCount >= MAX_HALF_OPEN ||
      this.#halfOpen.size >= MAX_REMEMBERED_HANDSHAKES || sessionCount >= MAX_SESSIONS;
    if (isFull) return true;
    if (!this.#policy.isCookieNeeded(now, path.remote)) return false;
    const address = ipAddressToBytes(path.remote);
    const minute = Math.floor(now / MINUTE_MS);
    if (this.#cookies.check(cookie, address, path.remote.port, minute)) return false;
    const issued = this.#cookies.issue(address, path.remote.port, minute);
    this.#reply(this.#codec.encodeCookie(issued), path);
    return true;
  }

  /** Queues an answer. Those that the network cannot take in time are lost like any datagram. */
  #reply(datagram: Uint8Array, path: Path): void {
    if (this.#replies.length < MAX_HALF_OPEN) this.#replies.push({ datagram, path });
  }

  #handleMessage3(now: Instant, datagram: Uint8Array, path: Path): AcceptedClient | undefined {
    const { connectionId, message } = this.#codec.decodeMessage3(datagram)!;
    const halfOpen = this.#halfOpen.get(readConnectionId(connectionId, 0));
    // From another address it is a copy or a forgery: following it would aim the session at a victim
    // [HS-12].
    if (!halfOpen || halfOpen.isFinished || !isSamePath(halfOpen.path, path)) return undefined;
    const { noise, local, remote } = halfOpen;
    const payload = noise.readMessage(message);
    if (!payload) return undefined;
    this.#policy.rememberNonce(datagram.subarray(0, HANDSHAKE_NONCE_BYTES));
    const reader = new ByteReader(payload);
    const request = reader.bytes(reader.u16());
    const suite = agreedSuite(local, remote);
    const { sealer, opener, exporter } = protectSession(
      this.#provider,
      noise,
      suite,
      this.#isExported,
    );
    const accepted: AcceptedClient = {
      start: {
        sealer,
        opener,
        local,
        remote,
        path,
        random: this.#random,
        ...(halfOpen.wasRepeated ? {} : { rttMs: Math.max(now - halfOpen.sentAt, 0.001) }),
      },
      remoteKey: noise.remoteStaticKey!,
      request: reader.ok ? request : new Uint8Array(0),
      handshakeHash: noise.handshakeHash,
      ...(exporter === undefined ? {} : { exporter }),
      earlyPackets: halfOpen.earlyPackets,
    };
    // Remembered until it expires, so that late repeats of message 1 do not begin anew.
    halfOpen.isFinished = true;
    halfOpen.earlyPackets = [];
    this.#end(halfOpen);
    return accepted;
  }

  #end(halfOpen: HalfOpen): void {
    halfOpen.noise.wipe();
    this.#policy.onHalfOpenEnd(halfOpen.path.remote);
  }
}
