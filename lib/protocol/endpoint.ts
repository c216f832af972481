/**
 * Everything that lives on the sockets of one program: the share's handshakes, handshakes towards
 * others, and all connections. Finds out whose a datagram is; strangers get silence and a counter
 * [DMX-1]. Pure: `lib/transport/pump.ts` drives it.
 *
 * A datagram is looked at in this order (docs/protocol.md, "Telling datagrams apart"): known
 * connection id, then 1200 bytes with a handshake tag, then the machines that share the sockets
 * (STUN, hole punching), then nothing. The kernel may join datagrams of one sender: what is behind
 * the first is looked at in the same way, until something is nobody's [DMX-2]. So a stranger's piece
 * costs no more than a stranger's datagram, however long it is.
 */
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import type { SocketAddress } from "../nat/address.ts";
import type { DatagramMachine } from "../nat/datagram_machine.ts";
import { Connection, type ConnectionEnd, type ConnectionOptions } from "./connection.ts";
import { readConnectionId } from "./connection_id.ts";
import type { PathEvent } from "./paths/events.ts";
import { HandshakeClient, type HandshakeClientOptions } from "./handshake_client.ts";
import { HandshakeSharer, type HandshakeSharerOptions } from "./handshake_sharer.ts";
import { HANDSHAKE_DATAGRAM_BYTES, HEADER_BYTES } from "./params.ts";
import type { Path } from "../nat/path.ts";
import { earlier, type Instant, NEVER } from "../time.ts";

/** What an endpoint reports. */
export type EndpointEvent =
  | {
    /** A client finished its handshake with the share. */
    readonly type: "accepted";
    readonly connection: Connection;
    /** Its static public key, 32 bytes. */
    readonly remoteKey: Uint8Array;
    /** Its first request, as it came. */
    readonly request: Uint8Array;
    readonly handshakeHash: Uint8Array;
  }
  | {
    /** A handshake towards a share finished. */
    readonly type: "connected";
    readonly connection: Connection;
    readonly handshakeHash: Uint8Array;
  }
  | {
    /** A connection is over; it is told once. */
    readonly type: "closed";
    readonly connection: Connection;
    readonly end: ConnectionEnd;
  }
  /** News of a connection's paths. */
  | (PathEvent & { readonly connection: Connection });

/** Settings of an endpoint. */
export interface EndpointOptions {
  /** The primitives. */
  readonly provider: CryptoProvider;
  /** Where keys and ids come from. */
  readonly random: RandomSource;
  /** Called when a connection has something new to send outside of the endpoint's own calls. */
  readonly wake: () => void;
}

/** All sessions on one set of sockets. */
export class Endpoint {
  /** Where the datagram of the last {@linkcode Endpoint.pollTransmit} goes. */
  transmitPath!: Path;
  /** How many routers it may pass; undefined for the system's default. */
  transmitHops: number | undefined;
  /** Datagrams that belonged to nobody. */
  droppedDatagrams = 0;
  readonly #options: EndpointOptions;
  readonly #connections: Connection[] = [];
  readonly #byId = new Map<number, Connection>();
  readonly #idOf = new Map<Connection, number>();
  readonly #events: EndpointEvent[] = [];
  readonly #told = new Set<Connection>();
  readonly #machines: DatagramMachine[] = [];
  readonly #isIdTaken = (id: number): boolean => this.#byId.has(id);
  #sharer: HandshakeSharer | undefined;
  #client: HandshakeClient | undefined;
  #turn = 0;

  /** Knows nobody at first. */
  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Takes clients from now on. */
  listen(options: Omit<HandshakeSharerOptions, "provider" | "random" | "isIdTaken">): void {
    const { provider, random } = this.#options;
    const isIdTaken = this.#isIdTaken;
    this.#sharer = new HandshakeSharer({ ...options, provider, random, isIdTaken });
  }

  /** Takes no more clients; sessions go on. */
  stopListening(): void {
    this.#sharer?.wipe();
    this.#sharer = undefined;
  }

