/**
 * Goal: the pseudo-terminal of the tests is one: programs find a terminal of the right size, keys
 * become signals, and what a program does to the modes shows.
 * Method: small shell scripts on it. Needs Linux, --allow-run and --allow-ffi.
 */
import assert from "node:assert/strict";
import { PseudoTerminal } from "../support/pseudo_terminal.ts";
import { terminalTest } from "../support/terminal_program.ts";
import { within } from "../support/within.ts";

const ENVIRONMENT = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", TERM: "xterm" };
const SIZE = { columns: 60, rows: 20 };

/** A script on a terminal: what it writes, and how it ends. */
class Script implements AsyncDisposable {
  readonly terminal: PseudoTerminal;
  readonly #session;
  readonly #decoder = new TextDecoder();
  #wake = () => {};
  output = "";

  constructor(script: string) {
    this.terminal = new PseudoTerminal(SIZE, (bytes) => {
      this.output += this.#decoder.decode(bytes, { stream: true });
      this.#wake();
    });
    this.#session = this.terminal.start(["/bin/sh", "-c", script], ENVIRONMENT);
  }

  async shows(text: string): Promise<void> {
    const look = async () => {
      while (!this.output.includes(text)) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    await within(text, look());
  }

  async end(): Promise<number> {
    const status = await within("the script to end", this.#session.exit);
    await within("all output", this.terminal.caughtUp());
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
    await this.terminal[Symbol.asyncDispose]();
  }
}

function scriptTest(name: string, script: string, use: (script: Script) => Promise<void>): void {
  terminalTest(`PseudoTerminal ${name}`, async () => {
    await using running = new Script(script);
    await use(running);
  });
}

scriptTest(
  "is the terminal of its program and has a size",
  "tty && stty size </dev/tty; exit 7",
  async (script) => {
    assert.equal(await script.end(), 7);
    assert.equal(script.output, `${script.terminal.path}\r\n20 60\r\n`);
  },
);

scriptTest(
  "tells its program of another size",
  "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done",
  async (script) => {
    await script.shows("ready");
    script.terminal.resize({ columns: 40, rows: 10 });
    assert.equal(await script.end(), 0);
    assert.equal(script.output, "ready\r\n10 40\r\n");
  },
);

scriptTest(
  "hands over whole lines, edited, and shows them",
  'read -r line; echo "<$line>"',
  async (script) => {
    await script.terminal.write("wrong\x15right\n");
    assert.equal(await script.end(), 0);
    assert.match(script.output, /right\r\n<right>\r\n$/);
  },
);

scriptTest(
  "makes Ctrl-C a signal, which it outlives",
  "echo ready; exec sleep 60",
  async (script) => {
    await script.shows("ready");
    await script.terminal.write("\x03");
    assert.equal(await script.end(), 128 + 2);
  },
);

scriptTest("shows which modes a program left", "stty -echo; exit 3", async (script) => {
  const before = script.terminal.modes;
  assert.equal(await script.end(), 3);
  assert.notEqual(script.terminal.modes, before);
});

scriptTest("hands on all that was written, in order", "seq 1 20000", async (script) => {
  assert.equal(await script.end(), 0);
  const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\r\n`);
  assert.ok(script.output === numbers.join(""));
});

terminalTest("PseudoTerminal ends a program that does not end by itself", async () => {
  for (const isReady of [true, false]) {
    const script = new Script("trap '' HUP INT; echo ready; sleep 60");
    if (isReady) await script.shows("ready");
    await within("the end of the terminal", script[Symbol.asyncDispose]());
  }
});
