/**
 * `deno task bench:nat`: how pairs of networks meet, how often and how fast, in virtual time. One
 * line a pair; with `--write` also the tables of docs/nat.md. The same on every machine.
 *
 *     --seeds N   tries of each pair (default 1000)
 *     --jobs N    threads (default one for each core)
 *     --only TEXT pairs whose name contains TEXT; nothing is written
 */
import { ALL_CASES, caseName } from "../../tests/support/nat_matrix.ts";
import { NatTally } from "../../tests/support/nat_tally.ts";
import type { CaseOrder, CaseRuns } from "./_nat_matrix_worker.ts";
import { replaceSection } from "../document_section.ts";
import { renderMatrix } from "./render_nat_matrix.ts";

const DOCUMENT = new URL("../../docs/nat.md", import.meta.url);
const DEFAULT_SEEDS = 1000;

interface Settings {
  readonly seeds: number;
  readonly jobs: number;
  readonly only: string;
  readonly isWriting: boolean;
}

/** @throws {RangeError} For an argument that is none of the above. */
function readSettings(args: readonly string[]): Settings {
  let settings: Settings = {
    seeds: DEFAULT_SEEDS,
    jobs: navigator.hardwareConcurrency,
    only: "",
    isWriting: false,
  };
  for (let i = 0; i < args.length; i++) {
    const [name, value = ""] = [args[i]!, args[i + 1]];
    if (name === "--write") {
      settings = { ...settings, isWriting: true };
      continue;
    }
    i++;
    if (name === "--only") settings = { ...settings, only: value };
    else if ((name === "--seeds" || name === "--jobs") && /^[1-9][0-9]*$/.test(value)) {
      settings = { ...settings, [name.slice(2)]: Number(value) };
    } else throw new RangeError(`Cannot use ${name} ${value}`);
  }
  return settings;
}

/** Hands the pairs to threads, and calls `onCase` as each is done. */
async function runCases(
  indices: readonly number[],
  { seeds, jobs }: Settings,
  onCase: (result: CaseRuns) => void,
): Promise<void> {
  const waiting = [...indices];
  const url = new URL("./_nat_matrix_worker.ts", import.meta.url).href;
  await Promise.all(Array.from({ length: jobs }, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const worker = new Worker(url, { type: "module" });
    const next = (): void => {
      const index = waiting.shift();
      if (index === undefined) {
        worker.terminate();
        return resolve();
      }
      const order: CaseOrder = { index, seeds };
      worker.postMessage(order);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<CaseRuns>) => {
      onCase(data);
      next();
    };
    next();
    return promise;
  }));
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  const settings = readSettings(Deno.args);
  const startedAt = performance.now();
  const indices = ALL_CASES.flatMap((matrixCase, index) =>
    caseName(matrixCase).includes(settings.only) ? [index] : []
  );
  const tallies = new Map(indices.map((index) => [index, new NatTally(ALL_CASES[index]!)]));
  const odd: string[] = [];
  await runCases(indices, settings, ({ index, runs }) => {
    for (const [i, run] of runs.entries()) {
      const problem = tallies.get(index)!.add(run);
      if (problem !== undefined) {
        odd.push(`${caseName(ALL_CASES[index]!)}, seed ${i + 1}: ${problem}`);
      }
    }
  });
  for (const tally of tallies.values()) {
    await print([tally.line, ...tally.problems].join(" | PROBLEM: "));
  }
  for (const line of odd) await print(`PROBLEM: ${line}`);
  const minutes = (performance.now() - startedAt) / 60_000;
  await print(
    `${settings.seeds} tries of ${indices.length} pairs in ${minutes.toFixed(1)} minutes`,
  );
  if (settings.isWriting && settings.only === "") {
    const text = await Deno.readTextFile(DOCUMENT);
    const section = renderMatrix([...tallies.values()], settings.seeds);
    await Deno.writeTextFile(DOCUMENT, replaceSection(text, "matrix", section));
  }
}
