/**
 * Goal: a code that somebody made to harm costs a stranger no more than the stated bounds, and what
 * an onlooker repeats gets no answer.
 * Method: as `meeting_test.ts`, with hosts that count whatever comes, and datagrams sent again with
 * any source.
 */
import assert from "node:assert/strict";
import { REPLY_COMMITMENT_BYTES } from "../../lib/crypto/commitment.ts";
import { MAX_PROBE_BYTES, MIN_PROBE_BYTES } from "../../lib/crypto/probe.ts";
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import type { Candidate } from "../../lib/nat/candidate.ts";
import type { MappingClass } from "../../lib/nat/mapping_class.ts";
import { encodeReplyCode } from "../../lib/rendezvous/reply_code.ts";
import {
  assertArrived,
  FULL_CONE,
  HARD_NAT,
  MeetingWorld,
  ROUND_TRIP_MS,
  Stranger,
} from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";
import { readCode } from "../support/share_codes.ts";
import type { PassedDatagram } from "../support/sim_socket.ts";

/** docs/protocol.md, "Probes": to each candidate of one pasted code. */
const PLAIN_BOUND = 64;
/** To ports that are tried, in any 30 s. */
const SPRAY_BOUND = 2048;
/** How long a pasted code is acted upon. */
const ACT_MS = 30_000;
/** docs/nat.md, "Budgets": clients that a share looks for at a time. */
const ACTIVE_SEARCHES = 8;

const CLASSES: readonly MappingClass[] = [
  "unknown",
  "none",
  "endpoint_independent",
  "address_dependent",
  "port_dependent_stepping",
  "port_dependent_random",
];

/** Those whose ports a sharer with a common NAT does not know. */
const SPRAYED: readonly MappingClass[] = CLASSES.slice(3);

/** A reply code for a share that says whatever it is told to. */
function forgeReply(
  meeting: MeetingWorld,
  shareCode: string,
  mappingClass: MappingClass,
  candidates: readonly Candidate[],
): string {
  const keys = deriveShareKeys(selectProvider(), readCode(shareCode).t);
  const r = meeting.world.prng.bytes(REPLY_COMMITMENT_BYTES);
  return encodeReplyCode({ r, mappingClass, candidates }, keys);
}

for (const mappingClass of CLASSES) {
  const name = `a reply code of class ${mappingClass} that points at a stranger costs it little`;
  seededTest(name, 4, async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.send(meeting.home(seed % 4 === 3 ? HARD_NAT : {}));
      const stranger = new Stranger(meeting, "48.0.0.1");
      const count = seed % 4 + 1;
      const candidates = Array.from({ length: count }, (_, index): Candidate => ({
        kind: (["reflexive", "host", "mapped", "manual"] as const)[index]!,
        address: { family: 4, host: "48.0.0.1", port: 53 + index },
      }));
      const pastedMs = meeting.world.nowMs;
      from.sharing.addReply(forgeReply(meeting, from.sharing.code, mappingClass, candidates));
      await meeting.sleep(60_000);
      const { received } = stranger;
      const bound = PLAIN_BOUND * count + SPRAY_BOUND;
      assert.ok(received.length <= bound, `${received.length} datagrams, not ${bound}`);
      for (const { address } of candidates) {
        const plain = received.filter(({ to }) => to.port === address.port).length;
        // One of them may be among the ports that are tried, too.
        assert.ok(plain <= PLAIN_BOUND + SPRAY_BOUND / 32, `${plain} to port ${address.port}`);
      }
      const isSprayed = seed % 4 !== 3 && SPRAYED.includes(mappingClass);
      assert.ok(received.length >= (isSprayed ? SPRAY_BOUND : 32), `${received.length} datagrams`);
      const lastMs = received.at(-1)?.atMs ?? pastedMs;
      assert.ok(lastMs - pastedMs <= ACT_MS + ROUND_TRIP_MS, `${lastMs - pastedMs} ms`);
      assert.ok(from.log.of("reply").length + from.log.of("warning").length >= 1);
      await from.sharing.close();
    });
  });
}

seededTest(
  "a reply code of a stranger's network keeps nobody else from meeting",
  6,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.send(meeting.home());
      const to = meeting.receive(meeting.home(), from.sharing.code);
      const { event: reply } = await to.log.first("reply-code");
      for (let index = 0; index < 5; index++) {
        const host = `48.0.0.${index}`;
        const address = { family: 4, host, port: 9000 } as const;
        from.sharing.addReply(
          forgeReply(meeting, from.sharing.code, "port_dependent_random", [
            { kind: "reflexive", address },
          ]),
        );
      }
      from.sharing.addReply(reply.code);
      await assertArrived(from, to);
    });
  },
);

