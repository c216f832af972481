/**
 * From the words of a command line to one {@linkcode Invocation}, or to what to say instead. Pure:
 * reads no environment, asks nothing, prints nothing.
 *
 * docs/cli.md lists the same commands and options for people.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "npm:commander@15.1.0";
import type {
  ColorChoice,
  CommonArguments,
  CongestionChoice,
  DoctorInvocation,
  Invocation,
  OutputArguments,
  OverwriteChoice,
  PeersAction,
  PeersInvocation,
  ReceivedLinksChoice,
  ReceiveInvocation,
  SendInvocation,
  SymlinksChoice,
  TransferArguments,
  VerifyInvocation,
} from "./invocation.ts";
import {
  type BindOption,
  hasPortTooLarge,
  MAX_PORT,
  NO_STUN,
  parseAddressOption,
  parseBindOption,
  parseDuration,
  parseRate,
  parseStunOption,
  STANDARD_STREAM,
} from "./option_values.ts";
import { sendInput, type SourceOptions, sourceProblem } from "./send_input.ts";

/** Help or the version was asked for. */
export interface TextRequest {
  readonly command: "text";
  readonly text: string;
}

/** The command line makes no sense. */
export interface UsageError {
  readonly command: "usage_error";
  readonly message: string;
  readonly hint: string;
  /** Whether `--json` was among the words. */
  readonly json: boolean;
}

/** What {@linkcode parseArguments} finds. */
export type ParsedArguments = Invocation | TextRequest | UsageError;

/** What commander collects for the options all commands share. */
interface CollectedOutputOptions {
  json?: true;
  quiet?: true;
  verbose?: true;
  color: ColorChoice;
}

/** What it collects for commands that use the network. */
interface CollectedOptions extends CollectedOutputOptions {
  allowLoopback?: true;
  bind?: BindOption;
  timeout?: number;
  stun?: string[];
  portmap: boolean;
}

interface CollectedTransferOptions extends CollectedOptions {
  yes?: true;
  verify?: true;
  limit?: number;
  background?: true;
}

interface CollectedSendOptions extends CollectedTransferOptions, SourceOptions {
  address?: string[];
  localAddresses: boolean;
  qr?: true;
  limitClient?: number;
  cc?: CongestionChoice;
}

interface CollectedReceiveOptions extends CollectedTransferOptions {
  output?: string;
  symlinks: ReceivedLinksChoice;
  localAddresses: boolean;
  overwrite?: OverwriteChoice;
  allowDotfiles?: true;
  manifest?: string;
  qr?: true;
}

/** Makes commander's argument parser of one of ours, with what would have been right. */
function expecting<T>(parse: (text: string) => T | undefined, expected: string) {
  return (text: string): T => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
}

/** The same for what can end in a port: whoever got only that wrong wants to know it. */
function expectingPort<T>(parse: (text: string) => T | undefined, expected: string) {
  const parser = expecting(parse, expected);
  return (text: string): T => {
    if (hasPortTooLarge(text)) throw new InvalidArgumentError(`A port is at most ${MAX_PORT}.`);
    return parser(text);
  };
}

const stunParser = expectingPort(
  parseStunOption,
  `HOST, HOST:PORT or ${NO_STUN}, such as stun.example.org:3478`,
);

/** Adds a `--stun` to those before it; none at all and some cannot both be wanted. */
function collectStun(text: string, previous: string[] = []): string[] {
  const servers = [...previous, stunParser(text)];
  if (servers.includes(NO_STUN) && new Set(servers).size > 1) {
    throw new InvalidArgumentError(`--stun ${NO_STUN} cannot stand beside a server.`);
  }
  return servers;
}

const rateParser = expecting(
  parseRate,
  "bytes a second from 1k to 1000G, such as 500k, 2M or 10Mbit",
);

/** @param help What `--limit` and `--background` do. */
function addTransferOptions(
  command: Command,
  help: { readonly limit: string; readonly background: string },
): Command {
  return command
    .option("-y, --yes", "answer every question that is safe to answer with yes")
    .option("--verify", "show three words to compare on both sides")
    .addOption(new Option("--limit <rate>", help.limit).argParser(rateParser))
    .option("--background", help.background);
}

/** @param timeoutHelp What `--timeout` is about. */
function addNetworkOptions(command: Command, timeoutHelp: string): Command {
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
    .addOption(
      new Option("--timeout <duration>", timeoutHelp)
        .argParser(
          expecting(parseDuration, "a duration from 1s to 24d, such as 30s, 10m or 1h30m"),
        ),
    )
    .option("--allow-loopback", "allow addresses of this machine itself in codes");
}

