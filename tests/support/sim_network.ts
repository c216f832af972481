/**
 * An in-memory network whose datagrams travel over the links of a world: whole programs run on it
 * in virtual time, with sockets they cannot tell from the system's.
 */
import { MemoryNetwork } from "../../lib/transport/memory_network.ts";
import type { LinkOptions } from "./link.ts";
import type { SimLink, SimWorld } from "./sim_world.ts";

/** A network in a world. */
export class SimNetwork {
  /** Where sockets are bound. */
  readonly network: MemoryNetwork;
  readonly #links = new Map<string, SimLink>();

  /**
   * @param optionsOf What the path from one host to another is like; asked once per ordered pair,
   * when the first datagram wants to go there. All ports of a pair of hosts share one link.
   */
  constructor(
    world: SimWorld,
    optionsOf: (fromHost: string, toHost: string) => LinkOptions,
  ) {
    this.network = new MemoryNetwork((datagram, from, to, arrive) => {
      const key = `${from.host} ${to.host}`;
      let link = this.#links.get(key);
      if (link === undefined) {
        link = world.link(optionsOf(from.host, to.host));
        this.#links.set(key, link);
      }
      link.send(datagram, arrive);
    });
  }

  /** The link from one host to another; undefined until its first datagram. */
  link(fromHost: string, toHost: string): SimLink | undefined {
    return this.#links.get(`${fromHost} ${toHost}`);
  }
}
