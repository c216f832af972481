/** What `send`, `share` and `wait` have in common: the code, who is let in, what is taken back. */
import { type Command, Option } from "npm:commander@15.1.0";
import type {
  CongestionChoice,
  SharingArguments,
  TakeArguments,
  TakeOverwriteChoice,
} from "../invocation.ts";
import type { TransferOptions } from "./option_groups.ts";
import { transferArguments } from "./option_groups.ts";
import {
  collectAddress,
  collectText,
  countParser,
  durationParser,
  lanArguments,
  rateParser,
} from "./option_parsers.ts";

/** What commander collects for them. */
export interface SharingOptions extends TransferOptions {
  readonly address?: string[];
  readonly localAddresses: boolean;
  readonly qr?: true;
  readonly private?: true;
  readonly allow?: string[];
  readonly for?: string;
  /** Empty when none was chosen. */
  readonly lan?: string;
  readonly log?: string;
  readonly output?: string;
  readonly overwrite?: TakeOverwriteChoice;
  readonly allowDotfiles?: true;
  readonly limitClient?: number;
  readonly cc?: CongestionChoice;
}

/** What it collects for a share of many clients. */
export interface ManyOptions {
  readonly maxClients?: number;
  readonly readLimit?: number;
  readonly once?: true;
  readonly expires?: number;
}

/** The most clients at a time that the library takes. */
const MAX_CLIENTS = 256;

const MAX_READ_LIMIT = 1_000_000;

/** Adds what only a share of many clients has. */
export function addManyOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--max-clients <n>", `clients at the same time (default: ${MAX_CLIENTS})`)
        .argParser(countParser(MAX_CLIENTS)),
    )
    .addOption(
      new Option("--read-limit <n>", "end after so many clients had all of it")
        .argParser(countParser(MAX_READ_LIMIT)),
    )
    .addOption(new Option("--once", "the same as --read-limit 1").conflicts("readLimit"))
    .addOption(
      new Option("--expires <duration>", "let nobody new in after this time: 90s, 30m, 2h, 7d")
        .argParser(durationParser),
    );
}

/** Adds what all three have. @param takeHelp What `--output` is. */
export function addSharingOptions(command: Command, takeHelp: string): Command {
  command
    .addOption(
      new Option("--address <host[:port]>", "put this address into the code too (repeatable)")
        .argParser(collectAddress),
    )
    .option("--no-local-addresses", "leave this machine's own addresses out of the code")
    .option("--qr", "show the code as a QR code too")
    .option("--private", "let in only those whose reply code is pasted here, and --allow")
    .addOption(
      new Option("--allow <peer>", "let this peer in without a question (repeatable)")
        .argParser(collectText),
    )
    .option("--for <peer>", "make a short code that only this peer can use")
    .option("--lan [=name]", "announce it on the local network, under this name")
    .option("-o, --output <dir>", takeHelp)
    .addOption(
      new Option(
        "--overwrite <policy>",
        "what is taken while something else has its name (default: rename)",
      ).choices(["never", "rename", "newer", "always"] satisfies TakeOverwriteChoice[]),
    )
    .option("--allow-dotfiles", "take names that begin with a dot without asking")
    .option("--log <file>", "append who took what to this file, one JSON object a line")
    .addOption(
      new Option("--limit-client <rate>", "send no faster to any one client").argParser(rateParser),
    )
    .addOption(
      new Option("--cc <name>", "congestion control, without --background").choices([
        "bbr",
        "cubic",
      ])
        .conflicts("background"),
    );
  return command;
}

/** Why they make no sense together; undefined when they do. */
export function sharingProblem(options: SharingOptions, sendsInput: boolean): string | undefined {
  if (!options.localAddresses && options.address === undefined) {
    return "--no-local-addresses needs at least one --address";
  }
  if (sendsInput && options.private) {
    return "--private takes reply codes from standard input, which - sends";
  }
  if (options.lan !== undefined && options.for !== undefined) {
    return "--lan is for everybody in the network, --for makes a code for one peer";
  }
  return undefined;
}

/** What they come to. @param take Where to, when something is taken. */
export function sharingArguments(
  options: SharingOptions,
  directory: string | undefined,
): SharingArguments {
  const { limitClient, cc, lan, log } = options;
  return {
    ...transferArguments(options),
    addresses: options.address ?? [],
    localAddresses: options.localAddresses,
    qr: options.qr ?? false,
    private: options.private ?? false,
    allow: options.allow ?? [],
    ...(options.for === undefined ? {} : { forPeer: options.for }),
    ...lanArguments(lan),
    ...(directory === undefined ? {} : { take: takeArguments(options, directory) }),
    ...(log === undefined ? {} : { log }),
    ...(limitClient === undefined ? {} : { clientLimit: limitClient }),
    ...(cc === undefined ? {} : { congestion: cc }),
  };
}

function takeArguments(options: SharingOptions, directory: string): TakeArguments {
  return {
    directory,
    overwrite: options.overwrite ?? "rename",
    allowDotfiles: options.allowDotfiles ?? false,
  };
}

/** What the bounds of a share of many clients come to. */
export function manyArguments(
  { maxClients, readLimit, once, expires }: ManyOptions,
): Pick<SharingArguments, "maxClients" | "readLimit" | "expiresMs"> {
  const limit = once ? 1 : readLimit;
  return {
    ...(maxClients === undefined ? {} : { maxClients }),
    ...(limit === undefined ? {} : { readLimit: limit }),
    ...(expires === undefined ? {} : { expiresMs: expires }),
  };
}
