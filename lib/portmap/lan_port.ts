/**
 * One interface of this machine: UDP sockets bound to its address, and the leases that are asked for
 * through them. What comes in is handed to the lease of whoever sent it; everything else is dropped.
 *
 * The search of UPnP has a socket of its own: all in the network get to know its port, and whoever
 * knows the port of the other protocols can write answers in the router's name.
 */
import type { RandomSource } from "../crypto/provider.ts";
import type { IpAddress, SocketAddress } from "../nat/address.ts";
import type { Clock } from "../transport/clock.ts";
import type { DatagramSocket } from "../transport/socket.ts";
import type { Lease, LeaseKeeper } from "./lease.ts";
import { NatPmpLease } from "./nat_pmp_lease.ts";
import type { PortMapNetwork } from "./network.ts";
import { PcpLease } from "./pcp_lease.ts";
import { guessRouters, isNeighbour, type PrivateNetwork } from "./router_guess.ts";
import { decodeSsdpAnswer, encodeSsdpSearch, SSDP_GROUP, SSDP_TARGETS } from "./ssdp_message.ts";
import { UpnpControl } from "./upnp_control.ts";
import { UpnpLease } from "./upnp_lease.ts";

/** Where routers take requests of PCP and NAT-PMP. RFC 6886, section 3.1; RFC 6887, section 19.1. */
export const PORT_CONTROL_PORT = 5351;

/** Routers asked on one interface: four guesses, and what the search of UPnP turns up. */
const MAX_ROUTERS = 6;

/** What {@linkcode LanPort} works with. */
export interface LanPortOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly keeper: LeaseKeeper;
  readonly system: PortMapNetwork;
  /** The interface. */
  readonly lan: PrivateNetwork;
  /** This machine's port. */
  readonly internalPort: number;
  /** Routers that the system knows, of whatever interface. */
  readonly knownRouters: readonly IpAddress[];
}

interface RouterLeases {
  readonly pcp: PcpLease;
  readonly natPmp: NatPmpLease;
}

/** The leases of one interface. */
export class LanPort {
  readonly #options: LanPortOptions;
  /** For PCP and NAT-PMP. */
  readonly #socket: DatagramSocket;
  readonly #searchSocket: DatagramSocket;
  readonly #control: UpnpControl;
  readonly #upnp: UpnpLease | undefined;
  readonly #routers = new Map<string, RouterLeases>();
  readonly #searchAt: SocketAddress[] = [];
  #lastSend: Promise<unknown> = Promise.resolve();

  private constructor(
    options: LanPortOptions,
    socket: DatagramSocket,
    searchSocket: DatagramSocket,
  ) {
    this.#options = options;
    this.#socket = socket;
    this.#searchSocket = searchSocket;
    const { clock, random, keeper, system, lan, internalPort } = options;
    this.#control = new UpnpControl(clock, system);
    for (const router of guessRouters(lan, options.knownRouters)) {
      this.#addRouter(router);
      // Firewalls of this machine take an answer to a multicast search for a stranger's datagram,
      // one to a search sent to the router itself not.
      this.#addSearch({ ...router, port: SSDP_GROUP.port });
    }
    this.#addSearch(SSDP_GROUP);
    if (this.#searchAt.length > 0) {
      const search = (): void => this.#search();
      this.#upnp = new UpnpLease({
        clock,
        random,
        keeper,
        control: this.#control,
        client: lan.client,
        internalPort,
        search,
      });
    }
    // A socket that broke leaves silence behind, which the leases know how to deal with.
    socket.receive((datagram, from) => this.#handle(datagram, from)).catch(() => socket.close());
    searchSocket.receive((datagram, from) => this.#handleFound(datagram, from))
      .catch(() => searchSocket.close());
  }

  /**
   * Binds the sockets; nothing is sent before {@linkcode LanPort.start}.
   *
   * @throws {TransferError} As {@linkcode PortMapNetwork.openSocket}.
   */
  static async open(options: LanPortOptions): Promise<LanPort> {
    const { system, lan } = options;
    const socket = await system.openSocket(lan.client.host);
    try {
      return new LanPort(options, socket, await system.openSocket(lan.client.host));
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Every lease; those of routers that were found later come later. */
  get leases(): readonly Lease[] {
    const leases: Lease[] = [...this.#routers.values()].flatMap(({ pcp, natPmp }) => [pcp, natPmp]);
    if (this.#upnp !== undefined) leases.push(this.#upnp);
    return leases;
  }

  /** Asks every router by every protocol, at once. */
  start(): void {
    for (const lease of this.leases) lease.start();
  }

  /** Resolves when what was sent has left. */
  async flush(): Promise<void> {
    await this.#lastSend;
  }

  /** Closes the sockets and ends every call; leases are stopped or released by their keeper. */
  close(): void {
    this.#control.close();
    this.#socket.close();
    this.#searchSocket.close();
  }

  #addRouter(router: IpAddress): RouterLeases | undefined {
    const address: SocketAddress = { ...router, port: PORT_CONTROL_PORT };
    if (this.#routers.size >= MAX_ROUTERS || this.#routers.has(router.host)) return undefined;
    if (!this.#options.system.mayReach(address)) return undefined;
    const { clock, random, keeper, lan, internalPort } = this.#options;
    const send = (datagram: Uint8Array): void => this.#send(this.#socket, datagram, address);
    const options = { clock, random, keeper, router, client: lan.client, internalPort, send };
    const pcp = new PcpLease(options);
    const isPcpAsking = (): boolean => pcp.outcome === "asking";
    const leases = { pcp, natPmp: new NatPmpLease({ ...options, isPcpAsking }) };
    this.#routers.set(router.host, leases);
    return leases;
  }

  #addSearch(address: SocketAddress): void {
    if (this.#options.system.mayReach(address)) this.#searchAt.push(address);
  }

  #search(): void {
    for (const target of SSDP_TARGETS) {
      const search = encodeSsdpSearch(target);
      for (const address of this.#searchAt) this.#send(this.#searchSocket, search, address);
    }
  }

  #send(socket: DatagramSocket, datagram: Uint8Array, to: SocketAddress): void {
    // What cannot be sent is lost like any other datagram.
    const sending = socket.send(datagram, to).catch(() => false);
    this.#lastSend = Promise.all([this.#lastSend, sending]);
  }

  #handle(datagram: Uint8Array, from: SocketAddress): void {
    const leases = from.port === PORT_CONTROL_PORT ? this.#routers.get(from.host) : undefined;
    if (leases === undefined) return;
    leases.pcp.handleDatagram(datagram);
    if (leases.natPmp.handleDatagram(datagram) === "other_version") leases.pcp.handleOtherVersion();
  }

  #handleFound(datagram: Uint8Array, from: SocketAddress): void {
    if (!isNeighbour(this.#options.lan, from)) return;
    const location = decodeSsdpAnswer(datagram, from);
    if (location === undefined) return;
    const found = this.#addRouter({ family: from.family, host: from.host });
    found?.pcp.start();
    found?.natPmp.start();
    this.#upnp?.handleLocation(location);
  }
}
