// Goal: whatever is lost, repeated or acknowledged late, every byte goes out with the right content,
// within the credit, and each block comes back exactly once, after all of it was acknowledged.
// Method: random packets through an own small parser into a model of bytes; at the end the network
// heals and everything must be done.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import type { OutgoingBlock } from "../../../lib/protocol/channel.ts";
import { Frame } from "../../../lib/protocol/frame.ts";
import { Outbox } from "../../../lib/protocol/outbox.ts";

/** Bytes of the stretches one packet carried; `source` is a block's number, or −1 for control. */
interface Stretch {
  source: number;
  from: number;
  length: number;
}

interface Packet {
  firstSegment: number;
  count: number;
  stretches: Stretch[];
}

const CONTROL = -1;

/** Where block `index` begins in its file: beyond 2^32 for some. */
function fileOffset(index: number): number {
  return index % 3 === 0 ? index * 2 ** 31 : index * 1000;
}

function content(source: number, index: number): number {
  return (Math.imul(source + 2, 0x9e3779b1) >>> 11) + index * 7 + (index >>> 8) & 0xff;
}

/** An outbox, what the other side saw of it, and what must hold between them. */
class OutboxWorld {
  readonly outbox = new Outbox((block) => this.#handleReleased(block));
  readonly released: number[] = [];
  readonly packets: Packet[] = [];
  #blocks: OutgoingBlock[] = [];
  #controlBytes = 0;
  /** For each source: how often each byte was emitted, and whether it was acknowledged. */
  #emitted = new Map<number, Uint16Array>();
  #acked = new Map<number, Uint8Array>();
  #freshBlockBytes = 0;
  #buffer = new Uint8Array(1600);

  addControl(length: number): void {
    const bytes = Uint8Array.from({ length }, (_, at) => content(CONTROL, this.#controlBytes + at));
    this.outbox.control.write(bytes);
    bytes.fill(0);
    this.#controlBytes += length;
    this.#grow(CONTROL, this.#controlBytes);
  }

  addBlock(length: number): void {
    const index = this.#blocks.length;
    const bytes = Uint8Array.from({ length }, (_, at) => content(index, at));
    const block = { request: index, offset: fileOffset(index), bytes };
    this.#blocks.push(block);
    this.#grow(index, length);
    this.outbox.blocks.add(block);
  }

  /** Fills one packet of `room` bytes and checks every frame in it. */
  fill(room: number, offset = 13): Packet {
    const buffer = this.#buffer.fill(0xee);
    const end = this.outbox.fill(buffer, offset, offset + room);
    assert.ok(end >= offset && end <= offset + room);
    assert.ok(buffer.subarray(end).every((byte) => byte === 0xee), "nothing beyond the end");
    const stretches = this.#readFrames(offset, end);
    const { filledFirst: firstSegment, filledCount: count } = this.outbox;
    assert.equal(count, stretches.length, "one segment a frame");
    for (const stretch of stretches) this.#noteEmitted(stretch);
    const packet = { firstSegment, count, stretches };
    if (count > 0) this.packets.push(packet);
    return packet;
  }

  acknowledge(packet: Packet): void {
    for (const { source, from, length } of packet.stretches) {
      this.#acked.get(source)!.fill(1, from, from + length);
    }
    this.outbox.acknowledge(packet.firstSegment, packet.count);
    const control = this.#acked.get(CONTROL);
    if (control) {
      const firstMissing = control.indexOf(0);
      assert.ok(
        this.outbox.control.ackedOffset <= (firstMissing < 0 ? control.length : firstMissing),
        "the control stream never claims more than arrived",
      );
    }
  }

  lose(packet: Packet): void {
    this.outbox.lose(packet.firstSegment, packet.count);
  }

  /** No more losses: everything goes out and is acknowledged. */
  heal(): void {
    this.outbox.blockLimit = Number.MAX_SAFE_INTEGER;
    this.outbox.controlLimit = Number.MAX_SAFE_INTEGER;
    for (const packet of this.packets) this.lose(packet);
    for (let rounds = 0; this.outbox.hasWork; rounds++) {
      assert.ok(rounds < 10_000, "it ends");
      const packet = this.fill(1400);
      assert.ok(packet.count > 0, "work that is there fits a packet");
      this.acknowledge(packet);
    }
    assert.equal(this.fill(1400).count, 0);
  }

  assertAllDone(): void {
    for (const [source, counts] of this.#emitted) {
      assert.equal(counts.indexOf(0), -1, `every byte of ${source} went out`);
    }
    const all = this.#blocks.map((_, index) => index);
    assert.deepEqual(this.released.toSorted((a, b) => a - b), all, "each block came back once");
    assert.equal(this.outbox.blocks.queuedBytes, 0);
    assert.equal(this.outbox.control.ackedOffset, this.#controlBytes);
    assert.equal(this.outbox.control.queuedBytes, 0);
  }

  #handleReleased(block: OutgoingBlock): void {
    const index = this.#blocks.indexOf(block);
    assert.ok(!this.released.includes(index), "released once");
    assert.equal(this.#acked.get(index)!.indexOf(0), -1, "released only when all was acknowledged");
    this.released.push(index);
  }

  #readFrames(start: number, end: number): Stretch[] {
    const reader = new ByteReader(new Uint8Array(0));
    reader.reset(this.#buffer, start, end);
    const stretches: Stretch[] = [];
    while (reader.remaining > 0) {
      const type = reader.u8();
      assert.ok(type === Frame.CONTROL || type === Frame.BLOCK);
      const source = type === Frame.CONTROL ? CONTROL : reader.varint();
      const from = reader.varint() - (source === CONTROL ? 0 : fileOffset(source));
      const bytes = reader.bytes(reader.varint());
      assert.ok(reader.ok);
      assert.ok(bytes.length > 0, "no frame without bytes");
      for (const [at, byte] of bytes.entries()) assert.equal(byte, content(source, from + at));
      stretches.push({ source, from, length: bytes.length });
    }
    return stretches;
  }

  #noteEmitted({ source, from, length }: Stretch): void {
    const counts = this.#emitted.get(source)!;
    assert.ok(from >= 0 && from + length <= counts.length);
    for (let at = from; at < from + length; at++) {
      if (counts[at]! === 0 && source !== CONTROL) this.#freshBlockBytes++;
      counts[at] = counts[at]! + 1;
    }
    if (source === CONTROL) assert.ok(from + length <= this.outbox.controlLimit, "control credit");
    assert.ok(this.#freshBlockBytes <= this.outbox.blockLimit, "block credit");
    assert.equal(this.outbox.blocks.freshSentBytes >= this.#freshBlockBytes, true);
  }

  #grow(source: number, length: number): void {
    const emitted = new Uint16Array(length);
    const acked = new Uint8Array(length);
    emitted.set(this.#emitted.get(source) ?? []);
    acked.set(this.#acked.get(source) ?? []);
    this.#emitted.set(source, emitted);
    this.#acked.set(source, acked);
  }
}

type Step =
  | { control: number }
  | { block: number }
  | { fill: number }
  | { lose: number }
  | { acknowledge: number }
  | { blockCredit: number }
  | { controlCredit: number };

const room = fc.oneof(fc.nat(60), fc.nat(1472), fc.constantFrom(1171, 1443));
const size = fc.oneof(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 6000 }));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ control: size }) },
  { weight: 3, arbitrary: fc.record({ block: size }) },
  { weight: 10, arbitrary: fc.record({ fill: room }) },
  { weight: 5, arbitrary: fc.record({ lose: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ acknowledge: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ blockCredit: fc.nat(9000) }) },
  { weight: 2, arbitrary: fc.record({ controlCredit: fc.nat(9000) }) },
);

