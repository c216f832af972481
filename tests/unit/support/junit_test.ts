import assert from "node:assert/strict";
import { addCounts, countsOfJunit, formatCounts } from "../../support/junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="7" failures="2" errors="0" time="0.022">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="passes" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="fails" classname="./a_test.ts" time="0.001" line="2" col="6">
            <failure message="&lt;testsuite tests=&quot;9&quot;&gt;">Error: tests="8" &gt;</failure>
        </testcase>
    </testsuite>
    <testsuite name="./b &lt;testsuite&gt; tests=&quot;5&quot;.ts" tests="3" disabled="0" errors="1" failures="0">
    </testsuite>
</testsuites>
`;

Deno.test("countsOfJunit sums suites and is not misled by names and messages", () => {
  assert.deepEqual(countsOfJunit(REPORT), { passed: 4, failed: 2, skipped: 1 });
});

Deno.test("countsOfJunit counts nothing where nothing ran", () => {
  const empty = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="0" failures="0" errors="0" time="0.000">
</testsuites>
`;
  assert.deepEqual(countsOfJunit(empty), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("countsOfJunit refuses what is not a report or does not add up", () => {
  assert.equal(countsOfJunit(""), undefined);
  assert.equal(countsOfJunit("ok | 3 passed | 0 failed"), undefined);
  assert.equal(countsOfJunit(REPORT.replace('disabled="1"', "")), undefined);
  assert.equal(countsOfJunit(REPORT.replace('failures="1"', 'failures="4"')), undefined);
});

Deno.test("formatCounts writes the one line that ends a run", () => {
  const sum = addCounts({ passed: 10, failed: 0, skipped: 2 }, {
    passed: 5,
    failed: 1,
    skipped: 0,
  });
  assert.equal(formatCounts(sum), "15 passed, 1 failed, 2 skipped");
});
