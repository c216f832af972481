/**
 * p2pft as a library: hand files to another machine over an encrypted UDP path of one's own, with no
 * server in between.
 *
 * One side calls {@linkcode share} and gives its `code` to the other, which calls
 * {@linkcode receive}. Both are iterations of the same events ({@linkcode TransferEvent}), both end
 * cleanly with an `AbortSignal` or by `await using`.
 *
 * `Deno.listenDatagram` needs `--unstable-net`; without it pass `allowSlowSocket`.
 *
 * @example Share a folder in one program and take it in another
 * ```ts ignore
 * import { receive, share } from "@p2pft/cli/mod.ts";
 *
 * // One machine:
 * await using photos = await share(["./photos"]);
 * console.log(photos.code);
 * for await (const event of photos) {
 *   if (event.event === "done") console.log(`Sent, root ${event.root}`);
 * }
 *
 * // The other:
 * await using download = receive(code, { directory: "./in" });
 * for await (const event of download) {
 *   if (event.event === "file-done") console.log(event.path);
 *   if (event.event === "error") throw new Error(event.message);
 * }
 * ```
 *
 * @module
 */
export * from "./lib/errors.ts";
export * from "./lib/events.ts";
export * from "./lib/options.ts";
export { type Receive, receive } from "./lib/receive.ts";
export { type Share, share } from "./lib/share.ts";
export type { RandomSource } from "./lib/crypto/provider.ts";
export type { IpAddress, SocketAddress } from "./lib/nat/address.ts";
export type { Instant } from "./lib/protocol/time.ts";
export type * from "./lib/transfer/storage.ts";
export type { Clock } from "./lib/transport/clock.ts";
export type { DatagramHandler, DatagramSocket } from "./lib/transport/socket.ts";
