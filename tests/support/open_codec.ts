/**
 * Probes that hide and prove nothing, for simulations that send millions of them and ask when they
 * arrive, not what an attacker makes of them: sealing would be half of their time. Here everybody
 * is honest; what others send is the business of the tests of `lib/crypto/probe.ts`.
 */
import { MIN_PROBE_BYTES, TRANSACTION_ID_BYTES } from "../../lib/crypto/probe.ts";
import type { PunchCodec, PunchProbe } from "../../lib/nat/punch/codec.ts";

/** Tells a probe from STUN, whose first two bits are zero. */
const MARK = 0xc0;
const ID_OFFSET = 2;

/** Writes and reads such probes. */
export class OpenCodec implements PunchCodec {
  readonly #datagram = new Uint8Array(MIN_PROBE_BYTES).fill(MARK);

  /** Overwritten by the next call. */
  seal({ type, transactionId }: PunchProbe): Uint8Array {
    this.#datagram[1] = type;
    this.#datagram.set(transactionId, ID_OFFSET);
    return this.#datagram;
  }

  peekLength(piece: Uint8Array): number {
    return piece[0] === MARK ? MIN_PROBE_BYTES : 0;
  }

  open(datagram: Uint8Array): PunchProbe | undefined {
    if (datagram.length !== MIN_PROBE_BYTES || datagram[0] !== MARK) return undefined;
    return {
      type: datagram[1] === 1 ? 1 : 2,
      transactionId: datagram.slice(ID_OFFSET, ID_OFFSET + TRANSACTION_ID_BYTES),
    };
  }
}
