/**
 * Two connections over two links of a world, one of which sends a file of blocks to the other, and a
 * meter: how many bytes of the file entered the link, how many of them it dropped, and how many of
 * the rest the receiver had already. Nothing is encrypted, so that the meter can read the datagrams
 * and a run costs little more than the machinery under test.
 */
import { ByteReader } from "../../lib/bytes/varint.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import { TAG_BYTES } from "../../lib/crypto/provider.ts";
import { readObservedAddress } from "../../lib/protocol/candidates_frame.ts";
import type { ChannelHandler } from "../../lib/protocol/channel.ts";
import type { CongestionName } from "../../lib/protocol/congestion/choose.ts";
import { Connection } from "../../lib/protocol/connection.ts";
import { AckFrame, Frame } from "../../lib/protocol/frame.ts";
import { HEADER_BYTES, PATH_CHALLENGE_BYTES } from "../../lib/protocol/params.ts";
import { defaultParameters } from "../../lib/protocol/transport_parameters.ts";
import type { LinkOptions } from "./link.ts";
import { plainProvider } from "./plain_provider.ts";
import type { SimLink, SimWorld } from "./sim_world.ts";

const BLOCK_BYTES = 65_536;
const NOTHING = new Uint8Array(BLOCK_BYTES);

/** What the pair is to do. */
export interface MeteredOptions {
  readonly forth: LinkOptions;
  /** Default: as `forth`. */
  readonly back?: LinkOptions;
  readonly fileBytes: number;
  readonly congestion?: CongestionName;
  /** Round trip known from the handshake, ms (default none). */
  readonly rttMs?: number;
}

/** A sender of one file, its receiver, and what the path between them cost. */
export class MeteredPair {
  readonly sender: Connection;
  readonly receiver: Connection;
  readonly forth: SimLink;
  readonly back: SimLink;
  /** Bytes of the file that entered the link, each as often as it did. */
  enteredBytes = 0;
  /** Of these, those that the link dropped. */
  droppedBytes = 0;
  /** Bytes of the file that arrived, each once. */
  arrivedBytes = 0;
  /** When every byte of the file had entered the link once. */
  allSentMs = Number.NaN;
  /** When every byte of the file had arrived. */
  allArrivedMs = Number.NaN;
  /** Longest time in which nothing of the file arrived that was not there, ms. */
  longestPauseMs = 0;
  /** Whether the sender knows that all arrived. */
  isReleased = false;
  readonly fileBytes: number;
  readonly #world: SimWorld;
  readonly #out = new Uint8Array(2048);
  readonly #reader = new ByteReader(this.#out);
  readonly #ack = new AckFrame();
  readonly #cancelTimers = [() => {}, () => {}];
  readonly #hasArrived: Uint8Array;
  #sentUpTo = 0;
  #lastFreshMs: number;

  constructor(world: SimWorld, options: MeteredOptions) {
    const { forth, back = forth, fileBytes } = options;
    this.#world = world;
    this.fileBytes = fileBytes;
    this.#lastFreshMs = world.nowMs;
    this.#hasArrived = new Uint8Array(fileBytes);
    this.sender = this.#connection(1, 2, options);
    this.receiver = this.#connection(2, 1, options);
    this.forth = world.link(forth, (datagram) => this.#deliver(this.receiver, datagram));
    this.back = world.link(back, (datagram) => this.#deliver(this.sender, datagram));
    let releasedBytes = 0;
    this.sender.setHandler({
      ...deaf,
      handleBlockReleased: ({ bytes }) => {
        releasedBytes += bytes.length;
        this.isReleased = releasedBytes === fileBytes;
      },
    });
    this.receiver.setHandler({
      ...deaf,
      handleBlock: (_request, offset, bytes) => this.#arrive(offset, bytes.length),
    });
    for (let offset = 0; offset < fileBytes; offset += BLOCK_BYTES) {
      const bytes = NOTHING.subarray(0, Math.min(BLOCK_BYTES, fileBytes - offset));
      this.sender.sendBlock({ request: 1, offset, bytes });
    }
    this.#drain(this.sender);
    this.#drain(this.receiver);
  }

  /** Whether every byte arrived. */
  get isComplete(): boolean {
    return this.arrivedBytes === this.fileBytes;
  }

  /** Bytes sent again though the link had not dropped them, as a share of the file. */
  get redundantShare(): number {
    return (this.enteredBytes - this.droppedBytes - this.arrivedBytes) / this.fileBytes;
  }

  #connection(mine: number, theirs: number, options: MeteredOptions): Connection {
    const { congestion, rttMs } = options;
    return new Connection(this.#world.now, {
      sealer: new PacketSealer(plainProvider, new Uint8Array(32).fill(mine)),
      opener: new PacketOpener(plainProvider, new Uint8Array(32).fill(theirs)),
      local: defaultParameters(new Uint8Array(6).fill(mine)),
      remote: defaultParameters(new Uint8Array(6).fill(theirs)),
      path: { socket: 0, remote: { family: 4, host: "192.0.2.1", port: theirs } },
      random: this.#world.prng,
      ...(rttMs === undefined ? {} : { rttMs }),
      ...(congestion === undefined ? {} : { congestion }),
    });
  }