function run(world: OutboxWorld, step: Step): void {
  const { outbox, packets } = world;
  if ("control" in step) world.addControl(step.control);
  else if ("block" in step) world.addBlock(step.block);
  else if ("fill" in step) {
    const hadWork = outbox.hasWork;
    const { count } = world.fill(step.fill);
    if (count > 0) assert.ok(hadWork);
    if (hadWork && step.fill >= 64) assert.ok(count > 0, "work that is there fits a packet");
  } else if ("blockCredit" in step) outbox.blockLimit += step.blockCredit;
  else if ("controlCredit" in step) outbox.controlLimit += step.controlCredit;
  else if (packets.length === 0) return;
  // Any packet may be told lost or acknowledged at any time, and again: late, repeated, probed.
  else if ("lose" in step) world.lose(packets[step.lose % packets.length]!);
  else world.acknowledge(packets[step.acknowledge % packets.length]!);
}

Deno.test("Outbox delivers every byte once the network heals, and gives each block back once", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 30, maxLength: 150, size: "max" }), (steps) => {
      const world = new OutboxWorld();
      for (const step of steps) run(world, step);
      world.heal();
      world.assertAllDone();
      for (const packet of world.packets) {
        world.acknowledge(packet); // later still
        world.lose(packet);
      }
      assert.equal(world.outbox.hasWork, false);
      world.assertAllDone();
    }),
    { numRuns: 150 },
  );
});

