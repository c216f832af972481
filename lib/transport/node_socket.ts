/**
 * UDP over `node:dgram`, the last resort where `Deno.listenDatagram` is missing. Under Deno its
 * receiving side loses datagrams at rates the base adapter carries with ease, so nobody gets it
 * without asking (`allowSlowSocket`).
 */
import { createSocket, type Socket } from "node:dgram";
import type { BindAddress } from "./bind_address.ts";
import { DgramSocket } from "./dgram_socket.ts";

/** What Linux and macOS use, and RFC 1700 names; `node:dgram` cannot tell the system's own. */
const DEFAULT_HOPS = 64;

/** A socket of `node:dgram` for one address. */
export class NodeSocket extends DgramSocket {
  readonly #socket: Socket;

  private constructor(family: 4 | 6, socket: Socket) {
    super(family, socket);
    this.#socket = socket;
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

  /** See `DatagramSocket.limitHops`; IPv4 only, nothing says that it does IPv6. */
  limitHops(hops: number | undefined): boolean {
    if (this.isClosed || this.family !== 4) return false;
    try {
      const limit = hops ?? DEFAULT_HOPS;
      return this.#socket.setTTL(limit) === limit;
    } catch {
      return false; // the system refused it
    }
  }
}
