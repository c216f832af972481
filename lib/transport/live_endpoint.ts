/** An endpoint on real sockets: opens them, drives the endpoint, closes them. */
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { parseIpAddress, type SocketAddress } from "../nat/address.ts";
import { Endpoint, type EndpointEvent } from "../protocol/endpoint.ts";
import type { Path } from "../nat/path.ts";
import type { Clock } from "./clock.ts";
import { openSocket } from "./open_socket.ts";
import { Pump } from "./pump.ts";
import type { DatagramSocket } from "./socket.ts";

/** What to bind. */
export interface BindOptions {
  /** An address of this machine; by default all, of both families. */
  readonly host?: string;
  /** By default any free one. */
  readonly port?: number;
  /** Take `node:dgram` where nothing better is. */
  readonly allowSlowSocket?: boolean;
}

/**
 * Opens one IPv4 and one IPv6 socket, or only the one that `host` belongs to. A machine without IPv6
 * gets along with IPv4. Where IPv6 cannot have the same port, because a dual-stack socket would
 * clash with the IPv4 one, it takes any.
 *
 * @throws {TransferError} As `openSocket`, and `usage` when `host` is not an address.
 */
export async function openSockets(options: BindOptions): Promise<DatagramSocket[]> {
  const { host, port = 0 } = options;
  const allowSlowSocket = options.allowSlowSocket ?? false;
  if (host !== undefined) {
    const address = parseIpAddress(host);
    if (!address) {
      throw new TransferError("usage", `Cannot bind ${host}: it is not an IP address`);
    }
    return [await openSocket({ ...address, port, allowSlowSocket })];
  }
  const ipv4 = await openSocket({ family: 4, host: "0.0.0.0", port, allowSlowSocket });
  const open6 = (port: number) => openSocket({ family: 6, host: "::", port, allowSlowSocket });
  try {
    return [ipv4, await open6(port).catch(() => open6(0))];
  } catch {
    return [ipv4]; // no IPv6 here
  }
}

/** Sockets, endpoint and pump as one. */
export class LiveEndpoint {
  /** The state machine. */
  readonly endpoint: Endpoint;
  /** The sockets, in the order of path indices. */
  readonly sockets: readonly DatagramSocket[];
  readonly #pump: Pump;

  /**
   * Starts at once.
   *
   * @param onEvent Told of what the endpoint reports; must not throw.
   */
  constructor(
    world: {
      readonly sockets: readonly DatagramSocket[];
      readonly provider: CryptoProvider;
      readonly random: RandomSource;
      readonly clock: Clock;
    },
    onEvent: (event: EndpointEvent) => void,
  ) {
    this.sockets = world.sockets;
    this.endpoint = new Endpoint({
      provider: world.provider,
      random: world.random,
      wake: () => this.wake(),
    });
    this.#pump = new Pump(this.endpoint, world.sockets, world.clock, onEvent);
  }

  /** What the sockets are bound to. */
  get localAddresses(): SocketAddress[] {
    return this.sockets.map((socket) => socket.localAddress);
  }

  /** The paths to these addresses, leaving out families without a socket. */
  pathsTo(addresses: readonly SocketAddress[]): Path[] {
    return addresses.flatMap((remote) => {
      const socket = this.sockets.findIndex(({ family }) => family === remote.family);
      return socket < 0 ? [] : [{ socket, remote }];
    });
  }

  /** Says that the endpoint has something new to do. */
  wake(): void {
    this.#pump.wake();
  }

  /** Resolves when everything there was to send has left. */
  idle(): Promise<void> {
    return this.#pump.idle();
  }

  /** Closes everything at once; what was not sent is lost. */
  close(): void {
    this.#pump.close();
  }
}
