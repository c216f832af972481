import assert from "node:assert/strict";
import { STUN_KEEPALIVE_MS } from "../../../../lib/nat/discovery/main_socket.ts";
import { encodeBindingResponse } from "../../../../lib/nat/stun/encode.ts";
import { instant } from "../../../../lib/time.ts";
import { at, OUTSIDE, StunWorld } from "../_stun_world.ts";

/** Plain servers, and one of RFC 5780. */
const A = "203.0.113.1:3478";
const B = "203.0.113.2:3478";
const C = "203.0.113.3:3478";
const FULL = "203.0.113.10:3478 203.0.113.11:3479";

/** The class that is found in 10 s. */
function mappingOf(world: StunWorld, ...servers: readonly string[]): string {
  world.addServers(...servers);
  world.run(10_000);
  assert.equal(world.discovery.report.isComplete, true);
  const { mapping } = world.discovery.report;
  assert.equal(world.told("mapping").at(-1)?.mapping ?? "unknown", mapping, "event and report");
  return mapping;
}

Deno.test("Discovery tells the reflexive address with the first answer and the class with the second", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(10_000);
  assert.deepEqual(world.events, [
    {
      ms: 20,
      event: { type: "reflexive", socket: 0, address: at(`${OUTSIDE}:5000`), changed: false },
    },
    { ms: 20, event: { type: "mapping", mapping: "endpoint_independent" } },
    { ms: 20, event: { type: "complete" } },
  ]);
  const { stun, reflexive, ports } = world.discovery.report;
  assert.equal(stun, "answered");
  assert.deepEqual(reflexive, [{ socket: 0, address: at(`${OUTSIDE}:5000`) }]);
  assert.deepEqual(ports, { pattern: "preserving", newestPort: 5000 });
});

Deno.test("Discovery is delayed by no dead server", () => {
  for (const mapping of ["none", "endpoint", "port"] as const) {
    const world = new StunWorld({ mapping, ports: "sequential" });
    world.dead.add("203.0.113.1");
    world.addServers(A, B, C);
    world.run(10_000);
    assert.ok(world.toldAt("reflexive")! <= 20, mapping);
    assert.ok(world.toldAt("mapping")! <= 60, `${mapping}: ${world.toldAt("mapping")}`);
    assert.ok(world.toldAt("complete")! <= 1500, mapping);
  }
});

Deno.test("Discovery with nobody who answers completes in 1.5 s as silent", () => {
  const world = new StunWorld();
  world.dead.add("203.0.113.1").add("203.0.113.2");
  assert.equal(world.discovery.report.stun, "off");
  world.addServers(A, B);
  assert.equal(world.discovery.report.stun, "pending");
  world.run(10_000);
  assert.deepEqual(world.events, [{ ms: 1500, event: { type: "complete" } }]);
  assert.equal(world.discovery.report.stun, "silent");
  assert.equal(world.discovery.report.mapping, "unknown");
});

Deno.test("Discovery waits for no server that there is no way to", () => {
  const world = new StunWorld();
  world.routeless.add("203.0.113.1").add("203.0.113.2");
  world.addServers(A, B);
  world.run(10_000);
  assert.deepEqual(world.events, [{ ms: 250, event: { type: "complete" } }]);
  assert.equal(world.discovery.report.stun, "silent");
  // It asks again all the same: there may be a way by then.
  world.routeless.clear();
  world.run(STUN_KEEPALIVE_MS);
  assert.equal(world.discovery.report.stun, "answered");
  assert.equal(world.told("reflexive").length, 1);
});

Deno.test("Discovery without any server completes at once", () => {
  const world = new StunWorld();
  world.addServers();
  world.run(60_000);
  assert.deepEqual(world.events, [{ ms: 0, event: { type: "complete" } }]);
  assert.equal(world.sent, 0);
});

Deno.test("Discovery takes servers as they become known", () => {
  const world = new StunWorld();
  world.addServers(A);
  world.run(3000);
  assert.equal(world.discovery.report.mapping, "unknown");
  world.addServers(B);
  assert.equal(world.discovery.report.isComplete, false);
  world.run(100);
  assert.equal(world.discovery.report.mapping, "endpoint_independent");
  assert.equal(world.told("complete").length, 2);
});

