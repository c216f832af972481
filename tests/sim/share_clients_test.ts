/**
 * Goal: a share for many ends, sends away and counts its clients as it says, whatever each of them is
 * doing at that moment, and what becomes of one changes nothing for another.
 * Method: as `reconnect_test.ts`: whole programs in virtual time, over lines that are cut, with a
 * client in each of the states that a client can be in.
 */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../lib/errors.ts";
import type { ClosingEvent } from "../../lib/events.ts";
import type { ClientReport, ReceiveOptions, ShareOptions } from "../../lib/options.ts";
import {
  assertArrived,
  type Client,
  ReconnectScene,
  type Sharer,
} from "../support/reconnect_scene.ts";

const MIB = 1024 * 1024;

const STATES = [
  "asking",
  "waiting for a place",
  "waiting for its reply code",
  "admitted",
  "moving",
  "silent",
  "lost",
] as const;

type State = typeof STATES[number];

/** What `ClientReport.state` says; a client that is lost is not among them. */
const REPORTED: Record<State, ClientReport["state"] | undefined> = {
  "asking": "asking",
  "waiting for a place": "waiting",
  "waiting for its reply code": "waiting",
  "admitted": "admitted",
  "moving": "moving",
  "silent": "silent",
  "lost": undefined,
};

const isIn = (state: State) => !["asking", "waiting"].includes(REPORTED[state] ?? "in");

/** A share with a client in a state; with one more that has been let in, where it waits for a place. */
class Situation {
  readonly scene: ReconnectScene;
  readonly from: Sharer;
  readonly client: Client;
  /** Its session. */
  readonly session: number;
  readonly other: Client | undefined;
  readonly #accept: (decision: { readonly accept: true }) => void;

  private constructor(parts: {
    readonly scene: ReconnectScene;
    readonly from: Sharer;
    readonly client: Client;
    readonly other: Client | undefined;
    readonly accept: (decision: { readonly accept: true }) => void;
  }) {
    this.scene = parts.scene;
    this.from = parts.from;
    this.client = parts.client;
    this.other = parts.other;
    this.session = parts.other === undefined ? 1 : 2;
    this.#accept = parts.accept;
  }

  static async make(scene: ReconnectScene, state: State, more: ShareOptions = {}) {
    const undecided = Promise.withResolvers<{ readonly accept: true }>();
    const from = await scene.share({
      ...(state === "asking" ? { admit: () => new Promise<boolean>(() => {}) } : {}),
      ...(state === "waiting for a place" ? { maxClients: 1 } : {}),
      private: state === "waiting for its reply code",
      ...more,
    });
    const decide: ReceiveOptions = { decide: () => undecided.promise };
    const code = from.sharing.code;
    const other = state === "waiting for a place" ? scene.receive(code, decide) : undefined;
    await other?.log.first("offer");
    const client = scene.receive(code, state === "admitted" ? decide : {});
    const situation = new Situation({ scene, from, client, other, accept: undecided.resolve });
    await situation.#reach(state);
    const [report] = from.sharing.clients.filter(({ session }) => session === situation.session);
    assert.equal(report?.state, REPORTED[state]);
    return situation;
  }

  async #reach(state: State): Promise<void> {
    const { scene, from, client } = this;
    if (!isIn(state)) return void await client.log.first("waiting");
    if (state === "admitted") return void await client.log.first("offer");
    await scene.reached(client, 2 * MIB);
    if (state === "moving") return;
    scene.setLine(client, false);
    if (state === "silent") return void await from.log.first("path-lost");
    await from.log.first("error", ({ session }) => session === this.session);
  }

  /** The person at the client, or at the one before it, has taken the offer; the line is mended. */
  goOn(): void {
    this.#accept({ accept: true });
    this.scene.setLine(this.client, true);
  }
}

/** Whoever was not let in knows no name, no size and no count of what is shared. */
function assertToldNothing({ log, storage }: Client): void {
  for (const event of ["offer", "progress", "file-done", "done"] as const) {
    assert.deepEqual(log.of(event), []);
  }
  assert.deepEqual(storage.paths("/"), []);
}

async function assertEnded({ log }: Client, code: ErrorCode): Promise<void> {
  const last = await log.ended;
  assert.ok(last.event === "error" && last.code === code, JSON.stringify(last));
}

/** What was told of the door when it was closed: of whom it waits for now, if there is anybody. */
function assertClosing({ log }: Sharer, expected: ClosingEvent | undefined): void {
  assert.deepEqual(log.of("closing"), expected === undefined ? [] : [expected]);
}

