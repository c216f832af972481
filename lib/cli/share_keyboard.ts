/** What a person can do with a share that runs, by typing a line: see `keyboard.ts`. */
import type { ShareOperation } from "./context.ts";
import { clientListLines } from "./client_list.ts";
import { errorEventOf } from "./failure.ts";
import { formatExactRate } from "./format.ts";
import {
  isCommandLine,
  type KeyboardCommand,
  keyboardHelp,
  type KeyboardName,
  parseKeyboardLine,
} from "./keyboard.ts";
import type { TypedCommands } from "./reply_input.ts";

const NAMES: readonly KeyboardName[] = ["list", "kick", "limit", "close", "help"];

/** Where answers go, and how wide they may be. */
export interface KeyboardScreen {
  readonly columns: number;
  note(...lines: string[]): void;
}

/** The commands of a share. */
export class ShareKeyboard implements TypedCommands {
  readonly #share: ShareOperation;
  readonly #screen: KeyboardScreen;

  /** @param screen Where answers go. */
  constructor(share: ShareOperation, screen: KeyboardScreen) {
    this.#share = share;
    this.#screen = screen;
  }

  isCommand(line: string): boolean {
    return isCommandLine(line, NAMES);
  }

  handleLine(line: string): boolean {
    const parsed = parseKeyboardLine(line, NAMES);
    if (parsed.kind === "problem") this.#screen.note(parsed.message);
    if (parsed.kind === "command") this.#run(parsed.command);
    return parsed.kind !== "other";
  }

  #run(command: KeyboardCommand): void {
    const share = this.#share;
    switch (command.name) {
      case "list":
        return this.#screen.note(...clientListLines(share.clients, this.#screen.columns));
      case "kick":
        // That it was sent away is an event.
        if (share.kick(command.session)) return;
        return this.#screen.note(`There is no client ${command.session}: list shows who is here.`);
      case "limit":
        return this.#limit(command.rate);
      case "close":
        // That nobody new is let in is an event, or it is over.
        return share.stopAdmitting();
      case "help":
        return this.#screen.note(
          "Type one of these, or its first letters, or paste a reply code:",
          ...keyboardHelp(NAMES),
        );
      case "offer": // of the other side only
        return;
      default:
        return command satisfies never;
    }
  }

  #limit(rate: number | undefined): void {
    try {
      this.#share.setLimit(rate);
    } catch (error) {
      return this.#screen.note(errorEventOf(error).message);
    }
    this.#screen.note(
      rate === undefined ? "No limit any more." : `No faster than ${formatExactRate(rate)} in all.`,
    );
  }
}