Deno.test("Discovery asks at most eight servers, each once, and none on loopback", () => {
  const world = new StunWorld();
  world.discovery.addServers(instant(1000), [at("127.0.0.1:3478"), at("224.0.0.1:3478")]);
  world.run(100);
  assert.equal(world.sent, 0);
  world.addServers(...Array.from({ length: 12 }, (_, index) => `203.0.113.${index + 1}:3478`), A);
  world.run(100);
  assert.equal(world.sent, 8);
});

Deno.test("Discovery finds every mapping class", () => {
  assert.equal(mappingOf(new StunWorld({ mapping: "none" }), A), "none", "one server is enough");
  assert.equal(mappingOf(new StunWorld({ mapping: "none" }), A, B), "none");
  assert.equal(mappingOf(new StunWorld(), A), "unknown", "one server alone");
  for (const ports of ["preserving", "sequential", "random"] as const) {
    assert.equal(mappingOf(new StunWorld({ ports }), A, B), "endpoint_independent", ports);
  }
  const symmetric = (ports: "sequential" | "random", mapping: "address" | "port") =>
    new StunWorld({ ports, mapping });
  assert.equal(mappingOf(symmetric("random", "address"), A, FULL), "address_dependent");
  assert.equal(mappingOf(symmetric("sequential", "address"), A, FULL), "address_dependent");
  assert.equal(mappingOf(symmetric("random", "port"), A, FULL), "port_dependent_random");
  assert.equal(mappingOf(symmetric("sequential", "port"), A, FULL), "port_dependent_stepping");
  // Without a second port to ask, the harder class is assumed.
  assert.equal(mappingOf(symmetric("random", "address"), A, B, C), "port_dependent_random");
  assert.equal(mappingOf(symmetric("sequential", "port"), A, B, C), "port_dependent_stepping");
  assert.equal(
    mappingOf(symmetric("random", "address"), A, "203.0.113.1:3479", B),
    "address_dependent",
    "two ports of one address that were named",
  );
});

Deno.test("Discovery classifies with one server of RFC 5780 alone", () => {
  assert.equal(mappingOf(new StunWorld(), FULL), "endpoint_independent");
  assert.equal(mappingOf(new StunWorld({ mapping: "address" }), FULL), "endpoint_independent");
  const world = (mapping: "address" | "port") => new StunWorld({ mapping, ports: "random" });
  assert.equal(mappingOf(world("address"), FULL), "address_dependent");
  assert.equal(mappingOf(world("port"), FULL), "port_dependent_random");
});

Deno.test("Discovery asks for sockets when two servers see two ports", () => {
  const world = new StunWorld({ mapping: "port", ports: "sequential", step: 2 });
  assert.equal(mappingOf(world, A, B), "port_dependent_stepping");
  assert.deepEqual(world.told("sockets-wanted"), [{ type: "sockets-wanted", count: 2 }]);
  assert.deepEqual(world.discovery.report.ports, {
    pattern: "sequential",
    step: 2,
    newestPort: 40_006,
  });

  const refusing = new StunWorld({ mapping: "port", ports: "sequential" });
  refusing.givesSockets = false;
  assert.equal(mappingOf(refusing, A, B), "port_dependent_random", "two ports may be chance");
  assert.ok(refusing.toldAt("complete")! < 600);
});

Deno.test("Discovery sees a stepping NAT through the mappings of others", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const nat = { mapping: "port", ports: "sequential", others: 3 } as const;
    const world = new StunWorld(nat, {}, undefined, seed);
    assert.equal(mappingOf(world, A, B, C), "port_dependent_stepping");
    assert.equal(world.discovery.report.ports.step! <= 4, true);
  }
});

Deno.test("Discovery finds the class in spite of loss", () => {
  const found: Record<string, number> = {};
  for (const mapping of ["endpoint", "address", "port"] as const) {
    for (let seed = 1; seed <= 100; seed++) {
      const world = new StunWorld({ mapping, ports: "sequential" }, {}, undefined, seed);
      world.lossRate = 0.2;
      world.addServers(A, B, C, FULL);
      world.run(10_000);
      assert.ok(world.toldAt("complete")! <= 4500, `seed ${seed}`);
      const name = world.discovery.report.mapping;
      found[`${mapping}: ${name}`] = (found[`${mapping}: ${name}`] ?? 0) + 1;
    }
  }
  assert.equal(found["endpoint: endpoint_independent"], 100);
  assert.ok(found["address: address_dependent"]! >= 80, JSON.stringify(found));
  assert.ok(found["port: port_dependent_stepping"]! >= 80, JSON.stringify(found));
});

