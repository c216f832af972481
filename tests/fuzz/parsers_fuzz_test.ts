// Goal: no bytes from outside make a parser throw, hang, or hold more than its bounds, before and
// after authentication; what was read and written again is read the same, and byte for byte where
// the format has one encoding.
// Method: for each parser mutations of well-formed inputs, part by part, from a fixed seed, the kept
// inputs first. FUZZ_SECONDS=n runs n seconds for each with fresh seeds, FUZZ_SEED=n that seed,
// FUZZ_INPUT=hex one input; `deno task fuzz` runs all for as long as it is told.
import assert from "node:assert/strict";
import { decodeHex } from "../../lib/bytes/hex.ts";
import { fuzz, INPUT_VARIABLE, tryInput } from "./_engine.ts";
import { corpusOf, TARGETS } from "./_targets.ts";

/** How often a target's own number of inputs: with all of them about a minute. */
const ROUNDS = 10;
/** Fixed, so that a run of the tests is the same everywhere. */
const SEED = 1;

function variable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return;
  return Deno.env.get(name);
}

const input = variable(INPUT_VARIABLE);
const seconds = variable("FUZZ_SECONDS");
const freshSeed = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

for (const target of TARGETS) {
  Deno.test(`${target.name} bears any input`, async () => {
    if (input !== undefined) return void await tryInput(target, decodeHex(input));
    const seed = Number(variable("FUZZ_SEED") ?? (seconds === undefined ? SEED : freshSeed()));
    const result = await fuzz(target, corpusOf(target), {
      seed,
      ...(seconds === undefined
        ? { inputs: ROUNDS * target.inputs }
        : { seconds: Number(seconds) }),
    });
    assert.ok(result.inputs >= target.seeds.length);
    // An input that is always refused for one reason would test nothing.
    assert.ok(result.found.size > 1, "all inputs ended in one way");
  });
}
