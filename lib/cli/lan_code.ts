/** Where `receive` and `send --to` look for a share when they were given no code. */
import type { CommandContext } from "./context.ts";
import { jsonLine } from "./json_reporter.ts";
import { askNumberOrCode, findNamed } from "./lan_choice.ts";
import { wrapWords } from "./text_width.ts";

/** What is asked where nothing can be listed. */
const CODE_QUESTION = "Code from the other side: ";

/**
 * Asks the person for a code, or for one of the shares that are found meanwhile. No permission is
 * asked for: where one is missing it is said which.
 *
 * @returns What was typed, or the code that was chosen; undefined when nothing was.
 */
export async function askForCode(context: CommandContext): Promise<string | undefined> {
  const { terminal, signal } = context;
  const network = await context.localNetwork();
  const problem = network.lanProblem();
  if (problem === undefined) return await askNumberOrCode(network, context);
  const line = `Shares on the local network are not listed: ${lowerFirst(problem.hint)}.`;
  terminal.note(...wrapWords(line, terminal.columns, "  "));
  return await terminal.ask(CODE_QUESTION, signal, { takesTypedAhead: true });
}

/**
 * The code of the share with this name.
 *
 * @throws {TransferError} As `findNamed`.
 */
export async function codeOfNamed(
  name: string,
  context: CommandContext,
  isJson: boolean,
): Promise<string | undefined> {
  return await findNamed(name, await context.localNetwork(), context, (shares) => {
    const listed = shares.map(({ name, code, addresses }) => ({ name, code, addresses }));
    if (isJson) context.streams.writeOutput(`${jsonLine({ event: "shares", shares: listed })}\n`);
  });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
