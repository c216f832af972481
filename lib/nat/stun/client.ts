/**
 * The client side of STUN's Binding transactions (RFC 8489, section 6.2.1) on sockets that others
 * use too: many at once, each sent again until it is answered, refused or given up.
 *
 * An answer is believed when its transaction id is that of a request under way, it comes in on the
 * socket that asked, and it comes from the address asked. Everything else is left to others. What to
 * ask and what to make of the answers is `discovery.ts`.
 *
 * ```
 *            pollTransmit            handleTimeout, fewer than maxSends: send again
 * request() ──────────────► waiting ─────────────────────────────────────────────► waiting
 *                             │ handleDatagram: answer → "answer", error → "refused"
 *                             │ handleTimeout after the last wait → "silent"
 *                             │ handleUnsent, twice → "silent"
 *                             │ cancel() → nothing is told
 * ```
 */
import { encodeHex } from "../../bytes/hex.ts";
import type { RandomSource } from "../../crypto/provider.ts";
import { after, earlier, type Instant, NEVER } from "../../time.ts";
import { isSameSocketAddress, type SocketAddress } from "../address.ts";
import type { DatagramMachine } from "../datagram_machine.ts";
import { isSamePath, type Path } from "../path.ts";
import { encodeBindingRequest } from "./encode.ts";
import { STUN_BINDING, STUN_TRANSACTION_ID_BYTES } from "./header.ts";
import { decodeStunMessage, isStunMessage, peekStunLength, type StunMessage } from "./message.ts";

/** How often and how long a request is repeated. */
export interface StunSchedule {
  /** Until the first repetition; doubles with each. */
  readonly rtoMs: number;
  /** How often a request is sent in all (Rc). */
  readonly maxSends: number;
  /** How many `rtoMs` to wait for an answer after the last time (Rm). */
  readonly lastWaitFactor: number;
  /** No transaction takes longer than this from its first sending. */
  readonly capMs: number;
}

/** RFC 8489, section 6.2.1: sent at 0, 500, 1500, 3500, 7500, 15500, 31500 ms, over at 39500 ms. */
export const STUN_SCHEDULE: StunSchedule = {
  rtoMs: 500,
  maxSends: 7,
  lastWaitFactor: 16,
  capMs: Number.POSITIVE_INFINITY,
};

/**
 * Requests of one transaction that the system refused to send before it ends as silent: where there
 * is no way to a server, nobody need wait for it. One may be refused for a full buffer.
 */
const MAX_UNSENT = 2;

/** Transactions at a time; one more ends the oldest, as if nobody had answered it. */
export const MAX_STUN_TRANSACTIONS = 128;

/** Settings of a client. */
export interface StunClientOptions {
  /** Where transaction ids come from. */
  readonly random: RandomSource;
  /** Used where a request does not bring its own (default {@linkcode STUN_SCHEDULE}). */
  readonly schedule?: StunSchedule;
}

/** What is special about a request. */
export interface StunRequestOptions {
  /** Asks for the answer from the server's other IP address (RFC 5780). */
  readonly changeAddress?: boolean;
  /** Asks for the answer from the server's other port (RFC 5780). */
  readonly changePort?: boolean;
  /** The other address that the server told of; without it such an answer cannot be recognised. */
  readonly otherAddress?: SocketAddress;
  /** When to send it again. */
  readonly schedule?: StunSchedule;
}

/** How a transaction ended. */
export type StunOutcome =
  | {
    readonly type: "answer";
    readonly handle: number;
    /** Where the request was sent. */
    readonly path: Path;
    /** Where the answer came from: the address asked, or the other one if a change was asked for. */
    readonly from: SocketAddress;
    /** How the server saw the sender. */
    readonly mapped: SocketAddress;
    /** The server's other address and port, if it has any. */
    readonly otherAddress: SocketAddress | undefined;
    /** Undefined when the request was sent more than once: nobody knows which was answered. */
    readonly rttMs: number | undefined;
  }
  | {
    readonly type: "refused";
    readonly handle: number;
    readonly path: Path;
    /** ERROR-CODE; undefined when the answer held no address or what is not understood. */
    readonly code: number | undefined;
  }
  | { readonly type: "silent"; readonly handle: number; readonly path: Path };

interface Transaction {
  readonly handle: number;
  readonly path: Path;
  readonly options: StunRequestOptions;
  readonly transactionId: Uint8Array;
  readonly schedule: StunSchedule;
  sends: number;
  /** How many of them did not leave. */
  unsent: number;
  isDue: boolean;
  firstSentAt: Instant;
  deadline: Instant;
}

/** Binding transactions under way. */
export class StunClient implements DatagramMachine {
  /** Where the datagram of the last `pollTransmit` goes. */
  transmitPath!: Path;
  /** Responses that answered nothing that was asked, came from elsewhere, or made no sense. */
  droppedAnswers = 0;
  readonly #random: RandomSource;
  readonly #schedule: StunSchedule;
  /** By transaction id, oldest first. */
  readonly #transactions = new Map<string, Transaction>();
  readonly #outcomes: StunOutcome[] = [];
  #lastHandle = 0;

  /** Asks nobody at first. */
  constructor(options: StunClientOptions) {
    this.#random = options.random;
    this.#schedule = options.schedule ?? STUN_SCHEDULE;
  }

