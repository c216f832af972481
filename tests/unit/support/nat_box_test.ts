import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import { NatBox, type NatBoxOptions, type NatDependence } from "../../support/nat_box.ts";
import { Prng } from "../../support/prng.ts";

const PUBLIC = "203.0.113.1";
const INSIDE = at("192.168.1.2", 4000);
const A1 = at("198.51.100.1", 100);
const A2 = at("198.51.100.1", 200);
const B1 = at("198.51.100.2", 100);
const DEPENDENCES: readonly NatDependence[] = [
  "endpoint_independent",
  "address_dependent",
  "address_and_port_dependent",
];

function at(host: string, port: number): SocketAddress {
  return { family: host.includes(":") ? 6 : 4, host, port };
}

function box(options: Partial<NatBoxOptions> = {}): NatBox {
  return new NatBox({ externalHost: PUBLIC, ...options }, new Prng(1));
}

for (const mapping of DEPENDENCES) {
  Deno.test(`NatBox keeps a port as ${mapping} mapping says`, () => {
    const nat = box({ mapping, ports: "sequential", firstPort: 5000 });
    const first = nat.outbound(0, INSIDE, A1)!.port;
    const samePort = nat.outbound(0, INSIDE, A2)!.port === first;
    const sameHost = nat.outbound(0, INSIDE, B1)!.port === first;
    assert.equal(nat.outbound(0, INSIDE, A1)!.port, first);
    assert.equal(sameHost, mapping === "endpoint_independent");
    assert.equal(samePort, mapping !== "address_and_port_dependent");
  });
}

for (const filtering of DEPENDENCES) {
  Deno.test(`NatBox lets in whom ${filtering} filtering lets in`, () => {
    const nat = box({ filtering });
    const external = nat.outbound(0, INSIDE, A1)!;
    assert.deepEqual(nat.inbound(1, A1, external), INSIDE);
    assert.equal(nat.inbound(1, A2, external) !== undefined, filtering !== DEPENDENCES[2]);
    assert.equal(nat.inbound(1, B1, external) !== undefined, filtering === DEPENDENCES[0]);
    assert.equal(nat.inbound(1, A1, at(PUBLIC, external.port + 1)), undefined);
  });
}

Deno.test("NatBox preserves a port and takes a random one when it is taken", () => {
  const nat = box();
  assert.deepEqual(nat.outbound(0, INSIDE, A1), at(PUBLIC, INSIDE.port));
  const other = nat.outbound(0, at("192.168.1.3", INSIDE.port), A1)!;
  assert.notEqual(other.port, INSIDE.port);
});

Deno.test("NatBox gives out sequential ports by their step and wraps round", () => {
  const nat = box({ ports: "sequential", portStep: -2, firstPort: 2000, lastPort: 2004 });
  const ports = [1, 2, 3, 4, 5].map((port) => nat.outbound(0, neighbour(port), A1)!.port);
  for (let i = 1; i < 5; i++) assert.equal((ports[i - 1]! - ports[i]! + 10) % 5, 2);
  assert.equal(nat.outbound(0, neighbour(6), A1), undefined);
});

function neighbour(port: number): SocketAddress {
  return at("192.168.1.3", port);
}

Deno.test("NatBox gives out every random port of its block, and no other, once", () => {
  const nat = box({ ports: "random", firstPort: 3000, lastPort: 3099 });
  const ports = new Set<number>();
  for (let i = 1; i <= 100; i++) ports.add(nat.outbound(0, neighbour(i), A1)!.port);
  assert.equal(ports.size, 100);
  assert.ok(Math.min(...ports) === 3000 && Math.max(...ports) === 3099);
  assert.equal(nat.outbound(0, INSIDE, A1), undefined);
});

Deno.test("NatBox forgets a mapping after its lifetime, and gives another port", () => {
  const nat = box({ ports: "sequential", lifetimeMs: 1000 });
  const first = nat.outbound(0, INSIDE, A1)!;
  assert.deepEqual(nat.outbound(999, INSIDE, A1), first);
  assert.equal(nat.inbound(1999, A1, first), undefined);
  assert.notDeepEqual(nat.outbound(2000, INSIDE, A1), first);
});

Deno.test("NatBox refreshes a mapping from outside only when told to", () => {
  for (const refresh of ["both", "outbound"] as const) {
    const nat = box({ refresh, lifetimeMs: 1000 });
    const external = nat.outbound(0, INSIDE, A1)!;
    assert.ok(nat.inbound(900, A1, external));
    assert.equal(nat.inbound(1800, A1, external) !== undefined, refresh === "both");
  }
});

