/** An endpoint on real sockets: opens them, drives the endpoint, closes them. */
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { parseIpAddress, type SocketAddress } from "../nat/address.ts";
import type { DatagramMachine } from "../nat/datagram_machine.ts";
import type { LocalSocket } from "../nat/discovery/report.ts";
import { Endpoint, type EndpointEvent, type EndpointOptions } from "../protocol/endpoint.ts";
import type { Path, PathSocket } from "../nat/path.ts";
import type { Clock } from "./clock.ts";
import { openSocket } from "./open_socket.ts";
import { Pump } from "./pump.ts";
import type { DatagramSocket, SocketAcceleration } from "./socket.ts";

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
  const settings = { allowSlowSocket: options.allowSlowSocket ?? false, accelerate: true };
  if (host !== undefined) {
    const address = parseIpAddress(host);
    if (!address) {
      throw new TransferError("usage", `Cannot bind ${host}: it is not an IP address`);
    }
    return [await openSocket({ ...address, port, ...settings })];
  }
  const ipv4 = await openSocket({ family: 4, host: "0.0.0.0", port, ...settings });
  const open6 = (port: number) => openSocket({ family: 6, host: "::", port, ...settings });
  try {
    return [ipv4, await open6(port).catch(() => open6(0))];
  } catch {
    return [ipv4]; // no IPv6 here
  }
}

/** How an endpoint sends, and asks and lets itself be sent to. */
export type SendingOptions = Pick<
  EndpointOptions,
  "congestion" | "connectionLimitBytesPerSecond" | "maxBlockWindowBytes" | "wishes"
>;

/** Sockets, endpoint and pump as one. */
export class LiveEndpoint {
  /** The state machine. */
  readonly endpoint: Endpoint;
  readonly #mainSockets: readonly DatagramSocket[];
  readonly #pump: Pump;

  /**
   * Starts at once.
   *
   * @param world `sockets` are the main ones: they get the path indices from 0 on, stay as long as
   * the endpoint, and are what addresses are told of.
   * @param onEvent Told of what the endpoint reports; must not throw.
   */
  constructor(
    world: {
      readonly sockets: readonly DatagramSocket[];
      readonly provider: CryptoProvider;
      readonly random: RandomSource;
      readonly clock: Clock;
      /** How to send, and how to ask to be sent to. */
      readonly sending?: SendingOptions;
    },
    onEvent: (event: EndpointEvent) => void,
  ) {
    this.#mainSockets = world.sockets;
    const receiveBufferBytes = leastHeldBytes(world.sockets);
    this.endpoint = new Endpoint({
      ...world.sending,
      ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
      provider: world.provider,
      random: world.random,
      wake: () => this.wake(),
      takesTrains: (socket) => this.#pump.takesTrains(socket),
      linkDatagramBytes: (path) => this.#pump.linkDatagramBytes(path),
    });
    this.#pump = new Pump(this.endpoint, world.sockets, world.clock, onEvent);
  }

  /** The sockets by path index: the main ones, and those added and not yet removed. */
  get sockets(): ReadonlyMap<number, DatagramSocket> {
    return this.#pump.sockets;
  }

  /** The main sockets, as machines that share them are told of them. */
  get localSockets(): LocalSocket[] {
    return this.#mainSockets.map(({ localAddress }, index) => ({ index, local: localAddress }));
  }

  /** The main sockets, as paths see them. */
  get pathSockets(): PathSocket[] {
    return this.#mainSockets.map(({ family }, index) => ({ index, family }));
  }

  /** What the main sockets are bound to. */
  get localAddresses(): SocketAddress[] {
    return this.#mainSockets.map((socket) => socket.localAddress);
  }

  /** The paths from the main sockets to these addresses, leaving out families without a socket. */
  pathsTo(addresses: readonly SocketAddress[]): Path[] {
    return addresses.flatMap((remote) => {
      const socket = this.#mainSockets.findIndex(({ family }) => family === remote.family);
      return socket < 0 ? [] : [{ socket, remote }];
    });
  }

  /**
   * Receives from and sends through one more socket, for example one of many for hole punching. It
   * is closed with the endpoint.
   *
   * @returns Its path index; no other socket of this endpoint ever has the same.
   */
  addSocket(socket: DatagramSocket): number {
    return this.#pump.addSocket(socket);
  }

  /** Closes a socket; what was still to be sent through it is dropped. Unknown indices do nothing. */
  removeSocket(index: number): void {
    this.#pump.removeSocket(index);
  }

  /** Which way the datagrams of a path go through its socket. */
  accelerationOf({ socket }: Path): SocketAcceleration["path"] {
    return this.sockets.get(socket)?.acceleration?.path ?? "base";
  }

  /**
   * Whether the datagrams of a socket can be kept from going far (`transmitHops`). Where they cannot,
   * those that ask for it are not sent.
   */
  canLimitHops(index: number): boolean {
    return this.sockets.get(index)?.limitHops?.(undefined) ?? false;
  }

  /**
   * Lets a machine share the sockets: it gets what is nobody's, and sends between the sessions.
   *
   * @param onTurn Called whenever the machine may have something to tell; must not throw.
   */
  attach(machine: DatagramMachine, onTurn: () => void): void {
    this.#pump.attach(machine, onTurn);
  }

  /** Ends the sharing; nothing is called afterwards. */
  detach(machine: DatagramMachine): void {
    this.#pump.detach(machine);
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

/** What the least of the sockets holds: a session may be on any of them. Undefined if unknown. */
function leastHeldBytes(sockets: readonly DatagramSocket[]): number | undefined {
  const least = Math.min(
    ...sockets.map(({ heldDatagramBytes }) => heldDatagramBytes ?? Number.POSITIVE_INFINITY),
  );
  return least === Number.POSITIVE_INFINITY ? undefined : least;
}
