import assert from "node:assert/strict";
import { forecastNetworks, forecastPair } from "../../../lib/doctor/doctor_forecast.ts";
import type { DoctorPair } from "../../../lib/doctor/doctor_report.ts";
import type { Candidate } from "../../../lib/nat/candidate.ts";
import type { MappingClass } from "../../../lib/nat/mapping_class.ts";
import type { PairSide } from "../../../lib/nat/pair_side.ts";
import { candidate } from "../nat/punch/_punch.ts";

const LAN = candidate("host", "192.168.1.2", 4000);
const SEEN = candidate("reflexive", "203.0.113.5", 4000);

function side(mapping: MappingClass, ...candidates: Candidate[]): PairSide {
  return { mapping, candidates };
}

/** What is said of each network: `method oneCode`. */
function rows(own: PairSide): Record<string, string> {
  return Object.fromEntries(
    forecastNetworks(own).map(({ other, method, oneCode }) => [other, `${method} ${oneCode}`]),
  );
}

function pair(own: PairSide, mappingClass: MappingClass, ...candidates: Candidate[]) {
  const t = new Uint8Array(32);
  const found = forecastPair(own, { t, mappingClass, candidates });
  return found as DoctorPair & { readonly code: "share" };
}

Deno.test("forecastNetworks says when a reply code is needed", () => {
  assert.deepEqual(rows(side("endpoint_independent", LAN, SEEN)), {
    public: "direct receiving",
    easy_router: "punched never",
    stepping_router: "predicted never",
    random_router: "birthday never",
  });
  const open = candidate("host", "203.0.113.5", 4000);
  assert.deepEqual(rows(side("none", open)), {
    public: "direct always",
    easy_router: "direct sending",
    stepping_router: "direct sending",
    random_router: "direct sending",
  });
  const mapped = candidate("mapped", "203.0.113.5", 4000);
  assert.deepEqual(rows(side("port_dependent_random", LAN, mapped)), {
    public: "mapped always",
    easy_router: "mapped sending",
    stepping_router: "mapped sending",
    random_router: "mapped sending",
  });
});

Deno.test("forecastNetworks has a row for IPv6 where this machine has it", () => {
  const ipv6 = candidate("host", "2001:db8::5", 4000);
  const hard = rows(side("port_dependent_random", LAN, SEEN, ipv6));
  assert.equal(hard.random_router, "impossible never");
  assert.equal(hard.ipv6, "punched never");
  const local = candidate("host", "fd00::5", 4000);
  assert.equal(rows(side("port_dependent_random", LAN, SEEN, local)).ipv6, undefined);
});

Deno.test("forecastNetworks promises nothing when nothing is known of the router", () => {
  for (const own of [side("unknown", LAN), side("unknown", LAN, SEEN), side("unknown")]) {
    for (const said of Object.values(rows(own))) assert.equal(said, "unknown never");
  }
  const mapped = candidate("mapped", "203.0.113.5", 4000);
  assert.equal(rows(side("unknown", LAN, mapped)).random_router, "mapped sending");
});

Deno.test("forecastNetworks does not count on IPv4 that leads nowhere", () => {
  const ipv6 = candidate("host", "2001:db8::5", 4000);
  const found = rows(side("none", LAN, ipv6));
  assert.equal(found.easy_router, "unknown never");
  assert.equal(found.ipv6, "punched never");
});

Deno.test("forecastPair knows a share in this machine's own network", () => {
  const neighbour = candidate("host", "192.168.1.9", 5000);
  const found = pair(side("port_dependent_random", LAN, SEEN), "port_dependent_random", ...[
    neighbour,
    candidate("reflexive", "203.0.113.5", 5000),
  ]);
  assert.equal(found.expected, "direct");
  assert.equal(found.isOneNetwork, true);
  assert.equal(found.isOneCodeEnough, true);
  assert.deepEqual(found.advice, []);
});

Deno.test("forecastPair says that it is not known, and on what it depends", () => {
  const own = side("endpoint_independent", LAN, SEEN);
  const hidden = pair(own, "unknown", candidate("host", "10.0.0.2", 5000));
  assert.equal(hidden.expected, "unknown");
  assert.equal(hidden.isOneCodeEnough, false);
  assert.match(hidden.advice.join(), /sharing side's code names addresses in its own network only/);
  const carrier = candidate("reflexive", "203.0.113.5", 5000);
  const near = pair(own, "endpoint_independent", candidate("host", "10.0.0.2", 5000), carrier);
  assert.equal(near.expected, "unknown");
  assert.match(near.advice.join(), /carrier/);
});

Deno.test("forecastPair does not mind what this machine's code says when none is needed", () => {
  const found = pair(side("unknown", LAN), "none", candidate("host", "198.51.100.1", 5000));
  assert.equal(found.expected, "direct");
  assert.equal(found.isOneCodeEnough, true);
  assert.deepEqual(found.advice, []);
});

Deno.test("forecastPair knows a reply code for what it is", () => {
  assert.deepEqual(forecastPair(side("unknown", LAN), "reply"), { code: "reply" });
});
