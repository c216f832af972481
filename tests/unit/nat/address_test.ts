import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addressScope,
  formatSocketAddress,
  ipAddressFromBytes,
  ipAddressToBytes,
  isSameSocketAddress,
  parseIpAddress,
  parseSocketAddress,
  splitHostPort,
} from "../../../lib/nat/address.ts";

Deno.test("parseIpAddress gives the canonical text of RFC 5952", () => {
  const cases: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["0:0:0:0:0:0:0:0", "::"],
    // RFC 5952, section 2 and 4: all of these are one address, or have one right form.
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8::AAAA", "2001:db8::aaaa"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
    ["::ffff:192.0.2.128", "192.0.2.128"],
    ["::FFFF:c000:0280", "192.0.2.128"],
    ["0:0:0:0:0:ffff:7f00:1", "127.0.0.1"],
  ];
  for (const [text, host] of cases) {
    const address = parseIpAddress(text);
    assert.equal(address?.host, host, text);
    assert.equal(address?.family, host.includes(":") ? 6 : 4, text);
  }
});

Deno.test("parseIpAddress refuses what is not exactly an address", () => {
  const wrong = [
    "",
    " ",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.04",
    "01.2.3.4",
    "00.0.0.0",
    "1.2.3.+4",
    "1.2.3.-4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.0x4",
    "1.2.3.1e1",
    "1.2.3.",
    "1.2..4",
    "0x7f000001",
    "2130706433",
    "localhost",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "1::2::3",
    "12345::",
    "g::",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3.04",
    "::1.2.3",
    "1:2:3:4:5:6:7:1.2.3.4",
    "[::1]",
    "fe80::1%eth0",
    "::1%",
    "٣.2.3.4",
    "1".repeat(100_000),
    ":".repeat(100_000),
  ];
  for (const text of wrong) assert.equal(parseIpAddress(text), undefined, text.slice(0, 60));
});

Deno.test("parseSocketAddress takes a port where one belongs", () => {
  const cases: [string, number | undefined, string | undefined][] = [
    ["1.2.3.4:5", undefined, "1.2.3.4:5"],
    ["1.2.3.4:65535", undefined, "1.2.3.4:65535"],
    ["[::1]:5", undefined, "[::1]:5"],
    ["[::ffff:1.2.3.4]:5", undefined, "1.2.3.4:5"],
    ["1.2.3.4", 9, "1.2.3.4:9"],
    ["1.2.3.4:5", 9, "1.2.3.4:5"],
    ["::1", 9, "[::1]:9"],
    ["[::1]", 9, "[::1]:9"],
    ["1::5", 9, "[1::5]:9"],
    ["1.2.3.4", undefined, undefined],
    ["::1", undefined, undefined],
    ["[::1]", undefined, undefined],
    ["1.2.3.4:", 9, undefined],
    ["1.2.3.4:0", 9, undefined],
    ["1.2.3.4:05", 9, undefined],
    ["1.2.3.4:65536", 9, undefined],
    ["1.2.3.4:99999", 9, undefined],
    ["1.2.3.4:+5", 9, undefined],
    ["1.2.3.4:5x", 9, undefined],
    ["[1.2.3.4]:5", 9, undefined],
    ["[::1]5", 9, undefined],
    ["[::1", 9, undefined],
    ["[]:5", 9, undefined],
    [":5", 9, undefined],
    ["host:5", 9, undefined],
  ];
  for (const [text, defaultPort, expected] of cases) {
    const address = parseSocketAddress(text, defaultPort);
    assert.equal(address && formatSocketAddress(address), expected, text);
  }
});

Deno.test("splitHostPort leaves names alone", () => {
  assert.deepEqual(splitHostPort("host.example:80"), {
    host: "host.example",
    port: 80,
    bracketed: false,
  });
  assert.deepEqual(splitHostPort("host.example"), { host: "host.example", bracketed: false });
  assert.equal(splitHostPort("host.example:http"), undefined);
});

