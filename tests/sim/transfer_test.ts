/**
 * Goal: a whole transfer, from code to verified files, survives whatever the path does.
 * Method: share() and receive() as a user calls them, in virtual time, over an in-memory network
 * with faults from the seed and files in memory; in the end both trees are compared byte by byte.
 */
import assert from "node:assert/strict";
import type { TransferEvent } from "../../lib/events.ts";
import { after } from "../../lib/time.ts";
import type { ReceiveOptions, ShareOptions } from "../../lib/options.ts";
import { type Receive, receive } from "../../lib/receive.ts";
import { send, type Share, share } from "../../lib/share.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { randomFaults } from "../support/faults.ts";
import type { LinkOptions } from "../support/link.ts";
import type { Prng } from "../support/prng.ts";
import { seededTest } from "../support/seeded_test.ts";
import { SimNetwork } from "../support/sim_network.ts";
import { SimWorld } from "../support/sim_world.ts";

const SHARER_HOST = "10.0.0.1";
const CLIENT_HOST = "10.0.0.2";
const SOURCE = "/home/share";
const TARGET = "/home/in";
const MIB = 1024 * 1024;

interface Outcome {
  readonly sharer: TransferEvent[];
  readonly client: TransferEvent[];
  readonly source: FakeStorage;
  readonly target: FakeStorage;
}

/** A tree with what trees have: large, small and empty files, odd names, empty folders. */
function makeTree(storage: FakeStorage, prng: Prng, largeBytes: number, manyCount = 40): void {
  const bytes = (length: number): Uint8Array => prng.bytes(length);
  storage.addFile(`${SOURCE}/large.bin`, bytes(largeBytes));
  storage.addFile(`${SOURCE}/exactly one chunk`, bytes(65_536));
  storage.addFile(`${SOURCE}/empty`, bytes(0));
  storage.addFile(`${SOURCE}/ünïcödé/名前.txt`, bytes(100));
  storage.addFolder(`${SOURCE}/empty folder`);
  for (let index = 0; index < manyCount; index++) {
    const unlike = (index * 7919 % 10_007).toString(36).repeat(8);
    storage.addFile(
      `${SOURCE}/many/${unlike} ${index}`,
      bytes(prng.integer(0, manyCount > 1000 ? 20 : 5000)),
    );
  }
}

