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
