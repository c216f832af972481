/** Adds up how the tries of one pair went, and says what was not as expected. */
import { SPRAY_PROBES } from "../../lib/nat/punch/limits.ts";
import type { Expectation } from "./nat_expectation.ts";
import { caseName, type MatrixCase } from "./nat_matrix.ts";
import type { PairRun } from "./nat_pair.ts";

/** Rates of few tries may be off by so many standard deviations. */
const TOLERANCE_SIGMA = 3;
/** Fewer times say little of percentiles. */
const MIN_TIMES = 20;

/** The tries of one pair. */
export class NatTally {
  /** How many there were. */
  tries = 0;
  /** The most spray probes that a side sent within 30 s. */
  sprayed = 0;
  /** The pair. */
  readonly matrixCase: MatrixCase;
  readonly #timesMs: number[] = [];
  #isSorted = true;

  /** No tries yet. */
  constructor(matrixCase: MatrixCase) {
    this.matrixCase = matrixCase;
  }

  /** How many succeeded in time. */
  get successes(): number {
    return this.#timesMs.length;
  }

  /**
   * Adds a try.
   *
   * @returns What in it no luck explains; undefined when all is well.
   */
  add({ method, timeMs, isOneCode, sprayed }: PairRun): string | undefined {
    const { expected } = this.matrixCase;
    this.tries++;
    this.sprayed = Math.max(this.sprayed, sprayed);
    if (sprayed > SPRAY_PROBES) return `${sprayed} spray probes within 30 s`;
    if (method === undefined) return undefined;
    if (!expected.methods.includes(method)) return `met by ${method} after ${seconds(timeMs)}`;
    if (isOneCode !== expected.isOneCode) {
      return `met ${isOneCode ? "without" : "only with"} a reply code`;
    }
    if (timeMs > expected.withinMs) return undefined;
    this.#timesMs.push(timeMs);
    this.#isSorted = false;
    return undefined;
  }

  /** A percentile of the times of those that succeeded, ms; undefined when none did. */
  percentileMs(percent: number): number | undefined {
    if (!this.#isSorted) this.#timesMs.sort((a, b) => a - b);
    this.#isSorted = true;
    const { length } = this.#timesMs;
    return this.#timesMs[Math.min(length - 1, Math.floor(length * percent / 100))];
  }

  /** What is not as expected of the whole; empty when all is well. */
  get problems(): string[] {
    const { expected } = this.matrixCase;
    const { successRate, p50Ms, p95Ms } = expected;
    const problems: string[] = [];
    const sigma = Math.sqrt(this.tries * successRate * (1 - successRate));
    if (this.successes < this.tries * successRate - TOLERANCE_SIGMA * sigma) {
      problems.push(`${this.successes} of ${this.tries} met, not ${percent(successRate)}`);
    }
    if (this.successes < MIN_TIMES) return problems;
    const p50 = this.percentileMs(50)!;
    const p95 = this.percentileMs(95)!;
    if (p50 > p50Ms) problems.push(`p50 is ${seconds(p50)}, not ${seconds(p50Ms)}`);
    if (p95 > p95Ms) problems.push(`p95 is ${seconds(p95)}, not ${seconds(p95Ms)}`);
    return problems;
  }

  /** One line: pair, expectation, what came out. */
  get line(): string {
    const head = describeCase(this.matrixCase);
    if (this.successes === 0) return `${head} | 0 of ${this.tries}`;
    return [
      head,
      `${this.successes} of ${this.tries}`,
      `p50 ${seconds(this.percentileMs(50)!)}`,
      `p95 ${seconds(this.percentileMs(95)!)}`,
      `at most ${this.sprayed} spray probes`,
    ].join(" | ");
  }
}

/** The pair, its path and the bounds, for a person. */
export function describeCase(matrixCase: MatrixCase): string {
  return `${caseName(matrixCase)}: ${describeExpectation(matrixCase.expected)}`;
}

function describeExpectation({ path, successRate, withinMs, p95Ms }: Expectation): string {
  if (path === "none") return "none";
  return `${path}, ${percent(successRate)} within ${seconds(withinMs)}, p95 ${seconds(p95Ms)}`;
}

/** Milliseconds as seconds. */
export function seconds(ms: number): string {
  return ms < 10 ? `${(ms / 1000).toFixed(4)} s` : `${Number((ms / 1000).toFixed(2))} s`;
}

/** A rate as percent, at most one decimal. */
export function percent(rate: number): string {
  return `${Number((rate * 100).toFixed(1))} %`;
}
