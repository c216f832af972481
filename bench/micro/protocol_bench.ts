/**
 * What the pure parts of the protocol cost per datagram: acknowledgement ranges, ACK frames, loss
 * recovery with CUBIC, filling datagrams with blocks, and two connections that do all of it.
 *
 * ```sh
 * deno bench bench/micro/protocol_bench.ts
 * ```
 * An iteration handles {@linkcode PACKETS} packets, so microseconds an iteration are nanoseconds a
 * packet.
 */
import { ByteReader } from "../../lib/bytes/varint.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import { type CryptoProvider, TAG_BYTES } from "../../lib/crypto/provider.ts";
import { AckRanges } from "../../lib/protocol/ack_ranges.ts";
import type { ChannelHandler, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { Cubic } from "../../lib/protocol/congestion/cubic.ts";
import { Connection } from "../../lib/protocol/connection.ts";
import { AckFrame, writeAck } from "../../lib/protocol/frame.ts";
import { Outbox } from "../../lib/protocol/outbox.ts";
import { ACK_EVERY_PACKETS, MAX_ACK_RANGES } from "../../lib/protocol/params.ts";
import { Recovery } from "../../lib/protocol/recovery.ts";
import { PacketFlag } from "../../lib/protocol/sent_packets.ts";
import { instant } from "../../lib/time.ts";
import { defaultParameters } from "../../lib/protocol/transport_parameters.ts";

const PACKETS = 1000;
const DATAGRAM_BYTES = 1472;
const DATA = PacketFlag.ACK_ELICITING | PacketFlag.IN_FLIGHT;

// ---- ack ranges ----

Deno.bench({ name: "AckRanges.add in order", group: "ack ranges", baseline: true }, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number++) ranges.add(number);
});

Deno.bench({ name: "AckRanges.add with neighbours swapped", group: "ack ranges" }, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number += 2) {
    ranges.add(number + 1);
    ranges.add(number);
  }
});

Deno.bench({ name: "AckRanges.add with every tenth missing", group: "ack ranges" }, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number++) {
    if (number % 10 !== 0) ranges.add(number);
  }
});

Deno.bench({ name: "AckRanges.add that fills the oldest of 64 gaps", group: "ack ranges" }, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number++) ranges.add(2 * number);
  for (let gap = 1; gap < MAX_ACK_RANGES; gap++) {
    ranges.add(ranges.largest(ranges.count - 1) + 1);
  }
});

// ---- ACK frames ----

const oneRange = rangesWithGaps(0);
const fourRanges = rangesWithGaps(3);
const allRanges = rangesWithGaps(MAX_ACK_RANGES - 1);

function rangesWithGaps(gaps: number): AckRanges {
  const ranges = new AckRanges();
  for (let gap = 0; gap <= gaps; gap++) {
    for (let number = 0; number < 14; number++) ranges.add(1_000_000 + 15 * gap + number);
  }
  return ranges;
}

const buffer = new Uint8Array(DATAGRAM_BYTES);
const reader = new ByteReader(buffer);
const frame = new AckFrame();

function roundTrip(ranges: AckRanges): void {
  const end = writeAck(ranges, 2.5, buffer, 0, buffer.length);
  reader.reset(buffer, 1, end);
  if (!frame.read(reader)) throw new Error("Cannot read its own ACK");
}

Deno.bench({ name: "ACK written and read, 1 range", group: "ack frame", baseline: true }, () => {
  roundTrip(oneRange);
});

Deno.bench({ name: "ACK written and read, 4 ranges", group: "ack frame" }, () => {
  roundTrip(fourRanges);
});

Deno.bench({ name: "ACK written and read, 64 ranges", group: "ack frame" }, () => {
  roundTrip(allRanges);
});

// ---- recovery ----

/** A flow whose window never limits it and whose packets are acknowledged as ours are. */
class Flow {
  readonly recovery = new Recovery(new Cubic(DATAGRAM_BYTES), {
    handlePacketAcked: () => {},
    handlePacketLost: () => {},
  });
  readonly #ack = new AckFrame();
  #nowMs = 0;

