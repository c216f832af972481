// Goal: the pump sends, waits and stops exactly when the endpoint and its owner say so.
// Method: real endpoints in a world with virtual time; over the in-memory network, or over a socket
// that finishes a send only when the test says so.
import assert from "node:assert/strict";
import { shareCommitment } from "../../../lib/crypto/commitment.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import type { DatagramMachine } from "../../../lib/nat/datagram_machine.ts";
import type { ChannelHandler } from "../../../lib/protocol/channel.ts";
import type { Connection } from "../../../lib/protocol/connection.ts";
import { Endpoint, type EndpointEvent } from "../../../lib/protocol/endpoint.ts";
import type { Path } from "../../../lib/nat/path.ts";
import { after, type Instant, instant, NEVER } from "../../../lib/time.ts";
import type { Clock } from "../../../lib/transport/clock.ts";
import { MemoryNetwork } from "../../../lib/transport/memory_network.ts";
import { Pump } from "../../../lib/transport/pump.ts";
import type { DatagramHandler, DatagramSocket, SendTrain } from "../../../lib/transport/socket.ts";
import { SimNetwork } from "../../support/sim_network.ts";
import { SimWorld } from "../../support/sim_world.ts";

const SHARER: SocketAddress = { family: 4, host: "10.0.0.1", port: 4000 };
const FILE_BYTES = 400_000;

/** Lets everything that is only waiting for a microtask come to rest. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** A socket that takes a datagram when the test says so. */
class HeldSocket implements DatagramSocket {
  readonly family = 4;
  readonly localAddress: SocketAddress = { family: 4, host: "10.0.0.9", port: 1 };
  /** Views as they were handed over, with a copy of what they showed. */
  readonly sends: { view: Uint8Array; bytes: Uint8Array; to: SocketAddress }[] = [];
  isClosed = false;
  isHolding = false;
  readonly received = Promise.withResolvers<void>();
  deliver: DatagramHandler = () => {};
  #release: (() => void) | undefined;

  receive(handler: DatagramHandler): Promise<void> {
    this.deliver = handler;
    return this.received.promise;
  }

  send(view: Uint8Array, to: SocketAddress): Promise<boolean> {
    assert.equal(this.isClosed, false, "a send after close");
    assert.equal(this.#release, undefined, "a send before the last one was done");
    this.sends.push({ view, bytes: view.slice(), to });
    if (!this.isHolding) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#release = () => {
        this.#release = undefined;
        resolve(!this.isClosed);
      };
    });
  }

  /** Finishes the send under way. */
  release(): void {
    this.#release?.();
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A program on a socket of its own, with what its endpoint told. */
class Program {
  readonly endpoint: Endpoint;
  readonly pump: Pump;
  readonly events: EndpointEvent[] = [];
  onEvent: (event: EndpointEvent) => void = () => {};

  constructor(
    world: SimWorld,
    sockets: readonly DatagramSocket[],
    clock: Clock = world.clock,
    takesTrains = (_socket: number) => false,
  ) {
    this.endpoint = new Endpoint({
      provider: nodeProvider,
      random: world.prng,
      wake: () => this.pump.wake(),
      takesTrains,
    });
    this.pump = new Pump(this.endpoint, sockets, clock, (event) => {
      this.events.push(event);
      this.onEvent(event);
    });
  }

  /** Begins a handshake towards addresses. */
  connect(world: SimWorld, t: Uint8Array, paths: readonly Path[]): void {
    this.endpoint.connect(world.now, {
      t,
      staticKeys: nodeProvider.generateKeyPair(world.prng),
      paths,
      request: new Uint8Array(0),
    });
    this.pump.wake();
  }
}

function share(world: SimWorld) {
  const staticKeys = nodeProvider.generateKeyPair(world.prng);
  return { staticKeys, t: shareCommitment(nodeProvider, staticKeys.publicKey) };
}

/** Sends a file of zeros on a connection and counts what comes. */
function exchange(connection: Connection, onDone: () => void): ChannelHandler {
  let receivedBytes = 0;
  let isReleased = false;
  const seen = new Set<number>();
  const tell = () => {
    if (isReleased && receivedBytes === FILE_BYTES) onDone();
  };
  const handler: ChannelHandler = {
    handleControl: () => {},
    handleBlock: (_request, offset, bytes) => {
      const fresh = seen.has(offset) ? 0 : bytes.length;
      seen.add(offset);
      receivedBytes += fresh;
      connection.consumeBlockBytes(fresh);
      tell();
      return fresh;
    },
    handleBlockReleased: () => {
      isReleased = true;
      tell();
    },
    handleWritable: () => {},
  };
  connection.setHandler(handler);
  connection.sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(FILE_BYTES) });
  return handler;
}

