import assert from "node:assert/strict";
import type { Candidate } from "../../../../lib/nat/candidate.ts";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import type { PathMethod } from "../../../../lib/nat/path_method.ts";
import { punchMethod } from "../../../../lib/nat/punch/method.ts";
import { planPunch } from "../../../../lib/nat/punch/plan.ts";
import { PunchTargets } from "../../../../lib/nat/punch/targets.ts";
import { candidate, CLIENT_HOST, ipv4 } from "./_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

const REFLEXIVE = candidate("reflexive", CLIENT_HOST, 40_000);
const MAPPED = candidate("mapped", CLIENT_HOST, 7000);
const NEAR = candidate("host", "192.168.1.2", 5000);

/** What a test says besides the two NATs and where the path leads. */
interface Details {
  readonly socket?: number;
  readonly own?: readonly Candidate[];
  readonly other?: readonly Candidate[];
}

/** As a sharer whose guessed ports are those from 50,000 on. */
function method(
  local: MappingClass,
  remote: MappingClass,
  host: string,
  port: number,
  { socket = 0, own = [], other = [REFLEXIVE, NEAR] }: Details = {},
): PathMethod {
  return punchMethod({ socket, remote: ipv4(host, port) }, {
    plan: planPunch(local, remote),
    local,
    localCandidates: own,
    remote,
    remoteCandidates: other,
    targets: new PunchTargets(other, [{ index: 0, family: 4 }]),
    isExtra: (index) => index >= 100,
    isSprayed: (guessed) => guessed >= 50_000,
  });
}

Deno.test("punchMethod says punched of a candidate", () => {
  assert.equal(method(RANDOM, RANDOM, "192.168.1.2", 5000), "punched");
  assert.equal(method(FIXED, FIXED, CLIENT_HOST, 40_000), "punched");
  assert.equal(method(RANDOM, FIXED, CLIENT_HOST, 40_000), "punched");
});

Deno.test("punchMethod says mapped of either side's open port, whatever the path looks like", () => {
  const other = [MAPPED, NEAR];
  assert.equal(method(RANDOM, RANDOM, CLIENT_HOST, 7000, { other }), "mapped");
  // An answer may leave the router through another port than the one that was opened.
  assert.equal(method(FIXED, RANDOM, CLIENT_HOST, 50_000, { other }), "mapped");
  const own = [candidate("mapped", "198.51.100.1", 9000)];
  assert.equal(method(FIXED, RANDOM, CLIENT_HOST, 50_000, { own }), "mapped");
  assert.equal(method(RANDOM, FIXED, CLIENT_HOST, 40_000, { own, socket: 100 }), "mapped");
});

Deno.test("punchMethod says punched of a path in the local network and past a missing NAT", () => {
  const own = [candidate("manual", "198.51.100.1", 9000)];
  assert.equal(method(FIXED, FIXED, "192.168.1.2", 5000, { own }), "punched");
  assert.equal(method("none", FIXED, CLIENT_HOST, 40_000, { own }), "punched");
});

Deno.test("punchMethod tells birthday by an extra socket or a guessed port", () => {
  assert.equal(method(RANDOM, FIXED, CLIENT_HOST, 40_000, { socket: 100 }), "birthday");
  assert.equal(method(FIXED, RANDOM, CLIENT_HOST, 50_000), "birthday");
  assert.equal(method(FIXED, RANDOM, CLIENT_HOST, 45_000), "punched");
  assert.equal(method(FIXED, RANDOM, "192.0.2.50", 50_000), "punched");
});

Deno.test("punchMethod tells predicted by the ports ahead of a stepping NAT, on either side", () => {
  assert.equal(method(STEPPING, FIXED, CLIENT_HOST, 40_000, { socket: 100 }), "predicted");
  assert.equal(method(FIXED, STEPPING, CLIENT_HOST, 40_032), "predicted");
  assert.equal(method(FIXED, STEPPING, CLIENT_HOST, 40_033), "punched");
  assert.equal(method(FIXED, STEPPING, CLIENT_HOST, 50_033), "birthday");
  assert.equal(method(STEPPING, STEPPING, CLIENT_HOST, 40_300), "predicted");
  assert.equal(method(STEPPING, FIXED, CLIENT_HOST, 40_000), "predicted");
  assert.equal(method(STEPPING, FIXED, "192.168.1.2", 5000), "punched");
});