Deno.test("Discovery asks no address that a server has no business with", () => {
  for (const other of ["192.168.1.1:53", "127.0.0.1:53", "255.255.255.255:53", "224.0.0.1:53"]) {
    const world = new StunWorld({ mapping: "port", ports: "random" });
    world.addServers(`203.0.113.10:3478 ${other}`);
    world.run(5000);
    assert.equal(world.sent, 1, other);
  }
});

Deno.test("Discovery works for IPv6 beside IPv4", () => {
  const world = new StunWorld({ mapping: "none" }, {}, ["192.0.2.2:5000", "[2001:db8::2]:5000"]);
  world.addServers(A, "[2001:db8:1::1]:3478", B);
  world.run(1000);
  assert.deepEqual(world.discovery.report.reflexive, [
    { socket: 0, address: at("192.0.2.2:5000") },
    { socket: 1, address: at("[2001:db8::2]:5000") },
  ]);
  assert.equal(world.discovery.report.mapping, "none");
});

Deno.test("Discovery classifies the IPv6 socket when there is no other", () => {
  const world = new StunWorld({ mapping: "none" }, {}, ["[2001:db8::2]:5000"]);
  assert.equal(mappingOf(world, "[2001:db8:1::1]:3478"), "none");
});

Deno.test("Discovery believes no reflexive address at which nobody can be", () => {
  for (const host of ["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"]) {
    const world = new StunWorld({ host });
    world.addServers(A, B);
    world.run(3000);
    assert.deepEqual(world.discovery.report.reflexive, [], host);
    assert.equal(world.discovery.report.stun, "silent", host);
  }
  const local = new StunWorld({ host: "127.0.0.1" }, { allowLoopback: true });
  local.addServers(A);
  local.run(100);
  assert.equal(local.discovery.report.reflexive.length, 1);
});

Deno.test("Discovery takes no answer twice, from elsewhere or to something else", () => {
  const world = new StunWorld();
  world.addServers(A);
  world.run(100);
  const { bytes, socket, from } = world.received[0]!;
  const give = (datagram: Uint8Array, remote = from) =>
    world.discovery.handleDatagram(instant(world.nowMs), datagram, { socket, remote });
  const before = world.discovery.report;
  assert.equal(give(bytes), false, "replayed");
  assert.equal(give(bytes, at("203.0.113.66:3478")), false, "wrong source");
  const forged = new Uint8Array(64);
  const end = encodeBindingResponse(
    { transactionId: world.prng.bytes(12), mappedAddress: at("203.0.113.66:1") },
    forged,
    0,
  );
  assert.equal(give(forged.subarray(0, end)), false, "wrong transaction");
  assert.equal(world.discovery.droppedAnswers, 3);
  assert.deepEqual(world.discovery.report, before);
});

Deno.test("Discovery keeps every mapping alive with one request in 20 s", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(1000);
  const before = world.sent;
  world.run(10 * STUN_KEEPALIVE_MS);
  assert.equal(world.sent - before, 10);
  assert.equal(world.discovery.report.lifetimeMs! >= STUN_KEEPALIVE_MS, true);
  assert.equal(world.told("reflexive").length, 1, "nothing has changed");
});

Deno.test("Discovery notices a changed mapping within one round and classifies anew", () => {
  const world = new StunWorld({ ports: "sequential" });
  world.addServers(A, B);
  world.run(1000);
  assert.equal(world.discovery.report.mapping, "endpoint_independent");
  world.flush();
  world.nat.mapping = "port";
  world.run(STUN_KEEPALIVE_MS + 1000);
  const [first, second] = world.told("reflexive");
  assert.equal(first!.changed, false);
  assert.deepEqual(second, {
    type: "reflexive",
    socket: 0,
    address: at(`${OUTSIDE}:40101`),
    changed: true,
  });
  assert.equal(world.discovery.report.mapping, "port_dependent_stepping");
  assert.equal(world.told("complete").length, 2);
});

Deno.test("Discovery goes to another server when the one it used falls silent", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(1000);
  world.dead.add("203.0.113.1");
  world.run(STUN_KEEPALIVE_MS + 5000);
  assert.equal(world.discovery.report.stun, "answered");
  world.dead.add("203.0.113.2");
  world.run(STUN_KEEPALIVE_MS + 5000);
  assert.equal(world.discovery.report.stun, "silent");
  world.dead.clear();
  world.nat.host = "198.51.100.8";
  world.flush();
  world.run(STUN_KEEPALIVE_MS + 5000);
  assert.equal(world.discovery.report.stun, "answered");
  assert.deepEqual(world.told("reflexive").map(({ address, changed }) => [address.host, changed]), [
    [OUTSIDE, false],
    ["198.51.100.8", true],
  ]);
});