Deno.test("Pump carries files both ways at once between two endpoints", async () => {
  const world = new SimWorld(1);
  const { network } = new SimNetwork(world, () => ({
    delayMs: 10,
    rateBytesPerSecond: 1_000_000,
    queueBytes: 50_000,
  }));
  const sharer = new Program(world, [network.bind(SHARER.host, SHARER.port)]);
  const client = new Program(world, [network.bind("10.0.0.2", 5000)]);
  const { staticKeys, t } = share(world);
  sharer.endpoint.listen({ t, staticKeys });
  const done = [sharer, client].map((program) =>
    new Promise<void>((resolve) => {
      program.onEvent = (event) => {
        if (event.type === "accepted" || event.type === "connected") {
          exchange(event.connection, resolve);
        }
      };
    })
  );
  client.connect(world, t, [{ socket: 0, remote: SHARER }]);
  await world.runAsync({ until: Promise.all(done), limitMs: 30_000 });
  // 400 kB at 1 MB/s each way, with what the headers and the start take.
  assert.ok(world.nowMs > 400 && world.nowMs < 1000, `${world.nowMs} ms`);
  client.events[0]!.connection.close(0, "done");
  const closed = new Promise<void>((resolve) => {
    sharer.onEvent = ({ type }) => {
      if (type === "closed") resolve();
    };
  });
  await world.runAsync({ until: closed, limitMs: world.nowMs + 1000 });
  const told = sharer.events.map(({ type }) => type);
  assert.deepEqual([told[0], told.at(-1)], ["accepted", "closed"]);
  for (const { pump } of [sharer, client]) pump.close();
});

Deno.test("Pump joins endpoints over a network without delay and without a clock that moves", async () => {
  const world = new SimWorld(1);
  const network = new MemoryNetwork();
  const sharer = new Program(world, [network.bind(SHARER.host, SHARER.port)]);
  const client = new Program(world, [network.bind("10.0.0.2")]);
  const { staticKeys, t } = share(world);
  sharer.endpoint.listen({ t, staticKeys });
  client.connect(world, t, [{ socket: 0, remote: SHARER }]);
  for (let turn = 0; turn < 20 && sharer.events.length === 0; turn++) await rest();
  assert.equal(client.events[0]?.type, "connected");
  assert.equal(sharer.events[0]?.type, "accepted");
  for (const { pump } of [sharer, client]) pump.close();
});

/** A clock that knows how many timers wait. */
function countingClock(world: SimWorld): Clock & { live: number; most: number; set: number } {
  const counts = { live: 0, most: 0, set: 0 };
  return Object.assign(counts, {
    now: () => world.clock.now(),
    setTimer(deadline: Parameters<Clock["setTimer"]>[0], callback: () => void) {
      let isLive = true;
      const end = () => {
        if (isLive) counts.live--;
        isLive = false;
      };
      counts.set++;
      counts.most = Math.max(counts.most, ++counts.live);
      const cancel = world.clock.setTimer(deadline, () => {
        end();
        callback();
      });
      return () => {
        end();
        cancel();
      };
    },
  });
}

Deno.test("Pump arms its one timer again after each deadline", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const clock = countingClock(world);
  const times: number[] = [];
  const send = socket.send.bind(socket);
  socket.send = (view, to) => {
    times.push(world.nowMs);
    return send(view, to);
  };
  const program = new Program(world, [socket], clock);
  program.connect(world, share(world).t, [{ socket: 0, remote: SHARER }]);
  const limit = new Promise<void>((resolve) => void world.schedule(3000, () => resolve()));
  await world.runAsync({ until: limit });
  assert.deepEqual(times, [0, 100, 200, 400, 800, 1800, 2800]);
  assert.equal(clock.most, 1);
  assert.equal(clock.live, 1);
  program.pump.close();
  assert.equal(clock.live, 0);
});

