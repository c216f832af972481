/**
 * Goal: however many clients there are and whatever becomes of the window, the status stands once on
 * the screen, in rows that fit, and at the end nothing of it is left.
 * Method: `share` at a pseudo-terminal with clients in processes of their own, slow enough to look
 * at. Every screen that a person could have seen is looked at, after each piece of output.
 */
import assert from "node:assert/strict";
import type { CliProcess } from "../support/cli_process.ts";
import { KEYS, type TerminalProgram, terminalTest } from "../support/terminal_program.ts";
import type { TerminalScreen } from "../support/terminal_screen.ts";
import { TerminalShare, type TerminalShareOptions } from "../support/terminal_share.ts";
import { assertSameTree } from "../support/tree.ts";

const MIB = 1_048_576;
const INTERRUPTED = 130;

/** Lines of the status: of one client, of those for whom there is no room, and of all. */
const CLIENT_LINE = /^ {1,2}(\d+) 127\.0\.0\.1:\S* /;
const HIDDEN_LINE = /^… and \d+ more/;
const ALL_LINE = /^\d+ clients, \d+ served/;

/** Keeps looking whether a line of the status is there twice; {@linkcode StatusWatch.assertOnce} tells. */
class StatusWatch {
  readonly #doubled: string[] = [];
  readonly #program: TerminalProgram;
  #screens = 0;

  constructor(program: TerminalProgram) {
    this.#program = program;
    program.watch((screen) => this.#look(screen));
  }

  #look(screen: TerminalScreen): void {
    this.#screens++;
    const seen = new Set<string>();
    for (const row of screen.rows) {
      const kind = CLIENT_LINE.exec(row)?.[1] ?? HIDDEN_LINE.exec(row)?.[0].slice(0, 5) ??
        (ALL_LINE.test(row) ? "all" : undefined);
      if (kind === undefined) continue;
      if (seen.has(kind)) this.#doubled.push(screen.lines.join("\n"));
      seen.add(kind);
    }
  }

  /** Waits until there was something to look at. */
  async hasSeen(screens: number): Promise<void> {
    await this.#program.until(`${screens} screens`, () => this.#screens >= screens);
  }

