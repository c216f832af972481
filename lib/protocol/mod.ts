/**
 * The p2pft protocol: an encrypted, multiplexed UDP transport for files, as pure state machines.
 * Bytes, time and randomness go in; datagrams, deadlines and events come out. Nothing here does I/O
 * or reads a clock, so it runs the same over real sockets, in a browser or in a simulation.
 *
 * Start reading at {@linkcode Endpoint}: one per set of sockets, it answers handshakes and holds
 * {@linkcode Connection}s. docs/protocol.md specifies every byte.
 *
 * @example Two endpoints that meet in memory
 * ```ts
 * import { Endpoint, instant } from "@p2pft/cli/protocol";
 * import { selectProvider, shareCommitment } from "@p2pft/cli/crypto";
 * import assert from "node:assert/strict";
 *
 * const provider = selectProvider();
 * const random = { fill: (out: Uint8Array) => void crypto.getRandomValues(out as Uint8Array<ArrayBuffer>) };
 * const settings = { provider, random, wake: () => {} };
 * const sharer = new Endpoint(settings);
 * const client = new Endpoint(settings);
 *
 * const keys = provider.generateKeyPair(random);
 * const t = shareCommitment(provider, keys.publicKey);
 * const address = (host: string) => ({ family: 4, host, port: 1 } as const);
 * sharer.listen({ t, staticKeys: keys });
 * client.connect(instant(0), {
 *   t,
 *   staticKeys: provider.generateKeyPair(random),
 *   paths: [{ socket: 0, remote: address("192.0.2.1") }],
 *   request: new TextEncoder().encode("hello"),
 * });
 *
 * const datagram = new Uint8Array(1500);
 * for (let turn = 0; turn < 6; turn++) {
 *   const [from, to] = turn % 2 === 0 ? [client, sharer] : [sharer, client];
 *   const host = turn % 2 === 0 ? "192.0.2.2" : "192.0.2.1";
 *   for (;;) {
 *     const length = from.pollTransmit(instant(turn), datagram);
 *     if (length === 0) break;
 *     to.handleDatagram(instant(turn), datagram.slice(0, length), 0, address(host));
 *   }
 * }
 * assert.equal(client.pollEvent()?.type, "connected");
 * assert.equal(sharer.pollEvent()?.type, "accepted");
 * ```
 *
 * @module
 */
export * from "../bytes/varint.ts";
export * from "./ack_ranges.ts";
export * from "./channel.ts";
export * from "./congestion/choose.ts";
export * from "./congestion/controller.ts";
export type { RateSample } from "./congestion/delivery_rate.ts";
export * from "./congestion/cubic.ts";
export * from "./connection.ts";
export * from "./connection_options.ts";
export * from "./endpoint.ts";
export { type HandshakeClientOptions, MAX_REQUEST_BYTES } from "./handshake_client.ts";
export type { HandshakeSharerOptions } from "./handshake_sharer.ts";
export * from "./hold_times.ts";
export type { Limitation, LimitationReason } from "./limited_frame.ts";
export * from "./params.ts";
export type { PathEvent, PathReason } from "./paths/events.ts";
export * from "../nat/path.ts";
export * from "./rate_limit.ts";
export * from "./rtt.ts";
export * from "../time.ts";
export * from "./transport_parameters.ts";