Deno.test("Pump moves its timer forward when an earlier deadline appears", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const clock = countingClock(world);
  const program = new Program(world, [socket], clock);
  await rest();
  assert.equal(clock.set, 0, "nothing to wait for");
  const { staticKeys, t } = share(world);
  program.endpoint.listen({ t, staticKeys });
  program.connect(world, t, [{ socket: 0, remote: SHARER }]);
  await rest();
  const waited = clock.set;
  for (let count = 0; count < 10; count++) program.pump.wake();
  await rest();
  assert.equal(clock.set, waited, "waking alone arms nothing anew");
  program.pump.close();
});

Deno.test("Pump does not touch its buffer while a send is under way", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  socket.isHolding = true;
  const program = new Program(world, [socket]);
  const paths = [1, 2, 3].map((port): Path => ({ socket: 0, remote: { ...SHARER, port } }));
  program.connect(world, share(world).t, paths);
  for (let count = 1; count <= 3; count++) {
    await rest();
    assert.equal(socket.sends.length, count);
    const { view, bytes } = socket.sends.at(-1)!;
    program.pump.wake();
    socket.deliver(new Uint8Array(1200), SHARER);
    await rest();
    assert.equal(socket.sends.length, count, "one send at a time");
    assert.deepEqual(view, bytes);
    socket.release();
  }
  await rest();
  assert.equal(socket.sends.length, 3);
  program.pump.close();
});

Deno.test("Pump sends each datagram on the socket of its path", async () => {
  const world = new SimWorld(1);
  const sockets = [new HeldSocket(), new HeldSocket()];
  const program = new Program(world, sockets);
  program.connect(world, share(world).t, [
    { socket: 1, remote: SHARER },
    { socket: 0, remote: { ...SHARER, port: 2 } },
  ]);
  await rest();
  assert.deepEqual(sockets.map(({ sends }) => sends.map(({ to }) => to.port)), [[2], [4000]]);
  program.pump.close();
  assert.deepEqual(sockets.map(({ isClosed }) => isClosed), [true, true]);
});

Deno.test("Pump that is closed during a send sends nothing more, tells nothing and waits for nothing", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  socket.isHolding = true;
  const clock = countingClock(world);
  const program = new Program(world, [socket], clock);
  const paths = [1, 2].map((port): Path => ({ socket: 0, remote: { ...SHARER, port } }));
  program.connect(world, share(world).t, paths);
  await rest();
  program.pump.wake();
  program.pump.close();
  socket.release();
  socket.received.resolve();
  await rest();
  program.pump.wake();
  program.pump.close();
  await rest();
  assert.equal(socket.sends.length, 1);
  assert.equal(clock.live, 0);
  assert.deepEqual(program.events, []);
});

Deno.test("Pump that is closed before its first turn does nothing at all", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const clock = countingClock(world);
  const program = new Program(world, [socket], clock);
  program.connect(world, share(world).t, [{ socket: 0, remote: SHARER }]);
  program.pump.close();
  await rest();
  assert.equal(socket.sends.length, 0);
  assert.equal(clock.set, 0);
});

Deno.test("Pump tells nothing after its owner closed it from within an event", async () => {
  const world = new SimWorld(1);
  const network = new MemoryNetwork();
  const { staticKeys, t } = share(world);
  const sharer = new Program(world, [network.bind(SHARER.host, SHARER.port)]);
  sharer.endpoint.listen({ t, staticKeys });
  const client = new Program(world, [network.bind("10.0.0.2")]);
  client.onEvent = (event) => {
    event.connection.close(0, "at once"); // a second event, "closed", is ready now
    client.pump.close();
  };
  client.connect(world, t, [{ socket: 0, remote: SHARER }]);
  for (let turn = 0; turn < 20; turn++) await rest();
  assert.deepEqual(client.events.map(({ type }) => type), ["connected"]);
  sharer.pump.close();
});

Deno.test("Pump is idle when all there is to send has left, or when it is closed", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  socket.isHolding = true;
  const program = new Program(world, [socket]);
  await program.pump.idle();
  const paths = [1, 2].map((port): Path => ({ socket: 0, remote: { ...SHARER, port } }));
  program.connect(world, share(world).t, paths);
  const idle: string[] = [];
  void program.pump.idle().then(() => idle.push("sent"));
  for (let count = 1; count <= 2; count++) {
    await rest();
    assert.deepEqual(idle, []);
    socket.release();
  }
  await rest();
  assert.deepEqual(idle, ["sent"]);
  program.pump.wake();
  void program.pump.idle().then(() => idle.push("closed"));
  program.pump.close();
  await rest();
  assert.deepEqual(idle, ["sent", "closed"]);
});

