/**
 * Reads the counts out of a JUnit report as `deno test --junit-path` writes it. The report, not the
 * text on the terminal, is what a program may count from: it is the same with and without colour,
 * and in every reporter.
 */

/** How many tests ended in which way. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** No tests at all. */
export const NO_TESTS: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** The sum of two counts. */
export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** `12 passed, 0 failed, 1 skipped`: the last line of every run. */
export function formatCounts(counts: TestCounts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/**
 * Sums the suites of a report. Test steps are test cases of their own there, and counted as such.
 *
 * @returns Undefined when `xml` is no such report, or says something that cannot be.
 */
export function countsOfJunit(xml: string): TestCounts | undefined {
  if (!/^(?:<\?xml[^>]*\?>)?\s*<testsuites[\s>]/.test(xml)) return undefined;
  let counts = NO_TESTS;
  // `<` and `"` are escaped in names and messages, so these can only be real tags and attributes.
  for (const [, attributes] of xml.matchAll(/<testsuite(\s[^>]*)>/g)) {
    const total = attribute(attributes!, "tests");
    const skipped = attribute(attributes!, "disabled");
    const failures = attribute(attributes!, "failures");
    const errors = attribute(attributes!, "errors");
    if (
      total === undefined || skipped === undefined || failures === undefined || errors === undefined
    ) {
      return undefined;
    }
    const failed = failures + errors;
    const passed = total - failed - skipped;
    if (passed < 0) return undefined;
    counts = addCounts(counts, { passed, failed, skipped });
  }
  return counts;
}

function attribute(attributes: string, name: string): number | undefined {
  const match = new RegExp(`\\s${name}="([0-9]+)"`).exec(attributes);
  return match === null ? undefined : Number(match[1]);
}
