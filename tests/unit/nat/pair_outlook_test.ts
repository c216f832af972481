import assert from "node:assert/strict";
import type { Candidate } from "../../../lib/nat/candidate.ts";
import type { MappingClass } from "../../../lib/nat/mapping_class.ts";
import { judgePair, type PairOutlook } from "../../../lib/nat/pair_outlook.ts";
import type { PairSide } from "../../../lib/nat/pair_side.ts";
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

/** A side that knows nothing but its own network. */
function hidden(host: string): PairSide {
  return { mapping: "unknown", candidates: [candidate("host", host, 6000)] };
}

const PUNCHED: PairOutlook = { method: "punched", isOneCodeEnough: false };
const DIRECT: PairOutlook = { method: "direct", isOneCodeEnough: true };
const LAN: PairOutlook = { ...DIRECT, isOneNetwork: true };

Deno.test("judgePair forecasts each pair of NATs by their plan", () => {
  const { advice: _, ...birthday } = judgePair(sharer(FIXED), client(RANDOM));
  assert.deepEqual(birthday, {
    method: "birthday",
    isOneCodeEnough: false,
    opens: "client",
    sprays: "sharer",
  });
  assert.deepEqual(judgePair(sharer(FIXED), client(FIXED)), PUNCHED);
  assert.deepEqual(judgePair(sharer("unknown"), client("unknown")), PUNCHED);
  assert.deepEqual(judgePair(sharer(STEPPING), client(FIXED)), {
    method: "predicted",
    isOneCodeEnough: false,
    sprays: "client",
  });
  assert.equal(judgePair(sharer(STEPPING), client(STEPPING)).method, "predicted");
  const both = judgePair(sharer(ADDRESS), client(RANDOM));
  assert.deepEqual([both.method, both.opens, both.sprays], ["birthday", "sharer", "client"]);
  assert.equal(both.advice?.problem, "many_ports");
});

Deno.test("judgePair says at once what is impossible, and what would help", () => {
  const texts = new Set<string>();
  for (const [one, other] of [[RANDOM, RANDOM], [STEPPING, RANDOM], [RANDOM, STEPPING]] as const) {
    const { method, advice, isOneCodeEnough } = judgePair(sharer(one), client(other));
    assert.equal(method, "impossible");
    assert.equal(isOneCodeEnough, false);
    assert.ok(advice);
    const isStepping = (one as MappingClass) !== other;
    assert.equal(advice.problem, isStepping ? "symmetric_and_stepping" : "both_symmetric");
    assert.equal(advice.text.startsWith("Both networks"), !isStepping);
    for (const help of ["IPv6", "phone hotspot", "UPnP", "--bind", "--address"]) {
      assert.ok(advice.text.includes(help), help);
    }
    texts.add(advice.text);
  }
  assert.equal(texts.size, 2);
});

Deno.test("judgePair expects a direct path where the sharer has no NAT", () => {
  for (const mapping of [FIXED, STEPPING, RANDOM, ADDRESS, "unknown"] as const) {
    assert.deepEqual(judgePair(sharer("none"), client(mapping)), DIRECT);
  }
});

Deno.test("judgePair wants a reply code where only the client has no NAT", () => {
  for (const mapping of [FIXED, "unknown"] as const) {
    assert.deepEqual(judgePair(sharer(mapping), client("none")), PUNCHED);
  }
  for (const [mapping, method] of [[STEPPING, "predicted"], [RANDOM, "birthday"]] as const) {
    const outlook = judgePair(sharer(mapping), client("none"));
    assert.deepEqual([outlook.method, outlook.isOneCodeEnough], [method, false]);
  }
});

Deno.test("judgePair counts on a mapped or manual port of either side that the other can reach", () => {
  for (const kind of ["mapped", "manual"] as const) {
    const open = sharer(RANDOM, candidate(kind, SHARER_HOST, 9000));
    assert.deepEqual(judgePair(open, client(RANDOM)), { method: "mapped", isOneCodeEnough: true });
    const openClient = client(RANDOM, candidate(kind, CLIENT_HOST, 9000));
    assert.deepEqual(judgePair(sharer(RANDOM), openClient), {
      method: "mapped",
      isOneCodeEnough: false,
    });
  }
  const openOverIpv6 = sharer(RANDOM, candidate("mapped", "2001:db8::1", 9000));
  assert.equal(judgePair(openOverIpv6, client(RANDOM)).method, "impossible");
});

Deno.test("judgePair takes global IPv6 on both sides for punched", () => {
  const ipv6 = (host: string): Candidate => candidate("host", host, 9000);
  const far = client(RANDOM, ipv6("2001:db8:1::1"));
  assert.deepEqual(judgePair(sharer(RANDOM, ipv6("2001:db8::1")), far), PUNCHED);
  assert.equal(judgePair(sharer(RANDOM, ipv6("fd00::1")), far).method, "impossible");
  const ipv6Only: PairSide = { mapping: "none", candidates: [ipv6("2001:db8::1")] };
  assert.deepEqual(judgePair(ipv6Only, ipv6Only), PUNCHED);
});

