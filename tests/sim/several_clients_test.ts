/**
 * Goal: what happens to machines and home networks in the middle of several transfers at once ends
 * none of them: each comes back by itself and says so, and those it does not concern notice nothing.
 * Method: share() and receive() as a user calls them, in virtual time, with four clients whose lines
 * differ; the trouble comes at a moment of the seed's.
 */
import assert from "node:assert/strict";
import type { ToldEvent } from "../support/event_log.ts";
import {
  assertArrived as assertArrivedBehindNat,
  MeetingWorld,
  type ReceivingSide,
  type SharingSide,
} from "../support/meeting_world.ts";
import {
  assertArrived,
  type Client,
  ReconnectScene,
  type Sharer,
} from "../support/reconnect_scene.ts";
import { seededTest } from "../support/seeded_test.ts";

const MIB = 1024 * 1024;
const CLIENTS = 4;

/** What tells a person that a client is back after a silence. */
const BACK = new Set(["path", "connected"]);

/** Several clients of one share, each in the middle of the large file. */
interface Several {
  readonly scene: ReconnectScene;
  readonly from: Sharer;
  readonly all: readonly Client[];
}

/** Runs transfers to several clients in which something happens, to their good end. */
function trouble(
  name: string,
  options: { readonly clockSleeps?: boolean },
  happen: (several: Several) => void | Promise<void>,
): void {
  seededTest(`several transfers go on ${name}`, 2, async (seed) => {
    const scene = new ReconnectScene(seed, options);
    await scene.run(async () => {
      const asked: number[] = [];
      const from = await scene.share({
        admit: ({ session }) => Promise.resolve(asked.push(session) > 0),
      });
      const all = Array.from({ length: CLIENTS }, () => scene.receive(from.sharing.code));
      await Promise.all(
        all.map((client) => scene.reached(client, scene.world.prng.integer(1, 3) * MIB)),
      );
      await happen({ scene, from, all });
      for (const client of all) await assertArrived(from, client);
      // Nobody is asked about a client again because its line was.
      assert.equal(asked.length, CLIENTS);
      await from.sharing.close();
      assert.equal(from.storage.openFiles, 0);
    });
  });
}

/** The events of an operation from a moment on. */
function since(told: readonly ToldEvent[], ms: number): readonly ToldEvent[] {
  return told.filter(({ atMs }) => atMs >= ms);
}

/** Asserts that a client was lost after a moment, and says in time that it is back. */
async function assertBack({ scene, all }: Several, fromMs: number, limitMs: number): Promise<void> {
  const backs = await Promise.all(all.map(async ({ log }) => {
    const isLate = (told: ToldEvent): boolean => told.atMs >= fromMs && BACK.has(told.event.event);
    while (!log.told.some(isLate)) await scene.sleep(50);
    return log.told.find(isLate)!.atMs - fromMs;
  }));
  assert.ok(Math.max(...backs) < limitMs, `back after ${backs.map(Math.round)} ms`);
}

for (const clockSleeps of [false, true]) {
  const clock = clockSleeps ? "stood still" : "ran on";
  for (const seconds of [5, 40, 300]) {
    trouble(
      `after the sharer slept for ${seconds} s, and its clock ${clock}`,
      { clockSleeps },
      async (several) => {
        const { scene, from } = several;
        const wakesMs = scene.world.nowMs + seconds * 1000;
        from.process.sleep(wakesMs);
        await assertBack(several, wakesMs, 3000);
      },
    );
  }
}

trouble("when the sharer gets another address", {}, async (several) => {
  const { scene, from } = several;
  const movedMs = scene.world.nowMs;
  scene.rebind(from, { host: "10.0.9.9", port: 4000 });
  await assertBack(several, movedMs, 3000);
  for (const { log } of several.all) {
    assert.ok(log.of("path").at(-1)!.address.startsWith("10.0.9.9:"));
    assert.deepEqual(log.of("reconnecting"), []);
  }
});

