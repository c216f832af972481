/** Options that several commands share, and what becomes of them. */
import { type Command, Option } from "npm:commander@15.1.0";
import type {
  ColorChoice,
  CommonArguments,
  IdentityArguments,
  OutputArguments,
  TransferArguments,
} from "../invocation.ts";
import { type BindOption, NO_STUN, parseBindOption } from "../option_values.ts";
import { collectStun, durationParser, expectingPort, rateParser } from "./option_parsers.ts";

/** What commander collects for the options of every command. */
export interface OutputOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: ColorChoice;
}

/** What it collects for commands that use the network. */
export interface NetworkOptions extends OutputOptions {
  readonly allowLoopback?: true;
  readonly bind?: BindOption;
  readonly timeout?: number;
  readonly stun?: string[];
  readonly portmap: boolean;
}

/** What it collects for commands that move files. */
export interface TransferOptions extends NetworkOptions {
  readonly yes?: true;
  readonly verify?: true;
  readonly limit?: number;
  readonly background?: true;
  readonly identity?: true;
  readonly home?: string;
}

/** Help for `--timeout` where somebody is waited for. */
export const PEER_TIMEOUT_HELP = "how long to wait for the other side (default: 10m)";

/** @param timeoutHelp What `--timeout` is about. */
export function addNetworkOptions(command: Command, timeoutHelp: string): Command {
  return command
    .addOption(
      new Option(
        "--stun <host[:port]>",
        "ask this server how this machine is seen from outside (repeatable); none asks nobody",
      ).argParser(collectStun),
    )
    .option("--no-portmap", "do not ask the router to open a port")
    .addOption(
      new Option("--bind <[addr:]port>", "local address and UDP port, for a port a router forwards")
        .argParser(
          expectingPort(parseBindOption, "PORT or ADDR:PORT, such as 4000 or 192.0.2.7:4000"),
        ),
    )
    .addOption(new Option("--timeout <duration>", timeoutHelp).argParser(durationParser))
    .option("--allow-loopback", "allow addresses of this machine itself in codes");
}

/** @param help What `--limit` and `--background` do. */
export function addTransferOptions(
  command: Command,
  help: { readonly limit: string; readonly background: string },
): Command {
  command
    .option("-y, --yes", "answer every question that is safe to answer with yes")
    .option("--verify", "show three words to compare on both sides")
    .addOption(new Option("--limit <rate>", help.limit).argParser(rateParser))
    .option("--background", help.background)
    .option("--identity", "prove who you are, with a key that is made once and stays");
  return addHomeOption(command);
}

/** Where identities are. */
export function addHomeOption(command: Command): Command {
  return command.option("--home <dir>", "the folder in which identities are kept");
}

/** What the options of every command come to. */
export function outputArguments(options: OutputOptions): OutputArguments {
  return {
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    color: options.color,
  };
}

/** What those of commands that use the network come to. */
export function networkArguments(options: NetworkOptions): CommonArguments {
  return {
    ...outputArguments(options),
    portMapping: options.portmap,
    ...(options.stun === undefined
      ? {}
      : { stunServers: options.stun.filter((server) => server !== NO_STUN) }),
    allowLoopback: options.allowLoopback ?? false,
    ...(options.bind === undefined ? {} : { bind: options.bind }),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
  };
}

/** What those of commands that move files come to. */
export function transferArguments(options: TransferOptions): TransferArguments & IdentityArguments {
  return {
    ...networkArguments(options),
    yes: options.yes ?? false,
    verify: options.verify ?? false,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    background: options.background ?? false,
    identity: options.identity ?? false,
    ...(options.home === undefined ? {} : { home: options.home }),
  };
}
