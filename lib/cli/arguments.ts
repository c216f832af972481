/**
 * From the words of a command line to one {@linkcode Invocation}, or to what to say instead. Pure:
 * reads no environment, asks nothing, prints nothing. What each command takes is in `arguments/`.
 *
 * docs/cli.md lists the same commands and options for people.
 */
import { Command, CommanderError, Option } from "npm:commander@15.1.0";
import { doctorCommand } from "./arguments/doctor_command.ts";
import { peersCommand } from "./arguments/peers_command.ts";
import { receiveCommand } from "./arguments/receive_command.ts";
import { sendCommand, shareCommand, waitCommand } from "./arguments/sharing_commands.ts";
import { verifyCommand } from "./arguments/verify_command.ts";
import type { Invocation } from "./invocation.ts";

/** Makes the command line of one command, which reports what was found in it. */
type CommandMaker = (report: (invocation: Invocation) => void) => Command;

/** All commands, in the order of the help. */
const COMMANDS: ReadonlyMap<string, CommandMaker> = new Map<string, CommandMaker>([
  ["send", sendCommand],
  ["receive", receiveCommand],
  ["share", shareCommand],
  ["wait", waitCommand],
  ["doctor", doctorCommand],
  ["verify", verifyCommand],
  ["peers", peersCommand],
]);

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
  // Putting all of them together takes milliseconds: only the list of commands needs that.
  const named = COMMANDS.get(args.find((word) => !word.startsWith("-")) ?? "");
  for (const make of named ? [named] : COMMANDS.values()) program.addCommand(make(report));
  program.addHelpText("after", "\nThe options of a command: p2pft COMMAND --help");
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
    program.parse(withEmptyNames(args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: "text", text };
    return usageError(args, error);
  }
  // Commander runs an action or throws.
  if (found === undefined) throw new Error("Command line had no effect");
  return found;
}

/** `--lan` takes a name only behind `=`: the word after it is a path. */
function withEmptyNames(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((word, index) => word === "--lan" && (end < 0 || index < end) ? "--lan=" : word);
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** What commander says, in the words of this program. */
function usageError(args: readonly string[], error: CommanderError): UsageError {
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  const commandName = words.find((word) => COMMANDS.has(word));
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
