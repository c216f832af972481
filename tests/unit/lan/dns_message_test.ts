import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeDnsMessage,
  type DnsMessage,
  type DnsRecord,
  encodeDnsMessage,
  mentionsShares,
} from "../../../lib/lan/dns_message.ts";
import {
  MAX_LABEL_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_MESSAGE_ENTRIES,
} from "../../../lib/lan/limits.ts";
import { ALL_PARTS, recordsOf } from "../../../lib/lan/share_records.ts";
import { SERVICE } from "../../../lib/lan/service_names.ts";
import { encodeShareCode } from "../../../lib/rendezvous/share_code.ts";
import { lanCode, lanMessage } from "../../support/lan_scene.ts";

const SHARE = {
  label: "Anna’s laptop",
  hostName: "p2pft-0123456789abcdef.local",
  port: 4000,
  code: lanCode(1, "10.0.0.1"),
};
const HOSTS = [{ family: 4, host: "10.0.0.1" }, { family: 6, host: "fe80::1" }] as const;
const ANNOUNCEMENT = lanMessage({ isResponse: true, answers: recordsOf(SHARE, ALL_PARTS, HOSTS) });

function plain(record: DnsRecord): unknown {
  return record.type === "TXT"
    ? { ...record, strings: record.strings.map((bytes) => [...bytes]) }
    : record;
}

Deno.test("decodeDnsMessage reads what encodeDnsMessage writes", () => {
  const read = decodeDnsMessage(encodeDnsMessage(ANNOUNCEMENT));
  assert.deepEqual(read?.answers.map(plain), ANNOUNCEMENT.answers.map(plain));
  assert.equal(read.isResponse, true);
  const probe = lanMessage({
    questions: [{ name: SERVICE, type: "ANY" }],
    authorities: recordsOf(SHARE, ["srv", "txt"], []),
  });
  const readProbe = decodeDnsMessage(encodeDnsMessage(probe));
  assert.deepEqual(readProbe?.authorities.map(plain), probe.authorities.map(plain));
  assert.deepEqual(readProbe.questions.map(({ name, type }) => ({ name, type })), probe.questions);
});

Deno.test("encodeDnsMessage writes as RFC 6762 says", () => {
  const answers: DnsRecord[] = [{ type: "PTR", name: SERVICE, ttlSeconds: 120, target: "x.local" }];
  const ptr = encodeDnsMessage(lanMessage({ isResponse: true, answers }));
  // Id 0, response and authoritative, one answer; _p2pft _udp local, PTR, IN, 120 s, x.local.
  const name = "06" + hex("_p2pft") + "04" + hex("_udp") + "05" + hex("local") + "00";
  const target = "01" + hex("x") + "05" + hex("local") + "00";
  assert.equal(
    new Uint8Array(ptr).toHex(),
    `000084000000000100000000${name}000c000100000078${"0009"}${target}`,
  );
  const address: DnsRecord[] = [{ type: "A", name: "x.local", ttlSeconds: 120, host: "10.0.0.1" }];
  const unique = encodeDnsMessage(lanMessage({ isResponse: true, answers: address }));
  // The only one of its kind: the top bit of the class says that it replaces others.
  assert.ok(new Uint8Array(unique).toHex().endsWith(`${target}000180010000007800040a000001`));
  const known = encodeDnsMessage(lanMessage({ authorities: address }));
  assert.ok(new Uint8Array(known).toHex().endsWith(`${target}000100010000007800040a000001`));
});

