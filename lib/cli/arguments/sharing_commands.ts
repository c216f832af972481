/** The command lines of `send`, `share` and `wait`: one thing, with other bounds. */
import { Command } from "npm:commander@15.1.0";
import type { GiveInvocation, ShareInvocation } from "../invocation.ts";
import { STANDARD_STREAM } from "../option_values.ts";
import { addNetworkOptions, addTransferOptions, PEER_TIMEOUT_HELP } from "./option_groups.ts";
import { transferArguments } from "./option_groups.ts";
import {
  addManyOptions,
  addSharingOptions,
  manyArguments,
  type ManyOptions,
  sharingArguments,
  type SharingOptions,
  sharingProblem,
} from "./sharing_options.ts";
import {
  addSourceOptions,
  sourceArguments,
  type SourceOptions,
  sourceProblem,
} from "./source_options.ts";

/** Help for `--limit` and `--background` of the side that holds the code. */
const RATE_HELP = {
  limit: "send no faster, in bytes or bits a second: 500k, 2M, 10Mbit",
  background: "give way to all other traffic on the line",
};

const TAKE_BACK_HELP = "take what the other side gives back, into this folder";
const FOR_EVER_HELP = "how long to wait when nobody is there (default: for ever)";

/** Options of sharers that say nothing about somebody else's code. */
const NOT_WITH_TO = [
  "address",
  "private",
  "allow",
  "lan",
  "output",
  "overwrite",
  "allowDotfiles",
  "log",
  "limitClient",
  "cc",
] as const;

interface SendOptions extends SharingOptions, SourceOptions {
  /** True or empty when the code is to be asked for. */
  readonly to?: true | string;
}

/** `send`. */
export function sendCommand(
  report: (invocation: ShareInvocation | GiveInvocation) => void,
): Command {
  const command = new Command("send")
    .summary("send files and folders to one other machine")
    .description(
      "Sends files and folders, standard input or a text to one other machine and prints the code " +
        "for it; with --to, gives them to a share that takes them, such as p2pft wait.",
    )
    .argument("[path...]", "files and folders to send, or - for standard input")
    .option("--to [code]", "give to whoever made this code; asked for when it is not given");
  addSourceOptions(command);
  addSharingOptions(command, TAKE_BACK_HELP);
  addTransferOptions(command, RATE_HELP);
  return addNetworkOptions(command, PEER_TIMEOUT_HELP)
    .action((paths: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SendOptions>();
      const sendsInput = paths.includes(STANDARD_STREAM);
      const problem = options.to === undefined
        ? sourceProblem(paths, options) ?? sharingProblem(options, sendsInput)
        : giveProblem(paths, options);
      if (problem !== undefined) self.error(`error: ${problem}`);
      const source = sourceArguments(paths, options);
      if (options.to === undefined) {
        const sharing = sharingArguments(options, options.output);
        return report({ command: "send", ...sharing, ...source });
      }
      report({
        command: "give",
        ...transferArguments(options),
        ...source,
        ...(options.to === true || options.to === "" ? {} : { code: options.to }),
        ...(options.for === undefined ? {} : { forPeer: options.for }),
        localAddresses: options.localAddresses,
        qr: options.qr ?? false,
      });
    });
}

/** Why what is to be given makes no sense; undefined when it does. */
function giveProblem(paths: readonly string[], options: SendOptions): string | undefined {
  const { to, text } = options;
  if (paths.length === 0 && text === undefined && typeof to === "string") {
    return `missing required argument 'path': '${to}' behind --to is the code`;
  }
  const other = NOT_WITH_TO.find((name) => options[name] !== undefined);
  if (other !== undefined) {
    const flag = other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--to cannot stand beside --${flag}, which is for codes made here`;
  }
  return sourceProblem(paths, options);
}

/** `share`. */
export function shareCommand(report: (invocation: ShareInvocation) => void): Command {
  const command = new Command("share")
    .summary("share files and folders with any number of people")
    .description(
      "Shares files and folders, or a text, with any number of people, until it is closed: type " +
        "help while it runs.",
    )
    .argument("[path...]", "files and folders to share");
  addSourceOptions(command);
  addManyOptions(command);
  addSharingOptions(command, TAKE_BACK_HELP);
  addTransferOptions(command, RATE_HELP);
  return addNetworkOptions(command, FOR_EVER_HELP)
    .action((paths: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SharingOptions & ManyOptions & SourceOptions>();
      const problem = paths.includes(STANDARD_STREAM)
        ? "standard input can be read once: use p2pft send -"
        : sourceProblem(paths, options) ?? sharingProblem(options, false);
      if (problem !== undefined) self.error(`error: ${problem}`);
      report({
        command: "share",
        ...sharingArguments(options, options.output),
        ...manyArguments(options),
        ...sourceArguments(paths, options),
      });
    });
}

/** `wait`. */
export function waitCommand(report: (invocation: ShareInvocation) => void): Command {
  const command = new Command("wait")
    .summary("take files from any number of people")
    .description(
      "Prints a code with which others give files to this machine: a drop box. Asks about each " +
        "gift, until it is closed: type help while it runs.",
    );
  addManyOptions(command);
  addSharingOptions(command, "folder to write into (default: .)");
  addTransferOptions(command, RATE_HELP);
  return addNetworkOptions(command, FOR_EVER_HELP)
    .action((_options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SharingOptions & ManyOptions>();
      const problem = sharingProblem(options, false);
      if (problem !== undefined) self.error(`error: ${problem}`);
      report({
        command: "wait",
        ...sharingArguments(options, options.output ?? "."),
        ...manyArguments(options),
        ...sourceArguments([], {}),
      });
    });
}
