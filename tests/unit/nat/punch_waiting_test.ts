import assert from "node:assert/strict";
import type { MappingClass } from "../../../lib/nat/mapping_class.ts";
import { nearestPort, portAhead } from "../../../lib/nat/punch_ports.ts";
import { candidate, DrivenMachine, mostWithin, punchOptions, SHARER_HOST } from "./_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const ADDRESS: MappingClass = "address_dependent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

const TEN_MINUTES_MS = 600_000;
const PORT = 40_000;

function waiting(
  local: MappingClass,
  remote: MappingClass,
  more: Parameters<typeof punchOptions>[3] = {},
): DrivenMachine {
  return new DrivenMachine(punchOptions("client", local, remote, more));
}

Deno.test("a waiting client keeps its NAT open by one low-TTL probe every 8 s and candidate", () => {
  const client = waiting(FIXED, FIXED, {
    candidates: [candidate("host", "192.168.1.2", 5), candidate("reflexive", SHARER_HOST, 6)],
  });
  client.run(17_000);
  assert.deepEqual(
    client.sent.map(({ atMs, path, hops }) => [atMs, path.remote.port, hops]),
    [[0, 6, 2], [0, 5, 2], [8000, 6, 2], [8000, 5, 2], [16_000, 6, 2], [16_000, 5, 2]],
  );
  client.run(TEN_MINUTES_MS);
  assert.equal(client.sent.length, 76 * 2);
});

Deno.test("a waiting client limits hops as told, not in IPv6, and not where it cannot", () => {
  const candidates = [candidate("reflexive", SHARER_HOST, 6), candidate("host", "2001:db8::1", 6)];
  const hopsOf = (more: Parameters<typeof punchOptions>[3]): (number | undefined)[] =>
    waiting(FIXED, FIXED, { candidates, ...more }).sent.map(({ hops }) => hops);
  assert.deepEqual(hopsOf({}), [2, undefined]);
  assert.deepEqual(hopsOf({ lowHops: 4 }), [4, undefined]);
  assert.deepEqual(hopsOf({ canLimitHops: false }), [undefined, undefined]);
});

for (const remote of [RANDOM, ADDRESS]) {
  Deno.test(`a waiting client tries ports of a ${remote} sharer, the nearest first`, () => {
    const client = waiting(FIXED, remote);
    client.run(TEN_MINUTES_MS);
    const sprayed = client.sent.filter(({ path, atMs }) =>
      path.remote.port !== PORT || atMs % 8000 !== 0
    );
    assert.ok(client.sent.every(({ hops, path }) => hops === 2 && path.socket === 0));

    const ports = new Set(
      sprayed.filter(({ atMs }) => atMs < 30_000).map(({ path }) => path.remote.port),
    );
    ports.add(PORT);
    const nearest = Array.from({ length: 2047 }, (_, index) => nearestPort(PORT, index));
    assert.ok(nearest.every((port) => ports.has(port)));
    const within3s = sprayed.filter(({ atMs }) => atMs < 3000);
    const near = new Set(within3s.map(({ path }) => path.remote.port));
    assert.ok(nearest.slice(1, 1024).every((port) => near.has(port)));
    assert.ok(mostWithin(sprayed, 1000) <= 536);
    assert.equal(client.machine.sprayedProbes, 40_962);
    assert.equal(client.machine.sentProbes, 40_962 + 76);
    // Four plain ones are not from the budget of 2048.
    assert.equal(mostWithin(client.sent, 30_000), 2048 + 4);
  });
}

