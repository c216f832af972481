/**
 * One run of the program: read the command line, see that everything needed is granted, run the
 * command. Returns the exit status; docs/cli.md lists them.
 */
import type { ErrorEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { parseArguments } from "./arguments.ts";
import type { ColorChoice, Invocation } from "./invocation.ts";
import type { CommandContext, World } from "./context.ts";
import { usesIdentities } from "./expected_identities.ts";
import { withoutOutput } from "./console_streams.ts";
import { errorEvent, errorEventOf, stackLines } from "./failure.ts";
import { commandLine, moduleSpecifier } from "./installation.ts";
import { jsonLine } from "./json_reporter.ts";
import { lanUsageError } from "./lan_usage.ts";
import { errorLines } from "./messages.ts";
import { missingPermissions, permissionFlags, permissionNeeds } from "./permissions.ts";
import { Terminal, type TerminalOptions } from "./terminal.ts";
import { wrapWords } from "./text_width.ts";
import { VERSION } from "../version.ts";

/** Runs `args` (the words after the program's name) in `world`. */
export async function runProgram(args: readonly string[], given: World): Promise<number> {
  const parsed = parseArguments(args, { version: VERSION, columns: given.streams.columns() });
  const isOutputTaken = parsed.command === "receive" && parsed.toOutput;
  const world = isOutputTaken ? { ...given, streams: withoutOutput(given.streams) } : given;
  const { streams } = world;
  if (parsed.command === "text") {
    streams.writeOutput(parsed.text);
    return 0;
  }
  if (parsed.command === "usage_error") {
    return fail(errorEvent("usage", parsed.message, parsed.hint), parsed.json, "auto", world);
  }
  const senseless = isOutputTaken && given.streams.outputIsTerminal
    ? outputTerminalError()
    : needsPersonError(parsed, world) ?? lanUsageError(parsed, streams) ??
      identityFolderError(parsed, world);
  const error = senseless ?? await missingError(parsed, args, world);
  if (error !== undefined) return fail(error, parsed.json, parsed.color, world);
  const terminal = new Terminal(streams, terminalOptions(parsed.color, world));
  const context = { ...world, terminal };
  const stopListening = world.onResize(() => terminal.handleResize());
  try {
    return await runCommand(parsed, context);
  } catch (error) {
    // Commands report what goes wrong in the transfer: this is a bug, or a stream that broke.
    terminal.clearStatus();
    for (const line of parsed.verbose ? stackLines(error) : []) terminal.note(escapeText(line));
    return fail(errorEventOf(error), parsed.json, parsed.color, world);
  } finally {
    stopListening();
    terminal.clearStatus();
  }
}

/** Runs the command; of the others nothing is loaded. */
async function runCommand(invocation: Invocation, context: CommandContext): Promise<number> {
  switch (invocation.command) {
    case "send":
    case "share":
    case "wait":
      return await (await import("./share_command.ts")).runShare(invocation, context);
    case "receive":
    case "give":
      return await (await import("./receive_command.ts")).runReceive(invocation, context);
    case "doctor":
      return await (await import("./doctor_command.ts")).runDoctor(invocation, context);
    case "verify":
      return await (await import("./verify_command.ts")).runVerify(invocation, context);
    case "peers":
      return await (await import("./peers_command.ts")).runPeers(invocation, context);
    default:
      return invocation satisfies never;
  }
}

function terminalOptions(choice: ColorChoice, world: World): TerminalOptions {
  const { streams } = world;
  const isCapable = world.env("TERM") !== "dumb";
  const hasColor = (isTerminal: boolean) =>
    choice === "always" || (choice === "auto" && isTerminal && isCapable && !world.noColor);
  return {
    outputColor: hasColor(streams.outputIsTerminal),
    errorColor: hasColor(streams.errorIsTerminal),
    redraw: streams.errorIsTerminal && isCapable,
  };
}

/** Reports an error from before any command ran. */
function fail(error: ErrorEvent, json: boolean, color: ColorChoice, world: World): number {
  const { streams } = world;
  if (json) {
    streams.writeOutput(`${jsonLine(error)}\n`);
  } else {
    const style = { color: terminalOptions(color, world).errorColor };
    const [message = "", hint = ""] = errorLines(error.message, error.hint, style);
    const columns = streams.errorIsTerminal ? streams.columns() : Infinity;
    // The hint may be a command: it stays in one piece, to be copied.
    for (const line of [...wrapWords(message, columns, "  "), hint]) {
      streams.writeError(`${line}\n`);
    }
  }
  return error.exit;
}

/** A file may hold what a terminal acts on, and its bytes are nobody's to change. */
function outputTerminalError(): ErrorEvent {
  return errorEvent(
    "usage",
    "Cannot write a file to a terminal",
    "Add | PROGRAM or > FILE behind it, or give a folder with -o",
  );
}

/**
 * Words that nobody compares prove nothing, and a folder that anybody fills is nobody's wish: without a
 * person both must be said.
 */
function needsPersonError(invocation: Invocation, world: World): ErrorEvent | undefined {
  // Other commands ask nothing.
  if (!("verify" in invocation)) return undefined;
  // What is typed there is sent.
  const sendsInput = "input" in invocation && invocation.input?.kind === "stream";
  const hasPerson = world.streams.inputIsTerminal && world.streams.errorIsTerminal &&
    !invocation.json && !sendsInput;
  if (invocation.yes || hasPerson) return undefined;
  if (invocation.verify) {
    return errorEvent(
      "usage",
      "Cannot compare the words of --verify: there is no terminal to ask at",
      "Run it in a terminal, or add --yes to show the words without waiting for an answer",
    );
  }
  const isAnybodys = invocation.command === "wait" && !invocation.private &&
    invocation.allow.length === 0 && invocation.forPeer === undefined;
  if (!isAnybodys) return undefined;
  return errorEvent(
    "usage",
    "Cannot ask what to take: there is no terminal to ask at",
    "Say whose files are taken with --private, --allow or --for, or add --yes for everybody's",
  );
}

/** Nothing says where identities are kept, or nothing may be asked. */
function identityFolderError(invocation: Invocation, world: World): ErrorEvent | undefined {
  if (invocation.command !== "peers" && !usesIdentities(invocation)) return undefined;
  if (identityFolderOf(invocation, world) !== undefined) return undefined;
  return errorEvent(
    "usage",
    "Cannot tell in which folder identities are kept: no variable says so that may be read",
    `Name it with --home, or run with ${permissionFlags(permissionNeeds(invocation)).join(" ")}`,
  );
}

/** The folder of identities, for a command line that may have named it. */
function identityFolderOf(invocation: Invocation, world: World): string | undefined {
  return world.identityFolder("home" in invocation ? invocation.home : undefined);
}

const COMMAND_VERBS: Record<Invocation["command"], string> = {
  send: "send",
  give: "send",
  share: "share",
  wait: "take files",
  receive: "receive",
  doctor: "look at the network",
  verify: "verify",
  peers: "look at the peers",
};

/** What is missing to run `invocation`, and the command that has it all. */
async function missingError(
  invocation: Invocation,
  args: readonly string[],
  world: World,
): Promise<ErrorEvent | undefined> {
  const { installation } = world;
  const folder = invocation.command === "peers" || usesIdentities(invocation)
    ? identityFolderOf(invocation, world)
    : undefined;
  const needs = permissionNeeds(invocation, folder);
  const missing = await missingPermissions(needs, world.permissions);
  const needsSocket = invocation.command !== "verify" && invocation.command !== "peers";
  const lacksSocket = needsSocket && !world.hasSocket;
  if (missing.length === 0 && !lacksSocket) return undefined;
  const reasons = missing.map((need) => `permission to ${need.purpose} (${need.flag})`);
  if (lacksSocket) reasons.push("the UDP socket of Deno (--unstable-net)");
  const words = [
    "deno",
    "run",
    ...(needsSocket ? ["--unstable-net"] : []),
    ...permissionFlags(needs),
    moduleSpecifier(installation),
    ...args,
  ];
  return errorEvent(
    missing.length > 0 ? "permission_missing" : "socket_unavailable",
    `Cannot ${COMMAND_VERBS[invocation.command]}: missing ${reasons.join(", ")}`,
    installation.compiled
      ? "This binary was built without it: use one that deno task compile builds"
      : `Run: ${commandLine(words, installation)}`,
  );
}
