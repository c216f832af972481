import assert from "node:assert/strict";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import { nearestPort, portAhead } from "../../../../lib/nat/punch/ports.ts";
import { candidate, CLIENT_HOST, DrivenMachine, mostWithin, punchOptions } from "./_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const ADDRESS: MappingClass = "address_dependent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

const PORT = 40_000;

function acting(
  local: MappingClass,
  remote: MappingClass,
  more: Parameters<typeof punchOptions>[3] = {},
): DrivenMachine {
  return new DrivenMachine(punchOptions("sharer", local, remote, more));
}

/** What went to guessed ports or out of extra sockets. */
function sprayOf({ sent }: DrivenMachine): typeof sent {
  return sent.filter(({ path }) => path.socket !== 0 || path.remote.port !== PORT);
}

Deno.test("an acting sharer asks each candidate 64 times in 30 s, often at first", () => {
  const sharer = acting(FIXED, FIXED, {
    candidates: [
      candidate("reflexive", CLIENT_HOST, PORT),
      candidate("host", "192.168.1.2", 5),
      candidate("host", "2001:db8::1", 6),
      candidate("mapped", CLIENT_HOST, 7),
    ],
  });
  sharer.run(60_000);
  assert.equal(sharer.sent.length, 4 * 64 + 16);
  for (const port of [PORT, 5, 6, 7]) {
    const atMs = sharer.sent.filter(({ path }) => path.remote.port === port)
      .map((probe) => probe.atMs);
    assert.deepEqual(atMs.slice(0, 8), [0, 50, 100, 200, 400, 800, 1300, 1800]);
    assert.equal(atMs.length, 64);
    assert.equal(atMs.at(-1), 29_800);
  }
  assert.ok(sharer.sent.every(({ hops }) => hops === undefined));
  assert.equal(sharer.machine.sprayedProbes, 0);
  assert.deepEqual(sharer.events, [{ type: "exhausted" }]);
});

Deno.test("an acting sharer asks the port next to the client's public one 16 times", () => {
  const sharer = acting(FIXED, FIXED, {
    candidates: [candidate("host", "192.168.1.2", 5), candidate("reflexive", CLIENT_HOST, PORT)],
  });
  sharer.run(60_000);
  const guard = sharer.sent.filter(({ path }) => ![5, PORT].includes(path.remote.port));
  assert.ok(
    guard.every(({ path: { socket, remote }, hops }) =>
      socket === 0 && remote.host === CLIENT_HOST && remote.port === PORT + 1 && hops === undefined
    ),
  );
  assert.deepEqual(
    guard.map(({ atMs }) => atMs),
    [0, 50, 100, 200, 400, ...Array.from({ length: 11 }, (_, index) => 800 + 500 * index)],
  );
  assert.equal(sharer.machine.sprayedProbes, 0);
});

Deno.test("an acting sharer asks no port next to 65535, and none where there is no guard socket", () => {
  const asks = (
    local: MappingClass,
    remote: MappingClass,
    host = CLIENT_HOST,
    port = PORT,
  ): boolean => {
    const sharer = acting(local, remote, { candidates: [candidate("reflexive", host, port)] });
    sharer.run(499);
    return sharer.sent.some(({ path }) => path.remote.port !== port);
  };
  assert.ok(asks(FIXED, FIXED));
  assert.ok(asks(FIXED, FIXED, CLIENT_HOST, 65_534));
  assert.ok(!asks(FIXED, FIXED, CLIENT_HOST, 65_535));
  assert.ok(!asks(FIXED, FIXED, "192.168.1.2"));
  for (const hard of [RANDOM, ADDRESS]) {
    assert.ok(!asks(FIXED, hard));
    assert.ok(!asks(hard, FIXED));
  }
  assert.ok(!asks(STEPPING, FIXED));
});

for (const [local, remote] of [[FIXED, RANDOM], [FIXED, ADDRESS], [RANDOM, ADDRESS]] as const) {
  Deno.test(`an acting ${local} sharer tries 2048 ports of a ${remote} client after 500 ms`, () => {
    const sharer = acting(local, remote);
    sharer.run(60_000);
    // The first of them is the known port itself.
    const sprayed = sprayOf(sharer);
    assert.deepEqual(
      sprayed.map(({ path }) => path.remote.port),
      Array.from({ length: 2047 }, (_, index) => nearestPort(PORT, index + 1)),
    );
    assert.equal(sprayed[0]!.atMs, 502);
    assert.equal(sprayed.at(-1)!.atMs, 500 + 2 * 2047);
    assert.equal(sharer.machine.sprayedProbes, 2048);
    assert.equal(sharer.machine.sentProbes, 2048 + 64);
  });
}

