/**
 * One real connection and, opposite it, a peer made by hand: it holds the real keys, seals whatever
 * frames a test writes, under any packet number, and opens and lists what the connection sends. Time
 * passes only when the test says so.
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { ChannelHandler, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { Connection } from "../../lib/protocol/connection.ts";
import type { ConnectionEnd, ConnectionOptions } from "../../lib/protocol/connection_options.ts";
import { isSamePath, type Path } from "../../lib/nat/path.ts";
import { AckRanges } from "../../lib/protocol/ack_ranges.ts";
import { HEADER_BYTES, MAX_ACK_RANGES, MAX_DATAGRAM_BYTES } from "../../lib/protocol/params.ts";
import { type Instant, instant } from "../../lib/time.ts";
import {
  defaultParameters,
  type TransportParameters,
} from "../../lib/protocol/transport_parameters.ts";
import { ack, type ReadFrame, readFrames } from "./frame_bytes.ts";
import { Prng } from "./prng.ts";

const CONNECTION_ID = new Uint8Array([1, 2, 3, 4, 5, 6]);
const PEER_ID = new Uint8Array([9, 8, 7, 6, 5, 4]);
const PEER_ADDRESS: SocketAddress = { family: 4, host: "192.0.2.9", port: 9000 };
/** The path on which a session of these two begins. */
export const PEER_PATH: Path = { socket: 0, remote: PEER_ADDRESS };
const TAG_BYTES = 16;
/** Datagrams at one moment that are more than any burst: a loop. */
const MAX_BURST = 20_000;

/** A packet the connection sent. */
export interface SentPacket {
  readonly atMs: number;
  readonly number: number;
  readonly keyPhase: number;
  /** Where it went. */
  readonly path: Path;
  /** Bytes of the datagram. */
  readonly bytes: number;
  readonly frames: readonly ReadFrame[];
}

/** What differs from the ordinary. */
export interface HandPeerOptions {
  /** The connection's own parameters. */
  readonly local?: Partial<TransportParameters>;
  /** What the hand-made peer said of itself. */
  readonly remote?: Partial<TransportParameters>;
  readonly connection?: Partial<ConnectionOptions>;
  /** Whether the connection gets the recording handler at once (default true). */
  readonly hasHandler?: boolean;
}

/** A handler that writes down what it is told. */
export class RecordingHandler implements ChannelHandler {
  readonly control: number[] = [];
  readonly blocks: { request: number; offset: number; bytes: Uint8Array }[] = [];
  readonly released: OutgoingBlock[] = [];
  writableCount = 0;
  /** What `handleBlock` answers; by default everything is new. */
  fresh: (request: number, offset: number, bytes: Uint8Array) => number = (_r, _o, bytes) =>
    bytes.length;
  onControl: () => void = () => {};
  onReleased: (block: OutgoingBlock) => void = () => {};

  handleControl(bytes: Uint8Array): void {
    for (const byte of bytes) this.control.push(byte);
    this.onControl();
  }

  handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    this.blocks.push({ request, offset, bytes: bytes.slice() });
    return this.fresh(request, offset, bytes);
  }

  handleBlockReleased(block: OutgoingBlock): void {
    this.released.push(block);
    this.onReleased(block);
  }

  handleWritable(): void {
    this.writableCount++;
  }
}

/** The connection under test and the peer. */
export class HandPeer {
  readonly connection: Connection;
  readonly handler: RecordingHandler = new RecordingHandler();
  /** Everything the connection sent. */
  readonly sent: SentPacket[] = [];
  /** When message 3 went out, for a client. */
  readonly confirmationsAtMs: number[] = [];
  /** How often the connection asked to be looked at. */
  wakeCount = 0;
  nowMs = 0;
  /** The peer's own packet protection. */
  readonly sealer: PacketSealer;
  readonly opener: PacketOpener;
  /** Whether the peer lets the connection's packets vanish. */
  isDeaf = false;
  #nextNumber = 0;
  /** Numbers of all packets that arrived; the connection leaves some out. */
  readonly #arrived = new AckRanges();
  readonly #out = new Uint8Array(MAX_DATAGRAM_BYTES);

  constructor(options: HandPeerOptions = {}) {
    const [ours, theirs] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    this.sealer = new PacketSealer(nodeProvider, theirs);
    this.opener = new PacketOpener(nodeProvider, ours);
    this.connection = new Connection(instant(0), {
      sealer: new PacketSealer(nodeProvider, ours),
      opener: new PacketOpener(nodeProvider, theirs),
      local: { ...defaultParameters(CONNECTION_ID), ...options.local },
      remote: { ...defaultParameters(PEER_ID), ...options.remote },
      path: PEER_PATH,
      random: new Prng(1),
      rttMs: 20,
      wake: () => void this.wakeCount++,
      ...options.connection,
    });
    if (options.hasHandler !== false) this.connection.setHandler(this.handler);
  }

  get now(): Instant {
    return instant(this.nowMs);
  }

  /** An ACK of all packets that arrived so far, up to the newest or an older one. */
  ackOfAll(largest: number = Number.POSITIVE_INFINITY): Uint8Array {
    return ack(this.arrivedWithin(0, largest).slice(0, MAX_ACK_RANGES));
  }

