/**
 * Goal: two machines behind routers find each other again after minutes without a word, mostly by
 * themselves; where a person has to carry a code once more, that gives no addresses away, and the
 * client is still the one that was let in.
 * Method: as `meeting_test.ts`.
 */
import assert from "node:assert/strict";
import type { ClientRequest } from "../../lib/options.ts";
import {
  assertArrived,
  HARD_NAT,
  MeetingWorld,
  type ReceivingSide,
  type SharingSide,
} from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";

const MIB = 1024 * 1024;
/** About six seconds for what is sent here. */
const LINK = { rateBytesPerSecond: 500_000, queueBytes: 50_000 };

/** Meets by a reply code, and has the line of all the world cut in the middle, for a while. */
async function meetAndLose(
  meeting: MeetingWorld,
  homes: {
    readonly sharer: ReturnType<MeetingWorld["home"]>;
    readonly client: typeof homes.sharer;
  },
  { cutMs, whileCut = () => {} }: { readonly cutMs: number; readonly whileCut?: () => void },
): Promise<{ readonly from: SharingSide; readonly to: ReceivingSide; asked: ClientRequest[] }> {
  const asked: ClientRequest[] = [];
  const from = await meeting.send(homes.sharer, {
    bytes: 3 * MIB,
    admit: (client) => {
      asked.push(client);
      return Promise.resolve(true);
    },
  });
  const to = meeting.receive(homes.client, from.sharing.code);
  from.sharing.addReply((await to.log.first("reply-code")).event.code);
  await to.log.first("offer");
  await meeting.sleep(meeting.world.prng.integer(500, 4000));
  const { model } = meeting.internet.core.link;
  model.up = false;
  await meeting.sleep(cutMs);
  whileCut();
  model.up = true;
  return { from, to, asked };
}

seededTest("two homes meet again by themselves after eight minutes [AGAIN-3]", 6, async (seed) => {
  const meeting = new MeetingWorld(seed, LINK);
  await meeting.run(async () => {
    const homes = { sharer: meeting.home(), client: meeting.home() };
    const { from, to, asked } = await meetAndLose(meeting, homes, { cutMs: 480_000 });
    const upMs = meeting.world.nowMs;
    const { atMs } = await to.log.first("connected", ({ resumes }) => resumes !== undefined);
    assert.ok(atMs - upMs < 1500, `${atMs - upMs} ms`);
    await assertArrived(from, to);
    assert.deepEqual(asked, []);
    // One code: it is shown again only while it says the same.
    assert.equal(new Set(to.log.of("reply-code").map(({ code }) => code)).size, 1);
  });
});

seededTest(
  "a client that has moved shows another code, and is known by its key",
  6,
  async (seed) => {
    const meeting = new MeetingWorld(seed, LINK);
    await meeting.run(async () => {
      const homes = { sharer: meeting.home(), client: meeting.home() };
      const { from, to, asked } = await meetAndLose(meeting, homes, {
        cutMs: 120_000,
        whileCut: () => meeting.renumber(homes.client),
      });
      const first = to.log.of("reply-code")[0]!;
      const { event: second } = await to.log.first("reply-code", ({ changed }) => changed === true);
      assert.notDeepEqual(second.addresses, first.addresses);
      // Bytes 1 to 10 are r: a mask is used for one list of addresses.
      assert.notEqual(second.code.slice(7, 20), first.code.slice(7, 20));
      from.sharing.addReply(second.code);
      await assertArrived(from, to);
      assert.deepEqual(asked, []);
      assert.deepEqual(from.log.of("connected").map(({ resumes }) => resumes), [undefined, 1]);
      assert.equal(from.log.of("path").at(-1)!.method, "punched");
      assert.equal((await from.log.ended).event, "done");
    });
  },
);

seededTest(
  "a client that was not let in before is asked about, whoever was lost",
  4,
  async (seed) => {
    const meeting = new MeetingWorld(seed, LINK);
    await meeting.run(async () => {
      const asked: ClientRequest[] = [];
      const from = await meeting.send("public", {
        bytes: 3 * MIB,
        admit: (client) => Promise.resolve(asked.push(client) === 1),
      });
      const to = meeting.receive(meeting.home(HARD_NAT), from.sharing.code);
      await to.log.first("offer");
      await meeting.sleep(1000);
      const { model } = meeting.internet.core.link;
      model.up = false;
      await meeting.sleep(60_000);
      await to.receiving.close();
      model.up = true;
      const other = meeting.receive(meeting.home(), from.sharing.code);
      const last = await other.log.ended;
      assert.ok(last.event === "error" && last.code === "refused", JSON.stringify(last));
      assert.deepEqual(asked.map(({ session }) => session), [1, 2]);
      await from.sharing.close();
    });
  },
);

seededTest("a private share knows a client again without another paste", 4, async (seed) => {
  const meeting = new MeetingWorld(seed, LINK);
  await meeting.run(async () => {
    const from = await meeting.send("public", { bytes: 3 * MIB, private: true });
    const to = meeting.receive(meeting.home(), from.sharing.code);
    const { event: reply } = await to.log.first("reply-code");
    from.sharing.addReply(reply.code);
    await to.log.first("offer");
    await meeting.sleep(1000);
    const { model } = meeting.internet.core.link;
    model.up = false;
    await meeting.sleep(100_000);
    model.up = true;
    await assertArrived(from, to);
    assert.equal(to.log.of("waiting").length, 1);
    assert.deepEqual(from.log.of("connected").map(({ resumes }) => resumes), [undefined, 1]);
  });
});