const PEER_TIMEOUT_HELP = "how long to wait for the other side (default: 10m)";

function outputArguments(options: CollectedOutputOptions): OutputArguments {
  return {
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    color: options.color,
  };
}

function commonArguments(options: CollectedOptions): CommonArguments {
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

function transferArguments(options: CollectedTransferOptions): TransferArguments {
  return {
    ...commonArguments(options),
    yes: options.yes ?? false,
    verify: options.verify ?? false,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    background: options.background ?? false,
  };
}

function sendCommand(report: (invocation: SendInvocation) => void): Command {
  const addressParser = expectingPort(
    parseAddressOption,
    "HOST or HOST:PORT, such as 203.0.113.5:4000",
  );
  const command = new Command("send")
    .summary("send files and folders to one other machine")
    .description(
      "Sends files and folders, standard input or a text to one other machine and prints the code " +
        "for it.",
    )
    .argument("[path...]", "files and folders to send, or - for standard input");
  command
    .addOption(
      new Option(
        "--exclude <glob>",
        "leave out what fits this pattern of gitignore, in each folder (repeatable)",
      ).argParser((text: string, previous: string[] = []) => [...previous, text]),
    )
    .option("--gitignore", "leave out what .gitignore files in the folders say, and .git")
    .addOption(
      new Option("--symlinks <policy>", "what to do with links in the folders (default: skip)")
        .choices(["skip", "follow", "keep"] satisfies SymlinksChoice[]),
    )
    .option("--text <text>", "send this text, to be read there; - takes it from standard input")
    .option("--name <name>", "what standard input or the text is called there")
    .addOption(
      new Option("--address <host[:port]>", "put this address into the code too (repeatable)")
        .argParser((text: string, previous: string[] = []) => [...previous, addressParser(text)]),
    )
    .option("--no-local-addresses", "leave this machine's own addresses out of the code")
    .option("--private", "let in only those whose reply code is pasted here")
    .option("--qr", "show the code as a QR code too")
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
  addTransferOptions(command, {
    limit: "send no faster, in bytes or bits a second: 500k, 2M, 10Mbit",
    background: "give way to all other traffic on the line",
  });
  return addNetworkOptions(command, PEER_TIMEOUT_HELP)
    .action((paths: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<CollectedSendOptions>();
      if (!options.localAddresses && options.address === undefined) {
        self.error("error: --no-local-addresses needs at least one --address");
      }
      const problem = sourceProblem(paths, options);
      if (problem !== undefined) self.error(`error: ${problem}`);
      const input = sendInput(paths, options);
      report({
        command: "send",
        ...transferArguments(options),
        paths: input === undefined ? paths : [],
        ...(input === undefined ? {} : { input }),
        exclude: options.exclude ?? [],
        gitignore: options.gitignore ?? false,
        symlinks: options.symlinks ?? "skip",
        addresses: options.address ?? [],
        localAddresses: options.localAddresses,
        private: options.private ?? false,
        ...(options.limitClient === undefined ? {} : { clientLimit: options.limitClient }),
        ...(options.cc === undefined ? {} : { congestion: options.cc }),
        qr: options.qr ?? false,
      });
    });
}

function receiveCommand(report: (invocation: ReceiveInvocation) => void): Command {
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
    .option("--qr", "show a reply code as a QR code too")
    .option("--no-local-addresses", "tell the other side none of this machine's own addresses");
  addTransferOptions(command, {
    limit: "ask the other side to send no faster, in bytes or bits a second: 500k, 2M, 10Mbit",
    background: "ask the other side to give way to all other traffic",
  });
  return addNetworkOptions(command, PEER_TIMEOUT_HELP)
    .action((code: string | undefined, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<CollectedReceiveOptions>();
      const toOutput = options.output === STANDARD_STREAM;
      if (toOutput && options.manifest !== undefined) {
        self.error("error: --manifest is for files in a folder, not for --output -");
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
        localAddresses: options.localAddresses,
        qr: options.qr ?? false,
      });
    });
}

function doctorCommand(report: (invocation: DoctorInvocation) => void): Command {
  const command = new Command("doctor")
    .summary("say what this network is and what to expect of it")
    .description(
      "Says what network this machine is in and what to expect of it; with the other side's code, " +
        "how the two would meet. Sends nothing to the other side.",
    )
    .argument("[code]", "the code of a share");
  return addNetworkOptions(command, "how long to ask around (default: some seconds)")
    .action((code: string | undefined, _options: unknown, self: Command) => {
      report({
        command: "doctor",
        ...commonArguments(self.optsWithGlobals<CollectedOptions>()),
        ...(code === undefined ? {} : { code }),
      });
    });
}