Deno.test("NatBox closes its filter for a remote that was not talked to for a lifetime", () => {
  const nat = box({ lifetimeMs: 1000 });
  const external = nat.outbound(0, INSIDE, A1)!;
  nat.outbound(900, INSIDE, B1);
  assert.equal(nat.inbound(1500, A1, external), undefined);
  assert.ok(nat.inbound(1500, B1, external));
});

Deno.test("NatBox with a full table drops what needs a new mapping until one expires", () => {
  const nat = box({ maxMappings: 64, lifetimeMs: 1000 });
  for (let i = 1; i <= 64; i++) assert.ok(nat.outbound(0, neighbour(i), A1));
  assert.equal(nat.outbound(1, INSIDE, A1), undefined);
  assert.ok(nat.outbound(500, neighbour(1), A1));
  assert.ok(nat.outbound(1000, INSIDE, A1));
  assert.equal(nat.size, 2);
});

Deno.test("NatBox turns datagrams round only when it hairpins, and with the source it is told", () => {
  const other = at("192.168.1.3", 5000);
  assert.equal(box().hairpin(0, INSIDE, at(PUBLIC, 5000)), undefined);
  for (const hairpin of ["external_source", "internal_source"] as const) {
    const nat = box({ hairpin });
    const theirs = nat.outbound(0, other, at(PUBLIC, INSIDE.port))!;
    assert.deepEqual(nat.hairpin(0, INSIDE, theirs), {
      from: hairpin === "external_source" ? at(PUBLIC, INSIDE.port) : INSIDE,
      to: other,
    });
  }
});

Deno.test("NatBox filters datagrams that turn round like all others", () => {
  const nat = box({ hairpin: "external_source" });
  const theirs = nat.outbound(0, at("192.168.1.3", 5000), A1)!;
  assert.equal(nat.hairpin(0, INSIDE, theirs), undefined);
});

Deno.test("NatBox forwards a port to whoever asks and answers from it", () => {
  const nat = box({ mapping: "address_and_port_dependent", ports: "random" });
  nat.forward(7000, INSIDE);
  assert.deepEqual(nat.inbound(1e9, B1, at(PUBLIC, 7000)), INSIDE);
  assert.deepEqual(nat.outbound(1e9, INSIDE, B1), at(PUBLIC, 7000));
});

Deno.test("NatBox forgets everything when flushed", () => {
  const nat = box();
  const external = nat.outbound(0, INSIDE, A1)!;
  nat.forward(7000, INSIDE);
  nat.flush();
  assert.equal(nat.inbound(1, A1, external), undefined);
  assert.equal(nat.inbound(1, A1, at(PUBLIC, 7000)), undefined);
  assert.equal(nat.size, 0);
});

Deno.test("NatBox uses its new address when renumbered, and only that", () => {
  const nat = box();
  const external = nat.outbound(0, INSIDE, A1)!;
  nat.renumber("203.0.113.9");
  assert.equal(nat.inbound(1, A1, external), undefined);
  assert.equal(nat.outbound(1, INSIDE, A1)!.host, "203.0.113.9");
});

Deno.test("NatBox without an outside address filters and does not translate", () => {
  const inside = at("2001:db8::2", 4000);
  const peer = at("2001:db8:1::2", 5000);
  const firewall = box({ externalHost: undefined });
  assert.equal(firewall.inbound(0, peer, inside), undefined);
  assert.deepEqual(firewall.outbound(1, inside, peer), inside);
  assert.deepEqual(firewall.inbound(2, peer, inside), inside);
  assert.equal(firewall.inbound(2, at(peer.host, 5001), inside), undefined);
  firewall.renumber("2001:db8::99");
  assert.deepEqual(firewall.inbound(3, peer, inside), inside);
});

Deno.test("NatBox refuses an empty range of ports", () => {
  assert.throws(() => box({ firstPort: 2000, lastPort: 1999 }), RangeError);
});

Deno.test("NatBox forgets what expired without being asked about it", () => {
  const nat = box({ lifetimeMs: 1000 });
  for (let i = 1; i <= 500; i++) nat.outbound(i * 100, neighbour(i), A1);
  assert.ok(nat.size < 25, `${nat.size}`);
});
