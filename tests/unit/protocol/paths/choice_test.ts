import assert from "node:assert/strict";
import { parseSocketAddress, type SocketAddress } from "../../../../lib/nat/address.ts";
import { isClearlyBetter } from "../../../../lib/protocol/paths/choice.ts";

const at = (text: string, rttMs: number) => ({ remote: parseSocketAddress(text)!, rttMs });
const GLOBAL = "198.51.100.1:1";
const PRIVATE = "192.168.1.2:1";

type Case = readonly [
  other: readonly [string, number],
  present: readonly [string, number],
  better: boolean,
];
const cases: readonly Case[] = [
  [[GLOBAL, 31], [GLOBAL, 40], true],
  [[GLOBAL, 32], [GLOBAL, 40], false],
  [[GLOBAL, 1], [GLOBAL, 3], true],
  [[GLOBAL, 1.5], [GLOBAL, 3], false],
  [[PRIVATE, 3], [GLOBAL, 3], true],
  [[PRIVATE, 3.1], [GLOBAL, 3], false],
  [[PRIVATE, 3], [PRIVATE, 3], false],
  [[GLOBAL, 3], [PRIVATE, 3], false],
  [["[fe80::1]:1", 3], [GLOBAL, 3], true],
  [["[fd00::1]:1", 3], [GLOBAL, 3], true],
  [["100.64.0.1:1", 3], [GLOBAL, 3], false],
];
for (const [other, present, better] of cases) {
  const name = `${other.join(" in ")} ms ${better ? "is" : "is not"} better than`;
  Deno.test(`[PATH-5] isClearlyBetter: ${name} ${present.join(" in ")} ms`, () => {
    assert.equal(isClearlyBetter(at(...other), at(...present), []), better);
  });
}

Deno.test("[PATH-5] isClearlyBetter takes the own /64 for local", () => {
  const own: SocketAddress[] = [parseSocketAddress("[2001:db8:1:2::9]:1")!];
  const near = at("[2001:db8:1:2:ffff::1]:1", 3);
  const far = at("[2001:db8:1:3::1]:1", 3);
  const present = at(GLOBAL, 3);
  assert.equal(isClearlyBetter(near, present, own), true);
  assert.equal(isClearlyBetter(near, present, []), false);
  assert.equal(isClearlyBetter(far, present, own), false);
});
