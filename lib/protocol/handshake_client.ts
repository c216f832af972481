/**
 * The client's side of the handshake: message 1 to every address of the code until one answers
 * (docs/protocol.md, "Handshake"). The first authentic answer from such an address wins; one from
 * elsewhere waits for a moment and then counts as well, but the handshake goes on beside the session
 * until that has proved its path [HS-13]. Whoever answers without the key that the code commits to is
 * counted and otherwise ignored, so that it cannot shut out the sharer.
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { isSharerKey } from "../crypto/commitment.ts";
import {
  type HandshakeCodec,
  MESSAGE_1_PAYLOAD_BYTES,
  MESSAGE_3_PAYLOAD_BYTES,
} from "../crypto/handshake_datagram.ts";
import type { NoiseHandshake } from "../crypto/noise.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "../crypto/provider.ts";
import { protectSession } from "../crypto/session_protection.ts";
import { wipe } from "../crypto/wipe.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { createConnectionId } from "./connection_id.ts";
import { startHandshake } from "./handshake_start.ts";
import {
  HELLO_HEARD_MS,
  HELLO_HEARD_REPEAT_MS,
  HELLO_REPEAT_MS,
  HELLO_REPEATS_MS,
  UNASKED_ANSWER_MS,
} from "./params.ts";
import { isSamePath, type Path } from "../nat/path.ts";
import { after, earlier, type Instant, NEVER } from "../time.ts";
import {
  agreedSuite,
  decodeParameters,
  encodeParameters,
  ownParameters,
  type SendingWishes,
  type TransportParameters,
} from "./transport_parameters.ts";

/** Bytes of a request that fit into message 3. */
export const MAX_REQUEST_BYTES: number = MESSAGE_3_PAYLOAD_BYTES - 2;

/** Paths that are tried although nobody answered there: addresses that may be forged. */
const MAX_HEARD_ATTEMPTS = 4;

/** What a client's handshake needs. */
export interface HandshakeClientOptions {
  /** The primitives. */
  readonly provider: CryptoProvider;
  /** Where keys, ids and nonces come from. */
  readonly random: RandomSource;
  /** The share's commitment from its code, 16 bytes. */
  readonly t: Uint8Array;
  /**
   * Whether `t` is that of a short code, which commits to no key: identities are shown in its place
   * [CODE-8].
   */
  readonly isShortCode?: boolean;
  /** Whether the session's exporter secret is wanted. */
  readonly isExported?: boolean;
  /** The client's static keys; the owner wipes them. */
  readonly staticKeys: KeyPair;
  /** Where the sharer may be. */
  readonly paths: readonly Path[];
  /** The first request, at most {@linkcode MAX_REQUEST_BYTES}. */
  readonly request: Uint8Array;
  /** Whether a connection id is in use already. */
  readonly isIdTaken?: (id: number) => boolean;
  /** How this side asks to be sent to. */
  readonly wishes?: SendingWishes;
  /** Bytes of datagrams that the system holds for this side while it is busy, if known. */
  readonly receiveBufferBytes?: number;
}

/** A sharer that has proved its key. */
export interface ConnectedSharer {
  /** What the connection starts from. */
  readonly start: ConnectionOptions;
  /** The hash of the whole handshake, equal on both sides. */
  readonly handshakeHash: Uint8Array;
  /** The session's exporter secret, when it was asked for; the owner wipes it. */
  readonly exporter?: Uint8Array;
}

/**
 * Why a path is tried: the code names it, a question of the sharer came from there, or an answer to
 * a question of ours.
 */
type AttemptKind = "candidate" | "heard" | "proven";

interface Attempt {
  readonly path: Path;
  readonly startedAt: Instant;
  readonly kind: AttemptKind;
  round: number;
  nextRoundAt: Instant;
  sentAt: Instant;
  sentCount: number;
  isDue: boolean;
}

/** A message 2 that came along a path on which message 1 never went. */
interface HeldAnswer {
  readonly message: Uint8Array;
  readonly path: Path;
  readonly sharer: ConnectedSharer;
  /** When it counts although nothing came from where message 1 went. */
  readonly takeAt: Instant;
  receivedBytes: number;
  isTaken: boolean;
}

/** One handshake towards a share. */
export class HandshakeClient {
  /** Where the datagram of the last {@linkcode HandshakeClient.pollTransmit} goes. */
  transmitPath!: Path;
  /** Answers with the share's tag but without its key. */
  impostors = 0;
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #t: Uint8Array;
  readonly #isShortCode: boolean;
  readonly #isExported: boolean;
  readonly #codec: HandshakeCodec;
  readonly #noise: NoiseHandshake;
  readonly #message1: Uint8Array;
  readonly #local: TransportParameters;
  readonly #request: Uint8Array;
  readonly #attempts: Attempt[];
  #cookie: Uint8Array | undefined;
  #held: HeldAnswer | undefined;