function openWorld(): OutboxWorld {
  const world = new OutboxWorld();
  world.outbox.blockLimit = 1e9;
  world.outbox.controlLimit = 1e9;
  return world;
}

Deno.test("Outbox emits each byte once while nothing is lost, across file borders", () => {
  const world = openWorld();
  for (const length of [5000, 1, 2, 3, 100, 1440, 1]) world.addBlock(length);
  const sent: Stretch[] = [];
  while (world.outbox.hasWork) sent.push(...world.fill(1443).stretches);
  assert.equal(sent.reduce((sum, { length }) => sum + length, 0), 6547);
  assert.equal(world.packets.length, 5, "packets are filled whatever the blocks' sizes");
});

Deno.test("Outbox fills a packet to its last byte", () => {
  const world = openWorld();
  world.addBlock(100_000);
  const out = new Uint8Array(1500);
  for (const end of [1200, 1300, 1472]) assert.equal(world.outbox.fill(out, 13, end), end);
});

Deno.test("Outbox sends control first, then what was lost, then new blocks", () => {
  const world = openWorld();
  world.addBlock(3000);
  const lost = world.fill(1400);
  world.lose(lost);
  world.addControl(50);
  const { stretches } = world.fill(1443);
  assert.deepEqual(stretches.map(({ source, from }) => [source, from]), [[CONTROL, 0], [0, 0]]);
});

Deno.test("Outbox splits a lost stretch for a smaller datagram and loses nothing of it", () => {
  const world = openWorld();
  world.addBlock(2800);
  world.addControl(2800);
  while (world.outbox.hasWork) world.fill(1443);
  for (const packet of world.packets) world.lose(packet);
  const sources: number[] = [];
  const froms: number[] = [];
  while (world.outbox.hasWork) {
    for (const { source, from } of world.fill(300).stretches) {
      sources.push(source);
      froms.push(from);
    }
  }
  assert.deepEqual(sources, sources.toSorted((a, b) => a - b), "control first");
  assert.ok(froms.every((from, at) => from === 0 || from > froms[at - 1]!), "the rest comes next");
  for (const packet of world.packets) world.acknowledge(packet);
  world.assertAllDone();
});

Deno.test("Outbox does nothing about a late acknowledgement of what was sent again", () => {
  const world = openWorld();
  world.addBlock(1000);
  world.addControl(100);
  const first = world.fill(1443);
  world.lose(first);
  const second = world.fill(1443);
  world.acknowledge(first);
  assert.deepEqual(world.released, []);
  assert.equal(world.outbox.control.ackedOffset, 0);
  world.acknowledge(second);
  world.assertAllDone();
});

Deno.test("Outbox sends nothing again that was acknowledged before its turn came", () => {
  const world = openWorld();
  world.addBlock(1000);
  const packet = world.fill(1443);
  world.lose(packet);
  assert.equal(world.outbox.hasWork, true);
  world.acknowledge(packet);
  assert.equal(world.outbox.hasWork, false);
  assert.equal(world.fill(1443).count, 0);
  world.assertAllDone();
});

Deno.test("Outbox holds new bytes back without credit, but not lost ones", () => {
  const world = new OutboxWorld();
  world.addBlock(1000);
  world.addControl(1000);
  assert.equal(world.outbox.hasWork, false);
  world.outbox.blockLimit = 300;
  world.outbox.controlLimit = 40;
  const packet = world.fill(1443);
  assert.deepEqual(packet.stretches, [
    { source: CONTROL, from: 0, length: 40 },
    { source: 0, from: 0, length: 300 },
  ]);
  assert.equal(world.outbox.hasWork, false);
  world.lose(packet);
  assert.equal(world.outbox.hasWork, true);
  assert.deepEqual(world.fill(1443).stretches, packet.stretches);
});

Deno.test("Outbox is quiet when its owner gives up from within a release", () => {
  let releases = 0;
  const outbox: Outbox = new Outbox(() => {
    releases++;
    releases += outbox.blocks.releaseAll().length;
  });
  outbox.blockLimit = 1e6;
  for (let request = 0; request < 3; request++) {
    outbox.blocks.add({ request, offset: 0, bytes: new Uint8Array(100) });
  }
  outbox.fill(new Uint8Array(1472), 0, 1472);
  outbox.acknowledge(outbox.filledFirst, outbox.filledCount);
  assert.equal(releases, 3);
});
