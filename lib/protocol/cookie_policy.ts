/**
 * When a share asks newcomers for a cookie, that is, for proof that they receive at the address they
 * write from (docs/protocol.md, "Cookies"): under a flood, and for good once too many handshake
 * nonces are remembered.
 */
import { hostKey, type SocketAddress } from "../nat/address.ts";
import {
  COOKIE_CLIENTS_PER_SECOND,
  COOKIE_HALF_OPEN,
  COOKIE_HALF_OPEN_PER_HOST,
  MAX_REMEMBERED_NONCES,
} from "./params.ts";
import { type Instant, instant } from "../time.ts";

/** Counts newcomers and unfinished handshakes. */
export class CookiePolicy {
  #halfOpen = 0;
  readonly #halfOpenByHost = new Map<string, number>();
  readonly #nonces = new Set<string>();
  #secondStart: Instant = instant(Number.NEGATIVE_INFINITY);
  #newThisSecond = 0;

  /** Unfinished handshakes. */
  get halfOpenCount(): number {
    return this.#halfOpen;
  }

  /** Whether a nonce (12 bytes) was not seen before. */
  isNewNonce(nonce: Uint8Array): boolean {
    return !this.#nonces.has(String.fromCharCode(...nonce));
  }

  /** Remembers the nonce of a datagram that opened. */
  rememberNonce(nonce: Uint8Array): void {
    // When the memory is full, cookies prove freshness instead (see `isCookieNeeded`).
    if (this.#nonces.size >= MAX_REMEMBERED_NONCES) return;
    this.#nonces.add(String.fromCharCode(...nonce));
  }

  /** Whether a newcomer from this address must show a cookie. */
  isCookieNeeded(now: Instant, from: SocketAddress): boolean {
    return this.#nonces.size >= MAX_REMEMBERED_NONCES ||
      this.#halfOpen >= COOKIE_HALF_OPEN ||
      (this.#halfOpenByHost.get(hostKey(from)) ?? 0) >= COOKIE_HALF_OPEN_PER_HOST ||
      (now - this.#secondStart < 1000 && this.#newThisSecond >= COOKIE_CLIENTS_PER_SECOND);
  }

  /** A handshake from this address began. */
  onHalfOpen(now: Instant, from: SocketAddress): void {
    if (now - this.#secondStart >= 1000) {
      this.#secondStart = now;
      this.#newThisSecond = 0;
    }
    this.#newThisSecond++;
    this.#halfOpen++;
    const key = hostKey(from);
    this.#halfOpenByHost.set(key, (this.#halfOpenByHost.get(key) ?? 0) + 1);
  }

  /** A handshake from this address finished or was forgotten. */
  onHalfOpenEnd(from: SocketAddress): void {
    this.#halfOpen--;
    const key = hostKey(from);
    const count = (this.#halfOpenByHost.get(key) ?? 1) - 1;
    if (count > 0) this.#halfOpenByHost.set(key, count);
    else this.#halfOpenByHost.delete(key);
  }
}
