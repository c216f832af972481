/**
 * Goal: `deno task test` never says that all is well when it is not.
 * Method: every way a suite can end, and the suites that deno.json names.
 */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { judgeSuite, suiteNames, tableLines } from "../run_suites.ts";

function report(tests: number, failures: number, skipped: number): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="deno test">\n` +
    `<testsuite name="a" tests="${tests}" disabled="${skipped}" errors="0" ` +
    `failures="${failures}">\n</testsuite>\n</testsuites>\n`;
}

Deno.test("judgeSuite takes the counts of a suite that ended well", () => {
  assert.deepEqual(judgeSuite(0, report(5, 0, 2)), {
    counts: { passed: 3, failed: 0, skipped: 2 },
  });
});

Deno.test("judgeSuite takes the counts of a suite with a failed test", () => {
  assert.deepEqual(judgeSuite(1, report(5, 1, 0)), {
    counts: { passed: 4, failed: 1, skipped: 0 },
  });
});

Deno.test("judgeSuite fails a suite that died outside of its tests", () => {
  const { counts, trouble } = judgeSuite(1, report(5, 0, 0));
  assert.deepEqual(counts, { passed: 5, failed: 1, skipped: 0 });
  assert.match(trouble!, /status 1/);
});

Deno.test("judgeSuite fails a suite that wrote no report", () => {
  const { counts, trouble } = judgeSuite(0, undefined);
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
  assert.match(trouble!, /no report/);
});

Deno.test("judgeSuite fails a suite that ran nothing or skipped everything", () => {
  assert.equal(judgeSuite(0, report(0, 0, 0)).counts.failed, 1);
  assert.deepEqual(judgeSuite(0, report(3, 0, 3)).counts, { passed: 0, failed: 1, skipped: 3 });
});

Deno.test("deno.json names a suite for every folder of tests", async () => {
  const folders: string[] = [];
  for await (const entry of Deno.readDir(new URL("..", import.meta.url))) {
    if (entry.isDirectory && entry.name !== "support" && entry.name !== "vectors") {
      folders.push(entry.name);
    }
  }
  assert.deepEqual(suiteNames(config).toSorted(), folders.toSorted());
});

Deno.test("tableLines shows a line for each suite and what went wrong", () => {
  const counts = { passed: 12, failed: 1, skipped: 0 };
  const lines = tableLines([{ name: "unit", counts, seconds: 1.26, trouble: "ran no test" }]);
  assert.deepEqual(lines, [
    "suite   passed   failed  skipped     time",
    "unit        12        1        0    1.3 s  ran no test",
  ]);
});
