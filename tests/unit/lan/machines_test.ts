/**
 * Goal: whatever neighbours say, announcer and browser do not throw, keep their bounds, and ask for
 * their next turn in the future.
 * Method: random sequences of messages made of what matters to them, turns and changes of links.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ShareAnnouncer } from "../../../lib/lan/announcer.ts";
import { ShareBrowser } from "../../../lib/lan/browser.ts";
import type { DnsMessage, DnsRecord } from "../../../lib/lan/dns_message.ts";
import { MAX_SHARES } from "../../../lib/lan/limits.ts";
import { linksOf } from "../../../lib/lan/link.ts";
import type { LanMachine } from "../../../lib/lan/machine.ts";
import { SERVICE, SERVICE_LIST, shareName } from "../../../lib/lan/service_names.ts";
import { recordsOf } from "../../../lib/lan/share_records.ts";
import { encodeShareText } from "../../../lib/lan/share_text.ts";
import { type Instant, instant } from "../../../lib/time.ts";
import { lanCode, lanMessage } from "../../support/lan_scene.ts";
import { Prng } from "../../support/prng.ts";

const LINKS = linksOf(["10.0.0.1", "10.1.0.1"].map((address, index) => (
  { name: `eth${index}`, address, netmask: "255.255.255.0", scopeid: null }
)));

const label = fc.constantFrom(
  "Anna",
  "anna (2)",
  "Ben",
  "a.b",
  "\u202e",
  ...Array(80).keys().map(String),
);
const name = fc.oneof(label.map(shareName), fc.constantFrom(SERVICE, SERVICE_LIST, "x.local", ""));
const strings = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 80 }), fc.constantFrom("10.0.0.1", "10.0.0.2"))
    .map(([share, host]) => encodeShareText(lanCode(share, host))),
  fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 3 }),
);
const ttlSeconds = fc.constantFrom(0, 1, 120, 2 ** 32 - 1);
const record: fc.Arbitrary<DnsRecord> = fc.oneof(
  fc.record({ type: fc.constant("PTR" as const), name, ttlSeconds, target: name }),
  fc.record({ type: fc.constant("TXT" as const), name, ttlSeconds, strings }),
  fc.record({
    type: fc.constant("SRV" as const),
    name,
    ttlSeconds,
    priority: fc.constant(0),
    weight: fc.constant(0),
    port: fc.integer({ min: 0, max: 65_535 }),
    target: name,
  }),
);
const records = fc.array(record, { maxLength: 6 });
const message: fc.Arbitrary<DnsMessage> = fc.record({
  isResponse: fc.boolean(),
  isTruncated: fc.boolean(),
  questions: fc.array(fc.record({ name, type: fc.constantFrom("PTR", "TXT", "ANY", "A") })),
  answers: records,
  authorities: records,
  additionals: fc.constant([]),
});
const step = fc.record({
  message,
  from: fc.integer({ min: 1, max: 30 }).map((last) => `10.0.0.${last}`),
  link: fc.integer({ min: 0, max: 1 }),
  passMs: fc.constantFrom(0, 10, 300, 1000, 100_000),
  linkCount: fc.integer({ min: 0, max: 2 }),
});

/** Gives a machine its turns until `end`. @returns How many messages it sent. */
function run(machine: LanMachine, now: Instant, end: Instant, onTurn: () => void): number {
  let sent = 0;
  let turns = 0;
  for (let next = now; next <= end; next = machine.pollTimeout()) {
    machine.handleTimeout(instant(Math.max(next, now)));
    while (machine.pollTransmit() !== undefined) sent++;
    assert.ok(machine.pollTimeout() > Math.max(next, now), "a turn that is due already");
    assert.ok(++turns < 10_000, "too many turns");
    onTurn();
  }
  return sent;
}

function checkMachine(make: () => [machine: LanMachine, onTurn: () => void]): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [machine, onTurn] = make();
      let now = instant(0);
      let sent = 0;
      machine.handleLinks(now, LINKS);
      for (const { message, from, link, passMs, linkCount } of steps) {
        const arrival = { linkKey: LINKS[link]!.key, from: { family: 4, host: from } } as const;
        machine.handleMessage(now, message, arrival);
        if (linkCount > 0) machine.handleLinks(now, LINKS.slice(0, linkCount));
        const end = instant(now + passMs);
        sent += run(machine, now, end, onTurn);
        now = end;
      }
      // Four a second through each link is the most, when somebody is about to take the name.
      const most = (now / 250 + 12 * (steps.length + 1)) * LINKS.length;
      assert.ok(sent <= most, `${sent} messages in ${now} ms`);
    }),
    { numRuns: 300 },
  );
}

