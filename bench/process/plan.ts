/** Which tools run in which cases, and how long that may take. Pure. */
import {
  type BenchCase,
  CASES,
  forecastMs,
  isHopeless,
  type LinkKind,
  linkKindOf,
  scaledCase,
  takesPart,
} from "./cases.ts";
import type { BenchOptions } from "./command_line.ts";
import type { Tool } from "./tool.ts";

/** A case with the tools that take turns in it. */
export interface PlannedCase {
  readonly bench: BenchCase;
  readonly link: LinkKind;
  readonly tools: readonly Tool[];
}

type Choice = Pick<BenchOptions, "natlab" | "only" | "paths" | "tools" | "scale">;

/** What a command line asks for, of the tools that are there. */
export function planCases(options: Choice, tools: readonly Tool[]): PlannedCase[] {
  return CASES.filter(({ name, path }) =>
    options.only.includes(name) && options.paths.includes(path.name)
  ).map((bench) => {
    const link = linkKindOf(bench, options.natlab !== undefined);
    return {
      bench: scaledCase(bench, options.scale),
      link,
      tools: tools.filter((tool) => takesPart(bench, tool, link, options.tools)),
    };
  }).filter(({ tools }) => tools.length > 0);
}

/** How long all of it may take, s. A run that is cut off is not tried again. */
export function planSeconds(plan: readonly PlannedCase[], runs: number): number {
  let ms = 0;
  for (const { bench, tools } of plan) {
    for (const tool of tools) {
      const isTriedOnce = bench.isOnce || isHopeless(bench, tool);
      ms += forecastMs(bench, tool) * (isTriedOnce ? 1 : runs);
    }
  }
  return ms / 1000;
}
