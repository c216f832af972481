import assert from "node:assert/strict";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import { nearestPort, portAhead } from "../../../../lib/nat/punch/ports.ts";
import { candidate, DrivenMachine, mostWithin, punchOptions, SHARER_HOST } from "./_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const ADDRESS: MappingClass = "address_dependent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

const TEN_MINUTES_MS = 600_000;
const PORT = 40_000;
/** Questions to a fixed sharer's public address in ten minutes, both ends included. */
const KNOCKS = 8 * 600 + 1;

function waiting(
  local: MappingClass,
  remote: MappingClass,
  more: Parameters<typeof punchOptions>[3] = {},
): DrivenMachine {
  return new DrivenMachine(punchOptions("client", local, remote, more));
}

/** The hops of each probe of many. */
function hopsOf(sent: DrivenMachine["sent"]): (number | undefined)[] {
  return sent.map(({ hops }) => hops);
}

Deno.test("a waiting client asks the public candidate 8 times a second, each other one every 8 s", () => {
  const client = waiting(FIXED, FIXED, {
    candidates: [
      candidate("host", "192.168.1.2", 5),
      candidate("reflexive", SHARER_HOST, 6),
      candidate("host", "2001:db8::1", 7),
    ],
  });
  client.run(8125);
  assert.deepEqual(
    client.sent.map(({ atMs, path, hops }) => [atMs, path.remote.port, hops]),
    Array.from({ length: 66 }, (_, index) => 125 * index).flatMap((atMs) => [
      [atMs, 6, undefined],
      ...(atMs % 8000 === 0 ? [[atMs, 5, undefined], [atMs, 7, undefined]] : []),
    ]),
  );
  client.run(TEN_MINUTES_MS);
  assert.equal(client.sent.length, KNOCKS + 2 * 76);
  assert.ok(mostWithin(client.sent, 1000) <= 8 + 2);
});

Deno.test("a waiting client asks a sharer that has another port for everybody every 8 s only", () => {
  const countPlain = (local: MappingClass, remote: MappingClass): number => {
    const client = waiting(local, remote);
    client.run(60_000);
    return client.sent.length - client.machine.sprayedProbes;
  };
  const fixed: readonly MappingClass[] = ["none", "unknown", FIXED];
  const others: readonly MappingClass[] = [ADDRESS, STEPPING, RANDOM];
  for (const local of [FIXED, ...others]) {
    for (const remote of fixed) assert.equal(countPlain(local, remote), 8 * 60 + 1);
    // Two stepping NATs, too: nothing may go in between their steps.
    for (const remote of others) assert.equal(countPlain(local, remote), 8);
  }
});

Deno.test("a waiting client sends low TTL alone from its guard socket, to the public candidate", () => {
  const candidates = [
    candidate("host", "192.168.1.2", 5),
    candidate("reflexive", SHARER_HOST, 6),
    candidate("host", "2001:db8::1", 7),
  ];
  for (const lowHops of [2, 4] as const) {
    for (const remote of [FIXED, RANDOM, STEPPING, ADDRESS]) {
      const client = waiting(FIXED, remote, { candidates, guardSocket: 9, lowHops });
      client.run(TEN_MINUTES_MS);
      const guard = client.sent.filter(({ path }) => path.socket === 9);
      assert.equal(guard.length, 76);
      assert.deepEqual(guard.slice(0, 3).map(({ atMs }) => atMs), [0, 8000, 16_000]);
      assert.ok(
        guard.every(({ path: { remote }, hops }) =>
          remote.host === SHARER_HOST && remote.port === 6 && hops === lowHops
        ),
      );
      const atCandidates = client.sent.filter(({ path, atMs }) =>
        path.socket !== 9 && atMs % 8000 === 0 && [5, 6, 7].includes(path.remote.port)
      );
      assert.ok(atCandidates.length >= 3 * 76);
      assert.ok(atCandidates.every(({ hops }) => hops === undefined));
    }
  }
});

Deno.test("a waiting client sends nothing from a guard socket that is of no use", () => {
  const usesGuard = (
    local: MappingClass,
    remote: MappingClass,
    more: Parameters<typeof punchOptions>[3] = {},
  ): boolean => {
    const client = waiting(local, remote, { guardSocket: 9, ...more });
    client.run(60_000);
    return client.sent.some(({ path }) => path.socket === 9);
  };
  assert.ok(usesGuard(FIXED, FIXED));
  assert.ok(!usesGuard(FIXED, FIXED, { lowHops: undefined }));
  assert.ok(!usesGuard(FIXED, FIXED, { guardSocket: undefined }));
  const local = { candidates: [candidate("host", "192.168.1.2", 5)] };
  assert.ok(!usesGuard(FIXED, FIXED, local));
  for (const hard of [RANDOM, ADDRESS, STEPPING]) {
    for (const remote of [FIXED, ADDRESS]) assert.ok(!usesGuard(hard, remote));
  }
  assert.ok(!usesGuard(STEPPING, STEPPING));
});

