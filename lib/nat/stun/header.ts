/** What every STUN message begins with (RFC 8489, section 5), shared by reader and writer. */

/** Bytes of a transaction id. */
export const STUN_TRANSACTION_ID_BYTES = 12;

/** The method that asks for the own address. */
export const STUN_BINDING = 0x001;

/** Whether a message asks, tells without wanting an answer, answers or refuses. */
export type StunClass = "request" | "indication" | "success" | "error";

/** All classes, in the order of the class bits C1 C0. */
export const STUN_CLASSES: readonly StunClass[] = ["request", "indication", "success", "error"];

/** Bytes of type, length, magic cookie and transaction id. */
export const STUN_HEADER_BYTES = 20;

/** Where the magic cookie begins. */
export const STUN_COOKIE_OFFSET = 4;

/** Where the transaction id begins. */
export const STUN_TRANSACTION_ID_OFFSET = 8;

/** What tells STUN from its predecessor, and from most other traffic. */
export const STUN_MAGIC_COOKIE = [0x21, 0x12, 0xa4, 0x42] as const;

/** Bit of CHANGE-REQUEST: from the other IP address (RFC 5780, section 7.2). */
export const CHANGE_ADDRESS_BIT = 0x04;

/** Bit of CHANGE-REQUEST: from the other port. */
export const CHANGE_PORT_BIT = 0x02;

/**
 * What port and address in XOR-MAPPED-ADDRESS are XORed with: IPv4 uses the cookie alone, IPv6 also
 * the transaction id (RFC 8489, section 14.2).
 */
export function stunAddressMask(transactionId: Uint8Array): Uint8Array {
  return Uint8Array.of(...STUN_MAGIC_COOKIE, ...transactionId);
}