Deno.test("Pump lives on when a socket breaks", async () => {
  const world = new SimWorld(1);
  const [broken, good] = [new HeldSocket(), new HeldSocket()];
  const program = new Program(world, [broken, good]);
  broken.received.reject(new Error("the network is gone"));
  await rest();
  program.connect(world, share(world).t, [{ socket: 1, remote: SHARER }]);
  await rest();
  assert.equal(good.sends.length, 1);
  program.pump.close();
});

Deno.test("Pump gives strangers' datagrams no answer, however many come", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const program = new Program(world, [socket]);
  program.endpoint.listen(share(world));
  for (let count = 0; count < 500; count++) {
    socket.deliver(world.prng.bytes(count % 2 === 0 ? 1200 : 40), SHARER);
  }
  await rest();
  assert.equal(socket.sends.length, 0);
  assert.equal(program.endpoint.droppedDatagrams, 500);
  program.pump.close();
});

/** A socket that takes trains at once, and keeps each with its segment length. */
class TrainSocket extends HeldSocket {
  readonly trains: { bytes: Uint8Array; segmentBytes: number; to: SocketAddress }[] = [];

  sendTrain(
    buffer: Uint8Array,
    length: number,
    segmentBytes: number,
    to: SocketAddress,
  ): Promise<boolean> {
    this.trains.push({ bytes: buffer.slice(0, length), segmentBytes, to });
    return this.send(buffer.subarray(0, length), to);
  }
}

/** A machine that sends what the test gives it, and keeps what came in. */
class Scripted implements DatagramMachine {
  readonly queue: { path: Path; hops?: number; bytes?: number }[] = [];
  readonly received: Path[] = [];
  transmitPath!: Path;
  transmitHops: number | undefined;

  handleDatagram(_now: Instant, _datagram: Uint8Array, path: Path): boolean {
    this.received.push({ socket: path.socket, remote: { ...path.remote } });
    return true;
  }
  handleTimeout(): void {}
  pollTimeout(): Instant {
    return NEVER;
  }
  pollTransmit(_now: Instant, out: Uint8Array): number {
    const next = this.queue.shift();
    if (next === undefined) return 0;
    this.transmitPath = next.path;
    this.transmitHops = next.hops;
    out[0] = next.path.remote.port;
    return next.bytes ?? 1;
  }
}

/** A program whose endpoint has a scripted machine. */
function scripted(world: SimWorld, sockets: readonly DatagramSocket[]) {
  const program = new Program(world, sockets);
  const machine = new Scripted();
  program.endpoint.attach(machine);
  const send = (socket: number, port: number, hops?: number): void => {
    const path = { socket, remote: { ...SHARER, port } };
    machine.queue.push(hops === undefined ? { path } : { path, hops });
  };
  return { ...program, pump: program.pump, machine, send };
}

/** Lets a program send datagrams of these lengths to ports, in this order. */
async function sendAll(
  socket: DatagramSocket,
  datagrams: readonly { port: number; bytes: number; hops?: number }[],
): Promise<void> {
  const program = scripted(new SimWorld(1), [socket]);
  for (const { port, ...rest } of datagrams) {
    program.machine.queue.push({ path: { socket: 0, remote: { ...SHARER, port } }, ...rest });
  }
  program.pump.wake();
  await program.pump.idle();
  program.pump.close();
}

/** A socket of a network that takes trains, and carries them datagram by datagram. */
class TrainTaker implements DatagramSocket {
  readonly family = 4;
  readonly localAddress: SocketAddress;
  /** How many datagrams of which length each train had. */
  readonly trains: { readonly count: number; readonly segmentBytes: number }[] = [];
  singles = 0;
  readonly #socket: DatagramSocket;
  /** As of a socket that has found trains to be of no use. */
  sendTrain: SendTrain | undefined = async (buffer, length, segmentBytes, to) => {
    this.trains.push({ count: Math.ceil(length / segmentBytes), segmentBytes });
    for (let at = 0; at < length; at += segmentBytes) {
      await this.#socket.send(buffer.subarray(at, Math.min(at + segmentBytes, length)), to);
    }
    return true;
  };

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    this.localAddress = socket.localAddress;
  }

  receive(handler: DatagramHandler): Promise<void> {
    return this.#socket.receive(handler);
  }

  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    this.singles++;
    return this.#socket.send(datagram, to);
  }

  close(): void {
    this.#socket.close();
  }
}

