/** STUN servers in a simulated internet: `stun_server.ts` on hosts of its own. */
import { isSameSocketAddress, type SocketAddress } from "../../lib/nat/address.ts";
import type { SimHost, SimInternet } from "./sim_internet.ts";
import { answerStun, type StunServer, stunServerAddresses } from "./stun_server.ts";

/** Puts a server, with all its addresses, into the core. */
export function addStunServer(internet: SimInternet, server: StunServer): void {
  const hosts = new Map<string, SimHost>();
  const sockets: { host: SimHost; socket: number; address: SocketAddress }[] = [];
  for (const address of stunServerAddresses(server)) {
    let host = hosts.get(address.host);
    if (host === undefined) {
      host = internet.core.addHost(address.host);
      hosts.set(address.host, host);
      const own = host;
      own.onDatagram = (datagram, socket, from) => {
        const at = own.localAddress(socket);
        const reply = answerStun(datagram, from, at, server);
        if (reply === undefined) return;
        const source = sockets.find(({ address }) =>
          isSameSocketAddress(address, reply.fromAddress)
        )!;
        source.host.send(source.socket, reply.bytes, from);
      };
    }
    sockets.push({ host, socket: host.openSocket(address.family, address.port), address });
  }
}
