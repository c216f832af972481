import assert from "node:assert/strict";
import { givenCode } from "../../../lib/cli/given_code.ts";

/** A share code, as in tests/unit/rendezvous/share_code_test.ts. */
const CODE = "p2p1qqqqzqsrqszsvpcgpy9qkrqdpc8spjcqwyzecsqezt50n";
const SPACED = "p2p1 qqqq zqsr qszs vpcg py9q krqd pc8s pjcq wyze csqe zt50 n";

Deno.test("givenCode finds the end of a code that has words behind it", () => {
  assert.equal(givenCode(`${SPACED} thank you`), SPACED);
  assert.equal(givenCode(`Hi! "${SPACED}", please`), SPACED);
});

Deno.test("givenCode takes a short code for the first word, and not what stands behind it", () => {
  const short = `p2p1${"q".repeat(22)}`;
  for (const line of [short, `${short} is the code`, `p2pft receive ${short} please`]) {
    assert.equal(givenCode(line), short);
  }
});

Deno.test("givenCode leaves what is no code to the library", () => {
  assert.equal(givenCode(` ${CODE.replace("v", "w")} thanks`), CODE.replace("v", "w"));
  assert.equal(givenCode("p2pft receive p2ppqqq"), "p2ppqqq");
  assert.equal(givenCode("nonsense"), "nonsense");
});

Deno.test("givenCode knows when nothing was given", () => {
  for (const text of [undefined, "", "  "]) assert.equal(givenCode(text), undefined);
});
