/**
 * UDP over `Deno.listenDatagram`, the base adapter. It needs `--unstable-net` and net permission;
 * `open_socket.ts` decides whether it can be had, and whether it is made faster (`offload.ts`). Not
 * here: what goes into one train, pacing, any retry of a datagram that was lost.
 */
import type { SocketAddress } from "../nat/address.ts";
import type { BindAddress } from "./bind_address.ts";
import { heldDatagramBytes } from "./held_datagrams.ts";
import { HopLimit } from "./hop_limit.ts";
import { linkDatagramBytes } from "./link_datagram.ts";
import { normalizedAddress } from "./normalized_address.ts";
import { Offload } from "./offload.ts";
import { isOwnBroadcast } from "./own_broadcast.ts";
import type { DatagramHandler, DatagramSocket, SendTrain, SocketAcceleration } from "./socket.ts";
import { isClosedError, isReceiveNoise, isSystemError, systemErrorCode } from "./system_error.ts";

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

/** What Linux answers to a train whose datagrams are longer than the path's MTU, new and old. */
const PATH_MTU_CODES: ReadonlySet<string> = new Set(["EMSGSIZE", "EINVAL"]);

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
  /** See {@linkcode DatagramSocket.sendTrain}; there after {@linkcode DenoSocket.joinDatagrams}. */
  sendTrain: SendTrain | undefined = undefined;
  #offload: Offload | undefined;
  #joins = false;
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

  /** Sends refused: their destination is excluded by permissions, or is a broadcast address. */
  get deniedSends(): number {
    return this.#deniedSends;
  }

  /** See {@linkcode DatagramSocket.acceleration}. */
  get acceleration(): SocketAcceleration {
    const offload = this.#closed ? undefined : this.#offload;
    return {
      path: this.#joins ? "turbo" : "base",
      receiveBufferBytes: offload?.receiveBufferBytes,
      sendBufferBytes: offload?.sendBufferBytes,
    };
  }

  /** See {@linkcode DatagramSocket.heldDatagramBytes}. */
  get heldDatagramBytes(): number | undefined {
    return heldDatagramBytes(this.acceleration.receiveBufferBytes);
  }

  /** See {@linkcode DatagramSocket.linkDatagramBytes}. */
  linkDatagramBytes(to: SocketAddress): number | undefined {
    return linkDatagramBytes(to);
  }

  /**
   * Asks the system for larger buffers: Linux with FFI granted; elsewhere nothing changes.
   *
   * @returns Whether the options of this socket can be reached at all.
   */
  enlargeBuffers(): boolean {
    this.#offload ??= Offload.of(this.family, this.localAddress);
    this.#offload?.enlargeBuffers();
    return this.#offload !== undefined;
  }

  /**
   * Lets the system cut and join trains from now on. Only where `isOffloadSound` said that they
   * arrive, and for owners that can tell joined datagrams apart.
   *
   * @returns Whether it does.
   */
  joinDatagrams(): boolean {
    if (this.#closed) return false;
    this.#offload ??= Offload.of(this.family, this.localAddress);
    if (!this.#offload?.start()) return false;
    this.#joins = true;
    this.sendTrain = this.#sendTrain;
    return true;
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
    const remote = this.#remoteOf(to);
    if (remote === undefined) return false;
    if (this.#offload?.cutSendsAt(0) === false) return false;
    try {
      await this.#connection.send(datagram, remote);
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  readonly #sendTrain: SendTrain = async (buffer, length, segmentBytes, to) => {
    if (this.#closed) return false;
    const remote = this.#remoteOf(to);
    if (remote === undefined) return false;
    if (!this.#offload!.cutSendsAt(segmentBytes)) {
      return await this.#sendOneByOne(buffer, length, segmentBytes, to);
    }
    try {
      await this.#connection.send(buffer.subarray(0, length), remote);
      return true;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const isSent = await this.#sendOneByOne(buffer, length, segmentBytes, to);
      // A path that takes no datagrams of this length is not the socket's fault. Anything else that
      // stops trains only (a device that cannot compute checksums) will stop the next ones too.
      if (isSent && !PATH_MTU_CODES.has(systemErrorCode(error) ?? "")) this.sendTrain = undefined;
      return isSent;
    }
  };

  async #sendOneByOne(
    buffer: Uint8Array,
    length: number,
    segmentBytes: number,
    to: SocketAddress,
  ): Promise<boolean> {
    let isSent = true;
    for (let start = 0; start < length; start += segmentBytes) {
      const end = Math.min(start + segmentBytes, length);
      if (!await this.send(buffer.subarray(start, end), to)) isSent = false;
    }
    return isSent;
  }

  /**
   * An address in the system's shape; undefined, and counted, when permissions exclude it, and for
   * the broadcast address of an own network.
   */
  #remoteOf(to: SocketAddress): Deno.NetAddr | undefined {
    const last = this.#lastTo;
    if (last !== to && (last === undefined || last.port !== to.port || last.host !== to.host)) {
      const isElsewhere = last?.host !== to.host;
      if (!this.#isPermitted(to) || (isElsewhere && isOwnBroadcast(to.host))) {
        this.#deniedSends++;
        return undefined;
      }
      this.#lastRemote = { transport: "udp", hostname: to.host, port: to.port };
    }
    this.#lastTo = to;
    return this.#lastRemote;
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
