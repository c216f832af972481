import assert from "node:assert/strict";
import { MemoryNetwork } from "../../../lib/transport/memory_network.ts";
import { outsideHelp } from "../../../lib/traversal/outside_help.ts";
import { DEFAULT_STUN_SERVERS } from "../../../lib/traversal/stun_servers.ts";

const sockets = [new MemoryNetwork().bind("10.0.0.1", 4000)];

Deno.test("outsideHelp asks public servers and the router for the system's sockets", () => {
  const help = { stunServers: DEFAULT_STUN_SERVERS, portMapping: true };
  assert.deepEqual(outsideHelp({}), help);
  assert.deepEqual(outsideHelp({ bind: { port: 4000 } }), help);
});

Deno.test("outsideHelp asks nobody for other sockets or instead of given addresses", () => {
  const nobody = { stunServers: [], portMapping: false };
  assert.deepEqual(outsideHelp({ sockets }), nobody);
  assert.deepEqual(outsideHelp({ addresses: ["192.0.2.1:4000"] }), nobody);
});

Deno.test("outsideHelp does as it is told, whatever the sockets", () => {
  const told = { stunServers: ["192.0.2.1"], portMapping: true };
  assert.deepEqual(outsideHelp({ ...told, sockets, addresses: ["192.0.2.1:4000"] }), told);
  const not = { stunServers: [], portMapping: false };
  assert.deepEqual(outsideHelp(not), not);
});

Deno.test("outsideHelp refuses a STUN server that is none", () => {
  assert.throws(() => outsideHelp({ stunServers: ["192.0.2.1", "host:port"] }), { code: "usage" });
});
