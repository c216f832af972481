import assert from "node:assert/strict";
import { reportPortMapping } from "../../../lib/doctor/doctor_port_mapping.ts";

Deno.test("reportPortMapping does not end with a question that is still open", () => {
  const outcomes = { pcp: "asking", "nat-pmp": "silent", upnp: "asking" } as const;
  assert.deepEqual(reportPortMapping({ mapped: undefined, outcomes }, true), {
    outcomes: { pcp: "no answer so far", "nat-pmp": "silent", upnp: "no answer so far" },
  });
});

Deno.test("reportPortMapping names the port that was opened", () => {
  const external = { family: 4, host: "203.0.113.5", port: 4000 } as const;
  const outcomes = { pcp: "granted", "nat-pmp": "not needed", upnp: "not needed" } as const;
  assert.deepEqual(reportPortMapping({ mapped: { external, by: "pcp" }, outcomes }, true), {
    by: "pcp",
    external: "203.0.113.5:4000",
    outcomes,
  });
});

Deno.test("reportPortMapping says why nobody was asked", () => {
  assert.equal(reportPortMapping(undefined, true).outcomes.upnp, "not needed");
  assert.equal(reportPortMapping(undefined, false).outcomes.pcp, "off");
});
