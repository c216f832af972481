/**
 * What `--lan` needs beside its word: a name that the person chose, for all neighbours read it, and
 * somebody who decides about those who come, for all neighbours have the code.
 */
import type { ErrorEvent } from "../events.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import type { CommandContext } from "./context.ts";
import { errorEvent } from "./failure.ts";
import type { Invocation, ShareInvocation } from "./invocation.ts";

/** What the person is asked who gave no name. */
const NAME_QUESTION = "Name on the local network, for all there to read: ";

/** What is missing to use the local network as `invocation` says; undefined when nothing is. */
export function lanUsageError(
  invocation: Invocation,
  streams: ConsoleStreams,
): ErrorEvent | undefined {
  if (!("lan" in invocation) || invocation.lan === undefined) return undefined;
  if (hasPerson(invocation, streams)) return undefined;
  if (invocation.lan.name === undefined) {
    return errorEvent(
      "usage",
      "Cannot ask for a name on the local network: there is no terminal to ask at",
      "Give it as --lan=NAME",
    );
  }
  if (invocation.command === "receive" || !isOpen(invocation)) return undefined;
  return errorEvent(
    "usage",
    "Cannot announce it on the local network: all neighbours would be let in, for there is no " +
      "terminal to ask at",
    "Say who may come with --private or --allow, or add --yes for everybody",
  );
}

/**
 * What is announced where nobody is asked is for those alone who were named: the code, which all
 * neighbours have, admits nobody.
 */
export function closedToNeighbours(
  invocation: ShareInvocation,
  streams: ConsoleStreams,
): ShareInvocation {
  const isAsked = invocation.yes || hasPerson(invocation, streams);
  return invocation.lan === undefined || isAsked ? invocation : { ...invocation, private: true };
}

/**
 * The name to announce.
 *
 * @returns Undefined when the person gave none.
 */
export async function lanName(
  name: string | undefined,
  { terminal, signal }: Pick<CommandContext, "terminal" | "signal">,
): Promise<string | undefined> {
  const given = name ?? await terminal.ask(NAME_QUESTION, signal);
  return given?.trim() === "" ? undefined : given?.trim();
}

/** Whether anybody who has the code is let in. */
function isOpen(invocation: Invocation & { readonly lan?: unknown }): boolean {
  return "allow" in invocation && !invocation.yes && !invocation.private &&
    invocation.allow.length === 0;
}

/** Whether somebody is at the terminal whose lines are not what is sent. */
function hasPerson(
  invocation: Invocation & { readonly lan?: unknown },
  streams: ConsoleStreams,
): boolean {
  const sendsInput = "input" in invocation && invocation.input?.kind === "stream";
  return streams.inputIsTerminal && streams.errorIsTerminal && !invocation.json && !sendsInput;
}
