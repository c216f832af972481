/**
 * Goal: however many reply codes are pasted, those of clients that are gone among them, each has its
 * turn: nobody who waits is passed over or forgotten.
 * Method: as `meeting_test.ts`; nobody meets here unless the share looks for the client.
 */
import assert from "node:assert/strict";
import { REPLY_COMMITMENT_BYTES } from "../../lib/crypto/commitment.ts";
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import { encodeReplyCode } from "../../lib/rendezvous/reply_code.ts";
import {
  assertArrived,
  MeetingWorld,
  type ReceivingSide,
  type SharingSide,
} from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";
import { readCode } from "../support/share_codes.ts";

/** docs/nat.md, "Budgets": clients that are looked for at a time, and for how long. */
const ACTIVE_SEARCHES = 8;
const ACT_MS = 30_000;
/** Within this a client is found whose turn it is. */
const FOUND_MS = 2000;

/** A reply code of a client that is gone. */
function deadReply(meeting: MeetingWorld, { sharing }: SharingSide): string {
  const keys = deriveShareKeys(selectProvider(), readCode(sharing.code).t);
  const r = meeting.world.prng.bytes(REPLY_COMMITMENT_BYTES);
  const address = { family: 4, host: meeting.publicHost(), port: 5000 } as const;
  const candidates = [{ kind: "reflexive", address }] as const;
  return encodeReplyCode({ r, mappingClass: "endpoint_independent", candidates }, keys);
}

/** Pastes reply codes of clients that are gone. */
function pasteDead(meeting: MeetingWorld, from: SharingSide, count: number): readonly string[] {
  const codes = Array.from({ length: count }, () => deadReply(meeting, from));
  codes.forEach((code) => from.sharing.addReply(code));
  return codes;
}

/** A client that waits behind a NAT, and its reply code. */
async function waitingClient(meeting: MeetingWorld, { sharing }: SharingSide) {
  const to = meeting.receive(meeting.home(), sharing.code);
  const { event } = await to.log.first("reply-code");
  return { to, code: event.code };
}

/** When a client came, ms since a moment. */
async function cameAfter({ log }: ReceivingSide, sinceMs: number): Promise<number> {
  const { atMs } = await log.first("connected");
  return atMs - sinceMs;
}

seededTest(
  "whoever comes makes room for the next: twenty codes need no more time",
  4,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.share(meeting.home());
      const clients = await Promise.all(
        Array.from({ length: 20 }, () => waitingClient(meeting, from)),
      );
      const pastedMs = meeting.world.nowMs;
      for (const { code } of clients) from.sharing.addReply(code);
      for (const { to } of clients) {
        const tookMs = await cameAfter(to, pastedMs);
        assert.ok(tookMs < 3 * FOUND_MS, `${tookMs} ms`);
        await assertArrived(from, to);
      }
      await from.sharing.close();
    });
  },
);

for (const turns of [1, 3]) {
  const count = turns * ACTIVE_SEARCHES;
  seededTest(`a client is found behind ${count} that are gone, in its turn`, 4, async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.share(meeting.home());
      const { to, code } = await waitingClient(meeting, from);
      const pastedMs = meeting.world.nowMs;
      pasteDead(meeting, from, count);
      from.sharing.addReply(code);
      const tookMs = await cameAfter(to, pastedMs);
      assert.ok(tookMs >= turns * ACT_MS, `${tookMs} ms: more were looked for at a time`);
      assert.ok(tookMs < turns * ACT_MS + FOUND_MS, `${tookMs} ms`);
      await assertArrived(from, to);
      // Those before it were given up one after the other, in the order of the paste.
      const names = from.log.of("reply").map(({ client }) => client);
      const lost = from.log.of("warning").filter(({ code }) => code === "client_not_found");
      assert.equal(lost.length, count);
      lost.forEach(({ message }, index) => assert.match(message, new RegExp(names[index]!)));
      await from.sharing.close();
    });
  });
}

seededTest("who pastes on and on takes nobody's turn who waits", 4, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.share(meeting.home());
    const { to, code } = await waitingClient(meeting, from);
    const pastedMs = meeting.world.nowMs;
    pasteDead(meeting, from, ACTIVE_SEARCHES);
    from.sharing.addReply(code);
    for (let times = 0; times < 5; times++) {
      pasteDead(meeting, from, ACTIVE_SEARCHES);
      await meeting.sleep(5000);
      from.sharing.addReply(code); // of somebody impatient
    }
    const tookMs = await cameAfter(to, pastedMs);
    assert.ok(tookMs < ACT_MS + FOUND_MS, `${tookMs} ms`);
    await from.sharing.close();
  });
});

seededTest(
  "a code that is pasted again when it had its turn goes behind who waits",
  4,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.share(meeting.home());
      const { to, code } = await waitingClient(meeting, from);
      const dead = pasteDead(meeting, from, ACTIVE_SEARCHES);
      from.sharing.addReply(code);
      await meeting.sleep(1000);
      const pastedMs = meeting.world.nowMs;
      from.sharing.addReply(dead[0]!);
      const tookMs = await cameAfter(to, pastedMs);
      assert.ok(tookMs < FOUND_MS, `${tookMs} ms`);
      await from.sharing.close();
    });
  },
);
