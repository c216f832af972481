import assert from "node:assert/strict";
import { MAX_AT_DOOR, whoGivesWay } from "../../../lib/sharing/door_room.ts";

/** Clients of these hosts, in the order they came. */
function clientsOf(...hosts: readonly (readonly [host: string, count: number])[]) {
  const all = hosts.flatMap(([host, count]) => Array.from({ length: count }, () => host));
  return all.map((host, number) => ({ host, number }));
}

Deno.test("whoGivesWay sends nobody away while there is room before the door", () => {
  assert.equal(whoGivesWay(clientsOf(["a", MAX_AT_DOOR - 1]), "a"), "nobody");
});

Deno.test("whoGivesWay sends the newest of the busiest host away", () => {
  const atDoor = clientsOf(["a", 2], ["b", MAX_AT_DOOR - 4], ["c", 2]);
  assert.deepEqual(whoGivesWay(atDoor, "c"), { host: "b", number: MAX_AT_DOOR - 3 });
});

Deno.test("whoGivesWay keeps out who is of the busiest host", () => {
  const half = MAX_AT_DOOR / 2;
  assert.equal(whoGivesWay(clientsOf(["a", MAX_AT_DOOR]), "a"), "newcomer");
  // With itself its host has more than any other.
  assert.equal(whoGivesWay(clientsOf(["a", half], ["b", half]), "a"), "newcomer");
});
