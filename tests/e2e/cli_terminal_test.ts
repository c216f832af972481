/**
 * Goal: the program behaves at a real terminal, in pipes and under signals, whatever flags it was
 * started with.
 * Method: `cli.ts` as a process, on a pseudo-terminal of 60 columns where a terminal matters; what a
 * person would see comes from an emulator. Needs --allow-run, --allow-read, --allow-write and
 * --allow-ffi.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ALL_FLAGS } from "../support/cli_process.ts";
import { KEYS, TerminalProgram, terminalTest } from "../support/terminal_program.ts";
import { within } from "../support/within.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** As the project runs it, with every permission. */
const PROJECT = ["run", "-A", "--config", CONFIG, CLI];
/** As a user of the published package runs it: no flag for the socket anywhere. */
const PACKAGE = ["run", "-A", "--no-config", CLI];
/** The same at a terminal. */
const PACKAGE_FLAGS = ["--allow-all"];
/** Only addresses of this machine, so that tests meet nobody else. */
const LOOPBACK = [
  "--allow-loopback",
  "--bind",
  "127.0.0.1:0",
  "--address",
  "127.0.0.1",
  "--no-local-addresses",
];

const ENDED_SOON_MS = 2000;

/** A process whose output can be waited for. */
class RunningProgram {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #wake: () => void = () => {};
  output = "";
  error = "";

  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(command, {
      args,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([
      this.#read(this.#child.stdout, (text) => this.output += text),
      this.#read(this.#child.stderr, (text) => this.error += text),
    ]);
  }

  /** On standard streams that are pipes. */
  static piped(args: string[], env?: Record<string, string>): RunningProgram {
    return new RunningProgram(Deno.execPath(), args, env);
  }

  async #read(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      add(text);
      this.#wake();
    }
    this.#wake();
  }

  /** Waits until the output has `text`. */
  async waitFor(text: string): Promise<void> {
    const found = async () => {
      while (!(this.output + this.error).includes(text)) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    try {
      await within(`the text ${JSON.stringify(text)}`, found());
    } catch (cause) {
      const seen = JSON.stringify(this.output + this.error);
      throw new Error(`${(cause as Error).message}; seen: ${seen}`, { cause });
    }
  }

  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  async end(): Promise<{ code: number; afterMs: number }> {
    const start = performance.now();
    try {
      const { code } = await within("the program to end", this.#child.status);
      const afterMs = performance.now() - start;
      await this.#reading;
      return { code, afterMs };
    } finally {
      await this.#input.close().catch(() => {
        // The pipe is gone with the program.
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already, as it should.
    }
    await this.#child.status;
  }
}

/** At a terminal with rows as short as many windows have them. */
function onTerminal(args: readonly string[], flags?: readonly string[]): TerminalProgram {
  const options = { columns: 60, rows: 20, ...(flags === undefined ? {} : { flags }) };
  return new TerminalProgram(args, options);
}

/** The code as a sharer shows it. */
async function codeAt(sender: TerminalProgram): Promise<string> {
  await sender.shows("jsr:@p2pft/cli receive p2p1");
  const [code] = await sender.match(/^p2p1[0-9a-z]+/);
  return code;
}

function assertEndedSoon(startMs: number): void {
  const afterMs = performance.now() - startMs;
  assert.ok(afterMs < ENDED_SOON_MS, `${afterMs} ms`);
}

/** A test that needs what Windows does not have. */
function posixTest(name: string, run: () => Promise<void>): void {
  const ignore = Deno.build.os === "windows";
  const reason = ignore ? " [skipped: needs POSIX signals and pipes]" : "";
  Deno.test({ name: `cli.ts ${name}${reason}`, ignore, fn: run });
}

/** A folder with a file of `bytes` in it, and one to receive into; gone at the end. */
async function folders(bytes: number) {
  const root = await Deno.makeTempDir({ prefix: "p2pft-terminal-" });
  await Deno.mkdir(`${root}/out`);
  const content = new Uint8Array(bytes);
  for (let index = 0; index < bytes; index++) content[index] = (index * 31) >> 3;
  await Deno.writeFile(`${root}/写真.bin`, content);
  return {
    source: `${root}/写真.bin`,
    target: `${root}/out`,
    assertReceived: async () =>
      assert.deepEqual(await Deno.readFile(`${root}/out/写真.bin`), content),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

terminalTest("cli.ts asks for the code at a terminal and ends soon after Ctrl-C", async () => {
  for (const flags of [ALL_FLAGS, PACKAGE_FLAGS]) {
    await using program = onTerminal(["receive"], flags);
    await program.shows("Number or code: ");
    const start = performance.now();
    await program.type(KEYS.ctrlC);
    await program.expectExit(130);
    assertEndedSoon(start);
    assert.equal(program.screen.lines.at(-1), "Interrupted");
  }
});

terminalTest("cli.ts names missing permissions at a terminal, and Deno asks nothing", async () => {
  await using program = onTerminal(["send", "x"], ["--unstable-net"]);
  await program.expectExit(24);
  const seen = program.screen.lines.join("");
  assert.ok(seen.includes("--allow-net --allow-sys=networkInterfaces --allow-read=x"), seen);
  assert.ok(!/Deno requests|Allow\?/.test(seen), seen);
});

terminalTest("cli.ts sends and receives between two terminals, asking on both", async () => {
  await using files = await folders(3_000_000);
  await using sender = onTerminal(["send", files.source, ...LOOPBACK]);
  const code = await codeAt(sender);
  await sender.shows("Waiting for the other side");
  await using receiver = onTerminal(["receive", "--allow-loopback", "-o", files.target]);
  await receiver.shows("Number or code: ");
  await receiver.type(`${code.toUpperCase()}\n`);
  await sender.shows("in? [y/N]");
  await sender.type("y\n");
  await receiver.shows("? [Y/n]");
  await receiver.type("\n");
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await files.assertReceived();

  assert.equal(receiver.screen.lines.at(-1), "Everything verified. Transfer complete.");
  assert.equal(sender.screen.lines.at(-1), "Confirmation received. Transfer complete.");
  assert.equal(receiver.count("Offered: 1 item, 3.0 MB"), 1);
  assert.equal(receiver.count("  1 new · 0 same · 0 differ"), 1);
  assert.equal(receiver.count("写真.bin"), 1);
  assert.equal(sender.count("Connected to 127.0.0.1:"), 1);
  const root = ({ screen }: TerminalProgram) =>
    /Verified root: ([0-9a-f]{32})/.exec(screen.lines.join("\n"))?.[1];
  assert.ok(root(sender) !== undefined);
  assert.equal(root(sender), root(receiver));
});

terminalTest("cli.ts asks at a terminal what to do with what differs, one by one", async () => {
  const root = await Deno.makeTempDir({ prefix: "p2pft-terminal-" });
  await using _gone = {
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
  const names = ["a", "b", "c", "d"];
  for (const [folder, text] of [["from", "theirs"], ["to", "mine"]] as const) {
    await Deno.mkdir(`${root}/${folder}`);
    for (const name of names) await Deno.writeTextFile(`${root}/${folder}/${name}`, text);
  }
  const paths = names.map((name) => `${root}/from/${name}`);
  await using sender = RunningProgram.piped([...PROJECT, "send", "--yes", ...paths, ...LOOPBACK]);
  await sender.waitFor("jsr:@p2pft/cli receive p2p1");
  const code = /p2p1[0-9a-z]+/.exec(sender.output)![0];
  await using receiver = onTerminal(["receive", "--allow-loopback", "-o", `${root}/to`, code]);
  await receiver.shows("? [Y/n]");
  await receiver.type("y\n");
  await receiver.shows("What to do with them? [k/b/u/r/o]");
  // Who means no replaces nothing.
  await receiver.type("n\n");
  await receiver.shows("Please answer with one of k, b, u, r, o.");
  await receiver.shows("What to do with them? [k/b/u/r/o]", 2);
  await receiver.type("o\n");
  for (const [index, answer] of ["b", "r", "K"].entries()) {
    await receiver.shows("replace? [k/b/u/r/K/B/U/R]", index + 1);
    await receiver.type(`${answer}\n`);
  }
  await receiver.expectExit(13);
  const stored = [...Deno.readDirSync(`${root}/to`)].map(({ name }) => name).sort();
  assert.deepEqual(stored, ["a", "a (2)", "b", "c", "d"]);
  const textOf = (name: string) => Deno.readTextFileSync(`${root}/to/${name}`);
  assert.deepEqual(stored.map(textOf), ["mine", "theirs", "theirs", "mine", "mine"]);
});

terminalTest("cli.ts turns a client away at a terminal and lets the next one in", async () => {
  await using files = await folders(1000);
  await using sender = onTerminal(["send", files.source, ...LOOPBACK]);
  const code = await codeAt(sender);
  const receive = [...PROJECT, "receive", "--allow-loopback", "-o", files.target, code];
  for (const [index, isWanted] of [false, true].entries()) {
    await using receiver = RunningProgram.piped(receive);
    await sender.shows("in? [y/N]", index + 1);
    assert.doesNotMatch(receiver.output + receiver.error, /Offered|写真/);
    await sender.type(isWanted ? "y\n" : "n\n");
    assert.equal((await receiver.end()).code, isWanted ? 0 : 5, receiver.error);
  }
  await sender.expectExit(0);
  await files.assertReceived();
});

terminalTest("cli.ts shows the same words on two terminals and asks on both", async () => {
  await using files = await folders(1000);
  await using sender = onTerminal(["send", "--verify", files.source, ...LOOPBACK]);
  const code = await codeAt(sender);
  await using receiver = onTerminal(
    ["receive", "--verify", "--allow-loopback", "-o", files.target, code],
  );
  const words = ({ screen }: TerminalProgram) =>
    /Words: (\S+ \S+ \S+)/.exec(screen.lines.join("\n"))?.[1];
  await sender.shows("show the same words? ");
  await receiver.shows("show the same words? ");
  assert.ok(words(sender) !== undefined);
  assert.equal(words(receiver), words(sender));
  await receiver.type("y\n");
  await sender.type("y\n");
  await receiver.shows("? [Y/n]");
  await receiver.type("\n");
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await files.assertReceived();
});

terminalTest("cli.ts lets in the client whose reply code is pasted into its terminal", async () => {
  await using files = await folders(1000);
  await using sender = onTerminal(["send", "--private", files.source, ...LOOPBACK]);
  await sender.shows("are let in.");
  await sender.shows("Waiting for the other side");
  const code = await codeAt(sender);
  await using receiver = RunningProgram.piped(
    [...PROJECT, "receive", "--allow-loopback", "--stun", "none", "-o", files.target, code],
  );
  await receiver.waitFor("p2p1");
  await sender.type("p2p1bad\n");
  await sender.shows("Cannot read the reply code");
  await sender.type(`Here it is: ${receiver.output.trim().toUpperCase()}\n`);
  assert.equal((await receiver.end()).code, 0, receiver.error);
  await sender.expectExit(0);
  await files.assertReceived();
  assert.equal(sender.count(/^Let /), 0);
});

terminalTest("cli.ts takes nothing that was typed before a question for its answer", async () => {
  await using files = await folders(1000);
  await using sender = onTerminal(["send", files.source, ...LOOPBACK]);
  const code = await codeAt(sender);
  await sender.shows("Waiting for the other side");
  await sender.type("y\ny\n");
  await using receiver = RunningProgram.piped(
    [...PROJECT, "receive", "--allow-loopback", "-o", files.target, code],
  );
  await sender.shows("in? [y/N]");
  await sender.type("n\n");
  assert.equal((await receiver.end()).code, 5, receiver.error);
  await sender.type(KEYS.ctrlC);
  await sender.expectExit(130);
});

terminalTest("cli.ts takes nothing of a paste for the answer to an open question", async () => {
  await using files = await folders(1000);
  await using sender = onTerminal(["send", files.source, ...LOOPBACK]);
  const code = await codeAt(sender);
  await using receiver = RunningProgram.piped(
    [...PROJECT, "receive", "--allow-loopback", "-o", files.target, code],
  );
  await sender.shows("in? [y/N]");
  await sender.type(`p2p1z${"q".repeat(60)}\ny\n\n`);
  await sender.shows("Cannot read the reply code");
  await sender.shows("in? [y/N]");
  assert.equal(sender.count("q".repeat(20)), 0);
  await sender.type("n\n");
  assert.equal((await receiver.end()).code, 5, receiver.error);
});

terminalTest(
  "cli.ts is asked nothing by Deno while it receives with the documented permissions",
  async () => {
    await using files = await folders(1000);
    await using sender = RunningProgram.piped([...PROJECT, "send", files.source, ...LOOPBACK]);
    await sender.waitFor("jsr:@p2pft/cli receive p2p1");
    const code = sender.output.split("\n")[0]!;
    const target = `${files.target}/not/there`;
    await using receiver = onTerminal(
      ["receive", "--yes", "--allow-loopback", "-o", target, code],
      [
        ...["--unstable-net", "--allow-net", "--allow-sys=networkInterfaces,statfs"],
        ...["--allow-env=P2PFT_CODE", `--allow-read=${target}`, `--allow-write=${target}`],
      ],
    );
    await receiver.expectExit(0);
    assert.equal((await sender.end()).code, 0, sender.error);
    assert.ok(!/Deno requests|Allow\?/.test(receiver.output), receiver.output);
  },
);

terminalTest(
  "cli.ts ends a waiting share soon after Ctrl-C and leaves no status line",
  async () => {
    await using files = await folders(1);
    await using program = onTerminal(["send", files.source, ...LOOPBACK], PACKAGE_FLAGS);
    // A terminal throws away what it has not shown yet: the line as it is while codes can be pasted.
    await program.shows("(Ctrl-C ends)");
    const start = performance.now();
    await program.type(KEYS.ctrlC);
    await program.expectExit(130);
    assertEndedSoon(start);
    assert.equal(program.count("Waiting for the other side"), 0);
  },
);

Deno.test("cli.ts moves a file between pipes without control sequences, code on the first line", async () => {
  await using files = await folders(300_000);
  await using sender = RunningProgram.piped([...PROJECT, "send", files.source, ...LOOPBACK]);
  await sender.waitFor("jsr:@p2pft/cli receive p2p1");
  const code = sender.output.split("\n")[0]!;
  await using receiver = RunningProgram.piped(
    [...PROJECT, "receive", "--allow-loopback", "-o", files.target],
  );
  await receiver.type(`${code}\n`);
  assert.equal((await receiver.end()).code, 0, receiver.error);
  assert.equal((await sender.end()).code, 0, sender.error);
  await files.assertReceived();
  assert.match(sender.error, /Warning: Nobody is asked here/);
  for (const { output, error } of [sender, receiver]) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(output + error, /[\x00-\x09\x0b-\x1f\x7f]/);
  }
});

posixTest("ends when nobody reads its output any more", async () => {
  await using files = await folders(1);
  const line = `'${Deno.execPath()}' ${PROJECT.join(" ")} send --json '${files.source}' ${
    LOOPBACK.join(" ")
  } | head -n 1`;
  await using pipeline = new RunningProgram("sh", ["-c", line]);
  await pipeline.waitFor('"event":"code"');
  // Only who prints again can notice; what came right behind the code may have gone to the pipe.
  const { code } = JSON.parse(pipeline.output);
  await using _client = RunningProgram.piped(
    [...PROJECT, "receive", "--json", "--allow-loopback", "-o", files.target, code],
  );
  assert.equal((await pipeline.end()).code, 0);
  assert.equal(pipeline.error, "");
});

Deno.test("cli.ts under -A without the flag takes a code from P2PFT_CODE", async () => {
  await using program = RunningProgram.piped([...PACKAGE, "receive", "--json"], {
    P2PFT_CODE: "no code at all",
  });
  assert.equal((await program.end()).code, 3);
  assert.equal(JSON.parse(program.output.trim().split("\n").at(-1)!).code, "bad_code");
});

posixTest("under -A without the flag passes signals on", async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    await using program = RunningProgram.piped([...PACKAGE, "receive", "-v"]);
    await program.waitFor("Waiting for the code");
    program.kill(signal);
    const { code, afterMs } = await program.end();
    assert.equal(code, 130, signal);
    assert.ok(afterMs < ENDED_SOON_MS, `${signal}: ${afterMs} ms`);
  }
});

Deno.test("cli.ts with scoped permissions and without the flag prints the whole command", async () => {
  await using program = RunningProgram.piped(
    ["run", "--no-config", "--allow-net", "--allow-read=x", CLI, "send", "x", "--qr"],
  );
  assert.equal((await program.end()).code, 24);
  assert.equal(program.output, "");
  assert.equal(
    program.error.split("\n")[1],
    "  Run: deno run --unstable-net --allow-net --allow-sys=networkInterfaces --allow-read=x " +
      `${CLI} send x --qr`,
  );
});
