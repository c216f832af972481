/**
 * Goal: every implementation of `DatagramSocket` behaves alike where the layers above depend on it.
 * Method: one suite, registered once per implementation. It waits for datagrams and closings, never
 * for time; the limit only turns a hang into a failure.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import { within } from "./within.ts";

/** What the suite needs of an implementation. */
export interface DatagramSocketFixture {
  /**
   * Binds a socket to `port`, or to any free one, of an address that other sockets of the fixture
   * can reach; fails when the port is taken.
   */
  open(port?: number): Promise<DatagramSocket>;
  /** An address of the fixture's family that nobody listens on. */
  readonly closedPort: SocketAddress;
  /** An address of the other family. */
  readonly otherFamily: SocketAddress;
  /** Whether its sockets can limit hops here. */
  readonly limitsHops: boolean;
  /** Whether its sockets take trains here (default false). */
  readonly takesTrains?: boolean;
  /** What a datagram from one to the other may be long in one piece, if the socket knows. */
  readonly linkDatagramBytes?: number;
}

/** A datagram as a test keeps it: copied, since the view dies with the call. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
}

/** Everything one socket received, with a way to wait for the next. */
class Inbox {
  readonly all: Kept[] = [];
  readonly closed: Promise<void>;
  #wake: (() => void) | undefined;

  constructor(socket: DatagramSocket) {
    this.closed = socket.receive((datagram, from) => {
      this.all.push({ bytes: datagram.slice(), from });
      this.#wake?.();
    });
  }

  async atLeast(count: number): Promise<Kept[]> {
    while (this.all.length < count) {
      await within(`datagram ${count}`, new Promise<void>((resolve) => this.#wake = resolve));
    }
    return this.all;
  }
}

function pattern(length: number, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + salt) & 0xff);
}

/** Waits for so many bytes from the piece `from` on; the index just past the pieces they came in. */
async function endOf(length: number, inbox: Inbox, from: number): Promise<number> {
  let bytes = 0;
  let index = from;
  while (bytes < length) bytes += (await inbox.atLeast(index + 1))[index++]!.bytes.length;
  assert.equal(bytes, length);
  return index;
}

