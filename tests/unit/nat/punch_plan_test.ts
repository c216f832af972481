import assert from "node:assert/strict";
import { MAPPING_CLASSES, type MappingClass } from "../../../lib/nat/mapping_class.ts";
import { other, planPunch, punchKind } from "../../../lib/nat/punch_plan.ts";

const CLASS: Readonly<Record<string, MappingClass>> = {
  fixed: "endpoint_independent",
  address: "address_dependent",
  stepping: "port_dependent_stepping",
  random: "port_dependent_random",
};

Deno.test("planPunch gives every pair its method and its work", () => {
  const rows = [
    "fixed fixed: punched",
    "fixed stepping: predicted, sharer sprays",
    "stepping fixed: predicted, client sprays",
    "stepping stepping: predicted, lockstep",
    "fixed random: birthday, client opens, sharer sprays",
    "fixed address: birthday, client opens, sharer sprays",
    "random fixed: birthday, sharer opens, client sprays",
    "address fixed: birthday, sharer opens, client sprays",
    "address address: birthday, client opens, sharer sprays",
    "random address: birthday, client opens, sharer sprays",
    "stepping address: birthday, client opens, sharer sprays",
    "address random: birthday, sharer opens, client sprays",
    "address stepping: birthday, sharer opens, client sprays",
    "stepping random: impossible",
    "random stepping: impossible",
    "random random: impossible",
  ];
  for (const row of rows) {
    const [, sharer, client] = /^(\w+) (\w+):/.exec(row)!;
    const { method, opens, sprays, lockstep } = planPunch(CLASS[sharer!]!, CLASS[client!]!);
    const said = [
      `${sharer} ${client}: ${method}`,
      ...(opens ? [`${opens} opens`] : []),
      ...(sprays ? [`${sprays} sprays`] : []),
      ...(lockstep ? ["lockstep"] : []),
    ];
    assert.equal(said.join(", "), row);
  }
  assert.equal(rows.length, Object.keys(CLASS).length ** 2);
});

Deno.test("punchKind takes no NAT and an unknown one for fixed", () => {
  const fixed = MAPPING_CLASSES.filter((mapping) => punchKind(mapping) === "fixed");
  assert.deepEqual(fixed, ["unknown", "none", "endpoint_independent"]);
});

Deno.test("other is the other role", () => {
  assert.equal(other("sharer"), "client");
  assert.equal(other("client"), "sharer");
});
