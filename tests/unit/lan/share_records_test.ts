import assert from "node:assert/strict";
import type { DnsRecord } from "../../../lib/lan/dns_message.ts";
import {
  companionsOf,
  compareClaims,
  isKnownAnswer,
  isRivalClaim,
  partsAsked,
  recordsOf,
} from "../../../lib/lan/share_records.ts";
import { SERVICE, SERVICE_LIST, shareName } from "../../../lib/lan/service_names.ts";
import { lanCode } from "../../support/lan_scene.ts";

const SHARE = {
  label: "Anna",
  hostName: "p2pft-ab.local",
  port: 4000,
  code: lanCode(1, "10.0.0.1"),
};
const HOSTS = [{ family: 4, host: "10.0.0.1" }] as const;

function asked(name: string, type: string): string[] {
  return partsAsked(SHARE, { name, type }, HOSTS);
}

Deno.test("partsAsked answers what is asked, and that there is no more", () => {
  assert.deepEqual(asked(SERVICE_LIST, "PTR"), ["services"]);
  assert.deepEqual(asked("_P2PFT._udp.LOCAL", "PTR"), ["shares"]);
  assert.deepEqual(asked(SERVICE, "TXT"), []);
  assert.deepEqual(asked("anna._p2pft._udp.local", "SRV"), ["srv"]);
  assert.deepEqual(asked(shareName("Anna"), "TXT"), ["txt"]);
  assert.deepEqual(asked(shareName("Anna"), "ANY"), ["srv", "txt"]);
  assert.deepEqual(asked(shareName("Anna"), "A"), ["no-more"]);
  assert.deepEqual(asked("p2pft-ab.local", "A"), ["host"]);
  assert.deepEqual(asked("p2pft-ab.local", "AAAA"), ["no-more-host"]);
  assert.deepEqual(asked(shareName("Ben"), "ANY"), []);
  assert.deepEqual(asked("printer.local", "A"), []);
});

Deno.test("companionsOf adds what is asked for next, once", () => {
  assert.deepEqual(companionsOf(["shares"]), ["srv", "txt", "host"]);
  assert.deepEqual(companionsOf(["shares", "txt", "services"]), ["srv", "host"]);
  assert.deepEqual(companionsOf(["txt"]), []);
});

Deno.test("isKnownAnswer takes an answer that is good for half its time yet", () => {
  const known = { type: "PTR", name: SERVICE, ttlSeconds: 60, target: "anna._p2pft._udp.local" };
  assert.equal(isKnownAnswer(SHARE, "shares", known as DnsRecord), true);
  for (const change of [{ ttlSeconds: 59 }, { target: shareName("Ben") }, { name: SERVICE_LIST }]) {
    assert.equal(isKnownAnswer(SHARE, "shares", { ...known, ...change } as DnsRecord), false);
  }
  assert.equal(isKnownAnswer(SHARE, "services", known as DnsRecord), false);
});

Deno.test("compareClaims decides for one of two [LAN-3]", () => {
  const name = shareName("Anna");
  const claim = (share: Partial<typeof SHARE>) =>
    recordsOf({ ...SHARE, ...share }, ["srv", "txt"], []);
  const ours = claim({});
  const others = [{ port: 4001 }, { port: 3 }, { hostName: "p2pft-aa.local" }, { code: "p2p1x" }];
  for (const other of others) {
    const order = compareClaims(name, ours, claim(other));
    assert.notEqual(order, 0);
    assert.equal(Math.sign(compareClaims(name, claim(other), ours)), -Math.sign(order));
  }
  assert.equal(compareClaims(name, ours, claim({}).reverse()), 0);
  assert.ok(compareClaims(name, ours, claim({ port: 4001 })) < 0);
  // Who claims less loses, and what is not about the name does not count.
  assert.ok(compareClaims(name, ours, ours.slice(1)) > 0);
  assert.ok(compareClaims(name, ours, claim({ label: "Ben" })) > 0);
});

Deno.test("isRivalClaim is what another process says of the name [LAN-3]", () => {
  const [srv] = recordsOf({ ...SHARE, hostName: "other.local" }, ["srv"], []);
  assert.equal(isRivalClaim(SHARE, srv!), true);
  assert.equal(isRivalClaim(SHARE, { ...srv!, name: shareName("ANNA") } as DnsRecord), true);
  assert.equal(isRivalClaim(SHARE, { ...srv!, ttlSeconds: 0 } as DnsRecord), false);
  assert.equal(isRivalClaim(SHARE, { ...srv!, name: shareName("Ben") } as DnsRecord), false);
  assert.ok(recordsOf(SHARE, ["srv", "txt"], HOSTS).every((own) => !isRivalClaim(SHARE, own)));
});