function hex(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

Deno.test("encodeDnsMessage fits the longest announcement into one packet", () => {
  const address = { family: 6, host: "2001:db8:1111:2222:3333:4444:5555:6666" } as const;
  const candidates = Array.from({ length: 4 }, (_, index) => (
    { kind: "host", address: { ...address, port: 4000 + index } } as const
  ));
  const code = encodeShareCode({ t: new Uint8Array(16), mappingClass: "unknown", candidates });
  const share = { ...SHARE, label: "x".repeat(MAX_LABEL_BYTES), code };
  const hosts = [address, address, address, address];
  const answers = recordsOf(share, ALL_PARTS, hosts);
  // What every link of IPv6 carries, 1280 bytes, less its headers.
  assert.ok(encodeDnsMessage(lanMessage({ isResponse: true, answers })).length <= 1232);
});

Deno.test("decodeDnsMessage takes questions for an answer by unicast", () => {
  const bytes = encodeDnsMessage(lanMessage({ questions: [{ name: SERVICE, type: "PTR" }] }));
  bytes[bytes.length - 2]! |= 0x80;
  const questions = decodeDnsMessage(bytes)?.questions ?? [];
  assert.deepEqual(questions.map(({ name, type }) => [name, type]), [[SERVICE, "PTR"]]);
});

Deno.test("decodeDnsMessage leaves out other classes, and refuses errors and other operations", () => {
  const bytes = encodeDnsMessage(lanMessage({ questions: [{ name: SERVICE, type: "PTR" }] }));
  const chaos = bytes.slice();
  chaos[chaos.length - 1] = 3;
  assert.deepEqual(decodeDnsMessage(chaos)?.questions, []);
  for (const [index, value] of [[3, 0x03], [2, 0x28]] as const) {
    const odd = bytes.slice();
    odd[index] = value;
    assert.equal(decodeDnsMessage(odd), undefined);
  }
});

Deno.test("decodeDnsMessage refuses what is too long or has too much in it", () => {
  const questions = Array.from(
    { length: MAX_MESSAGE_ENTRIES + 1 },
    () => ({ name: "a", type: "PTR" }),
  );
  assert.equal(decodeDnsMessage(encodeDnsMessage(lanMessage({ questions }))), undefined);
  const most = encodeDnsMessage(lanMessage({ questions: questions.slice(1) }));
  assert.equal(decodeDnsMessage(most)?.questions.length, MAX_MESSAGE_ENTRIES);
  const long = new Uint8Array(MAX_MESSAGE_BYTES + 1);
  long.set(most);
  assert.equal(decodeDnsMessage(long), undefined);
  assert.notEqual(decodeDnsMessage(long.subarray(0, MAX_MESSAGE_BYTES)), undefined);
});

Deno.test("decodeDnsMessage never throws, and ends with names that point at themselves", () => {
  const self = Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 12, 0, 1]);
  assert.equal(decodeDnsMessage(self), undefined);
  const whole = encodeDnsMessage(ANNOUNCEMENT);
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 });
  fc.assert(
    fc.property(changes, fc.nat(whole.length), (changes, length) => {
      const bytes = whole.slice();
      for (const [index, value] of changes) bytes[index] = value;
      checkShape(decodeDnsMessage(bytes.subarray(0, length)));
      checkShape(decodeDnsMessage(bytes));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(3), (bytes, count) => {
      // Most random messages promise thousands of entries and say no more.
      for (let index = 4; index < Math.min(12, bytes.length); index++) bytes[index] = 0;
      if (bytes.length > 11) bytes.set([0, count, 0, count, 0, count, 0, count], 4);
      bytes.fill(0, 2, 4);
      checkShape(decodeDnsMessage(bytes));
    }),
    { numRuns: 3000 },
  );
});

function checkShape(message: DnsMessage | undefined): void {
  for (const record of [...message?.answers ?? [], ...message?.authorities ?? []]) {
    assert.equal(typeof record.name, "string");
    assert.ok(record.ttlSeconds >= 0);
    if (record.type === "PTR") assert.equal(typeof record.target, "string");
    if (record.type === "SRV") assert.equal(typeof record.target, "string");
    if (record.type === "TXT") {
      for (const string of record.strings) assert.ok(string instanceof Uint8Array);
    }
  }
}

Deno.test("mentionsShares finds our labels in any case, and nothing in what others say", () => {
  assert.equal(mentionsShares(encodeDnsMessage(ANNOUNCEMENT)), true);
  for (
    const [name, isOurs] of [
      ["_P2pFt._udp.local", true],
      ["p2pft-00.local", true],
      ["_services._dns-sd._udp.local", true],
      ["_ipp._tcp.local", false],
      ["p2pf.t.local", false],
    ] as const
  ) {
    const message = encodeDnsMessage(lanMessage({ questions: [{ name, type: "PTR" }] }));
    assert.equal(mentionsShares(message), isOurs, name);
  }
  assert.equal(mentionsShares(new Uint8Array(0)), false);
});
