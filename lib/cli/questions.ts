/** Questions to the person at the terminal. */
import type { Terminal } from "./terminal.ts";

/** A question that is answered with yes or no. */
export interface YesNoQuestion {
  /** Ends in a question mark. */
  readonly text: string;
  /** What Enter alone means. */
  readonly defaultAnswer: boolean;
  /** Gives up; the answer is then no. */
  readonly signal: AbortSignal;
}

/** A question with a few answers. */
export interface ChoiceQuestion<Answer> {
  /** Ends in a question mark. */
  readonly text: string;
  /** The answers by the letter that gives them, the first of which Enter alone gives. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Asks until one of the letters is the answer; case counts.
 *
 * @returns Undefined at the end of the input.
 */
export async function askChoice<Answer>(
  terminal: Terminal,
  question: ChoiceQuestion<Answer>,
): Promise<Answer | undefined> {
  const { text, answers, signal } = question;
  const letters = Array.from(answers.keys());
  const shown = letters.join("/");
  for (;;) {
    const line = await terminal.ask(`${text} [${shown}] `, signal);
    if (line === undefined) return undefined;
    const letter = line.trim() === "" ? letters[0]! : line.trim();
    if (answers.has(letter)) return answers.get(letter);
    terminal.note(`Please answer with one of ${letters.join(", ")}.`);
  }
}

/** Asks until the answer is yes or no. The end of the input is a no. */
export async function askYesNo(terminal: Terminal, question: YesNoQuestion): Promise<boolean> {
  const { text, defaultAnswer, signal } = question;
  const prompt = `${text} ${defaultAnswer ? "[Y/n]" : "[y/N]"} `;
  for (;;) {
    const line = await terminal.ask(prompt, signal);
    if (line === undefined) return false;
    const answer = line.trim().toLowerCase();
    if (answer === "") return defaultAnswer;
    if (answer === "y" || answer === "yes") return true;
    if (answer === "n" || answer === "no") return false;
    terminal.note("Please answer y or n.");
  }
}

/** What can be said about somebody who shows who they are. */
export type AdmitAnswer = "yes" | "always" | "no";

const ADMIT_ANSWERS: Readonly<Record<string, AdmitAnswer>> = {
  "": "no",
  y: "yes",
  yes: "yes",
  a: "always",
  always: "always",
  n: "no",
  no: "no",
};

/** Asks whether to let somebody in, now or from now on; Enter and the end of the input are a no. */
export async function askAdmission(
  terminal: Terminal,
  question: { readonly text: string; readonly signal: AbortSignal },
): Promise<AdmitAnswer> {
  for (;;) {
    const line = await terminal.ask(`${question.text} [y/a/N] `, question.signal);
    if (line === undefined) return "no";
    const answer = ADMIT_ANSWERS[line.trim().toLowerCase()];
    if (answer !== undefined) return answer;
    terminal.note("Please answer y, a (yes, and always from now on) or n.");
  }
}
