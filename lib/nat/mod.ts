/**
 * How two machines find a way to each other: addresses, candidates, and what is said of a NAT.
 * Pure: no sockets, no clock, nothing that asks the system; bytes and text in, values out.
 *
 * @example Write an address into three bytes and a port, and read it back
 * ```ts
 * import { decodeCandidates, encodeCandidates, parseSocketAddress } from "@p2pft/cli/nat";
 * import assert from "node:assert/strict";
 *
 * const address = parseSocketAddress("192.168.1.20:4000")!;
 * const out = new Uint8Array(16);
 * const end = encodeCandidates([{ kind: "host", address }], out, 0);
 * assert.equal(end, 5);
 *
 * const result = decodeCandidates(out.subarray(0, end), 0, { allowLoopback: false });
 * assert.deepEqual(result, { ok: true, candidates: [{ kind: "host", address }] });
 * ```
 *
 * @module
 */
export * from "./address.ts";
export * from "./candidate.ts";
export * from "./datagram_machine.ts";
export * from "./discovery/discovery.ts";
export { STUN_KEEPALIVE_MS } from "./discovery/main_socket.ts";
export * from "./discovery/report.ts";
export { MAX_STUN_SERVERS } from "./discovery/servers.ts";
export * from "./mapping_class.ts";
export * from "./pair_outlook.ts";
export * from "./pair_side.ts";
export * from "./path.ts";
export * from "./path_method.ts";
export * from "./discovery/port_pattern.ts";
export * from "./punch/punch.ts";
export * from "./punch/budget.ts";
export * from "./punch/codec.ts";
export { planPunch, type PunchPlan, type PunchRole } from "./punch/plan.ts";
export * from "./stun/client.ts";
export * from "./stun/encode.ts";
export { STUN_BINDING, STUN_TRANSACTION_ID_BYTES, type StunClass } from "./stun/header.ts";
export * from "./stun/message.ts";
export type { RandomSource } from "../crypto/provider.ts";
export * from "../time.ts";
