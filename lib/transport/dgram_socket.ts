/**
 * Datagrams in and out of a bound socket of `node:dgram`, whatever it was bound for. Opening one,
 * and what it can do besides, is `node_socket.ts`, and `lib/lan` for multicast.
 */
import type { Socket } from "node:dgram";
import type { SocketAddress } from "../nat/address.ts";
import { normalizedAddress } from "./normalized_address.ts";
import type { DatagramHandler, DatagramSocket } from "./socket.ts";
import { isReceiveNoise, isSystemError } from "./system_error.ts";

/** A bound socket of `node:dgram`. */
export class DgramSocket implements DatagramSocket {
  /** The address family of {@linkcode DgramSocket.localAddress}. */
  readonly family: 4 | 6;
  /** What the system bound. */
  readonly localAddress: SocketAddress;
  readonly #socket: Socket;
  #receiving = false;
  #closed = false;
  #finish: (() => void) | undefined;

  /**
   * @param family That of `socket`.
   * @param socket Bound already; closed by {@linkcode DgramSocket.close}.
   */
  constructor(family: 4 | 6, socket: Socket) {
    this.family = family;
    this.#socket = socket;
    const { address, port } = socket.address();
    this.localAddress = normalizedAddress(family, address, port);
  }

  /** Whether {@linkcode DgramSocket.close} was called. */
  get isClosed(): boolean {
    return this.#closed;
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

  /** See {@linkcode DatagramSocket.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The port is free only when the system says so; `receive` ends then.
    this.#socket.close(() => this.#finish?.());
  }
}
