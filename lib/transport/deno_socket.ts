/**
 * UDP over `Deno.listenDatagram`, the base adapter. It needs `--unstable-net` and net permission;
 * `open_socket.ts` decides whether it can be had. Not here: batching, pacing, any retry.
 */
import type { SocketAddress } from "../nat/address.ts";
import type { BindAddress } from "./bind_address.ts";
import { HopLimit } from "./hop_limit.ts";
import { normalizedAddress } from "./normalized_address.ts";
import type { DatagramHandler, DatagramSocket } from "./socket.ts";
import { isClosedError, isReceiveNoise, isSystemError } from "./system_error.ts";

/** No UDP datagram is larger, so none is cut off unnoticed. */
const RECEIVE_BUFFER_BYTES = 65_536;

/** Settings of a {@linkcode DenoSocket} besides its address. */
export interface DenoSocketOptions {
  /**
   * Longest datagram received whole (default 65,536); of a longer one the rest is lost unnoticed.
   * The buffer is there as long as the socket, which counts when there are hundreds.
   */
  readonly receiveBufferBytes?: number;
}

/** Remembered permission answers; a spray over many ports must not grow this without end. */
const MAX_REMEMBERED_DESTINATIONS = 1024;

/** A socket of `Deno.listenDatagram`. */
export class DenoSocket implements DatagramSocket {
  /** The address family of {@linkcode DenoSocket.localAddress}. */
  readonly family: 4 | 6;
  /** What the system bound. */
  readonly localAddress: SocketAddress;
  readonly #connection: Deno.DatagramConn;
  readonly #receiveBufferBytes: number;
  // The whole network may be granted at once; then no destination needs a question of its own.
  readonly #unrestricted: boolean;
  readonly #permitted = new Map<string, boolean>();
  // Datagrams mostly go where the last one went: its address in the system's shape is kept.
  #lastTo: SocketAddress | undefined;
  #lastRemote: Deno.NetAddr | undefined;
  #deniedSends = 0;
  // Looked for when it is asked for first; null when it cannot be had.
  #hopLimit: HopLimit | null | undefined;
  #receiving = false;
  #closed = false;

  /**
   * Binds at once.
   *
   * @throws What `Deno.listenDatagram` throws: use `openSocket` for errors made for people.
   */
  constructor({ family, host, port }: BindAddress, options: DenoSocketOptions = {}) {
    this.family = family;
    this.#receiveBufferBytes = options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES;
    this.#connection = Deno.listenDatagram({ transport: "udp", hostname: host, port });
    const bound = this.#connection.addr as Deno.NetAddr;
    this.localAddress = normalizedAddress(family, bound.hostname, bound.port);
    const status = Deno.permissions.querySync({ name: "net" });
    this.#unrestricted = status.state === "granted" && !status.partial;
  }

  /** Datagrams not sent because the permissions of this process exclude their destination. */
  get deniedSends(): number {
    return this.#deniedSends;
  }

  /** See {@linkcode DatagramSocket.receive}. */
  async receive(handler: DatagramHandler): Promise<void> {
    if (this.#receiving) throw new Error("receive was called twice");
    this.#receiving = true;
    const buffer = new Uint8Array(this.#receiveBufferBytes);
    let hostname = "";
    let from: SocketAddress | undefined;
    while (!this.#closed) {
      let datagram: Uint8Array;
      let remote: Deno.NetAddr;
      try {
        const received = await this.#connection.receive(buffer);
        datagram = received[0];
        remote = received[1] as Deno.NetAddr;
      } catch (error) {
        if (this.#closed || isClosedError(error)) return;
        if (isReceiveNoise(error)) continue;
        throw error;
      }
      // A datagram may still come out of a receive that was under way when the socket was closed.
      if (this.#closed) return;
      if (from === undefined || from.port !== remote.port || hostname !== remote.hostname) {
        hostname = remote.hostname;
        from = normalizedAddress(this.family, hostname, remote.port);
      }
      handler(datagram, from);
    }
  }

  /** See {@linkcode DatagramSocket.send}. */
  async send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    if (this.#closed) return false;
    const last = this.#lastTo;
    if (last !== to && (last === undefined || last.port !== to.port || last.host !== to.host)) {
      if (!this.#isPermitted(to)) {
        this.#deniedSends++;
        return false;
      }
      this.#lastRemote = { transport: "udp", hostname: to.host, port: to.port };
    }
    this.#lastTo = to;
    try {
      await this.#connection.send(datagram, this.#lastRemote!);
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  /** See {@linkcode DatagramSocket.limitHops}. */
  limitHops(hops: number | undefined): boolean {
    if (this.#closed) return false;
    if (this.#hopLimit === undefined) {
      this.#hopLimit = HopLimit.of(this.family, this.localAddress) ?? null;
    }
    return this.#hopLimit?.set(hops) ?? false;
  }

  /** See {@linkcode DatagramSocket.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }

  // Asked instead of tried: trying a destination that is not granted would prompt on a terminal.
  #isPermitted(to: SocketAddress): boolean {
    if (this.#unrestricted) return true;
    const host = to.family === 6 ? `[${to.host}]:${to.port}` : `${to.host}:${to.port}`;
    let permitted = this.#permitted.get(host);
    if (permitted === undefined) {
      permitted = Deno.permissions.querySync({ name: "net", host }).state === "granted";
      if (this.#permitted.size >= MAX_REMEMBERED_DESTINATIONS) this.#permitted.clear();
      this.#permitted.set(host, permitted);
    }
    return permitted;
  }
}
