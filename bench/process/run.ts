/**
 * `deno task bench`: measures whole processes, our program and others that are installed, and prints
 * the tables of docs/benchmarks.md. Nothing is written but temporary files, unless a flag names a
 * file. It has all permissions because Deno gives /proc, where Linux tells what a process used, to
 * nobody with less.
 */
import { basename } from "node:path";
import { drawTimeline, parseTimeline } from "../chart/timeline_chart.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { goodputPicture, timelinePicture } from "./charts.ts";
import { type BenchOptions, parseOptions, publishedCommand, USAGE } from "./command_line.ts";
import { CongestionControlLeave, usualCongestionControl } from "./kernel.ts";
import { describeMachine } from "./machine.ts";
import { emulatorArguments } from "./path.ts";
import { missingPing } from "./ping.ts";
import { LOOPBACK, type Place } from "./place.ts";
import { planCases, type PlannedCase, planSeconds } from "./plan.ts";
import { reportLines } from "./report.ts";
import type { BenchRow } from "./row.ts";
import { LaboratoryPlace } from "./laboratory_place.ts";
import type { Tool } from "./tool.ts";
import { allTools } from "./tools.ts";
import { prepareKernel, runTrial } from "./trial.ts";
import { isKeptToTheEnd, makeWorkload, writeOut } from "./workload.ts";

/** What is between these lines is replaced; a file without them gets them at its end. */
const BEGIN_MARK = "<!-- begin of what deno task bench writes -->";
const END_MARK = "<!-- end of what deno task bench writes -->";
/** TCP's congestion control where a tool asks for none: what most systems ship. */
const USUAL_CONTROL = "cubic";

