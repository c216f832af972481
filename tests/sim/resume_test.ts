/**
 * Goal: a transfer that was cut off, wherever and by whoever, goes on from where it was with a new
 * sharer, a new code and a new process, and hardly anything moves twice.
 * Method: share() and receive() as a user calls them, in virtual time over links with faults; the
 * path is cut or one side ends at a moment of the seed's, then both begin anew with the same folders.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { TransferEvent } from "../../lib/events.ts";
import { receive } from "../../lib/receive.ts";
import { send } from "../../lib/share.ts";
import { decodeJournal } from "../../lib/transfer/receiving/journal.ts";
import { GROUP_BYTES as MIB } from "../../lib/transfer/limits.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { seededTest } from "../support/seeded_test.ts";
import { SimNetwork } from "../support/sim_network.ts";
import { SimWorld } from "../support/sim_world.ts";

const SHARER_HOST = "10.0.0.1";
const CLIENT_HOST = "10.0.0.2";
const SOURCE = "/home/share";
const TARGET = "/home/in";
const RATE = 4 * MIB;

/** What became of one attempt. */
interface Attempt {
  readonly client: readonly TransferEvent[];
  /** Bytes that went from the sharer to the client, headers and all. */
  readonly sentBytes: number;
}

/** How an attempt is cut off, and when. */
interface Cut {
  readonly atMs: number;
  readonly by: "client" | "sharer" | "path";
}

