// Goal: trains are whole, ordered and of one length, and what cannot be in one goes by itself.
// Method: a source that writes datagrams of the lengths a test gives, and ends trains as endpoints do.
import assert from "node:assert/strict";
import type { Path } from "../../../lib/nat/path.ts";
import { type Instant, instant } from "../../../lib/time.ts";
import type { Clock } from "../../../lib/transport/clock.ts";
import { Train, type TrainSource } from "../../../lib/transport/train.ts";

interface Datagram {
  readonly bytes: number;
  /** Which path; one of its own for each number. */
  readonly path?: number;
  readonly hops?: number;
}

const PATHS: readonly Path[] = [1, 2].map((port) => ({
  socket: port - 1,
  remote: { family: 4, host: "192.0.2.1", port },
}));

/** Gives out datagrams in order; a train goes on while path and length fit. */
class ListedSource implements TrainSource {
  transmitPath!: Path;
  transmitHops: number | undefined;
  readonly times: Instant[] = [];
  #written = 0;

  constructor(readonly queue: Datagram[]) {}

  pollTransmit(now: Instant, out: Uint8Array): number {
    this.times.push(now);
    const next = this.queue.shift();
    if (next === undefined) return 0;
    this.transmitPath = PATHS[next.path ?? 0]!;
    this.transmitHops = next.hops;
    return this.#write(next.bytes, out);
  }

  extendTransmit(now: Instant, out: Uint8Array, segmentBytes: number): number {
    this.times.push(now);
    const next = this.queue[0];
    if (next === undefined || next.bytes > segmentBytes) return 0;
    if (PATHS[next.path ?? 0] !== this.transmitPath) return 0;
    this.queue.shift();
    return this.#write(next.bytes, out);
  }

  #write(bytes: number, out: Uint8Array): number {
    out.fill(++this.#written, 0, bytes);
    return bytes;
  }
}

/** A clock that no two readings of are the same. */
function steppingClock(): Clock {
  let now = 0;
  return { now: () => instant(now++), setTimer: () => () => {} };
}

function trainOf(datagrams: readonly Datagram[], takesTrains = true) {
  const source = new ListedSource([...datagrams]);
  return { source, train: new Train(source, steppingClock(), () => takesTrains) };
}

/** All trains of a source: lengths of the datagrams in each. */
function lengthsOf(train: Train): number[][] {
  const all: number[][] = [];
  while (train.fill()) {
    const lengths: number[] = [];
    for (let at = 0; at < train.length; at += train.segmentBytes) {
      lengths.push(Math.min(train.segmentBytes, train.length - at));
    }
    all.push(lengths);
  }
  return all;
}

const datagrams = (count: number, bytes: number, path = 0): Datagram[] =>
  Array.from({ length: count }, () => ({ bytes, path }));

Deno.test("Train joins datagrams of one length and path; a shorter one ends it", () => {
  const { train } = trainOf([
    ...[1400, 1400, 1400, 900, 900, 900, 1000, 40].map((bytes) => ({ bytes })),
    ...datagrams(2, 40, 1),
    { bytes: 40 },
  ]);
  assert.deepEqual(lengthsOf(train), [
    [1400, 1400, 1400, 900],
    [900, 900],
    [1000, 40],
    [40, 40],
    [40],
  ]);
});

Deno.test("Train is at most 64 datagrams and 65,507 bytes", () => {
  const { train } = trainOf([...datagrams(90, 1472), ...datagrams(130, 30, 1)]);
  assert.deepEqual(
    lengthsOf(train).map((lengths) => [lengths.length, lengths[0]]),
    [[44, 1472], [44, 1472], [2, 1472], [64, 30], [64, 30], [2, 30]],
  );
});

Deno.test("Train of jumbo datagrams is at most 65,507 bytes, too", () => {
  const { train } = trainOf([
    ...datagrams(9, 8972),
    ...datagrams(2, 65_507, 1),
    ...datagrams(3, 32_753),
    { bytes: 1200 },
  ]);
  assert.deepEqual(lengthsOf(train), [
    new Array(7).fill(8972),
    [8972, 8972],
    [65_507],
    [65_507],
    [32_753, 32_753],
    [32_753, 1200],
  ]);
});

Deno.test("Train holds its datagrams one behind the other, whatever was there before", () => {
  const { train } = trainOf([...datagrams(44, 1472), ...datagrams(50, 1200), ...datagrams(3, 900)]);
  let written = 0;
  while (train.fill()) {
    for (let at = 0; at < train.length; at += train.segmentBytes) {
      written++;
      const end = Math.min(at + train.segmentBytes, train.length);
      const datagram = train.buffer.subarray(at, end);
      assert.ok(datagram.every((byte) => byte === written), `datagram ${written}`);
    }
  }
  assert.equal(written, 97);
});

Deno.test("Train is a single datagram where the socket takes no more or its hops are limited", () => {
  assert.deepEqual(lengthsOf(trainOf(datagrams(3, 1472), false).train), [[1472], [1472], [1472]]);
  const { train } = trainOf([{ bytes: 50, hops: 3 }, { bytes: 50 }, { bytes: 50 }]);
  assert.ok(train.fill());
  assert.deepEqual([train.length, train.hops], [50, 3]);
  assert.ok(train.fill());
  assert.deepEqual([train.length, train.hops], [100, undefined]);
});

Deno.test("Train asks its socket each time, and reads the clock once", () => {
  let takesTrains = true;
  const source = new ListedSource([...datagrams(44, 1472), ...datagrams(3, 1472, 1)]);
  const train = new Train(source, steppingClock(), (socket) => socket === 1 || takesTrains);
  train.fill();
  assert.equal(train.length, 44 * 1472);
  assert.deepEqual(new Set(source.times), new Set([0]));
  takesTrains = false;
  train.fill();
  assert.equal(train.path, PATHS[1], "another socket may still take them");
  assert.equal(train.length, 3 * 1472);
  source.queue.push(...datagrams(2, 1472));
  train.fill();
  assert.equal(train.length, 1472);
});
