/**
 * Goal: a limit of the rate is kept to 1 % by what leaves the socket, however many clients share it,
 * and they share it equally; so is a limit for each client, and what a receiver asks for.
 * Method: a share that sends without end over simulated links; what enters them is counted from the
 * second on in which everybody is connected.
 */
import assert from "node:assert/strict";
import type { LinkOptions } from "../support/link.ts";
import { seededTest } from "../support/seeded_test.ts";
import { ShareWorld } from "../support/share_world.ts";
import { SimWorld } from "../support/sim_world.ts";

/** A link counts 28 bytes of IP and UDP for each datagram; the limit does not. */
const IP_UDP_BYTES = 28;
const START_MS = 1000;
const FAST: LinkOptions = { delayMs: 10 };
const LINE: LinkOptions = { ...FAST, rateBytesPerSecond: 1_000_000, queueBytes: 100_000 };

/** Bytes per second in datagrams to each client over `seconds`. */
function measure(world: SimWorld, share: ShareWorld, seconds: number): number[] {
  const bytes = () =>
    share.clients.map(({ forth: { model: { counters } } }) =>
      counters.enteredBytes - IP_UDP_BYTES * counters.entered
    );
  world.run({ untilMs: START_MS });
  const before = bytes();
  world.run({ untilMs: START_MS + seconds * 1000 });
  return bytes().map((after, index) => (after - before[index]!) / seconds);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function assertWithin(share: number, value: number, expected: number): void {
  assert.ok(Math.abs(value / expected - 1) <= share, `${value} instead of ${expected}`);
}

for (const clients of [1, 2, 5]) {
  for (const limit of [10_000, 500_000, 4_000_000]) {
    seededTest(`[RATE-1] ${limit} bytes a second are kept with ${clients} clients`, 1, (seed) => {
      const world = new SimWorld(seed);
      const share = new ShareWorld(world, Array(clients).fill({ link: FAST }));
      share.sharer.endpoint.limit.setRate(world.now, limit);
      const seconds = limit < 100_000 ? 60 : 6;
      const rates = measure(world, share, seconds);
      assertWithin(0.01, sum(rates), limit);
      for (const rate of rates) assertWithin(0.03, rate, limit / clients);
    });
  }
}

/** Loss at which each still fills the limit of the test below. */
const LOSS_RATES = { bbr: 0.02, cubic: 0.0005, background: 0 } as const;

for (const congestion of ["bbr", "cubic", "background"] as const) {
  seededTest(`[RATE-1] a limit below a line with losses is kept by ${congestion}`, 2, (seed) => {
    const world = new SimWorld(seed);
    const link: LinkOptions = {
      delayMs: 10,
      rateBytesPerSecond: 12_500_000,
      queueBytes: 500_000,
      lossRate: LOSS_RATES[congestion],
    };
    const share = new ShareWorld(world, [{ link }, { link }], { settings: { congestion } });
    share.sharer.endpoint.limit.setRate(world.now, 1_000_000);
    assertWithin(0.01, sum(measure(world, share, 20)), 1_000_000);
  });
}

seededTest("[RATE-1] what a slow client leaves of the limit the others get", 2, (seed) => {
  const world = new SimWorld(seed);
  const slow: LinkOptions = { delayMs: 10, rateBytesPerSecond: 200_000, queueBytes: 50_000 };
  const share = new ShareWorld(world, [{ link: slow }, { link: FAST }]);
  share.sharer.endpoint.limit.setRate(world.now, 2_000_000);
  const [first, second] = measure(world, share, 10);
  assert.ok(first! < 260_000, `${first} into a line of 200,000`);
  assertWithin(0.02, first! + second!, 2_000_000);
});

seededTest("[RATE-1] each client is limited by itself, and all of them together", 1, (seed) => {
  const world = new SimWorld(seed);
  const settings = { connectionLimitBytesPerSecond: 300_000 };
  const share = new ShareWorld(world, Array(3).fill({ link: FAST }), { settings });
  for (const rate of measure(world, share, 6)) assertWithin(0.01, rate, 300_000);
  share.sharer.endpoint.limit.setRate(world.now, 600_000);
  const before = share.clients.map(({ receivedBytes }) => receivedBytes);
  world.run({ untilMs: world.nowMs + 6000 });
  for (const [index, { receivedBytes }] of share.clients.entries()) {
    assertWithin(0.07, (receivedBytes - before[index]!) / 6, 200_000);
  }
});

seededTest("[RATE-2] a sharer sends no faster than a client asked for, and fills it", 1, (seed) => {
  const world = new SimWorld(seed);
  const share = new ShareWorld(world, [
    { link: FAST, settings: { wishes: { limitBytesPerSecond: 250_000 } } },
    { link: LINE },
  ]);
  const [asked, other] = measure(world, share, 10);
  assertWithin(0.01, asked!, 250_000);
  assert.ok(other! > 800_000, `${other}`);
});

seededTest("[RATE-1] file bytes are within 5 % of the limit", 1, (seed) => {
  const world = new SimWorld(seed);
  const share = new ShareWorld(world, [{ link: FAST }]);
  share.sharer.endpoint.limit.setRate(world.now, 1_000_000);
  world.run({ untilMs: START_MS });
  const before = share.clients[0]!.receivedBytes;
  world.run({ untilMs: START_MS + 10_000 });
  assertWithin(0.05, (share.clients[0]!.receivedBytes - before) / 10, 1_000_000);
});

seededTest("[RATE-1] near and far clients get equal parts", 2, (seed) => {
  const world = new SimWorld(seed);
  const clients = [1, 20, 100].map((delayMs) => ({ link: { delayMs } }));
  const share = new ShareWorld(world, clients);
  share.sharer.endpoint.limit.setRate(world.now, 1_500_000);
  const rates = measure(world, share, 10);
  assertWithin(0.01, sum(rates), 1_500_000);
  for (const rate of rates) assertWithin(0.03, rate, 500_000);
});

seededTest(
  "[RATE-2] a client that asks for it is sent to in the background, others are not",
  1,
  (seed) => {
    const world = new SimWorld(seed);
    const share = new ShareWorld(world, [
      { link: LINE, settings: { wishes: { background: true } } },
      { link: LINE },
    ], { settings: { congestion: "bbr" } });
    world.run({ untilMs: START_MS });
    const names = share.clients.map(({ connection }) => connection!.statistics.congestion);
    assert.deepEqual(names, ["background", "bbr"]);
  },
);
