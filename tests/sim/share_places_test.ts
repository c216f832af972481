/**
 * Goal: never more clients are in at a time, nor take a share in all, than it allows; who waits for a
 * place or for an answer gets it in turn, and nobody who is evil, slow or gone keeps others from it.
 * Method: whole programs in virtual time; the evil ones do a real handshake, then what the test says.
 */
import assert from "node:assert/strict";
import { MAX_NOT_LET_IN } from "../../lib/sharing/arrival_limit.ts";
import { MAX_OPEN_QUESTIONS_OF_HOST } from "../../lib/sharing/question_turns.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { buildManifest } from "../../lib/transfer/offer/manifest.ts";
import { ShareTree } from "../../lib/transfer/offer/share_tree.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { assertComplete, errorsOf, EVIL_HOST, HostileScene } from "../support/hostile_scene.ts";
import { assertArrived as assertAllArrived, MeetingWorld } from "../support/meeting_world.ts";
import { assertArrived, ReconnectScene, type Sharer } from "../support/reconnect_scene.ts";
import { seededTest } from "../support/seeded_test.ts";

const MIB = 1024 * 1024;

/** How many were in at a time, and how many have taken it or were taking it, at most. */
function mostOf({ log }: Pick<Sharer, "log">): { readonly in: number; readonly reads: number } {
  const inside = new Set<number>();
  const most = { in: 0, reads: 0 };
  let served = 0;
  for (const { event } of log.told) {
    if (event.event === "connected" && event.resumes !== undefined) inside.delete(event.resumes);
    if (event.event === "offer") inside.add(event.session);
    if (event.event === "error" && event.session !== undefined) inside.delete(event.session);
    if (event.event === "done") {
      inside.delete(event.session);
      served++;
    }
    most.in = Math.max(most.in, inside.size);
    most.reads = Math.max(most.reads, inside.size + served);
  }
  return most;
}

seededTest("a read limit holds when a client fails at the last moment", 6, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const from = await scene.share({ readLimit: 2 });
    const code = from.sharing.code;
    const dying = scene.receive(code);
    const quick = scene.receive(code);
    await Promise.all([dying, quick].map(({ log }) => log.first("offer")));
    const waiting = [scene.receive(code), scene.receive(code)];
    await scene.reached(dying, 8 * MIB - 100_000);
    // Killed, it says nothing; or it says so; or its line is dead, and it does not come again in time.
    if (seed % 3 === 0) dying.process.kill();
    else if (seed % 3 === 1) await dying.receiving.close();
    else scene.setLine(dying, false);
    await assertArrived(from, quick);
    await assertArrived(from, waiting[0]!);
    const last = await waiting[1]!.log.ended;
    assert.ok(last.event === "error" && last.code === "share_closed", JSON.stringify(last));
    assert.deepEqual(waiting[1]!.log.of("offer"), []);
    const closed = await from.log.ended;
    assert.ok(closed.event === "closed" && closed.reason === "served", JSON.stringify(closed));
    assert.equal(closed.clients, 2);
    assert.deepEqual(from.log.of("done").length, 2);
    // The place of one that fell silent went to another; it was not in any more when it came back.
    assert.ok(mostOf(from).reads <= (seed % 3 === 1 ? 2 : 3), JSON.stringify(mostOf(from)));
  });
});

seededTest("maxClients are in at a time, and the others follow one by one", 4, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const from = await scene.share({ maxClients: 2 });
    const clients = Array.from({ length: 6 }, () => scene.receive(from.sharing.code));
    // One of those that wait goes; it must not get a place.
    await scene.sleep(2000);
    await clients[3]!.receiving.close();
    for (const client of clients) if (client !== clients[3]) await assertArrived(from, client);
    assert.deepEqual(mostOf(from), { in: 2, reads: 5 });
    const waits = from.log.of("warning").filter(({ code }) => code === "waits_for_place");
    assert.equal(waits.length, 4);
    assert.deepEqual(from.log.of("admission").map(({ by }) => by), new Array(5).fill("code"));
    await from.sharing.close();
  });
});

Deno.test("a client whose place went to another while it was silent does not go on beside it", () => {
  const scene = new ReconnectScene(1);
  return scene.run(async () => {
    const from = await scene.share({ readLimit: 1 });
    const silent = scene.receive(from.sharing.code);
    await scene.reached(silent, 2 * MIB);
    scene.setLine(silent, false);
    await from.log.first("path-lost");
    const next = scene.receive(from.sharing.code);
    await next.log.first("offer");
    scene.setLine(silent, true);
    const last = await silent.log.ended;
    assert.ok(last.event === "error" && last.code === "share_closed", JSON.stringify(last));
    await assertArrived(from, next);
    const closed = await from.log.ended;
    assert.ok(closed.event === "closed" && closed.clients === 1, JSON.stringify(closed));
  });
});

