/**
 * Goal: two people who have nothing but two codes meet through their NATs, whatever the order, the
 * moment and the mistakes, and their files arrive.
 * Method: share() and receive() as a user calls them, in virtual time, behind simulated NATs with
 * STUN servers in the core; the test plays the two persons. With sockets that are handed in there
 * are no further ones, so pairs that need many sockets are tried elsewhere (`nat_matrix_test.ts`).
 */
import assert from "node:assert/strict";
import {
  assertArrived,
  FORGETFUL_NAT,
  HARD_NAT,
  MeetingWorld,
  type ReceivingSide,
  ROUND_TRIP_MS,
  STEPPING_NAT,
} from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";

/** Own networks on the way, 0.2 ms each, and the turns of machines. */
const SLACK_MS = 5;
/** The reply code is shown so long after the start. */
const REPLY_AFTER_MS = 2000;

for (const lossRate of [0, 0.1]) {
  seededTest(`share and receive meet behind two NATs, loss ${lossRate}`, 12, async (seed) => {
    const meeting = new MeetingWorld(seed, { lossRate });
    await meeting.run(async () => {
      const nat = seed % 2 === 0 ? FORGETFUL_NAT : {};
      const from = await meeting.send(meeting.home(nat));
      const startMs = meeting.world.nowMs;
      const to = meeting.receive(meeting.home(nat), from.sharing.code);
      const { atMs, event: reply } = await to.log.first("reply-code");
      assert.equal(atMs - startMs, REPLY_AFTER_MS);
      assert.equal(reply.expected, "punched");
      assert.equal(reply.changed, undefined);
      // The last moment is ten minutes after the start.
      await meeting.sleep(seed <= 2 ? 590_000 : meeting.world.prng.integer(0, 120_000));
      assert.equal(from.log.of("connected").length, 0);
      for (const { log } of [from, to]) {
        const [network, ...more] = log.of("network").slice(-1);
        assert.equal(network!.stun, "answered");
        assert.equal(network!.mapping, "endpoint_independent");
        assert.equal(network!.reflexive.length, 1);
        assert.deepEqual(more, []);
      }
      const pastedMs = meeting.world.nowMs;
      from.sharing.addReply(reply.code);
      for (const log of [from.log, to.log]) {
        const connected = await log.first("connected");
        const path = await log.first("path");
        assert.equal(path.event.method, "punched");
        assert.equal(path.event.route, "internet");
        assert.equal(path.atMs, connected.atMs);
        const limitMs = lossRate === 0 ? 3 * ROUND_TRIP_MS + SLACK_MS : 5000;
        assert.ok(path.atMs - pastedMs <= limitMs, `${path.atMs - pastedMs} ms`);
      }
      await assertArrived(from, to);
      assert.equal((await from.log.ended).event, "done");
      assert.equal(from.log.of("reply").length, 1);
    });
  });
}

seededTest(
  "share and receive meet where no datagram can be kept from going far",
  6,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const from = await meeting.send(meeting.home());
      const to = meeting.receive(meeting.home(), from.sharing.code);
      to.socket.canLimitHops = false;
      const { event: reply } = await to.log.first("reply-code");
      let early = 0;
      from.socket.onReceived = ({ remote }) =>
        void (early += Number(remote.host.startsWith("44.")));
      await meeting.sleep(20_000);
      assert.equal(early, 0); // its own NAT keeps out who was not called
      from.sharing.addReply(reply.code);
      await assertArrived(from, to);
    });
  },
);

for (const [name, nat] of [["common", {}], ["stepping", STEPPING_NAT]] as const) {
  seededTest(`share behind a stepping NAT meets a client behind a ${name} one`, 6, async (seed) => {
    const meeting = new MeetingWorld(seed, { stunCount: 3 });
    await meeting.run(async () => {
      const from = await meeting.send(meeting.home(STEPPING_NAT));
      const to = meeting.receive(meeting.home(nat), from.sharing.code);
      const { event: reply } = await to.log.first("reply-code");
      assert.equal(reply.expected, "predicted");
      await meeting.sleep(meeting.world.prng.integer(0, 60_000));
      const pastedMs = meeting.world.nowMs;
      from.sharing.addReply(reply.code);
      const { atMs, event } = await to.log.first("path");
      assert.equal(event.method, "predicted");
      assert.ok(atMs - pastedMs <= 1000, `${atMs - pastedMs} ms`);
      await assertArrived(from, to);
    });
  });
}

seededTest(
  "share and receive meet behind one carrier that turns datagrams round",
  6,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const carrier = meeting.home({ hairpin: "external_source", ports: "random" });
      const homes = ["100.64.3.1", "100.64.3.2"].map((host) => meeting.homeBehind(carrier, host));
      const from = await meeting.send(homes[0]!);
      const to = meeting.receive(homes[1]!, from.sharing.code);
      from.sharing.addReply((await to.log.first("reply-code")).event.code);
      await assertArrived(from, to);
      assert.deepEqual(to.log.of("path").map(({ method }) => method), ["punched"]);
    });
  },
);

Deno.test("share and receive refuse a STUN server that is none before they do anything", async () => {
  const meeting = new MeetingWorld(1);
  await meeting.run(async () => {
    const stunServers = ["stun.example.org:port"];
    await assert.rejects(meeting.send(meeting.home(), { stunServers }), { code: "usage" });
    const from = await meeting.send("public");
    const to = meeting.receive(meeting.home(), from.sharing.code, { stunServers });
    to.socket.onSent = () => assert.fail("nothing is to be sent");
    const last = await to.log.ended;
    assert.ok(last.event === "error" && last.code === "usage", JSON.stringify(last));
    await from.sharing.close();
  });
});

