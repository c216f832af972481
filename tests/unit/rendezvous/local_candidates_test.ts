import assert from "node:assert/strict";
import fc from "fast-check";
import { formatSocketAddress, parseSocketAddress } from "../../../lib/nat/address.ts";
import type { Candidate } from "../../../lib/nat/candidate.ts";
import {
  chooseLocalCandidates,
  type LocalCandidateOptions,
  type LocalInterface,
} from "../../../lib/rendezvous/local_candidates.ts";

const EVERYWHERE = [
  { family: 4, host: "0.0.0.0", port: 4000 },
  { family: 6, host: "::", port: 4006 },
] as const;

const LOOPBACK: LocalInterface[] = [
  { name: "lo", address: "127.0.0.1" },
  { name: "lo", address: "::1" },
];
const WIFI: LocalInterface = { name: "wlan0", address: "192.168.1.20" };
const CABLE: LocalInterface = { name: "enp3s0", address: "10.0.0.5" };
const PUBLIC: LocalInterface = { name: "ppp0", address: "203.0.113.5" };
const DOCKER: LocalInterface = { name: "docker0", address: "172.17.0.1" };
const LINK_LOCAL_4: LocalInterface = { name: "enp3s0", address: "169.254.7.7" };
const LINK_LOCAL_6: LocalInterface = { name: "wlan0", address: "fe80::1" };
const GLOBAL_6: LocalInterface = { name: "wlan0", address: "2001:db8::20" };
const LOCAL_6: LocalInterface = { name: "wlan0", address: "fd00::20" };

function choose(
  interfaces: readonly LocalInterface[],
  options: Partial<LocalCandidateOptions> = {},
): string[] {
  const all = { bound: EVERYWHERE, allowLoopback: false, ...options };
  return chooseLocalCandidates(interfaces, all).map(({ kind, address }) =>
    `${kind} ${formatSocketAddress(address)}`
  );
}

function manual(text: string): Candidate {
  return { kind: "manual", address: parseSocketAddress(text)! };
}

Deno.test("chooseLocalCandidates takes IPv4 of real interfaces and leaves the rest out", () => {
  const interfaces = [...LOOPBACK, DOCKER, WIFI, LINK_LOCAL_4, LINK_LOCAL_6, GLOBAL_6, LOCAL_6];
  assert.deepEqual(choose(interfaces), ["host 192.168.1.20:4000"]);
});

Deno.test("chooseLocalCandidates puts global addresses first, then goes by name and number", () => {
  const second = { name: "wlan0", address: "192.168.1.3" };
  assert.deepEqual(choose([WIFI, CABLE, second, PUBLIC]), [
    "host 203.0.113.5:4000",
    "host 10.0.0.5:4000",
    "host 192.168.1.3:4000",
    "host 192.168.1.20:4000",
  ]);
});

Deno.test("chooseLocalCandidates takes at most four", () => {
  const interfaces = Array.from({ length: 9 }, (_, index) => ({
    name: `eth${index}`,
    address: `10.0.${index}.1`,
  }));
  assert.equal(choose(interfaces).length, 4);
});

Deno.test("chooseLocalCandidates falls back step by step when there is no IPv4", () => {
  assert.deepEqual(choose([...LOOPBACK, DOCKER, LINK_LOCAL_4, LOCAL_6, GLOBAL_6, LINK_LOCAL_6]), [
    "host [2001:db8::20]:4006",
  ]);
  assert.deepEqual(choose([...LOOPBACK, DOCKER, LINK_LOCAL_4, LOCAL_6]), ["host [fd00::20]:4006"]);
  assert.deepEqual(choose([...LOOPBACK, DOCKER, LINK_LOCAL_4]), ["host 169.254.7.7:4000"]);
  assert.deepEqual(choose([...LOOPBACK, DOCKER, { name: "veth12", address: "2001:db8::9" }]), [
    "host 172.17.0.1:4000",
  ]);
  assert.deepEqual(choose([{ name: "veth12", address: "2001:db8::9" }]), [
    "host [2001:db8::9]:4006",
  ]);
  assert.deepEqual(choose([...LOOPBACK, LINK_LOCAL_6]), []);
  assert.deepEqual(choose([]), []);
});

Deno.test("chooseLocalCandidates takes one IPv6 address of each interface", () => {
  const temporary = { name: "wlan0", address: "2001:db8::9999" };
  const other = { name: "enp3s0", address: "2001:db8:1::5" };
  assert.deepEqual(choose([temporary, GLOBAL_6, other]), [
    "host [2001:db8:1::5]:4006",
    "host [2001:db8::20]:4006",
  ]);
});

