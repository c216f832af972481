/** What a person can do with a receive that runs, by typing a line: see `keyboard.ts`. */
import type { ReceiveOperation } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import {
  isCommandLine,
  type KeyboardCommand,
  keyboardHelp,
  type KeyboardName,
  parseKeyboardLine,
} from "./keyboard.ts";
import type { PermissionQuery } from "./permissions.ts";
import type { Terminal } from "./terminal.ts";

const NAMES: readonly KeyboardName[] = ["offer", "help"];

/** What it works with. */
export interface ReceiveKeyboardParts {
  readonly receive: ReceiveOperation;
  readonly terminal: Terminal;
  /** A path that is typed was not looked for when the program began. */
  readonly permissions: PermissionQuery;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Does what is typed, also while a question is open.
 *
 * @returns At the end of the input, or when the signal came; rejects if it cannot be read.
 */
export async function readReceiveCommands(parts: ReceiveKeyboardParts): Promise<void> {
  const { terminal, signal } = parts;
  await terminal.listen({
    isMeant: () => false,
    isCommand: (line) => isCommandLine(line, NAMES),
    handleLines(lines) {
      for (const line of lines) {
        if (line.trim() === "") continue;
        const parsed = parseKeyboardLine(line, NAMES);
        if (parsed.kind === "command") void run(parsed.command, parts);
        else if (parsed.kind === "problem") terminal.note(parsed.message);
        else terminal.note("That is no command: type help.");
      }
    },
  }, signal);
}

async function run(
  command: KeyboardCommand,
  { receive, terminal, permissions }: ReceiveKeyboardParts,
): Promise<void> {
  if (command.name !== "offer") {
    return terminal.note("Type one of these, or its first letters:", ...keyboardHelp(NAMES));
  }
  const { path } = command;
  // Deno would ask in the middle of everything.
  if ((await permissions({ name: "read", path })).state !== "granted") {
    return terminal.note(`Cannot offer ${path}: it may not be read (--allow-read=${path})`);
  }
  try {
    receive.offer([path]);
  } catch (error) {
    const { message, hint } = errorEventOf(error);
    terminal.note(message, `  ${hint}`);
  }
}