  /**
   * @throws {RangeError} If the request is too long for message 3.
   */
  constructor(now: Instant, options: HandshakeClientOptions) {
    const { provider, random, t } = options;
    if (options.request.length > MAX_REQUEST_BYTES) {
      throw new RangeError(
        `Cannot begin handshake: request of ${options.request.length} bytes, not ≤ ${MAX_REQUEST_BYTES}`,
      );
    }
    this.#provider = provider;
    this.#random = random;
    this.#t = t;
    this.#isShortCode = options.isShortCode ?? false;
    this.#isExported = options.isExported ?? false;
    this.#request = options.request;
    const { codec, noise } = startHandshake("initiator", options);
    this.#codec = codec;
    this.#noise = noise;
    const connectionId = createConnectionId(random, options.isIdTaken ?? (() => false));
    this.#local = ownParameters(connectionId, provider, options.wishes, options.receiveBufferBytes);
    const payload = new Uint8Array(MESSAGE_1_PAYLOAD_BYTES);
    encodeParameters(this.#local, payload, 0);
    this.#message1 = this.#noise.writeMessage(payload, random)!;
    this.#attempts = options.paths.map((path) => startAttempt(now, path, "candidate"));
  }

  /**
   * Tries a path on which the sharer was heard [PROBE-3]: at once, and again and again only where it
   * answered us. Elsewhere the sender's address may be forged, and somebody else would be flooded.
   */
  addPath(now: Instant, path: Path, isProven: boolean): void {
    const known = this.#attempts.findIndex((attempt) => isSamePath(attempt.path, path));
    if (known >= 0) this.#attempts.splice(known, 1);
    this.#attempts.push(startAttempt(now, path, isProven ? "proven" : "heard"));
    const heard = this.#attempts.filter(({ kind }) => kind === "heard");
    if (heard.length > MAX_HEARD_ATTEMPTS) {
      this.#attempts.splice(this.#attempts.indexOf(heard[0]!), 1);
    }
  }

  /** Whether {@linkcode HandshakeClient.pollTransmit} has something. */
  get hasTransmit(): boolean {
    return this.#attempts.some((attempt) => attempt.isDue);
  }

  /**
   * Takes a datagram of 1200 bytes.
   *
   * @returns The sharer when it has proved its key; `"again"` for the message 2 of the session that
   *   {@linkcode HandshakeClient.handleTimeout} began; `"handled"` for other datagrams with the share's
   *   tag; undefined for a stranger's.
   */
  handleDatagram(
    now: Instant,
    datagram: Uint8Array,
    path: Path,
  ): ConnectedSharer | "again" | "handled" | undefined {
    const type = this.#codec.classify(datagram);
    if (type === 0) return undefined;
    if (type === 4) this.#handleCookie(datagram, path);
    if (type === 2) return this.#handleMessage2(now, datagram, path) ?? "handled";
    return "handled";
  }

  /**
   * Repeats message 1 when it is time [HS-9].
   *
   * @returns The sharer when its answer from where nobody asked has waited long enough [HS-13].
   */
  handleTimeout(now: Instant): ConnectedSharer | undefined {
    for (const attempt of this.#attempts) {
      if (now < attempt.nextRoundAt) continue;
      attempt.isDue = true;
      attempt.round++;
      attempt.nextRoundAt = nextRoundOf(attempt, now);
    }
    const held = this.#held;
    if (!held || held.isTaken || now < held.takeAt) return undefined;
    held.isTaken = true;
    this.#noise.wipe();
    const { sharer, receivedBytes } = held;
    const asked = this.#attempts.filter(({ sentCount }) => sentCount > 0).map(({ path }) => path);
    return { ...sharer, start: { ...sharer.start, unasked: { asked, receivedBytes } } };
  }

  /** When message 1 is repeated next. */
  pollTimeout(): Instant {
    let deadline = this.#held && !this.#held.isTaken ? this.#held.takeAt : NEVER;
    for (const { nextRoundAt } of this.#attempts) deadline = earlier(deadline, nextRoundAt);
    return deadline;
  }

  /** Writes the next message 1; 0 when there is none to send now. */
  pollTransmit(now: Instant, out: Uint8Array): number {
    const attempt = this.#attempts.find((attempt) => attempt.isDue);
    if (!attempt) return 0;
    attempt.isDue = false;
    attempt.sentAt = now;
    attempt.sentCount++;
    const datagram = this.#codec.encodeMessage1(this.#message1, this.#cookie);
    out.set(datagram);
    this.transmitPath = attempt.path;
    return datagram.length;
  }

  #handleCookie(datagram: Uint8Array, path: Path): void {
    const cookie = this.#codec.openCookie(datagram);
    if (!cookie) return;
    this.#cookie = cookie;
    // Only to who asked: one answer for one datagram of the same size.
    const attempt = this.#attemptAt(path);
    if (attempt) attempt.isDue = true;
  }

  #handleMessage2(
    now: Instant,
    datagram: Uint8Array,
    path: Path,
  ): ConnectedSharer | "again" | undefined {
    const message = this.#codec.decodeMessage2(datagram)!;
    const held = this.#held;
    const isHeld = held !== undefined && constantTimeEqual(held.message, message);
    if (held?.isTaken) return isHeld ? "again" : undefined;
    const isAsked = (this.#attemptAt(path)?.sentCount ?? 0) > 0;
    if (held && !isAsked) { // one is enough: what is real will come from where it was asked, too
      if (isHeld && isSamePath(held.path, path)) held.receivedBytes += datagram.length;
      return undefined;
    }
    const sharer = this.#read(now, message, path);
    if (!sharer) return undefined;
    if (!isAsked) {
      this.#held = {
        message,
        path,
        sharer,
        takeAt: after(now, UNASKED_ANSWER_MS),
        receivedBytes: datagram.length,
        isTaken: false,
      };
      return undefined;
    }
    if (held) wipeSharer(held.sharer);
    this.#noise.wipe();
    return sharer;
  }

