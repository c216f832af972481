/**
 * The protected packet (docs/protocol.md, "Packets"):
 *
 * | offset | bytes | meaning | protection |
 * | --- | --- | --- | --- |
 * | 0 | 6 | destination connection id, chosen by the receiver | none |
 * | 6 | 1 | flags: bit 0 key phase, bits 1–7 zero | mask byte 0 |
 * | 7 | 4 | packet number, its low 32 bits, big-endian | mask bytes 1–4 |
 * | 11 | 2 | length of this datagram in bytes, big-endian | mask bytes 5–6 |
 * | 13 | n | frames | ChaCha20-Poly1305 |
 * | 13 + n | 16 | tag | |
 *
 * The mask is made from the 16 bytes at offset 13; even a packet without frames has them, in its
 * tag. The additional data are the 13 bytes of the header before masking. Sealed by
 * `packet_sealer.ts`, opened by `packet_opener.ts`.
 */
import { TAG_BYTES } from "./provider.ts";

/** Bytes of a connection id. */
export const CONNECTION_ID_BYTES = 6;

/** Bytes before the encrypted frames. */
export const PACKET_HEADER_BYTES = 13;

/** Bytes a packet has beyond its frames; no packet is shorter. */
export const PACKET_OVERHEAD_BYTES: number = PACKET_HEADER_BYTES + TAG_BYTES;

/** The longest packet its length field can name. */
export const MAX_PACKET_BYTES = 65_535;

/** Flag bit 0: which of two alternating keys sealed the packet. */
export const FLAG_KEY_PHASE = 0x01;

/** The flag bits that must be zero. */
export const FLAGS_RESERVED = 0xfe;

/** Bytes of mask used, from the flags to the length. */
export const MASKED_BYTES = 7;

/** Bytes of mask made: the block function writes whole words. */
export const MASK_BUFFER_BYTES = 8;
