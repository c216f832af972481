/**
 * Goal: when a sharer's router forgets everything, or those of all its clients do, every session
 * finds a path again, as soon as if it were alone and with no more sockets.
 * Method: as `path_repair_test.ts`, with one sharer and many clients, all behind port-restricted NATs
 * that give out random ports.
 */
import assert from "node:assert/strict";
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import type { KeyPair } from "../../lib/crypto/provider.ts";
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import type { EndpointEvent } from "../../lib/protocol/endpoint.ts";
import { PathRepair } from "../../lib/traversal/path_repair.ts";
import { SprayBudgets } from "../../lib/traversal/spray_budgets.ts";
import { type Home, MeetingWorld } from "../support/meeting_world.ts";
import { seededTest } from "../support/seeded_test.ts";
import { WatchedMachine } from "../support/watched_machine.ts";

const CLIENTS = 12;
/** What one session alone opens. */
const SOCKETS_OF_ONE = 256;
/** Silence is noticed after 3 s; ports are found in some tenths of a second more. */
const BACK_LIMIT_MS = 8000;

const provider = selectProvider();

/** A machine with sessions, each of which says something every 200 ms. */
class Side {
  readonly home: Home;
  readonly machine: WatchedMachine;
  /** When a session of it had another path, ms. */
  readonly foundMs = new Map<Connection, number>();
  readonly #meeting: MeetingWorld;
  readonly #watch: ReturnType<WatchedMachine["watch"]>;
  readonly #budgets = new SprayBudgets();
  readonly #repairs = new Map<Connection, PathRepair>();

  /** @param clientKeyOf The key of the client of a session that is there now. */
  constructor(
    meeting: MeetingWorld,
    t: Uint8Array,
    clientKeyOf: (event: EndpointEvent & { type: "accepted" | "connected" }) => Uint8Array,
  ) {
    this.#meeting = meeting;
    this.home = meeting.home({ ports: "random" });
    this.machine = new WatchedMachine(meeting, this.home);
    this.#watch = this.machine.watch();
    this.machine.onEvent = (event) => {
      const repair = this.#repairs.get(event.connection);
      if (event.type === "path-lost") repair?.handleLost();
      else if (event.type === "path") {
        this.foundMs.set(event.connection, meeting.world.nowMs);
        repair?.handleFound();
      } else if (event.type === "accepted" || event.type === "connected") {
        this.#begin(event.connection, t, clientKeyOf(event));
      }
    };
  }

  /** How it is seen from outside, once that is known. */
  async address() {
    await this.#watch.settled;
    return this.#watch.known.reflexive[0]!;
  }

  async close(): Promise<void> {
    for (const repair of this.#repairs.values()) repair.close();
    await this.#watch.close();
    this.machine.close();
    assert.equal(this.machine.extras.count, 0);
  }

  #begin(connection: Connection, t: Uint8Array, clientKey: Uint8Array): void {
    const { world } = this.#meeting;
    const { live, extras } = this.machine;
    connection.setHandler({
      handleControl: () => {},
      handleBlock: () => -1,
      handleBlockReleased: () => {},
      handleWritable: () => {},
    });
    const repair = new PathRepair({
      live,
      clock: world.clock,
      random: world.prng,
      provider,
      extras,
      budgets: this.#budgets,
      watch: this.#watch,
      connection,
      t,
      keys: deriveShareKeys(provider, t),
      clientKey,
    });
    this.#repairs.set(connection, repair);
    const say = (): void => {
      if (connection.closed) return;
      connection.sendControl(new Uint8Array(10));
      live.wake();
      world.schedule(world.nowMs + 200, say);
    };
    say();
  }
}

/** A sharer and its clients, each with a session through both NATs. */
async function connect(meeting: MeetingWorld): Promise<{ sharer: Side; clients: Side[] }> {
  const { prng } = meeting.world;
  const staticKeys: KeyPair = provider.generateKeyPair(prng);
  const t = shareCommitment(provider, staticKeys.publicKey);
  const sharer = new Side(
    meeting,
    t,
    (event) => event.type === "accepted" ? event.remoteKey : assert.fail(),
  );
  const address = await sharer.address();
  sharer.machine.live.endpoint.listen({ t, staticKeys });
  const clients: Side[] = [];
  for (let index = 0; index < CLIENTS; index++) {
    const clientKeys = provider.generateKeyPair(prng);
    const client = new Side(meeting, t, () => clientKeys.publicKey);
    clients.push(client);
    await sharer.machine.main.send(new Uint8Array(1), await client.address()); // opens the NAT
    const { live } = client.machine;
    live.endpoint.connect(meeting.world.now, {
      t,
      staticKeys: clientKeys,
      paths: [{ socket: 0, remote: address }],
      request: new Uint8Array(0),
    });
    live.wake();
  }
  await meeting.sleep(5000);
  return { sharer, clients };
}

for (const who of ["sharer", "clients"] as const) {
  const name = `PathRepair mends ${CLIENTS} sessions at once when NATs forget: ${who}`;
  let [sessions, misses] = [0, 0];
  const repairAll = async (seed: number): Promise<void> => {
    const meeting = new MeetingWorld(seed);
    await meeting.run(async () => {
      const { sharer, clients } = await connect(meeting);
      const changedMs = meeting.world.nowMs;
      for (const { home } of who === "sharer" ? [sharer] : clients) home.router.flush();
      let mostSockets = 0;
      while (meeting.world.nowMs < changedMs + 20_000) {
        await meeting.sleep(100);
        mostSockets = Math.max(mostSockets, sharer.machine.extras.count);
      }
      assert.ok(mostSockets <= SOCKETS_OF_ONE, `${mostSockets} sockets`);
      for (const { foundMs } of clients) {
        sessions++;
        const [atMs] = [...foundMs.values()].filter((ms) => ms > changedMs);
        if (atMs === undefined) misses++;
        else assert.ok(atMs - changedMs < BACK_LIMIT_MS, `${atMs - changedMs} ms`);
      }
      await Promise.all([sharer, ...clients].map((side) => side.close()));
    });
  };
  // (1 − 2048/64512)^256 is one in 3,800; those of one sharer that share its sockets miss together.
  seededTest(name, 3, repairAll, () => {
    assert.ok(misses <= CLIENTS + sessions / 500, `${misses} of ${sessions}`);
  });
}
