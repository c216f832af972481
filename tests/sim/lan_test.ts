/**
 * Goal: shares are found on a local network by everybody on it, whatever one neighbour does.
 * Method: whole announcing and browsing programs on a network in memory, in virtual time.
 */
import assert from "node:assert/strict";
import type { LanShare } from "../../lib/lan/browser.ts";
import { encodeDnsMessage } from "../../lib/lan/dns_message.ts";
import { MAX_CONFLICTS, MAX_SHARES, MAX_SHARES_PER_SOURCE } from "../../lib/lan/limits.ts";
import { SERVICE, shareName } from "../../lib/lan/service_names.ts";
import { forgedAnnouncement, lanCode, lanMessage, LanScene } from "../support/lan_scene.ts";
import { seededTest } from "../support/seeded_test.ts";

const ANNA = lanCode(1, "10.0.0.1");
const BEN = lanCode(2, "10.0.0.2");
const MALLORY = lanCode(66, "10.0.0.66");

const QUESTION = encodeDnsMessage(lanMessage({ questions: [{ name: SERVICE, type: "PTR" }] }));

seededTest("a share is found, changes its code and goes [LAN-4]", 5, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9", "fe80::9"));
  await scene.pass(3000);
  const anna = await scene.announce(scene.segment.host("10.0.0.1", "fe80::1"), "Anna", ANNA);
  await scene.pass(1500);
  const [share] = listener.shares;
  assert.equal(share?.name, "Anna");
  assert.equal(share?.code, ANNA);
  assert.deepEqual([...share!.addresses].sort(), ["10.0.0.1", "fe80::1"]);

  const elsewhere = lanCode(1, "10.0.0.77");
  anna.update(elsewhere);
  await scene.pass(1500);
  assert.deepEqual(listener.shares.map(({ name, code }) => [name, code]), [["Anna", elsewhere]]);

  await scene.world.runAsync({ until: anna.close() });
  await scene.pass(1500);
  assert.deepEqual(listener.shares, []);
  assert.equal(listener.events.at(-1)?.type, "gone");
});

seededTest("who comes later finds a share within 300 ms", 10, async (seed) => {
  await using scene = new LanScene(seed);
  await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
  await scene.pass(60_000);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.pass(300);
  assert.deepEqual(listener.names, ["Anna"]);
});

seededTest(
  "a share stays known for hours, over a network that loses one in ten",
  5,
  async (seed) => {
    await using scene = new LanScene(seed);
    scene.segment.lossRate = 0.1;
    await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
    const listener = scene.browse(scene.segment.host("10.0.0.9"));
    await scene.pass(10_000);
    let missingMinutes = 0;
    for (let minute = 0; minute < 240; minute++) {
      await scene.pass(60_000);
      if (listener.names.length === 0) missingMinutes++;
    }
    // Each time four questions or answers in a row get lost in one of a thousand cases.
    assert.ok(missingMinutes <= 3, `gone for ${missingMinutes} minutes`);
    const perHour = scene.segment.sent.length / 4;
    assert.ok(perHour < 150, `${perHour} datagrams an hour`);
  },
);

seededTest(
  "a share that is no longer heard is forgotten in two minutes, and found again",
  3,
  async (seed) => {
    await using scene = new LanScene(seed);
    await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
    const listener = scene.browse(scene.segment.host("10.0.0.9"));
    await scene.pass(10_000);
    assert.deepEqual(listener.names, ["Anna"]);
    scene.segment.lossRate = 1;
    await scene.pass(121_000);
    assert.deepEqual(listener.names, []);
    scene.segment.lossRate = 0;
    await scene.pass(20_000);
    assert.deepEqual(listener.names, ["Anna"]);
  },
);

seededTest("of two who take one name at a time one has another [LAN-3]", 20, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  const one = await scene.announce(scene.segment.host("10.0.0.1", "fe80::1"), "Desk", ANNA);
  const other = await scene.announce(scene.segment.host("10.0.0.2", "fe80::2"), "desk", BEN);
  await scene.pass(8000);
  const names = [one.name, other.name].map((name) => name.toLowerCase()).sort();
  assert.deepEqual(names, ["desk", "desk (2)"]);
  assert.deepEqual(listener.names.map((name) => name.toLowerCase()).sort(), names);
});

seededTest("who has a name keeps it when another comes [LAN-3]", 5, async (seed) => {
  await using scene = new LanScene(seed);
  const one = await scene.announce(scene.segment.host("10.0.0.1"), "Desk", ANNA);
  await scene.pass(5000);
  const other = await scene.announce(scene.segment.host("10.0.0.2"), "Desk", BEN);
  await scene.pass(5000);
  assert.deepEqual([one.name, other.name], ["Desk", "Desk (2)"]);
});

