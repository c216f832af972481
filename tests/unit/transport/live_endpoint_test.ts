import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { LiveEndpoint } from "../../../lib/transport/live_endpoint.ts";
import { MemoryNetwork } from "../../../lib/transport/memory_network.ts";
import { SimWorld } from "../../support/sim_world.ts";

Deno.test("LiveEndpoint finds paths and addresses on its main sockets only", () => {
  const world = new SimWorld(1);
  const network = new MemoryNetwork();
  const main = network.bind("10.0.0.1", 4000);
  const live = new LiveEndpoint({
    sockets: [main],
    provider: nodeProvider,
    random: world.prng,
    clock: world.clock,
  }, () => {});
  const index = live.addSocket(network.bind("fd00::1", 4001));
  assert.equal(index, 1);
  assert.deepEqual(live.localAddresses, [main.localAddress]);
  assert.deepEqual(live.localSockets, [{ index: 0, local: main.localAddress }]);
  const remotes = [
    { family: 4, host: "10.0.0.2", port: 1 },
    { family: 6, host: "fd00::2", port: 1 },
  ] as const;
  assert.deepEqual(live.pathsTo(remotes), [{ socket: 0, remote: remotes[0] }]);
  assert.deepEqual([...live.sockets.keys()], [0, 1]);
  assert.equal(live.canLimitHops(index), true);
  live.removeSocket(index);
  live.removeSocket(index);
  assert.deepEqual([...live.sockets.keys()], [0]);
  assert.equal(live.canLimitHops(index), false);
  network.bind("fd00::1", 4001).close(); // its port is free again
  live.close();
  network.bind("10.0.0.1", 4000).close();
});