trouble("when a router gives the sharer another port", {}, async (several) => {
  const { scene, from } = several;
  const movedMs = scene.world.nowMs;
  scene.rebind(from, { host: from.socket.localAddress.host, port: 4444 });
  await assertBack(several, movedMs, 3000);
});

trouble("when one client gets another address, and the others notice nothing", {}, async ({
  scene,
  from,
  all,
}) => {
  const movedMs = scene.world.nowMs;
  const [moved, ...others] = all;
  scene.rebind(moved!, { host: "10.0.8.8", port: 5555 });
  const { event } = await from.log.first("path", ({ address }) => address === "10.0.8.8:5555");
  await Promise.all(others.map(({ log }) => log.ended));
  for (const { log } of others) {
    const names = new Set(since(log.told, movedMs).map(({ event }) => event.event));
    assert.deepEqual(names, new Set(["progress", "file-done", "done"]));
  }
  // Nor does the sharer tell anything of them but how far they are.
  const told = since(from.log.told, movedMs).filter(({ event: other }) =>
    "session" in other && other.session !== event.session
  );
  const names = new Set(told.map(({ event }) => event.event));
  assert.deepEqual(names.difference(new Set(["progress", "file-done", "done"])), new Set());
});

trouble("when all clients get other addresses at once", {}, async ({ scene, from, all }) => {
  const movedMs = scene.world.nowMs;
  all.forEach((client, index) => scene.rebind(client, { host: `10.0.7.${index + 1}`, port: 6000 }));
  await Promise.all(
    all.map((_, index) =>
      from.log.first("path", ({ address }) => address.startsWith(`10.0.7.${index + 1}:`))
    ),
  );
  assert.ok(scene.world.nowMs - movedMs < 3000, `${scene.world.nowMs - movedMs} ms`);
});

trouble(
  "when one client sleeps, one is cut off and one moves",
  {},
  async ({ scene, from, all }) => {
    const [asleep, cut, moved, last] = all;
    const nowMs = scene.world.nowMs;
    asleep!.process.sleep(nowMs + 100_000);
    scene.setLine(cut!, false);
    scene.rebind(moved!, { host: "10.0.6.6", port: 7000 });
    await Promise.all([assertArrived(from, moved!), assertArrived(from, last!)]);
    assert.ok(scene.world.nowMs - nowMs < 30_000, "nobody waits for those who are gone");
    await cut!.log.first("reconnecting");
    scene.setLine(cut!, true);
  },
);

/** Homes with a share in the first and a client in each of the others. */
async function homesOf(meeting: MeetingWorld) {
  const home = meeting.home();
  const from = await meeting.share(home, { bytes: 3 * MIB });
  const all: { home: typeof home; to: ReceivingSide }[] = [];
  for (let index = 0; index < CLIENTS; index++) {
    const clientHome = meeting.home();
    const to = meeting.receive(clientHome, from.sharing.code);
    const { event } = await to.log.first("reply-code");
    from.sharing.addReply(event.code);
    all.push({ home: clientHome, to });
  }
  for (const { to } of all) {
    await to.log.first("progress", ({ bytesDone }) => bytesDone > MIB / 4);
  }
  return { home, from, all };
}

async function assertAllArrived(
  from: SharingSide,
  all: readonly { readonly to: ReceivingSide }[],
): Promise<void> {
  for (const { to } of all) await assertArrivedBehindNat(from, to);
  await from.sharing.close();
}

for (const who of ["the sharer", "all clients", "everybody"]) {
  seededTest(`several transfers go on when the routers of ${who} restart`, 4, async (seed) => {
    const link = { rateBytesPerSecond: 1_000_000, queueBytes: 100_000 };
    const meeting = new MeetingWorld(seed, link);
    await meeting.run(async () => {
      const { home, from, all } = await homesOf(meeting);
      if (who !== "all clients") home.router.flush();
      if (who !== "the sharer") { for (const client of all) client.home.router.flush(); }
      await assertAllArrived(from, all);
      for (const { to } of all) assert.deepEqual(to.log.of("path-lost"), []);
    });
  });
}
