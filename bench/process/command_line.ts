/** The command line of `deno task bench`. Pure. */
import { parseArgs } from "node:util";
import { CASES } from "./cases.ts";
import { PATHS } from "./path.ts";

/** What can be chosen. */
export const USAGE = `deno task bench [options]
  --natlab PATH          measure on emulated lines between network namespaces, TCP tools too (Linux,
                         root); without it our own emulator carries our own program alone
  --only NAME[,NAME…]    of ${CASES.slice(0, 6).map(({ name }) => name).join(", ")},
                         ${CASES.slice(6).map(({ name }) => name).join(", ")};
                         none runs none (default all)
  --paths NAME[,NAME…]   only over these: ${Object.keys(PATHS).join(", ")}
  --tools NAME[,NAME…]   these in place of those each case has by itself; --list names them
  --runs N               rounds; some cases run once (default 3)
  --bin PATH             a compiled program of ours in place of deno run
  --dir DIR              where the files lie while they are moved (default the temporary folder);
                         needs room for 11 GB; /dev/shm leaves the disk out
  --scale F              sizes times F, to try it out (default 1)
  --rows FILE            add a line of JSON for each run to FILE
  --from FILE            count the lines of FILE as runs too
  --timeline FILE        draw this transfer over time: lines of JSON that a simulation wrote
  --write FILE           put the tables into FILE, between the lines of its markers, and the
                         pictures beside it
  --list                 say what would run, how long it may take, and what cannot
`;

/** What was chosen. */
export interface BenchOptions {
  readonly natlab: string | undefined;
  readonly only: readonly string[];
  readonly paths: readonly string[];
  readonly tools: readonly string[] | undefined;
  readonly runs: number;
  readonly bin: string | undefined;
  readonly dir: string | undefined;
  readonly scale: number;
  readonly rows: string | undefined;
  readonly from: string | undefined;
  readonly timeline: string | undefined;
  readonly write: string | undefined;
  readonly isListing: boolean;
}

/**
 * Reads the command line.
 *
 * @returns Undefined when help is asked for.
 * @throws {RangeError} For a case or path that does not exist, and numbers that make no sense.
 */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      natlab: text,
      only: text,
      paths: text,
      tools: text,
      runs: { ...text, default: "3" },
      bin: text,
      dir: text,
      scale: { ...text, default: "1" },
      rows: text,
      from: text,
      timeline: text,
      write: text,
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const runs = Number(values.runs);
  const scale = Number(values.scale);
  if (!Number.isInteger(runs) || runs < 1 || !(scale > 0)) {
    throw new RangeError(`Cannot do ${values.runs} runs at scale ${values.scale}`);
  }
  const { natlab, bin, dir, rows, from, timeline, write } = values;
  return {
    natlab,
    only: chosen("case", values.only, ["none", ...CASES.map(({ name }) => name)]),
    paths: chosen("path", values.paths, Object.keys(PATHS)),
    tools: values.tools?.split(","),
    runs,
    bin,
    dir,
    scale,
    rows,
    from,
    timeline,
    write,
    isListing: values.list,
  };
}

function chosen(what: string, words: string | undefined, known: readonly string[]): string[] {
  if (words === undefined) return [...known];
  const names = words.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`Cannot run ${unknown}: there is no such ${what}`);
  }
  return names;
}

/** Options whose value is a place on one machine only. */
const PLACES: ReadonlySet<string> = new Set([
  "--natlab",
  "--bin",
  "--rows",
  "--from",
  "--timeline",
]);

/** The command as others would give it: places of this machine are named `PATH`. */
export function publishedCommand(args: readonly string[]): string {
  const words = args.map((word, index) => {
    const name = word.split("=", 1)[0]!;
    if (word !== name && PLACES.has(name)) return `${name}=PATH`;
    return PLACES.has(args[index - 1] ?? "") ? "PATH" : word;
  });
  return ["deno task bench", ...words].join(" ");
}
