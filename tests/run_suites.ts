/**
 * `deno task test`: runs every task of deno.json whose name begins with `test:`, in the order in
 * which they stand there, and sums what they counted. The last line is `N passed, N failed,
 * N skipped` and nothing else; the exit status is 0 only if nothing failed.
 *
 * What a suite runs and what it is allowed stands in deno.json alone; this file only counts. A
 * suite that runs no test, does not load or dies has failed, whatever it printed.
 */
import {
  addCounts,
  countsOfJunit,
  formatCounts,
  NO_TESTS,
  type TestCounts,
} from "./support/junit.ts";

const SUITE_PREFIX = "test:";

/** How a suite went. */
interface SuiteResult {
  readonly name: string;
  readonly counts: TestCounts;
  readonly seconds: number;
  /** What went wrong beside failed tests. */
  readonly trouble?: string;
}

/** What a suite's exit status and report say together. */
export function judgeSuite(
  exitStatus: number,
  report: string | undefined,
): { readonly counts: TestCounts; readonly trouble?: string } {
  const counts = report === undefined ? undefined : countsOfJunit(report);
  if (counts === undefined) {
    return {
      counts: { ...NO_TESTS, failed: 1 },
      trouble: `wrote no report, exit status ${exitStatus}`,
    };
  }
  if (exitStatus !== 0 && counts.failed === 0) {
    return {
      counts: { ...counts, failed: 1 },
      trouble: `ended with status ${exitStatus} outside of its tests`,
    };
  }
  if (counts.passed + counts.failed === 0) {
    return { counts: { ...counts, failed: 1 }, trouble: "ran no test" };
  }
  return { counts };
}

async function runSuite(name: string, directory: string): Promise<SuiteResult> {
  const reportPath = `${directory}/${name}.xml`;
  const startMs = performance.now();
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["task", `${SUITE_PREFIX}${name}`, `--junit-path=${reportPath}`],
    stdin: "null",
    env: Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" },
  }).spawn().status;
  const seconds = (performance.now() - startMs) / 1000;
  let report: string | undefined;
  try {
    report = await Deno.readTextFile(reportPath);
  } catch (error) {
    // A suite that does not compile writes none.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return { name, seconds, ...judgeSuite(code, report) };
}

/** One line for each suite, columns aligned. */
export function tableLines(results: readonly SuiteResult[]): string[] {
  const nameWidth = Math.max("suite".length, ...results.map(({ name }) => name.length));
  const line = (
    name: string,
    passed: string,
    failed: string,
    skipped: string,
    time: string,
    trouble?: string,
  ) =>
    name.padEnd(nameWidth) + passed.padStart(9) + failed.padStart(9) + skipped.padStart(9) +
    time.padStart(9) + (trouble === undefined ? "" : `  ${trouble}`);
  return [
    line("suite", "passed", "failed", "skipped", "time"),
    ...results.map(({ name, counts, seconds, trouble }) =>
      line(
        name,
        `${counts.passed}`,
        `${counts.failed}`,
        `${counts.skipped}`,
        `${seconds.toFixed(1)} s`,
        trouble,
      )
    ),
  ];
}

/** The suites of a deno.json, in order. */
export function suiteNames(
  config: { readonly tasks: Readonly<Record<string, unknown>> },
): string[] {
  return Object.keys(config.tasks)
    .filter((task) => task.startsWith(SUITE_PREFIX))
    .map((task) => task.slice(SUITE_PREFIX.length));
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function main(): Promise<number> {
  const { default: config } = await import("../deno.json", { with: { type: "json" } });
  const directory = await Deno.makeTempDir({ prefix: "p2pft-test-" });
  const results: SuiteResult[] = [];
  try {
    for (const name of suiteNames(config)) {
      print(`\n== ${name}`);
      results.push(await runSuite(name, directory));
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  const total = results.reduce((sum, { counts }) => addCounts(sum, counts), NO_TESTS);
  print("");
  for (const line of tableLines(results)) print(line);
  print("");
  print(formatCounts(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
