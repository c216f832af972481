/**
 * Goal: a share shows itself to nobody but those whose reply code was pasted, when it is private, and
 * asks about nobody whose code was.
 * Method: as `meeting_test.ts`.
 */
import assert from "node:assert/strict";
import type { ClientRequest } from "../../lib/options.ts";
import {
  assertArrived,
  FORGETFUL_NAT,
  MeetingWorld,
  type ReceivingSide,
} from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";

/** Whoever was not let in knows no name, no size and no count of what is shared. */
function assertToldNothing({ log, storage }: ReceivingSide): void {
  for (const event of ["offer", "progress", "file-done", "done"] as const) {
    assert.deepEqual(log.of(event), []);
  }
  assert.deepEqual(storage.paths("/"), []);
}

seededTest("a private share lets a client in once its code is pasted", 10, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const asked: ClientRequest[] = [];
    const from = await meeting.send("public", {
      private: true,
      admit: (client) => {
        asked.push(client);
        return Promise.resolve(true);
      },
    });
    const isNear = seed % 2 === 0;
    const to = meeting.receive(isNear ? "public" : meeting.home(), from.sharing.code);
    const stranger = meeting.receive(meeting.home(), from.sharing.code);
    const { event: waiting, atMs: waitingMs } = await to.log.first("waiting");
    assert.equal(waiting.reason, "reply");
    const { event: reply, atMs: replyMs } = await to.log.first("reply-code");
    // A STUN server answers within a round trip.
    assert.ok(replyMs - waitingMs < 100, `${replyMs - waitingMs} ms`);
    await stranger.log.first("reply-code");
    await meeting.sleep(meeting.world.prng.integer(0, 60_000));
    assertToldNothing(to);
    const pastedMs = meeting.world.nowMs;
    from.sharing.addReply(reply.code);
    const { atMs } = await to.log.first("offer");
    assert.ok(atMs - pastedMs < 200, `${atMs - pastedMs} ms`);
    await assertArrived(from, to);
    assert.deepEqual(asked, []);
    assertToldNothing(stranger);
    const last = await stranger.log.ended;
    assert.ok(last.event === "error" && last.code === "share_closed", JSON.stringify(last));
    assertToldNothing(stranger);
  });
});

seededTest("a private share lets a client in whose address has changed since", 8, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.send("public", { private: true });
    const home = meeting.home(FORGETFUL_NAT);
    const to = meeting.receive(home, from.sharing.code);
    const { event: reply } = await to.log.first("reply-code");
    await meeting.sleep(meeting.world.prng.integer(0, 60_000));
    meeting.renumber(home);
    await meeting.sleep(meeting.world.prng.integer(0, 60_000));
    from.sharing.addReply(reply.code);
    await assertArrived(from, to);
    assert.equal(to.log.of("reply-code").length, 1);
    assert.equal(from.log.of("path").length, 2);
    assert.equal(to.log.of("path").length, 1);
  });
});

seededTest("a private share lets a client in that was found by its code", 6, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.send(meeting.home(), { private: true });
    const to = meeting.receive(meeting.home(), from.sharing.code);
    from.sharing.addReply((await to.log.first("reply-code")).event.code);
    await assertArrived(from, to);
    assert.equal(to.log.of("waiting").length, 0);
    assert.equal(to.log.of("reply-code").length, 1);
  });
});

Deno.test("a private share without any paste lets nobody in until it ends", async () => {
  const meeting = new MeetingWorld(1);
  await meeting.run(async () => {
    const from = await meeting.send("public", { private: true });
    const to = meeting.receive(meeting.home(), from.sharing.code);
    await to.log.first("reply-code");
    await meeting.sleep(300_000);
    await from.sharing.close();
    const last = await to.log.ended;
    assert.ok(last.event === "error" && last.code === "share_closed", JSON.stringify(last));
    assertToldNothing(to);
  });
});

seededTest("admit is asked about clients that were not invited, and no others", 8, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const asked: ClientRequest[] = [];
    const from = await meeting.share("public", {
      readLimit: 2,
      admit: (client) => {
        asked.push(client);
        return Promise.resolve(asked.length === 2);
      },
    });
    const refused = meeting.receive(meeting.home(), from.sharing.code);
    const refusal = await refused.log.ended;
    assert.ok(refusal.event === "error" && refusal.code === "refused", JSON.stringify(refusal));
    assertToldNothing(refused);
    const admitted = meeting.receive(meeting.home(), from.sharing.code);
    await assertArrived(from, admitted);
    assert.equal(asked.length, 2);
    const third = meeting.receive("public", from.sharing.code);
    const last = await third.log.ended;
    assert.ok(last.event === "error" && last.code === "refused", JSON.stringify(last));
    assert.deepEqual(asked.map(({ session }) => session), [1, 2, 3]);
    assertToldNothing(third);
    await from.sharing.close();
  });
});

seededTest("admit is not asked about a client whose code was pasted", 8, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.send(meeting.home(), {
      admit: () => Promise.reject(new Error("asked about an invited client")),
    });
    const to = meeting.receive(meeting.home(), from.sharing.code);
    from.sharing.addReply((await to.log.first("reply-code")).event.code);
    await assertArrived(from, to);
  });
});

seededTest("a client that leaves before its code is pasted ends nothing", 6, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const asked: ClientRequest[] = [];
    const from = await meeting.send("public", {
      private: true,
      admit: (client) => {
        asked.push(client);
        return Promise.resolve(true);
      },
    });
    const gone = meeting.receive(meeting.home(), from.sharing.code);
    await gone.log.first("waiting");
    await gone.receiving.close();
    await meeting.sleep(5000);
    assert.deepEqual(from.log.of("admission"), []);
    assert.deepEqual(asked, []);
    assertToldNothing(gone);
    const to = meeting.receive(meeting.home(), from.sharing.code);
    from.sharing.addReply((await to.log.first("reply-code")).event.code);
    await assertArrived(from, to);
  });
});

seededTest(
  "a client that leaves while the person is asked about it ends nothing",
  6,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const answer = Promise.withResolvers<boolean>();
      let asked = 0;
      const from = await meeting.send("public", {
        admit: () => ++asked === 1 ? answer.promise : Promise.resolve(true),
      });
      const gone = meeting.receive(meeting.home(), from.sharing.code);
      await gone.log.first("waiting");
      await gone.receiving.close();
      await meeting.sleep(2000);
      answer.resolve(true);
      await meeting.sleep(2000);
      assert.deepEqual(from.log.of("admission"), []);
      assertToldNothing(gone);
      const to = meeting.receive(meeting.home(), from.sharing.code);
      await assertArrived(from, to);
      assert.equal(asked, 2);
    });
  },
);

seededTest("a second client is told to wait and is not turned away", 6, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const answer = Promise.withResolvers<boolean>();
    const from = await meeting.send("public", { admit: () => answer.promise });
    const first = meeting.receive(meeting.home(), from.sharing.code);
    await first.log.first("waiting");
    const second = meeting.receive(meeting.home(), from.sharing.code);
    await second.log.first("waiting");
    await meeting.sleep(1000);
    assert.deepEqual(from.log.of("warning").map(({ code, session }) => [code, session]), [
      ["waits_for_place", 2],
    ]);
    answer.resolve(true);
    await assertArrived(from, first);
    assert.deepEqual(from.log.of("admission").map(({ session }) => session), [1]);
    assertToldNothing(second);
  });
});
