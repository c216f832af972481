/**
 * Goal: a transfer whose session was lost goes on by itself in the same run, whatever cut it off,
 * without a question, with hardly anything sent twice, and in favour of nobody else.
 * Method: share() and receive() as a user calls them, in virtual time; lines are cut, machines sleep
 * and routers forget at a moment of the seed's.
 */
import assert from "node:assert/strict";
import type { ClientRequest, OfferDecision } from "../../lib/options.ts";
import { assertArrived, movedBytes, ReconnectScene, SOURCE } from "../support/reconnect_scene.ts";
import type { Client, Sharer } from "../support/reconnect_scene.ts";
import { seededTest } from "../support/seeded_test.ts";

const MIB = 1024 * 1024;
const TIMEOUT_MS = 600_000;

/** Persons who are asked, and how often. */
function people() {
  const asked: ClientRequest[] = [];
  let offers = 0;
  return {
    asked,
    get offers(): number {
      return offers;
    },
    admit: (client: ClientRequest) => {
      asked.push(client);
      return Promise.resolve(true);
    },
    decide: (): Promise<OfferDecision> => {
      offers++;
      return Promise.resolve({ accept: true });
    },
  };
}

/** Runs a transfer in which something happens in the middle of the large file. */
function trouble(
  name: string,
  runs: number,
  options: { readonly clockSleeps?: boolean },
  happen: (scene: ReconnectScene, from: Sharer, to: Client) => void | Promise<void>,
): void {
  seededTest(`a transfer goes on by itself ${name}`, runs, async (seed) => {
    const scene = new ReconnectScene(seed, options);
    await scene.run(async () => {
      const persons = people();
      const from = await scene.send({ admit: persons.admit });
      const to = scene.receive(from.sharing.code, { decide: persons.decide });
      await scene.reached(to, scene.world.prng.integer(2, 6) * MIB);
      await happen(scene, from, to);
      await assertArrived(from, to);
      assert.equal((await from.log.ended).event, "done");
      assertOneConversation(to);
      assert.equal(persons.asked.length, 1);
      assert.equal(persons.offers, 1);
      const total = to.log.of("progress").at(-1)!.bytesTotal;
      assert.ok(movedBytes(to) < total + 3 * MIB, `${movedBytes(to)} of ${total}`);
      // All that the run came to, not only its last session.
      const done = to.log.of("done")[0]!;
      assert.equal(done.bytes, total);
      assert.equal(done.items, 22);
    });
  });
}

/** One session was lost, and another went on with it; nothing was said twice. */
function assertOneConversation({ log }: Client): void {
  assert.equal(log.of("reconnecting").length, 1);
  assert.deepEqual(log.of("connected").map(({ resumes }) => resumes), [undefined, 1]);
  assert.equal(log.of("offer").length, 1);
  const paths = log.of("file-done").map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  const { bytesDone, bytesTotal } = log.of("reconnecting")[0]!;
  assert.ok(bytesDone > MIB && bytesDone < bytesTotal);
  // The bar goes back by no more than what was not complete.
  const after = log.told.findIndex(({ event }) => event.event === "reconnecting");
  for (const { event } of log.told.slice(after)) {
    if (event.event === "progress") assert.equal(event.bytesTotal, bytesTotal);
  }
}

for (const seconds of [40, 300]) {
  trouble(`when its line is dead for ${seconds} s`, 6, {}, async (scene, from, to) => {
    scene.setLine(to, false);
    await scene.sleep(seconds * 1000);
    scene.setLine(to, true);
    const upMs = scene.world.nowMs;
    const isAgain = ({ resumes }: { readonly resumes?: number }) => resumes !== undefined;
    const { atMs } = await to.log.first("connected", isAgain);
    assert.ok(atMs - upMs < 1500, `${atMs - upMs} ms`);
    const { event } = await from.log.first("connected", isAgain);
    assert.equal(event.resumes, 1);
    // The sharer noticed, and says what will become of it.
    const lost = from.log.of("error")[0]!;
    assert.deepEqual([lost.code, lost.session, lost.fatal], ["path_lost", 1, false]);
    assert.match(lost.hint, /comes again by itself/);
  });
}

