/**
 * The parts that `nat_pair.ts` puts together: a stand-in handshake, probes without a cipher, a
 * meter for spray probes, and the tally of many tries.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import type { DatagramMachine } from "../../../lib/nat/datagram_machine.ts";
import type { Path } from "../../../lib/nat/path.ts";
import { type Instant, instant, NEVER } from "../../../lib/time.ts";
import { KnockClient, KnockSharer } from "../../support/knock.ts";
import { caseSeed, MATRIX, type MatrixCase } from "../../support/nat_matrix.ts";
import type { PairRun } from "../../support/nat_pair.ts";
import { NatTally } from "../../support/nat_tally.ts";
import { OpenCodec } from "../../support/open_codec.ts";
import { SprayMeter } from "../../support/spray_meter.ts";

const PEER: SocketAddress = { family: 4, host: "203.0.113.1", port: 4000 };

function pathTo(port: number, socket = 0): Path {
  return { socket, remote: { ...PEER, port } };
}

function birthdayCase(): MatrixCase {
  return MATRIX.find(({ expected }) => expected.path === "birthday")!;
}

function run(changes: Partial<PairRun> = {}): PairRun {
  return {
    method: "birthday",
    isOneCode: false,
    timeMs: 1000,
    outlook: undefined,
    sprayed: 100,
    ...changes,
  };
}

Deno.test("KnockClient knocks as a handshake repeats its first message, until it is answered", () => {
  const client = new KnockClient();
  const sharer = new KnockSharer();
  const out = new Uint8Array(64);
  client.addPath(instant(0), pathTo(1));
  client.addPath(instant(0), pathTo(1));
  const times: number[] = [];
  for (let ms = 0; ms <= 3000; ms += 50) {
    while (client.pollTransmit(instant(ms), out) > 0) times.push(ms);
  }
  assert.deepEqual(times, [0, 100, 200, 400, 800, 1800, 2800]);
  assert.equal(sharer.handleDatagram(instant(0), out.subarray(0, 8), pathTo(7)), true);
  const length = sharer.pollTransmit(instant(0), out);
  assert.deepEqual(sharer.transmitPath, pathTo(7));
  assert.equal(sharer.pollTransmit(instant(0), new Uint8Array(8)), 0);
  assert.equal(client.handleDatagram(instant(0), out.subarray(0, length), pathTo(1)), true);
  assert.deepEqual(client.answeredOn, pathTo(1));
  assert.equal(client.pollTimeout(), NEVER);
  assert.equal(client.pollTransmit(instant(9000), out), 0);
});

Deno.test("KnockClient knocks at once on a path that is given again, and then as at first", () => {
  const client = new KnockClient();
  const out = new Uint8Array(64);
  client.addPath(instant(0), pathTo(1));
  const times: number[] = [];
  for (let ms = 0; ms <= 1500; ms += 50) {
    if (ms === 1000) client.addPath(instant(ms), pathTo(1));
    while (client.pollTransmit(instant(ms), out) > 0) times.push(ms);
  }
  assert.deepEqual(times, [0, 100, 200, 400, 800, 1000, 1100, 1200, 1400]);
});

Deno.test("KnockClient and KnockSharer leave the datagrams of others alone", () => {
  const other = new Uint8Array(8);
  assert.equal(new KnockClient().handleDatagram(instant(0), other, pathTo(1)), false);
  assert.equal(new KnockSharer().handleDatagram(instant(0), other, pathTo(1)), false);
});

Deno.test("OpenCodec reads what it wrote and nothing else", () => {
  const transactionId = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  for (const type of [1, 2] as const) {
    const datagram = new OpenCodec().seal({ type, transactionId }).slice();
    assert.deepEqual(new OpenCodec().open(datagram), { type, transactionId });
    assert.equal(new OpenCodec().open(datagram.subarray(1)), undefined);
  }
  assert.equal(new OpenCodec().open(new Uint8Array(64)), undefined);
});

/** Sends a probe to each of some paths whenever it is polled. */
class Sender implements DatagramMachine {
  transmitPath!: Path;
  readonly paths: Path[] = [];
  handleDatagram(): boolean {
    return true;
  }
  handleTimeout(): void {}
  pollTimeout(): Instant {
    return NEVER;
  }
  pollTransmit(): number {
    const path = this.paths.shift();
    if (path === undefined) return 0;
    this.transmitPath = path;
    return 64;
  }
}

Deno.test("SprayMeter counts guessed ports and extra sockets within its window", () => {
  const sender = new Sender();
  const meter = new SprayMeter(sender, [{ kind: "reflexive", address: PEER }], [0], 1000);
  const out = new Uint8Array(64);
  const send = (ms: number, ...paths: Path[]): void => {
    sender.paths.push(...paths);
    while (meter.pollTransmit(instant(ms), out) > 0);
  };
  send(0, pathTo(4000), pathTo(4001), pathTo(4000, 5));
  assert.equal(meter.mostInWindow, 2);
  send(999, pathTo(4002));
  assert.equal(meter.mostInWindow, 3);
  send(1000, pathTo(4003));
  assert.equal(meter.mostInWindow, 3);
  meter.isOver = true;
  send(1001, pathTo(4004), pathTo(4005));
  assert.equal(meter.mostInWindow, 3);
  assert.equal(meter.sent, 7);
});

Deno.test("NatTally has percentiles of those that met in time, and a rate of all", () => {
  const tally = new NatTally(birthdayCase());
  for (let i = 1; i <= 99; i++) tally.add(run({ timeMs: i * 10 }));
  tally.add(run({ timeMs: 6000 }));
  assert.equal(tally.successes, 99);
  assert.equal(tally.percentileMs(50), 500);
  assert.equal(tally.percentileMs(95), 950);
  assert.deepEqual(tally.problems, []);
});

Deno.test("NatTally names a rate and times that are out of bounds", () => {
  const tally = new NatTally(birthdayCase());
  for (let i = 0; i < 50; i++) tally.add(run({ timeMs: 4800 }));
  for (let i = 0; i < 10; i++) tally.add(run({ method: undefined }));
  assert.deepEqual(tally.problems, [
    "50 of 60 met, not 98 %",
    "p50 is 4.8 s, not 1.5 s",
    "p95 is 4.8 s, not 4.5 s",
  ]);
});

Deno.test("NatTally names tries that no luck explains", () => {
  const tally = new NatTally(birthdayCase());
  assert.equal(tally.add(run()), undefined);
  assert.equal(tally.add(run({ sprayed: 2049 })), "2049 spray probes within 30 s");
  assert.equal(tally.add(run({ method: "mapped" })), "met by mapped after 1 s");
  assert.equal(tally.add(run({ isOneCode: true })), "met without a reply code");
  assert.equal(tally.successes, 1);
});

Deno.test("caseSeed gives each pair its own", () => {
  assert.equal(new Set(MATRIX.map((matrixCase) => caseSeed(matrixCase, 1))).size, MATRIX.length);
});
