/**
 * `deno task bench:sim`: whole transfers over the paths of profiles.ts, in virtual time. With
 * `--write` the figures are stored, and stand in docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import { renderParagraph, replaceSection } from "../document_section.ts";
import { figuresTable, formatStored, type StoredFigures } from "./figures.ts";
import { type Load, type Profile, PROFILES } from "./profiles.ts";
import { type Figures, type Sending, SimTransfer } from "./transfer.ts";

const USAGE = `deno task bench:sim [options]
  --only NAME[,NAME…]  of ${PROFILES.map(({ name }) => name).join(", ")} (default all)
  --cc NAME            bbr, cubic or background (default what a share uses)
  --brief              the small loads of the test
  --write              stores the figures of all loads in bench/sim/figures.json, and the table in
                       docs/benchmarks.md
  --series FILE        of one profile: its course, a line of JSON for every 100 ms
`;
const FIGURES = new URL("figures.json", import.meta.url);
const DOCUMENT = new URL("../../docs/benchmarks.md", import.meta.url);
const SECTION = "simulated transfers";
const SENDINGS = ["bbr", "cubic", "background"];

interface SimOptions {
  readonly profiles: readonly Profile[];
  readonly sending: Sending;
  readonly isBrief: boolean;
  readonly isWriting: boolean;
  readonly series: string | undefined;
}

function parseOptions(args: readonly string[]): SimOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, cc: text, brief: flag, write: flag, series: text, help: flag },
  });
  if (values.help) return undefined;
  const names = values.only?.split(",") ?? PROFILES.map(({ name }) => name);
  const profiles = names.map((name) => {
    const profile = PROFILES.find((known) => known.name === name);
    if (profile === undefined) throw new RangeError(`Cannot run ${name}: there is no such profile`);
    return profile;
  });
  const { cc, brief: isBrief = false, write: isWriting = false, series } = values;
  if (cc !== undefined && !SENDINGS.includes(cc)) {
    throw new RangeError(`Cannot send with ${cc}: it is one of ${SENDINGS.join(", ")}`);
  }
  if (series !== undefined && profiles.length !== 1) {
    throw new RangeError(`Cannot write the course of ${profiles.length} profiles: --only one`);
  }
  if (isWriting && (isBrief || values.only !== undefined || cc !== undefined)) {
    throw new RangeError("Cannot store a part of the figures: --write stands alone");
  }
  return { profiles, sending: cc as Sending, isBrief, isWriting, series };
}

function print(text: string): void {
  let rest = new TextEncoder().encode(`${text}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

async function measure(
  options: SimOptions,
  loadOf: (profile: Profile) => Load | undefined,
): Promise<Record<string, Figures>> {
  const figures: Record<string, Figures> = {};
  for (const profile of options.profiles) {
    const load = loadOf(profile);
    if (load === undefined) continue;
    const moments: string[] = [];
    const onMoment = (moment: unknown): unknown => moments.push(JSON.stringify(moment));
    const transfer = new SimTransfer(profile, load);
    const isSeries = options.series !== undefined;
    figures[profile.name] = await transfer.run(options.sending, isSeries ? onMoment : undefined);
    print(`${profile.name}: ${JSON.stringify(figures[profile.name])}`);
    if (isSeries) await Deno.writeTextFile(options.series!, `${moments.join("\n")}\n`);
  }
  return figures;
}

async function store(stored: StoredFigures): Promise<void> {
  await Deno.writeTextFile(FIGURES, formatStored(stored));
  const section = [
    renderParagraph(
      "`deno task bench:sim`: share() and receive() with real keys and packets, files in memory, in " +
        "virtual time; the same on every machine. Share is bytes of files by what the link could " +
        "have carried from the call of receive() to its end; sent again are all bytes sent beyond " +
        "what the files need, in vain those of them that arrived.",
    ),
    figuresTable(stored.full),
  ].join("\n\n");
  const document = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, replaceSection(document, SECTION, section));
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) return print(USAGE);
  if (options.isBrief) {
    await measure(options, ({ brief }) => brief);
    return;
  }
  const full = await measure(options, (profile) => profile.full);
  print(`\n${figuresTable(full)}`);
  if (options.isWriting) await store({ full, brief: await measure(options, ({ brief }) => brief) });
}

if (import.meta.main) await main(Deno.args);