for (const [local, remote] of [[RANDOM, FIXED], [ADDRESS, FIXED], [ADDRESS, RANDOM]] as const) {
  Deno.test(`an acting ${local} sharer opens 256 sockets towards a ${remote} client`, () => {
    const sharer = acting(local, remote);
    sharer.run(499);
    assert.deepEqual(sharer.events, []);
    sharer.run(1490);
    assert.deepEqual(sharer.events, [{ type: "sockets-wanted", count: 256, family: 4 }]);
    const used = sprayOf(sharer);
    assert.equal(new Set(used.map(({ path }) => path.socket)).size, 256);
    assert.equal(used.length, 256);
    assert.equal(used.at(-1)!.atMs, 500 + 2 * 255);
    sharer.run(60_000);
    assert.equal(sharer.machine.sprayedProbes, 7 * 256);
    assert.equal(sharer.machine.sentProbes, 7 * 256 + 64);
  });
}

Deno.test("an acting fixed sharer tries the ports ahead of a stepping client, the next ones often", () => {
  const sharer = acting(FIXED, STEPPING);
  sharer.run(60_000);
  const sprayed = sprayOf(sharer);
  const times = new Map<number, number>();
  for (const { path: { remote } } of sprayed) {
    times.set(remote.port, (times.get(remote.port) ?? 0) + 1);
  }
  assert.deepEqual(
    sprayed.slice(0, 32).map(({ path }) => path.remote.port),
    Array.from({ length: 32 }, (_, index) => portAhead(PORT, index)),
  );
  assert.equal(sprayed[31]!.atMs, 62);
  assert.deepEqual(
    [1, 32, 33, 128, 129, 512, 513, 1344, 1345].map((steps) => times.get(PORT + steps)),
    [5, 5, 3, 3, 2, 2, 1, 1, undefined],
  );
  assert.equal(sprayed.length, 2048);
  assert.ok(sprayed.at(-1)!.atMs < 5000);
});

Deno.test("an acting stepping sharer only sends to the fixed client", () => {
  const sharer = acting(STEPPING, FIXED);
  sharer.run(60_000);
  assert.equal(sharer.sent.length, 64);
});

Deno.test("an acting stepping sharer joins the step of a stepping client where its own ports are", () => {
  const sharer = acting(STEPPING, STEPPING, { codePort: 65_530, currentPort: 1024 + 4 });
  sharer.run(400);
  const steps = sharer.sent.map(({ path }) => path.remote.port - PORT);
  // Ten ports have gone; after 16 probes the step is one wider.
  assert.deepEqual(steps.slice(0, 3), [11, 12, 13]);
  assert.deepEqual(steps.slice(15, 18), [26, 28, 29]);
  sharer.run(489);
  assert.ok(sharer.sent.every(({ path }) => path.remote.port !== PORT));
  sharer.run(60_000);
  assert.equal(sharer.machine.sprayedProbes, 2048);
  assert.equal(sharer.sent.length, 2048 + 63);
});

Deno.test("an acting stepping sharer whose ports have gone too far only asks plainly", () => {
  const sharer = acting(STEPPING, STEPPING, { codePort: 2000, currentPort: 2256 });
  sharer.run(60_000);
  assert.equal(sharer.machine.sprayedProbes, 0);
  assert.equal(sharer.sent.length, 64);
});

Deno.test("an acting sharer tries no ports of private addresses, whatever the code says", () => {
  for (const host of ["192.168.1.2", "10.0.0.1", "100.64.0.1"]) {
    for (const remote of [RANDOM, STEPPING, ADDRESS]) {
      const sharer = acting(FIXED, remote, { candidates: [candidate("reflexive", host, PORT)] });
      sharer.run(60_000);
      assert.equal(sharer.machine.sprayedProbes, 0);
      assert.equal(sharer.sent.length, 64);
    }
  }
});

Deno.test("an acting sharer makes no bursts when timers are late", () => {
  for (const lateMs of [5, 30, 400]) {
    const sharer = acting(FIXED, RANDOM);
    sharer.run(60_000, lateMs);
    assert.ok(mostWithin(sharer.sent, 1) <= 11 + 1);
    assert.ok(sharer.machine.sprayedProbes <= 2048);
  }
});
