/**
 * What a person can type while a share or a receive runs: a line to a command. Pure; what commands do
 * is in `share_keyboard.ts` and `receive_keyboard.ts`.
 */
import { parseRate } from "./option_values.ts";

/** A command that was typed. */
export type KeyboardCommand =
  | { readonly name: "list" }
  | { readonly name: "kick"; readonly session: number }
  /** Undefined for no limit. */
  | { readonly name: "limit"; readonly rate: number | undefined }
  | { readonly name: "close" }
  | { readonly name: "offer"; readonly path: string }
  | { readonly name: "help" };

/** Its name. */
export type KeyboardName = KeyboardCommand["name"];

/** What a line comes to: a command, one with what is wrong with it, or nothing. */
export type KeyboardLine =
  | { readonly kind: "command"; readonly command: KeyboardCommand }
  | { readonly kind: "problem"; readonly message: string }
  | { readonly kind: "other" };

/** How each is written, and what it does: the lines of `help`. */
const HELP: Readonly<Record<KeyboardName, readonly [string, string]>> = {
  list: ["list", "who is here, with numbers"],
  kick: ["kick N", "send client N away for good"],
  limit: ["limit RATE", "send no faster in all: 500k, 10Mbit, off"],
  close: ["close", "let nobody new in, and end when all are done"],
  offer: ["offer PATH", "give this file or folder to the other side"],
  help: ["help", "this"],
};

const NO_LIMIT = "off";

/** Reads a line; the first letters of a command are enough where they are those of no other. */
export function parseKeyboardLine(line: string, names: readonly KeyboardName[]): KeyboardLine {
  const [, word = "", rest = ""] = /^\s*([a-z]+)(?:\s+(.*?))?\s*$/i.exec(line) ?? [];
  if (word === "") return { kind: "other" };
  const meant = names.filter((name) => name.startsWith(word.toLowerCase()));
  if (meant.length > 1) return problem(`Which one: ${meant.join(" or ")}?`);
  const [name] = meant;
  return name === undefined ? { kind: "other" } : commandOf(name, rest);
}

function commandOf(name: KeyboardName, rest: string): KeyboardLine {
  switch (name) {
    case "list":
    case "close":
    case "help":
      // Whoever writes a sentence means something else.
      return rest === "" ? found({ name }) : { kind: "other" };
    case "kick":
      return /^\d{1,9}$/.test(rest)
        ? found({ name, session: Number(rest) })
        : problem("Whom? kick N, with a number of list");
    case "limit": {
      const rate = parseRate(rest);
      const isOff = rest.toLowerCase() === NO_LIMIT;
      return rate !== undefined || isOff
        ? found({ name, rate })
        : problem("To what? limit 500k, 2M, 10Mbit, or limit off");
    }
    case "offer":
      return rest === "" ? problem("What? offer PATH") : found({ name, path: unquoted(rest) });
    default:
      return name satisfies never;
  }
}

function found(command: KeyboardCommand): KeyboardLine {
  return { kind: "command", command };
}

function problem(message: string): KeyboardLine {
  return { kind: "problem", message };
}

/** Paths that are dropped on a terminal come in quotes. */
function unquoted(path: string): string {
  return /^(["']).+\1$/.test(path) ? path.slice(1, -1) : path;
}

/**
 * Whether a line is a command and no answer to a question that takes a letter: whoever types two
 * letters of a command or more means that.
 */
export function isCommandLine(line: string, names: readonly KeyboardName[]): boolean {
  return /^\s*[a-z]{2}/i.test(line) && parseKeyboardLine(line, names).kind === "command";
}

/** What can be typed, a line each. */
export function keyboardHelp(names: readonly KeyboardName[]): string[] {
  const width = Math.max(...names.map((name) => HELP[name][0].length));
  return names.map((name) => `  ${HELP[name][0].padEnd(width)}  ${HELP[name][1]}`);
}
