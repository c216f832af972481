/**
 * A network of UDP sockets inside this process: for tests and simulations, and for programs that
 * join a sender and a receiver without the system's network. Nothing here reads a clock or rolls
 * dice; what happens to a datagram on its way is decided by the {@linkcode Carrier} handed in, so
 * equal carriers give equal runs. It keeps the manners of real sockets that matter above: datagrams
 * are copied, views die with the call, a receiver that is not listening has a finite buffer.
 */
import type { SocketAddress } from "../nat/address.ts";
import { MAX_DATAGRAM_BYTES } from "../protocol/params.ts";
import type { DatagramHandler, DatagramSocket } from "./socket.ts";

/**
 * Decides the fate of one datagram: calls `arrive` once, several times or never, now or later, with
 * the bytes it carried or others. `datagram` is its own to keep; `hops` is how many routers it may
 * pass, undefined when its sender did not limit that.
 */
export type Carrier = (
  datagram: Uint8Array,
  from: SocketAddress,
  to: SocketAddress,
  arrive: (datagram: Uint8Array) => void,
  hops?: number,
) => void;

/** What a Linux socket holds by default for a program that is not listening. */
const RECEIVE_QUEUE_BYTES = 212_992;

/** Linux counts a datagram's bookkeeping too; without it, empty datagrams would be free to keep. */
const QUEUE_OVERHEAD_BYTES = 256;

const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_PORT = 65_535;

// A task of its own, so that a handler never runs inside the send that caused it.
const carryAtOnce: Carrier = (datagram, _from, _to, arrive) =>
  queueMicrotask(() => arrive(datagram));

/** Sockets that can reach one another. */
export class MemoryNetwork {
  readonly #carrier: Carrier;
  readonly #sockets = new Map<string, MemorySocket>();

  /** @param carrier What happens between sockets; by default every datagram arrives, in order. */
  constructor(carrier: Carrier = carryAtOnce) {
    this.#carrier = carrier;
  }

  /**
   * Binds a socket.
   *
   * @param host The address this socket has on the network, e.g. `10.0.0.1` or `fd00::1`.
   * @param port 0 or nothing for the next free port.
   * @throws {RangeError} If the address is taken.
   */
  bind(host: string, port = 0): DatagramSocket {
    const bound = port === 0 ? this.#freePort(host) : port;
    const key = keyOf(host, bound);
    if (this.#sockets.has(key)) throw new RangeError(`Cannot bind ${key}: it is taken`);
    const address: SocketAddress = { family: host.includes(":") ? 6 : 4, host, port: bound };
    const socket = new MemorySocket(address, {
      carry: (datagram, to, hops) => {
        const arrive = (arrived: Uint8Array): void => {
          this.#sockets.get(keyOf(to.host, to.port))?.[DELIVER](arrived, address);
        };
        this.#carrier(datagram, address, to, arrive, hops);
      },
      release: () => this.#sockets.delete(key),
    });
    this.#sockets.set(key, socket);
    return socket;
  }

  #freePort(host: string): number {
    for (let port = FIRST_EPHEMERAL_PORT; port <= LAST_PORT; port++) {
      if (!this.#sockets.has(keyOf(host, port))) return port;
    }
    throw new RangeError(`Cannot bind ${host}: every port is taken`);
  }
}

function keyOf(host: string, port: number): string {
  return `${host} ${port}`;
}

const DELIVER = Symbol("deliver");

interface Attachment {
  carry(datagram: Uint8Array, to: SocketAddress, hops: number | undefined): void;
  release(): void;
}

interface Waiting {
  readonly datagram: Uint8Array;
  readonly from: SocketAddress;
}

class MemorySocket implements DatagramSocket {
  readonly family: 4 | 6;
  readonly localAddress: SocketAddress;
  readonly #attachment: Attachment;
  #handler: DatagramHandler | undefined;
  #finish: (() => void) | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #hops: number | undefined;
  #receiving = false;
  #closed = false;

  constructor(localAddress: SocketAddress, attachment: Attachment) {
    this.family = localAddress.family;
    this.localAddress = localAddress;
    this.#attachment = attachment;
  }

  receive(handler: DatagramHandler): Promise<void> {
    if (this.#receiving) throw new Error("receive was called twice");
    this.#receiving = true;
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#finish = resolve;
      // What waited is handed over by a task of its own: no handler runs inside `receive`. What
      // arrives before that task queues up behind, so the order stays.
      queueMicrotask(() => {
        for (let i = 0; i < this.#waiting.length && !this.#closed; i++) {
          this.#hand(this.#waiting[i]!.datagram, this.#waiting[i]!.from, handler);
        }
        this.#waiting = [];
        this.#handler = handler;
      });
    });
  }

  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    if (this.#closed || to.family !== this.family || datagram.length > MAX_DATAGRAM_BYTES) {
      return Promise.resolve(false);
    }
    this.#attachment.carry(datagram.slice(), to, this.#hops);
    return Promise.resolve(true);
  }

  limitHops(hops: number | undefined): boolean {
    if (this.#closed) return false;
    this.#hops = hops;
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#attachment.release();
    this.#finish?.();
  }

  [DELIVER](datagram: Uint8Array, from: SocketAddress): void {
    if (this.#handler !== undefined) return this.#hand(datagram, from, this.#handler);
    const bytes = datagram.length + QUEUE_OVERHEAD_BYTES;
    if (this.#waitingBytes + bytes > RECEIVE_QUEUE_BYTES) return;
    this.#waitingBytes += bytes;
    this.#waiting.push({ datagram: datagram.slice(), from });
  }

  #hand(datagram: Uint8Array, from: SocketAddress, handler: DatagramHandler): void {
    if (this.#closed) return;
    // Each handler gets bytes of its own, and they are spoilt afterwards: a user of the socket who
    // keeps the view beyond the call is found out here and not on a busy day on a real network.
    const view = datagram.slice();
    handler(view, from);
    view.fill(0xdb);
  }
}
