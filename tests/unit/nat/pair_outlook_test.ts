import assert from "node:assert/strict";
import type { Candidate } from "../../../lib/nat/candidate.ts";
import type { MappingClass } from "../../../lib/nat/mapping_class.ts";
import {
  judgePair,
  pairAdvice,
  type PairProblem,
  type PairSide,
} from "../../../lib/nat/pair_outlook.ts";
import { candidate, CLIENT_HOST, SHARER_HOST } from "./punch/_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const ADDRESS: MappingClass = "address_dependent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

function sharer(mapping: MappingClass, ...more: Candidate[]): PairSide {
  return { mapping, candidates: [candidate("reflexive", SHARER_HOST, 4000), ...more] };
}

function client(mapping: MappingClass, ...more: Candidate[]): PairSide {
  return { mapping, candidates: [candidate("reflexive", CLIENT_HOST, 5000), ...more] };
}

Deno.test("judgePair forecasts each pair of NATs by their plan", () => {
  const { advice: _, ...birthday } = judgePair(sharer(FIXED), client(RANDOM));
  assert.deepEqual(birthday, { method: "birthday", opens: "client", sprays: "sharer" });
  assert.deepEqual(judgePair(sharer(FIXED), client(FIXED)), { method: "punched" });
  assert.deepEqual(judgePair(sharer("unknown"), client("unknown")), { method: "punched" });
  assert.deepEqual(judgePair(sharer(STEPPING), client(FIXED)), {
    method: "predicted",
    sprays: "client",
  });
  assert.deepEqual(judgePair(sharer(STEPPING), client(STEPPING)), { method: "predicted" });
  const both = judgePair(sharer(ADDRESS), client(RANDOM));
  assert.deepEqual([both.method, both.opens, both.sprays], ["birthday", "sharer", "client"]);
  assert.equal(both.advice?.problem, "many_ports");
});

Deno.test("judgePair says at once what is impossible, and what would help", () => {
  for (const [one, other] of [[RANDOM, RANDOM], [STEPPING, RANDOM], [RANDOM, STEPPING]] as const) {
    const { method, advice } = judgePair(sharer(one), client(other));
    assert.equal(method, "impossible");
    assert.equal(advice?.problem, "both_symmetric");
    for (const help of ["IPv6", "phone hotspot", "UPnP", "--bind", "--address"]) {
      assert.ok(advice?.text.includes(help), help);
    }
  }
});

Deno.test("judgePair expects a direct path where one side has no NAT", () => {
  for (const mapping of [FIXED, STEPPING, RANDOM, ADDRESS, "unknown"] as const) {
    assert.deepEqual(judgePair(sharer("none"), client(mapping)), { method: "direct" });
    assert.deepEqual(judgePair(sharer(mapping), client("none")), { method: "direct" });
  }
});

Deno.test("judgePair counts on a mapped or manual port of either side that the other can reach", () => {
  for (const kind of ["mapped", "manual"] as const) {
    const open = sharer(RANDOM, candidate(kind, SHARER_HOST, 9000));
    assert.deepEqual(judgePair(open, client(RANDOM)), { method: "mapped" });
    const openClient = client(RANDOM, candidate(kind, CLIENT_HOST, 9000));
    assert.deepEqual(judgePair(sharer(RANDOM), openClient), { method: "mapped" });
  }
  const openOverIpv6 = sharer(RANDOM, candidate("mapped", "2001:db8::1", 9000));
  assert.equal(judgePair(openOverIpv6, client(RANDOM)).method, "impossible");
});

Deno.test("judgePair takes IPv6 on both sides, and one router for both, for punched at worst", () => {
  const ipv6 = (host: string): Candidate => candidate("host", host, 9000);
  assert.deepEqual(
    judgePair(sharer(RANDOM, ipv6("2001:db8::1")), client(RANDOM, ipv6("2001:db8:1::1"))),
    { method: "punched" },
  );
  assert.equal(
    judgePair(sharer(RANDOM, ipv6("fd00::1")), client(RANDOM, ipv6("2001:db8::1"))).method,
    "impossible",
  );
  const neighbour: PairSide = {
    mapping: RANDOM,
    candidates: [candidate("reflexive", SHARER_HOST, 7000)],
  };
  assert.deepEqual(judgePair(sharer(RANDOM), neighbour), { method: "punched" });
});

Deno.test("judgePair knows that IPv4 alone and IPv6 alone do not meet", () => {
  const ipv4Only: PairSide = { mapping: FIXED, candidates: [candidate("host", "192.0.2.1", 1)] };
  const ipv6Only: PairSide = { mapping: "none", candidates: [candidate("host", "2001:db8::1", 1)] };
  const { method, advice } = judgePair(ipv4Only, ipv6Only);
  assert.equal(method, "impossible");
  assert.equal(advice?.problem, "no_common_family");
  assert.deepEqual(judgePair(ipv6Only, ipv6Only), { method: "punched" });
});

Deno.test("pairAdvice has words for every problem", () => {
  const problems: PairProblem[] = ["both_symmetric", "no_common_family", "many_ports"];
  const texts = problems.map((problem) => pairAdvice(problem).text);
  assert.equal(new Set(texts).size, problems.length);
  assert.ok(texts.every((text) => text.length > 20 && !text.endsWith(".")));
});
