/**
 * A share at a terminal and those who come to it: what a person with the keyboard before them sees
 * and types, in processes on loopback that ask nobody outside.
 */
import type { CliProcess } from "./cli_process.ts";
import { sharingWords, startReceive } from "./cli_transfer.ts";
import { HiddenClient } from "./hidden_client.ts";
import { TempFolder } from "./temp_folder.ts";
import { TerminalProgram, type TerminalProgramOptions } from "./terminal_program.ts";
import { writeFileSync } from "./tree.ts";

/** How to start a {@linkcode TerminalShare}. */
export interface TerminalShareOptions extends TerminalProgramOptions {
  /** What to start (default `share`). */
  readonly command?: "share" | "send";
  /** Further words of the command line. */
  readonly args?: readonly string[];
  /** Size of the one file that is shared (default 1000). */
  readonly bytes?: number;
}

/** A share at a terminal, its clients and their folders; all gone at the end of an `await using`. */
export class TerminalShare implements AsyncDisposable {
  readonly #temp: TempFolder;
  readonly #clients = new AsyncDisposableStack();
  /** The share. */
  readonly program: TerminalProgram;

  private constructor(temp: TempFolder, program: TerminalProgram) {
    this.#temp = temp;
    this.program = program;
  }

  /** Starts one. Its file is called `file`, in a folder `source`. */
  static async start(options: TerminalShareOptions = {}): Promise<TerminalShare> {
    const { command = "share", args = [], bytes = 1000 } = options;
    const temp = await TempFolder.make();
    await temp.folder("source");
    writeFileSync(temp.at("source", "file"), bytes, 1);
    const quiet = ["--stun", "none", "--no-portmap"];
    const words = sharingWords(command, [temp.at("source")], [...quiet, ...args]);
    return new TerminalShare(temp, new TerminalProgram(words, options));
  }

  /** Where what is shared lies. */
  get source(): string {
    return this.#temp.at("source");
  }

  /** Where the client of that name puts it. */
  targetOf(name: string): string {
    return this.#temp.at("targets", name);
  }

  /** Its code, once it is on the screen and the share waits. */
  async code(): Promise<string> {
    const [code] = await this.program.match(/^p2p1q[0-9a-z]+$/);
    await this.program.shows(/^(deno run .*|p2pft )receive p2p1/);
    return code;
  }

  /** Where it is then. */
  receivedBy(name: string): string {
    return this.#temp.at("targets", name, "source");
  }

  /** Starts a client without a terminal. */
  async receive(name: string, args: readonly string[] = []): Promise<CliProcess> {
    const code = await this.code();
    return this.#clients.use(startReceive(code, this.targetOf(name), { args }));
  }

  /** Starts a client that cannot get through without its reply code. */
  async receiveHidden(name: string): Promise<HiddenClient> {
    return this.#clients.use(new HiddenClient(await this.code(), this.targetOf(name)));
  }

  /** Starts a client at a terminal of its own. */
  async receiveAtTerminal(
    name: string,
    options: TerminalProgramOptions & { readonly args?: readonly string[] } = {},
  ): Promise<TerminalProgram> {
    const code = await this.code();
    const words = ["receive", "--allow-loopback", "-o", this.targetOf(name)];
    return this.#clients.use(
      new TerminalProgram([...words, ...options.args ?? [], code], options),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clients.disposeAsync();
    await this.program[Symbol.asyncDispose]();
    await this.#temp[Symbol.asyncDispose]();
  }
}