Deno.test("a waiting client opens the ports ahead of a stepping sharer, the next 32 every 8 s", () => {
  const client = waiting(FIXED, STEPPING);
  client.run(TEN_MINUTES_MS);
  const isNext = (port: number): boolean => port > PORT && port <= PORT + 32;
  const next = client.sent.filter(({ path }) => isNext(path.remote.port));
  assert.equal(next.length, 32 * 75 + 1);
  assert.deepEqual(
    next.slice(0, 32).map(({ path }) => path.remote.port),
    Array.from({ length: 32 }, (_, index) => portAhead(PORT, index)),
  );
  assert.ok(next[31]!.atMs < 100);
  assert.ok(client.sent.every(({ hops }) => hops === 2));
  assert.ok(client.sent.every(({ path }) => path.remote.port >= PORT || path.remote.port < 30_000));
  assert.equal(mostWithin(client.sent, 30_000), 2048 + 4);
  assert.equal(client.machine.sentProbes, 40_879);
});

for (const [local, remote] of [[RANDOM, FIXED], [ADDRESS, FIXED], [ADDRESS, STEPPING]] as const) {
  Deno.test(`a waiting ${local} client opens 256 sockets towards a ${remote} sharer`, () => {
    const client = waiting(local, remote);
    assert.deepEqual(client.events, [{ type: "sockets-wanted", count: 256, family: 4 }]);
    client.run(7999);
    const used = client.sent.filter(({ path }) => path.socket >= 100);
    assert.equal(used.length, 256);
    assert.equal(new Set(used.map(({ path }) => path.socket)).size, 256);
    assert.ok(used.every(({ path, hops }) => path.remote.port === PORT && hops === 2));
    assert.ok(used.at(-1)!.atMs < 600);
    client.run(TEN_MINUTES_MS);
    assert.equal(client.machine.sprayedProbes, 19_201);
    assert.equal(client.machine.sentProbes, 19_201 + 76);
    assert.equal(mostWithin(client.sent, 30_000), 1024 + 4);
  });
}

Deno.test("a waiting client with unknown ports sends with full TTL to an address-dependent sharer", () => {
  for (const local of [RANDOM, STEPPING]) {
    const client = waiting(local, ADDRESS);
    client.run(60_000);
    const sprayed = client.sent.filter(({ path }) => path.remote.port !== PORT);
    assert.ok(sprayed.length > 4000);
    assert.ok(sprayed.every(({ hops }) => hops === undefined));
    assert.ok(mostWithin(sprayed, 1000) <= 70);
    assert.ok(mostWithin(client.sent, 30_000) <= 2048 + 4);
  }
});

Deno.test("a waiting stepping client walks 256 ports of a stepping sharer before anything else", () => {
  const client = waiting(STEPPING, STEPPING, {
    candidates: [candidate("host", "192.168.1.2", 5), candidate("reflexive", SHARER_HOST, PORT)],
  });
  client.run(8000 + 600);
  const ports = client.sent.map(({ path }) => path.remote.port);
  const ahead = Array.from({ length: 256 }, (_, index) => portAhead(PORT, index));
  assert.deepEqual(ports.slice(0, 256), ahead);
  assert.deepEqual(ports.slice(256, 258), [PORT, 5]);
  assert.equal(client.sent[256]!.atMs, 510);
  assert.deepEqual(ports.slice(258), [...ahead, PORT, 5].slice(0, ports.length - 258));
  client.run(TEN_MINUTES_MS);
  assert.ok(mostWithin(client.sent, 30_000) <= 1024 + 8);
});

Deno.test("a waiting stepping client sends to the fixed sharer's public address first", () => {
  const client = waiting(STEPPING, FIXED, {
    candidates: [candidate("host", "192.168.1.2", 5), candidate("reflexive", SHARER_HOST, PORT)],
  });
  assert.equal(client.sent[0]!.path.remote.host, SHARER_HOST);
  client.run(TEN_MINUTES_MS);
  assert.equal(client.sent.length, 2 * 76);
});

Deno.test("a waiting client tries no ports and opens no sockets where there is no public address", () => {
  for (const [local, remote] of [[FIXED, RANDOM], [RANDOM, FIXED], [STEPPING, STEPPING]] as const) {
    const client = waiting(local, remote, { candidates: [candidate("host", "192.168.1.2", 5)] });
    client.run(60_000);
    assert.deepEqual(client.events, []);
    assert.equal(client.sent.length, 8);
  }
});
