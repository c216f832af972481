import assert from "node:assert/strict";
import { broadcastAddresses } from "../../../lib/transport/own_broadcast.ts";

Deno.test("broadcastAddresses sets all bits of the host's part", () => {
  const found = broadcastAddresses([
    { address: "192.168.1.20", netmask: "255.255.255.0" },
    { address: "10.1.2.3", netmask: "255.255.252.0" },
    { address: "172.16.5.9", netmask: "255.240.0.0" },
    { address: "100.64.0.1", netmask: "255.255.255.252" },
  ]);
  assert.deepEqual([...found], ["192.168.1.255", "10.1.3.255", "172.31.255.255", "100.64.0.3"]);
});

Deno.test("broadcastAddresses finds none in IPv6 and in networks of one or two addresses", () => {
  const found = broadcastAddresses([
    { address: "44.0.1.1", netmask: "255.255.255.255" },
    { address: "44.0.1.2", netmask: "255.255.255.254" },
    { address: "2001:db8::1", netmask: "ffff:ffff:ffff:ffff::" },
  ]);
  assert.deepEqual([...found], []);
});
