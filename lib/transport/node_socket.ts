/**
 * UDP over `node:dgram`, the last resort where `Deno.listenDatagram` is missing. Under Deno its
 * receiving side loses datagrams at rates the base adapter carries with ease, so nobody gets it
 * without asking (`allowSlowSocket`).
 */
import { createSocket, type Socket } from "node:dgram";
import type { SocketAddress } from "../nat/address.ts";
import type { BindAddress } from "./bind_address.ts";
import { normalizedAddress } from "./normalized_address.ts";
import type { DatagramHandler, DatagramSocket } from "./socket.ts";
import { isReceiveNoise, isSystemError } from "./system_error.ts";

/** What Linux and macOS use, and RFC 1700 names; `node:dgram` cannot tell the system's own. */
const DEFAULT_HOPS = 64;

/** A socket of `node:dgram`. */
export class NodeSocket implements DatagramSocket {
  /** The address family of {@linkcode NodeSocket.localAddress}. */
  readonly family: 4 | 6;
  /** What the system bound. */
  readonly localAddress: SocketAddress;
  readonly #socket: Socket;
  #receiving = false;
  #closed = false;
  #finish: (() => void) | undefined;

  private constructor(family: 4 | 6, socket: Socket) {
    this.family = family;
    this.#socket = socket;
    const { address, port } = socket.address();
    this.localAddress = normalizedAddress(family, address, port);
  }

  /**
   * Binds a socket; an IPv6 one takes no IPv4.
   *
   * @throws What the system said: use `openSocket` for errors made for people.
   */
  static async open({ family, host, port }: BindAddress): Promise<NodeSocket> {
    const socket = family === 4
      ? createSocket({ type: "udp4" })
      : createSocket({ type: "udp6", ipv6Only: true });
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) => {
        socket.close();
        reject(error);
      };
      socket.once("error", failed);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off("error", failed);
        resolve();
      });
    });
    return new NodeSocket(family, socket);
  }

  /** See {@linkcode DatagramSocket.receive}. */
  receive(handler: DatagramHandler): Promise<void> {
    if (this.#receiving) throw new Error("receive was called twice");
    this.#receiving = true;
    return new Promise<void>((resolve, reject) => {
      if (this.#closed) return resolve();
      this.#finish = resolve;
      this.#socket.on("error", (error) => {
        if (!isReceiveNoise(error)) reject(error);
      });
      this.#socket.on("message", (message, remote) => {
        if (this.#closed) return;
        // A plain view: `slice` of a Buffer would not copy, and handlers rely on it to.
        const datagram = new Uint8Array(message.buffer, message.byteOffset, message.length);
        handler(datagram, normalizedAddress(this.family, remote.address, remote.port));
      });
    });
  }

  /** See {@linkcode DatagramSocket.send}. */
  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return resolve(false);
      const done = (error: unknown) => {
        if (error !== null && error !== undefined && !isSystemError(error)) reject(error);
        else resolve(error === null || error === undefined);
      };
      try {
        this.#socket.send(datagram, 0, datagram.length, to.port, to.host, done);
      } catch (error) {
        done(error);
      }
    });
  }

  /** See {@linkcode DatagramSocket.limitHops}; IPv4 only, nothing says that it does IPv6. */
  limitHops(hops: number | undefined): boolean {
    if (this.#closed || this.family !== 4) return false;
    try {
      const limit = hops ?? DEFAULT_HOPS;
      return this.#socket.setTTL(limit) === limit;
    } catch {
      return false; // the system refused it
    }
  }

  /** See {@linkcode DatagramSocket.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The port is free only when the system says so; `receive` ends then.
    this.#socket.close(() => this.#finish?.());
  }
}
