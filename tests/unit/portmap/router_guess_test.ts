import assert from "node:assert/strict";
import fc from "fast-check";
import {
  guessRouters,
  parseRouteTable,
  privateNetworks,
} from "../../../lib/portmap/router_guess.ts";

function guesses(address: string, netmask?: string, known: string[] = []): string[] {
  const [network] = privateNetworks([{
    name: "eth0",
    address,
    ...(netmask === undefined ? {} : { netmask }),
  }]);
  const routers = known.map((host) => ({ family: 4, host } as const));
  return guessRouters(network!, routers).map(({ host }) => host);
}

Deno.test("guessRouters tries the first and the last address of a network", () => {
  assert.deepEqual(guesses("192.168.1.20", "255.255.255.0"), ["192.168.1.1", "192.168.1.254"]);
  assert.deepEqual(guesses("192.168.1.20"), ["192.168.1.1", "192.168.1.254"]);
  assert.deepEqual(guesses("172.20.10.3", "255.255.255.240"), ["172.20.10.1", "172.20.10.14"]);
});

Deno.test("guessRouters tries those of the /24 in a larger network, too", () => {
  assert.deepEqual(guesses("10.3.4.5", "255.0.0.0"), [
    "10.0.0.1",
    "10.255.255.254",
    "10.3.4.1",
    "10.3.4.254",
  ]);
});

Deno.test("guessRouters never names this machine", () => {
  assert.deepEqual(guesses("172.17.0.1", "255.255.255.0"), ["172.17.0.254"]);
  assert.deepEqual(guesses("10.8.0.6", "255.255.255.255"), []);
  assert.deepEqual(guesses("10.8.0.6", "255.255.255.254"), ["10.8.0.7"]);
});

Deno.test("guessRouters takes known routers of the network in place of guesses", () => {
  const known = ["10.0.0.1", "192.168.1.77"];
  assert.deepEqual(guesses("192.168.1.20", "255.255.255.0", known), ["192.168.1.77"]);
  assert.deepEqual(guesses("192.168.2.20", "255.255.255.0", known), [
    "192.168.2.1",
    "192.168.2.254",
  ]);
});

Deno.test("guessRouters names at most four neighbours, whatever the mask", () => {
  const mask = fc.oneof(fc.ipV4(), fc.constantFrom("255.255.0.0", "0.0.0.0", "255.255.255.252"));
  fc.assert(fc.property(fc.nat({ max: 0xffffff }), mask, (host, netmask) => {
    const own = `10.${host >>> 16}.${(host >>> 8) & 255}.${host & 255}`;
    const all = guesses(own, netmask);
    assert.ok(all.length <= 4 && new Set(all).size === all.length && !all.includes(own));
  }));
});

Deno.test("privateNetworks leaves out what is no private IPv4 network", () => {
  const addresses = [
    "127.0.0.1",
    "203.0.113.5",
    "169.254.1.1",
    "fd00::1",
    "fe80::1%eth0",
    "nonsense",
  ];
  assert.deepEqual(privateNetworks(addresses.map((address) => ({ name: "x", address }))), []);
  assert.equal(privateNetworks([{ name: "x", address: "100.64.0.9" }]).length, 1);
});

Deno.test("parseRouteTable finds the routers of default routes", () => {
  const table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n" +
    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n" +
    "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n" +
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\n" +
    "wlan0\t00000000\tFE02A8C0\t0002\t0\t0\t600\t00000000\n" +
    "tun0\t00000000\t0100080A\t0003\t0\t0\t50\t00000000\n";
  assert.deepEqual(parseRouteTable(table).map(({ host }) => host), ["192.168.1.1", "10.8.0.1"]);
});

Deno.test("parseRouteTable never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parseRouteTable(`head\nx\t00000000\t${text}\t0003`);
  }));
});
