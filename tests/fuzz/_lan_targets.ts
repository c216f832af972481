/** What neighbours on a local network say: messages of multicast DNS, and what becomes of them. */
import assert from "node:assert/strict";
import { ShareAnnouncer } from "../../lib/lan/announcer.ts";
import { ShareBrowser } from "../../lib/lan/browser.ts";
import { decodeDnsMessage, encodeDnsMessage } from "../../lib/lan/dns_message.ts";
import { MAX_MESSAGE_BYTES, MAX_SHARES_PER_SOURCE } from "../../lib/lan/limits.ts";
import { linksOf } from "../../lib/lan/link.ts";
import { SERVICE, shareName } from "../../lib/lan/service_names.ts";
import { ALL_PARTS, recordsOf, UNIQUE_PARTS } from "../../lib/lan/share_records.ts";
import { instant } from "../../lib/time.ts";
import { lanCode, lanMessage } from "../support/lan_scene.ts";
import { Prng } from "../support/prng.ts";
import type { FuzzTarget } from "./_engine.ts";

const LINKS = linksOf([
  { name: "eth0", address: "10.0.0.1", netmask: "255.255.255.0", scopeid: null },
]);
const ARRIVAL = { linkKey: LINKS[0]!.key, from: { family: 4, host: "10.0.0.66" } } as const;
const CODE = lanCode(1, "10.0.0.66");
const SHARE = { label: "Anna", hostName: "other.local", port: 4000, code: CODE };
const HOSTS = [{ family: 4, host: "10.0.0.66" }, { family: 6, host: "fe80::66" }] as const;

const questions = [{ name: SERVICE, type: "PTR" }, { name: shareName("Anna"), type: "ANY" }];
const authorities = recordsOf(SHARE, UNIQUE_PARTS, HOSTS);
const announcement = { isResponse: true, answers: recordsOf(SHARE, ALL_PARTS, HOSTS) };

const multicastDns: FuzzTarget = {
  name: "multicast DNS message",
  seeds: [
    lanMessage(announcement),
    lanMessage({ isResponse: true, answers: recordsOf(SHARE, ALL_PARTS, HOSTS, 0) }),
    lanMessage({ questions, answers: recordsOf(SHARE, ["shares"], HOSTS) }),
    lanMessage({ questions, authorities }),
    lanMessage({ isResponse: true, answers: recordsOf(SHARE, ["no-more", "srv"], HOSTS) }),
  ].map(encodeDnsMessage),
  inputs: 5000,
  check: (input) => {
    const message = decodeDnsMessage(input);
    if (message === undefined) return "none";
    assert.ok(input.length <= MAX_MESSAGE_BYTES);
    const words = [message.isResponse ? "response" : "query"];

    const random = new Prng(1);
    const browser = new ShareBrowser({ random });
    browser.handleLinks(instant(0), LINKS);
    browser.handleMessage(instant(0), message, ARRIVAL);
    let found = 0;
    for (let event = browser.pollEvent(); event; event = browser.pollEvent()) {
      assert.equal(event.type, "found");
      assert.ok(event.share.name.isWellFormed());
      found++;
    }
    assert.ok(found <= MAX_SHARES_PER_SOURCE);
    if (found > 0) words.push("found");
    browser.handleTimeout(instant(200));
    const query = browser.pollTransmit()?.message;
    if (query !== undefined) assert.notEqual(decodeDnsMessage(encodeDnsMessage(query)), undefined);
    if ((query?.questions.length ?? 0) > 1) words.push("asked");

    const announcer = new ShareAnnouncer({ name: "Anna", code: CODE, port: 1, random });
    announcer.handleLinks(instant(0), LINKS);
    // Once while it asks for the name, once when it has it.
    for (const atMs of [300, 20_000]) {
      for (let now = announcer.pollTimeout(); now <= atMs; now = announcer.pollTimeout()) {
        announcer.handleTimeout(now);
      }
      while (announcer.pollTransmit() !== undefined);
      announcer.handleMessage(instant(atMs), message, ARRIVAL);
      announcer.handleTimeout(instant(atMs + 600));
      if (announcer.pollTransmit() !== undefined) words.push(`answered at ${atMs}`);
    }
    if (announcer.label !== "Anna") words.push("renamed");
    return words.join(" ");
  },
};

/** All of them. */
export const LAN_TARGETS: readonly FuzzTarget[] = [multicastDns];
