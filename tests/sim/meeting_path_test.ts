/**
 * Goal: a transfer survives what routers and lines do in its middle, and tells of it once.
 * Method: as `meeting_test.ts`. Each pair here finds its way with the sockets it has; where many are
 * needed, after a router of the common kind forgot its ports, is tried with real sockets
 * (`tests/e2e/netns_trouble_test.ts`).
 */
import assert from "node:assert/strict";
import {
  assertArrived,
  FULL_CONE,
  MeetingWorld,
  type ReceivingSide,
  type SharingSide,
} from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";

const MIB = 1024 * 1024;
/** About six seconds for what is sent here. */
const LINK = { rateBytesPerSecond: 500_000, queueBytes: 50_000 };

/** How often each side told of a path, and of the loss of one. */
function countPathEvents(sides: readonly (SharingSide | ReceivingSide)[]): number[][] {
  return sides.map(({ log }) => [log.of("path").length, log.of("path-lost").length]);
}

for (const side of ["sharer", "client"] as const) {
  for (const how of ["forgets its mappings", "gets another address"] as const) {
    const name = `a transfer goes on when the ${side}'s NAT ${how}`;
    seededTest(name, 6, async (seed) => {
      const meeting = new MeetingWorld(seed, LINK);
      await meeting.run(async () => {
        const homes = {
          sharer: meeting.home({ ...FULL_CONE, ports: "random" }),
          client: meeting.home({ ...FULL_CONE, ports: "random" }),
        };
        const from = await meeting.send(homes.sharer, { bytes: 3 * MIB });
        const to = meeting.receive(homes.client, from.sharing.code);
        await to.log.first("offer");
        await meeting.sleep(meeting.world.prng.integer(500, 4000));
        assert.equal(to.log.of("done").length, 0);
        if (how === "gets another address") meeting.renumber(homes[side]);
        else homes[side].router.flush();
        await assertArrived(from, to);
        await from.log.ended;
        // Who stayed sees the other at another address; who moved does not know it.
        const [stayed, moved] = side === "sharer" ? [to, from] : [from, to];
        assert.deepEqual(countPathEvents([stayed, moved]), [[2, 0], [1, 0]]);
        const [before, after] = stayed.log.of("path");
        assert.notEqual(after!.address, before!.address);
        assert.ok(after!.address.startsWith(`${homes[side].router.externalHost}:`));
      });
    });
  }
}

seededTest("a transfer outlasts a line that is dead for five seconds", 8, async (seed) => {
  const meeting = new MeetingWorld(seed, LINK);
  await meeting.run(async () => {
    const from = await meeting.send(meeting.home(), { bytes: 3 * MIB });
    const to = meeting.receive(meeting.home(), from.sharing.code);
    from.sharing.addReply((await to.log.first("reply-code")).event.code);
    await to.log.first("offer");
    await meeting.sleep(meeting.world.prng.integer(500, 4000));
    const { model } = meeting.internet.core.link;
    model.up = false;
    await meeting.sleep(5000);
    assert.equal(to.log.of("done").length, 0);
    model.up = true;
    const upMs = meeting.world.nowMs;
    await assertArrived(from, to);
    await from.log.ended;
    assert.deepEqual(countPathEvents([from, to]), [[2, 1], [2, 1]]);
    for (const { log } of [from, to]) {
      assert.equal(Math.round(log.of("path-lost")[0]!.silentMs), 3000);
      const [first, second] = log.told.filter(({ event }) => event.event === "path");
      assert.ok(first!.atMs < log.timeOf("path-lost")! && log.timeOf("path-lost")! < second!.atMs);
      assert.ok(second!.atMs - upMs < 2000, `${second!.atMs - upMs} ms`);
    }
  });
});