  /** Fails if a line was there twice on any screen so far. */
  assertOnce(): void {
    assert.ok(this.#screens > 0);
    assert.equal(this.#doubled.length, 0, `on the screen twice:\n${this.#doubled[0]}`);
  }
}

/** A share that everybody is let in to, and clients that are in the middle of it. */
async function startMoving(
  names: readonly string[],
  options: TerminalShareOptions,
): Promise<{ readonly share: TerminalShare; readonly clients: readonly CliProcess[] }> {
  const share = await TerminalShare.start({
    bytes: 6 * MIB,
    ...options,
    args: ["--yes", "--limit", "300k", ...options.args ?? []],
  });
  try {
    const clients = [];
    for (const name of names) clients.push(await share.receive(name));
    for (const client of clients) await client.event("progress");
    return { share, clients };
  } catch (error) {
    await share[Symbol.asyncDispose]();
    throw error;
  }
}

/** Lines of the status as they stand now, each in one row. */
function statusRows({ screen }: TerminalProgram): string[] {
  const kinds = [CLIENT_LINE, HIDDEN_LINE, ALL_LINE];
  return screen.visibleRows.filter((row) => kinds.some((kind) => kind.test(row)));
}

/** Waits until every client that there is room for has a line with a rate. */
async function untilAllMove(program: TerminalProgram, count: number): Promise<void> {
  await program.until(
    `${count} moving clients`,
    () =>
      statusRows(program).filter((row) =>
        CLIENT_LINE.test(row) && /\d% +[\d.]+ [kM]?B\/s/.test(row)
      )
        .length === count,
  );
}

terminalTest("share shows a line for each client, in place, and none at the end", async () => {
  const names = ["a", "b", "c"];
  const { share, clients } = await startMoving(names, { columns: 80, rows: 24 });
  await using _ = share;
  const { program } = share;
  const watch = new StatusWatch(program);
  await untilAllMove(program, 3);
  await program.until(
    "all of them together",
    ({ unwrapped }) => /^3 clients, 0 served, [\d.]+ kB\/s/.test(unwrapped.at(-1)!),
  );
  await watch.hasSeen(20);
  const before = program.screen.rows.length;
  await program.type("limit off\n");
  for (const client of clients) await client.expectExit(0);
  await program.shows(
    /^\[[123] 127\.0\.0\.1:\d+\] Sent 2 items, 6\.3 MB|^Sent 2 items, 6\.3 MB/,
    3,
  );
  await program.shows("Waiting for the other side");
  watch.assertOnce();
  assert.deepEqual(statusRows(program), []);
  // What stays is what happened, not how it moved.
  assert.ok(program.screen.lines.length <= before + 12, program.screen.lines.join("\n"));
  for (const name of names) await assertSameTree(share.receivedBy(name), share.source);
  await program.type(KEYS.ctrlC);
  await program.expectExit(INTERRUPTED);
});

for (const wrapsCursorLine of [true, false]) {
  const how = wrapsCursorLine ? "wraps every line anew" : "leaves the line of the cursor";
  terminalTest(`share bears other sizes of a terminal that ${how}`, async () => {
    const { share, clients } = await startMoving(["a", "b", "c"], {
      columns: 80,
      rows: 24,
      wrapsCursorLine,
    });
    await using _ = share;
    const { program } = share;
    const watch = new StatusWatch(program);
    await untilAllMove(program, 3);
    for (const [columns, rows] of [[60, 20], [44, 20], [100, 30], [60, 12], [120, 20]] as const) {
      await program.resize(columns, rows);
      const seenLength = program.output.length;
      await program.until(`redrawn at ${columns}`, () => program.output.length > seenLength + 200);
      await untilAllMove(program, 3);
      for (const row of statusRows(program)) assert.ok(row.length < columns, row);
      assert.equal(statusRows(program).length, 4, program.screen.lines.join("\n"));
    }
    watch.assertOnce();
    await program.type("limit off\n");
    for (const client of clients) await client.expectExit(0);
    await program.shows(/^(\[[123] .*\] )?Sent /, 3);
    await program.type("close\n");
    await program.expectExit(0);
    assert.deepEqual(statusRows(program), []);
    watch.assertOnce();
    // What was said before the window changed is still there.
    assert.equal(program.count(/^Code for the other side:/), 1);
    assert.equal(program.count(/^(\[[123] .*\] )?Sent /), 3);
  });
}

terminalTest(
  "share leaves what somebody types, and draws anew in a window of another size",
  async () => {
    const { share, clients } = await startMoving(["a", "b", "c"], { columns: 80, rows: 14 });
    await using _ = share;
    const { program } = share;
    const watch = new StatusWatch(program);
    await untilAllMove(program, 3);
    await program.type("limit ");
    await program.until("what is typed", ({ lines }) => lines.at(-1) === "limit");
    const typed: string[] = [];
    program.watch(({ lines }) => typed.push(lines.at(-1)!));
    await program.until("redrawn often", () => typed.length > 20);
    const late = await share.receive("d"); // a line above, and one more for the client
    await late.event("progress");
    await untilAllMove(program, 4);
    assert.deepEqual(new Set(typed), new Set(["limit"]), program.screen.lines.join("\n"));
    await program.type("off\n");
    await program.shows("> limit off");
    await program.shows("No limit any more.");
    for (const client of [...clients, late]) await client.expectExit(0);
    watch.assertOnce();
    // Nothing happens any more, and nothing else would draw it.
    await program.shows("Waiting for the other side");
    await program.resize(20, 14);
    await program.until("redrawn narrower", ({ visibleRows }) =>
      visibleRows.at(-1) === "" &&
      visibleRows.filter((row) => row.startsWith("Waiting")).length === 1 &&
      visibleRows.findLast((row) => row !== "")!.endsWith("…"));
    await program.type("close\n");
    await program.expectExit(0);
  },
);

terminalTest("share keeps an open question once and whole when its terminal changes", async () => {
  const question = /^Let 127\.0\.0\.1:\d+ in\? \[y\/N\]/;
  await using share = await TerminalShare.start({ columns: 60, rows: 20 });
  const { program } = share;
  const first = await share.receive("first");
  await program.shows(question);
  // What stands there is redrawn below what is said: that others came.
  for (const [index, columns] of [25, 100, 60].entries()) {
    await program.resize(columns, 20);
    await share.receive(`${index}`);
    await program.shows(/Connected to/, index + 2);
    await program.until(
      "the question below it",
      ({ unwrapped }) => question.test(unwrapped.at(-1)!),
    );
    assert.equal(program.count(question), 1, program.screen.lines.join("\n"));
  }
  await program.type("y\n");
  await first.expectExit(0);
  assert.equal(program.count("Code for the other side:"), 1);
});

terminalTest("share fits many clients into 60 columns and few rows", async () => {
  const names = Array.from("abcdefghij");
  const { share, clients } = await startMoving(names, { columns: 60, rows: 20 });
  await using _ = share;
  const { program } = share;
  const watch = new StatusWatch(program);
  await untilAllMove(program, 7);
  await program.shows(/^… and 3 more/);
  await program.shows(/^10 clients, 0 served, [\d.]+ kB\/s/);
  for (const row of statusRows(program)) assert.ok(row.length < 60, row);
  for (const row of statusRows(program).filter((row) => CLIENT_LINE.test(row))) {
    assert.match(row, /127\.0\.0\.1:\d+ +\d+% +[\d.]+ k?B\/s/);
  }
  await program.resize(60, 10);
  await untilAllMove(program, 5);
  await program.shows(/^… and 5 more/);
  await program.type("limit off\n");
  for (const client of clients) await client.expectExit(0);
  await program.shows("Waiting for the other side");
  watch.assertOnce();
  // Nothing that the program says in lines of its own was cut or wrapped by the terminal in a word.
  for (const line of program.screen.unwrapped) {
    const isForCopying = /p2p1q/.test(line);
    assert.ok(isForCopying || line.length <= 60, line);
  }
});

terminalTest(
  "share keeps off colours where NO_COLOR is set, and redraws all the same",
  async () => {
    // deno-lint-ignore no-control-regex
    const colours = /\x1b\[[\d;]*m/;
    for (const env of [{ NO_COLOR: "1" }, {}] as Record<string, string>[]) {
      const { share, clients } = await startMoving(["a", "b"], { columns: 60, rows: 20, env });
      await using _ = share;
      const { program } = share;
      const watch = new StatusWatch(program);
      await untilAllMove(program, 2);
      await watch.hasSeen(10);
      await program.type("limit off\n");
      for (const client of clients) await client.expectExit(0);
      await program.type("close\n");
      await program.expectExit(0);
      watch.assertOnce();
      assert.equal(colours.test(program.output), !("NO_COLOR" in env));
    }
  },
);

terminalTest("share writes whole lines and no control sequence to a dumb terminal", async () => {
  await using share = await TerminalShare.start({
    columns: 60,
    rows: 20,
    bytes: 3 * MIB,
    env: { TERM: "dumb" },
  });
  const { program } = share;
  const clients = [await share.receive("a"), await share.receive("b")];
  const asked = new Set<string>();
  for (let answered = 0; answered < clients.length; answered++) {
    // What is said meanwhile brings the same question back below it.
    await program.until("the next question", ({ unwrapped }) => {
      const [, address] = /^Let (\S+) in\? \[y\/N\]$/.exec(unwrapped.at(-1)!.trimEnd()) ?? [];
      const isNew = address !== undefined && !asked.has(address);
      if (isNew) asked.add(address);
      return isNew;
    });
    await program.type("y\n");
  }
  for (const client of clients) await client.expectExit(0);
  await program.shows(/Sent 2 items, 3\.1 MB/, 2);
  await program.type("list\n");
  await program.shows(/^Nobody is here\.$/);
  await program.type("close\n");
  await program.expectExit(0);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(program.output, /\x1b|\r(?!\n)/);
});
