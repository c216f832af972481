/** Remembers who is met, under a name that the person is asked for. */
import { TransferError } from "../errors.ts";
import type { IdentityReport } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { Remembered } from "./context.ts";
import type { Terminal } from "./terminal.ts";

/** What is asked, and what is done with the answer. */
export interface RememberQuestion {
  readonly identity: IdentityReport;
  /** Remembers them; without a name those who are remembered already. */
  readonly remember: (name: { readonly name?: string }) => Promise<Remembered>;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** Asks until there is a name that can be given, or none; nothing else depends on it. */
export async function askToRemember(
  terminal: Terminal,
  { identity, remember, signal }: RememberQuestion,
): Promise<void> {
  for (;;) {
    const name = identity.name === undefined ? await askName(terminal, signal) : undefined;
    if (name === undefined && identity.name === undefined) return;
    try {
      const { lookAlikes } = await remember(name === undefined ? {} : { name });
      for (const other of lookAlikes) {
        terminal.note(`Warning: That could be taken for "${escapeText(other)}".`);
      }
      return;
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      // Who was let in stays so: only the next time it is asked again.
      terminal.note(escapeText(error.message), `  ${error.hint}`);
      if (error.code !== "usage" || name === undefined) return;
    }
  }
}

/** Undefined when there is to be none. */
async function askName(terminal: Terminal, signal: AbortSignal): Promise<string | undefined> {
  const line = await terminal.ask("Name for them (Enter: not remembered): ", signal, {
    takesAnyLine: true,
  });
  const name = line?.trim().normalize("NFC") ?? "";
  return name === "" ? undefined : name;
}
