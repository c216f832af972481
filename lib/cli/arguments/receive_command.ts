/** The command line of `receive`. */
import { Command, Option } from "npm:commander@15.1.0";
import type { OverwriteChoice, ReceivedLinksChoice, ReceiveInvocation } from "../invocation.ts";
import { STANDARD_STREAM } from "../option_values.ts";
import {
  addNetworkOptions,
  addTransferOptions,
  PEER_TIMEOUT_HELP,
  transferArguments,
  type TransferOptions,
} from "./option_groups.ts";
import { collectText, lanArguments } from "./option_parsers.ts";

interface ReceiveOptions extends TransferOptions {
  readonly output?: string;
  readonly symlinks: ReceivedLinksChoice;
  readonly localAddresses: boolean;
  readonly overwrite?: OverwriteChoice;
  readonly allowDotfiles?: true;
  readonly manifest?: string;
  readonly offer?: string[];
  readonly from?: string;
  readonly lan?: string;
  readonly remember?: string;
  readonly qr?: true;
}

/** `receive`. */
export function receiveCommand(report: (invocation: ReceiveInvocation) => void): Command {
  const command = new Command("receive")
    .summary("receive what the other side sends")
    .description("Receives what the other side sends.")
    .argument("[code]", "the other side's code; asked for when it is not given");
  command
    .option("-o, --output <dir>", "folder to write into, or - for standard output (default: .)")
    .addOption(
      new Option("--overwrite <policy>", "what to do with files that are here and differ")
        .choices(["never", "ask", "rename", "newer", "always"] satisfies OverwriteChoice[]),
    )
    .addOption(
      new Option("--symlinks <policy>", "what to do with links that stay inside what is offered")
        .choices(["skip", "keep"] satisfies ReceivedLinksChoice[]).default("keep"),
    )
    .option("--allow-dotfiles", "take names that begin with a dot without asking")
    .option("--manifest <file>", "write SHA-256 sums of the files here, after reading them back")
    .addOption(
      new Option("--offer <path>", "give this file or folder to the other side (repeatable)")
        .argParser(collectText),
    )
    .option("--from <peer>", "take it from this peer, and from nobody else")
    .option("--lan [=name]", "take the share of this name on the local network")
    .option("--remember <name>", "remember who sends it under this name, if they show an identity")
    .option("--qr", "show a reply code as a QR code too")
    .option("--no-local-addresses", "tell the other side none of this machine's own addresses");
  addTransferOptions(command, {
    limit: "ask the other side to send no faster, in bytes or bits a second: 500k, 2M, 10Mbit",
    background: "ask the other side to give way to all other traffic",
  });
  return addNetworkOptions(command, PEER_TIMEOUT_HELP)
    .action((code: string | undefined, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<ReceiveOptions>();
      const toOutput = options.output === STANDARD_STREAM;
      if (toOutput && options.manifest !== undefined) {
        self.error("error: --manifest is for files in a folder, not for --output -");
      }
      if (code !== undefined && options.lan !== undefined) {
        self.error("error: --lan is for when there is no code; its name goes behind =, --lan=NAME");
      }
      report({
        command: "receive",
        ...transferArguments(options),
        ...(code === undefined ? {} : { code }),
        directory: toOutput ? "." : options.output ?? ".",
        isDirectoryGiven: options.output !== undefined && !toOutput,
        toOutput,
        symlinks: options.symlinks,
        ...(options.overwrite === undefined ? {} : { overwrite: options.overwrite }),
        allowDotfiles: options.allowDotfiles ?? false,
        ...(options.manifest === undefined ? {} : { manifest: options.manifest }),
        offer: options.offer ?? [],
        ...(options.from === undefined ? {} : { fromPeer: options.from }),
        ...lanArguments(options.lan),
        ...(options.remember === undefined ? {} : { remember: options.remember }),
        localAddresses: options.localAddresses,
        qr: options.qr ?? false,
      });
    });
}
