/**
 * What the pure parts of the protocol cost per datagram: numbers and frames on the wire, filling
 * datagrams with blocks, and two connections that do all of it. Acknowledgements and losses are in
 * `recovery_bench.ts`.
 *
 * ```sh
 * deno bench bench/micro/protocol_bench.ts
 * ```
 * An iteration handles {@linkcode PACKETS} packets, so microseconds an iteration are nanoseconds a
 * packet.
 */
import { ByteReader, writeVarint } from "../../lib/bytes/varint.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { Frame, writeBlockHead } from "../../lib/protocol/frame.ts";
import { Outbox } from "../../lib/protocol/outbox.ts";
import { DirectPair } from "../../tests/support/direct_pair.ts";
import { plainProvider } from "../../tests/support/plain_provider.ts";

const PACKETS = 1000;
const DATAGRAM_BYTES = 1472;

const buffer = new Uint8Array(DATAGRAM_BYTES);
const reader = new ByteReader(buffer);

// ---- codecs ----

const codecs = { group: "codecs" };
const view = new DataView(buffer.buffer);

Deno.bench("64 bits, DataView with BigInt", { ...codecs, baseline: true }, () => {
  for (let index = 0; index < PACKETS; index++) {
    view.setBigUint64(0, BigInt(index * 1e6));
    if (Number(view.getBigUint64(0)) !== index * 1e6) throw new Error("Cannot read its own number");
  }
});

for (const [name, factor] of [["1 and 2", 1], ["4", 1e6], ["8", 1e12]] as const) {
  Deno.bench(`varint of ${name} bytes`, codecs, () => {
    for (let index = 0; index < PACKETS; index++) {
      reader.reset(buffer, 0, writeVarint(index * factor, buffer, 0));
      if (reader.varint() !== index * factor) throw new Error("Cannot read its own number");
    }
  });
}

Deno.bench("head of a BLOCK frame", codecs, () => {
  for (let index = 0; index < PACKETS; index++) {
    reader.reset(buffer, 0, writeBlockHead(7, index * 1_000_000, 1400, buffer, 0));
    const isBlock = reader.u8() === Frame.BLOCK;
    const sum = reader.varint() + reader.varint() + reader.varint();
    if (!isBlock || sum !== 1407 + index * 1_000_000) throw new Error("Cannot read its own frame");
  }
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

const barePair = new DirectPair(plainProvider);
const lossyPair = new DirectPair(plainProvider, { congestion: "bbr", lossEvery: 100 });
const realPair = new DirectPair(nodeProvider);

Deno.bench("sent and received, no cipher", { group: "connection", baseline: true }, () => {
  barePair.run(PACKETS);
});

Deno.bench("sent and received, no cipher, 1 % lost", { group: "connection" }, () => {
  lossyPair.run(PACKETS);
});

Deno.bench("sent and received, node:crypto", { group: "connection" }, () => {
  realPair.run(PACKETS);
});
