/**
 * What comes out of standard input for as long as a share runs: reply codes, pasted at a terminal,
 * also while a question is open there, or one a line from a pipe; and what else a person types.
 */
import { codesInLine, takeFirstCode } from "../rendezvous/code_in_line.ts";
import type { Terminal } from "./terminal.ts";

/** What a person at a terminal can type beside codes. */
export interface TypedCommands {
  /** Whether a line is one, rather than an answer to a question. */
  isCommand(line: string): boolean;
  /** Does what a line says; false when it says nothing. */
  handleLine(line: string): boolean;
}

/** Where reply codes come from and go to. */
export interface ReplyInput {
  readonly terminal: Terminal;
  /** Takes a code, or throws; `bad_code` for what is none. */
  readonly addReply: (code: string) => void;
  /** Told what `addReply` threw. */
  readonly onRefused: (error: unknown) => void;
  /** Told of a line that is no code and answers no question; once until a code comes. */
  readonly onOther: () => void;
  /** Only of a terminal. */
  readonly commands?: TypedCommands | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** Whoever pipes so much into a share that is no code (`yes | …`) means something else. */
export const MAX_OTHER_LINES = 1000;

/**
 * Letters and digits in one line that nobody types but as a code: where its beginning is mistyped,
 * what is wrong with it is worth more than hearing that it is none.
 */
const MIN_UNMARKED_CHARACTERS = 40;

/** Where another code begins: as it is written, not as it may be spaced. */
const NEXT_CODE = /(?<=[^a-z0-9])(?=p2p1z)/gi;

/** The parts of a line of which each may hold one code, when somebody pasted several in a row. */
function partsOf(line: string): string[] {
  const parts: string[] = [];
  for (const part of line.split(NEXT_CODE)) {
    // What stands in front of the first belongs to it.
    if (parts.length > 0 && codesInLine(parts.at(-1)!).length === 0) {
      parts.push(parts.pop()! + part);
    } else parts.push(part);
  }
  return parts;
}

/** What may be the reply code in a line, perhaps a mistyped one; empty when it is something else. */
export function replyCodesIn(line: string): string[] {
  const codes = codesInLine(line);
  if (codes.length > 0) return codes;
  const compact = line.replace(/[\s\p{Dash_Punctuation}]/gu, "");
  const isUnmarked = compact.length >= MIN_UNMARKED_CHARACTERS && /^[a-z0-9]+$/i.test(compact);
  return isUnmarked ? [line.trim()] : [];
}

/**
 * Reads the input and hands on every code in it.
 *
 * @returns At the end of the input, which ends nothing else, or when the signal came; rejects if the
 * input cannot be read.
 */
export async function readReplies(input: ReplyInput): Promise<void> {
  const enough = new AbortController();
  let isToldOfOther = false;
  let otherCount = 0;

  function handleOther(): void {
    otherCount++;
    if (otherCount >= MAX_OTHER_LINES && !input.terminal.inputIsTerminal) enough.abort();
    if (!isToldOfOther) input.onOther();
    isToldOfOther = true;
  }

  /** Takes the code that begins in a line; mail programs break it, and `rest` follows. */
  function handleCode(line: string, rest: readonly string[]): void {
    isToldOfOther = false;
    try {
      takeFirstCode(replyCodesIn(line), input.addReply);
    } catch (error) {
      if (!takesBroken(line, rest)) input.onRefused(error);
    }
  }

  function takesBroken(line: string, rest: readonly string[]): boolean {
    if (rest.length === 0) return false;
    try {
      takeFirstCode(replyCodesIn([line, ...rest].join(" ")), input.addReply);
      return true;
    } catch {
      return false; // what is wrong with its first line is told
    }
  }

  const commands = input.terminal.inputIsTerminal ? input.commands : undefined;
  await input.terminal.listen({
    isMeant: (line) => replyCodesIn(line).length > 0,
    isCommand: (line) => commands?.isCommand(line) === true,
    handleLines(given) {
      const lines = given.flatMap(partsOf);
      const starts = lines.flatMap((line, at) => replyCodesIn(line).length > 0 ? [at] : []);
      for (const [index, at] of starts.entries()) {
        handleCode(lines[at]!, lines.slice(at + 1, starts[index + 1]));
      }
      if (starts.length > 0) return;
      // Enter alone clears a person's mind or the screen.
      const said = given.filter((line) => line.trim() !== "");
      const others = said.filter((line) => commands?.handleLine(line) !== true);
      if (others.length > 0) handleOther();
      else if (said.length > 0) isToldOfOther = false;
    },
  }, AbortSignal.any([input.signal, enough.signal]));
}
