import assert from "node:assert/strict";
import { isOnLink, linksOf } from "../../../lib/lan/link.ts";
import { MAX_LINKS } from "../../../lib/lan/limits.ts";
import { parseIpAddress } from "../../../lib/nat/address.ts";

const V6_MASK = "ffff:ffff:ffff:ffff::";
const INTERFACES = [
  { name: "lo", address: "127.0.0.1", netmask: "255.0.0.0", scopeid: null },
  { name: "lo", address: "::1", netmask: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", scopeid: 0 },
  { name: "eth0", address: "192.168.1.5", netmask: "255.255.255.0", scopeid: null },
  { name: "eth0", address: "10.9.0.5", netmask: "255.255.0.0", scopeid: null },
  { name: "eth0", address: "2001:db8::5", netmask: V6_MASK, scopeid: 0 },
  { name: "eth0", address: "fe80::5", netmask: V6_MASK, scopeid: 2 },
  { name: "tun0", address: "fd00::5", netmask: V6_MASK, scopeid: 0 },
];

Deno.test("linksOf finds a link for each interface and family that takes multicast", () => {
  const links = linksOf(INTERFACES);
  assert.deepEqual(
    links.map(({ family, interfaceName, scope }) => [family, interfaceName, scope]),
    [[4, "eth0", 0], [6, "eth0", 2]],
  );
  assert.deepEqual(links[0]!.hosts.map(({ host }) => host), [
    "192.168.1.5",
    "10.9.0.5",
    "2001:db8::5",
    "fe80::5",
  ]);
  assert.deepEqual(linksOf([]), []);
  const other = { ...INTERFACES[2]!, address: "192.168.1.6" };
  assert.notEqual(linksOf([other])[0]!.key, linksOf([INTERFACES[2]!])[0]!.key);
});

Deno.test("linksOf takes a bounded number of interfaces", () => {
  const many = Array.from({ length: 100 }, (_, index) => ({
    name: `veth${index}`,
    address: `10.0.${index}.1`,
    netmask: "255.255.255.0",
    scopeid: null,
  }));
  assert.equal(linksOf(many).length, MAX_LINKS);
});

Deno.test("isOnLink knows neighbours by the netmasks of all addresses", () => {
  const [v4, v6] = linksOf(INTERFACES);
  for (
    const [link, host, expected] of [
      [v4, "192.168.1.77", true],
      [v4, "10.9.200.1", true],
      [v4, "192.168.2.1", false],
      [v4, "203.0.113.1", false],
      [v4, "fe80::9", false],
      [v6, "fe80::9", true],
      [v6, "2001:db8::77", true],
      [v6, "2001:db8:0:1::1", false],
      [v6, "192.168.1.77", false],
    ] as const
  ) assert.equal(isOnLink(link!, parseIpAddress(host)!), expected, host);
});
