/**
 * A process of its own for the tests of port mapping: maps the port given as its argument, prints
 * what happens as lines of JSON, and closes the mapping when its input ends.
 */
import { openPortMapping } from "../../lib/portmap/port_mapping.ts";
import { systemClock } from "../../lib/transport/clock.ts";
import { openSocket } from "../../lib/transport/open_socket.ts";
import { systemRandom } from "../../lib/transport/random.ts";

const internalPort = Number(Deno.args[0]);
const print = (line: unknown): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
};

const socket = await openSocket({ family: 4, host: "0.0.0.0", port: internalPort });
void socket.receive((datagram) => print({ received: new TextDecoder().decode(datagram) }));

const mapping = openPortMapping({
  internalPort,
  interfaces: Deno.networkInterfaces(),
  clock: systemClock,
  random: systemRandom,
  onChange: (mapped) => print({ mapped: mapped ?? null }),
  onRouterAddress: ({ host }) => print({ routerAddress: host }),
});

for await (const _ of Deno.stdin.readable);
print({ outcomes: mapping.outcomes });
await mapping.close();
print({ closed: true });
socket.close();