async function collect(events: AsyncIterable<TransferEvent>): Promise<TransferEvent[]> {
  const collected: TransferEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

/** Shares and receives once, with new sockets, keys and code. */
async function attempt(
  world: SimWorld,
  { source, target, cut, round }: {
    readonly source: FakeStorage;
    readonly target: FakeStorage;
    readonly round: number;
    readonly cut?: Cut;
  },
): Promise<Attempt> {
  const net = new SimNetwork(world, () => ({
    delayMs: 15,
    rateBytesPerSecond: RATE,
    lossRate: 0.005,
    queueBytes: 300_000,
  }));
  const leaving = { client: new AbortController(), sharer: new AbortController() };
  const sharing = await send([SOURCE], {
    clock: world.clock,
    random: world.prng,
    sockets: [net.network.bind(SHARER_HOST, 4000 + round)],
    addresses: [`${SHARER_HOST}:${4000 + round}`],
    storage: source,
    signal: leaving.sharer.signal,
    timeoutMs: 60_000,
  });
  const receiving = receive(sharing.code, {
    clock: world.clock,
    random: world.prng,
    sockets: [net.network.bind(CLIENT_HOST, 5000 + round)],
    directory: TARGET,
    storage: target,
    signal: leaving.client.signal,
    overwrite: "always",
  });
  if (cut !== undefined) {
    world.schedule(world.nowMs + cut.atMs, () => {
      if (cut.by !== "path") return leaving[cut.by].abort();
      for (const [from, to] of [[CLIENT_HOST, SHARER_HOST], [SHARER_HOST, CLIENT_HOST]] as const) {
        const link = net.link(from, to);
        if (link !== undefined) link.model.up = false;
      }
    });
  }
  const [, client] = await world.runAsync({
    until: Promise.all([collect(sharing), collect(receiving)]),
    limitMs: world.nowMs + 3_600_000,
  });
  const progress = client.findLast((event) => event.event === "progress");
  const sentBytes = (progress?.bytesDone ?? 0) - (progress?.keptBytes ?? 0);
  assert.deepEqual([source.openFiles, target.openFiles], [0, 0]);
  return { client, sentBytes };
}

function makeSource(world: SimWorld): FakeStorage {
  const prng = world.prng.fork();
  const source = new FakeStorage();
  source.addFile(`${SOURCE}/large.bin`, prng.bytes(7 * MIB + prng.integer(0, MIB)));
  source.addFile(`${SOURCE}/larger.bin`, prng.bytes(9 * MIB));
  for (let index = 0; index < 30; index++) {
    source.addFile(`${SOURCE}/small ${index}`, prng.bytes(prng.integer(0, 20_000)));
  }
  return source;
}

function assertSameTrees(source: FakeStorage, target: FakeStorage): void {
  const here = (path: string): string => path.replace(SOURCE, `${TARGET}/share`);
  const sources = source.paths(SOURCE);
  const expected = [`${TARGET}/share`, ...sources.map(here)].sort();
  assert.deepEqual(target.paths(TARGET), expected);
  for (const path of sources) {
    const [from, to] = [source.get(path)!, target.get(here(path))!];
    assert.equal(Buffer.compare(to.bytes, from.bytes), 0, path);
    assert.equal(to.mtimeMs, from.mtimeMs, path);
  }
}

/** Bytes here that a later run can go on with. */
function keptBytes(target: FakeStorage): number {
  let bytes = 0;
  for (const path of target.paths(TARGET)) {
    const node = target.get(path)!;
    if (path.endsWith(".journal")) {
      const { sizeBytes, groups } = decodeJournal(nodeProvider, node.bytes)!;
      for (let index = 0; index < groups.length; index += 2) {
        bytes += Math.min(groups[index + 1]! * MIB, sizeBytes) - groups[index]! * MIB;
      }
    } else if (node.kind === "file" && !path.endsWith(".part")) {
      bytes += node.bytes.length;
    }
  }
  return bytes;
}

function totalBytes(source: FakeStorage): number {
  return source.paths(SOURCE).reduce((sum, path) => sum + source.get(path)!.bytes.length, 0);
}

seededTest(
  "a transfer that is cut off three times moves hardly anything twice [DISK-7]",
  6,
  async (seed) => {
    const world = new SimWorld(seed);
    const source = makeSource(world);
    const target = new FakeStorage();
    const total = totalBytes(source);
    let movedBytes = 0;
    for (let round = 0; round < 3; round++) {
      const cut: Cut = {
        atMs: world.prng.integer(200, 2000),
        by: world.prng.pick(["client", "sharer", "path"] as const),
      };
      const before = keptBytes(target);
      const { client, sentBytes } = await attempt(world, { source, target, cut, round });
      movedBytes += sentBytes;
      const last = client.at(-1)!;
      if (last.event === "done") break;
      assert.ok(last.event === "error", JSON.stringify(last));
      assert.ok(keptBytes(target) >= before, `${keptBytes(target)} of ${before} kept`);
    }
    const before = keptBytes(target);
    const hasJournal = target.paths(TARGET).some((path) => path.endsWith(".journal"));
    const { client, sentBytes } = await attempt(world, { source, target, round: 9 });
    const done = client.at(-1)!;
    assert.ok(done.event === "done", JSON.stringify(done));
    assertSameTrees(source, target);
    assert.equal(sentBytes, total - before);
    // Of each of four attempts at most what its groups in the making and on the way to the disk held.
    assert.ok(
      movedBytes + sentBytes - total <= 3 * 4 * MIB,
      `${movedBytes + sentBytes} of ${total}`,
    );
    assert.equal(client.filter(({ event }) => event === "resumed").length, hasJournal ? 1 : 0);
  },
);

seededTest(
  "a source that changed between two attempts is what arrives, and only changes move [DISK-8]",
  4,
  async (seed) => {
    const world = new SimWorld(seed);
    const source = makeSource(world);
    const target = new FakeStorage();
    const cut = { atMs: world.prng.integer(1500, 2500), by: "client" } as const;
    await attempt(world, { source, target, cut, round: 0 });
    const node = source.get(`${SOURCE}/large.bin`)!;
    const changed = world.prng.chance(0.5) ? node.bytes.slice(0, -5000) : node.bytes.slice();
    changed[world.prng.integer(0, changed.length - 1)]! ^= 0xff;
    source.addFile(`${SOURCE}/large.bin`, changed, { mtimeMs: node.mtimeMs + 60_000 });
    const before = keptBytes(target);
    const { client, sentBytes } = await attempt(world, { source, target, round: 1 });
    assert.equal(client.at(-1)!.event, "done");
    assertSameTrees(source, target);
    // The group that changed, and the last one when the file became shorter.
    assert.ok(sentBytes <= totalBytes(source) - before + 2 * MIB, `${sentBytes}`);
  },
);

Deno.test("equal seeds resume in equal ways", async () => {
  const run = async (): Promise<string> => {
    const world = new SimWorld(21);
    const source = makeSource(world);
    const target = new FakeStorage();
    const cut = { atMs: 1800, by: "path" } as const;
    const first = await attempt(world, { source, target, cut, round: 0 });
    const second = await attempt(world, { source, target, round: 1 });
    assert.ok(second.client.some(({ event }) => event === "resumed"));
    return JSON.stringify([world.nowMs, first, second]);
  };
  assert.equal(await run(), await run());
});
