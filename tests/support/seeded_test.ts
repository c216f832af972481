/**
 * Registers tests that depend on a seed, so that a failure can be replayed by one command.
 *
 * `SIM_SEED=7` runs seed 7 alone; `SIM_RUNS=500` runs that many: the fixed seeds first, then fresh
 * ones. Both are read only where the permission to read them was granted.
 */

/** What {@linkcode seededTest} hands to its body. */
export type SeededBody = (seed: number) => void | Promise<void>;

/**
 * Registers one test that runs `body` for seeds 1 to `runs`.
 *
 * @param finish Called after the last seed: for claims about all of them together.
 * @throws The test fails with the replay command and, as its cause, what `body` threw.
 */
export function seededTest(
  name: string,
  runs: number,
  body: SeededBody,
  finish: () => void = () => {},
): void {
  Deno.test(name, async () => {
    for (const seed of seedsOf(runs, readNumber("SIM_SEED"), wantedRuns())) {
      await runSeed(name, seed, body);
    }
    finish();
  });
}

/** Runs one seed; a failure is told together with the command that replays it. */
export async function runSeed(name: string, seed: number, body: SeededBody): Promise<void> {
  try {
    await body(seed);
  } catch (cause) {
    throw new Error(`Seed ${seed} failed, replay it with: ${replayCommand(name, seed)}`, { cause });
  }
}

/** The command that runs one test with one seed. */
export function replayCommand(name: string, seed: number): string {
  // Within double quotes a shell still looks at these four.
  const quoted = name.replaceAll(/["\\$`]/g, (character) => `\\${character}`);
  return `SIM_SEED=${seed} deno task test:sim --filter "${quoted}"`;
}

/**
 * The seeds of one test.
 *
 * @param runs How many fixed ones it has by itself.
 * @param only The one seed to run, when one was asked for.
 * @param wanted How many to run, when that was asked for; beyond `runs` they are fresh.
 */
export function seedsOf(
  runs: number,
  only: number | undefined,
  wanted: number | undefined,
): number[] {
  if (only !== undefined) return [only];
  const count = wanted ?? runs;
  const fixed = Array.from({ length: Math.min(count, runs) }, (_, i) => i + 1);
  const fresh = Array.from(
    { length: Math.max(0, count - runs) },
    () => crypto.getRandomValues(new Uint32Array(1))[0]!,
  );
  return [...fixed, ...fresh];
}

/** How often to run, when `SIM_RUNS` says so. */
export function wantedRuns(): number | undefined {
  return readNumber("SIM_RUNS");
}

function readNumber(variable: string): number | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  const text = Deno.env.get(variable);
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use ${variable}=${text}: it must be a whole number`);
  }
  return value;
}
