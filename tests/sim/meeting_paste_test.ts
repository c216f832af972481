/**
 * Goal: what people paste where a share runs does what they mean or nothing at all: a mistake costs
 * nothing, and a code may be pasted again.
 * Method: as `meeting_test.ts`.
 */
import assert from "node:assert/strict";
import { assertArrived, MeetingWorld } from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";

/** Sharer and client behind one NAT each, with a reply code to paste. */
async function meetAtCodes(meeting: MeetingWorld) {
  const from = await meeting.send(meeting.home());
  const to = meeting.receive(meeting.home(), from.sharing.code);
  const { event: reply } = await to.log.first("reply-code");
  return { from, to, reply };
}

seededTest(
  "addReply refuses what is no reply code of this share, and sends nothing",
  12,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    const { prng } = meeting.world;
    await meeting.run(async () => {
      const { from, to, reply } = await meetAtCodes(meeting);
      const other = await meeting.send(meeting.home());
      const outsider = meeting.receive(meeting.home(), other.sharing.code);
      const { event: otherReply } = await outsider.log.first("reply-code");
      const place = prng.integer(4, reply.code.length - 1);
      const characters = "023456789acdefghjklmnpqrstuvwxyz".replace(reply.code[place]!, "");
      const wrong = characters[prng.integer(0, characters.length - 1)]!;
      const mistyped = reply.code.slice(0, place) + wrong + reply.code.slice(place + 1);
      const refused = [
        mistyped,
        reply.code.slice(0, -1),
        from.sharing.code,
        otherReply.code,
        other.sharing.code,
        "",
        "p2p1",
        "hello",
        "\u0000\u{1f600}".repeat(20),
      ];
      // Keepalives of its mapping go on; nothing goes to anybody else.
      from.socket.onSent = ({ remote }) => {
        assert.ok(meeting.stunServers.includes(remote.host), remote.host);
      };
      for (const text of refused) {
        assert.throws(() => from.sharing.addReply(text), {
          name: "TransferError",
          code: "bad_code",
        });
      }
      await meeting.sleep(5000);
      assert.equal(from.log.of("reply").length, 0);
      from.socket.onSent = () => {};
      from.sharing.addReply(` ${reply.code.toUpperCase().replaceAll(/(.{4})/g, "$1-")}\n`);
      await assertArrived(from, to);
      await Promise.all([other.sharing.close(), outsider.receiving.close()]);
    });
  },
);

seededTest("addReply takes the same code any number of times", 12, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const { from, to, reply } = await meetAtCodes(meeting);
    for (let times = 0; times < 3; times++) {
      from.sharing.addReply(reply.code);
      await meeting.sleep(meeting.world.prng.integer(0, 60));
    }
    await assertArrived(from, to);
    const last = await from.log.ended;
    assert.equal(last.event, "done");
    from.sharing.addReply(reply.code); // late, and to nobody
    assert.equal(from.log.of("connected").length, 1);
    assert.equal(from.log.of("warning").length, 0);
  });
});
