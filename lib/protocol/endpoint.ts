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
import type { CongestionName } from "./congestion/choose.ts";
import { Connection } from "./connection.ts";
import type { ConnectionEnd, ConnectionOptions } from "./connection_options.ts";
import { readConnectionId } from "./connection_id.ts";
import { ConnectionSet, Member } from "./connection_set.ts";
import type { PathEvent } from "./paths/events.ts";
import {
  type ConnectedSharer,
  HandshakeClient,
  type HandshakeClientOptions,
} from "./handshake_client.ts";
import { HandshakeSharer, type HandshakeSharerOptions } from "./handshake_sharer.ts";
import { HANDSHAKE_DATAGRAM_BYTES, HEADER_BYTES } from "./params.ts";
import { RateLimit } from "./rate_limit.ts";
import type { SendingWishes } from "./transport_parameters.ts";
import type { Path } from "../nat/path.ts";
import { earlier, type Instant, instant, NEVER } from "../time.ts";

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
    /** The session's exporter secret, when it was asked for; whoever takes the event wipes it. */
    readonly exporter?: Uint8Array;
  }
  | {
    /** A handshake towards a share finished. */
    readonly type: "connected";
    readonly connection: Connection;
    readonly handshakeHash: Uint8Array;
    /** As of an accepted client. */
    readonly exporter?: Uint8Array;
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
  /** Whether a socket, by its index, takes trains of datagrams in one call; by default none does. */
  readonly takesTrains?: (socket: number) => boolean;
  /** Largest datagram that this side's link to a path carries in one piece; undefined if unknown. */
  readonly linkDatagramBytes?: (path: Path) => number | undefined;
  /** Congestion control of what is sent, unless the peer asks for `background`. */
  readonly congestion?: CongestionName;
  /** Limit of each connection, bytes per second in datagrams; the endpoint's own counts beside it. */
  readonly connectionLimitBytesPerSecond?: number;
  /** Most block bytes that each connection is granted ahead (default 64 MiB). */
  readonly maxBlockWindowBytes?: number;
  /** How this side asks to be sent to. */
  readonly wishes?: SendingWishes;
  /** Bytes of datagrams that the system holds for this side while it is busy, if known. */
  readonly receiveBufferBytes?: number;
}

/** What an endpoint tells its handshakes by itself. */
export type HandshakeSettings =
  | "provider"
  | "random"
  | "isIdTaken"
  | "wishes"
  | "receiveBufferBytes";

/** All sessions on one set of sockets. */
export class Endpoint {
  /** Where the datagram of the last {@linkcode Endpoint.pollTransmit} goes. */
  transmitPath!: Path;
  /** How many routers it may pass; undefined for the system's default. */
  transmitHops: number | undefined;
  /** Datagrams that belonged to nobody. */
  droppedDatagrams = 0;
  /** Limits all connections together; none at first. They take turns. */
  readonly limit: RateLimit = new RateLimit(instant(0));
  readonly #options: EndpointOptions;
  readonly #connections = new ConnectionSet((member) => this.#takeNews(member));
  readonly #events: EndpointEvent[] = [];
  readonly #machines: DatagramMachine[] = [];
  readonly #isIdTaken = (id: number): boolean => this.#connections.get(id) !== undefined;
  #sharer: HandshakeSharer | undefined;
  #client: HandshakeClient | undefined;
  /** The session that began where nobody asked, as long as its handshake goes on [HS-13]. */
  #unproved: Member | undefined;
  /** Whether the last datagram was a connection's: only those come in trains. */
  #isTrain = false;

  /** Knows nobody at first. */
  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Takes clients from now on. */
  listen(options: Omit<HandshakeSharerOptions, HandshakeSettings>): void {
    this.#sharer = new HandshakeSharer({ ...options, ...this.#handshakeSettings });
  }

  /** Takes no more clients; sessions go on. */
  stopListening(): void {
    this.#sharer?.wipe();
    this.#sharer = undefined;
  }

  /** Begins a handshake with a share. */
  connect(
    now: Instant,
    options: Omit<HandshakeClientOptions, HandshakeSettings>,
  ): void {
    this.stopConnecting();
    this.#client = new HandshakeClient(now, { ...options, ...this.#handshakeSettings });
  }

