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
export * from "./mapping_class.ts";
export * from "./path.ts";
export * from "../time.ts";
