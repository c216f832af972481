/**
 * The program at a terminal, as people run it: `deno run … cli.ts` on a pseudo-terminal, keys and
 * pastes going in through the line discipline, and what a person would see coming out. Everything is
 * waited for with a generous limit and no duration is ever guessed.
 */
import assert from "node:assert/strict";
import { ALL_FLAGS, CLI_PATH, outsideHelp } from "./cli_process.ts";
import { PseudoTerminal, pseudoTerminalProblem, type TerminalSession } from "./pseudo_terminal.ts";
import { type ScreenOptions, TerminalScreen } from "./terminal_screen.ts";
import { within } from "./within.ts";

/** Longest wait for something to be seen. */
const LIMIT_MS = 60_000;

/** Colours, and what the program may do to its lines: those of `typed_row.ts`, and erase to the end. */
// deno-lint-ignore no-control-regex
const KNOWN_SEQUENCES = /\x1b\[[\d;]*m|\x1b\[\d+[ABLM]|\x1b\[[JK]|\x1b[78D]/g;

/** Any other control character but those that end rows. */
// deno-lint-ignore no-control-regex
const UNKNOWN_CONTROL = /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

/** What Deno itself writes over its progress while it loads a program that starts itself again. */
// deno-lint-ignore no-control-regex
const LOADING = /^(?:\x1b\[0G|\x1b\[2K|\x1b\[J)+/;

/** Variables that would change what programs write. */
const OWN_VARIABLES = ["NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "P2PFT_CODE", "P2PFT_HOME"];

/** How to start the program. */
export interface TerminalProgramOptions extends Partial<ScreenOptions> {
  /** Variables beside those of this process; `TERM` is `xterm-256color`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of `deno run`; {@linkcode ALL_FLAGS} by default. */
  readonly flags?: readonly string[];
  /** A program and its arguments to run Deno under. */
  readonly wrapper?: readonly string[];
}

/** Keys that are no characters. */
export const KEYS = { ctrlC: "\x03", ctrlZ: "\x1a", ctrlU: "\x15" } as const;

/** The words that start the program. */
function programWords(args: readonly string[], flags = ALL_FLAGS): string[] {
  const deno = [Deno.execPath(), "run", "--quiet", "--no-config"];
  return [...deno, ...flags, CLI_PATH, ...args, ...outsideHelp(args)];
}

/** The program at a terminal of its own, for `await using`. */
export class TerminalProgram implements AsyncDisposable {
  readonly #name: string;
  readonly #terminal: PseudoTerminal;
  readonly #session: TerminalSession;
  readonly #decoder = new TextDecoder();
  readonly #modes: string;
  #shown: Promise<void> = Promise.resolve();
  #waiters: (() => void)[] = [];
  /** Its exit status, when all that it wrote is here. */
  readonly #exit: Promise<number>;
  #isEnded = false;
  #look: (screen: TerminalScreen) => void = () => {};
  /** What a person sees. */
  readonly screen: TerminalScreen;
  /** All bytes of it, as text. */
  output = "";

  /**
   * Starts the program.
   *
   * @param args The words after its name.
   * @param options 80 columns and 24 rows by default.
   */
  constructor(args: readonly string[], options: TerminalProgramOptions = {}) {
    this.#name = `p2pft ${args[0] ?? ""}`;
    const size = { columns: options.columns ?? 80, rows: options.rows ?? 24 };
    this.screen = new TerminalScreen({ ...options, ...size });
    this.#terminal = new PseudoTerminal(size, (bytes) => this.#take(bytes));
    this.#modes = this.#terminal.modes;
    const words = [...options.wrapper ?? [], ...programWords(args, options.flags)];
    this.#session = this.#terminal.start(words, environment(options.env));
    this.#exit = this.#end();
  }

  /**
   * Waits until the screen is as `isMeant` says.
   *
   * @param what For the message of a failure.
   */
  async until(what: string, isMeant: (screen: TerminalScreen) => boolean): Promise<void> {
    const look = async () => {
      for (;;) {
        await this.#settle();
        if (isMeant(this.screen)) return;
        assert.ok(!this.#isEnded, `${this.#name} ended without ${what}`);
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    };
    try {
      await within(`${this.#name}: ${what}`, look(), LIMIT_MS);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#picture()}`, { cause: error });
    }
  }

  /**
   * Waits until a line on the screen, or scrolled off it, has `pattern` in it.
   *
   * @param count How many lines must have it.
   */
  async shows(pattern: string | RegExp, count = 1): Promise<void> {
    await this.until(`${pattern} ×${count}`, () => this.count(pattern) >= count);
  }

  /** In how many lines `pattern` is now. */
  count(pattern: string | RegExp): number {
    return this.screen.unwrapped.filter((line) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line)
    ).length;
  }

  /** The first match in a line, now or later. */
  async match(pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    await this.until(`${pattern}`, ({ unwrapped }) => {
      for (const line of unwrapped) found ??= pattern.exec(line);
      return found !== null;
    });
    return found!;
  }

  /** Has every screen looked at from now on, as it is after each piece of output. */
  watch(look: (screen: TerminalScreen) => void): void {
    this.#look = look;
  }

  /** Types or pastes. */
  async type(text: string): Promise<void> {
    await this.#terminal.write(text);
  }

  /** Makes the window another size, once what was written before is shown. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#settle();
    this.screen.resize({ columns, rows });
    this.#terminal.resize({ columns, rows });
  }

  /**
   * Waits for the end and checks how the program leaves its terminal: exit status, all modes as they
   * were, the cursor at the beginning of a row under which there is nothing, and no control sequence
   * on the way that it has no business with.
   */
  async expectExit(expected: number): Promise<void> {
    const exit = await within(`${this.#name} to end`, this.#exit, LIMIT_MS)
      .catch((error) => assert.fail(`${error.message}\n${this.#picture()}`));
    await this.#settle();
    assert.equal(exit, expected, `${this.#name} ended with ${exit}\n${this.#picture()}`);
    assert.equal(this.#terminal.modes, this.#modes, "the modes of the terminal");
    const { cursor, lines } = this.screen;
    assert.deepEqual(cursor, { column: 0, row: lines.length }, this.#picture());
    const text = this.output.replace(LOADING, "").replaceAll(KNOWN_SEQUENCES, "");
    assert.doesNotMatch(text, UNKNOWN_CONTROL);
  }

  /** Ends the program if it runs, and the terminal. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
    await this.#exit;
    await this.#terminal[Symbol.asyncDispose]();
    await this.#shown;
    this.screen[Symbol.dispose]();
  }

  async #end(): Promise<number> {
    const exit = await this.#session.exit;
    await this.#terminal.caughtUp();
    this.#isEnded = true;
    this.#wake();
    return exit;
  }

  #take(bytes: Uint8Array): void {
    this.output += this.#decoder.decode(bytes, { stream: true });
    this.#shown = this.screen.write(bytes).then(() => {
      this.#look(this.screen);
      this.#wake();
    });
  }

  /** Waits until all that came is shown. */
  async #settle(): Promise<void> {
    let shown: Promise<void>;
    do {
      shown = this.#shown;
      await shown;
    } while (shown !== this.#shown);
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** The screen, for messages. */
  #picture(): string {
    return `Screen:\n${this.screen.rows.map((row) => `  |${row}`).join("\n").trimEnd()}`;
  }
}

/** The environment of this process, but nothing in it that changes what the program writes. */
function environment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const all = Deno.env.toObject();
  for (const name of OWN_VARIABLES) delete all[name];
  return { ...all, TERM: "xterm-256color", ...own };
}

const problem = pseudoTerminalProblem();

/** Declares a test that needs a pseudo-terminal; where there is none it says why it is skipped. */
export function terminalTest(name: string, run: () => Promise<void>): void {
  const reason = problem === undefined ? "" : ` [skipped: ${problem}]`;
  Deno.test({ name: `${name}${reason}`, ignore: problem !== undefined, fn: run });
}
