import assert from "node:assert/strict";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import type { PathMethod } from "../../../../lib/nat/path_method.ts";
import { punchMethod } from "../../../../lib/nat/punch/method.ts";
import { planPunch } from "../../../../lib/nat/punch/plan.ts";
import { PunchTargets } from "../../../../lib/nat/punch/targets.ts";
import { candidate, CLIENT_HOST, ipv4 } from "./_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

/** As a sharer whose guessed ports are those from 50,000 on. */
function method(
  local: MappingClass,
  remote: MappingClass,
  host: string,
  port: number,
  socket = 0,
): PathMethod {
  return punchMethod({ socket, remote: ipv4(host, port) }, {
    plan: planPunch(local, remote),
    local,
    remote,
    targets: new PunchTargets([
      candidate("reflexive", CLIENT_HOST, 40_000),
      candidate("mapped", CLIENT_HOST, 7000),
      candidate("host", "192.168.1.2", 5000),
    ], [{ index: 0, family: 4 }]),
    isExtra: (index) => index >= 100,
    isSprayed: (guessed) => guessed >= 50_000,
  });
}

Deno.test("punchMethod tells mapped and punched by the candidate", () => {
  assert.equal(method(RANDOM, RANDOM, CLIENT_HOST, 7000), "mapped");
  assert.equal(method(RANDOM, RANDOM, "192.168.1.2", 5000), "punched");
  assert.equal(method(FIXED, FIXED, CLIENT_HOST, 40_000), "punched");
  assert.equal(method(RANDOM, FIXED, CLIENT_HOST, 40_000), "punched");
});

Deno.test("punchMethod tells birthday by an extra socket or a guessed port", () => {
  assert.equal(method(RANDOM, FIXED, CLIENT_HOST, 40_000, 100), "birthday");
  assert.equal(method(FIXED, RANDOM, CLIENT_HOST, 50_000), "birthday");
  assert.equal(method(FIXED, RANDOM, CLIENT_HOST, 45_000), "punched");
  assert.equal(method(FIXED, RANDOM, "192.0.2.50", 50_000), "punched");
});

Deno.test("punchMethod tells predicted by the ports ahead of a stepping NAT, on either side", () => {
  assert.equal(method(STEPPING, FIXED, CLIENT_HOST, 40_000, 100), "predicted");
  assert.equal(method(FIXED, STEPPING, CLIENT_HOST, 40_032), "predicted");
  assert.equal(method(FIXED, STEPPING, CLIENT_HOST, 40_033), "punched");
  assert.equal(method(FIXED, STEPPING, CLIENT_HOST, 50_033), "birthday");
  assert.equal(method(STEPPING, STEPPING, CLIENT_HOST, 40_300), "predicted");
  assert.equal(method(STEPPING, FIXED, CLIENT_HOST, 40_000), "predicted");
  assert.equal(method(STEPPING, FIXED, "192.168.1.2", 5000), "punched");
});