Deno.test("Discovery notices a change through a server that had never answered", () => {
  const world = new StunWorld();
  world.dead.add("203.0.113.2");
  world.addServers(A, B);
  world.run(5000);
  world.dead.clear();
  world.dead.add("203.0.113.1");
  world.nat.host = "198.51.100.8";
  world.flush();
  world.run(STUN_KEEPALIVE_MS + 2000);
  assert.equal(world.told("reflexive")[1]?.address.host, "198.51.100.8");
});

Deno.test("Discovery compares nothing with what was seen before a change", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(1000);
  world.dead.add("203.0.113.2");
  world.nat.host = "198.51.100.8";
  world.flush();
  world.run(STUN_KEEPALIVE_MS + 5000);
  assert.equal(world.discovery.report.mapping, "unknown", "one server is left");
});

Deno.test("Discovery asks for sockets again after a change", () => {
  const world = new StunWorld({ mapping: "port", ports: "sequential" });
  world.addServers(A, B);
  world.run(1000);
  world.flush();
  world.run(STUN_KEEPALIVE_MS + 5000);
  assert.equal(world.told("sockets-wanted").length, 2);
  assert.equal(world.discovery.report.mapping, "port_dependent_stepping");
});

Deno.test("Discovery learns late when there was no network at first", () => {
  const world = new StunWorld();
  world.dead.add("203.0.113.1").add("203.0.113.2");
  world.addServers(A, B);
  world.run(5000);
  world.dead.clear();
  world.run(STUN_KEEPALIVE_MS);
  assert.equal(world.told("reflexive")[0]!.changed, false);
  assert.equal(world.discovery.report.mapping, "endpoint_independent");
});

Deno.test("Discovery asks at once when told to refresh, and only once at a time", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(1000);
  const before = world.sent;
  world.nat.host = "198.51.100.8";
  world.flush();
  world.discovery.refresh(instant(world.nowMs));
  world.discovery.refresh(instant(world.nowMs));
  world.run(100);
  assert.equal(world.told("reflexive")[1]!.address.host, "198.51.100.8");
  assert.equal(world.sent - before, 2, "one to notice, one to compare");
});

Deno.test("Discovery tells the port that a stepping NAT gives to a fresh socket", () => {
  const world = new StunWorld({ mapping: "port", ports: "sequential" });
  world.addServers(A, B, C);
  world.run(30_000);
  const newest = world.discovery.report.ports.newestPort!;
  const socket = world.openSocket();
  world.discovery.probePort(instant(world.nowMs), socket);
  world.run(100);
  assert.deepEqual(world.told("port"), [
    { type: "port", socket, address: at(`${OUTSIDE}:${newest + 1}`) },
  ]);
  assert.deepEqual(world.discovery.report.ports, {
    pattern: "sequential",
    step: 1,
    newestPort: newest + 1,
  });
});

Deno.test("Discovery does not mistake a port probed later for an end of the sequence", () => {
  const world = new StunWorld({ mapping: "port", ports: "sequential" });
  world.addServers(A, B, C);
  world.run(10_000);
  world.flush();
  world.discovery.probePort(instant(world.nowMs), world.openSocket());
  world.run(100);
  const { pattern, newestPort } = world.discovery.report.ports;
  assert.equal(pattern, "sequential");
  assert.equal(newestPort, world.told("port")[0]!.address!.port);
});

Deno.test("Discovery probes a port with another server when the first is silent", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(100);
  world.dead.add("203.0.113.1");
  const socket = world.openSocket();
  world.discovery.probePort(instant(world.nowMs), socket);
  world.run(2000);
  assert.deepEqual(world.told("port")[0]!.address, at(`${OUTSIDE}:${5000 + socket}`));
  assert.equal(world.discovery.report.ports.pattern, "preserving");
});

Deno.test("Discovery takes its own host with another port for a NAT", () => {
  const world = new StunWorld({ host: "192.168.1.2", ports: "sequential" });
  assert.equal(mappingOf(world, A, B), "endpoint_independent");
});

