/**
 * Goal: virtual time passes in order, links deliver in it, and a whole run depends on the seed alone.
 * Method: small worlds whose every step is known, then a noisy one run twice.
 */
import assert from "node:assert/strict";
import { after } from "../../../lib/time.ts";
import { randomFaults } from "../../support/faults.ts";
import { SimNetwork } from "../../support/sim_network.ts";
import { SimWorld } from "../../support/sim_world.ts";

Deno.test("SimWorld does things in order of time and, at equal times, of scheduling", () => {
  const world = new SimWorld(1);
  const log: string[] = [];
  world.schedule(5, () => log.push(`b at ${world.nowMs}`));
  world.schedule(3, () => {
    log.push(`a at ${world.nowMs}`);
    world.schedule(1, () => log.push(`late at ${world.nowMs}`));
  });
  world.schedule(5, () => log.push(`c at ${world.nowMs}`));
  world.schedule(Infinity, () => log.push("never"));
  world.run({});
  assert.deepEqual(log, ["a at 3", "late at 3", "b at 5", "c at 5"]);
});

Deno.test("SimWorld run stops at its time, at its condition, and at its bound", () => {
  const world = new SimWorld(1);
  let ticks = 0;
  const tick = () => {
    ticks++;
    world.schedule(world.nowMs + 10, tick);
  };
  world.schedule(10, tick);
  world.run({ untilMs: 35 });
  assert.equal(ticks, 3);
  assert.equal(world.nowMs, 35);
  world.run({ until: () => ticks === 5 });
  assert.equal(world.nowMs, 50);
  assert.throws(() => world.run({ maxSteps: 100 }), /steps/);
});

Deno.test("SimWorld calls the checker after every step and lets its failure through", () => {
  const world = new SimWorld(1);
  for (let i = 1; i <= 5; i++) world.schedule(i, () => {});
  let steps = 0;
  assert.throws(
    () =>
      world.run({
        onStep: () => {
          if (++steps === 3) throw new Error("invariant broken");
        },
      }),
    /invariant broken/,
  );
  assert.equal(world.nowMs, 3);
});

Deno.test("SimWorld clock tells virtual time and its timers can be called off", () => {
  const world = new SimWorld(1);
  const log: number[] = [];
  const { clock } = world;
  clock.setTimer(after(clock.now(), 20), () => log.push(clock.now()));
  const cancel = clock.setTimer(after(clock.now(), 10), () => log.push(clock.now()));
  cancel();
  world.run({ untilMs: 100 });
  assert.deepEqual(log, [20]);
  assert.equal(clock.now(), 100);
});

Deno.test("SimWorld link copies, delays, corrupts and duplicates", () => {
  const world = new SimWorld(1);
  const received: [number, number[]][] = [];
  const link = world.link(
    { delayMs: 10, corruptRate: 1, duplicateRate: 1 },
    (datagram) => received.push([world.nowMs, [...datagram]]),
  );
  const sent = Uint8Array.of(0, 0, 0);
  link.send(sent);
  sent.fill(9);
  world.run({});
  assert.equal(received.length, 2);
  assert.equal(received[0]![0], 10);
  assert.equal(received[0]![1].filter((byte) => byte !== 0).length, 1);
  assert.deepEqual(received[1]![1], received[0]![1]);
});

Deno.test("SimWorld heal ends the faults of every link", () => {
  const world = new SimWorld(1);
  let received = 0;
  const links = [1, 2].map(() => world.link({ lossRate: 1 }, () => received++));
  links.forEach((link) => link.send(new Uint8Array(5)));
  world.run({});
  assert.equal(received, 0);
  world.heal();
  links.forEach((link) => link.send(new Uint8Array(5)));
  world.run({});
  assert.equal(received, 2);
});

/** Two machines that answer each other over links drawn from the seed; every arrival is noted. */
function noisyTrace(seed: number): string[] {
  const world = new SimWorld(seed);
  const trace: string[] = [];
  const hear = (name: string, answer: (datagram: Uint8Array) => void) => (datagram: Uint8Array) => {
    trace.push(`${world.nowMs} ${name} ${datagram.join(",")}`);
    if (datagram.length > 1) answer(datagram.subarray(1));
  };
  const there = world.link(randomFaults(world.prng), hear("b", (datagram) => back.send(datagram)));
  const back = world.link(randomFaults(world.prng), hear("a", (datagram) => there.send(datagram)));
  for (let i = 0; i < 100; i++) world.schedule(i, () => there.send(world.prng.bytes(8)));
  world.run({});
  return trace;
}

Deno.test("SimWorld gives equal traces for equal seeds and others for others", () => {
  assert.deepEqual(noisyTrace(42), noisyTrace(42));
  assert.notDeepEqual(noisyTrace(42), noisyTrace(43));
});

Deno.test("randomFaults switches a subset on, never the same for all", () => {
  const subsets = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const options = randomFaults(new SimWorld(seed).prng);
    assert.ok((options.lossRate ?? 0) <= 0.2);
    subsets.add(Object.keys(options).sort().join());
    new SimWorld(seed).link(options);
  }
  assert.ok(subsets.size > 40, `${subsets.size} subsets`);
});

Deno.test("SimWorld runs asynchronous programs over a network in virtual time", async () => {
  const program = async () => {
    const world = new SimWorld(5);
    const { network } = new SimNetwork(world, () => ({ delayMs: 30, jitterMs: 4, lossRate: 0.2 }));
    const server = network.bind("10.0.0.1", 7);
    const client = network.bind("10.0.0.2");
    void server.receive(async (datagram, from) => {
      const copy = datagram.slice();
      await Promise.resolve();
      await server.send(copy, from);
    });
    const arrivals: number[] = [];
    const done = Promise.withResolvers<number[]>();
    void client.receive((datagram) => {
      if (datagram[0] !== arrivals.length % 256) return;
      arrivals.push(world.nowMs);
      if (arrivals.length === 20) done.resolve(arrivals);
    });
    // Sends what was not answered again and again: a program with a timer of its own.
    const ask = () => {
      void client.send(Uint8Array.of(arrivals.length), server.localAddress);
      world.clock.setTimer(after(world.clock.now(), 70), ask);
    };
    ask();
    return await world.runAsync({ until: done.promise });
  };
  const first = await program();
  assert.equal(first.length, 20);
  assert.ok(first[0]! >= 60);
  assert.deepEqual(await program(), first);
});

Deno.test("SimWorld runAsync passes a rejection on", async () => {
  const world = new SimWorld(1);
  const failing = new Promise<void>((_, reject) => {
    world.schedule(5, () => reject(new Error("as planned")));
  });
  await assert.rejects(world.runAsync({ until: failing }), /as planned/);
});

Deno.test("SimWorld runAsync says when nothing is left to come, and when time is up", async () => {
  const forever = new Promise<void>(() => {});
  await assert.rejects(new SimWorld(1).runAsync({ until: forever }), /stuck/);
  const world = new SimWorld(2);
  const tick = () => {
    world.schedule(world.nowMs + 10, tick);
  };
  tick();
  await assert.rejects(world.runAsync({ until: forever, limitMs: 100 }), /limit/);
});