Deno.test("Pump sends a file in trains of full datagrams, until its socket takes them no more", async () => {
  const world = new SimWorld(1);
  const { network } = new SimNetwork(world, () => ({ delayMs: 5 }));
  const taker = new TrainTaker(network.bind(SHARER.host, SHARER.port));
  const sharer = new Program(world, [taker], world.clock, () => taker.sendTrain !== undefined);
  const client = new Program(world, [network.bind("10.0.0.2", 5000)]);
  const { staticKeys, t } = share(world);
  sharer.endpoint.listen({ t, staticKeys });
  const blocks = [4_000_000, 400_000];
  let receivedBytes = 0;
  const arrived = Promise.withResolvers<void>();
  const handler = (connection: Connection, queue: () => void): ChannelHandler => ({
    handleControl: () => {},
    handleBlock: (_request, _offset, bytes) => {
      receivedBytes += bytes.length;
      if (receivedBytes === 4_400_000) arrived.resolve();
      connection.consumeBlockBytes(bytes.length);
      return bytes.length;
    },
    handleBlockReleased: queue,
    handleWritable: () => {},
  });
  let sentBefore = { trains: 0, singles: 0 };
  sharer.onEvent = (event) => {
    if (event.type !== "accepted") return;
    const { connection } = event;
    const queue = () => {
      if (blocks.length === 1) {
        sentBefore = { trains: taker.trains.length, singles: taker.singles };
        taker.sendTrain = undefined;
      }
      const length = blocks.shift();
      if (length !== undefined) {
        connection.sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(length) });
      }
    };
    connection.setHandler(handler(connection, queue));
    queue();
  };
  client.onEvent = (event) => {
    if (event.type === "connected") {
      event.connection.setHandler(handler(event.connection, () => {}));
    }
  };
  client.connect(world, t, [{ socket: 0, remote: SHARER }]);
  await world.runAsync({ until: arrived.promise, limitMs: 10_000 });
  const full = taker.trains.filter(({ segmentBytes }) => segmentBytes >= 1200);
  const carried = full.reduce((sum, { count }) => sum + count, 0);
  assert.ok(carried >= 0.99 * 4_000_000 / 1440, `${carried} in trains`);
  assert.ok(carried / full.length >= 8, `${carried / full.length} a train`);
  assert.ok(sentBefore.singles < 60, `${sentBefore.singles} alone`);
  assert.equal(taker.trains.length, sentBefore.trains, "no train once they are of no use");
  sharer.pump.close();
  client.pump.close();
});

Deno.test("Pump sends a datagram whose hops are limited by itself", async () => {
  const socket = new TrainSocket();
  const limits: (number | undefined)[] = [];
  await sendAll(
    Object.assign(socket, {
      limitHops: (hops: number | undefined) => {
        limits.push(hops);
        return true;
      },
    }),
    [
      { port: 1, bytes: 50 },
      { port: 1, bytes: 50 },
      { port: 1, bytes: 50, hops: 3 },
      { port: 1, bytes: 50 },
    ],
  );
  assert.deepEqual(socket.sends.map(({ bytes }) => bytes.length), [50, 50, 50, 50]);
  assert.deepEqual(limits, [3, undefined]);
});

Deno.test("Pump sends one by one where a socket takes no trains", async () => {
  const socket = new HeldSocket();
  await sendAll(socket, [1400, 1400, 900].map((bytes) => ({ port: 1, bytes })));
  assert.deepEqual(socket.sends.map(({ bytes }) => bytes.length), [1400, 1400, 900]);
});

