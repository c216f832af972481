/**
 * Transfers between two processes of the program over loopback, directly or through an emulated
 * link that stands in the code in the sharer's place.
 */
import assert from "node:assert/strict";
import type { DoneEvent } from "../../lib/events.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { type CliOptions, CliProcess } from "./cli_process.ts";
import { EmulatedLink } from "./emulated_link.ts";
import type { LinkOptions } from "./link.ts";

const LOOPBACK = "127.0.0.1";

/** How to start one side. */
export interface SideOptions extends CliOptions {
  /** Further words of the command line. */
  readonly args?: readonly string[];
}

/** How to start the sending side. */
export interface SendOptions extends SideOptions {
  /** The link to put into the code in place of the sender. */
  readonly through?: LinkInFront;
}

/** Starts `send --json` of `paths` on loopback. */
export function startSend(paths: readonly string[], options: SendOptions = {}): CliProcess {
  const { through } = options;
  return new CliProcess([
    "send",
    "--json",
    "--allow-loopback",
    "--no-local-addresses",
    "--address",
    through === undefined ? LOOPBACK : `${LOOPBACK}:${through.port}`,
    "--bind",
    `${LOOPBACK}:${through?.targetPort ?? 0}`,
    ...(options.args ?? []),
    "--",
    ...paths,
  ], options);
}

/** The code a sender prints. */
export async function codeOf(sender: CliProcess): Promise<string> {
  return (await sender.event("code")).code;
}

/** Starts `receive --json` into `directory`. */
export function startReceive(
  code: string,
  directory: string,
  options: SideOptions = {},
): CliProcess {
  return new CliProcess([
    "receive",
    "--json",
    "--allow-loopback",
    "--output",
    directory,
    ...(options.args ?? []),
    code,
  ], options);
}

/** How a transfer that left nothing out went. */
export interface CompleteTransfer {
  readonly sent: DoneEvent;
  readonly received: DoneEvent;
}

/**
 * Sends `paths` into `directory`, from the first event to both exits, and checks what both sides say
 * about it. What lies in the folder afterwards is the caller's to look at.
 *
 * @param limitMs Longest time for the whole transfer.
 */
export async function transferCompletely(
  paths: readonly string[],
  directory: string,
  options: { readonly through?: LinkInFront; readonly limitMs?: number } = {},
): Promise<CompleteTransfer> {
  const { limitMs } = options;
  await using sender = startSend(paths, options);
  await using receiver = startReceive(await codeOf(sender), directory);
  await receiver.expectExit(0, limitMs);
  await sender.expectExit(0, limitMs);
  const sent = await sender.event("done");
  const received = await receiver.event("done");
  assert.equal(received.root, sent.root);
  assert.match(received.root, /^[0-9a-f]{64}$/);
  assert.equal(received.bytes, sent.bytes);
  assert.equal(received.items, sent.items);
  assert.deepEqual([received.leftOut, received.exit, sent.leftOut, sent.exit], [0, 0, 0, 0]);
  for (const { otherLines } of [sender, receiver]) assert.deepEqual(otherLines, []);
  return { sent, received };
}

/** An emulated link in front of a sender that is not started yet. */
export class LinkInFront implements AsyncDisposable {
  /** Where the sender has to bind. */
  readonly targetPort: number;
  readonly #link: EmulatedLink;

  /** @param link What the path is like, both ways. */
  constructor(link: LinkOptions, seed = 1) {
    this.targetPort = freePort();
    this.#link = new EmulatedLink({
      listen: { family: 4, host: LOOPBACK, port: 0 },
      target: { family: 4, host: LOOPBACK, port: this.targetPort },
      toTarget: link,
      toClients: link,
      seed,
    });
  }

  /** Where clients have to send to. */
  get port(): number {
    return this.#link.address.port;
  }

  /** The running link. */
  get link(): EmulatedLink {
    return this.#link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close();
  }
}

/** A UDP port that was free a moment ago. */
export function freePort(): number {
  const socket = new DenoSocket({ family: 4, host: LOOPBACK, port: 0 });
  const { port } = socket.localAddress;
  socket.close();
  return port;
}
