/** Sharing files, with one person or with many: what is asked for, checked and opened. */
import { MAX_CLIENTS } from "./sharing/admission.ts";
import type { TransferEvent } from "./events.ts";
import type { Candidate } from "./nat/candidate.ts";
import { checkLimit, DEFAULT_TIMEOUT_MS, socketsFor } from "./operation/operation.ts";
import type { ShareOptions, ShareSource } from "./options.ts";
import { readManualCandidates } from "./rendezvous/manual_candidates.ts";
import type { Share } from "./sharing/share_operation.ts";
import { RunningShare } from "./sharing/running_share.ts";
import { ShareIdentity } from "./sharing/share_identity.ts";
import { prepareSource } from "./session/share_source.ts";
import { selectSystemProvider } from "./operation/system_provider.ts";
import { systemRandom } from "./transport/random.ts";
import type { DatagramSocket } from "./transport/socket.ts";
import { outsideHelp } from "./traversal/outside_help.ts";
import { resolveName } from "./traversal/system_network.ts";

export type { Share };

/**
 * Shares files and folders, a text or a stream with one person: the share ends when that is done, or
 * when nobody came for `timeoutMs`. For what is given and thrown see {@linkcode share}.
 */
export async function send(source: ShareSource, options: ShareOptions = {}): Promise<Share> {
  return await begin(source, { timeoutMs: DEFAULT_TIMEOUT_MS, ...options, readLimit: 1 }, "one");
}

/**
 * Shares files and folders, a text or a stream with any number of people. The share is ready when
 * this resolves; it works on its own, and its events tell how.
 *
 * @param source Paths of files and folders, of which a folder is offered under its own name; or
 *   `{ text }`; or `{ stream, name }`, which is read while it is sent. When the client of a stream
 *   is lost in the middle the share ends: it cannot be resumed.
 * @param options Nothing is required.
 * @throws {TypeError} If there is nothing to share, a text or a name cannot be sent, someone else
 *   reads the stream, or an option makes no sense.
 * @throws {TransferError} `read_failed` for a path that is not there or cannot be read, `usage` for
 *   an address or a STUN server that cannot be used or patterns that leave nothing, `no_network`,
 *   `socket_unavailable`, `permission_missing`.
 *
 * @example Share what a program writes
 * ```ts ignore
 * const tar = new Deno.Command("tar", { args: ["c", "photos"], stdout: "piped" }).spawn();
 * const sharing = await share({ stream: tar.stdout, name: "photos.tar" });
 * ```
 */
export async function share(source: ShareSource, options: ShareOptions = {}): Promise<Share> {
  return await begin(source, options, "many");
}

async function begin(
  source: ShareSource,
  options: ShareOptions,
  audience: "one" | "many",
): Promise<Share> {
  const limits = checkOptions(source, options);
  const help = outsideHelp(options);
  const warnings: TransferEvent[] = [];
  const provider = await selectSystemProvider();
  const identity = await ShareIdentity.open(options, {
    provider,
    random: options.random ?? systemRandom,
  });
  const opened: { close(): unknown }[] = [identity];
  try {
    const prepared = await prepareSource(source, options, (warning) => warnings.push(warning));
    if (prepared.stream) opened.push(prepared.stream);
    const sockets = await socketsFor(options);
    opened.push(...sockets);
    const running = new RunningShare({
      options: { ...options, ...limits },
      isForMany: audience === "many",
      provider,
      identity,
      help,
      source: prepared,
      sockets,
      manual: await manualCandidates(options, sockets),
      warnings,
    });
    opened.length = 0; // from here on they are its own
    await running.begin();
    return running;
  } catch (error) {
    for (const resource of opened) await resource.close();
    throw error;
  }
}

/**
 * Checks what has to do with how many there are and how fast they are served.
 *
 * @throws {TypeError} If it makes no sense.
 */
function checkOptions(
  source: ShareSource,
  options: ShareOptions,
): { readonly maxClients: number; readonly readLimit: number } {
  const isStream = "stream" in source;
  const { maxClients = MAX_CLIENTS, readLimit = isStream ? 1 : Infinity, expiresMs } = options;
  // [XFER-20]
  if (isStream && readLimit !== 1) {
    throw new TypeError("Cannot share a stream with more than one client: it can be read once");
  }
  if (!(Number.isInteger(maxClients) && maxClients >= 1 && maxClients <= MAX_CLIENTS)) {
    throw new TypeError(
      `Cannot share with ${maxClients} clients at a time: a whole number from 1 to ${MAX_CLIENTS}`,
    );
  }
  if (!(readLimit >= 1 && (Number.isInteger(readLimit) || readLimit === Infinity))) {
    throw new TypeError(`Cannot share ${readLimit} times: a whole number, at least 1`);
  }
  if (expiresMs !== undefined && !(expiresMs > 0)) {
    throw new TypeError(`Cannot share for ${expiresMs} ms: a number above 0`);
  }
  checkLimit(options.limitBytesPerSecond);
  checkLimit(options.clientLimitBytesPerSecond);
  if (options.background && options.congestion !== undefined) {
    throw new TypeError(`Cannot use ${options.congestion} in the background: it does not yield`);
  }
  return { maxClients, readLimit };
}

async function manualCandidates(
  options: ShareOptions,
  sockets: readonly DatagramSocket[],
): Promise<readonly Candidate[]> {
  const { addresses = [], extraAddresses = [], allowLoopback = false } = options;
  return await readManualCandidates([...addresses, ...extraAddresses], {
    bound: sockets.map((socket) => socket.localAddress),
    allowLoopback,
    resolve: resolveName,
  });
}