Deno.test("Pump takes sockets that come later, each under an index of its own", async () => {
  const world = new SimWorld(1);
  const sockets = Array.from({ length: 4 }, () => new HeldSocket());
  const { pump, machine, send } = scripted(world, [sockets[0]!]);
  assert.equal(pump.addSocket(sockets[1]!), 1);
  assert.equal(pump.addSocket(sockets[2]!), 2);
  pump.removeSocket(2);
  assert.equal(pump.addSocket(sockets[3]!), 3, "an index is not given out again");
  assert.deepEqual([...pump.sockets.keys()], [0, 1, 3]);
  send(3, 30);
  send(1, 10);
  pump.wake();
  await rest();
  assert.deepEqual(sockets.map(({ sends }) => sends.map(({ to }) => to.port)), [[], [10], [], [
    30,
  ]]);
  sockets[3]!.deliver(Uint8Array.of(1), SHARER);
  assert.deepEqual(machine.received, [{ socket: 3, remote: SHARER }]);
  pump.close();
  assert.deepEqual(sockets.map(({ isClosed }) => isClosed), [true, true, true, true]);
});

Deno.test("Pump drops what is for a socket that was taken away, and sends the rest", async () => {
  const world = new SimWorld(1);
  const [main, extra] = [new HeldSocket(), new HeldSocket()];
  const { pump, send } = scripted(world, [main]);
  const index = pump.addSocket(extra);
  extra.isHolding = true;
  send(index, 1);
  send(index, 2);
  send(7, 3);
  send(0, 4);
  pump.wake();
  await rest();
  assert.equal(extra.sends.length, 1);
  pump.removeSocket(index);
  pump.removeSocket(index);
  assert.equal(extra.isClosed, true);
  extra.release();
  extra.received.resolve();
  await rest();
  assert.equal(extra.sends.length, 1);
  assert.deepEqual(main.sends.map(({ to }) => to.port), [4]);
  pump.close();
});

Deno.test("Pump lives on when a socket that came later breaks", async () => {
  const world = new SimWorld(1);
  const [main, extra] = [new HeldSocket(), new HeldSocket()];
  const { pump, send } = scripted(world, [main]);
  pump.addSocket(extra);
  extra.received.reject(new Error("the network is gone"));
  await rest();
  send(0, 1);
  pump.wake();
  await rest();
  assert.equal(main.sends.length, 1);
  pump.close();
});

Deno.test("Pump closes a socket that comes after it was closed itself", () => {
  const { pump } = new Program(new SimWorld(1), [new HeldSocket()]);
  pump.close();
  const late = new HeldSocket();
  pump.addSocket(late);
  assert.equal(late.isClosed, true);
});

Deno.test("Pump limits the hops of one datagram and of no other", async () => {
  const world = new SimWorld(1);
  const seen: string[] = [];
  const network = new MemoryNetwork((datagram, _from, _to, _arrive, hops) =>
    seen.push(`${datagram[0]} ${hops ?? "-"}`)
  );
  const { pump, send } = scripted(world, [network.bind("10.0.0.2"), network.bind("10.0.0.2")]);
  send(0, 1);
  send(0, 2, 2);
  send(0, 3);
  send(1, 4, 4);
  send(1, 5, 2);
  send(0, 6);
  send(1, 7);
  pump.wake();
  await rest();
  assert.deepEqual(seen, ["1 -", "2 2", "3 -", "4 4", "5 2", "6 -", "7 -"]);
  pump.close();
});

Deno.test("Pump does not send a datagram whose hops cannot be limited", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const { pump, send } = scripted(world, [socket]);
  send(0, 1, 2);
  send(0, 2);
  pump.wake();
  await rest();
  assert.deepEqual(socket.sends.map(({ to }) => to.port), [2]);
  Object.assign(socket, { limitHops: () => false });
  send(0, 3, 2);
  send(0, 4);
  pump.wake();
  await rest();
  assert.deepEqual(socket.sends.map(({ to }) => to.port), [2, 4]);
  pump.close();
});

Deno.test("Pump tells machines of datagrams that the system refused to send", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const taken = socket.send;
  socket.send = (view, to) => to.port === 2 ? Promise.resolve(false) : taken.call(socket, view, to);
  const { pump, machine, send } = scripted(world, [socket]);
  const unsent: number[] = [];
  Object.assign(machine, {
    handleUnsent: (_now: Instant, { remote }: Path) => void unsent.push(remote.port),
  });
  for (const port of [1, 2, 3]) send(0, port);
  pump.wake();
  await rest();
  assert.deepEqual(socket.sends.map(({ to }) => to.port), [1, 3]);
  assert.deepEqual(unsent, [2]);
  pump.close();
});

