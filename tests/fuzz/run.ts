/**
 * `deno task fuzz`: runs every parser for a while with fresh seeds, and prints for each how many
 * inputs that were. An input that fails is printed with how to replay it, and the exit status is 1.
 *
 * `--seconds N` for each parser (default 10), `--only TEXT` for those whose name contains it,
 * `--seed N` for one seed, `--json` for one line of numbers for programs, `--words` to list what
 * became of inputs, `--keep` to store one input for each of these in `corpus/`.
 */
import { fuzz, type FuzzResult } from "./_engine.ts";
import { corpusOf, TARGETS } from "./_targets.ts";

const DEFAULT_SECONDS = 10;
/** Longer inputs are not kept: the corpus is to be read, too. */
const MAX_KEPT_DIGITS = 1024;

function optionOf(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? undefined : Deno.args[at + 1];
}

const isJson = Deno.args.includes("--json");
const seconds = Number(optionOf("seconds") ?? DEFAULT_SECONDS);
const only = optionOf("only") ?? "";
const seed = Number(optionOf("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0]!);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function lineOf(name: string, result: Omit<FuzzResult, "found">, words: number): string {
  const rate = Math.round(result.inputs / result.seconds);
  return name.padEnd(32) + `${result.inputs}`.padStart(12) + `${rate}`.padStart(11) +
    result.slowestMs.toFixed(1).padStart(12) + `${words}`.padStart(9);
}

const results: { readonly name: string; readonly result: FuzzResult }[] = [];
if (!isJson) {
  print(`seed ${seed}`);
  print(`${"parser".padEnd(32)}      inputs   inputs/s  slowest ms outcomes`);
}
for (const target of TARGETS.filter(({ name }) => name.includes(only))) {
  const result = await fuzz(target, corpusOf(target), { seed, seconds });
  results.push({ name: target.name, result });
  if (!isJson) print(lineOf(target.name, result, result.found.size));
  if (Deno.args.includes("--words")) {
    for (const word of result.found.keys()) print(`    ${word}`);
  }
}
const total = results.reduce(
  (sum, { result }) => ({
    inputs: sum.inputs + result.inputs,
    seconds: sum.seconds + result.seconds,
    slowestMs: Math.max(sum.slowestMs, result.slowestMs),
  }),
  { inputs: 0, seconds: 0, slowestMs: 0 },
);
const words = results.reduce((sum, { result }) => sum + result.found.size, 0);
if (isJson) print(JSON.stringify({ parsers: results.length, ...total, outcomes: words, seed }));
else print(lineOf(`${results.length} parsers`, total, words));

if (Deno.args.includes("--keep")) {
  const kept = Object.fromEntries(
    TARGETS.map((target) => [
      target.name,
      {
        ...corpusOf(target),
        ...Object.fromEntries(
          [...results.find(({ name }) => name === target.name)?.result.found ?? []]
            .filter(([, hex]) => hex.length <= MAX_KEPT_DIGITS),
        ),
      },
    ]),
  );
  const path = new URL("corpus/corpus.json", import.meta.url);
  await Deno.writeTextFile(path, `${JSON.stringify(kept, null, 2)}\n`);
}
