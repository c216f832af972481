/**
 * `deno task bench`: measures whole processes of the program and prints the tables of
 * docs/benchmarks.md. Nothing is written but temporary files, unless a flag names a file. It has all
 * permissions because Deno gives /proc, where Linux tells what a process used, to nobody with less.
 */
import { parseArgs } from "node:util";
import { TempFolder } from "../tests/support/temp_folder.ts";
import { type BenchRow, CASES, runCase, scaledCase } from "./process/cases.ts";
import { describeMachine } from "./process/machine.ts";
import { reportLines } from "./process/report.ts";

const USAGE = `deno task bench [options]
  --only NAME[,NAME…]  of ${CASES.map(({ name }) => name).join(", ")} (default all);
                       none runs none
  --runs N             rounds through the cases; memory and profile run once (default 5)
  --dir DIR            where the files lie while they are moved (default the temporary folder);
                       needs room for 9 GB; /dev/shm leaves the disk out
  --scale F            sizes times F, to try it out (default 1)
  --rows FILE          add a line of JSON for each run to FILE
  --from FILE          count the lines of FILE as runs too
  --write FILE         put the tables into FILE, between the lines of its markers
`;

/** What is between these lines is replaced; a file without them gets them at its end. */
const BEGIN_MARK = "<!-- begin of what deno task bench writes -->";
const END_MARK = "<!-- end of what deno task bench writes -->";

interface BenchOptions {
  readonly only: readonly string[];
  readonly runs: number;
  readonly dir: string | undefined;
  readonly scale: number;
  readonly rows: string | undefined;
  readonly from: string | undefined;
  readonly write: string | undefined;
}

function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: text,
      runs: { ...text, default: "5" },
      dir: text,
      scale: { ...text, default: "1" },
      rows: text,
      from: text,
      write: text,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const only = values.only?.split(",") ?? CASES.map(({ name }) => name);
  const known = ["none", ...CASES.map(({ name }) => name)];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new RangeError(`Cannot run ${unknown}: there is no such case`);
  const runs = Number(values.runs);
  const scale = Number(values.scale);
  if (!Number.isInteger(runs) || runs < 1 || !(scale > 0)) {
    throw new RangeError(`Cannot do ${values.runs} runs at scale ${values.scale}`);
  }
  const { dir, rows, from, write } = values;
  return { only, runs, dir, scale, rows, from, write };
}

function print(line: string): void {
  let rest = new TextEncoder().encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** Runs what is asked for, in turns, so that a slow minute of the machine touches every case. */
async function runAll(options: BenchOptions, folder: string): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (let run = 1; run <= options.runs; run++) {
    for (const bench of CASES) {
      if (!options.only.includes(bench.name) || (bench.isOnce && run > 1)) continue;
      const row = await runCase(scaledCase(bench, options.scale), run, folder);
      rows.push(row);
      print(`${bench.name} ${run}: ${(row.wallMs / 1000).toFixed(2)} s`);
      if (options.rows === undefined) continue;
      await Deno.writeTextFile(options.rows, `${JSON.stringify(row)}\n`, { append: true });
    }
  }
  return rows;
}

async function readRows(path: string): Promise<BenchRow[]> {
  const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

/** Puts `lines` between the markers of a file. */
function insertReport(document: string, lines: readonly string[]): string {
  const block = [BEGIN_MARK, "", ...lines, "", END_MARK].join("\n");
  const begin = document.indexOf(BEGIN_MARK);
  const end = document.indexOf(END_MARK);
  if (begin < 0 || end < begin) return `${document.trimEnd()}\n\n${block}\n`.trimStart();
  return document.slice(0, begin) + block + document.slice(end + END_MARK.length);
}

async function readDocument(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "# Benchmarks\n";
    throw error;
  }
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) return print(USAGE);
  const command = ["deno task bench", ...args].join(" ");
  const date = new Date().toISOString().slice(0, 10);
  const load = Deno.loadavg()[0]!.toFixed(2);
  const rows = options.from === undefined ? [] : await readRows(options.from);
  await using folder = await TempFolder.make(options.dir);
  // Ctrl-C must not leave gigabytes behind; the processes get it from the terminal themselves.
  const onInterrupt = () => {
    Deno.removeSync(folder.path, { recursive: true });
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", onInterrupt);
  rows.push(...await runAll(options, folder.path));
  const about = [
    `Taken on ${date} with \`${command}\`, load before it ${load}:`,
    "",
    ...(await describeMachine(folder.path)).map((line) => `- ${line}`),
  ];
  Deno.removeSignalListener("SIGINT", onInterrupt);
  const lines = [...about, "", ...reportLines(rows)];
  print("");
  for (const line of lines) print(line);
  if (options.write === undefined) return;
  const document = await readDocument(options.write);
  await Deno.writeTextFile(options.write, insertReport(document, lines));
  // Wraps lines as `deno task check` wants them.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", options.write] }).output();
}

if (import.meta.main) await main(Deno.args);