  /** Reads message 2 and writes message 3; undefined unless it is of the sharer. */
  #read(now: Instant, message: Uint8Array, path: Path): ConnectedSharer | undefined {
    const noise = this.#noise.clone();
    const payload = noise.readMessage(message);
    const remote = payload && decodeParameters(payload);
    // [HS-3] Nothing is said before the key is the one that the code commits to, if it does.
    if (!remote || !this.#isRightKey(noise.remoteStaticKey!)) {
      noise.wipe();
      this.impostors++;
      return undefined;
    }
    const confirmation = new Uint8Array(MESSAGE_3_PAYLOAD_BYTES);
    confirmation[0] = this.#request.length >>> 8;
    confirmation[1] = this.#request.length;
    confirmation.set(this.#request, 2);
    const message3 = noise.writeMessage(confirmation, this.#random);
    if (!message3) return undefined;
    const suite = agreedSuite(this.#local, remote);
    const { sealer, opener, exporter } = protectSession(
      this.#provider,
      noise,
      suite,
      this.#isExported,
    );
    const handshakeHash = noise.handshakeHash;
    noise.wipe();
    const attempt = this.#attemptAt(path);
    const hasRtt = attempt?.sentCount === 1;
    return {
      handshakeHash,
      ...(exporter === undefined ? {} : { exporter }),
      start: {
        sealer,
        opener,
        local: this.#local,
        remote,
        path,
        random: this.#random,
        ...(hasRtt ? { rttMs: Math.max(now - attempt.sentAt, 0.001) } : {}),
        writeConfirmation: (out) =>
          out.set(this.#codec.encodeMessage3(message3, remote.connectionId)),
      },
    };
  }

  #isRightKey(key: Uint8Array): boolean {
    return this.#isShortCode || isSharerKey(this.#provider, this.#t, key);
  }

  #attemptAt(path: Path): Attempt | undefined {
    return this.#attempts.find((attempt) => isSamePath(attempt.path, path));
  }
}

function wipeSharer({ start: { sealer, opener }, exporter }: ConnectedSharer): void {
  sealer.wipe();
  opener.wipe();
  if (exporter) wipe(exporter);
}

function nextRoundOf({ startedAt, kind, round }: Attempt, now: Instant): Instant {
  if (kind === "heard") return NEVER;
  if (kind === "proven" && now < after(startedAt, HELLO_HEARD_MS)) {
    return after(now, HELLO_HEARD_REPEAT_MS);
  }
  const next = HELLO_REPEATS_MS[round + 1];
  return next === undefined ? after(now, HELLO_REPEAT_MS) : after(startedAt, next);
}

function startAttempt(now: Instant, path: Path, kind: AttemptKind): Attempt {
  const isOnce = kind === "heard";
  return {
    path,
    startedAt: now,
    kind,
    round: 0,
    nextRoundAt: isOnce ? NEVER : after(now, HELLO_REPEATS_MS[1]!),
    sentAt: now,
    sentCount: 0,
    isDue: true,
  };
}
