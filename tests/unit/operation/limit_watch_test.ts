import assert from "node:assert/strict";
import type { LimitReport } from "../../../lib/events.ts";
import { LimitWatch, type WatchedConnection } from "../../../lib/operation/limit_watch.ts";
import { Hold, type HoldId } from "../../../lib/protocol/hold_times.ts";
import type { Limitation } from "../../../lib/protocol/limited_frame.ts";
import { FakeClock } from "../cli/_fake_world.ts";

const POLL_MS = 100;

/** One side of a transfer, whose every figure the test sets; polled ten times a second. */
class Scene implements WatchedConnection {
  readonly clock = Object.assign(new FakeClock(), { processorMs: () => this.#usedMs });
  /** What holds sending back. */
  hold: HoldId = Hold.CONGESTION;
  /** Share of a processor in use. */
  load = 0.1;
  /** Share of packets lost. */
  lossShare = 0;
  /** By how much timers are late. */
  lateMs = 1;
  isAsked = true;
  ownLimit = Infinity;
  heard: Limitation = { reason: "none", value: 0 };
  readonly told: Limitation[] = [];
  readonly #holdMs = new Float64Array(6);
  #usedMs = 0;
  #sentPackets = 0;
  #lostPackets = 0;
  readonly #watch: LimitWatch;

  constructor(role: "sender" | "receiver") {
    this.#watch = new LimitWatch({
      clock: this.clock,
      connection: this,
      ...(role === "sender" ? { isAsked: () => this.isAsked } : {}),
    });
  }

  /** What is said after so long, and each change on the way. */
  run(durationMs: number): { last: LimitReport | undefined; changes: string[] } {
    const changes: string[] = [];
    let last: LimitReport | undefined;
    const intervalMs = POLL_MS + this.lateMs;
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += intervalMs) {
      this.clock.advance(intervalMs);
      this.#holdMs[this.hold]! += intervalMs;
      this.#usedMs += intervalMs * this.load;
      this.#sentPackets += 200;
      this.#lostPackets += 200 * this.lossShare;
      last = this.#watch.poll();
      const name = last?.limitedBy ?? "-";
      if (name !== changes.at(-1)) changes.push(name);
    }
    return { last, changes };
  }

  holdTimes(): Float64Array {
    return this.#holdMs;
  }

  get limits(): WatchedConnection["limits"] {
    const limits = { ownBytesPerSecond: this.ownLimit, wishBytesPerSecond: 5000 };
    return limits as WatchedConnection["limits"];
  }

  get peerLimitation(): Limitation {
    return this.heard;
  }

  tellLimitation(limitation: Limitation): void {
    this.told.push(limitation);
  }

  get statistics(): WatchedConnection["statistics"] {
    const sentPackets = this.#sentPackets;
    const lostPackets = this.#lostPackets;
    return { sentPackets, lostPackets, spuriousPackets: 0 } as WatchedConnection["statistics"];
  }
}

Deno.test("LimitWatch says nothing before it was the same for two seconds", () => {
  const scene = new Scene("sender");
  assert.equal(scene.run(2900).last, undefined);
  assert.deepEqual(scene.run(300).last, { limitedBy: "line" });
});

Deno.test("LimitWatch of a sender names what held sending back", () => {
  const cases: [Partial<Scene>, LimitReport][] = [
    [{ hold: Hold.CONGESTION }, { limitedBy: "line" }],
    [{ hold: Hold.CONGESTION, lossShare: 0.03 }, { limitedBy: "loss", lostShare: 0.03 }],
    [{ hold: Hold.CONGESTION, lossShare: 0.008 }, { limitedBy: "line" }],
    [{ hold: Hold.CONGESTION, load: 0.95 }, { limitedBy: "processor" }],
    [{ hold: Hold.NOTHING }, { limitedBy: "processor" }],
    [{ hold: Hold.CONGESTION, lateMs: 20 }, { limitedBy: "processor" }],
    [{ hold: Hold.CONGESTION, lateMs: 20, lossShare: 0.03 }, {
      limitedBy: "loss",
      lostShare: 0.03,
    }],
    [{ hold: Hold.APPLICATION, lateMs: 20 }, { limitedBy: "processor" }],
    [{ hold: Hold.CREDIT, lateMs: 20 }, { limitedBy: "peer-disk" }],
    [
      { hold: Hold.CONGESTION, lossShare: 0.03, heard: { reason: "processor", value: 0 } },
      { limitedBy: "peer-processor" },
    ],
    [
      { hold: Hold.LIMIT, load: 1, ownLimit: 2000 },
      { limitedBy: "limit", limitBytesPerSecond: 2000 },
    ],
    [{ hold: Hold.WISH }, { limitedBy: "peer-limit", limitBytesPerSecond: 5000 }],
    [{ hold: Hold.CREDIT, load: 1 }, { limitedBy: "peer-disk" }],
    [
      { hold: Hold.CREDIT, heard: { reason: "processor", value: 0 } },
      { limitedBy: "peer-processor" },
    ],
    [{ hold: Hold.APPLICATION }, { limitedBy: "disk" }],
    [{ hold: Hold.APPLICATION, load: 1 }, { limitedBy: "processor" }],
    [{ hold: Hold.APPLICATION, isAsked: false, load: 1 }, { limitedBy: "peer" }],
  ];
  for (const [figures, expected] of cases) {
    const scene = Object.assign(new Scene("sender"), figures);
    scene.run(2000); // what was counted at the start was of another kind
    assert.deepEqual(scene.run(4000).last, expected, JSON.stringify(figures));
  }
});

