/** The STUN servers that discovery may ask, and what they told of themselves. */
import { addressScope, isSameSocketAddress, type SocketAddress } from "../address.ts";
import { forbiddenScope } from "../candidate.ts";

/** The most servers that are asked; two suffice, the others stand in for dead ones. */
export const MAX_STUN_SERVERS = 8;

/** One server. */
export interface DiscoveryServer {
  /** Where it is asked. */
  readonly address: SocketAddress;
  /** Its other address and port (RFC 5780), once it told. */
  otherAddress: SocketAddress | undefined;
}

/** Servers in the order in which they became known. */
export class DiscoveryServers {
  readonly #servers: DiscoveryServer[] = [];
  readonly #allowLoopback: boolean;

  /** @param allowLoopback Whether servers on this machine may be asked. */
  constructor(allowLoopback: boolean) {
    this.#allowLoopback = allowLoopback;
  }

  /** Adds a server; undefined when it is known, of no use, or one too many. */
  add(address: SocketAddress): DiscoveryServer | undefined {
    if (this.#servers.length >= MAX_STUN_SERVERS || this.find(address) !== undefined) {
      return undefined;
    }
    if (forbiddenScope(address, this.#allowLoopback) !== undefined) return undefined;
    const server: DiscoveryServer = { address, otherAddress: undefined };
    this.#servers.push(server);
    return server;
  }

  /** The server that is asked at an address. */
  find(address: SocketAddress): DiscoveryServer | undefined {
    return this.#servers.find((server) => isSameSocketAddress(server.address, address));
  }

  /** The servers that a socket of a family can ask. */
  ofFamily(family: 4 | 6): readonly DiscoveryServer[] {
    return this.#servers.filter(({ address }) => address.family === family);
  }

  /** Those that can be asked, beginning with `first` and going round. */
  startingAt(first: SocketAddress | undefined, family: 4 | 6): readonly SocketAddress[] {
    const addresses = this.ofFamily(family).map(({ address }) => address);
    const at = addresses.findIndex((address) => first && isSameSocketAddress(address, first));
    return at <= 0 ? addresses : [...addresses.slice(at), ...addresses.slice(0, at)];
  }

  /**
   * Notes what a server said its other address is. Requests may go there, so only an address of the
   * same kind is taken: a server on the Internet does not get us to send into the local network. Host
   * and port must both be others.
   */
  noteOther(address: SocketAddress, other: SocketAddress | undefined): void {
    const server = this.find(address);
    if (server === undefined) return;
    const isUsable = other !== undefined && other.family === address.family &&
      addressScope(other) === addressScope(address) &&
      other.host !== address.host && other.port !== address.port;
    server.otherAddress = isUsable ? other : undefined;
  }
}