  /** Sends a window of packets, then takes the ACKs for it, one in every so many packets. */
  window(lossEvery: number): void {
    const first = this.recovery.sent.next;
    for (let index = 0; index < PACKETS; index++) {
      this.recovery.onSent(instant(this.#nowMs += 0.01), DATAGRAM_BYTES, DATA);
    }
    this.#nowMs += 20;
    for (let index = ACK_EVERY_PACKETS; index <= PACKETS; index += ACK_EVERY_PACKETS) {
      this.#acknowledge(first, first + index - 1, lossEvery);
    }
    this.#acknowledge(first, first + PACKETS - 1, lossEvery);
  }

  /** An ACK for all from `first` to `last` but every so manieth. */
  #acknowledge(first: number, last: number, lossEvery: number): void {
    const ack = this.#ack;
    let index = 0;
    let largest = last;
    for (; index < MAX_ACK_RANGES && largest >= first; index++) {
      let smallest = Math.max(first, Math.floor(largest / lossEvery) * lossEvery + 1);
      if (smallest > largest) smallest = largest;
      ack.largest[index] = largest;
      ack.smallest[index] = smallest;
      largest = smallest - 2;
    }
    ack.count = index;
    this.recovery.onAck(instant(this.#nowMs += 0.1), ack, true);
  }
}

const cleanFlow = new Flow();
const lossyFlow = new Flow();

Deno.bench({ name: "onSent and onAck, no loss", group: "recovery", baseline: true }, () => {
  cleanFlow.window(1e12);
});

Deno.bench({ name: "onSent and onAck, 1 % lost", group: "recovery" }, () => {
  lossyFlow.window(100);
});

// ---- outbox ----

const BLOCK_BYTES = 1024 * 1024;
const blockBytes = new Uint8Array(BLOCK_BYTES);
const smallBytes = new Uint8Array(100);

/** An outbox that always has blocks, and the window it has in flight. */
class Sender {
  readonly #outbox: Outbox = new Outbox(() => this.#addBlock());
  readonly #first: number[] = [];
  readonly #counts: number[] = [];
  readonly #blockBytes: Uint8Array;
  readonly #lossEvery: number;
  #datagrams = 0;
  #request = 0;

  constructor(bytes: Uint8Array, queued: number, lossEvery: number) {
    this.#blockBytes = bytes;
    this.#lossEvery = lossEvery;
    this.#outbox.blockLimit = Number.MAX_SAFE_INTEGER;
    for (let index = 0; index < queued; index++) this.#addBlock();
  }

  /** Fills a window of datagrams, then each is acknowledged, or lost and sent with the next. */
  window(): void {
    const outbox = this.#outbox;
    for (let index = 0; index < PACKETS; index++) {
      outbox.fill(buffer, 13, DATAGRAM_BYTES - 16);
      this.#first[index] = outbox.filledFirst;
      this.#counts[index] = outbox.filledCount;
    }
    for (let index = 0; index < PACKETS; index++) {
      if (++this.#datagrams % this.#lossEvery === 0) {
        outbox.lose(this.#first[index]!, this.#counts[index]!);
      } else {
        outbox.acknowledge(this.#first[index]!, this.#counts[index]!);
      }
    }
  }

  #addBlock(): void {
    this.#outbox.blocks.add({ request: this.#request++ & 63, offset: 0, bytes: this.#blockBytes });
  }
}

const sender = new Sender(blockBytes, 4, Number.POSITIVE_INFINITY);
const lossySender = new Sender(blockBytes, 4, 100);
const smallSender = new Sender(smallBytes, 20_000, Number.POSITIVE_INFINITY);

Deno.bench({ name: "copy of 1443 bytes alone", group: "outbox" }, () => {
  for (let index = 0; index < PACKETS; index++) {
    buffer.set(blockBytes.subarray(index, index + 1443), 13);
  }
});

Deno.bench(
  { name: "fill and acknowledge, blocks of 1 MiB", group: "outbox", baseline: true },
  () => {
    sender.window();
  },
);

Deno.bench({ name: "fill and acknowledge, 1 % lost", group: "outbox" }, () => {
  lossySender.window();
});

Deno.bench({ name: "fill and acknowledge, blocks of 100 bytes", group: "outbox" }, () => {
  smallSender.window();
});

// ---- connections ----

/** Ciphers that change nothing, so that what is left is the work of the connection itself. */
const bareProvider: CryptoProvider = {
  ...nodeProvider,
  createAead: () => ({
    seal: (_nonce, _header, _buffer, _start, end) => end + TAG_BYTES,
    open: (_nonce, _header, _buffer, _start, end) => end - TAG_BYTES,
    wipe: () => {},
  }),
};

/** Two connections without a network in between; one sends blocks to the other without end. */
class ConnectionPair implements ChannelHandler {
  readonly #sender: Connection;
  readonly #receiver: Connection;
  readonly #out = new Uint8Array(DATAGRAM_BYTES);
  #nowMs = 0;

  constructor(provider: CryptoProvider) {
    this.#sender = newConnection(provider, 1, 2);
    this.#receiver = newConnection(provider, 2, 1);
    this.#sender.setHandler(this);
    this.#receiver.setHandler(this);
    for (let index = 0; index < 4; index++) {
      this.#sender.sendBlock({ request: 1, offset: 0, bytes: blockBytes });
    }
  }

  /** Until that many datagrams have arrived, in rounds of a tenth of a millisecond. */
  run(datagrams: number): void {
    for (let left = datagrams; left > 0;) {
      const now = instant(this.#nowMs += 0.1);
      for (const side of [this.#sender, this.#receiver]) side.handleTimeout(now);
      left -= this.#carry(this.#sender, this.#receiver);
      this.#carry(this.#receiver, this.#sender);
    }
  }

  #carry(from: Connection, to: Connection): number {
    const now = instant(this.#nowMs);
    for (let count = 0;; count++) {
      const length = from.pollTransmit(now, this.#out);
      if (length === 0) return count;
      to.handlePacket(now, this.#out, 0, length);
    }
  }

  handleControl(): void {}

  handleBlock(_request: number, _offset: number, bytes: Uint8Array): number {
    this.#receiver.consumeBlockBytes(bytes.length);
    return bytes.length;
  }

  handleBlockReleased(block: OutgoingBlock): void {
    this.#sender.sendBlock(block);
  }

  handleWritable(): void {}
}

function newConnection(provider: CryptoProvider, mine: number, theirs: number): Connection {
  return new Connection(instant(0), {
    sealer: new PacketSealer(provider, new Uint8Array(32).fill(mine)),
    opener: new PacketOpener(provider, new Uint8Array(32).fill(theirs)),
    local: defaultParameters(new Uint8Array(6).fill(mine)),
    remote: defaultParameters(new Uint8Array(6).fill(theirs)),
    path: { socket: 0, remote: { family: 4, host: "192.0.2.1", port: theirs } },
    random: { fill: (out) => void crypto.getRandomValues(out as Uint8Array<ArrayBuffer>) },
    rttMs: 0.2,
  });
}

const barePair = new ConnectionPair(bareProvider);
const realPair = new ConnectionPair(nodeProvider);

Deno.bench(
  { name: "sent and received, no cipher", group: "connection", baseline: true },
  () => {
    barePair.run(PACKETS);
  },
);

Deno.bench({ name: "sent and received, node:crypto", group: "connection" }, () => {
  realPair.run(PACKETS);
});