seededTest("receive connects to a public sharer at once, and asks nobody", 10, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const from = await meeting.send("public");
    const startMs = meeting.world.nowMs;
    const to = meeting.receive(meeting.home(), from.sharing.code);
    assertAsksNobody(to, meeting);
    const { atMs } = await to.log.first("connected");
    assert.ok(atMs - startMs < 250, `${atMs - startMs} ms`);
    await assertArrived(from, to);
    await meeting.sleep(10_000);
    assert.deepEqual(to.log.of("path").map(({ method }) => method), ["direct"]);
    assert.deepEqual(from.log.of("path").map(({ method }) => method), ["direct"]);
    assert.equal(to.log.of("reply-code").length, 0);
  });
});

seededTest(
  "receive connects in one network whatever its NAT, and asks nobody",
  10,
  async (seed) => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const home = meeting.home(seed % 2 === 0 ? HARD_NAT : {});
      const from = await meeting.send(home);
      const startMs = meeting.world.nowMs;
      const to = meeting.receive(home, from.sharing.code);
      assertAsksNobody(to, meeting);
      const { atMs, event } = await to.log.first("connected");
      assert.ok(atMs - startMs < 250, `${atMs - startMs} ms`);
      assert.equal(event.route, "lan");
      await assertArrived(from, to);
      assert.equal(to.log.of("reply-code").length, 0);
      assert.deepEqual(to.log.of("path").map(({ method }) => method), ["direct"]);
    });
  },
);

function assertAsksNobody({ socket }: ReceivingSide, { stunServers }: MeetingWorld): void {
  socket.onSent = ({ remote }) => assert.ok(!stunServers.includes(remote.host), remote.host);
}

seededTest("share serves clients whose codes are pasted in any order", 12, async (seed) => {
  const meeting = new MeetingWorld(seed);
  const { prng } = meeting.world;
  await meeting.run(async () => {
    const from = await meeting.share(meeting.home(), { readLimit: 3 });
    const clients = Array.from({ length: 4 }, () => {
      return meeting.receive(meeting.home(), from.sharing.code);
    });
    const replies = await Promise.all(clients.map(({ log }) => log.first("reply-code")));
    assert.equal(new Set(replies.map(({ event }) => event.code)).size, 4);
    // The fourth one leaves before its code is pasted.
    await clients[3]!.receiving.close();
    const order = [0, 1, 2, 3].map((index) => ({ index, key: prng.nextUint32() }))
      .sort((a, b) => a.key - b.key).map(({ index }) => index);
    const isAtOnce = seed % 2 === 0;
    for (const index of order) {
      from.sharing.addReply(replies[index]!.event.code);
      if (!isAtOnce) await meeting.sleep(prng.integer(0, 3000));
    }
    for (const client of clients.slice(0, 3)) {
      await assertArrived(from, client);
      assert.deepEqual(client.log.of("path").map(({ method }) => method), ["punched"]);
    }
    const closed = await from.log.ended;
    assert.ok(closed.event === "closed" && closed.reason === "served", JSON.stringify(closed));
    assert.equal(closed.clients, 3);
    assert.equal(from.log.of("connected").length, 3);
    assert.equal(from.log.of("done").length, 3);
  });
});

Deno.test("share tells of a client that never comes, and goes on for others", async () => {
  const meeting = new MeetingWorld(1);
  await meeting.run(async () => {
    const from = await meeting.send(meeting.home());
    const gone = meeting.receive(meeting.home(), from.sharing.code);
    const { event: reply } = await gone.log.first("reply-code");
    await gone.receiving.close();
    const pastedMs = meeting.world.nowMs;
    from.sharing.addReply(reply.code);
    const { atMs, event } = await from.log.first("warning");
    assert.equal(event.code, "client_not_found");
    assert.ok(atMs - pastedMs >= 30_000 && atMs - pastedMs <= 30_100, `${atMs - pastedMs} ms`);
    const to = meeting.receive(meeting.home(), from.sharing.code);
    from.sharing.addReply((await to.log.first("reply-code")).event.code);
    await assertArrived(from, to);
    assert.equal(from.log.of("warning").length, 1);
  });
});

Deno.test("receive tells at once that two hard NATs cannot meet, and what helps", async () => {
  const meeting = new MeetingWorld(1);
  await meeting.run(async () => {
    const from = await meeting.send(meeting.home(HARD_NAT));
    const startMs = meeting.world.nowMs;
    const to = meeting.receive(meeting.home(HARD_NAT), from.sharing.code);
    const last = await to.log.ended;
    assert.ok(last.event === "error", JSON.stringify(last));
    assert.equal(last.code, "peer_unreachable");
    for (const help of ["IPv6", "hotspot", "UPnP", "forward"]) {
      assert.match(last.hint, RegExp(help));
    }
    const tookMs = meeting.world.nowMs - startMs;
    assert.ok(tookMs >= REPLY_AFTER_MS && tookMs < REPLY_AFTER_MS + 50, `${tookMs} ms`);
    assert.equal(to.log.of("reply-code").length, 0);
    await from.sharing.close();
  });
});
