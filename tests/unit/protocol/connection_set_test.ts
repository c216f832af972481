// Goal: turns are fair by bytes, and a connection that nothing happened to is not asked.
// Method: connections that have as much to send, at as many bytes a datagram, as a test says, and
// count how often they are asked.
import assert from "node:assert/strict";
import type { Path } from "../../../lib/nat/path.ts";
import type { Connection } from "../../../lib/protocol/connection.ts";
import { ConnectionSet, Member } from "../../../lib/protocol/connection_set.ts";
import { type Instant, instant, NEVER } from "../../../lib/time.ts";

const OUT = new Uint8Array(1472);
const NOW = instant(0);

/** What a set uses of a connection. */
class Stub {
  readonly transmitPath: Path;
  readonly member: Member;
  queuedBytes = 0;
  sentBytes = 0;
  asked = 0;
  timeouts = 0;
  deadline: Instant = NEVER;
  isEnded = false;

  constructor(readonly id: number, readonly datagramBytes: number) {
    this.transmitPath = { socket: id, remote: { family: 4, host: "192.0.2.1", port: id } };
    this.member = new Member(this as unknown as Connection, id);
  }

  pollTransmit(): number {
    this.asked++;
    return this.extendTransmit();
  }

  extendTransmit(): number {
    const bytes = Math.min(this.queuedBytes, this.datagramBytes);
    this.queuedBytes -= bytes;
    this.sentBytes += bytes;
    return bytes;
  }

  handleTimeout(): void {
    this.timeouts++;
    this.deadline = NEVER;
  }

  pollTimeout(): Instant {
    return this.deadline;
  }
}

function scene(...sizes: readonly number[]) {
  const news: number[] = [];
  const set = new ConnectionSet(({ id }) => void news.push(id));
  const stubs = sizes.map((bytes, index) => new Stub(index + 1, bytes));
  for (const stub of stubs) set.add(stub.member);
  const drain = () => {
    while (set.pollTransmit(NOW, OUT) > 0);
  };
  drain();
  for (const stub of stubs) stub.asked = 0;
  news.length = 0;
  return { set, stubs, news, drain };
}

Deno.test("ConnectionSet gives each as many bytes, however long its datagrams are", () => {
  const { set, stubs } = scene(1472, 1200, 300);
  for (const stub of stubs) {
    stub.queuedBytes = 1e9;
    set.touch(stub.member);
  }
  for (let count = 0; count < 6000; count++) assert.ok(set.pollTransmit(NOW, OUT) > 0);
  const sent = stubs.map(({ sentBytes }) => sentBytes);
  assert.ok(Math.max(...sent) - Math.min(...sent) <= 2 * 1472, sent.join(" "));
});

Deno.test("ConnectionSet gives turns of trains beside turns of single datagrams", () => {
  const { set, stubs } = scene(1472, 1472, 1200);
  const trainOf = [44, 7, 1];
  for (const stub of stubs) {
    stub.queuedBytes = 1e9;
    set.touch(stub.member);
  }
  for (let turn = 0; turn < 3000; turn++) {
    const segmentBytes = set.pollTransmit(NOW, OUT);
    for (let count = 1; count < trainOf[set.transmitPath.socket - 1]!; count++) {
      assert.equal(set.extendTransmit(NOW, OUT, segmentBytes), segmentBytes);
    }
  }
  const sent = stubs.map(({ sentBytes }) => sentBytes);
  assert.ok(Math.max(...sent) - Math.min(...sent) <= 2 * 44 * 1472, sent.join(" "));
});

Deno.test("ConnectionSet lets who has little go first among those who have much", () => {
  const { set, stubs } = scene(1472, 1472);
  const [much, little] = stubs as [Stub, Stub];
  much.queuedBytes = 1e6;
  set.touch(much.member);
  for (let count = 0; count < 30; count++) set.pollTransmit(NOW, OUT);
  little.queuedBytes = 100;
  set.touch(little.member);
  for (let count = 0; count < 2; count++) set.pollTransmit(NOW, OUT);
  assert.equal(little.sentBytes, 100);
});

