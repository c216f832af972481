/**
 * FINGERPRINT of STUN (RFC 8489, section 14.7): CRC-32 (ITU-T V.42) of what stands before it, XORed
 * with "STUN". It tells STUN from other traffic on a shared socket; it protects against nobody.
 */

/** "STUN" in ASCII: a protocol beside STUN may carry a plain CRC-32 of its own at the same place. */
const FINGERPRINT_XOR = 0x5354554e;
/** The polynomial of V.42, bits reversed. */
const CRC32_POLYNOMIAL = 0xedb88320;

const CRC32_OF_BYTE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = (crc & 1) !== 0 ? (crc >>> 1) ^ CRC32_POLYNOMIAL : crc >>> 1;
  }
  return crc;
});

/**
 * The value of the FINGERPRINT attribute of a message.
 *
 * @param message Header and attributes up to, not with, FINGERPRINT; the length in the header must
 * already count it.
 * @returns An integer of 32 bits.
 */
export function stunFingerprint(message: Uint8Array): number {
  let crc = 0xffffffff;
  for (let index = 0; index < message.length; index++) {
    crc = CRC32_OF_BYTE[(crc ^ message[index]!) & 0xff]! ^ (crc >>> 8);
  }
  return (~crc ^ FINGERPRINT_XOR) >>> 0;
}