Deno.test("LimitWatch of a receiver knows its processor, and what it was told", () => {
  const cases: [Limitation, number, LimitReport][] = [
    [{ reason: "none", value: 0 }, 0.1, { limitedBy: "line" }],
    [{ reason: "loss", value: 20_000 }, 0.1, { limitedBy: "loss", lostShare: 0.02 }],
    [{ reason: "loss", value: 2 ** 40 }, 0.1, { limitedBy: "loss", lostShare: 1 }],
    [{ reason: "loss", value: 20_000 }, 0.95, { limitedBy: "processor" }],
    [{ reason: "credit", value: 0 }, 0.1, { limitedBy: "disk" }],
    [{ reason: "credit", value: 0 }, 0.95, { limitedBy: "processor" }],
    [{ reason: "disk", value: 0 }, 0.95, { limitedBy: "peer-disk" }],
    [{ reason: "processor", value: 0 }, 0.1, { limitedBy: "peer-processor" }],
    [{ reason: "limit", value: 7000 }, 0.95, {
      limitedBy: "peer-limit",
      limitBytesPerSecond: 7000,
    }],
    [{ reason: "wish", value: 8000 }, 0.95, { limitedBy: "limit", limitBytesPerSecond: 8000 }],
  ];
  for (const [heard, load, expected] of cases) {
    const scene = Object.assign(new Scene("receiver"), { heard, load });
    assert.deepEqual(scene.run(5000).last, expected, heard.reason);
    const isBusy = expected.limitedBy === "processor";
    const told = { reason: isBusy ? "processor" : "none", value: 0 };
    assert.deepEqual(scene.told.at(-1), told, "the sender sees the rest by itself");
  }
});

Deno.test("LimitWatch of a receiver says what it was told at once: it was steady there", () => {
  const scene = new Scene("receiver");
  scene.run(3200);
  scene.heard = { reason: "limit", value: 7000 };
  assert.equal(scene.run(POLL_MS).last?.limitedBy, "peer-limit");
  scene.heard = { reason: "loss", value: 20_000 };
  assert.equal(scene.run(1900).last?.limitedBy, "peer-limit", "one after the other is no hurry");
  assert.equal(scene.run(500).last?.limitedBy, "loss");
});

Deno.test("LimitWatch of a receiver whose timers are late blames its processor, but not for losses", () => {
  const said = (reason: Limitation["reason"]) =>
    Object.assign(new Scene("receiver"), { lateMs: 20, heard: { reason, value: 0 } })
      .run(5000).last?.limitedBy;
  assert.equal(said("none"), "processor");
  assert.equal(said("credit"), "processor");
  assert.equal(said("loss"), "loss");
  assert.equal(said("processor"), "peer-processor");
});

Deno.test("LimitWatch takes one long pause for no lack of a processor", () => {
  const scene = new Scene("sender");
  scene.run(5000);
  scene.clock.advance(60_000);
  assert.deepEqual(scene.run(5000).changes, ["line"]);
});

Deno.test("LimitWatch does not flicker when two causes take turns every second", () => {
  const scene = new Scene("sender");
  const changes: string[] = [];
  for (let turn = 0; turn < 30; turn++) {
    scene.hold = turn % 2 === 0 ? Hold.CREDIT : Hold.APPLICATION;
    changes.push(...scene.run(1000).changes);
  }
  const distinct = changes.filter((name, index) => name !== changes[index - 1]);
  assert.ok(distinct.length <= 3, distinct.join(" "));
});

Deno.test("LimitWatch takes back what is over, and tells the other side so", () => {
  const scene = Object.assign(new Scene("sender"), { lossShare: 0.05 });
  assert.equal(scene.run(6000).last?.limitedBy, "loss");
  assert.deepEqual(scene.told.at(-1), { reason: "loss", value: 50_000 });
  scene.lossShare = 0;
  assert.deepEqual(scene.run(6000).changes, ["loss", "line"]);
  assert.deepEqual(scene.told.at(-1), { reason: "none", value: 0 });
});

Deno.test("LimitWatch keeps a loss said that goes a little below what it takes to say it", () => {
  const scene = Object.assign(new Scene("sender"), { lossShare: 0.015 });
  scene.run(6000);
  scene.lossShare = 0.008;
  assert.deepEqual(scene.run(10_000).changes, ["loss"]);
});

Deno.test("LimitWatch shows figures that change only every two seconds", () => {
  const scene = Object.assign(new Scene("sender"), { lossShare: 0.02 });
  scene.run(6000);
  let changes = 0;
  let last: number | undefined;
  for (let step = 0; step < 100; step++) {
    scene.lossShare = 0.02 + 0.0005 * step;
    const lostShare = scene.run(POLL_MS).last?.lostShare;
    if (lostShare !== last) changes++;
    last = lostShare;
  }
  assert.ok(changes >= 4 && changes <= 6, `${changes} changes in ten seconds`);
});
