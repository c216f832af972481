/**
 * Goal: what is expected of a pair is no promise where nothing is known, and both sides call one path
 * by one name.
 * Method: share() and receive() as a user calls them, in virtual time, behind simulated NATs.
 */
import assert from "node:assert/strict";
import type { TransferEvent } from "../../lib/events.ts";
import { assertArrived, FULL_CONE, HARD_NAT, MeetingWorld } from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";

/** Codes of the warnings that were told. */
function warnings(events: readonly (TransferEvent & { event: "warning" })[]): string[] {
  return events.map(({ code }) => code);
}

seededTest(
  "share and receive promise nothing where codes lead nowhere outside",
  4,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    const [isSharerHidden, isClientHidden] = [seed % 2 === 0, seed % 4 !== 0];
    const none = { stunServers: [] };
    await meeting.run(async () => {
      const from = await meeting.send(meeting.home(), isSharerHidden ? none : {});
      const to = meeting.receive(meeting.home(), from.sharing.code, isClientHidden ? none : {});
      const { event: reply } = await to.log.first("reply-code");
      assert.equal(reply.expected, "unknown");
      from.sharing.addReply(reply.code);
      assert.equal((await from.log.first("reply")).event.expected, "unknown");
      await meeting.sleep(1000);
      for (const { log } of [from, to]) {
        assert.deepEqual(warnings(log.of("warning")), ["own_network_only"]);
      }
      await to.receiving.close();
      await from.sharing.close();
    });
  },
);

seededTest("share and receive call a port that was forwarded by one name", 4, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const home = meeting.home(FULL_CONE);
    const from = await meeting.send(home, {
      extraAddresses: [`${home.router.externalHost}:4000`],
    });
    const to = meeting.receive(meeting.home(HARD_NAT), from.sharing.code);
    for (const { log } of [from, to]) {
      assert.equal((await log.first("path")).event.method, "mapped");
    }
    assert.equal(to.log.of("reply-code").length, 0);
    await assertArrived(from, to);
  });
});

seededTest("share and receive agree on the name of a path they were to punch", 4, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const home = meeting.home();
    // Not forwarded at all: a person is taken at their word, on both sides.
    const from = await meeting.send(home, { extraAddresses: [`${home.router.externalHost}:9`] });
    const to = meeting.receive(meeting.home(), from.sharing.code);
    const { event: reply } = await to.log.first("reply-code");
    assert.equal(reply.expected, "mapped");
    from.sharing.addReply(reply.code);
    for (const { log } of [from, to]) {
      assert.equal((await log.first("path")).event.method, "mapped");
    }
    await assertArrived(from, to);
  });
});

seededTest(
  "share wants a reply code of a client without a NAT, and calls it punched",
  4,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.send(meeting.home());
      const to = meeting.receive("public", from.sharing.code);
      const { event: reply } = await to.log.first("reply-code");
      assert.equal(reply.expected, "punched");
      from.sharing.addReply(reply.code);
      for (const { log } of [from, to]) {
        assert.equal((await log.first("path")).event.method, "punched");
      }
      await assertArrived(from, to);
    });
  },
);