function verifyCommand(report: (invocation: VerifyInvocation) => void): Command {
  return new Command("verify")
    .summary("compare received files with their manifest")
    .description(
      "Reads files back and compares them with a manifest that receive --manifest or sha256sum " +
        "wrote. Uses no network.",
    )
    .argument("[path...]", "folders, or files in the manifest (default: the folder it lies in)")
    .requiredOption("--manifest <file>", "the manifest")
    .action((paths: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<CollectedOutputOptions & { manifest: string }>();
      report({
        command: "verify",
        ...outputArguments(options),
        paths,
        manifest: options.manifest,
      });
    });
}

function peersCommand(report: (invocation: PeersInvocation) => void): Command {
  const addAction = (action: Command, read: (...words: string[]) => PeersAction) =>
    command.addCommand(
      action.action((...given: unknown[]) => {
        // Behind the arguments stand the options and the command.
        const self = given.pop() as Command;
        const options = self.optsWithGlobals<CollectedOutputOptions & { home?: string }>();
        report({
          command: "peers",
          ...outputArguments(options),
          action: read(...self.args),
          ...(options.home === undefined ? {} : { home: options.home }),
        });
      }),
    );
  const command = new Command("peers")
    .summary("show, rename or forget those who are remembered")
    .description(
      "Shows and changes whom this machine remembers. A PEER is a name, or the beginning of a " +
        "fingerprint. Uses no network.",
    )
    .option("--home <dir>", "the folder in which identities are kept");
  addAction(
    new Command("list").summary("show them, and your own fingerprint")
      .description("Shows who is remembered, and your own fingerprint."),
    () => ({ kind: "list" }),
  );
  addAction(
    new Command("rename").summary("give one another name")
      .description("Gives a peer another name.")
      .argument("<peer>", "who").argument("<name>", "what to call them from now on"),
    (peer, name) => ({ kind: "rename", peer: peer!, name: name! }),
  );
  addAction(
    new Command("remove").summary("forget one")
      .description("Forgets a peer, and what was kept for short codes.")
      .argument("<peer>", "who"),
    (peer) => ({ kind: "remove", peer: peer! }),
  );
  return command;
}

/** How to word help. */
export interface HelpStyle {
  /** What `--version` prints. */
  readonly version: string;
  /** Columns help is wrapped to. */
  readonly columns: number;
}

/**
 * Reads a command line.
 *
 * @param args The words after the program's name.
 */
export function parseArguments(args: readonly string[], style: HelpStyle): ParsedArguments {
  let found: Invocation | undefined;
  let text = "";
  const report = (invocation: Invocation) => {
    found = invocation;
  };
  const program = new Command("p2pft")
    .description("Sends files from one machine to another: encrypted, directly, with no server.")
    .version(`p2pft ${style.version}`, "--version", "print the version")
    .option("--json", "one JSON object a line on standard output, nothing else")
    .option("-q, --quiet", "the code, questions, warnings and errors only")
    .option("-v, --verbose", "addresses, the network, files as they finish, and stack traces")
    .addOption(
      new Option("--color <when>", "use colour").choices(["auto", "always", "never"])
        .default("auto"),
    );
  program.addCommand(sendCommand(report)).addCommand(receiveCommand(report))
    .addCommand(doctorCommand(report)).addCommand(verifyCommand(report))
    .addCommand(peersCommand(report))
    .addHelpText("after", "\nThe options of a command: p2pft COMMAND --help");
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .helpOption("-h, --help", "print help")
      .helpCommand(false)
      .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
      .configureOutput({
        writeOut: (written) => {
          text += written;
        },
        // What would be written as an error arrives as the exception's message as well.
        writeErr: () => {},
        getOutHelpWidth: () => style.columns,
        getErrHelpWidth: () => style.columns,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      });
  }
  try {
    program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: "text", text };
    return usageError(args, error);
  }
  // Commander runs an action or throws.
  if (found === undefined) throw new Error("Command line had no effect");
  return found;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

const COMMAND_NAMES: readonly string[] = [
  "send",
  "receive",
  "doctor",
  "verify",
  "peers",
] satisfies Invocation["command"][];

/** What commander says, in the words of this program. */
function usageError(args: readonly string[], error: CommanderError): UsageError {
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  const commandName = words.find((word) => COMMAND_NAMES.includes(word));
  const message = error.code === "commander.help"
    ? "No command was given"
    : error.message.replace(/^error: /, "").replaceAll("\n", " ").replace(/\.$/, "");
  return {
    command: "usage_error",
    message: message.charAt(0).toUpperCase() + message.slice(1),
    hint: `See p2pft ${commandName === undefined ? "" : `${commandName} `}--help`,
    json: words.includes("--json"),
  };
}
