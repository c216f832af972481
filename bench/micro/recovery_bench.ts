/**
 * What acknowledgements and loss detection cost a packet, beside the simplest code that does the
 * same: a set of numbers for the ranges, a map that is walked over at each ACK for what is in flight.
 *
 * ```sh
 * deno bench bench/micro/recovery_bench.ts
 * ```
 * An iteration handles {@linkcode PACKETS} packets, so microseconds an iteration are nanoseconds a
 * packet.
 */
import { ByteReader } from "../../lib/bytes/varint.ts";
import { AckRanges } from "../../lib/protocol/ack_ranges.ts";
import { Cubic } from "../../lib/protocol/congestion/cubic.ts";
import { AckFrame, writeAck } from "../../lib/protocol/frame.ts";
import {
  ACK_EVERY_PACKETS,
  MAX_ACK_RANGES,
  REORDER_THRESHOLD_PACKETS,
} from "../../lib/protocol/params.ts";
import { Recovery } from "../../lib/protocol/recovery.ts";
import { PacketFlag } from "../../lib/protocol/sent_packets.ts";
import { instant } from "../../lib/time.ts";

const PACKETS = 1000;
const DATAGRAM_BYTES = 1472;
const DATA = PacketFlag.ACK_ELICITING | PacketFlag.IN_FLIGHT;

// ---- ack ranges ----

const adding = { group: "ack ranges" };

Deno.bench("a set of numbers, sorted at the end", { ...adding, baseline: true }, () => {
  const numbers = new Set<number>();
  for (let number = 0; number < PACKETS; number++) numbers.add(number);
  Array.from(numbers).sort((a, b) => b - a);
});

Deno.bench("AckRanges.add in order", adding, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number++) ranges.add(number);
});

Deno.bench("AckRanges.add with neighbours swapped", adding, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number += 2) {
    ranges.add(number + 1);
    ranges.add(number);
  }
});

Deno.bench("AckRanges.add with every tenth missing", adding, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number++) {
    if (number % 10 !== 0) ranges.add(number);
  }
});

Deno.bench("AckRanges.add that fills the oldest of 64 gaps", adding, () => {
  const ranges = new AckRanges();
  for (let number = 0; number < PACKETS; number++) ranges.add(2 * number);
  for (let gap = 1; gap < MAX_ACK_RANGES; gap++) {
    ranges.add(ranges.largest(ranges.count - 1) + 1);
  }
});

// ---- ACK frames ----

const buffer = new Uint8Array(DATAGRAM_BYTES);
const reader = new ByteReader(buffer);
const frame = new AckFrame();

for (const count of [1, 4, MAX_ACK_RANGES]) {
  const ranges = new AckRanges();
  for (let index = 0; index < count; index++) {
    for (let number = 0; number < 14; number++) ranges.add(1_000_000 + 15 * index + number);
  }
  const options = { group: "ack frame", baseline: count === 1 };
  Deno.bench(`ACK written and read, ranges: ${count}`, options, () => {
    const end = writeAck(ranges, 2.5, buffer, 0, buffer.length);
    reader.reset(buffer, 1, end);
    if (!frame.read(reader)) throw new Error("Cannot read its own ACK");
  });
}

// ---- loss detection ----

/** What a flow is told of. */
interface Sent {
  send(nowMs: number, packetNumber: number): void;
  acknowledge(nowMs: number, ack: AckFrame): void;
}

/** RFC 9002 word for word: every ACK looks at all that is in flight. */
class SimpleSent implements Sent {
  readonly #inFlight = new Map<number, number>();
  #largestAcked = -1;

  send(nowMs: number, packetNumber: number): void {
    this.#inFlight.set(packetNumber, nowMs);
  }

  acknowledge(_nowMs: number, ack: AckFrame): void {
    this.#largestAcked = Math.max(this.#largestAcked, ack.largest[0]!);
    for (const packetNumber of this.#inFlight.keys()) {
      const isOvertaken = this.#largestAcked - packetNumber >= REORDER_THRESHOLD_PACKETS;
      if (isOvertaken || isAcknowledged(ack, packetNumber)) this.#inFlight.delete(packetNumber);
    }
  }
}

function isAcknowledged(ack: AckFrame, packetNumber: number): boolean {
  for (let index = 0; index < ack.count; index++) {
    if (packetNumber > ack.largest[index]!) return false;
    if (packetNumber >= ack.smallest[index]!) return true;
  }
  return false;
}

class RealSent implements Sent {
  readonly #recovery = new Recovery(new Cubic(DATAGRAM_BYTES), {
    handlePacketAcked: () => {},
    handlePacketLost: () => {},
  });

  send(nowMs: number): void {
    this.#recovery.onSent(instant(nowMs), DATAGRAM_BYTES, DATA);
  }

  acknowledge(nowMs: number, ack: AckFrame): void {
    this.#recovery.onAck(instant(nowMs), ack, true);
  }
}

/** A flow with so many packets on the way; its receiver acknowledges as ours do. */
class Flow {
  readonly #sent: Sent;
  readonly #window: number;
  readonly #lossEvery: number;
  readonly #received = new AckRanges();
  #next = 0;
  #nowMs = 0;

  constructor(sent: Sent, window: number, lossEvery: number) {
    this.#sent = sent;
    this.#window = window;
    this.#lossEvery = lossEvery;
    this.run(2 * window);
  }

  run(packets: number): void {
    for (let index = 0; index < packets; index++) {
      this.#nowMs += 20 / this.#window; // a round trip of 20 ms
      this.#sent.send(this.#nowMs, this.#next);
      const arrived = this.#next++ - this.#window;
      if (arrived < 0) continue;
      if (arrived % this.#lossEvery !== this.#lossEvery - 1) this.#received.add(arrived);
      if (arrived % ACK_EVERY_PACKETS === 0) this.#acknowledge();
    }
  }

  #acknowledge(): void {
    const end = writeAck(this.#received, 0, buffer, 0, buffer.length);
    reader.reset(buffer, 1, end);
    frame.read(reader);
    this.#sent.acknowledge(this.#nowMs, frame);
  }
}

for (const window of [100, 1000, 20_000]) {
  const group = { group: `${window} packets in flight` };
  const simple = new Flow(new SimpleSent(), window, 100);
  Deno.bench(`a map, 1 % lost, ${window}`, { ...group, baseline: true }, () => simple.run(PACKETS));
  const clean = new Flow(new RealSent(), window, Number.POSITIVE_INFINITY);
  Deno.bench(`Recovery, no loss, ${window}`, group, () => clean.run(PACKETS));
  for (const percent of [1, 5]) {
    const lossy = new Flow(new RealSent(), window, 100 / percent);
    Deno.bench(`Recovery, ${percent} % lost, ${window}`, group, () => lossy.run(PACKETS));
  }
}