  #deliver(to: Connection, datagram: Uint8Array): void {
    to.handlePacket(this.#world.now, datagram, 0, datagram.length);
    this.#drain(to);
  }

  #drain(from: Connection): void {
    const isSender = from === this.sender;
    const link = isSender ? this.forth : this.back;
    for (;;) {
      const length = from.pollTransmit(this.#world.now, this.#out);
      if (length === 0) break;
      const { delivered } = link.model.counters;
      link.send(this.#out.subarray(0, length));
      if (isSender) this.#meter(length, link.model.counters.delivered === delivered);
    }
    const index = isSender ? 0 : 1;
    this.#cancelTimers[index]!();
    this.#cancelTimers[index] = this.#world.schedule(from.pollTimeout(), () => {
      from.handleTimeout(this.#world.now);
      this.#drain(from);
    });
  }

  /** Reads the datagram in `#out`. */
  #meter(length: number, isDropped: boolean): void {
    const reader = this.#reader;
    reader.reset(this.#out, HEADER_BYTES, length - TAG_BYTES);
    while (reader.remaining > 0) {
      switch (reader.u8()) {
        case Frame.PADDING:
        case Frame.PING:
        case Frame.ACK_NOW:
          break;
        case Frame.ACK:
          this.#ack.read(reader);
          break;
        case Frame.OBSERVED_ADDRESS:
          readObservedAddress(reader);
          break;
        case Frame.PATH_CHALLENGE:
        case Frame.PATH_RESPONSE:
          reader.bytes(PATH_CHALLENGE_BYTES);
          break;
        case Frame.CREDIT:
          reader.varint();
          reader.varint();
          break;
        case Frame.BLOCK: {
          reader.varint();
          const end = reader.varint();
          const bytes = reader.varint();
          reader.bytes(bytes);
          this.enteredBytes += bytes;
          if (isDropped) this.droppedBytes += bytes;
          this.#sentUpTo = Math.max(this.#sentUpTo, end + bytes);
          break;
        }
        default:
          throw new Error("A frame that this pair does not use");
      }
    }
    if (this.#sentUpTo === this.fileBytes && Number.isNaN(this.allSentMs)) {
      this.allSentMs = this.#world.nowMs;
    }
  }

  #arrive(offset: number, length: number): number {
    let fresh = 0;
    for (let index = offset; index < offset + length; index++) {
      if (this.#hasArrived[index] === 1) continue;
      this.#hasArrived[index] = 1;
      fresh++;
    }
    this.arrivedBytes += fresh;
    if (fresh > 0) {
      this.longestPauseMs = Math.max(this.longestPauseMs, this.#world.nowMs - this.#lastFreshMs);
      this.#lastFreshMs = this.#world.nowMs;
    }
    this.receiver.consumeBlockBytes(fresh);
    if (this.isComplete && Number.isNaN(this.allArrivedMs)) this.allArrivedMs = this.#world.nowMs;
    return fresh;
  }
}

const deaf: ChannelHandler = {
  handleControl: () => {},
  handleBlock: () => 0,
  handleBlockReleased: () => {},
  handleWritable: () => {},
};