  /** Ranges of the packets that arrived so far with numbers from `first` to `last`, newest first. */
  arrivedWithin(first: number, last: number): [smallest: number, largest: number][] {
    const ranges: [number, number][] = [];
    for (let index = 0; index < this.#arrived.count; index++) {
      const smallest = Math.max(this.#arrived.smallest(index), first);
      const largest = Math.min(this.#arrived.largest(index), last);
      if (smallest <= largest) ranges.push([smallest, largest]);
    }
    return ranges;
  }

  /** Packets that arrived so far, and the ranges of their numbers, as far as they are remembered. */
  get received(): { readonly count: number; readonly ranges: number } {
    const { count: ranges } = this.#arrived;
    let count = 0;
    for (let index = 0; index < ranges; index++) {
      count += this.#arrived.largest(index) - this.#arrived.smallest(index) + 1;
    }
    return { count, ranges };
  }

  /** All frames the connection sent, in order. */
  get sentFrames(): ReadFrame[] {
    return this.sent.flatMap((packet) => [...packet.frames]);
  }

  /** The frames of one kind that the connection sent. */
  sentOf<Name extends ReadFrame["name"]>(name: Name): Extract<ReadFrame, { name: Name }>[] {
    return this.sentFrames.filter((frame) => frame.name === name) as Extract<
      ReadFrame,
      { name: Name }
    >[];
  }

  /** How the connection ended, if it did. (A method, so that the compiler does not take it as fixed.) */
  end(): ConnectionEnd | undefined {
    return this.connection.closed;
  }

  /** Checks that nothing was sent since the last {@linkcode HandPeer.forget}. */
  assertSilent(message?: string): void {
    assert.deepEqual(this.sent.map(({ frames }) => frames), [], message);
  }

  /** Forgets what was sent so far, so that a test sees only what comes next. */
  forget(): void {
    this.sent.length = 0;
  }

  /** Seals frames as the peer's next packet, or under a number of the test's choice. */
  seal(frames: readonly Uint8Array[], number: number = this.#nextNumber): Uint8Array {
    const payload = concatBytes(...frames);
    const packet = new Uint8Array(HEADER_BYTES + payload.length + TAG_BYTES);
    packet.set(CONNECTION_ID);
    packet.set(payload, HEADER_BYTES);
    this.sealer.seal(packet, 0, HEADER_BYTES + payload.length, number);
    this.#nextNumber = number + 1;
    return packet;
  }

  /** Leaves out packet numbers: as if packets had been lost. */
  skip(count = 1): void {
    this.#nextNumber += count;
  }

  /** Hands a packet over, without letting the connection answer yet. */
  hand(packet: Uint8Array, path: Path = PEER_PATH): boolean {
    const copy = packet.slice(); // it is decrypted in place
    const { socket, remote } = path;
    return this.connection.handlePacket(this.now, copy, 0, copy.length, socket, remote);
  }

  /** As {@linkcode HandPeer.send}, along another path. */
  sendFrom(path: Path, ...frames: readonly Uint8Array[]): boolean {
    const isTaken = this.hand(this.seal(frames), path);
    this.drain();
    return isTaken;
  }

  /** What the connection sent along a path. */
  sentAlong(path: Path): SentPacket[] {
    return this.sent.filter((packet) => isSamePath(packet.path, path));
  }

  /** Sends one packet of these frames and lets the connection answer. */
  send(...frames: readonly Uint8Array[]): boolean {
    const isTaken = this.hand(this.seal(frames));
    this.drain();
    return isTaken;
  }

  /** Takes all that the connection has to send now. */
  drain(): void {
    for (let count = 0;; count++) {
      assert.ok(count < MAX_BURST, "the connection sends without end");
      const length = this.connection.pollTransmit(this.now, this.#out);
      if (length === 0) break;
      this.take(this.#out.slice(0, length));
    }
  }

  /** Lets time pass. */
  advance(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      const deadline = this.connection.pollTimeout();
      if (deadline > untilMs) break;
      this.nowMs = Math.max(deadline, this.nowMs);
      this.connection.handleTimeout(this.now);
      this.drain();
      assert.ok(this.connection.pollTimeout() > this.nowMs, "a timer that goes on and on");
    }
    this.nowMs = untilMs;
  }

  /** Takes a datagram that the connection sent; {@linkcode HandPeer.drain} does it by itself. */
  take(datagram: Uint8Array): void {
    if (datagram[0] !== PEER_ID[0]) {
      this.confirmationsAtMs.push(this.nowMs);
      return;
    }
    if (this.isDeaf) return;
    const bytes = datagram.length;
    const end = this.opener.open(datagram, 0, bytes);
    assert.ok(end >= 0, "the connection sent a packet that does not open");
    this.opener.dropOldKeys(); // nothing comes late here, so the next keys may follow at once
    this.#arrived.add(this.opener.packetNumber);
    this.sent.push({
      atMs: this.nowMs,
      number: this.opener.packetNumber,
      keyPhase: this.opener.keyPhase,
      path: this.connection.transmitPath,
      bytes,
      frames: readFrames(datagram.subarray(HEADER_BYTES, end)),
    });
  }
}
