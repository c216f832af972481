/** Rule ids such as `[ACK-3]`: where the specification defines them and who quotes them. */

/** Letters and digits, a dash, a number; deno fmt keeps `[LENGTH - 1]` in code apart from it. */
const RULE_ID = /\[([A-Z][A-Z0-9]*-\d+)\]/g;

/** The distinct ids in a text, in order of appearance. */
export function ruleIds(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(RULE_ID), (match) => match[1]!))];
}

/** What does not fit together. */
export interface SpecIdReport {
  /** Rules no code says it obeys. */
  readonly notInCode: string[];
  /** Rules no test says it proves. */
  readonly notInTests: string[];
  /** Ids quoted somewhere that the specification does not have, as `file: ID`. */
  readonly unknown: string[];
}

/** Compares the specification with the code and the tests, each given as file name and text. */
export function compareSpecIds(
  spec: ReadonlyMap<string, string>,
  code: ReadonlyMap<string, string>,
  tests: ReadonlyMap<string, string>,
): SpecIdReport {
  const defined = ruleIds([...spec.values()].join("\n"));
  const inCode = new Set([...code.values()].flatMap(ruleIds));
  const inTests = new Set([...tests.values()].flatMap(ruleIds));
  const known = new Set(defined);
  const unknown = [...code, ...tests].flatMap(([file, text]) =>
    ruleIds(text).filter((id) => !known.has(id)).map((id) => `${file}: ${id}`)
  );
  return {
    notInCode: defined.filter((id) => !inCode.has(id)),
    notInTests: defined.filter((id) => !inTests.has(id)),
    unknown,
  };
}
