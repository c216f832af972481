/**
 * `deno task bench:share`: one sharer and many clients, as real processes over loopback, the clients
 * together in one process and so light that the sharer is what limits. With `--write` the figures
 * stand in docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { writeFileSync } from "../../tests/support/tree.ts";
import { replaceSection } from "../document_section.ts";
import { readProfile } from "../process/cpu_profile.ts";
import { describeMachine } from "../process/machine.ts";
import { type Measured, render, renderProfile } from "./report.ts";
import { TARGET_CLIENTS } from "./targets.ts";
import { type Ground, measureHeld, measureJoins, measureRate, type RateRow } from "./trial.ts";

const DOCUMENT = new URL("../../docs/benchmarks.md", import.meta.url);
const SECTION = "many clients";
const SMALL_BYTES = 4096;

const USAGE = `deno task bench:share [options]
  --clients N[,N…]   how many at a time (default 1,4,16,64); the first is what the others are held
                     against
  --runs N           rounds, in which all of them take turns (default 3)
  --seconds N        how long each is measured (default 6)
  --joins N          times that somebody joins, with and without transfers (default 7; 0 for never)
  --held N           clients that stall, then are killed (default ${TARGET_CLIENTS}; 0 for none)
  --mib N            size of the file that everybody takes (default 256)
  --dir FOLDER       where the file is made (default the system's place for temporary ones)
  --profile N        only says what the sharer spends its time on with N clients
  --write            puts the figures into docs/benchmarks.md
`;

interface Options {
  readonly clients: readonly number[];
  readonly runs: number;
  readonly seconds: number;
  readonly joins: number;
  readonly held: number;
  readonly mib: number;
  readonly folder: string | undefined;
  readonly profiled: number | undefined;
  readonly isWriting: boolean;
}

/** @throws {RangeError} For a value that is none of the above. */
function parseOptions(args: readonly string[]): Options | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: flag,
      write: flag,
      clients: { ...text, default: "1,4,16,64" },
      runs: { ...text, default: "3" },
      seconds: { ...text, default: "6" },
      joins: { ...text, default: "7" },
      held: { ...text, default: `${TARGET_CLIENTS}` },
      mib: { ...text, default: "256" },
      dir: text,
      profile: text,
    },
  });
  if (values.help) return undefined;
  return {
    clients: values.clients.split(",").map((count) => number("clients", count, 1)),
    runs: number("runs", values.runs, 1),
    seconds: number("seconds", values.seconds, 1),
    joins: number("joins", values.joins, 0),
    held: number("held", values.held, 0),
    mib: number("mib", values.mib, 1),
    folder: values.dir,
    profiled: values.profile === undefined ? undefined : number("profile", values.profile, 1),
    isWriting: values.write ?? false,
  };
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new RangeError(`Cannot use --${name} ${text}: it must be a whole number from ${least} on`);
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

async function measure(options: Options, ground: Ground): Promise<Measured> {
  const { clients, runs, joins, held } = options;
  const rows: RateRow[] = [];
  for (let run = 0; run < runs; run++) {
    for (const count of clients) {
      const row = await measureRate(ground, count);
      rows.push(row);
      await print(JSON.stringify(row));
    }
  }
  const idleJoins = joins > 0 ? await measureJoins(ground, 0, joins) : undefined;
  const busyJoins = joins > 0 ? await measureJoins(ground, TARGET_CLIENTS, joins) : undefined;
  await print(JSON.stringify({ idleJoins, busyJoins }));
  return {
    rows,
    idleJoins,
    busyJoins,
    joinClients: TARGET_CLIENTS,
    held: held > 0 ? await measureHeld(ground, held) : undefined,
  };
}

async function profile(ground: Ground, clients: number): Promise<string> {
  await using folder = await TempFolder.make();
  await measureRate(ground, clients, ["--cpu-prof", `--cpu-prof-dir=${folder.path}`]);
  return renderProfile(await readProfile(folder.path));
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) return await print(USAGE);
  await using temp = await TempFolder.make(options.folder);
  const path = await temp.folder("share");
  writeFileSync(`${path}/first`, SMALL_BYTES, 1);
  writeFileSync(`${path}/large`, options.mib * 1024 * 1024, 2);
  const ground = { path, seconds: options.seconds };
  if (options.profiled !== undefined) return await print(await profile(ground, options.profiled));
  const measured = await measure(options, ground);
  const machine = (await describeMachine(temp.path)).join("; ");
  const asked = args.filter((arg) => arg !== "--write").join(" ");
  const text = render(measured, {
    command: `deno task bench:share ${asked}`.trim(),
    date: new Date().toISOString().slice(0, 10),
    machine,
  });
  await print(`\n${text}`);
  if (!options.isWriting) return;
  const document = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, replaceSection(document, SECTION, text));
}

if (import.meta.main) await main(Deno.args);
