/**
 * Tests in network namespaces: run where they can be, skipped elsewhere with the reason in their
 * name. With `REQUIRE_NETNS=1` in the environment a reason to skip is a failure.
 *
 * They mostly wait, for timers and round trips, so two run at a time: each starts the one declared
 * after it, which is then half done when its turn comes.
 */
import assert from "node:assert/strict";
import { netnsProblem } from "./netns.ts";

const problem = await netnsProblem();
const isRequired = Deno.env.get("REQUIRE_NETNS") === "1";

/** Whether namespaces can be made here: nothing may be tried where they cannot. */
export const HAS_NETNS: boolean = problem === undefined;

const declared: (() => Promise<void>)[] = [];
const started = new Map<number, Promise<void>>();

function start(index: number): Promise<void> | undefined {
  const run = started.get(index) ?? declared[index]?.();
  if (run === undefined) return undefined;
  started.set(index, run);
  // Whoever's turn it is hears of a failure; a test that was filtered out has no turn.
  run.catch(() => {});
  return run;
}

/**
 * Declares a test.
 *
 * @param furtherProblem Why this one cannot run although namespaces can be made.
 */
export function netnsTest(
  name: string,
  run: () => Promise<void>,
  furtherProblem?: string,
): void {
  const reason = problem ?? furtherProblem;
  if (reason === undefined) {
    const index = declared.push(run) - 1;
    Deno.test(name, async () => {
      const own = start(index);
      start(index + 1);
      await own;
    });
    return;
  }
  Deno.test({
    name: `${name} [skipped: ${reason}]`,
    ignore: !isRequired,
    fn: () => assert.fail(`REQUIRE_NETNS=1, and this test ${reason}`),
  });
}

Deno.test.afterAll(async () => {
  await Promise.allSettled(started.values());
});