Deno.test("a client that confirms and falls silent has used up its read", () => {
  const scene = new HostileScene(1);
  return scene.run(async () => {
    const sharing = await scene.share(30_000, { readLimit: 1 });
    const { code } = sharing.operation;
    const evil = scene.evilClient(code);
    await evil.ready;
    await scene.sleep(100);
    assert.equal(evil.of("offer").length, 1);
    const waiting = scene.receive(code, { storage: new FakeStorage() });
    await scene.sleep(100);
    // What is confirmed without having asked for anything is right, too.
    const manifest = await buildManifest(scene.source, ["/share"], { onWarning: () => {} });
    const root = new ShareTree(nodeProvider, manifest.entries).root();
    evil.isAcknowledging = false;
    evil.say({ type: "receipt", root, items: 0, bytes: 0, leftOut: manifest.entries.length });
    await Promise.all([sharing.over, waiting.over]);
    const closed = sharing.events.at(-1)!;
    assert.ok(closed.event === "closed" && closed.reason === "served", JSON.stringify(closed));
    assert.equal(closed.clients, 1);
    assert.ok(sharing.events.some(({ event }) => event === "path-lost"));
    assert.deepEqual(waiting.events.filter(({ event }) => event === "offer"), []);
    assert.deepEqual(errorsOf(waiting).map(({ code }) => code), ["share_closed"]);
  });
});

Deno.test("a client that comes again keeps its right to when it is lost while it waits", () => {
  const scene = new ReconnectScene(2);
  return scene.run(async () => {
    const asked: number[] = [];
    const undecided = Promise.withResolvers<{ readonly accept: true }>();
    const from = await scene.share({
      maxClients: 1,
      admit: ({ session }) => Promise.resolve(asked.push(session) > 0),
    });
    const to = scene.receive(from.sharing.code);
    await scene.reached(to, 2 * MIB);
    scene.setLine(to, false);
    await from.log.first("path-lost");
    const other = scene.receive(from.sharing.code, { decide: () => undecided.promise });
    await other.log.first("offer");
    await from.log.first("error", ({ session }) => session === 1);
    scene.setLine(to, true);
    await from.log.first("connected", ({ resumes }) => resumes === 1);
    scene.setLine(to, false);
    await from.log.first("error", ({ session }) => session === 3);
    scene.setLine(to, true);
    await from.log.first("connected", ({ resumes }) => resumes === 3);
    undecided.resolve({ accept: true });
    await assertArrived(from, other);
    await assertArrived(from, to);
    assert.deepEqual(asked, [1, 2]);
    await from.sharing.close();
  });
});

/** What each of the evil clients does once it is connected. */
const DEEDS = [
  "nothing at all",
  "garbage as control bytes",
  "leaves at once",
  "comes and goes",
] as const;

seededTest(
  "evil clients before the door and inside keep nobody from the share",
  4,
  async (seed) => {
    const scene = new HostileScene(seed);
    const deed = DEEDS[seed % DEEDS.length]!;
    await scene.run(async () => {
      const open = new Map<number, string>();
      let mostOfEvil = 0;
      const sharing = await scene.share(300_000, {
        // A person who lets in whom they know, and leaves every question about others open.
        admit: async ({ session, address, signal }) => {
          const isHonest = !address.startsWith(EVIL_HOST);
          if (!isHonest) {
            open.set(session, address);
            mostOfEvil = Math.max(mostOfEvil, open.size);
            signal.addEventListener("abort", () => open.delete(session));
            return await new Promise<boolean>(() => {});
          }
          return true;
        },
      });
      const { code } = sharing.operation;
      for (let count = 0; count < 40; count++) {
        const evil = scene.evilClient(code);
        await evil.ready;
        if (deed === "garbage as control bytes") evil.sayBytes(scene.world.prng.bytes(500));
        if (deed === "leaves at once" || deed === "comes and goes") {
          evil.send(new Uint8Array([0x0c, 13, 0]));
        }
      }
      assert.ok(mostOfEvil <= MAX_OPEN_QUESTIONS_OF_HOST, `${mostOfEvil} questions`);
      const targets = Array.from({ length: 3 }, () => new FakeStorage());
      const startMs = scene.world.nowMs;
      const honest = targets.map((storage, index) =>
        scene.receive(code, { storage, host: `10.0.0.${10 + index}` })
      );
      for (const [index, receiving] of honest.entries()) {
        await receiving.over;
        assertComplete(receiving, scene.source, targets[index]!);
      }
      // As long as it takes at the rate of their lines, and a second for all else.
      assert.ok(scene.world.nowMs - startMs < 1500, `${scene.world.nowMs - startMs} ms`);
      assert.deepEqual(errorsOf(sharing).filter(({ fatal }) => fatal), []);
      await sharing.operation.close();
      const closed = sharing.events.at(-1)!;
      assert.ok(closed.event === "closed" && closed.clients === 3, JSON.stringify(closed));
    });
  },
);