Deno.test("parseIpAddress, parseSocketAddress and splitHostPort never throw", () => {
  const piece = fc.constantFrom("0", "1", "255", "256", ".", ":", "::", "[", "]", "ffff", "%", "a");
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.array(piece).map((all) => all.join("")));
  fc.assert(fc.property(text, (text) => {
    const address = parseIpAddress(text);
    if (address !== undefined) assert.deepEqual(parseIpAddress(address.host), address);
    parseSocketAddress(text, 1);
    splitHostPort(text);
  }));
});

Deno.test("ipAddressFromBytes and ipAddressToBytes are inverse, through text too", () => {
  // Runs of zeros are what the short form is about, so bytes are zero more often than chance.
  const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  const bytes = fc.oneof(
    fc.array(byte, { minLength: 4, maxLength: 4 }),
    fc.array(byte, { minLength: 16, maxLength: 16 }),
  ).map((all) => new Uint8Array(all));
  fc.assert(fc.property(bytes, fc.integer({ min: 1, max: 65_535 }), (bytes, port) => {
    const address = ipAddressFromBytes(bytes)!;
    assert.deepEqual(ipAddressToBytes(address), bytes);
    assert.deepEqual(parseIpAddress(address.host), address);
    const socketAddress = { ...address, port };
    assert.deepEqual(parseSocketAddress(formatSocketAddress(socketAddress)), socketAddress);
  }));
});

Deno.test("ipAddressFromBytes makes mapped addresses IPv4 and refuses other lengths", () => {
  const mapped = ipAddressToBytes({ family: 6, host: "::ffff:0:0" });
  mapped.set([192, 0, 2, 1], 12);
  assert.deepEqual(ipAddressFromBytes(mapped), { family: 4, host: "192.0.2.1" });
  for (const length of [0, 1, 3, 5, 15, 17]) {
    assert.equal(ipAddressFromBytes(new Uint8Array(length)), undefined);
  }
});

Deno.test("ipAddressToBytes throws on a host that is not of its family", () => {
  assert.throws(() => ipAddressToBytes({ family: 4, host: "::1" }), RangeError);
  assert.throws(() => ipAddressToBytes({ family: 6, host: "127.0.0.1" }), RangeError);
});

Deno.test("isSameSocketAddress compares host and port", () => {
  const address = { family: 4, host: "192.0.2.1", port: 5 } as const;
  assert.equal(isSameSocketAddress(address, { ...address }), true);
  assert.equal(isSameSocketAddress(address, { ...address, port: 6 }), false);
  assert.equal(isSameSocketAddress(address, { ...address, host: "192.0.2.2" }), false);
});

Deno.test("addressScope knows the borders of every range", () => {
  const cases: [string, string][] = [
    ["0.0.0.0", "unspecified"],
    ["0.255.255.255", "unspecified"],
    ["1.0.0.0", "global"],
    ["9.255.255.255", "global"],
    ["10.0.0.0", "private"],
    ["10.255.255.255", "private"],
    ["11.0.0.0", "global"],
    ["100.63.255.255", "global"],
    ["100.64.0.0", "shared"],
    ["100.127.255.255", "shared"],
    ["100.128.0.0", "global"],
    ["126.255.255.255", "global"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.255", "loopback"],
    ["128.0.0.0", "global"],
    ["169.253.255.255", "global"],
    ["169.254.0.1", "link_local"],
    ["169.255.0.0", "global"],
    ["172.15.255.255", "global"],
    ["172.16.0.0", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "global"],
    ["192.167.255.255", "global"],
    ["192.168.0.0", "private"],
    ["192.168.255.255", "private"],
    ["192.169.0.0", "global"],
    ["223.255.255.255", "global"],
    ["224.0.0.0", "multicast"],
    ["239.255.255.255", "multicast"],
    ["240.0.0.0", "reserved"],
    ["255.255.255.254", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::2", "global"],
    ["1::1", "global"],
    ["fbff::1", "global"],
    ["fc00::1", "unique_local"],
    ["fdff::1", "unique_local"],
    ["fe00::1", "global"],
    ["fe80::1", "link_local"],
    ["febf::1", "link_local"],
    ["fec0::1", "global"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "global"],
  ];
  for (const [text, scope] of cases) assert.equal(addressScope(parseIpAddress(text)!), scope, text);
});
