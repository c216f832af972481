/**
 * What hole punching needs of the sealing of probes: `ProbeCodec` of `lib/crypto` is one. Nobody
 * but the two sides of a pair may be able to make a datagram that opens.
 */

/** What a probe says. */
export interface PunchProbe {
  /** 1 asks for an answer, 2 is the answer and repeats the transaction id. */
  readonly type: 1 | 2;
  /** 8 bytes chosen by who asked. */
  readonly transactionId: Uint8Array;
}

/** Seals and opens the probes of one pair of peers. */
export interface PunchCodec {
  /** A new datagram, 64 to 128 bytes. */
  seal(probe: PunchProbe): Uint8Array;
  /** What an authentic probe says; undefined for anything else. Leaves the datagram as it is. */
  open(datagram: Uint8Array): PunchProbe | undefined;
  /** Bytes of the first of two or more probes that stand one behind the other; 0 for anything else. */
  peekLength(piece: Uint8Array): number;
}