Deno.test("Discovery says so when nobody tells a port", () => {
  const world = new StunWorld();
  world.discovery.probePort(instant(world.nowMs), 7);
  world.run(0);
  assert.deepEqual(world.told("port"), [{ type: "port", socket: 7, address: undefined }]);
  world.addServers(A, B, C);
  world.run(100);
  for (const host of ["203.0.113.1", "203.0.113.2", "203.0.113.3"]) world.dead.add(host);
  world.discovery.probePort(instant(world.nowMs), world.openSocket());
  world.run(4000);
  assert.equal(world.told("port")[1]!.address, undefined);
});

Deno.test("Discovery finds filtering and hairpinning when extended", () => {
  const expected = {
    none: "endpoint_independent",
    endpoint: "endpoint_independent",
    address: "address_dependent",
    port: "address_and_port_dependent",
  } as const;
  for (const filtering of ["endpoint", "address", "port"] as const) {
    for (const hairpin of [true, false]) {
      const world = new StunWorld({ filtering, hairpin, ports: "sequential" }, { extended: true });
      world.addServers(A, B, FULL);
      world.run(5000);
      const { report } = world.discovery;
      assert.equal(report.filtering, expected[filtering]);
      assert.equal(report.hairpin, hairpin);
      assert.equal(report.mapping, "endpoint_independent");
      assert.equal(report.ports.pattern, "sequential");
      assert.equal(report.ports.step, 1);
      assert.equal(world.told("complete").length, 1);
      assert.ok(world.toldAt("complete")! < 3000);
    }
  }
});

Deno.test("Discovery does not send into the network that a server of the Internet names", () => {
  const world = new StunWorld({ hairpin: true, host: "10.9.8.7" }, { extended: true });
  world.addServers(A, B, FULL);
  world.run(5000);
  assert.equal(world.discovery.report.reflexive[0]!.address.host, "10.9.8.7");
  assert.deepEqual(world.sentTo("10."), []);
  assert.equal(world.discovery.report.hairpin, undefined);

  const honest = new StunWorld({ hairpin: true }, { extended: true });
  honest.addServers(A, B, FULL);
  honest.run(5000);
  assert.ok(honest.sentTo(OUTSIDE).length > 0);
});

Deno.test("Discovery finds filtering before a machine without NAT", () => {
  const world = new StunWorld({ mapping: "none", filtering: "address" }, { extended: true });
  world.addServers(FULL);
  world.run(5000);
  const { mapping, filtering, hairpin } = world.discovery.report;
  assert.deepEqual({ mapping, filtering, hairpin }, {
    mapping: "none",
    filtering: "address_dependent",
    hairpin: undefined,
  });
});

Deno.test("Discovery leaves unknown what no server offers or no socket can find", () => {
  const plain = new StunWorld({}, { extended: true });
  plain.addServers(A, B);
  plain.run(5000);
  assert.equal(plain.discovery.report.filtering, "unknown");
  assert.equal(plain.discovery.report.hairpin, false);

  const without = new StunWorld({}, { extended: true });
  without.givesSockets = false;
  without.addServers(A, FULL);
  without.run(5000);
  assert.equal(without.discovery.report.isComplete, true);
  assert.equal(without.discovery.report.filtering, "unknown");
  assert.equal(without.discovery.report.hairpin, undefined);
});

Deno.test("Discovery compares the router's address with what servers see", () => {
  const world = new StunWorld();
  world.addServers(A, B);
  world.run(1000);
  assert.equal(world.discovery.report.doubleNat, undefined);
  world.discovery.noteRouterAddress(at(`${OUTSIDE}:1`));
  assert.equal(world.discovery.report.doubleNat, false);
  world.discovery.noteRouterAddress(at("198.51.100.99:1"));
  assert.equal(world.discovery.report.doubleNat, true);
});

Deno.test("Discovery sees that there is no NAT when the interfaces become known later", () => {
  const world = new StunWorld({ mapping: "none" }, { localAddresses: [] });
  world.sockets[0] = at("192.0.2.2:5000");
  world.addServers(A, B);
  world.run(1000);
  assert.equal(world.discovery.report.mapping, "endpoint_independent");
  world.discovery.noteLocalAddresses(instant(world.nowMs), [{ family: 4, host: "192.0.2.2" }]);
  world.run(0);
  assert.equal(world.told("mapping").at(-1)!.mapping, "none");
});
