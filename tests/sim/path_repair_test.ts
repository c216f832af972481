/**
 * Goal: a session survives that a router of the common kind forgets its mappings in its middle: the
 * new port is unknown to the other side, whose router lets nothing in from there.
 * Method: two endpoints with extra sockets behind port-restricted NATs that give out random ports, in
 * virtual time; one NAT is flushed or renumbered, and both sides mend the path as programs do.
 */
import assert from "node:assert/strict";
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import { MAX_PROBE_BYTES } from "../../lib/crypto/probe.ts";
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import type { NetworkWatch } from "../../lib/traversal/network_watch.ts";
import { PathRepair } from "../../lib/traversal/path_repair.ts";
import { type Home, MeetingWorld } from "../support/meeting_world.ts";
import { SprayBudgets } from "../../lib/traversal/spray_budgets.ts";
import { seededTest } from "../support/seeded_test.ts";
import { WatchedMachine } from "../support/watched_machine.ts";

/** Either side says so much every 200 ms. */
const SAID_BYTES = 10;

/** One side of the session. */
class Side {
  readonly home: Home;
  readonly machine: WatchedMachine;
  readonly watch: NetworkWatch;
  readonly lostMs: number[] = [];
  readonly foundMs: number[] = [];
  connection: Connection | undefined;
  repair: PathRepair | undefined;
  /** Bytes that came. */
  came = 0;

  constructor(meeting: MeetingWorld) {
    this.home = meeting.home({ ports: "random" });
    this.machine = new WatchedMachine(meeting, this.home);
    this.watch = this.machine.watch();
    this.machine.onEvent = (event) => {
      if (event.type === "path") {
        this.foundMs.push(meeting.world.nowMs);
        this.repair?.handleFound();
      } else if (event.type === "path-lost") {
        this.lostMs.push(meeting.world.nowMs);
        this.repair?.handleLost();
      } else if (event.type !== "closed") this.connection = event.connection;
    };
  }

  /** How it is seen from outside. */
  get address() {
    return this.watch.known.reflexive[0]!;
  }

  /** Says something every 200 ms, and stands by to mend the path. */
  begin(meeting: MeetingWorld, t: Uint8Array, clientKey: Uint8Array): void {
    const { clock, prng: random } = meeting.world;
    const connection = this.connection!;
    connection.setHandler({
      handleControl: ({ length }) => void (this.came += length),
      handleBlock: () => -1,
      handleBlockReleased: () => {},
      handleWritable: () => {},
    });
    const { live, extras } = this.machine;
    const provider = selectProvider();
    this.repair = new PathRepair({
      live,
      clock,
      random,
      provider,
      extras,
      budgets: new SprayBudgets(),
      watch: this.watch,
      connection,
      t,
      keys: deriveShareKeys(provider, t),
      clientKey,
    });
    const say = (): void => {
      if (connection.closed) return;
      connection.sendControl(new Uint8Array(SAID_BYTES));
      live.wake();
      meeting.world.schedule(meeting.world.nowMs + 200, say);
    };
    say();
  }

  async close(): Promise<void> {
    this.repair?.close();
    await this.watch.close();
    this.machine.close();
  }
}

/** Two sides with a session through both NATs. */
async function connect(meeting: MeetingWorld): Promise<{ sharer: Side; client: Side }> {
  const provider = selectProvider();
  const { prng } = meeting.world;
  const [sharer, client] = [new Side(meeting), new Side(meeting)];
  await Promise.all([sharer.watch.settled, client.watch.settled]);
  const keys = provider.generateKeyPair(prng);
  const clientKeys = provider.generateKeyPair(prng);
  const t = shareCommitment(provider, keys.publicKey);
  sharer.machine.live.endpoint.listen({ t, staticKeys: keys });
  await sharer.machine.main.send(new Uint8Array(1), client.address); // opens the NAT
  const { live } = client.machine;
  live.endpoint.connect(meeting.world.now, {
    t,
    staticKeys: clientKeys,
    paths: [{ socket: 0, remote: sharer.address }],
    request: new Uint8Array(0),
  });
  live.wake();
  await meeting.sleep(1000);
  for (const side of [sharer, client]) side.begin(meeting, t, clientKeys.publicKey);
  return { sharer, client };
}

