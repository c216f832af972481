import assert from "node:assert/strict";
import { LanList, LIST_HEADING } from "../../../lib/cli/lan_list.ts";
import { lanShare } from "./_lan.ts";

const ANNA = lanShare("1", "Anna", "192.168.1.5", "fe80::5");
const BEN = lanShare("2", "Ben", "192.168.1.6");

Deno.test("LanList tells each share once, with a number, and when it goes", () => {
  const list = new LanList();
  assert.deepEqual(list.handle({ type: "found", share: ANNA }), [
    LIST_HEADING,
    "  1  Anna  (192.168.1.5, fe80::5)",
  ]);
  assert.deepEqual(list.handle({ type: "found", share: BEN }), ["  2  Ben  (192.168.1.6)"]);
  assert.deepEqual(list.handle({ type: "changed", share: { ...BEN, addresses: ["fe80::6"] } }), []);
  assert.deepEqual(list.handle({ type: "gone", share: ANNA }), ["  1  Anna is gone"]);
  assert.deepEqual(list.handle({ type: "gone", share: lanShare("9", "Never") }), []);
  assert.deepEqual(list.shares.map(({ name, addresses }) => [name, ...addresses]), [
    ["Ben", "fe80::6"],
  ]);
});

Deno.test("LanList gives no number twice", () => {
  const list = new LanList();
  for (const share of [ANNA, BEN]) list.handle({ type: "found", share });
  list.handle({ type: "gone", share: ANNA });
  const other = lanShare("3", "Anna", "192.168.1.66");
  assert.deepEqual(list.handle({ type: "found", share: other }), ["  3  Anna  (192.168.1.66)"]);
  assert.deepEqual(list.find(1), { kind: "gone", share: ANNA });
  assert.deepEqual(list.find(3), { kind: "share", share: other });
  for (const number of [0, 4, 1000]) assert.deepEqual(list.find(number), { kind: "none" });
});

Deno.test("LanList shows what neighbours call themselves escaped", () => {
  const evil = lanShare("1", "An\u202ena\x1b[2J", "192.168.1.5");
  const [, line] = new LanList().handle({ type: "found", share: evil });
  assert.ok(!line!.includes("\u202e") && !line!.includes("\x1b"), line);
  assert.match(line!, /\\u\{202e\}/);
});

Deno.test("LanList does not grow without end", () => {
  const list = new LanList();
  let lines = 0;
  for (let index = 0; index < 1000; index++) {
    const share = lanShare(`${index}`, `Share ${index}`, "192.168.1.5");
    lines += list.handle({ type: "found", share }).length;
    lines += list.handle({ type: "gone", share }).length;
  }
  assert.equal(lines, 2 * 256 + 1);
});