async function collect(events: AsyncIterable<TransferEvent>): Promise<TransferEvent[]> {
  const collected: TransferEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

/** Shares the source from its host. */
function shareIn(
  world: SimWorld,
  net: SimNetwork,
  storage: FakeStorage,
  options: ShareOptions = {},
): Promise<Share> {
  return send([SOURCE], {
    clock: world.clock,
    random: world.prng,
    sockets: [net.network.bind(SHARER_HOST, 4000)],
    addresses: [`${SHARER_HOST}:4000`],
    storage,
    ...options,
  });
}

/** Receives from a share, on a host. */
function receiveIn(
  world: SimWorld,
  net: SimNetwork,
  code: string,
  options: ReceiveOptions & { readonly storage: FakeStorage; readonly host?: string },
): Receive {
  const { host = CLIENT_HOST, ...rest } = options;
  return receive(code, {
    clock: world.clock,
    random: world.prng,
    sockets: [net.network.bind(host, 5000)],
    directory: TARGET,
    ...rest,
  });
}

async function transfer(world: SimWorld, options: {
  readonly link: (from: string) => LinkOptions;
  readonly healAtMs?: number;
  readonly largeBytes: number;
  readonly manyCount?: number;
}): Promise<Outcome> {
  const net = new SimNetwork(world, (from) => options.link(from));
  const source = new FakeStorage();
  const target = new FakeStorage();
  makeTree(source, world.prng.fork(), options.largeBytes, options.manyCount);
  if (options.healAtMs !== undefined) world.schedule(options.healAtMs, () => world.heal());
  const sharing = await shareIn(world, net, source);
  const receiving = receiveIn(world, net, sharing.code, { storage: target });
  const [sharer, client] = await world.runAsync({
    until: Promise.all([collect(sharing), collect(receiving)]),
    limitMs: 3_600_000,
  });
  return { sharer, client, source, target };
}

function assertSameTrees({ source, target }: Outcome): void {
  const sources = source.paths(SOURCE);
  assert.ok(sources.length > 40);
  assert.deepEqual(
    target.paths(TARGET),
    [`${TARGET}/share`, ...sources.map((path) => path.replace(SOURCE, `${TARGET}/share`))]
      .filter((path, index, all) => all.indexOf(path) === index).sort(),
  );
  for (const path of sources) {
    const from = source.get(path)!;
    const to = target.get(path.replace(SOURCE, `${TARGET}/share`))!;
    assert.equal(to.kind, from.kind, path);
    assert.deepEqual(to.bytes, from.bytes, path);
    assert.equal(to.mtimeMs, from.mtimeMs, path);
    assert.equal(to.executable, from.executable, path);
  }
}

function assertDone({ sharer, client }: Outcome): void {
  const sent = sharer.at(-1)!;
  const received = client.at(-1)!;
  assert.ok(sent.event === "done", JSON.stringify(sent));
  assert.ok(received.event === "done", JSON.stringify(received));
  assert.equal(received.root, sent.root);
  assert.equal(received.exit, 0);
  assert.equal(received.leftOut, 0);
}

seededTest("share and receive move a tree over paths with random faults", 60, async (seed) => {
  const world = new SimWorld(seed);
  const faults: Record<string, LinkOptions> = {
    [SHARER_HOST]: randomFaults(world.prng),
    [CLIENT_HOST]: randomFaults(world.prng),
  };
  const outcome = await transfer(world, {
    link: (from) => faults[from]!,
    healAtMs: 15_000,
    largeBytes: MIB + 300_000,
  });
  assertDone(outcome);
  assertSameTrees(outcome);
});

Deno.test("share and receive list far more files than a control window holds", async () => {
  const world = new SimWorld(5);
  const outcome = await transfer(world, {
    link: () => ({ delayMs: 10, lossRate: 0.01 }),
    largeBytes: 10,
    manyCount: 12_000,
  });
  assertDone(outcome);
  assertSameTrees(outcome);
});

Deno.test("share and receive give equal events for equal seeds", async () => {
  const run = async (): Promise<string> => {
    const world = new SimWorld(7);
    const outcome = await transfer(world, {
      link: () => ({ delayMs: 15, jitterMs: 4, lossRate: 0.03, rateBytesPerSecond: 2_000_000 }),
      largeBytes: 2 * MIB,
    });
    assertDone(outcome);
    return JSON.stringify([world.nowMs, outcome.sharer, outcome.client]);
  };
  assert.equal(await run(), await run());
});

Deno.test("receive gives up when nobody answers", async () => {
  const world = new SimWorld(1);
  const net = new SimNetwork(world, () => ({ delayMs: 10 }));
  const storage = new FakeStorage();
  storage.addFile(`${SOURCE}/file`, new Uint8Array(10));
  const sharing = await shareIn(world, net, storage);
  await sharing.close();
  const receiving = receiveIn(world, net, sharing.code, { storage, timeoutMs: 5000 });
  const last = await world.runAsync({
    until: (async () => {
      let last: TransferEvent | undefined;
      for await (const event of receiving) last = event;
      return last;
    })(),
  });
  assert.ok(last?.event === "error");
  assert.equal(last.code, "timed_out");
  assert.equal(last.exit, 23);
  assert.equal(world.nowMs, 5000);
});

Deno.test("a refused client does not use up the one place of a share", async () => {
  const world = new SimWorld(3);
  const net = new SimNetwork(world, () => ({ delayMs: 10 }));
  const source = new FakeStorage();
  const target = new FakeStorage();
  makeTree(source, world.prng.fork(), MIB);
  let asked = 0;
  const sharing = await shareIn(world, net, source, {
    admit: () => Promise.resolve(++asked > 1),
  });
  const sharer: TransferEvent[] = [];
  const sharerDone = (async () => {
    for await (const event of sharing) sharer.push(event);
  })();
  const attempt = async (host: string): Promise<TransferEvent[]> => {
    const events: TransferEvent[] = [];
    const receiving = receiveIn(world, net, sharing.code, { host, storage: target });
    for await (const event of receiving) events.push(event);
    return events;
  };
  const [first, second] = await world.runAsync({
    until: (async () => {
      const first = await attempt("10.0.0.2");
      const second = await attempt("10.0.0.3");
      await sharerDone;
      return [first, second] as const;
    })(),
  });
  const refusal = first.at(-1)!;
  assert.ok(refusal.event === "error");
  assert.equal(refusal.code, "refused");
  assert.equal(refusal.exit, 5);
  // Nothing of the share was shown to it.
  assert.deepEqual(
    first.map(({ event }) => event).filter((event) => event === "offer" || event === "file-done"),
    [],
  );
  assert.equal(second.at(-1)!.event, "done");
  assertSameTrees({ sharer, client: second, source, target });
});

Deno.test("neither side counts the time that people take to answer", async () => {
  const world = new SimWorld(9);
  const net = new SimNetwork(world, () => ({ delayMs: 10 }));
  const source = new FakeStorage();
  makeTree(source, world.prng.fork(), MIB);
  const yesAfterAMinute = () =>
    new Promise<true>((resolve) =>
      world.clock.setTimer(after(world.clock.now(), 60_000), () => resolve(true))
    );
  const sharing = await shareIn(world, net, source, {
    admit: yesAfterAMinute,
  });
  const receiving = receiveIn(world, net, sharing.code, {
    storage: new FakeStorage(),
    decide: async () => ({ accept: await yesAfterAMinute() }),
  });
  const both = await world.runAsync({ until: Promise.all([collect(sharing), collect(receiving)]) });
  for (const events of both) {
    const done = events.at(-1)!;
    assert.ok(done.event === "done" && done.elapsedMs < 30_000, JSON.stringify(done));
  }
  const [sharer] = both;
  const progress = sharer.filter((event) => event.event === "progress");
  assert.ok(progress.length > 0);
  assert.ok(progress.every(({ itemsTotal }) => itemsTotal > 0));
});

Deno.test("a client that comes while another is served waits for its place", async () => {
  const world = new SimWorld(4);
  // The first client's line is cut in the middle; the second comes right after.
  let isCut = false;
  const net = new SimNetwork(world, () => ({ delayMs: 10, rateBytesPerSecond: 500_000 }));
  const source = new FakeStorage();
  const target = new FakeStorage();
  makeTree(source, world.prng.fork(), MIB);
  const sharing = await shareIn(world, net, source);
  const sharer: TransferEvent[] = [];
  const sharerDone = (async () => {
    for await (const event of sharing) sharer.push(event);
  })();
  const events = async (host: string): Promise<TransferEvent[]> => {
    const collected: TransferEvent[] = [];
    const receiving = receiveIn(world, net, sharing.code, { host, storage: target });
    for await (const event of receiving) collected.push(event);
    return collected;
  };
  world.schedule(700, () => {
    net.link("10.0.0.2", SHARER_HOST)!.model.up = false;
    net.link(SHARER_HOST, "10.0.0.2")!.model.up = false;
    isCut = true;
  });
  const [first, second] = await world.runAsync({
    until: (async () => {
      const first = events("10.0.0.2");
      await new Promise<void>((resolve) => world.schedule(1000, resolve));
      const second = events("10.0.0.3");
      const both = await Promise.all([first, second]);
      await sharerDone;
      return both;
    })(),
  });
  assert.ok(isCut);
  const lost = first.at(-1)!;
  assert.ok(lost.event === "error");
  assert.equal(lost.code, "path_lost");
  assert.deepEqual(second.filter(({ event }) => event === "waiting").length, 1);
  assert.equal(second.at(-1)!.event, "done");
  assertSameTrees({ sharer, client: second, source, target });
});

Deno.test("a share that served everyone ends with done, whoever waited in vain and unasked", async () => {
  const world = new SimWorld(6);
  const net = new SimNetwork(world, () => ({ delayMs: 10, rateBytesPerSecond: 500_000 }));
  const source = new FakeStorage();
  makeTree(source, world.prng.fork(), MIB);
  const asked: number[] = [];
  const sharing = await shareIn(world, net, source, {
    admit: ({ session }) => {
      asked.push(session);
      return Promise.resolve(true);
    },
  });
  const lastOf = async (events: AsyncIterable<TransferEvent>): Promise<TransferEvent> => {
    let last: TransferEvent | undefined;
    for await (const event of events) last = event;
    return last!;
  };
  const attempt = (host: string): Promise<TransferEvent> =>
    lastOf(receiveIn(world, net, sharing.code, { host, storage: new FakeStorage() }));
  const [sharer, first, second] = await world.runAsync({
    until: (async () => {
      const sharer = lastOf(sharing);
      const first = attempt("10.0.0.2");
      await new Promise<void>((resolve) => world.schedule(1000, resolve));
      return await Promise.all([sharer, first, attempt("10.0.0.3")]);
    })(),
  });
  assert.equal(first.event, "done");
  assert.ok(second.event === "error");
  assert.equal(second.code, "share_closed");
  assert.equal(sharer.event, "done", JSON.stringify(sharer));
  // Nobody is asked about a client before there is a place for it.
  assert.deepEqual(asked, [1]);
});

Deno.test("a client that leaves while it waits takes no place with it", async () => {
  const world = new SimWorld(8);
  const net = new SimNetwork(world, () => ({ delayMs: 10, rateBytesPerSecond: 500_000 }));
  const source = new FakeStorage();
  const target = new FakeStorage();
  makeTree(source, world.prng.fork(), MIB);
  const sharing = await shareIn(world, net, source);
  const attempt = async (
    host: string,
    options: { comesAtMs: number; leavesAtMs?: number },
  ): Promise<TransferEvent[]> => {
    await new Promise<void>((resolve) => world.schedule(options.comesAtMs, resolve));
    const leaving = new AbortController();
    if (options.leavesAtMs !== undefined) {
      world.schedule(options.leavesAtMs, () => leaving.abort());
    }
    return await collect(
      receiveIn(world, net, sharing.code, { host, storage: target, signal: leaving.signal }),
    );
  };
  const [sharer, first, second, third] = await world.runAsync({
    until: Promise.all([
      collect(sharing),
      attempt("10.0.0.2", { comesAtMs: 1, leavesAtMs: 1500 }),
      attempt("10.0.0.3", { comesAtMs: 500, leavesAtMs: 1000 }),
      attempt("10.0.0.4", { comesAtMs: 600 }),
    ]),
  });
  for (const left of [first, second]) {
    const last = left.at(-1)!;
    assert.ok(last.event === "error" && last.code === "interrupted", JSON.stringify(last));
  }
  assert.ok(second.some(({ event }) => event === "waiting"));
  assertDone({ sharer, client: third, source, target });
  assertSameTrees({ sharer, client: third, source, target });
});

Deno.test("receive that is closed connects to nobody any more, whenever that is", async () => {
  for (let closeAtMs = 0; closeAtMs < 80; closeAtMs++) {
    const world = new SimWorld(1);
    const net = new SimNetwork(world, () => ({ delayMs: 10 }));
    const storage = new FakeStorage();
    storage.addFile(`${SOURCE}/file`, new Uint8Array(10));
    await using sharing = await shareIn(world, net, storage);
    const interrupt = new AbortController();
    const receiving = receiveIn(world, net, sharing.code, {
      storage,
      signal: interrupt.signal,
    });
    world.schedule(closeAtMs, () => interrupt.abort());
    const seen = await world.runAsync({
      until: (async () => {
        const seen: string[] = [];
        for await (const event of receiving) seen.push(event.event);
        return seen;
      })(),
    });
    assert.ok(["error", "done"].includes(seen.at(-1)!), seen.join(" "));
    assert.equal(seen.filter((event) => event === "error" || event === "done").length, 1);
  }
});

Deno.test("receive with a signal that was aborted before ends with interrupted", async () => {
  const world = new SimWorld(1);
  const net = new SimNetwork(world, () => ({ delayMs: 10 }));
  const storage = new FakeStorage();
  storage.addFile(`${SOURCE}/file`, new Uint8Array(10));
  const signal = AbortSignal.abort();
  // One file: the look at a whole folder would notice the signal before there is a share.
  const sharing = await send([`${SOURCE}/file`], {
    clock: world.clock,
    random: world.prng,
    sockets: [net.network.bind(SHARER_HOST, 4000)],
    addresses: [`${SHARER_HOST}:4000`],
    storage,
    signal,
  });
  const receiving = receiveIn(world, net, sharing.code, { storage, signal });
  for (const operation of [sharing, receiving]) {
    const last = await world.runAsync({
      until: (async () => {
        let last: TransferEvent | undefined;
        for await (const event of operation) last = event;
        return last;
      })(),
    });
    assert.ok(last?.event === "error");
    assert.equal(last.code, "interrupted");
  }
  // Both gave their addresses back.
  net.network.bind(SHARER_HOST, 4000).close();
  net.network.bind(CLIENT_HOST, 5000).close();
});

Deno.test("share refuses a number of clients that makes no sense", async () => {
  for (const wrong of [0, -1, 1.5, NaN]) {
    for (const options of [{ maxClients: wrong }, { readLimit: wrong }, { maxClients: 257 }]) {
      const storage = new FakeStorage();
      await assert.rejects(share([SOURCE], { ...options, storage }), TypeError);
    }
  }
});

Deno.test("a share for one ends when its client says stop, and not when it is lost", async () => {
  for (const isOnPurpose of [true, false]) {
    const world = new SimWorld(9);
    const net = new SimNetwork(world, () => ({ delayMs: 10, rateBytesPerSecond: 500_000 }));
    const source = new FakeStorage();
    makeTree(source, world.prng.fork(), MIB);
    const sharing = await shareIn(world, net, source, {
      timeoutMs: 60_000,
    });
    const leaving = new AbortController();
    const receiving = receiveIn(world, net, sharing.code, {
      storage: new FakeStorage(),
      signal: leaving.signal,
    });
    world.schedule(1000, () => {
      if (isOnPurpose) return leaving.abort();
      net.link(CLIENT_HOST, SHARER_HOST)!.model.up = false;
      net.link(SHARER_HOST, CLIENT_HOST)!.model.up = false;
    });
    const [sharer] = await world.runAsync({
      until: Promise.all([collect(sharing), collect(receiving)]),
    });
    const last = sharer.at(-1)!;
    assert.ok(last.event === "error" && last.fatal);
    assert.equal(last.code, isOnPurpose ? "interrupted" : "timed_out");
    assert.ok(isOnPurpose ? world.nowMs < 1200 : world.nowMs > 60_000, `${world.nowMs} ms`);
  }
});
