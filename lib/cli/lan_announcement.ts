/** Announces what a command shares, from its first code to its end, under every code it gets. */
import { TransferError } from "../errors.ts";
import type { WarningEvent } from "../events.ts";
import type { ShareAnnouncement } from "../local_network.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { CommandContext, World } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import type { ShareInvocation } from "./invocation.ts";
import { jsonLine } from "./json_reporter.ts";
import { lanName } from "./lan_usage.ts";
import type { Reporter } from "./reporter.ts";

/** What an announcement works with. */
export interface LanAnnouncementParts {
  /** What the person calls the share. */
  readonly name: string;
  readonly localNetwork: World["localNetwork"];
  /** Told under which name it is announced, and again when that is another. */
  readonly onName: (name: string) => void;
  /** Told when it cannot be announced; the share goes on. */
  readonly onWarning: (warning: WarningEvent) => void;
}

/** The announcement of one share. */
export class LanAnnouncement {
  readonly #parts: LanAnnouncementParts;
  #announcing: Promise<ShareAnnouncement | undefined> | undefined;
  #closing: Promise<void> | undefined;

  /** Begins with the first code. */
  constructor(parts: LanAnnouncementParts) {
    this.#parts = parts;
  }

  /** The share has a code, or another. */
  handleCode(code: string): void {
    if (this.#closing !== undefined) return;
    this.#announcing ??= this.#begin(code);
    void this.#announcing.then((announcement) => announcement?.update(code));
  }

  /** Takes it back, once; resolves when that is sent. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await (await this.#announcing)?.close();
  }

  async #begin(code: string): Promise<ShareAnnouncement | undefined> {
    const { name, localNetwork, onName, onWarning } = this.#parts;
    try {
      const { announceOnLan } = await localNetwork();
      const announcement = await announceOnLan({ name, code, onName });
      onName(announcement.name);
      return announcement;
    } catch (error) {
      const { message } = errorEventOf(error);
      onWarning({ event: "warning", code: "not_announced", message });
      return undefined;
    }
  }
}

/**
 * The announcement that `--lan` asks for, its name asked for where it has none.
 *
 * @returns Undefined when there is to be none.
 * @throws {TransferError} `usage` when the person gave no name, `interrupted` by the signal.
 */
export async function lanAnnouncement(
  { lan, json, quiet }: ShareInvocation,
  context: CommandContext,
  reporter: Reporter,
): Promise<LanAnnouncement | undefined> {
  if (lan === undefined) return undefined;
  const wanted = await lanName(lan.name, context);
  if (context.signal.aborted) throw new TransferError("interrupted", "Interrupted");
  if (wanted === undefined) {
    throw new TransferError("usage", "No name was given for the local network", {
      hint: "Give it as --lan=NAME",
    });
  }
  return new LanAnnouncement({
    name: wanted,
    localNetwork: context.localNetwork,
    onName: (name) => {
      if (json) context.streams.writeOutput(`${jsonLine({ event: "announced", name })}\n`);
      else if (!quiet) context.terminal.note(`On the local network as ${escapeText(name)}`);
    },
    onWarning: (warning) => reporter.handleEvent(warning),
  });
}
