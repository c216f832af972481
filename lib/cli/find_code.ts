/** Where the code comes from that the other side made. */
import { CODE_VARIABLE } from "./code_variable.ts";
import type { CommandContext } from "./context.ts";
import { givenCode } from "./given_code.ts";
import type { GiveInvocation, ReceiveInvocation } from "./invocation.ts";
import { askForCode, codeOfNamed } from "./lan_code.ts";

/**
 * The code from the command line, the environment, the person, or the first line of the input.
 *
 * @returns Undefined when there is none.
 * @throws {TransferError} When a share of the local network was named that cannot be taken.
 */
export async function findCode(
  invocation: ReceiveInvocation | GiveInvocation,
  context: CommandContext,
): Promise<string | undefined> {
  const { terminal, streams, signal } = context;
  if (invocation.command === "receive" && invocation.lan?.name !== undefined) {
    return await codeOfNamed(invocation.lan.name, context, invocation.json);
  }
  const given = givenCode(invocation.code ?? context.env(CODE_VARIABLE));
  if (given !== undefined) return given;
  // What is read from there is given to the other side.
  const isInputTaken = invocation.command === "give" && invocation.input !== undefined &&
    invocation.input.text === undefined;
  if (isInputTaken) return undefined;
  if (streams.inputIsTerminal && !(terminal.canAsk && !invocation.json)) return undefined;
  if (!streams.inputIsTerminal && invocation.verbose && !invocation.json) {
    terminal.note("Waiting for the code on standard input");
  }
  const line = streams.inputIsTerminal
    ? await askForCode(context)
    : await terminal.readLine(signal);
  return givenCode(line);
}
