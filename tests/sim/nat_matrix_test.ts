/**
 * Goal: every pair of networks meets as docs/nat.md says: the way, how often, how fast, and with no
 * more probes than allowed.
 * Method: the real machines of `lib/nat` in a simulated internet (`nat_pair.ts`), a few seeds for
 * each pair; `deno task bench:nat` runs a thousand. One line each: the sharer's network, the
 * client's, the expected path and its bounds.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { ProbeCodec } from "../../lib/crypto/probe.ts";
import { TRAPPED } from "../support/nat_expectation.ts";
import { ALL_CASES, caseSeed, MATRIX } from "../support/nat_matrix.ts";
import { runPair } from "../support/nat_pair.ts";
import { describeCase, NatTally } from "../support/nat_tally.ts";
import { seededTest } from "../support/seeded_test.ts";

const RUNS = 8;

for (const matrixCase of ALL_CASES) {
  const tally = new NatTally(matrixCase);
  seededTest(
    describeCase(matrixCase),
    RUNS,
    (seed) => {
      const run = runPair(caseSeed(matrixCase, seed), matrixCase.setting);
      assert.equal(tally.add(run), undefined);
    },
    () => assert.deepEqual(tally.problems, []),
  );
}

Deno.test("judgePair says at once which pairs of the matrix cannot meet, and what helps", () => {
  for (const { sharer, client, expected, setting } of MATRIX) {
    const { outlook } = runPair(1, setting);
    const isHopeless = outlook?.method === "impossible";
    const isKnown = expected.path === "none" && expected !== TRAPPED;
    assert.equal(isHopeless, isKnown, `${sharer} × ${client}`);
    const { problem = "" } = outlook?.advice ?? {};
    assert.equal(["both_symmetric", "symmetric_and_stepping"].includes(problem), isHopeless);
  }
});

Deno.test("runPair gives the same with probes that are sealed", () => {
  const matrixCase = MATRIX.find(({ sharer, client }) =>
    sharer === "port-restricted" && client === "symmetric"
  )!;
  const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  const sealed = runPair(
    1,
    matrixCase.setting,
    (random) => new ProbeCodec(nodeProvider, key(1), key(2), random),
  );
  assert.deepEqual(sealed, runPair(1, matrixCase.setting));
});

Deno.test("runPair gives equal runs for equal seeds and others for others", () => {
  const { setting } = MATRIX.find(({ expected }) => expected.path === "birthday")!;
  const times = [1, 1, 2].map((seed) => runPair(seed, setting).timeMs);
  assert.equal(times[0], times[1]);
  assert.notEqual(times[0], times[2]);
});