Deno.test("ShareAnnouncer takes any messages", () => {
  checkMachine(() => {
    const code = lanCode(1, "10.0.0.1");
    const options = { name: "Anna", code, port: 4000, random: new Prng(1) };
    const announcer = new ShareAnnouncer(options);
    return [announcer, () => assert.ok(announcer.label.startsWith("Anna"))];
  });
});

Deno.test("ShareBrowser takes any messages, and tells what fits together [LAN-1]", () => {
  checkMachine(() => {
    const browser = new ShareBrowser({ random: new Prng(1) });
    const known = new Set<string>();
    const onTurn = () => {
      for (let event = browser.pollEvent(); event; event = browser.pollEvent()) {
        const { type, share } = event;
        assert.equal(known.has(share.id), type !== "found", type);
        if (type === "gone") known.delete(share.id);
        else known.add(share.id);
        assert.ok(share.addresses.length > 0);
      }
      assert.ok(known.size <= MAX_SHARES);
    };
    return [browser, onTurn];
  });
});

Deno.test("ShareAnnouncer answers one question as often as it is asked, at most once a second [LAN-2]", () => {
  const code = lanCode(1, "10.0.0.1");
  const announcer = new ShareAnnouncer({ name: "Anna", code, port: 1, random: new Prng(1) });
  announcer.handleLinks(instant(0), LINKS.slice(0, 1));
  run(announcer, instant(0), instant(20_000), () => {});
  const ask = (ms: number, part: Partial<DnsMessage> = {}) => {
    const questions = [{ name: SERVICE, type: "PTR" }];
    const from = { family: 4, host: "10.0.0.9" } as const;
    const arrival = { linkKey: LINKS[0]!.key, from };
    announcer.handleMessage(instant(ms), lanMessage({ questions, ...part }), arrival);
    return run(announcer, instant(ms), instant(ms + 500), () => {});
  };
  assert.equal(ask(20_000), 1);
  assert.equal(ask(20_500), 0);
  assert.equal(run(announcer, instant(21_000), instant(23_000), () => {}), 1);
  const target = shareName("Anna");
  const answers: DnsRecord[] = [{ type: "PTR", name: SERVICE, ttlSeconds: 100, target }];
  assert.equal(ask(24_000, { answers }), 0);
  assert.equal(ask(25_000, { isTruncated: true }), 1);
});

Deno.test("ShareAnnouncer keeps its name when a rival is heard twice and then gives in [LAN-3]", () => {
  const code = lanCode(1, "10.0.0.1");
  const announcer = new ShareAnnouncer({ name: "Anna", code, port: 1, random: new Prng(1) });
  announcer.handleLinks(instant(0), LINKS);
  run(announcer, instant(0), instant(20_000), () => {});
  const rival = { label: "Anna", hostName: "other.local", port: 1, code };
  const message = lanMessage({ isResponse: true, answers: recordsOf(rival, ["srv"], []) });
  for (const { key: linkKey } of LINKS) {
    const from = { family: 4, host: "10.0.0.66" } as const;
    announcer.handleMessage(instant(20_000), message, { linkKey, from });
  }
  assert.equal(announcer.isAnnounced, false);
  run(announcer, instant(20_000), instant(22_000), () => {});
  assert.deepEqual([announcer.label, announcer.isAnnounced], ["Anna", true]);
});

Deno.test("ShareAnnouncer lets nobody but who asked say that an answer is known [LAN-6]", () => {
  const code = lanCode(1, "10.0.0.1");
  for (const [rest, expected] of [["10.0.0.9", 0], ["10.0.0.66", 1]] as const) {
    const announcer = new ShareAnnouncer({ name: "Anna", code, port: 1, random: new Prng(1) });
    announcer.handleLinks(instant(0), LINKS.slice(0, 1));
    run(announcer, instant(0), instant(5000), () => {});
    const say = (host: string, part: Partial<DnsMessage>) => {
      const arrival = { linkKey: LINKS[0]!.key, from: { family: 4, host } } as const;
      announcer.handleMessage(instant(6000), lanMessage(part), arrival);
    };
    say("10.0.0.9", { isTruncated: true, questions: [{ name: SERVICE, type: "PTR" }] });
    const target = shareName("Anna");
    say(rest, { answers: [{ type: "PTR", name: SERVICE, ttlSeconds: 100, target }] });
    assert.equal(run(announcer, instant(6000), instant(7000), () => {}), expected);
  }
});
