/**
 * `stun_server.ts` on real sockets: run in a namespace by `stun_service.ts`. Each argument is a
 * server, two IP addresses of one family with a comma between them; each listens at both addresses
 * on ports 3478 and 3479.
 */
import { parseIpAddress } from "../../lib/nat/address.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { answerLines } from "./line_process.ts";
import { answerStun, type StunServer, stunServerAddresses } from "./stun_server.ts";

const PORT = 3478;
const OTHER_PORT = 3479;

function serve(server: StunServer): void {
  const sockets = new Map(
    stunServerAddresses(server).map((address) => [`${address.host} ${address.port}`, address]),
  );
  const opened = new Map<string, DenoSocket>();
  for (const [key, address] of sockets) opened.set(key, new DenoSocket(address));
  for (const [key, address] of sockets) {
    opened.get(key)!.receive((datagram, from) => {
      const reply = answerStun(datagram, from, address, server);
      if (reply === undefined) return;
      const { host, port } = reply.fromAddress;
      opened.get(`${host} ${port}`)!.send(reply.bytes, from);
    });
  }
}

for (const argument of Deno.args) {
  const [primary, alternate] = argument.split(",").map((text) => parseIpAddress(text)!);
  serve({
    primary: { ...primary!, port: PORT },
    alternate: { ...alternate!, port: OTHER_PORT },
  });
}
await answerLines("{}", () => "{}");