Deno.test("who fills the space before the door has to give way to others", () => {
  const scene = new HostileScene(3);
  return scene.run(async () => {
    const sharing = await scene.share(1000, { private: true });
    const { code } = sharing.operation;
    const crowd = [];
    for (let count = 0; count < 150; count++) {
      const evil = scene.evilClient(code);
      await evil.ready;
      crowd.push(evil);
    }
    await scene.sleep(100);
    assert.equal(sharing.operation.clients.length, 128);
    const honest = scene.receive(code, { storage: new FakeStorage() });
    await scene.sleep(1000);
    assert.equal(sharing.operation.clients.length, 128);
    const hosts = sharing.operation.clients.map(({ address }) => address.split(":")[0]);
    assert.equal(hosts.filter((host) => host === EVIL_HOST).length, 127);
    assert.ok(honest.events.some(({ event }) => event === "waiting"));
    await sharing.operation.close();
    await honest.over;
  });
});

Deno.test("a host of which many are not let in cannot fill the screen with more", () => {
  const scene = new HostileScene(1);
  return scene.run(async () => {
    const isEvil = (address: string) => address.startsWith(`${EVIL_HOST}:`);
    const sharing = await scene.share(1000, {
      admit: ({ address }) => Promise.resolve(!isEvil(address)),
    });
    const { code } = sharing.operation;
    for (let index = 0; index < 3 * MAX_NOT_LET_IN; index++) {
      await scene.evilClient(code).ready;
      await scene.sleep(100);
    }
    const connected = () => sharing.events.filter(({ event }) => event === "connected").length;
    assert.equal(connected(), MAX_NOT_LET_IN);
    const warnings = sharing.events.filter((event) =>
      event.event === "warning" && event.code === "too_many_connections"
    );
    assert.equal(warnings.length, 1);
    const honest = scene.receive(code, { storage: new FakeStorage() });
    await honest.over;
    assert.deepEqual(errorsOf(honest), []);
    // A minute later it is heard again.
    await scene.sleep(60_000);
    await scene.evilClient(code).ready;
    await scene.sleep(100);
    assert.equal(connected(), MAX_NOT_LET_IN + 2);
    await sharing.operation.close();
  });
});

Deno.test("a stream goes on when somebody leaves who was not let in", () => {
  const scene = new ReconnectScene(4);
  return scene.run(async () => {
    const chunks = Array.from({ length: 60 }, () => scene.world.prng.bytes(65_536));
    const whole = chunks.length;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    let asked = 0;
    const from = await scene.send(
      { admit: () => ++asked === 1 ? Promise.resolve(true) : new Promise<boolean>(() => {}) },
      { stream, name: "stream" },
    );
    const to = scene.receive(from.sharing.code);
    await scene.reached(to, MIB);
    const stranger = scene.receive(from.sharing.code);
    await stranger.log.first("waiting");
    await stranger.receiving.close();
    await from.log.first("error", ({ session }) => session === 2);
    const last = await to.log.ended;
    assert.ok(last.event === "done" && last.bytes === whole * 65_536, JSON.stringify(last));
    assert.equal((await from.log.ended).event, "done");
  });
});

seededTest("twenty reply codes in one paste are all looked for, in turn", 2, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.share(meeting.home(), { bytes: 1000 });
    const clients = Array.from(
      { length: 20 },
      () => meeting.receive(meeting.home(), from.sharing.code),
    );
    const replies = await Promise.all(clients.map(({ log }) => log.first("reply-code")));
    // Those of the first nine are dead by now.
    for (const { receiving } of clients.slice(0, 9)) await receiving.close();
    const pastedMs = meeting.world.nowMs;
    for (const { event } of replies) from.sharing.addReply(event.code);
    for (const client of clients.slice(9)) await assertAllArrived(from, client);
    const tookMs = meeting.world.nowMs - pastedMs;
    assert.ok(tookMs < 75_000, `${tookMs} ms`);
    assert.equal(from.log.of("reply").length, 20);
    const byReply = from.log.of("admission").filter(({ by }) => by === "reply");
    assert.equal(byReply.length, 11);
    await meeting.sleep(60_000);
    const notFound = from.log.of("warning").filter(({ code }) => code === "client_not_found");
    assert.equal(notFound.length, 9);
    await from.sharing.close();
  });
});