Deno.test("ConnectionSet gives who had nothing to send no more than the others from then on", () => {
  const { set, stubs } = scene(1472, 1472);
  const [early, late] = stubs as [Stub, Stub];
  early.queuedBytes = late.queuedBytes = 1e9;
  set.touch(early.member);
  for (let count = 0; count < 500; count++) set.pollTransmit(NOW, OUT);
  set.touch(late.member);
  for (let count = 0; count < 100; count++) set.pollTransmit(NOW, OUT);
  assert.ok(Math.abs(late.sentBytes - 50 * 1472) <= 1472, `${late.sentBytes}`);
});

Deno.test("ConnectionSet keeps what is owed while nobody can send", () => {
  const { set, stubs, drain } = scene(1472, 1472);
  // As under a common limit that lets one datagram out at a time.
  for (let round = 0; round < 100; round++) {
    for (const stub of stubs) {
      stub.queuedBytes = 1472;
      set.touch(stub.member);
    }
    set.pollTransmit(NOW, OUT);
    const before = stubs.map(({ sentBytes }) => sentBytes);
    for (const stub of stubs) stub.queuedBytes = 0;
    drain();
    assert.deepEqual(stubs.map(({ sentBytes }) => sentBytes), before);
  }
  assert.deepEqual(stubs.map(({ sentBytes }) => sentBytes), [50 * 1472, 50 * 1472]);
});

Deno.test("ConnectionSet asks only those that something happened to", () => {
  const { set, stubs, news, drain } = scene(...Array(200).fill(1200));
  const [busy, ...idle] = stubs as [Stub, ...Stub[]];
  for (let turn = 0; turn < 10; turn++) {
    busy.queuedBytes = 2400;
    set.touch(busy.member);
    set.touch(busy.member);
    drain();
  }
  assert.equal(busy.sentBytes, 24_000);
  assert.equal(busy.asked, 30);
  assert.deepEqual(idle.filter(({ asked }) => asked > 0), []);
  assert.deepEqual(news, Array(10).fill(busy.id), "told once when it has nothing more to send");
});

Deno.test("ConnectionSet finds news before anybody was asked to send", () => {
  const { set, stubs, news } = scene(1200, 1200);
  set.touch(stubs[1]!.member);
  set.lookForNews();
  assert.deepEqual(news, [2]);
});

Deno.test("ConnectionSet waits for the earliest deadline, and does only what is due", () => {
  const { set, stubs, drain } = scene(1200, 1200, 1200);
  stubs.forEach((stub, index) => {
    stub.deadline = instant(100 * (index + 1));
    set.touch(stub.member);
  });
  assert.equal(set.pollTimeout(), 100, "of those not asked yet, too");
  drain();
  assert.equal(set.pollTimeout(), 100);
  stubs[2]!.deadline = instant(50);
  set.touch(stubs[2]!.member);
  assert.equal(set.pollTimeout(), 50);
  drain();
  set.handleTimeout(instant(99));
  assert.deepEqual(stubs.map(({ timeouts }) => timeouts), [0, 0, 1]);
  set.handleTimeout(instant(200));
  assert.deepEqual(stubs.map(({ timeouts }) => timeouts), [1, 1, 1]);
  assert.equal(set.pollTimeout(), NEVER);
});

Deno.test("ConnectionSet forgets a connection that is over, and tells of it", () => {
  const { set, stubs, news, drain } = scene(1200, 1200);
  const [first] = stubs as [Stub, Stub];
  assert.equal(set.get(1), first.member);
  first.deadline = instant(5);
  set.touch(first.member);
  drain();
  news.length = 0;
  first.isEnded = true;
  set.handleTimeout(instant(5));
  assert.deepEqual(news, [1]);
  assert.equal(set.get(1), undefined);
  assert.equal(set.get(2), stubs[1]!.member);
  assert.equal(set.count, 1);
  assert.equal(set.pollTransmit(NOW, OUT), 0);
});

Deno.test("ConnectionSet extends nothing when the last call wrote nothing", () => {
  const { set, stubs } = scene(1200);
  const [stub] = stubs as [Stub];
  stub.queuedBytes = 1200;
  set.touch(stub.member);
  assert.equal(set.pollTransmit(NOW, OUT), 1200);
  assert.equal(set.pollTransmit(NOW, OUT), 0);
  stub.queuedBytes = 1200;
  assert.equal(set.extendTransmit(NOW, OUT, 1200), 0);
});