/** The share is over, and its last event says how it went. */
async function assertClosed(
  { log, storage }: Sharer,
  expected: { readonly reason: string; readonly clients: number; readonly exit?: number },
): Promise<void> {
  const closed = await log.ended;
  assert.ok(closed.event === "closed", JSON.stringify(closed));
  const { reason, clients, exit, bytes } = closed;
  assert.deepEqual({ reason, clients, exit }, { exit: 0, ...expected });
  const dones = log.of("done");
  assert.equal(dones.length, clients);
  assert.equal(bytes, dones.reduce((sum, { bytes, keptBytes = 0 }) => sum + bytes - keptBytes, 0));
  assert.equal(storage.openFiles, 0);
}

for (const [index, state] of STATES.entries()) {
  Deno.test(`kick sends a client away for good that is ${state}`, () => {
    const scene = new ReconnectScene(index + 1);
    return scene.run(async () => {
      const situation = await Situation.make(scene, state);
      const { from, client, session } = situation;
      assert.equal(from.sharing.kick(session + 1), false);
      assert.equal(from.sharing.kick(session), true);
      const { event: kicked } = await from.log.first("kicked");
      assert.equal(kicked.session, session);
      assert.ok(kicked.address.startsWith(client.socket.localAddress.host));
      if (state === "silent" || state === "lost") await scene.sleep(45_000);
      situation.goOn();
      await assertEnded(client, "refused");
      if (!isIn(state)) assertToldNothing(client);
      await scene.sleep(5000);
      assert.equal(from.sharing.kick(session), false, "it is gone");
      assert.ok(from.sharing.clients.every((report) => report.session !== session));
      // It was this one client; the place it had or waited for is there for others.
      if (situation.other) await assertArrived(from, situation.other);
      if (state !== "asking" && state !== "waiting for its reply code") {
        await assertArrived(from, scene.receive(from.sharing.code));
      }
      await from.sharing.close();
      await assertClosed(from, { reason: "closed", clients: from.log.of("done").length });
    });
  });

  Deno.test(`a share expires while a client is ${state}`, () => {
    const scene = new ReconnectScene(index + 11);
    return scene.run(async () => {
      const expiresMs = 60_000;
      const situation = await Situation.make(scene, state, { expiresMs });
      const { from, client, other } = situation;
      const startMs = from.log.timeOf("code")!;
      if (state === "moving") scene.setLine(client, true);
      const leftMs = startMs + expiresMs - scene.world.nowMs;
      await scene.sleep(leftMs - 1);
      assert.equal(from.log.of("error").length, state === "lost" || state === "silent" ? 1 : 0);
      await scene.sleep(1000);
      const isLost = state === "lost" || state === "silent"; // for so long that it counts as lost
      const goesOn = isIn(state) && state !== "moving" && !isLost;
      const clients = goesOn || other ? 1 : 0;
      assertClosing(
        from,
        isLost || clients > 0 ? { event: "closing", reason: "expired", clients } : undefined,
      );
      // Nobody new gets in, whatever the others do; where nobody is in any more it is over already.
      const late = scene.receive(from.sharing.code, { timeoutMs: 20_000 });
      await late.log.ended;
      assertToldNothing(late);
      if (isIn(state) && state !== "moving" || other) await assertEnded(late, "share_closed");
      situation.goOn();
      if (isIn(state)) await assertArrived(from, client);
      else {
        await assertEnded(client, "share_closed");
        assertToldNothing(client);
      }
      if (other) await assertArrived(from, other);
      await assertClosed(from, { reason: "expired", clients: isIn(state) || other ? 1 : 0 });
    });
  });

  Deno.test(`stopAdmitting lets nobody new in, and waits for one that is ${state}`, () => {
    const scene = new ReconnectScene(index + 21);
    return scene.run(async () => {
      const situation = await Situation.make(scene, state);
      const { from, client, other } = situation;
      from.sharing.stopAdmitting();
      from.sharing.stopAdmitting();
      await scene.sleep(1000);
      const clients = state !== "lost" && (isIn(state) || other) ? 1 : 0;
      assertClosing(
        from,
        state === "lost" || clients > 0
          ? { event: "closing", reason: "closed", clients }
          : undefined,
      );
      situation.goOn();
      if (isIn(state)) await assertArrived(from, client);
      else await assertEnded(client, "share_closed");
      if (other) await assertArrived(from, other);
      await assertClosed(from, { reason: "closed", clients: isIn(state) || other ? 1 : 0 });
    });
  });
}
