/**
 * p2pft as a library: hand files to another machine over an encrypted UDP path of one's own, with no
 * server in between.
 *
 * One side calls {@linkcode send}, or {@linkcode share} for many, and gives its `code` to the other,
 * which calls {@linkcode receive}. Both are iterations of the same events
 * ({@linkcode TransferEvent}), both end cleanly with an `AbortSignal` or by `await using`.
 *
 * `Deno.listenDatagram` needs `--unstable-net`; without it pass `allowSlowSocket`.
 *
 * @example Send a file from one program to another
 * ```ts
 * import { receive, send } from "@p2pft/cli/mod.ts";
 * import assert from "node:assert/strict";
 *
 * const [from, to] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
 * await Deno.writeTextFile(`${from}/note.txt`, "hello");
 *
 * // One machine. Loopback is only for this example, where both sides are the same machine.
 * const sharing = await send([`${from}/note.txt`], {
 *   addresses: ["127.0.0.1"],
 *   allowLoopback: true,
 * });
 *
 * // The other machine, with the code.
 * await using receiving = receive(sharing.code, { directory: to, allowLoopback: true });
 * for await (const event of receiving) {
 *   if (event.event === "error") throw new Error(event.message);
 * }
 * assert.equal(await Deno.readTextFile(`${to}/note.txt`), "hello");
 *
 * // It ends by itself when its one client is served.
 * for await (const event of sharing) {
 *   if (event.event === "done") assert.equal(event.bytes, 5);
 * }
 * ```
 *
 * @module
 */
export * from "./lib/errors.ts";
export * from "./lib/events.ts";
export * from "./lib/options.ts";
export { doctor } from "./lib/doctor.ts";
export type * from "./lib/doctor/doctor_report.ts";
export type { PortMapOutcome, PortMapProtocol } from "./lib/portmap/lease.ts";
export { openIdentities } from "./lib/identities.ts";
export type { BookChange, IdentityFile, IdentityStore } from "./lib/identity/identity_store.ts";
export type { IdentityBook, Peer } from "./lib/identity/identity_book.ts";
export type { RememberOptions, RememberResult } from "./lib/session/session_identity.ts";
export {
  announceOnLan,
  type LanAnnouncementOptions,
  lanProblem,
  type LanShare,
  type LanShareEvent,
  type ShareAnnouncement,
  sharesOnLan,
} from "./lib/local_network.ts";
export { type Receive, receive } from "./lib/receive.ts";
export { send, type Share, share } from "./lib/share.ts";
export { type Verify, verify } from "./lib/verify.ts";
export {
  formatManifest,
  type ListedFile,
  type ManifestFile,
  type ManifestRemarks,
  parseManifest,
} from "./lib/checksums/checksum_manifest.ts";
export type { RandomSource } from "./lib/crypto/provider.ts";
export type { IpAddress, SocketAddress } from "./lib/nat/address.ts";
export type { MappingClass } from "./lib/nat/mapping_class.ts";
export type { ExpectedMethod, PathMethod } from "./lib/nat/path_method.ts";
export type { Instant } from "./lib/time.ts";
export type * from "./lib/storage/storage.ts";
export type { Clock } from "./lib/transport/clock.ts";
export type {
  DatagramHandler,
  DatagramSocket,
  SendTrain,
  SocketAcceleration,
} from "./lib/transport/socket.ts";