Deno.test("chooseLocalCandidates knows the interfaces of containers and virtual machines", () => {
  const names = ["docker0", "br-0a1b2c", "veth1a2b", "virbr0", "vmnet8", "vboxnet0", "podman0"];
  for (const name of [...names, "vEthernet (WSL)", "cni0", "lxdbr0", "bridge100", "awdl0"]) {
    assert.deepEqual(choose([{ name, address: "10.9.9.9" }, WIFI]), [
      "host 192.168.1.20:4000",
    ], name);
  }
  for (const name of ["eth0", "br0", "en0", "Ethernet", "Wi-Fi", "tun0", "wg0", "utun3", "bond0"]) {
    assert.equal(choose([{ name, address: "10.9.9.9" }, WIFI]).length, 2, name);
  }
});

Deno.test("chooseLocalCandidates adds one loopback address when allowed, whatever else is there", () => {
  const allowed = { allowLoopback: true };
  assert.deepEqual(choose([...LOOPBACK, WIFI], allowed), [
    "host 192.168.1.20:4000",
    "host 127.0.0.1:4000",
  ]);
  assert.deepEqual(choose(LOOPBACK, allowed), ["host 127.0.0.1:4000"]);
  assert.deepEqual(choose(LOOPBACK, { allowLoopback: true, bound: [EVERYWHERE[1]] }), [
    "host [::1]:4006",
  ]);
  const many = Array.from({ length: 9 }, (_, index) => ({
    name: `eth${index}`,
    address: `10.0.${index}.1`,
  }));
  const chosen = choose([...LOOPBACK, ...many], allowed);
  assert.equal(chosen.length, 4);
  assert.equal(chosen[3], "host 127.0.0.1:4000");
});

Deno.test("chooseLocalCandidates gives only what a socket is bound to", () => {
  const interfaces = [...LOOPBACK, WIFI, CABLE, GLOBAL_6];
  const cableOnly = [{ family: 4, host: "10.0.0.5", port: 7 }] as const;
  assert.deepEqual(choose(interfaces, { bound: cableOnly }), ["host 10.0.0.5:7"]);
  assert.deepEqual(choose(interfaces, { bound: [EVERYWHERE[1]] }), ["host [2001:db8::20]:4006"]);
  const loopbackOnly = [{ family: 4, host: "127.0.0.1", port: 7 }] as const;
  assert.deepEqual(choose(interfaces, { bound: loopbackOnly }), []);
  assert.deepEqual(choose(interfaces, { bound: loopbackOnly, allowLoopback: true }), [
    "host 127.0.0.1:7",
  ]);
  assert.deepEqual(choose(interfaces, { bound: [] }), []);
});

Deno.test("chooseLocalCandidates puts manual candidates first and nothing in twice", () => {
  assert.deepEqual(choose([WIFI, CABLE], { manual: [manual("203.0.113.9:5000")] }), [
    "manual 203.0.113.9:5000",
    "host 10.0.0.5:4000",
    "host 192.168.1.20:4000",
  ]);
  assert.deepEqual(choose([WIFI, CABLE], { manual: [manual("192.168.1.20:4000")] }), [
    "manual 192.168.1.20:4000",
    "host 10.0.0.5:4000",
  ]);
  const four = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.1:4"].map(manual);
  assert.deepEqual(
    choose([...LOOPBACK, WIFI], { manual: four, allowLoopback: true }),
    four.map(({ address }) => `manual ${formatSocketAddress(address)}`),
  );
});

Deno.test("chooseLocalCandidates does not depend on the order of the interfaces", () => {
  const all = [...LOOPBACK, WIFI, CABLE, PUBLIC, DOCKER, GLOBAL_6, LOCAL_6, LINK_LOCAL_4];
  const shuffled = fc.shuffledSubarray(all, { minLength: 0 });
  fc.assert(fc.property(shuffled, fc.boolean(), (interfaces, allowLoopback) => {
    const sorted = all.filter((entry) => interfaces.includes(entry));
    assert.deepEqual(choose(interfaces, { allowLoopback }), choose(sorted, { allowLoopback }));
  }));
});

Deno.test("chooseLocalCandidates passes over what is no address", () => {
  const interfaces = [
    { name: "eth0", address: "fe80::1%eth0" },
    { name: "eth1", address: "" },
    { name: "eth2", address: "0.0.0.0" },
    { name: "eth3", address: "224.0.0.1" },
    WIFI,
  ];
  assert.deepEqual(choose(interfaces), ["host 192.168.1.20:4000"]);
});