  /**
   * Begins a transaction; requests leave in the order in which they were made.
   *
   * @returns What its outcome is told by; later ones are greater.
   */
  request(_now: Instant, path: Path, options: StunRequestOptions = {}): number {
    if (this.#transactions.size >= MAX_STUN_TRANSACTIONS) {
      const [key, oldest] = this.#transactions.entries().next().value!;
      this.#end(key, { type: "silent", handle: oldest.handle, path: oldest.path });
    }
    const transactionId = new Uint8Array(STUN_TRANSACTION_ID_BYTES);
    this.#random.fill(transactionId);
    const handle = ++this.#lastHandle;
    this.#transactions.set(encodeHex(transactionId), {
      handle,
      path,
      options,
      transactionId,
      schedule: options.schedule ?? this.#schedule,
      sends: 0,
      unsent: 0,
      isDue: true,
      firstSentAt: NEVER,
      deadline: NEVER,
    });
    return handle;
  }

  /** Ends a transaction without an outcome; nothing happens when it is over. */
  cancel(handle: number): void {
    for (const [key, transaction] of this.#transactions) {
      if (transaction.handle === handle) this.#transactions.delete(key);
    }
  }

  /**
   * Which request under way has this transaction id: how a request that came back to its sender
   * through a hairpinning NAT is recognised.
   *
   * @returns Its handle, or undefined when there is none.
   */
  handleOf(transactionId: Uint8Array): number | undefined {
    return this.#transactions.get(encodeHex(transactionId))?.handle;
  }

  /** Takes answers to requests under way, and nothing else. */
  handleDatagram(now: Instant, datagram: Uint8Array, path: Path): boolean {
    if (!isStunMessage(datagram)) return false;
    const message = decodeStunMessage(datagram);
    if (message?.messageClass === "request" || message?.messageClass === "indication") return false;
    const key = message && encodeHex(message.transactionId);
    const transaction = key && this.#transactions.get(key);
    if (!message || !key || !transaction || !isFromAsked(transaction, path)) {
      this.droppedAnswers++;
      return false;
    }
    this.#end(key, outcomeOf(now, message, transaction, path.remote));
    return true;
  }

  /** Of any STUN message. */
  peekLength(piece: Uint8Array): number {
    return peekStunLength(piece);
  }

  /** Gives up what cannot be sent. */
  handleUnsent(_now: Instant, path: Path): void {
    for (const [key, transaction] of this.#transactions) {
      if (transaction.sends === 0 || !isSamePath(transaction.path, path)) continue;
      const { handle } = transaction;
      transaction.unsent++;
      if (transaction.unsent >= MAX_UNSENT) this.#end(key, { type: "silent", handle, path });
    }
  }

  /** Sends again, or gives up, what has waited long enough. */
  handleTimeout(now: Instant): void {
    for (const [key, transaction] of this.#transactions) {
      if (transaction.deadline > now) continue;
      const { handle, path, schedule, sends, firstSentAt } = transaction;
      if (sends >= schedule.maxSends || now >= after(firstSentAt, schedule.capMs)) {
        this.#end(key, { type: "silent", handle, path });
      } else {
        transaction.isDue = true;
        transaction.deadline = NEVER;
      }
    }
  }

  /** When the next request is to be repeated or given up. */
  pollTimeout(): Instant {
    let deadline: Instant = NEVER;
    for (const transaction of this.#transactions.values()) {
      deadline = earlier(deadline, transaction.deadline);
    }
    return deadline;
  }

  /** Writes the next request that is due. */
  pollTransmit(now: Instant, out: Uint8Array): number {
    for (const transaction of this.#transactions.values()) {
      if (!transaction.isDue) continue;
      const { schedule, path, options, transactionId } = transaction;
      if (transaction.sends === 0) transaction.firstSentAt = now;
      transaction.isDue = false;
      transaction.sends++;
      const waitMs = transaction.sends < schedule.maxSends
        ? schedule.rtoMs * 2 ** (transaction.sends - 1)
        : schedule.rtoMs * schedule.lastWaitFactor;
      transaction.deadline = earlier(
        after(now, waitMs),
        after(transaction.firstSentAt, schedule.capMs),
      );
      this.transmitPath = path;
      const { changeAddress = false, changePort = false } = options;
      return encodeBindingRequest({ transactionId, changeAddress, changePort }, out, 0);
    }
    return 0;
  }

  /** How the next transaction ended, in that order; each is told once. */
  pollOutcome(): StunOutcome | undefined {
    return this.#outcomes.shift();
  }

  #end(key: string, outcome: StunOutcome): void {
    this.#transactions.delete(key);
    this.#outcomes.push(outcome);
  }
}

function outcomeOf(
  now: Instant,
  message: StunMessage,
  transaction: Transaction,
  from: SocketAddress,
): StunOutcome {
  const { handle, path, sends, firstSentAt } = transaction;
  const { mappedAddress: mapped, otherAddress, errorCode } = message;
  // RFC 8489, sections 6.3.3 and 6.3.4: with an attribute that had to be understood and is not, the
  // transaction has failed. A server that is redirected from (300) is a server that does not answer.
  if (
    message.method !== STUN_BINDING || message.messageClass === "error" ||
    message.unknownRequired.length > 0 || mapped === undefined
  ) {
    return { type: "refused", handle, path, code: errorCode };
  }
  const rttMs = sends === 1 ? now - firstSentAt : undefined;
  return { type: "answer", handle, path, from, mapped, otherAddress, rttMs };
}

function isFromAsked({ path: asked, options }: Transaction, path: Path): boolean {
  if (path.socket !== asked.socket) return false;
  if (isSameSocketAddress(path.remote, asked.remote)) return true;
  const { changeAddress, changePort, otherAddress } = options;
  if (otherAddress === undefined || !(changeAddress || changePort)) return false;
  const { family, host } = changeAddress ? otherAddress : asked.remote;
  const { port } = changePort ? otherAddress : asked.remote;
  return isSameSocketAddress(path.remote, { family, host, port });
}