type Which = "sharer" | "client";

/** NATs that forget, one after the other, each when the session has a path again. */
const TROUBLES: readonly (readonly Which[])[] = [
  ["sharer"],
  ["client"],
  ["client", "client"],
  ["client", "sharer"],
  ["sharer", "sharer", "client"],
];

for (const trouble of TROUBLES) {
  const name = `PathRepair finds the new ports when NATs forget theirs: ${trouble.join(", ")}`;
  let [runs, misses] = [0, 0];
  const repairAll = async (seed: number): Promise<void> => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const sides = await connect(meeting);
      const all = [sides.sharer, sides.client];
      for (const [index, which] of trouble.entries()) {
        await meeting.sleep(meeting.world.prng.integer(5000, 30_000));
        sides[which].home.router.flush();
        const changedMs = meeting.world.nowMs;
        await meeting.sleep(15_000);
        runs++;
        // None of the 2048 ports that one side tried was among the 256 of the other.
        if (all.every(({ foundMs }) => !(foundMs.at(-1)! > changedMs))) {
          misses++;
          return await Promise.all(all.map((side) => side.close()));
        }
        for (const side of all) {
          // A new port may be one that was tried before and is still open: then nothing is lost.
          assert.ok(side.lostMs.length <= index + 1);
          // Several holes may be found at the same time; they agree on one at once.
          const found = side.foundMs.filter((atMs) => atMs > changedMs);
          assert.ok(found.length <= 4, `${found.length} paths`);
          for (const atMs of found) {
            assert.ok(atMs - found[0]! < 500);
            assert.ok(atMs - changedMs < 8000, `${atMs - changedMs} ms`);
          }
          // What was opened is given back, but for the socket that is in use.
          const isMain = side.connection!.path.socket === 0;
          assert.equal(side.machine.extras.count, isMain ? 0 : 1);
        }
      }
      // Both have said one thing every 200 ms all the time, and nothing of it was lost.
      const [one, other] = all.map(({ came }) => came);
      assert.ok(Math.abs(one! - other!) <= SAID_BYTES, `${one} and ${other} bytes`);
      const before = all.map(({ came }) => came);
      await meeting.sleep(2000);
      assert.deepEqual(all.map(({ came }) => came), before.map((came) => came + 10 * SAID_BYTES));
      await Promise.all(all.map((side) => side.close()));
      for (const { machine } of all) assert.equal(machine.extras.count, 0);
    });
  };
  // (1 − 2048/64512)^256 is one in 3,800.
  seededTest(name, 8, repairAll, () => assert.ok(misses <= 1 + runs / 500, `${misses} of ${runs}`));
}

Deno.test("PathRepair gives up what it opened when the session ends without a path", async () => {
  const meeting = new MeetingWorld(1);
  await meeting.run(async () => {
    const { sharer, client } = await connect(meeting);
    meeting.renumber(sharer.home); // where it is now, the client cannot know
    await meeting.sleep(10_000);
    assert.equal(sharer.machine.extras.count, 256);
    sharer.repair!.close();
    assert.equal(sharer.machine.extras.count, 0);
    let sent = 0;
    client.repair!.close();
    await meeting.sleep(1);
    for (const { machine: { main } } of [sharer, client]) {
      main.onSent = ({ datagram }) => void (sent += Number(datagram.length <= MAX_PROBE_BYTES));
    }
    sharer.connection!.close(0, "");
    client.connection!.close(0, "");
    await Promise.all([sharer, client].map(({ watch }) => watch.close()));
    await meeting.sleep(1000);
    sent = 0;
    await meeting.sleep(60_000);
    assert.equal(sent, 0);
    sharer.machine.close();
    client.machine.close();
  });
});
