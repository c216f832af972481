/**
 * `deno task bench:reliability`: how far the tests of reliability go, in numbers. One section each; with
 * `--write` they stand in docs/reliability.md. The exit status is 1 when something did not hold.
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../process/machine.ts";
import { renderParagraph, replaceSection } from "../document_section.ts";
import { measureCrashes } from "./crashes.ts";
import { measureFuzzing } from "./fuzzing.ts";
import { measureKills } from "./kills.ts";
import { measureResumeStart } from "./resume_start.ts";
import type { Section } from "./section.ts";
import { measureSoak } from "./soak.ts";
import { measureSwarm } from "./swarm.ts";

const DOCUMENT = new URL("../../docs/reliability.md", import.meta.url);

/** What is not chosen: for a night, and for some minutes. */
const FULL = {
  disks: 20,
  "swarm-seeds": 2000,
  "swarm-hours": 1,
  "fuzz-seconds": 20,
  kills: 150,
  "resume-gib": 10,
  "soak-minutes": 10,
};
const BRIEF: typeof FULL = {
  disks: 1,
  "swarm-seeds": 50,
  "swarm-hours": 0.1,
  "fuzz-seconds": 0.5,
  kills: 12,
  "resume-gib": 0.5,
  "soak-minutes": 0.5,
};

/** What the measurements are told. */
interface Order {
  readonly sizes: typeof FULL;
  readonly seed: number;
  /** Where files are made. */
  readonly folder: string;
}

/** What there is to measure, in the order of the document. */
const SECTIONS: Readonly<Record<string, (order: Order) => Promise<Section>>> = {
  crashes: ({ sizes }) => measureCrashes(sizes.disks),
  swarm: ({ sizes, seed }) =>
    measureSwarm({ seed, seeds: sizes["swarm-seeds"], hours: sizes["swarm-hours"] }),
  fuzzing: ({ sizes, seed }) => measureFuzzing(sizes["fuzz-seconds"], seed),
  kills: ({ sizes, seed }) => measureKills(sizes.kills, seed),
  resuming: ({ sizes, folder }) => measureResumeStart(sizes["resume-gib"], folder),
  soak: ({ sizes, seed, folder }) => measureSoak(sizes["soak-minutes"], seed, folder),
};

const USAGE = `deno task bench:reliability [options]
  --only NAME[,NAME…]  of ${Object.keys(SECTIONS).join(", ")} (default all)
  --write              puts what was measured into docs/reliability.md
  --brief              small sizes, for some minutes
  --seed N             what chance comes from (default another one each time)
  --dir FOLDER         where files are made (default the system's place for temporary ones)
  --disks N            disks that chance leaves after each power cut (${FULL.disks})
  --swarm-seeds N      simulated worlds, at least (${FULL["swarm-seeds"]})
  --swarm-hours N      virtual time of all of them, at least (${FULL["swarm-hours"]})
  --fuzz-seconds N     for each parser (${FULL["fuzz-seconds"]})
  --kills N            of processes (${FULL.kills})
  --resume-gib N       size of the file that is half here (${FULL["resume-gib"]})
  --soak-minutes N     of real transfers (${FULL["soak-minutes"]})
`;

interface Options extends Order {
  readonly names: readonly string[];
  readonly isWriting: boolean;
}

/** @throws {RangeError} For a value that is none of the above. */
async function parseOptions(args: readonly string[]): Promise<Options | undefined> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: flag,
      write: flag,
      brief: flag,
      only: text,
      seed: text,
      dir: text,
      ...Object.fromEntries(Object.keys(FULL).map((name) => [name, text])),
    },
  });
  if (values.help) return undefined;
  const names = values.only?.split(",") ?? Object.keys(SECTIONS);
  for (const name of names) {
    if (!(name in SECTIONS)) {
      throw new RangeError(`Cannot measure ${name}: there is no such section`);
    }
  }
  const sizes = { ...(values.brief ? BRIEF : FULL) };
  for (const name of Object.keys(FULL) as (keyof typeof FULL)[]) {
    const value = (values as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) sizes[name] = positive(name, value);
  }
  return {
    names,
    isWriting: values.write ?? false,
    sizes,
    seed: values.seed === undefined
      ? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000
      : positive("seed", values.seed),
    folder: values.dir ?? await temporaryPlace(),
  };
}

function positive(name: string, value: unknown): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new RangeError(`Cannot use --${name} ${value}: it must be a number above 0`);
}

/** Where the system keeps temporary files. */
async function temporaryPlace(): Promise<string> {
  const path = await Deno.makeTempDir();
  const parent = dirname(await Deno.realPath(path));
  await Deno.remove(path);
  return parent;
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

/** When, where and how a section was measured. */
async function origin(name: string, args: readonly string[], order: Order): Promise<string> {
  const asked = args.filter((arg) => arg !== "--write").join(" ");
  const machine = (await describeMachine(order.folder)).join("; ");
  const date = new Date().toISOString().slice(0, 10);
  const command = `deno task bench:reliability ${asked}`.trim();
  return renderParagraph(
    `_${name}, measured on ${date} by \`${command}\`, seed ${order.seed}: ${machine}._`,
  );
}

async function main(args: readonly string[]): Promise<number> {
  const options = await parseOptions(args);
  if (options === undefined) {
    await print(USAGE);
    return 0;
  }
  const problems: string[] = [];
  for (const name of options.names) {
    const section = await SECTIONS[name]!(options);
    problems.push(...section.problems);
    const text = `${section.text}\n\n${await origin(name, args, options)}`;
    await print(`\n## ${name}\n\n${text}`);
    for (const problem of section.problems) await print(`PROBLEM: ${problem}`);
    // At once: the next one may take an hour, or fail.
    if (options.isWriting && section.problems.length === 0) {
      const document = await Deno.readTextFile(DOCUMENT);
      await Deno.writeTextFile(DOCUMENT, replaceSection(document, name, text));
    }
  }
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