Deno.test("a waiting client that cannot limit hops limits none", () => {
  for (const [local, remote] of [[FIXED, RANDOM], [RANDOM, FIXED], [FIXED, STEPPING]] as const) {
    const client = waiting(local, remote, { lowHops: undefined, guardSocket: 9 });
    client.run(60_000);
    assert.ok(client.sent.length > 1000);
    assert.ok(hopsOf(client.sent).every((hops) => hops === undefined));
  }
});

for (const remote of [RANDOM, ADDRESS]) {
  Deno.test(`a waiting client tries ports of a ${remote} sharer, the nearest first`, () => {
    const client = waiting(FIXED, remote);
    client.run(TEN_MINUTES_MS);
    const sprayed = client.sent.filter(({ path, atMs }) =>
      path.remote.port !== PORT || atMs % 8000 !== 0
    );
    assert.ok(client.sent.every(({ path }) => path.socket === 0));
    const hopsAt = new Map(sprayed.map(({ path, hops }) => [path.remote.port, hops]));
    for (let index = 1; index < 4096; index++) {
      assert.equal(hopsAt.get(nearestPort(PORT, index)), index % 4 < 2 ? 2 : undefined);
    }
    const isFew = (hops: number | undefined): boolean => hops !== undefined;
    const few = hopsOf(sprayed).filter(isFew).length;
    assert.ok(Math.abs(few / sprayed.length - 0.5) < 0.001, `${few} of ${sprayed.length}`);

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
  assert.ok(next.every(({ hops }) => hops === undefined));
  const further = client.sent.filter(({ path }) =>
    path.remote.port !== PORT && !isNext(path.remote.port)
  );
  const hopsAt = new Map(further.map(({ path, hops }) => [path.remote.port, hops]));
  for (let index = 32; index < 4096; index++) {
    assert.equal(hopsAt.get(portAhead(PORT, index)), index % 4 < 2 ? 2 : undefined);
  }
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
    assert.ok(used.every(({ path }) => path.remote.port === PORT));
    assert.deepEqual(
      hopsOf(used),
      Array.from({ length: 256 }, (_, index) => index % 4 < 2 ? 2 : undefined),
    );
    assert.ok(used.at(-1)!.atMs < 600);
    client.run(TEN_MINUTES_MS);
    assert.equal(client.machine.sprayedProbes, 19_201);
    const isKnocking = remote === FIXED;
    assert.equal(client.machine.sentProbes, 19_201 + (isKnocking ? KNOCKS : 76));
    assert.equal(mostWithin(client.sent, 30_000), 1024 + (isKnocking ? 30 * 8 : 4));
  });
}

Deno.test("a waiting client with unknown ports sends with all hops to an address-dependent sharer", () => {
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

Deno.test("a waiting stepping client opens four sockets towards a fixed sharer, two with few hops", () => {
  const client = waiting(STEPPING, FIXED);
  assert.deepEqual(client.events, [{ type: "sockets-wanted", count: 4, family: 4 }]);
  client.run(TEN_MINUTES_MS);
  const opened = client.sent.filter(({ path }) => path.socket >= 100);
  assert.deepEqual(
    opened.slice(0, 8).map(({ atMs, path, hops }) => [atMs, path.socket, hops]),
    [0, 8000].flatMap((atMs) => [
      [atMs, 100, 2],
      [atMs + 2, 101, 2],
      [atMs + 4, 102, undefined],
      [atMs + 6, 103, undefined],
    ]),
  );
  assert.ok(opened.every(({ path }) => path.remote.port === PORT));
  assert.equal(opened.length, 75 * 4 + 1);
  const path = { socket: 100, remote: { family: 4, host: SHARER_HOST, port: PORT } } as const;
  assert.equal(client.machine.methodOf(path), "predicted");
});

Deno.test("a waiting stepping client sends to the fixed sharer's public address first, and then from fresh sockets", () => {
  const client = waiting(STEPPING, FIXED, {
    candidates: [candidate("host", "192.168.1.2", 5), candidate("reflexive", SHARER_HOST, PORT)],
  });
  client.run(124);
  assert.deepEqual(
    client.sent.map(({ path }) => [path.socket, path.remote.port]),
    [[0, PORT], [0, 5], [100, PORT], [101, PORT], [102, PORT], [103, PORT]],
  );
  client.run(TEN_MINUTES_MS);
  const plain = client.sent.filter(({ path }) => path.socket === 0);
  assert.equal(plain.length, KNOCKS + 76);
});

Deno.test("a waiting client tries no ports and opens no sockets where there is no public address", () => {
  for (
    const [local, remote] of [
      [FIXED, RANDOM],
      [RANDOM, FIXED],
      [STEPPING, FIXED],
      [STEPPING, STEPPING],
    ] as const
  ) {
    const client = waiting(local, remote, { candidates: [candidate("host", "192.168.1.2", 5)] });
    client.run(60_000);
    assert.deepEqual(client.events, []);
    assert.equal(client.sent.length, 8);
  }
});