  /** Begins a handshake with a share. */
  connect(
    now: Instant,
    options: Omit<HandshakeClientOptions, "provider" | "random" | "isIdTaken">,
  ): void {
    const { provider, random } = this.#options;
    const isIdTaken = this.#isIdTaken;
    this.#client = new HandshakeClient(now, { ...options, provider, random, isIdTaken });
  }

  /** Tries the handshake under way on one more path, at once if it is new. */
  addConnectPath(now: Instant, path: Path, isProven: boolean): void {
    this.#client?.addPath(now, path, isProven);
  }

  /** Lets a machine share the sockets: it gets what is nobody's, and sends between the sessions. */
  attach(machine: DatagramMachine): void {
    this.#machines.push(machine);
  }

  /** Ends the sharing. */
  detach(machine: DatagramMachine): void {
    const index = this.#machines.indexOf(machine);
    if (index >= 0) this.#machines.splice(index, 1);
  }

  /** Gives up the handshake towards a share. */
  stopConnecting(): void {
    this.#client = undefined;
  }

  /** Message 2s that had our share's tag but not its key: somebody else answers for this code. */
  get impostors(): number {
    return this.#client?.impostors ?? 0;
  }

  /** How many sessions there are. */
  get connectionCount(): number {
    return this.#connections.length;
  }

  /** Takes what a socket received, a datagram or several joined; it is decrypted in place. */
  handleDatagram(now: Instant, piece: Uint8Array, socket: number, from: SocketAddress): void {
    let start = 0;
    do {
      const length = this.#handleFirst(now, piece, start, socket, from);
      if (length === 0) {
        this.droppedDatagrams++;
        return;
      }
      start += length;
    } while (start < piece.length);
  }

