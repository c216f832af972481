/**
 * `deno task bench:lab`: lets real processes meet behind real routers, many times for each pair of
 * networks, and prints how often, how fast and how. Needs Linux, root, and the laboratory `natlab`.
 */
import { parseArgs } from "node:util";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { Laboratory } from "./laboratory.ts";
import { meet, type Outcome } from "./meeting.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

const USAGE = `deno task bench:lab --natlab PATH [options]
  --only GROUP[,GROUP…]  of pairs, loss, hard, change, speed (default all)
  --match TEXT           only scenarios whose name contains it
  --tries N              meetings of each (default 20)
  --args "ARG …"         further arguments for both programs
  --logs                 say how each meeting went
`;

/** Sent when only the meeting is measured. */
const SMALL_BYTES = 100_000;
/** Sent when something changes on the way: some ten seconds on the lines of those scenarios. */
const LARGE_BYTES = 25_000_000;
/** Sent when the rate counts. */
const FAST_BYTES = 100_000_000;
/** How long two look for each other after the paste before it counts as failed. */
const LIMIT_MS = 20_000;
/** The longest pause before the paste. */
const MAX_PASTE_MS = 1500;

interface LabOptions {
  readonly natlab: string;
  readonly scenarios: readonly Scenario[];
  readonly tries: number;
  readonly args: readonly string[];
  readonly logs: boolean;
}

function parseOptions(args: readonly string[]): LabOptions | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      natlab: text,
      only: text,
      match: { ...text, default: "" },
      tries: { ...text, default: "20" },
      args: { ...text, default: "" },
      logs: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  const { natlab, match } = values;
  if (values.help || natlab === undefined) return undefined;
  const groups = values.only?.split(",");
  const scenarios = SCENARIOS.filter(({ group, name }) =>
    (groups === undefined || groups.includes(group)) && name.includes(match)
  );
  const tries = Number(values.tries);
  if (!Number.isInteger(tries) || tries < 1) {
    throw new RangeError(`Cannot do ${values.tries} tries`);
  }
  const words = values.args.split(" ").filter((word) => word !== "");
  return { natlab, scenarios, tries, args: words, logs: values.logs };
}

function print(line: string): void {
  let rest = new TextEncoder().encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

async function makeFile(path: string, bytes: number): Promise<void> {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(content.subarray(at, at + 65_536));
  }
  await Deno.writeFile(path, content);
}

async function runScenario(scenario: Scenario, options: LabOptions): Promise<Outcome[]> {
  await using folder = await TempFolder.make();
  const file = folder.at("file");
  const bytes = scenario.group === "speed"
    ? FAST_BYTES
    : scenario.change
    ? LARGE_BYTES
    : SMALL_BYTES;
  await makeFile(file, bytes);
  const outcomes: Outcome[] = [];
  let laboratory = await Laboratory.build(options.natlab, scenario.sites);
  try {
    for (let index = 0; index < options.tries; index++) {
      if (scenario.before) await laboratory.command(...scenario.before);
      const outcome = await meet(laboratory, {
        sender: scenario.hosts[0],
        receiver: scenario.hosts[1],
        file,
        into: await folder.folder(`try${index}`),
        args: options.args,
        limitMs: LIMIT_MS,
        pasteAfterMs: Math.random() * MAX_PASTE_MS,
        ...(scenario.change
          ? { duringTransfer: () => laboratory.command(...scenario.change!) }
          : {}),
      });
      outcomes.push(outcome);
      if (options.logs) print(`  ${JSON.stringify(outcome)}`);
      if (scenario.change && index + 1 < options.tries) {
        await laboratory[Symbol.asyncDispose]();
        laboratory = await Laboratory.build(options.natlab, scenario.sites);
      }
    }
  } finally {
    await laboratory[Symbol.asyncDispose]();
  }
  return outcomes;
}

function reportLine(scenario: Scenario, outcomes: readonly Outcome[]): string {
  const isChange = scenario.change !== undefined;
  const good = outcomes.filter(({ isDone, how }) =>
    scenario.expected.includes(how) || (isDone && isChange)
  );
  const times = good.map((outcome) => isChange ? outcome.stallMs : outcome.connectMs)
    .filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const seconds = (ms: number | undefined) => ms === undefined ? "–" : (ms / 1000).toFixed(2);
  const ways = [...new Set(outcomes.map(({ how }) => how))].sort().join(", ");
  const pasted = outcomes.filter(({ wasPasted }) => wasPasted).length;
  const limits = scenario.limitsMs?.map((ms) => (ms / 1000).toFixed(2)).join(" / ") ?? "";
  const rates = good.map(({ rateBytesPerSecond }) => rateBytesPerSecond).sort((a, b) => a - b);
  const rate = rates[Math.floor(rates.length / 2)];
  const speed = scenario.group === "speed" && rate !== undefined ? (rate / 1e6).toFixed(2) : "";
  return `| ${scenario.name} | ${good.length}/${outcomes.length} | ${ways} | ${pasted} | ${
    seconds(at(0.5))
  } | ${seconds(times.at(-1))} | ${limits} | ${speed} |`;
}

const options = parseOptions(Deno.args);
if (options === undefined) {
  print(USAGE);
} else {
  print(
    "| networks (sender × receiver) | as expected | how | pasted | p50 s | max s | target | MB/s |",
  );
  print("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const scenario of options.scenarios) {
    print(reportLine(scenario, await runScenario(scenario, options)));
  }
}