/** Registers the suite for one implementation. */
export function datagramSocketContract(name: string, fixture: DatagramSocketFixture): void {
  /** Two bound sockets that listen, closed whatever the test does. */
  async function withPair(
    body: (a: DatagramSocket, b: DatagramSocket, atA: Inbox, atB: Inbox) => Promise<void>,
  ): Promise<void> {
    const a = await fixture.open();
    const b = await fixture.open();
    const atA = new Inbox(a);
    const atB = new Inbox(b);
    try {
      await body(a, b, atA, atB);
    } finally {
      a.close();
      b.close();
      await within("both to close", Promise.all([atA.closed, atB.closed]));
    }
  }

  Deno.test(`${name} tells the address it is bound to`, () =>
    withPair((a, b) => {
      assert.equal(a.family, a.localAddress.family);
      assert.ok(a.localAddress.port >= 1 && a.localAddress.port <= 65_535);
      assert.notEqual(a.localAddress.port, b.localAddress.port);
      assert.doesNotMatch(a.localAddress.host, /[[\]%]/);
      return Promise.resolve();
    }));

  Deno.test(`${name} delivers a datagram with its sender's normalised address, both ways`, () =>
    withPair(async (a, b, atA, atB) => {
      assert.equal(await a.send(pattern(100, 1), b.localAddress), true);
      const [there] = await atB.atLeast(1);
      assert.deepEqual(there!.bytes, pattern(100, 1));
      assert.deepEqual({ ...there!.from }, { ...a.localAddress });
      assert.equal(await b.send(pattern(50, 2), there!.from), true);
      const [back] = await atA.atLeast(1);
      assert.deepEqual(back!.bytes, pattern(50, 2));
    }));

  for (const length of [0, 1, 1472, 65_507]) {
    Deno.test(`${name} carries a datagram of ${length} bytes whole`, () =>
      withPair(async (a, b, _atA, atB) => {
        assert.equal(await a.send(pattern(length, 3), b.localAddress), true);
        const [kept] = await atB.atLeast(1);
        assert.deepEqual(kept!.bytes, pattern(length, 3));
      }));
  }

  Deno.test(`${name} resolves false for a datagram no network carries, and goes on`, () =>
    withPair(async (a, b, _atA, atB) => {
      assert.equal(await a.send(new Uint8Array(65_536), b.localAddress), false);
      assert.equal(await a.send(new Uint8Array(10), fixture.otherFamily), false);
      assert.equal(await a.send(pattern(7, 4), b.localAddress), true);
      assert.equal((await atB.atLeast(1))[0]!.bytes.length, 7);
    }));

  Deno.test(`${name} does not mind a closed port and still receives afterwards`, () =>
    withPair(async (a, b, atA) => {
      for (let i = 0; i < 5; i++) await a.send(pattern(20, i), fixture.closedPort);
      assert.equal(await b.send(pattern(9, 5), a.localAddress), true);
      assert.equal((await atA.atLeast(1))[0]!.bytes.length, 9);
    }));

  Deno.test(`${name} lets a sent buffer be reused once send has resolved`, () =>
    withPair(async (a, b, _atA, atB) => {
      const buffer = new Uint8Array(600);
      for (let i = 0; i < 20; i++) {
        buffer.fill(i);
        await a.send(buffer, b.localAddress);
      }
      buffer.fill(0xff);
      const kept = await atB.atLeast(20);
      assert.deepEqual(
        kept.map(({ bytes }) => bytes[599]),
        Array.from({ length: 20 }, (_, i) => i),
      );
    }));

  Deno.test(`${name} gives each handler call the right bytes until the call returns`, async () => {
    const a = await fixture.open();
    const b = await fixture.open();
    const lengths: number[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const closed = b.receive((view) => {
      // Views of different lengths may share one buffer: only what is inside counts.
      assert.deepEqual(view.slice(), pattern(view.length, 6));
      lengths.push(view.length);
      if (lengths.length === 3) resolve();
    });
    for (const length of [900, 30, 400]) await a.send(pattern(length, 6), b.localAddress);
    await within("three datagrams", done);
    assert.deepEqual(lengths, [900, 30, 400]);
    a.close();
    b.close();
    await within("receive to end", closed);
  });

  Deno.test(`${name} ends receive when it is closed while receiving, and closes twice`, async () => {
    const socket = await fixture.open();
    const inbox = new Inbox(socket);
    socket.close();
    socket.close();
    await within("receive to end", inbox.closed);
    assert.equal(inbox.all.length, 0);
  });

  Deno.test(`${name} ends receive when a handler closes it, and hands over nothing more`, async () => {
    const a = await fixture.open();
    const b = await fixture.open();
    let calls = 0;
    const closed = b.receive(() => {
      calls++;
      b.close();
    });
    for (let i = 0; i < 10; i++) await a.send(pattern(10, i), b.localAddress);
    await within("receive to end", closed);
    assert.equal(calls, 1);
    a.close();
  });

  Deno.test(`${name} ends receive at once when it was closed before`, async () => {
    const socket = await fixture.open();
    socket.close();
    await within("receive to end", socket.receive(() => {}));
  });

  Deno.test(`${name} resolves false for a send after close`, async () => {
    const a = await fixture.open();
    const b = await fixture.open();
    a.close();
    assert.equal(await a.send(pattern(10, 7), b.localAddress), false);
    b.close();
  });

  Deno.test(`${name} limits hops where it can, and sends before, meanwhile and afterwards`, () =>
    withPair(async (a, b, _atA, atB) => {
      const limited = [];
      for (const hops of [undefined, 2, undefined] as const) {
        limited.push(a.limitHops?.(hops) ?? false);
        assert.equal(await a.send(pattern(30, 8), b.localAddress), true);
      }
      assert.deepEqual(limited, new Array(3).fill(fixture.limitsHops));
      assert.equal((await atB.atLeast(3)).length, 3);
      a.close();
      assert.equal(a.limitHops?.(2) ?? false, false);
    }));

  Deno.test(`${name} knows what the link carries, if anything, and carries it`, () =>
    withPair(async (a, b, _atA, atB) => {
      assert.equal(a.linkDatagramBytes?.(b.localAddress), fixture.linkDatagramBytes);
      const bytes = pattern(Math.min(fixture.linkDatagramBytes ?? 1472, 65_507), 3);
      assert.equal(await a.send(bytes, b.localAddress), true);
      assert.deepEqual((await atB.atLeast(1))[0]!.bytes, bytes);
    }));

  Deno.test(`${name} says whether it takes trains`, () =>
    withPair((a) => {
      assert.equal(a.sendTrain !== undefined, fixture.takesTrains ?? false);
      assert.equal(a.acceleration?.path === "turbo", fixture.takesTrains ?? false);
      return Promise.resolve();
    }));

  if (fixture.takesTrains) {
    const TRAINS = [
      { segmentBytes: 1472, length: 44 * 1472 },
      { segmentBytes: 1200, length: 54 * 1200 + 707 },
      { segmentBytes: 1000, length: 64 * 1000 },
      { segmentBytes: 30, length: 61 },
      { segmentBytes: 1472, length: 1473 },
      { segmentBytes: 500, length: 500 },
      { segmentBytes: 500, length: 7 },
    ];

    Deno.test(`${name} delivers trains of any lengths, in whole datagrams and in order`, () =>
      withPair(async (a, b, _atA, atB) => {
        for (const [salt, { segmentBytes, length }] of TRAINS.entries()) {
          const from = atB.all.length;
          const buffer = pattern(length + 100, salt);
          assert.equal(await a.sendTrain!(buffer, length, segmentBytes, b.localAddress), true);
          buffer.fill(0xff);
          const got: number[] = [];
          for (let index = from; got.length < length; index++) {
            const { bytes } = (await atB.atLeast(index + 1))[index]!;
            assert.equal(got.length % segmentBytes, 0, "a piece begins with a datagram");
            got.push(...bytes);
          }
          assert.deepEqual(Uint8Array.from(got), pattern(length, salt));
        }
      }));

    Deno.test(`${name} cuts no datagram that is sent after a train`, () =>
      withPair(async (a, b, _atA, atB) => {
        const train = pattern(6100, 9);
        for (const length of [1473, 1200, 9000, 3, 0, 65_507]) {
          const from = atB.all.length;
          assert.equal(await a.sendTrain!(train, 6100, 1200, b.localAddress), true);
          assert.equal(await a.send(pattern(length, 10), b.localAddress), true);
          const next = await endOf(6100, atB, from);
          assert.deepEqual((await atB.atLeast(next + 1))[next]!.bytes, pattern(length, 10));
        }
      }));

    Deno.test(`${name} bears trains to nowhere and trains that are none`, () =>
      withPair(async (a, b, _atA, atB) => {
        const train = pattern(6000, 11);
        await a.sendTrain!(train, 6000, 1200, fixture.closedPort);
        assert.equal(await a.sendTrain!(train, 6000, 1200, fixture.otherFamily), false);
        const long = pattern(70_000, 12);
        assert.equal(await a.sendTrain!(long, 70_000, 1400, b.localAddress), true, "one by one");
        assert.equal(await a.send(pattern(5, 13), b.localAddress), true);
        await endOf(70_005, atB, 0);
        a.close();
        assert.equal(await a.sendTrain?.(train, 6000, 1200, b.localAddress) ?? false, false);
      }));
  }

  Deno.test(`${name} frees its port at close`, async () => {
    const first = await fixture.open();
    const { port } = first.localAddress;
    await assert.rejects(async () => await fixture.open(port));
    const closed = first.receive(() => {});
    first.close();
    await within("receive to end", closed);
    const second = await fixture.open(port);
    assert.equal(second.localAddress.port, port);
    second.close();
  });

  Deno.test(`${name} exchanges 10,000 datagrams with backpressure without loss or disorder`, async () => {
    const COUNT = 10_000;
    const WINDOW = 16;
    const a = await fixture.open();
    const b = await fixture.open();
    let received = 0;
    let answered = 0;
    let wake = () => {};
    const atB = b.receive((datagram, from) => {
      assert.equal(datagram.length, 1200);
      const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
      assert.equal(view.getUint32(0), received);
      received++;
      void b.send(datagram.slice(0, 4), from);
    });
    const atA = a.receive((datagram) => {
      const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
      assert.equal(view.getUint32(0), answered);
      answered++;
      wake();
    });
    const buffer = new Uint8Array(1200);
    const numbers = new DataView(buffer.buffer);
    for (let i = 0; i < COUNT; i++) {
      while (i - answered >= WINDOW) {
        await within(`answer ${answered}`, new Promise<void>((resolve) => wake = resolve));
      }
      numbers.setUint32(0, i);
      assert.equal(await a.send(buffer, b.localAddress), true);
    }
    while (answered < COUNT) {
      await within(`answer ${answered}`, new Promise<void>((resolve) => wake = resolve));
    }
    assert.equal(received, COUNT);
    a.close();
    b.close();
    await within("both to close", Promise.all([atA, atB]));
  });
}