  /** Takes the datagram at `start`. Returns its length; 0 for one that is nobody's. */
  #handleFirst(
    now: Instant,
    piece: Uint8Array,
    start: number,
    socket: number,
    from: SocketAddress,
  ): number {
    const available = piece.length - start;
    if (available >= HEADER_BYTES) {
      const id = readConnectionId(piece, start);
      const connection = this.#byId.get(id);
      if (connection) return this.#handlePacket(now, connection, piece, start, socket, from);
      // Where its packets end is known when there is a session.
      if (this.#sharer?.holdEarlyPackets(id, piece, start)) return available;
    }
    const path: Path = { socket, remote: from };
    if (available >= HANDSHAKE_DATAGRAM_BYTES) {
      const datagram = piece.subarray(start, start + HANDSHAKE_DATAGRAM_BYTES);
      if (this.#handleHandshake(now, datagram, path)) return HANDSHAKE_DATAGRAM_BYTES;
    }
    return this.#handleOther(now, start === 0 ? piece : piece.subarray(start), path);
  }

  #handlePacket(
    now: Instant,
    connection: Connection,
    piece: Uint8Array,
    start: number,
    socket: number,
    from: SocketAddress,
  ): number {
    const length = connection.peekPacketLength(piece, start);
    if (length < 0) return 0;
    connection.handlePacket(now, piece, start, start + length, socket, from);
    if (connection.closed) this.#noteClosed(connection);
    return length;
  }

  #handleOther(now: Instant, rest: Uint8Array, path: Path): number {
    for (const machine of this.#machines) {
      if (machine.handleDatagram(now, rest, path)) return rest.length;
    }
    for (const machine of this.#machines) {
      const length = machine.peekLength?.(rest) ?? 0;
      if (length === 0 || length >= rest.length) continue;
      if (machine.handleDatagram(now, rest.subarray(0, length), path)) return length;
    }
    return 0;
  }

  #handleHandshake(now: Instant, datagram: Uint8Array, path: Path): boolean {
    const accepted = this.#sharer?.handleDatagram(now, datagram, path, this.#connections.length);
    if (accepted) {
      if (accepted === "handled") return true;
      const { start, remoteKey, request, handshakeHash, earlyPackets } = accepted;
      const connection = this.#add(now, start);
      this.#events.push({ type: "accepted", connection, remoteKey, request, handshakeHash });
      for (const piece of earlyPackets) {
        this.handleDatagram(now, piece, path.socket, path.remote);
      }
      return true;
    }
    const connected = this.#client?.handleDatagram(now, datagram, path);
    if (!connected) return false;
    if (connected === "handled") return true;
    this.#client = undefined;
    const connection = this.#add(now, connected.start);
    const { handshakeHash } = connected;
    this.#events.push({ type: "connected", connection, handshakeHash });
    return true;
  }

  #add(now: Instant, options: ConnectionOptions): Connection {
    const connection = new Connection(now, { ...options, wake: this.#options.wake });
    const id = readConnectionId(options.local.connectionId, 0);
    this.#connections.push(connection);
    this.#byId.set(id, connection);
    this.#idOf.set(connection, id);
    return connection;
  }

  /** Does what is due on all sessions. */
  handleTimeout(now: Instant): void {
    this.#sharer?.handleTimeout(now);
    this.#client?.handleTimeout(now);
    for (const machine of this.#machines) machine.handleTimeout(now);
    for (const connection of this.#connections) {
      if (connection.pollTimeout() > now) continue;
      connection.handleTimeout(now);
    }
    this.#sweep();
  }

  /** The one deadline to arm. */
  pollTimeout(): Instant {
    let deadline = earlier(
      this.#sharer?.pollTimeout() ?? NEVER,
      this.#client?.pollTimeout() ?? NEVER,
    );
    for (const machine of this.#machines) deadline = earlier(deadline, machine.pollTimeout());
    for (const connection of this.#connections) {
      deadline = earlier(deadline, connection.pollTimeout());
    }
    return deadline;
  }

  /**
   * Writes the next datagram to send, of the sessions in turn, and sets `transmitPath`.
   *
   * @returns Its bytes, or 0 when there is nothing to send now.
   */
  pollTransmit(now: Instant, out: Uint8Array): number {
    this.transmitHops = undefined;
    const handshake = this.#sharer?.hasTransmit
      ? this.#sharer
      : this.#client?.hasTransmit
      ? this.#client
      : undefined;
    if (handshake) {
      const length = handshake.pollTransmit(now, out);
      this.transmitPath = handshake.transmitPath;
      return length;
    }
    for (const machine of this.#machines) {
      const length = machine.pollTransmit(now, out);
      if (length === 0) continue;
      this.transmitPath = machine.transmitPath;
      this.transmitHops = machine.transmitHops;
      return length;
    }
    const connections = this.#connections;
    for (let tries = connections.length; tries > 0; tries--) {
      if (this.#turn >= connections.length) this.#turn = 0;
      const connection = connections[this.#turn++]!;
      const length = connection.pollTransmit(now, out);
      if (length === 0) continue;
      this.transmitPath = connection.transmitPath;
      return length;
    }
    return 0;
  }

  /** What the owner should know next. */
  pollEvent(): EndpointEvent | undefined {
    for (const connection of this.#connections) {
      const event = connection.takePathEvent();
      if (event) this.#events.push({ ...event, connection });
      if (connection.closed) this.#noteClosed(connection);
    }
    return this.#events.shift();
  }

  #noteClosed(connection: Connection): void {
    if (this.#told.has(connection)) return;
    this.#told.add(connection);
    this.#events.push({ type: "closed", connection, end: connection.closed! });
  }

  /** Forgets connections that are over. */
  #sweep(): void {
    const connections = this.#connections;
    for (let index = connections.length - 1; index >= 0; index--) {
      const connection = connections[index]!;
      if (!connection.isEnded) continue;
      this.#noteClosed(connection);
      connections.splice(index, 1);
      this.#byId.delete(this.#idOf.get(connection)!);
      this.#idOf.delete(connection);
      this.#told.delete(connection);
    }
  }
}
