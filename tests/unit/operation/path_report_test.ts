import assert from "node:assert/strict";
import { parseIpAddress, parseSocketAddress } from "../../../lib/nat/address.ts";
import { pathEvent, routeTo } from "../../../lib/operation/path_report.ts";

Deno.test("routeTo tells this machine, the local network and the Internet apart", () => {
  const routes: readonly (readonly [string, string])[] = [
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["192.168.1.2", "lan"],
    ["10.1.2.3", "lan"],
    ["169.254.1.1", "lan"],
    ["fd00::1", "lan"],
    ["fe80::1", "lan"],
    ["8.8.8.8", "internet"],
    ["2606:4700::1", "internet"],
    ["100.64.1.1", "internet"],
  ];
  for (const [host, route] of routes) assert.equal(routeTo(parseIpAddress(host)!), route, host);
});

Deno.test("pathEvent says where a path leads, how it was made and how long a round trip takes", () => {
  const path = { socket: 3, remote: parseSocketAddress("[2606:4700::1]:5000")! };
  assert.deepEqual(pathEvent(2, path, { method: "punched", rttMs: 41.5 }), {
    event: "path",
    session: 2,
    address: "[2606:4700::1]:5000",
    family: 6,
    route: "internet",
    method: "punched",
    rttMs: 41.5,
  });
});
