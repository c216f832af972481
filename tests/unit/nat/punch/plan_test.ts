import assert from "node:assert/strict";
import { MAPPING_CLASSES, type MappingClass } from "../../../../lib/nat/mapping_class.ts";
import {
  other,
  planPunch,
  punchKind,
  type PunchRole,
  socketsToOpen,
} from "../../../../lib/nat/punch/plan.ts";

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

Deno.test("socketsToOpen gives hard sides 256 sockets, and clients whose next ports are foreseen 4", () => {
  const count = (role: PunchRole, sharer: string, client: string): number =>
    socketsToOpen(planPunch(CLASS[sharer]!, CLASS[client]!), role);
  assert.deepEqual([count("sharer", "random", "fixed"), count("client", "random", "fixed")], [
    256,
    0,
  ]);
  assert.deepEqual([count("sharer", "fixed", "random"), count("client", "fixed", "random")], [
    0,
    256,
  ]);
  assert.deepEqual([count("sharer", "fixed", "stepping"), count("client", "fixed", "stepping")], [
    0,
    4,
  ]);
  for (const role of ["sharer", "client"] as const) {
    for (
      const [sharer, client] of [
        ["stepping", "fixed"],
        ["stepping", "stepping"],
        ["fixed", "fixed"],
        ["random", "random"],
      ] as const
    ) assert.equal(count(role, sharer, client), 0);
  }
});

Deno.test("other is the other role", () => {
  assert.equal(other("sharer"), "client");
  assert.equal(other("client"), "sharer");
});
