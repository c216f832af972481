/**
 * Address cookies (docs/protocol.md, "Cookies"): a server that is busy hands the client a value it
 * must bring back from the same address, and keeps no state for it.
 *
 * ```
 * cookie = HMAC-SHA-256(secret, length of address ‖ address ‖ port (2) ‖ minute (8))[0..15]
 * ```
 *
 * The secret never leaves the server, so clients need not know this layout. When a cookie is asked
 * for is the handshake machine's decision; how it travels is in `handshake_datagram.ts`.
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { assertKeyLength } from "./primitive_lengths.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Bytes of a cookie. */
export const COOKIE_BYTES = 16;

/** Makes and checks the cookies of one server. */
export class CookieIssuer {
  #provider: CryptoProvider;
  #secretKey: Uint8Array;

  /**
   * Makes an issuer.
   *
   * @param secretKey 32 random bytes, copied; a new one makes all earlier cookies worthless.
   * @throws {RangeError} If it has another length.
   */
  constructor(provider: CryptoProvider, secretKey: Uint8Array) {
    assertKeyLength("cookie secret", secretKey);
    this.#provider = provider;
    this.#secretKey = new Uint8Array(secretKey);
  }

  /**
   * The cookie for an address.
   *
   * @param address 4 or 16 bytes.
   * @param port 0 to 65,535.
   * @param minute Minutes since any fixed point, a whole number.
   * @returns 16 bytes.
   */
  issue(address: Uint8Array, port: number, minute: number): Uint8Array {
    const message = new Uint8Array(1 + address.length + 10);
    const view = new DataView(message.buffer);
    message[0] = address.length;
    message.set(address, 1);
    view.setUint16(1 + address.length, port);
    view.setUint32(3 + address.length, Math.floor(minute / 0x1_0000_0000));
    view.setUint32(7 + address.length, minute % 0x1_0000_0000);
    return this.#provider.hmacSha256(this.#secretKey, message).slice(0, COOKIE_BYTES);
  }

  /** Whether `cookie` was issued for this address and port in this minute or the one before. */
  check(cookie: Uint8Array, address: Uint8Array, port: number, minute: number): boolean {
    const isNew = constantTimeEqual(cookie, this.issue(address, port, minute));
    return isNew || constantTimeEqual(cookie, this.issue(address, port, minute - 1));
  }

  /** Overwrites the secret; nothing may be issued or checked afterwards. */
  wipe(): void {
    wipe(this.#secretKey);
  }
}
