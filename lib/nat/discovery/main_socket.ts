/** What discovery remembers of one of the sockets that carry data. */
import { after, type Instant, NEVER } from "../../time.ts";
import { isSameSocketAddress, type SocketAddress } from "../address.ts";
import type { LocalSocket } from "./report.ts";

/** Pause between two requests on a main socket; many NATs forget a mapping after 30 s. */
export const STUN_KEEPALIVE_MS = 20_000;

/** One main socket. */
export class MainSocket implements LocalSocket {
  /** Its index among the sockets of the program. */
  readonly index: number;
  /** Where it is bound. */
  readonly local: SocketAddress;
  /** Its address outside, once a server told. */
  reflexive: SocketAddress | undefined;
  /** The server that told it. */
  namedBy: SocketAddress | undefined;
  /** The server that is used for keepalives: the first that answered, until it fell silent. */
  server: SocketAddress | undefined;
  /** Whether the last round of questions had an answer. */
  isAnswered = false;
  /** When to ask again; `NEVER` while a keepalive is under way, or when there is nobody to ask. */
  keepaliveAt: Instant = NEVER;
  #lastSentAt: Instant = NEVER;

  /** Nothing is known of it yet. */
  constructor({ index, local }: LocalSocket) {
    this.index = index;
    this.local = local;
  }

  /**
   * Notes that a request leaves.
   *
   * @returns How long it is since the one before, in ms; 0 for the first.
   */
  noteRequest(now: Instant, isKeepalive: boolean): number {
    const pauseMs = this.#lastSentAt === NEVER ? 0 : now - this.#lastSentAt;
    this.#lastSentAt = now;
    this.keepaliveAt = isKeepalive ? NEVER : after(now, STUN_KEEPALIVE_MS);
    return pauseMs;
  }

  /**
   * Notes how a server saw it.
   *
   * @param isKeepalive Whether it was asked in order to see a change.
   * @param before What this server was expected to see, if anything.
   * @returns Whether that is the first or another address outside.
   */
  noteAnswer(
    now: Instant,
    server: SocketAddress,
    mapped: SocketAddress,
    isKeepalive: boolean,
    before: SocketAddress | undefined,
  ): "first" | "changed" | "same" {
    this.isAnswered = true;
    if (isKeepalive) {
      this.server = server;
      this.keepaliveAt = after(now, STUN_KEEPALIVE_MS);
    }
    this.server ??= server;
    if (this.reflexive === undefined) {
      this.#name(mapped, server);
      return "first";
    }
    if (!isKeepalive || before === undefined || isSameSocketAddress(before, mapped)) return "same";
    this.#name(mapped, server);
    return "changed";
  }

  /** Notes that no server answered a keepalive. */
  noteSilence(now: Instant): void {
    this.isAnswered = false;
    this.keepaliveAt = after(now, STUN_KEEPALIVE_MS);
  }

  #name(mapped: SocketAddress, server: SocketAddress): void {
    this.reflexive = mapped;
    this.namedBy = server;
  }
}