seededTest("two networks that become one have one share of each name [LAN-3]", 10, async (seed) => {
  await using scene = new LanScene(seed);
  scene.segment.lossRate = 1;
  const one = await scene.announce(scene.segment.host("10.0.0.1", "fe80::1"), "Desk", ANNA);
  const other = await scene.announce(scene.segment.host("10.0.0.2", "fe80::2"), "Desk", BEN);
  await scene.pass(60_000);
  assert.deepEqual([one.name, other.name], ["Desk", "Desk"]);
  scene.segment.lossRate = 0;
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.pass(10_000);
  assert.deepEqual([one.name, other.name].sort(), ["Desk", "Desk (2)"]);
  assert.deepEqual(listener.names.toSorted(), ["Desk", "Desk (2)"]);
});

seededTest("two shares of one machine have two names", 3, async (seed) => {
  await using scene = new LanScene(seed);
  const host = scene.segment.host("10.0.0.1", "fe80::1");
  const listener = scene.browse(host);
  await scene.announce(host, "Desk", ANNA);
  await scene.announce(host, "Desk", BEN);
  await scene.pass(8000);
  assert.deepEqual(listener.names.toSorted(), ["Desk", "Desk (2)"]);
});

seededTest(
  "who claims every name ends with a share that does not care [LAN-3]",
  3,
  async (seed) => {
    await using scene = new LanScene(seed);
    const listener = scene.browse(scene.segment.host("10.0.0.9"));
    const anna = await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
    const tried = new Set<string>();
    for (let ms = 0; ms < 30_000; ms += 100) {
      tried.add(anna.name);
      scene.segment.inject(forgedAnnouncement({ label: anna.name, code: MALLORY }), "10.0.0.66");
      await scene.pass(100);
    }
    assert.match(anna.name, /^Anna \([0-9a-f]{16}\)$/);
    // The one that was chosen, one for each conflict, and the last.
    assert.ok(tried.size <= MAX_CONFLICTS + 2, `${tried.size} names`);
    const share = listener.shares.find(({ code }) => code === ANNA);
    assert.equal(share?.name, anna.name);
  },
);

seededTest("nobody changes or takes back what another announced [LAN-5]", 5, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  const anna = await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
  await scene.pass(3000);
  const [before] = listener.shares;
  assert.equal(before?.code, ANNA);
  const forged = [
    // A share of his own under her name, hers with other addresses, and both taken back.
    forgedAnnouncement({ label: "Anna", code: MALLORY, hostName: "x.local" }),
    forgedAnnouncement({ label: "Anna", code: lanCode(1, "10.0.0.66") }),
    forgedAnnouncement({ label: "Anna", code: ANNA }, 0),
  ];
  for (const datagram of forged) {
    scene.segment.inject(datagram, "10.0.0.66");
    await scene.pass(100);
    const share: LanShare | undefined = listener.shares.find(({ id }) => id === before.id);
    assert.deepEqual(share, before);
  }
  await scene.pass(5000);
  assert.equal(listener.shares.find(({ code }) => code === ANNA)?.addresses[0], "10.0.0.1");
  assert.match(anna.name, /^Anna/);
});

seededTest("who is first with a share of another does not hide it [LAN-5]", 3, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.pass(1000);
  // Her name and her key, but his address: nobody can be reached by it.
  const code = lanCode(1, "10.0.0.66");
  scene.segment.inject(forgedAnnouncement({ label: "Anna", code }), "10.0.0.66");
  await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
  await scene.pass(10_000);
  const share = listener.shares.find(({ code }) => code === ANNA);
  assert.deepEqual(share?.addresses, ["10.0.0.1"]);
});

seededTest("an imitation does not silence who is imitated [LAN-6]", 5, async (seed) => {
  await using scene = new LanScene(seed);
  const anna = await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
  await scene.pass(10_000);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  // His answer is there before she can answer; without SRV she does not even notice.
  const texts = forgedAnnouncement({ label: "Anna", code: MALLORY, hostName: "x.local" });
  await scene.pass(10);
  scene.segment.inject(texts, "10.0.0.66");
  await scene.pass(10_000);
  const codes = listener.shares.map(({ code }) => code);
  assert.ok(codes.includes(ANNA) && codes.includes(MALLORY), codes.join());
  const questions = scene.segment.said("10.0.0.9");
  assert.ok(questions.length > 0 && questions.every(({ answers }) => answers.length === 0));
  await scene.world.runAsync({ until: anna.close() });
});