Deno.test("judgePair expects two machines behind one router to meet in their network", () => {
  const near = (mapping: MappingClass, host: string): PairSide =>
    sharer(mapping, candidate("host", host, 7000));
  for (const mapping of [FIXED, RANDOM] as const) {
    assert.deepEqual(judgePair(near(mapping, "192.168.1.2"), near(mapping, "192.168.1.9")), LAN);
    assert.deepEqual(judgePair(near(mapping, "10.1.2.3"), near(mapping, "10.1.9.3")), LAN);
  }
});

Deno.test("judgePair doubts that a carrier connects two of its customers", () => {
  const near = (...more: Candidate[]): PairSide => sharer(RANDOM, ...more);
  const here = near(candidate("host", "192.168.1.2", 7000));
  for (const there of [near(candidate("host", "192.168.2.2", 7000)), near()]) {
    const { advice, ...outlook } = judgePair(here, there);
    assert.deepEqual(outlook, { ...PUNCHED, isUncertain: true });
    assert.equal(advice?.problem, "same_carrier");
    assert.match(advice.text, /only if your carrier connects its own customers/);
  }
});

Deno.test("judgePair does not promise a pair of which a side knows its own network only", () => {
  const cases: readonly (readonly [PairSide, PairSide, RegExp])[] = [
    [sharer(FIXED), hidden("192.168.1.2"), /^The receiving side's code /],
    [hidden("192.168.1.2"), client(FIXED), /^The sharing side's code /],
    [hidden("192.168.1.2"), client("none"), /^The sharing side's code /],
    [hidden("192.168.1.2"), hidden("192.168.7.2"), /^Both codes /],
    // Homes use the same addresses: that they look alike shows nothing.
    [hidden("192.168.1.2"), hidden("192.168.1.3"), /^Both codes /],
    [hidden("100.64.0.2"), client(RANDOM), /^The sharing side's code /],
    [hidden("fd00::1"), hidden("fd00::2"), /^Both codes /],
  ];
  for (const [one, other, text] of cases) {
    const { advice, ...outlook } = judgePair(one, other);
    assert.deepEqual(outlook, { method: "direct", isOneCodeEnough: false, isUncertain: true });
    assert.equal(advice?.problem, "own_network_only");
    assert.match(advice.text, text);
    for (const help of ["--stun", "--address", "lets UDP out"]) {
      assert.ok(advice.text.includes(help));
    }
  }
});

Deno.test("judgePair still doubts a hidden side where the other one is open", () => {
  const open = judgePair(sharer("none"), hidden("192.168.1.2"));
  assert.deepEqual([open.method, open.isOneCodeEnough, open.isUncertain], ["direct", true, true]);
  const mapped = client(RANDOM, candidate("mapped", CLIENT_HOST, 9000));
  const { method, isOneCodeEnough, isUncertain } = judgePair(hidden("192.168.1.2"), mapped);
  assert.deepEqual([method, isOneCodeEnough, isUncertain], ["mapped", false, true]);
});

Deno.test("judgePair takes an address that a person gave as one that leads there", () => {
  const manual: PairSide = { mapping: "unknown", candidates: [candidate("manual", "10.8.0.1", 1)] };
  assert.deepEqual(judgePair(manual, client(RANDOM)), { method: "mapped", isOneCodeEnough: true });
});

Deno.test("judgePair knows that IPv4 alone and IPv6 alone do not meet", () => {
  const ipv4Only: PairSide = { mapping: FIXED, candidates: [candidate("host", "192.0.2.1", 1)] };
  const ipv6Only: PairSide = { mapping: "none", candidates: [candidate("host", "2001:db8::1", 1)] };
  const { method, advice } = judgePair(ipv4Only, ipv6Only);
  assert.equal(method, "impossible");
  assert.equal(advice?.problem, "no_common_family");
  // A private IPv4 address does not help.
  const candidates = [...hidden("192.168.1.2").candidates, ...ipv6Only.candidates];
  const outlook = judgePair(ipv4Only, { mapping: "unknown", candidates });
  assert.equal(outlook.isUncertain, true);
  assert.equal(outlook.advice?.problem, "no_common_family");
});

Deno.test("judgePair ends no advice with a full stop", () => {
  const sides = [FIXED, STEPPING, RANDOM, ADDRESS].map((mapping) => sharer(mapping));
  const others = [client(RANDOM), hidden("192.168.1.2"), sharer(FIXED)];
  const texts = sides.flatMap((one) =>
    others.flatMap((other) => judgePair(one, other).advice?.text ?? [])
  );
  assert.ok(texts.length > 5);
  assert.ok(texts.every((text) => !text.endsWith(".")));
});