seededTest("fifty reply codes that name one host cost it what one does", 4, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.send(meeting.home());
    const stranger = new Stranger(meeting, "48.0.0.1");
    for (let index = 0; index < 50; index++) {
      const address = { family: 4, host: "48.0.0.1", port: 5000 + 300 * index } as const;
      from.sharing.addReply(
        forgeReply(meeting, from.sharing.code, "port_dependent_random", [
          { kind: "reflexive", address },
        ]),
      );
    }
    // They are looked for some at a time, and each of them is said to be not found.
    await meeting.sleep(29_000);
    assert.equal(from.log.of("warning").length, 0);
    await meeting.sleep(Math.ceil(50 / ACTIVE_SEARCHES) * ACT_MS - 29_000 + 1000);
    assert.equal(from.log.of("warning").length, 50);
    const { received } = stranger;
    const isPlain = ({ to }: { readonly to: { readonly port: number } }) => to.port % 300 === 200;
    const plain = received.filter(isPlain).map(({ atMs }) => atMs);
    const sprayed = received.filter((datagram) => !isPlain(datagram)).map(({ atMs }) => atMs);
    assert.ok(sprayed.length >= SPRAY_BOUND, `${sprayed.length} to ports that are tried`);
    assert.ok(mostWithin(sprayed, ACT_MS) <= SPRAY_BOUND, `${mostWithin(sprayed, ACT_MS)} in 30 s`);
    const plainBound = (ACTIVE_SEARCHES + 1) * PLAIN_BOUND; // those that are sprayed among them
    assert.ok(
      mostWithin(plain, ACT_MS) <= plainBound,
      `${mostWithin(plain, ACT_MS)} plain in 30 s`,
    );
    const afterwards = received.length;
    await meeting.sleep(2 * ACT_MS);
    assert.equal(received.length, afterwards);
    await from.sharing.close();
  });
});

/** The most of these moments, which are in order, that lie within any stretch of time. */
function mostWithin(moments: readonly number[], ms: number): number {
  let most = 0;
  let first = 0;
  moments.forEach((moment, index) => {
    while (moments[first]! <= moment - ms) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

function isProbe({ datagram }: PassedDatagram): boolean {
  return datagram.length >= MIN_PROBE_BYTES && datagram.length <= MAX_PROBE_BYTES;
}

seededTest("a probe that is sent again gets no second answer from anybody", 8, async (seed) => {
  const meeting = new MeetingWorld(seed);
  const { core } = meeting.internet;
  await meeting.run(async () => {
    const sharerHome = meeting.home();
    const clientHome = meeting.home(FULL_CONE);
    const from = await meeting.send(sharerHome);
    const to = meeting.receive(clientHome, from.sharing.code);
    const { event: reply } = await to.log.first("reply-code");
    const isOfSharer = (passed: PassedDatagram): boolean =>
      isProbe(passed) && passed.remote.host === sharerHome.router.externalHost;
    const heard: PassedDatagram[] = [];
    const said: PassedDatagram[] = [];
    to.socket.onReceived = (passed) => void (isOfSharer(passed) && heard.push(passed));
    to.socket.onSent = (passed) => void (isOfSharer(passed) && said.push(passed));
    from.sharing.addReply(reply.code);
    await meeting.sleep(1); // its first question is on its way; no session comes of it
    await from.sharing.close();
    await meeting.sleep(ROUND_TRIP_MS);
    assert.equal(heard.length, 1);
    assert.ok(said.length >= 1);
    await meeting.sleep(15_000);

    const [question] = heard;
    const stranger = new Stranger(meeting, "48.0.0.1");
    const client = { family: 4, host: clientHome.router.externalHost!, port: 5000 } as const;
    const elsewhere = { family: 4, host: "48.0.0.1", port: 7000 } as const;
    const answers: PassedDatagram[] = [];
    to.socket.onSent = (passed) => void (isProbe(passed) && answers.push(passed));
    for (let times = 0; times < 50; times++) {
      for (const source of [elsewhere, question!.remote]) {
        core.send(question!.datagram.slice(), source, client, 64);
      }
    }
    await meeting.sleep(ROUND_TRIP_MS);
    assert.equal(heard.length, 1 + 50); // those with the sharer's address did come
    assert.deepEqual(answers, []);
    await meeting.sleep(15_000);
    assert.deepEqual(stranger.received, []);
    await to.receiving.close();
  });
});