  get #handshakeSettings(): Pick<HandshakeClientOptions, HandshakeSettings> {
    const { provider, random, wishes, receiveBufferBytes } = this.#options;
    return {
      provider,
      random,
      isIdTaken: this.#isIdTaken,
      ...(wishes ? { wishes } : {}),
      ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
    };
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
    this.#unproved = undefined;
  }

  /** Message 2s that had our share's tag but not its key: somebody else answers for this code. */
  get impostors(): number {
    return this.#client?.impostors ?? 0;
  }

  /** How many sessions there are. */
  get connectionCount(): number {
    return this.#connections.count;
  }

  /**
   * Takes what a socket received, a datagram or several joined; it is decrypted in place.
   *
   * @returns Whether there may be something to send, to tell or to wait for; false when all of it was
   *   nobody's.
   */
  handleDatagram(now: Instant, piece: Uint8Array, socket: number, from: SocketAddress): boolean {
    let start = 0;
    do {
      const length = this.#handleFirst(now, piece, start, socket, from);
      if (length === 0) {
        this.droppedDatagrams++;
        return start > 0;
      }
      start += length;
    } while (start < piece.length);
    return true;
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
      const member = this.#connections.get(id);
      if (member) return this.#handlePacket(now, member, piece, start, socket, from);
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
    member: Member,
    piece: Uint8Array,
    start: number,
    socket: number,
    from: SocketAddress,
  ): number {
    const { connection } = member;
    const length = connection.peekPacketLength(piece, start);
    if (length < 0) return 0;
    connection.handlePacket(now, piece, start, start + length, socket, from);
    this.#connections.touch(member);
    if (member === this.#unproved) this.#settle(member);
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
    const accepted = this.#sharer?.handleDatagram(now, datagram, path, this.#connections.count);
    if (accepted) {
      if (accepted === "handled") return true;
      const { start, earlyPackets, ...client } = accepted;
      const { connection } = this.#add(now, start);
      this.#events.push({ type: "accepted", connection, ...client });
      for (const piece of earlyPackets) {
        this.handleDatagram(now, piece, path.socket, path.remote);
      }
      return true;
    }
    const connected = this.#client?.handleDatagram(now, datagram, path);
    if (!connected) return false;
    if (connected === "again") this.#handleMessage2(now, path);
    else if (connected !== "handled") this.#begin(now, connected);
    return true;
  }

  #begin(now: Instant, { start, ...sharer }: ConnectedSharer): void {
    const member = this.#add(now, start);
    if (start.unasked) this.#unproved = member;
    else this.stopConnecting();
    this.#events.push({ type: "connected", connection: member.connection, ...sharer });
  }

  /** The message 2 of a session that has not proved its path came once more. */
  #handleMessage2(now: Instant, path: Path): void {
    const member = this.#unproved;
    if (!member) return;
    member.connection.handleMessage2(now, path, HANDSHAKE_DATAGRAM_BYTES);
    this.#connections.touch(member);
    this.#settle(member);
  }

  /** Ends the handshake once its session is proved or over. */
  #settle({ connection }: Member): void {
    if (!connection.isUnproved || connection.closed) this.stopConnecting();
  }

  #add(now: Instant, options: ConnectionOptions): Member {
    const { wake, takesTrains, linkDatagramBytes, connectionLimitBytesPerSecond } = this.#options;
    const { maxBlockWindowBytes } = this.#options;
    const congestion = options.remote.background ? "background" : this.#options.congestion;
    const connection = new Connection(now, {
      ...options,
      wake: () => {
        this.#connections.touch(member);
        wake();
      },
      sharedLimit: this.limit,
      ...(takesTrains === undefined ? {} : { takesTrains }),
      ...(linkDatagramBytes === undefined ? {} : { linkDatagramBytes }),
      ...(congestion === undefined ? {} : { congestion }),
      ...(maxBlockWindowBytes === undefined ? {} : { maxBlockWindowBytes }),
      ...(connectionLimitBytesPerSecond === undefined
        ? {}
        : { limitBytesPerSecond: connectionLimitBytesPerSecond }),
    });
    const member = new Member(connection, readConnectionId(options.local.connectionId, 0));
    this.#connections.add(member);
    return member;
  }

  /** Tells the machines that a datagram to `path` did not leave; sessions find out by their timers. */
  handleUnsent(now: Instant, path: Path): void {
    for (const machine of this.#machines) machine.handleUnsent?.(now, path);
  }

  /** Does what is due on all sessions. */
  handleTimeout(now: Instant): void {
    this.#sharer?.handleTimeout(now);
    const connected = this.#client?.handleTimeout(now);
    if (connected) this.#begin(now, connected);
    for (const machine of this.#machines) machine.handleTimeout(now);
    this.#connections.handleTimeout(now);
  }

  /** The one deadline to arm. */
  pollTimeout(): Instant {
    let deadline = earlier(
      this.#sharer?.pollTimeout() ?? NEVER,
      this.#client?.pollTimeout() ?? NEVER,
    );
    for (const machine of this.#machines) deadline = earlier(deadline, machine.pollTimeout());
    return earlier(deadline, this.#connections.pollTimeout());
  }

  /**
   * Writes the next datagram to send, of the sessions in turn, and sets `transmitPath`.
   *
   * @returns Its bytes, or 0 when there is nothing to send now.
   */
  pollTransmit(now: Instant, out: Uint8Array): number {
    this.transmitHops = undefined;
    this.#isTrain = false;
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
    // Not only who is asked for another reason: all who wait for it get their turn.
    if (this.limit.takeReopened(now)) this.#connections.touchAll();
    const length = this.#connections.pollTransmit(now, out);
    if (length === 0) return 0;
    this.transmitPath = this.#connections.transmitPath;
    this.#isTrain = true;
    return length;
  }

  /**
   * Writes one more datagram of the session whose turn it was at the last
   * {@linkcode Endpoint.pollTransmit}, for the same path, when one of at most `segmentBytes` fits
   * behind those before. Trains are made of these, and a session's turn lasts for a train.
   *
   * @param segmentBytes Length of the first datagram of the train.
   * @returns Its bytes, or 0 when the train ends; also when `pollTransmit` has more.
   */
  extendTransmit(now: Instant, out: Uint8Array, segmentBytes: number): number {
    return this.#isTrain ? this.#connections.extendTransmit(now, out, segmentBytes) : 0;
  }

  /** What the owner should know next. */
  pollEvent(): EndpointEvent | undefined {
    this.#connections.lookForNews();
    return this.#events.shift();
  }

  #takeNews(member: Member): void {
    const { connection } = member;
    for (let event = connection.takePathEvent(); event; event = connection.takePathEvent()) {
      this.#events.push({ ...event, connection });
    }
    if (connection.closed === undefined || member.isEndTold) return;
    member.isEndTold = true;
    if (member === this.#unproved) this.stopConnecting();
    this.#events.push({ type: "closed", connection, end: connection.closed });
  }
}
