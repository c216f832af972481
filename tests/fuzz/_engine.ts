/**
 * Runs a parser on inputs that come from valid ones by mutation. A target says of each input what
 * became of it, in a word; inputs that led to a new word join those that are mutated, so the search
 * goes deeper without measuring coverage. One input for each word is kept in `corpus/`, and tried
 * first in every run.
 */
import { decodeHex, encodeHex } from "../../lib/bytes/hex.ts";
import { Prng } from "../support/prng.ts";
import { mutate, type Pieces } from "./_mutator.ts";

/** A parser and what must hold for every input. */
export interface FuzzTarget {
  /** Which parser. Names its file in `corpus/`. */
  readonly name: string;
  /** Inputs that are well formed. */
  readonly seeds: readonly Uint8Array[];
  /** How inputs are built, where they have parts. */
  readonly pieces?: Pieces;
  /** How many inputs a short run tries. */
  readonly inputs: number;
  /**
   * Tries one input.
   *
   * @returns What became of it, in few different words.
   * @throws When a property does not hold.
   */
  readonly check: (input: Uint8Array) => string | Promise<string>;
}

/** How far a run goes. */
export interface FuzzBudget {
  /** Which chance. */
  readonly seed: number;
  /** Ends after this many inputs; by default the target's own number. */
  readonly inputs?: number;
  /** Ends after this many seconds instead. */
  readonly seconds?: number;
}

/** How a run went. */
export interface FuzzResult {
  readonly inputs: number;
  readonly seconds: number;
  /** The longest time that one input took, ms. */
  readonly slowestMs: number;
  /** The shortest input for each word, in hexadecimal. */
  readonly found: ReadonlyMap<string, string>;
}

/** Inputs by what became of them, in hexadecimal. */
export type Corpus = Readonly<Record<string, string>>;

/** No input may take longer: work is bounded by what the input holds. Generous to slow machines. */
const MAX_INPUT_MS = 3000;
/** Words beyond this many are not told apart: a target that makes them up would keep everything. */
const MAX_WORDS = 400;

/** The environment variable that holds one input to try, in hexadecimal. */
export const INPUT_VARIABLE = "FUZZ_INPUT";

/** Tries one input and names it when a property does not hold. */
export async function tryInput(target: FuzzTarget, input: Uint8Array): Promise<string> {
  const startMs = performance.now();
  try {
    const word = await target.check(input.slice());
    const tookMs = performance.now() - startMs;
    if (tookMs > MAX_INPUT_MS) throw new Error(`It took ${Math.round(tookMs)} ms`);
    return word;
  } catch (cause) {
    const hex = encodeHex(input);
    const replay = `${INPUT_VARIABLE}=${hex} deno task test:fuzz --filter "${target.name} bears"`;
    throw new Error(`${target.name} fails on ${hex}\nReplay it with: ${replay}`, { cause });
  }
}

/** Tries the seeds, the corpus, and then what mutation makes of them. */
export async function fuzz(
  target: FuzzTarget,
  corpus: Corpus,
  budget: FuzzBudget,
): Promise<FuzzResult> {
  const prng = new Prng(budget.seed);
  const pool = [...target.seeds, ...Object.values(corpus).map((hex) => decodeHex(hex))];
  const found = new Map<string, string>();
  const startMs = performance.now();
  let inputs = 0;
  let slowestMs = 0;
  const attempt = async (input: Uint8Array): Promise<void> => {
    const beginMs = performance.now();
    const word = await tryInput(target, input);
    slowestMs = Math.max(slowestMs, performance.now() - beginMs);
    inputs++;
    const before = found.get(word);
    if (before === undefined && found.size < MAX_WORDS) pool.push(input);
    if (before === undefined ? found.size < MAX_WORDS : 2 * input.length < before.length) {
      found.set(word, encodeHex(input));
    }
  };
  for (const input of [...pool]) await attempt(input);
  const { seconds } = budget;
  const wanted = budget.inputs ?? target.inputs;
  const isOver = () =>
    seconds === undefined ? inputs >= wanted : performance.now() - startMs >= seconds * 1000;
  while (!isOver()) await attempt(mutate(prng.pick(pool), pool, prng, target.pieces));
  return { inputs, seconds: (performance.now() - startMs) / 1000, slowestMs, found };
}