for (const clockSleeps of [false, true]) {
  const clock = clockSleeps ? "stood still" : "ran on";
  // A share to which nobody comes for ten minutes ends.
  for (const minutes of [2, 9]) {
    trouble(
      `after the sharer slept for ${minutes} min, and its clock ${clock}`,
      3,
      { clockSleeps },
      async (scene, { process }, to) => {
        process.sleep(scene.world.nowMs + minutes * 60_000);
        await to.log.first("reconnecting");
      },
    );
    trouble(
      `after the client slept for ${minutes} min, and its clock ${clock}`,
      3,
      { clockSleeps },
      (scene, _, { process }) => process.sleep(scene.world.nowMs + minutes * 60_000),
    );
  }
}

trouble("when its router gives the client another port in its sleep", 4, {}, (scene, _, to) => {
  to.process.sleep(scene.world.nowMs + 120_000);
  scene.world.schedule(scene.world.nowMs + 60_000, () => {
    scene.rebind(to, { host: to.socket.localAddress.host, port: 6001 });
  });
});

trouble(
  "when the sharer slept through it and takes the old session for alive",
  4,
  { clockSleeps: true },
  async (scene, from, to) => {
    const wakesMs = scene.world.nowMs + 100_000;
    from.process.sleep(wakesMs);
    const { atMs } = await to.log.first("connected", ({ resumes }) => resumes === 1);
    assert.ok(atMs - wakesMs < 1500, `${atMs - wakesMs} ms`);
    const second = await from.log.first("connected", ({ resumes }) => resumes === 1);
    assert.equal(second.event.session, 2);
    // The old session ends without a word: the other tells that it goes on with it.
    assert.deepEqual(from.log.of("error"), []);
  },
);

seededTest("a transfer whose line stays dead ends, and what is here is kept", 4, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const from = await scene.send();
    const to = scene.receive(from.sharing.code);
    await scene.reached(to, 3 * MIB);
    scene.setLine(to, false);
    const [{ atMs: lostMs }, last] = [await to.log.first("reconnecting"), await to.log.ended];
    assert.ok(last.event === "error" && last.code === "path_lost" && last.exit === 22);
    assert.match(last.hint, /new code/);
    assert.equal(Math.round(to.log.told.at(-1)!.atMs - lostMs), TIMEOUT_MS);
    assert.ok(to.storage.paths("/home/in").some((path) => path.endsWith(".journal")));
    const end = await from.log.ended;
    assert.ok(end.event === "error" && end.code === "timed_out" && end.fatal);
    assert.equal(to.storage.openFiles + from.storage.openFiles, 0);
  });
});

seededTest("a share that was started again is said to need its new code", 3, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const from = await scene.send();
    const to = scene.receive(from.sharing.code, { timeoutMs: 60_000 });
    await scene.reached(to, 3 * MIB);
    from.process.kill();
    const last = await to.log.ended;
    assert.ok(last.event === "error" && last.code === "path_lost" && last.exit === 22);
    assert.match(last.hint, /new code if it was started again: what has arrived is kept/);
  });
});

seededTest(
  "words are compared once, and count for the session after [AGAIN-2]",
  3,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const persons = people();
      let confirmed = 0;
      const from = await scene.send({ verify: true, admit: persons.admit });
      const to = scene.receive(from.sharing.code, {
        verify: true,
        confirmWords: () => {
          confirmed++;
          return Promise.resolve(true);
        },
      });
      await scene.reached(to, 2 * MIB);
      scene.setLine(to, false);
      await scene.sleep(60_000);
      scene.setLine(to, true);
      await assertArrived(from, to);
      assert.deepEqual([confirmed, persons.asked.length], [1, 1]);
      assert.deepEqual([to.log.of("words").length, from.log.of("words").length], [1, 1]);
    });
  },
);

