/**
 * Transfers between two processes of the program over loopback, directly or through an emulated
 * link that stands in the code in the sharer's place.
 */
import assert from "node:assert/strict";
import type { DoneEvent } from "../../lib/events.ts";
import { type CliOptions, CliProcess } from "./cli_process.ts";
import { EmulatedLink } from "./emulated_link.ts";
import type { LinkOptions } from "./link.ts";
import { codeFor, readCode } from "./share_codes.ts";

const LOOPBACK = "127.0.0.1";

/** How to start one side. */
export interface SideOptions extends CliOptions {
  /** Further words of the command line. */
  readonly args?: readonly string[];
}

/** The words of a share of `paths` on loopback and nowhere else. */
export function sharingWords(
  command: "send" | "share" | "wait",
  paths: readonly string[],
  args: readonly string[] = [],
): string[] {
  return [
    command,
    "--allow-loopback",
    "--no-local-addresses",
    "--address",
    LOOPBACK,
    "--bind",
    `${LOOPBACK}:0`,
    ...args,
    ...(paths.length > 0 ? ["--", ...paths] : []),
  ];
}

/** Starts `send --json` of `paths` on loopback. */
export function startSend(paths: readonly string[], options: SideOptions = {}): CliProcess {
  return new CliProcess(sharingWords("send", paths, ["--json", ...options.args ?? []]), options);
}

/** Starts `share --json` of `paths` on loopback, and asks nobody outside. */
export function startShare(paths: readonly string[], options: SideOptions = {}): CliProcess {
  const args = ["--json", "--stun", "none", "--no-portmap", ...options.args ?? []];
  return new CliProcess(sharingWords("share", paths, args), options);
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
    // So that the path is the one of the code, with whatever stands in it.
    "--no-local-addresses",
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
  options: { readonly link?: LinkOptions; readonly limitMs?: number } = {},
): Promise<CompleteTransfer> {
  const { link, limitMs } = options;
  await using sender = startSend(paths);
  const code = await codeOf(sender);
  await using front = link === undefined ? undefined : new LinkInFront(code, link);
  await using receiver = startReceive(front?.code ?? code, directory);
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

/** An emulated link in front of a sender. */
export class LinkInFront implements AsyncDisposable {
  /** The sender's code with the link's address in place of its own. */
  readonly code: string;
  /** The link, to change, cut or rebind while running. */
  readonly link: EmulatedLink;

  /**
   * @param code The sender's code with one address.
   * @param link What the path is like, both ways.
   */
  constructor(code: string, link: LinkOptions) {
    const { t, candidates } = readCode(code);
    this.link = new EmulatedLink({
      listen: { family: 4, host: LOOPBACK, port: 0 },
      target: candidates[0]!.address,
      toTarget: link,
      toClients: link,
      seed: 1,
    });
    this.code = codeFor(t, this.link.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.close();
  }
}
