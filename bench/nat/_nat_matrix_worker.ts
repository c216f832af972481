/** Tries the pairs it is told of, in a thread of its own: see `nat_matrix.ts`. */
import { ALL_CASES, caseSeed } from "../../tests/support/nat_matrix.ts";
import { type PairRun, runPair } from "../../tests/support/nat_pair.ts";

/** Which pair to try, and how often. */
export interface CaseOrder {
  /** Index in `ALL_CASES`. */
  readonly index: number;
  /** Seeds 1 to this. */
  readonly seeds: number;
}

/** How the tries went, in the order of their seeds. */
export interface CaseRuns {
  readonly index: number;
  readonly runs: readonly PairRun[];
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<CaseOrder>) => void;
  postMessage(message: CaseRuns): void;
};

scope.onmessage = ({ data: { index, seeds } }) => {
  const matrixCase = ALL_CASES[index]!;
  const runs = Array.from(
    { length: seeds },
    (_, i) => runPair(caseSeed(matrixCase, i + 1), matrixCase.setting),
  );
  scope.postMessage({ index, runs });
};
