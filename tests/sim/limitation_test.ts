/**
 * Goal: both sides of a transfer come to know what limits it, and from when on; nothing flickers.
 * Method: a share that sends without end over simulated links, each time with one thing that is
 * slower than all others; both sides are asked ten times a second, as for the screen.
 */
import assert from "node:assert/strict";
import type { LimitReport } from "../../lib/events.ts";
import { LimitWatch } from "../../lib/operation/limit_watch.ts";
import type { Clock } from "../../lib/transport/clock.ts";
import type { LinkOptions } from "../support/link.ts";
import { seededTest } from "../support/seeded_test.ts";
import { type ClientOptions, ShareWorld } from "../support/share_world.ts";
import { SimWorld } from "../support/sim_world.ts";

const POLL_MS = 100;
/** 20 Mbit/s, 20 ms there and back, with the usual queue. */
const LINE: LinkOptions = { delayMs: 10, rateBytesPerSecond: 2_500_000, queueBytes: 100_000 };
const FAST: LinkOptions = { delayMs: 10 };

interface Scene {
  readonly client: ClientOptions;
  readonly sharer?: ConstructorParameters<typeof ShareWorld>[2];
  /** Limit of the share, bytes per second. */
  readonly limit?: number;
  /** Share of a processor that each side uses. */
  readonly senderLoad?: number;
  readonly receiverLoad?: number;
}

/** What each side said, whenever it changed; times are counted from the connection on. */
interface Said {
  readonly sender: [atMs: number, report: LimitReport | undefined][];
  readonly receiver: [atMs: number, report: LimitReport | undefined][];
  readonly world: SimWorld;
  readonly share: ShareWorld;
}

function watch(seed: number, scene: Scene, untilMs = 12_000): Said {
  const world = new SimWorld(seed);
  const share = new ShareWorld(world, [scene.client], scene.sharer);
  if (scene.limit !== undefined) share.sharer.endpoint.limit.setRate(world.now, scene.limit);
  const said: Said = { sender: [], receiver: [], world, share };
  world.run({ untilMs: 200 });
  const startMs = world.nowMs;
  const clockOf = (load = 0.2): Clock => ({
    now: () => world.now,
    setTimer: () => () => {},
    processorMs: () => load * world.nowMs,
  });
  const client = share.clients[0]!;
  const watches = {
    sender: new LimitWatch({
      clock: clockOf(scene.senderLoad),
      connection: client.connection!,
      isAsked: () => true,
    }),
    receiver: new LimitWatch({
      clock: clockOf(scene.receiverLoad),
      connection: client.side.connection!,
    }),
  };
  const poll = () => {
    for (const side of ["sender", "receiver"] as const) {
      const report = watches[side].poll();
      const [, last] = said[side].at(-1) ?? [];
      if (report?.limitedBy !== last?.limitedBy) said[side].push([world.nowMs - startMs, report]);
    }
    share.sharer.drain();
    client.side.drain();
    world.schedule(world.nowMs + POLL_MS, poll);
  };
  poll();
  world.run({ untilMs: startMs + untilMs });
  return said;
}

/** Asserts that each side said one thing, after 2 to 8 s, and never another. */
function assertSaid(said: Said, sender: LimitReport, receiver: LimitReport): void {
  for (const [side, expected] of [["sender", sender], ["receiver", receiver]] as const) {
    const all = said[side];
    const steps = all.map(([atMs, report]) => `${atMs}: ${report?.limitedBy}`).join(", ");
    const last = all.at(-1)!;
    assert.deepEqual(last?.[1], expected, `${side}: ${steps}`);
    assert.ok(last[0] >= 2000 && last[0] <= 8000, `${side}: ${steps}`);
    // A receiver says "line" until it hears more.
    assert.ok(all.length <= (side === "receiver" ? 2 : 1), `${side}: ${steps}`);
  }
}

const line: LimitReport = { limitedBy: "line" };

for (const congestion of ["cubic", "bbr"] as const) {
  seededTest(`a clean line is the limit and needs no word (${congestion})`, 2, (seed) => {
    const sharer = { settings: { congestion } };
    assertSaid(watch(seed, { client: { link: LINE }, sharer }), line, line);
  });

  seededTest(`lost packets are named on both sides (${congestion})`, 2, (seed) => {
    const client = { link: { ...LINE, lossRate: 0.02 } };
    const said = watch(seed, { client, sharer: { settings: { congestion } } }, 14_000);
    for (const [, report] of [said.sender.at(-1)!, said.receiver.at(-1)!]) {
      assert.equal(report?.limitedBy, "loss");
      assert.ok(report.lostShare! > 0.01 && report.lostShare! < 0.05, `${report.lostShare}`);
    }
  });
}

seededTest("the own limit is named, with its value, on both sides", 2, (seed) => {
  assertSaid(
    watch(seed, { client: { link: LINE }, limit: 500_000 }),
    { limitedBy: "limit", limitBytesPerSecond: 500_000 },
    { limitedBy: "peer-limit", limitBytesPerSecond: 500_000 },
  );
});

seededTest("[RATE-2] what the receiver asked for is named on both sides", 2, (seed) => {
  const settings = { wishes: { limitBytesPerSecond: 300_000 } };
  assertSaid(
    watch(seed, { client: { link: LINE, settings } }),
    { limitedBy: "peer-limit", limitBytesPerSecond: 300_000 },
    { limitedBy: "limit", limitBytesPerSecond: 300_000 },
  );
});

seededTest("a slow disk of the receiver is named on both sides", 2, (seed) => {
  const client = { link: FAST, diskBytesPerSecond: 4_000_000 };
  assertSaid(watch(seed, { client }), { limitedBy: "peer-disk" }, { limitedBy: "disk" });
});

seededTest("a slow disk of the sender is named on both sides", 2, (seed) => {
  const sharer = { readBytesPerSecond: 1_000_000 };
  assertSaid(
    watch(seed, { client: { link: LINE }, sharer }),
    { limitedBy: "disk" },
    { limitedBy: "peer-disk" },
  );
});

seededTest("the sender's processor is named on both sides", 2, (seed) => {
  assertSaid(
    watch(seed, { client: { link: LINE }, senderLoad: 0.97 }),
    { limitedBy: "processor" },
    { limitedBy: "peer-processor" },
  );
});

seededTest("the receiver's processor is named on both sides, whatever it loses", 2, (seed) => {
  const client = { link: { ...LINE, lossRate: 0.03 } };
  const said = watch(seed, { client, receiverLoad: 1.2 });
  assert.deepEqual(said.sender.at(-1)![1], { limitedBy: "peer-processor" });
  assert.deepEqual(said.receiver.at(-1)![1], { limitedBy: "processor" });
});

seededTest("a limit is named though the processor is busy with other things", 1, (seed) => {
  const said = watch(seed, { client: { link: LINE }, limit: 500_000, senderLoad: 1 });
  assert.equal(said.sender.at(-1)![1]?.limitedBy, "limit");
});

seededTest("what limits changes when the cause does, once, some seconds later", 1, (seed) => {
  const said = watch(seed, { client: { link: LINE }, limit: 500_000 }, 6000);
  said.share.sharer.endpoint.limit.setRate(said.world.now);
  const changedMs = 6000;
  said.world.run({ untilMs: said.world.nowMs + 8000 });
  const names = said.sender.map(([, report]) => report?.limitedBy);
  assert.deepEqual(names, ["limit", "line"]);
  const waitedMs = said.sender[1]![0] - changedMs;
  assert.ok(waitedMs >= 2000 && waitedMs <= 4500, `${waitedMs} ms later`);
});
