import assert from "node:assert/strict";
import { parseSocketAddress, type SocketAddress } from "../../../../lib/nat/address.ts";
import {
  classifyMapping,
  comparisonWith,
  mappingEvidence,
  type MappingSample,
} from "../../../../lib/nat/discovery/mapping.ts";

const at = (text: string): SocketAddress => parseSocketAddress(text)!;
const isOwn = ({ host }: SocketAddress): boolean => host === "192.0.2.1";

/** Samples written as "server mapped". */
function samples(...texts: readonly string[]): MappingSample[] {
  return texts.map((text) => {
    const [server, mapped] = text.split(" ");
    return { server: at(server!), mapped: at(mapped!) };
  });
}

const SAME = samples("203.0.113.1:1 198.51.100.7:50", "203.0.113.2:1 198.51.100.7:50");
const BY_HOST = samples(
  "203.0.113.1:1 198.51.100.7:50",
  "203.0.113.1:2 198.51.100.7:50",
  "203.0.113.2:1 198.51.100.7:51",
);
const BY_PORT = samples("203.0.113.1:1 198.51.100.7:50", "203.0.113.1:2 198.51.100.7:51");
const BY_HOST_ONLY = samples("203.0.113.1:1 198.51.100.7:50", "203.0.113.2:1 198.51.100.7:51");

Deno.test("classifyMapping needs two servers, but one to see no NAT", () => {
  assert.equal(classifyMapping([], isOwn, "unknown"), "unknown");
  assert.equal(classifyMapping(SAME.slice(1), isOwn, "unknown"), "unknown");
  const own = samples("203.0.113.1:1 192.0.2.1:50");
  assert.equal(classifyMapping(own, isOwn, "unknown"), "none");
});

Deno.test("classifyMapping compares hosts, then ports", () => {
  assert.equal(classifyMapping(SAME, isOwn, "random"), "endpoint_independent");
  assert.equal(classifyMapping(BY_HOST, isOwn, "random"), "address_dependent");
  assert.equal(classifyMapping(BY_PORT, isOwn, "random"), "port_dependent_random");
  assert.equal(classifyMapping(BY_HOST_ONLY, isOwn, "unknown"), "port_dependent_random");
  assert.equal(classifyMapping(BY_HOST_ONLY, isOwn, "sequential"), "port_dependent_stepping");
});

Deno.test("classifyMapping calls two ports of one host that look alike unknown", () => {
  assert.equal(classifyMapping(BY_HOST.slice(0, 2), isOwn, "random"), "unknown");
});

Deno.test("classifyMapping takes another outside host for another mapping", () => {
  const twoLines = samples("203.0.113.1:1 198.51.100.7:50", "203.0.113.2:1 198.51.100.8:50");
  assert.equal(classifyMapping(twoLines, isOwn, "preserving"), "port_dependent_random");
});

Deno.test("comparisonWith asks what is still open", () => {
  const server = { address: at("203.0.113.1:1"), otherAddress: at("203.0.113.9:2") };
  const next = (of: readonly MappingSample[], isAsking = false) =>
    comparisonWith(mappingEvidence(of), server, isAsking);
  assert.deepEqual(next(SAME.slice(1)), at("203.0.113.9:1"), "another host");
  assert.equal(next(SAME.slice(1), true), undefined, "others may still answer");
  assert.equal(next(SAME), undefined);
  assert.deepEqual(next(BY_HOST_ONLY, true), at("203.0.113.1:2"), "another port");
  assert.equal(next(BY_HOST), undefined);
});
