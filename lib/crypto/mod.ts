/**
 * The cryptography of p2pft, usable by itself: the Noise framework over 25519, ChaChaPoly and
 * SHA256; QUIC-like packet protection with header protection, key update and replay window; and
 * what a share code commits to. Pure: no clock, no I/O, and randomness only as it is handed in.
 * Primitives come from the runtime's `node:crypto` or from the noble packages, never from here (the
 * one exception is the ChaCha20 block behind header masks).
 *
 * Start with {@linkcode selectProvider}; {@linkcode NoiseHandshake} makes a session's secrets,
 * {@linkcode protectSession} turns them into a {@linkcode PacketSealer} and a
 * {@linkcode PacketOpener}.
 *
 * @example A handshake and one packet
 * ```ts
 * import {
 *   deriveShareKeys,
 *   NoiseHandshake,
 *   protectSession,
 *   selectProvider,
 *   shareCommitment,
 * } from "@p2pft/cli/crypto";
 * import assert from "node:assert/strict";
 *
 * const provider = selectProvider();
 * const random = { fill: (out: Uint8Array) => void crypto.getRandomValues(out as Uint8Array<ArrayBuffer>) };
 * const nothing = new Uint8Array(0);
 *
 * // The code commits to the sharer's key, and is all that both sides know beforehand.
 * const sharerKeys = provider.generateKeyPair(random);
 * const t = shareCommitment(provider, sharerKeys.publicKey);
 * const { psk } = deriveShareKeys(provider, t);
 * const common = { pattern: "XXpsk0", prologue: new TextEncoder().encode("p2pft/1"), psks: [psk] };
 *
 * const clientKeys = provider.generateKeyPair(random);
 * const client = NoiseHandshake.start(provider, {
 *   ...common,
 *   role: "initiator",
 *   staticKeys: clientKeys,
 * });
 * const sharer = NoiseHandshake.start(provider, {
 *   ...common,
 *   role: "responder",
 *   staticKeys: sharerKeys,
 * });
 * sharer.readMessage(client.writeMessage(nothing, random)!);
 * client.readMessage(sharer.writeMessage(nothing, random)!);
 * assert.deepEqual(client.remoteStaticKey, sharerKeys.publicKey);
 * sharer.readMessage(client.writeMessage(nothing, random)!);
 *
 * // 13 bytes of header, of which the caller writes the connection id; frames; 16 bytes of tag.
 * const buffer = new Uint8Array(1200);
 * buffer.set(new TextEncoder().encode("hello"), 13);
 * const end = protectSession(provider, client).sealer.seal(buffer, 0, 13 + 5, 0);
 * const payloadEnd = protectSession(provider, sharer).opener.open(buffer, 0, end);
 * assert.equal(new TextDecoder().decode(buffer.subarray(13, payloadEnd)), "hello");
 * ```
 *
 * @module
 */
export * from "./chacha20_block.ts";
export * from "./cipher_state.ts";
export * from "./cipher_suite.ts";
export {
  isClientKey,
  isSharerKey,
  REPLY_COMMITMENT_BYTES,
  replyCommitment,
  SHARE_COMMITMENT_BYTES,
  shareCommitment,
} from "./commitment.ts";
export * from "./cookie.ts";
export * from "./handshake_datagram.ts";
export * from "./handshake_tag.ts";
export * from "./hkdf.ts";
export * from "./identity.ts";
export * from "./key_schedule.ts";
export * from "./keyed_aead.ts";
export * from "./node_provider.ts";
export * from "./noise.ts";
export type { NoiseOptions, NoiseRole } from "./noise_options.ts";
export * from "./noise_patterns.ts";
export * from "./packet_layout.ts";
export * from "./packet_opener.ts";
export * from "./packet_sealer.ts";
export * from "./pair_secret.ts";
export * from "./portable_provider.ts";
export { KEY_BYTES, NONCE_BYTES } from "./primitive_lengths.ts";
export * from "./probe.ts";
export * from "./provider.ts";
export * from "./replay_window.ts";
export * from "./reply_mask.ts";
export * from "./sas.ts";
export * from "./sas_words.ts";
export * from "./select_provider.ts";
export * from "./self_test.ts";
export * from "./session_protection.ts";
export * from "./share_keys.ts";
export * from "./wipe.ts";