seededTest("a person who chose for each file is not asked again", 3, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const choices: string[] = [];
    const from = await scene.send();
    const to = scene.receive(from.sharing.code, {
      overwrite: ({ path }) => {
        choices.push(path);
        return "never";
      },
    });
    to.storage.addFile("/home/in/share/small 3", new Uint8Array(7));
    await scene.reached(to, 2 * MIB);
    scene.setLine(to, false);
    await scene.sleep(60_000);
    scene.setLine(to, true);
    const last = await to.log.ended;
    assert.ok(last.event === "done" && last.exit === 13, JSON.stringify(last));
    assert.deepEqual(choices, ["share/small 3"]);
    assert.equal(to.log.of("warning").filter(({ code }) => code === "kept").length, 1);
  });
});

seededTest("one of two clients is lost and comes again, the other goes on", 4, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const persons = people();
    const from = await scene.share({ readLimit: 2, admit: persons.admit });
    const lost = scene.receive(from.sharing.code);
    const other = scene.receive(from.sharing.code);
    await scene.reached(lost, 2 * MIB);
    scene.setLine(lost, false);
    await scene.sleep(90_000);
    assert.equal(from.log.of("done").length, 1);
    scene.setLine(lost, true);
    await assertArrived(from, other);
    await assertArrived(from, lost);
    assert.equal(persons.asked.length, 2);
    assertOneConversation(lost);
    assert.deepEqual(other.log.of("reconnecting"), []);
    const closed = await from.log.ended;
    assert.ok(closed.event === "closed" && closed.clients === 2, JSON.stringify(closed));
    assert.deepEqual(from.log.of("connected").map(({ resumes }) => resumes), [
      undefined,
      undefined,
      from.log.of("error")[0]!.session,
    ]);
  });
});

seededTest("who starts again after a kill gets the place of the dead session", 4, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const from = await scene.send();
    const killed = scene.receive(from.sharing.code);
    await scene.reached(killed, 2 * MIB);
    killed.process.kill();
    const killedMs = scene.world.nowMs;
    const to = scene.receive(from.sharing.code);
    const { atMs } = await to.log.first("offer");
    assert.ok(atMs - killedMs < 6000, `${atMs - killedMs} ms`);
    await assertArrived(from, to);
    assert.equal((await from.log.ended).event, "done");
  });
});

seededTest("nobody else gets the place of a client that comes again [AGAIN-1]", 4, async (seed) => {
  const scene = new ReconnectScene(seed, { clockSleeps: true });
  await scene.run(async () => {
    const persons = people();
    const from = await scene.send({ admit: persons.admit });
    const to = scene.receive(from.sharing.code);
    await scene.reached(to, 2 * MIB);
    // While the sharer sleeps both try to come; it holds the old session for alive when it wakes.
    from.process.sleep(scene.world.nowMs + 100_000);
    await to.log.first("reconnecting");
    const thief = scene.receive(from.sharing.code);
    await assertArrived(from, to);
    const last = await thief.log.ended;
    assert.ok(last.event === "error" && last.code === "share_closed", JSON.stringify(last));
    assert.deepEqual(thief.log.of("offer"), []);
    assert.deepEqual(persons.asked.map(({ session }) => session), [1]);
    const resumed = from.log.of("connected").filter(({ resumes }) => resumes !== undefined);
    assert.equal(resumed.length, 1);
    assert.ok(resumed[0]!.address.startsWith(to.socket.localAddress.host));
    assert.equal(from.storage.paths(SOURCE).length, 21);
  });
});

seededTest(
  "a stream cannot be gone on with: both sides end when its line is dead",
  3,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const chunk = scene.world.prng.bytes(65_536);
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(chunk.slice()),
      });
      const from = await scene.send({}, { stream, name: "endless" });
      const to = scene.receive(from.sharing.code);
      await scene.reached(to, MIB);
      scene.setLine(to, false);
      const last = await to.log.ended;
      assert.ok(last.event === "error" && last.code === "path_lost", JSON.stringify(last));
      assert.deepEqual(to.log.of("reconnecting"), []);
      const end = await from.log.ended;
      assert.ok(end.event === "error" && end.fatal, JSON.stringify(end));
      assert.match(end.message, /a stream cannot be resumed/);
    });
  },
);
