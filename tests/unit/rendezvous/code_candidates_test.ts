import assert from "node:assert/strict";
import { formatSocketAddress, parseSocketAddress } from "../../../lib/nat/address.ts";
import { MAX_CANDIDATES } from "../../../lib/nat/candidate.ts";
import type { Candidate } from "../../../lib/nat/candidate.ts";
import {
  chooseCodeCandidates,
  type KnownAddresses,
  listCandidates,
  MAX_TOLD_CANDIDATES,
} from "../../../lib/rendezvous/code_candidates.ts";

const WIFI = { name: "wlan0", address: "192.168.1.20" };
const PUBLIC = { name: "eth0", address: "203.0.113.5" };
const IPV6 = { name: "wlan0", address: "2001:db8::20" };
const BOUND = [parseSocketAddress("0.0.0.0:4000")!, parseSocketAddress("[::]:4006")!];
const REFLEXIVE = parseSocketAddress("198.51.100.7:4000")!;

function known(changes: Partial<KnownAddresses>): KnownAddresses {
  return {
    interfaces: [WIFI],
    bound: BOUND,
    manual: [],
    reflexive: [],
    mapping: "unknown",
    allowLoopback: false,
    ...changes,
  };
}

function texts(candidates: readonly Candidate[]): string[] {
  return candidates.map(({ kind, address }) => `${kind} ${formatSocketAddress(address)}`);
}

function choose(changes: Partial<KnownAddresses>): string[] {
  return texts(chooseCodeCandidates(known(changes)));
}

Deno.test("chooseCodeCandidates takes the local and the reflexive address behind an easy NAT", () => {
  assert.deepEqual(
    choose({
      interfaces: [WIFI, IPV6],
      reflexive: [REFLEXIVE],
      mapping: "endpoint_independent",
    }),
    ["host 192.168.1.20:4000", "reflexive 198.51.100.7:4000"],
  );
});

Deno.test("chooseCodeCandidates takes one address where nothing translates", () => {
  const reflexive = [parseSocketAddress("203.0.113.5:4000")!];
  assert.deepEqual(choose({ interfaces: [PUBLIC, IPV6], reflexive, mapping: "none" }), [
    "host 203.0.113.5:4000",
  ]);
});

Deno.test("chooseCodeCandidates takes the port a router opened in place of the reflexive one", () => {
  const mapped = parseSocketAddress("198.51.100.7:5555")!;
  assert.deepEqual(choose({ reflexive: [REFLEXIVE], mapped, mapping: "endpoint_independent" }), [
    "host 192.168.1.20:4000",
    "mapped 198.51.100.7:5555",
  ]);
  assert.deepEqual(choose({ mapped }), ["host 192.168.1.20:4000", "mapped 198.51.100.7:5555"]);
});

Deno.test("chooseCodeCandidates leaves out a port opened by a router behind another router", () => {
  const mapped = parseSocketAddress("203.0.113.99:5555")!;
  assert.deepEqual(choose({ reflexive: [REFLEXIVE], mapped }), [
    "host 192.168.1.20:4000",
    "reflexive 198.51.100.7:4000",
  ]);
});

Deno.test("chooseCodeCandidates adds IPv6 where IPv4 is hard or leads nowhere", () => {
  const hard = ["address_dependent", "port_dependent_stepping", "port_dependent_random"] as const;
  for (const mapping of hard) {
    assert.deepEqual(choose({ interfaces: [WIFI, IPV6], reflexive: [REFLEXIVE], mapping }), [
      "host 192.168.1.20:4000",
      "reflexive 198.51.100.7:4000",
      "host [2001:db8::20]:4006",
    ], mapping);
  }
  assert.deepEqual(choose({ interfaces: [WIFI, IPV6] }), [
    "host 192.168.1.20:4000",
    "host [2001:db8::20]:4006",
  ]);
  assert.deepEqual(choose({ interfaces: [IPV6] }), ["host [2001:db8::20]:4006"]);
});

Deno.test("chooseCodeCandidates lets local addresses crowd nothing out that leads outside", () => {
  const interfaces = Array.from({ length: 9 }, (_, index) => ({
    name: `eth${index}`,
    address: `10.0.${index}.1`,
  }));
  const chosen = choose({ interfaces, reflexive: [REFLEXIVE] });
  assert.equal(chosen.length, MAX_CANDIDATES);
  assert.equal(chosen.at(-1), "reflexive 198.51.100.7:4000");
});

Deno.test("chooseCodeCandidates puts what a person gave first and never drops it", () => {
  const manual = ["192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3", "192.0.2.4:4"].map((text) => ({
    kind: "manual" as const,
    address: parseSocketAddress(text)!,
  }));
  assert.deepEqual(choose({ manual, reflexive: [REFLEXIVE] }), texts(manual));
});

Deno.test("listCandidates lists all there is, within its limit", () => {
  const mapped = parseSocketAddress("198.51.100.7:5555")!;
  const all = known({
    interfaces: [WIFI, IPV6],
    reflexive: [REFLEXIVE],
    mapped,
    mapping: "endpoint_independent",
  });
  assert.deepEqual(texts(listCandidates(all)), [
    "host 192.168.1.20:4000",
    "mapped 198.51.100.7:5555",
    "reflexive 198.51.100.7:4000",
    "host [2001:db8::20]:4006",
  ]);
  const interfaces = Array.from({ length: 20 }, (_, index) => ({
    name: `eth${index}`,
    address: `2001:db8:${index + 1}::1`,
  }));
  assert.ok(listCandidates(known({ interfaces })).length <= MAX_TOLD_CANDIDATES);
});
