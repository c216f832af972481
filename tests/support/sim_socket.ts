/**
 * A socket of a host in a simulated internet, as whole programs take it (`DatagramSocket`): they run
 * behind simulated NATs and cannot tell it from the system's. What arrives before somebody receives
 * is lost.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { DatagramHandler, DatagramSocket } from "../../lib/transport/socket.ts";
import type { SimHost } from "./sim_internet.ts";

/** One datagram that passed a socket. */
export interface PassedDatagram {
  readonly datagram: Uint8Array;
  /** Where it went to or came from. */
  readonly remote: SocketAddress;
}

/** A socket, and what an onlooker sees of it. */
export class SimSocket implements DatagramSocket {
  readonly family: 4 | 6;
  readonly localAddress: SocketAddress;
  /** Told of every datagram that leaves, before it does. */
  onSent: (passed: PassedDatagram) => void = () => {};
  /** Told of every datagram that came, before its owner is. */
  onReceived: (passed: PassedDatagram) => void = () => {};
  /** Whether `limitHops` works, which it does not everywhere. */
  canLimitHops = true;
  readonly #host: SimHost;
  readonly #index: number;
  #handler: DatagramHandler = () => {};
  #hops: number | undefined;
  #finish: () => void = () => {};
  #isClosed = false;

  /** Binds it. */
  constructor(host: SimHost, port: number, family: 4 | 6 = 4) {
    this.#host = host;
    this.family = family;
    this.#index = host.openSocket(family, port);
    this.localAddress = host.localAddress(this.#index);
    const others = host.onDatagram;
    host.onDatagram = (datagram, socket, from) => {
      if (socket === this.#index) this.#take(datagram, from);
      else others(datagram, socket, from);
    };
  }

  receive(handler: DatagramHandler): Promise<void> {
    this.#handler = handler;
    return new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    if (this.#isClosed || to.family !== this.family) return Promise.resolve(false);
    this.onSent({ datagram: datagram.slice(), remote: to });
    this.#host.send(this.#index, datagram.slice(), to, this.#hops);
    return Promise.resolve(true);
  }

  limitHops(hops: number | undefined): boolean {
    if (this.#isClosed || !this.canLimitHops) return false;
    this.#hops = hops;
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#host.closeSocket(this.#index);
    this.#finish();
  }

  #take(datagram: Uint8Array, from: SocketAddress): void {
    this.onReceived({ datagram: datagram.slice(), remote: from });
    this.#handler(datagram, from);
  }
}