Deno.test("Pump tells who attached a machine after every turn, until it is detached", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const program = new Program(world, [socket]);
  const machines = [new Scripted(), new Scripted()];
  const told: number[] = [];
  machines.forEach((machine, index) =>
    program.pump.attach(machine, () => {
      told.push(index);
      // From within: the other one is still told.
      if (machine.received.length > 0) program.pump.detach(machine);
    })
  );
  await rest();
  assert.deepEqual(told.splice(0), [0, 1]);
  socket.deliver(Uint8Array.of(1), SHARER);
  await rest();
  assert.deepEqual(told.splice(0), [0, 1]);
  assert.equal(machines[0]!.received.length, 1);
  socket.deliver(Uint8Array.of(1), SHARER);
  await rest();
  assert.deepEqual(told.splice(0), [1]);
  assert.equal(machines[1]!.received.length, 1);
  const late = new Scripted();
  program.pump.attach(late, () => told.push(2));
  program.pump.close();
  await rest();
  assert.deepEqual(told, []);
});

/** A client that asks every 100 ms and more, on a socket and a clock in the test's hands. */
async function asking(setTimer: Clock["setTimer"]) {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  const client = new Program(world, [socket], { now: () => world.now, setTimer });
  client.connect(world, share(world).t, [{ socket: 0, remote: SHARER }]);
  await rest();
  assert.equal(socket.sends.length, 1, "message 1");
  const deliver = async (atMs: number) => {
    world.run({ untilMs: atMs });
    socket.deliver(new Uint8Array(300).fill(7), { ...SHARER, port: 9 });
    await rest();
  };
  return { client, socket, deliver };
}

Deno.test("Pump does what is overdue while datagrams keep the runtime from firing timers", async () => {
  let armed = 0;
  const { client, socket, deliver } = await asking(() => {
    armed++;
    return () => void armed--;
  });
  assert.equal(armed, 1);
  for (const [atMs, sends] of [[50, 1], [99, 1], [101, 2], [150, 2], [202, 3]] as const) {
    await deliver(atMs);
    assert.equal(socket.sends.length, sends, `at ${atMs} ms`);
    assert.equal(armed, 1, "one timer, whatever comes");
  }
  assert.equal(client.endpoint.droppedDatagrams, 5);
  client.pump.close();
});

Deno.test("Pump takes no turn for a stranger's datagram", async () => {
  const { client, deliver } = await asking(() => () => {});
  let turns = 0;
  const machine: DatagramMachine = {
    transmitPath: { socket: 0, remote: SHARER },
    handleDatagram: (_now, datagram) => datagram[0] === 8,
    handleTimeout: () => {},
    pollTimeout: () => NEVER,
    pollTransmit: () => 0,
  };
  client.pump.attach(machine, () => void turns++);
  await rest();
  assert.equal(turns, 1);
  await deliver(10);
  assert.equal(turns, 1);
  await deliver(101);
  assert.equal(turns, 2, "but for what is due");
  client.pump.close();
});

Deno.test("Pump lets timers, events and others have their turn while somebody sends without end", async () => {
  const world = new SimWorld(1);
  const socket = new HeldSocket();
  let nowMs = 0;
  let othersCount = 0;
  const clock: Clock = {
    ...countingClock(world),
    // Each datagram takes its time.
    now: () => instant(nowMs += 0.25),
    letOthers: () => {
      othersCount++;
      return Promise.resolve();
    },
  };
  const program = new Program(world, [socket], clock);
  let timeouts = 0;
  let turns = 0;
  let dueAt = instant(5);
  const greedy: DatagramMachine = {
    transmitPath: { socket: 0, remote: SHARER },
    handleDatagram: () => false,
    handleTimeout: (now) => {
      if (now < dueAt) return;
      timeouts++;
      dueAt = after(now, 5);
    },
    pollTimeout: () => dueAt,
    pollTransmit: () => nowMs < 100 ? 100 : 0,
  };
  program.pump.attach(greedy, () => turns++);
  while (nowMs < 100) await rest();
  assert.ok(socket.sends.length > 100, `${socket.sends.length}`);
  assert.ok(timeouts >= 10, `${timeouts} of its timers`);
  assert.ok(turns >= 20, `told ${turns} times`);
  assert.ok(othersCount >= 20, `others had ${othersCount} turns`);
  program.pump.close();
});