seededTest(
  "a flood of questions is answered once a second, and to the group [LAN-2]",
  3,
  async (seed) => {
    await using scene = new LanScene(seed);
    await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
    await scene.pass(10_000);
    const startMs = scene.world.nowMs;
    for (let ms = 0; ms < 10_000; ms += 10) {
      scene.segment.inject(QUESTION, `10.0.0.${100 + ms % 100}`);
      // From another port somebody asks for an answer to himself.
      scene.segment.inject(QUESTION, "10.0.0.66", 40_000);
      await scene.pass(10);
    }
    const answers = scene.segment.sent.filter(({ atMs }) => atMs >= startMs);
    assert.ok(answers.length >= 5 && answers.length <= 11, `${answers.length} answers`);
    assert.ok(answers.every(({ to }) => to.host === "224.0.0.251" && to.port === 5353));
    assert.ok(answers.every(({ datagram }) => datagram.length <= 600));
  },
);

seededTest("what comes from elsewhere is not heard", 1, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9", "fe80::9"));
  await scene.pass(1000);
  for (const host of ["10.0.1.1", "203.0.113.7", "2001:db8::1"]) {
    scene.segment.inject(forgedAnnouncement({ label: host, code: MALLORY }), host);
  }
  scene.segment.inject(forgedAnnouncement({ label: "port", code: MALLORY }), "10.0.0.66", 1024);
  await scene.pass(1000);
  assert.deepEqual(listener.names, []);
  scene.segment.inject(forgedAnnouncement({ label: "near", code: MALLORY }), "10.0.0.66");
  await scene.pass(1000);
  assert.deepEqual(listener.names, ["near"]);
});

seededTest("a flood of shares is bounded, and ends [LAN-1]", 2, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
  await scene.pass(3000);
  const flood = async (host: string, count: number) => {
    for (let index = 0; index < count; index++) {
      const code = lanCode(100 + index % 100, host);
      scene.segment.inject(forgedAnnouncement({ label: `${host} ${index}`, code }), host);
      await scene.pass(150);
    }
  };
  await flood("10.0.0.66", MAX_SHARES + 20);
  const fromOne = listener.shares.filter(({ addresses }) => addresses.includes("10.0.0.66"));
  assert.equal(fromOne.length, MAX_SHARES_PER_SOURCE);
  for (let host = 100; host < 120; host++) await flood(`10.0.0.${host}`, MAX_SHARES_PER_SOURCE);
  assert.equal(listener.shares.length, MAX_SHARES);
  assert.ok(listener.names.includes("Anna"));
  await scene.pass(150_000);
  assert.deepEqual(listener.names, ["Anna"]);
  await scene.announce(scene.segment.host("10.0.0.2"), "Ben", BEN);
  await scene.pass(3000);
  assert.deepEqual(listener.names, ["Anna", "Ben"]);
});

seededTest("a flood of datagrams closes the door for a while", 1, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.announce(scene.segment.host("10.0.0.1"), "Anna", ANNA);
  await scene.pass(3000);
  for (let count = 0; count < 3000; count++) scene.segment.inject(QUESTION, "10.0.0.66");
  await scene.pass(1000);
  const near = forgedAnnouncement({ label: "near", code: MALLORY });
  scene.segment.inject(near, "10.0.0.7");
  await scene.pass(1000);
  assert.deepEqual(listener.names, ["Anna"]);
  await scene.pass(60_000);
  scene.segment.inject(near, "10.0.0.7");
  await scene.pass(1000);
  assert.deepEqual(listener.names, ["Anna", "near"]);
  await scene.announce(scene.segment.host("10.0.0.2"), "Ben", BEN);
  await scene.pass(5000);
  assert.deepEqual(listener.names, ["Anna", "near", "Ben"]);
});

seededTest("a name without its text is asked for, as tools announce it", 1, async (seed) => {
  await using scene = new LanScene(seed);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.pass(10_000);
  const target = shareName("Tool");
  const answers = [{ type: "PTR", name: SERVICE, ttlSeconds: 4500, target }] as const;
  scene.segment.inject(encodeDnsMessage(lanMessage({ isResponse: true, answers })), "10.0.0.66");
  const askedMs = scene.world.nowMs;
  await scene.pass(6000);
  const questions = scene.segment.said("10.0.0.9", askedMs).flatMap(({ questions }) => questions);
  assert.ok(questions.some(({ name, type }) => name === target && type === "TXT"));
  assert.deepEqual(listener.names, []);
});

seededTest("a machine that changes its network announces itself there", 2, async (seed) => {
  await using scene = new LanScene(seed);
  const host = scene.segment.host("10.0.0.1");
  await scene.announce(host, "Anna", ANNA);
  const listener = scene.browse(scene.segment.host("10.0.0.9"));
  await scene.pass(5000);
  host.interfaces = scene.segment.host("10.0.0.7").interfaces;
  await scene.pass(13_000);
  assert.deepEqual(listener.shares[0]?.addresses, ["10.0.0.1", "10.0.0.7"]);
  await scene.pass(120_000);
  assert.deepEqual(listener.shares[0]?.addresses, ["10.0.0.7"]);
});
