/**
 * Reply codes out of standard input, for as long as a share runs: pasted at a terminal, also while a
 * question is open there, or one a line from a pipe.
 */
import { codeInLine } from "../rendezvous/code_in_line.ts";
import type { Terminal } from "./terminal.ts";

/** Where reply codes come from and go to. */
export interface ReplyInput {
  readonly terminal: Terminal;
  /** Takes a code, or throws. */
  readonly addReply: (code: string) => void;
  /** Told what `addReply` threw. */
  readonly onRefused: (error: unknown) => void;
  /** Told of a line that is no code and answers no question; once until a code comes. */
  readonly onOther: () => void;
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

/** The code in a line, perhaps a mistyped one; undefined when the line is something else. */
export function replyCodeIn(line: string): string | undefined {
  const code = codeInLine(line);
  if (code !== undefined) return code;
  const compact = line.replace(/[\s\p{Dash_Punctuation}]/gu, "");
  const isUnmarked = compact.length >= MIN_UNMARKED_CHARACTERS && /^[a-z0-9]+$/i.test(compact);
  return isUnmarked ? line.trim() : undefined;
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

  function handleLine(line: string, isAsked: boolean): boolean {
    const code = replyCodeIn(line);
    if (code === undefined) {
      // Enter alone clears a person's mind or the screen.
      if (!isAsked && line.trim() !== "") handleOther();
      return false;
    }
    isToldOfOther = false;
    try {
      input.addReply(code);
    } catch (error) {
      input.onRefused(error);
    }
    return true;
  }

  await input.terminal.listen(handleLine, AbortSignal.any([input.signal, enough.signal]));
}