function print(line: string): void {
  let rest = new TextEncoder().encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** What all runs have in common. */
interface Session {
  readonly options: BenchOptions;
  readonly folder: string;
  /** Set by the first Ctrl-C: what runs ends, nothing else is begun. */
  isInterrupted: boolean;
  failures: number;
}

/** The other end of a case: a laboratory of its own, our emulator, or nothing in between. */
async function buildPlace(
  { bench: { path }, link }: PlannedCase,
  natlab: string | undefined,
): Promise<Place & AsyncDisposable> {
  if (link === "laboratory") return await LaboratoryPlace.build(natlab!, path.shape);
  return {
    ...LOOPBACK,
    ...(link === "own" ? { emulator: emulatorArguments(path.shape!) } : {}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Runs a case: its tools take turns, so that a slow minute of the machine touches all of them. */
async function runCase(planned: PlannedCase, session: Session): Promise<BenchRow[]> {
  const { bench, tools } = planned;
  const { options } = session;
  const rows: BenchRow[] = [];
  const files = await TempFolder.make(session.folder);
  await using _cleared = isKeptToTheEnd(bench.workload) ? undefined : files;
  const source = makeWorkload(bench.workload, await files.folder("source"));
  await writeOut();
  await using place = await buildPlace(planned, options.natlab);
  const hopeless = new Set<Tool>();
  for (let run = 1; run <= (bench.isOnce ? 1 : options.runs); run++) {
    for (const tool of tools) {
      if (session.isInterrupted) return rows;
      if (hopeless.has(tool)) continue;
      try {
        await prepareKernel(place, tool, USUAL_CONTROL);
        const row = await runTrial({ bench, tool, place, run, source, folder: session.folder });
        rows.push(row);
        const seconds = `${(row.wallMs / 1000).toFixed(2)} s`;
        print(
          `${bench.name} ${run} ${tool.name}: ${row.isDone ? seconds : `cut off at ${seconds}`}`,
        );
        if (!row.isDone) hopeless.add(tool);
        if (options.rows === undefined) continue;
        await Deno.writeTextFile(options.rows, `${JSON.stringify(row)}\n`, { append: true });
      } catch (error) {
        // One tool that fails must not take the others' figures with it.
        if (!(error instanceof Error)) throw error;
        session.failures++;
        print(`${bench.name} ${run} ${tool.name} failed: ${error.message}`);
      }
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

/** Writes the pictures beside `document`, and gives the lines of Markdown that show them. */
async function writePictures(
  document: string,
  rows: readonly BenchRow[],
  tools: readonly Tool[],
  timeline: string | undefined,
): Promise<string[]> {
  const stem = document.replace(/\.md$/, "");
  const overTime = timeline === undefined
    ? timelinePicture(rows)
    : drawTimeline("p2pft, simulated", parseTimeline(await Deno.readTextFile(timeline)));
  const pictures = [
    { suffix: "goodput", words: "Goodput by tool and path", svg: goodputPicture(rows, tools) },
    { suffix: "transfer", words: "Rate, delay and loss of one transfer", svg: overTime },
  ];
  const lines: string[] = [];
  for (const { suffix, words, svg } of pictures) {
    if (svg === undefined) continue;
    const path = `${stem}_${suffix}.svg`;
    await Deno.writeTextFile(path, svg);
    lines.push("", `![${words}](${basename(path)})`);
  }
  return lines;
}

/** Says what will run, for how long, and what cannot. */
function printPlan(plan: readonly PlannedCase[], options: BenchOptions, tools: readonly Tool[]) {
  for (const tool of tools) {
    const reason = tool.missing();
    if (reason !== undefined) print(`${tool.name} is left out: ${reason}`);
  }
  const noDelays = missingPing();
  if (noDelays !== undefined) print(`delays are left out: ${noDelays}`);
  for (const planned of plan) {
    const { bench, tools } = planned;
    const minutes = planSeconds([planned], options.runs) / 60;
    const names = tools.map(({ name }) => name).join(", ");
    print(`${bench.name}, about ${minutes.toFixed(1)} minutes: ${names}`);
  }
  const minutes = planSeconds(plan, options.runs) / 60;
  print(`all of it about ${minutes.toFixed(minutes < 3 ? 1 : 0)} minutes\n`);
}

async function describe(
  args: readonly string[],
  folder: string,
  tools: readonly Tool[],
  load: string,
  hasLaboratory: boolean,
): Promise<string[]> {
  const versions = [...new Set(await Promise.all(tools.map((tool) => tool.version())))];
  const command = publishedCommand(args);
  return [
    `Taken on ${
      new Date().toISOString().slice(0, 10)
    } with \`${command}\`, load before it ${load}:`,
    "",
    ...(await describeMachine(folder)).map((line) => `- ${line}`),
    ...versions.length === 0 ? [] : [`- ${versions.join("; ")}`],
    `- congestion control of TCP, where a row names none: ${
      hasLaboratory ? USUAL_CONTROL : usualCongestionControl() ?? "the system's"
    }`,
  ];
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === undefined) {
    print(USAGE);
    return 0;
  }
  const tools = allTools(options.bin);
  const unknown = options.tools?.find((name) => !tools.some((tool) => tool.name === name));
  if (unknown !== undefined) throw new RangeError(`Cannot run ${unknown}: there is no such tool`);
  const plan = planCases(options, tools.filter((tool) => tool.missing() === undefined));
  printPlan(plan, options, tools);
  if (options.isListing) return 0;

  const load = Deno.loadavg()[0]!.toFixed(2);
  const rows = options.from === undefined ? [] : await readRows(options.from);
  await using folder = await TempFolder.make(options.dir);
  using _leave = options.natlab === undefined ? undefined : new CongestionControlLeave();
  const session: Session = { options, folder: folder.path, isInterrupted: false, failures: 0 };
  // Gigabytes and namespaces are cleared away first; what runs gets the signal from the terminal.
  const onInterrupt = () => session.isInterrupted = true;
  Deno.addSignalListener("SIGINT", onInterrupt);
  for (const planned of plan) {
    if (!session.isInterrupted) rows.push(...await runCase(planned, session));
  }
  Deno.removeSignalListener("SIGINT", onInterrupt);
  if (session.isInterrupted) return 130;

  const shown = tools.filter(({ name }) => rows.some(({ tool }) => tool === name));
  const about = await describe(args, folder.path, shown, load, options.natlab !== undefined);
  const tables = reportLines(rows, tools);
  print("");
  for (const line of [...about, "", ...tables]) print(line);
  if (options.write !== undefined) {
    const pictures = await writePictures(options.write, rows, tools, options.timeline);
    const block = [...about, ...pictures, "", ...tables];
    await Deno.writeTextFile(
      options.write,
      insertReport(await readDocument(options.write), block),
    );
    // Wraps lines as `deno task check` wants them.
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", options.write] }).output();
  }
  return session.failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
