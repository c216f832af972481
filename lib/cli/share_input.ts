/** What `send`, `share` and `wait` give: paths, standard input, a text, or nothing. */
import { TransferError } from "../errors.ts";
import type { ShareSource } from "../options.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import type { CommandContext } from "./context.ts";
import type { GiveInvocation, ShareInvocation } from "./invocation.ts";
import { inputStream, readInputText } from "./standard_input.ts";

/** What is called like this at the other side when nobody names it. */
const STREAM_NAME = "stdin";

/**
 * What `invocation` gives, standard input opened or read where that is it.
 *
 * @throws {TypeError} If standard input is no text that can be sent.
 * @throws {TransferError} `interrupted` by the signal.
 */
export async function sourceOf(
  { command, paths, input }: ShareInvocation | GiveInvocation,
  streams: ConsoleStreams,
  signal: AbortSignal,
): Promise<ShareSource> {
  if (command === "wait") return { nothing: true };
  if (input === undefined) return paths;
  const { kind, name } = input;
  if (kind === "stream") return { stream: inputStream(streams), name: name ?? STREAM_NAME };
  const text = input.text ?? await readInputText(streams, signal);
  if (text === undefined) throw new TransferError("interrupted", "Interrupted");
  return { text, ...(name === undefined ? {} : { name }) };
}

/** What a person at a terminal is told who is to type what is sent; undefined when nobody is. */
export function typingLine(
  { input, json }: ShareInvocation | GiveInvocation,
  { terminal, installation }: CommandContext,
): string | undefined {
  const isTyped = input !== undefined && input.text === undefined && terminal.inputIsTerminal;
  if (!isTyped || json) return undefined;
  const end = installation.windows ? "Ctrl-Z and Enter" : "Ctrl-D";
  return input.kind === "text"
    ? `Type the text to send, and ${end} on a line of its own.`
    : `What is typed here is sent; ${end} on a line of its own ends it.`;
}
