/**
 * Goal: a session keeps its path, follows its peer, moves where it is better, comes back after
 * silence, and cannot be lured away or used against others.
 * Method: real endpoints with a transfer under way, over a network with several addresses whose
 * links are cut and whose mappings change; every byte is checked, in virtual time, over many seeds.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { Candidate } from "../../lib/nat/candidate.ts";
import type { EndpointEvent } from "../../lib/protocol/endpoint.ts";
import { IDLE_TIMEOUT_MS, MAX_UNPROVEN_PROBES } from "../../lib/protocol/params.ts";
import { EndpointPair, type Side } from "../support/endpoint_pair.ts";
import type { LinkOptions } from "../support/link.ts";
import { PathNetwork } from "../support/path_network.ts";
import { seededTest } from "../support/seeded_test.ts";
import { SimWorld } from "../support/sim_world.ts";

const MIB = 1024 * 1024;
const RATE = 2_000_000;

const at = (host: string, port: number): SocketAddress => ({ family: 4, host, port });
const SHARER = at("198.51.100.1", 4000);
const SHARER_LAN = at("192.168.1.10", 4000);
const CLIENT = at("203.0.113.1", 5000);
const CLIENT_LAN = at("192.168.1.20", 5000);
const ATTACKER = at("192.0.2.66", 6000);

const WIDE: LinkOptions = { delayMs: 20, rateBytesPerSecond: RATE, queueBytes: 100_000 };
const LOCAL: LinkOptions = { delayMs: 0.5, rateBytesPerSecond: 5 * RATE, queueBytes: 200_000 };

const isLan = (host: string): boolean => host.startsWith("192.168.");

/** A transfer between two machines with one address each, or two of which one is on a LAN. */
class Scene {
  readonly world: SimWorld;
  readonly network: PathNetwork;
  readonly pair: EndpointPair;

  constructor(
    seed: number,
    fileBytes: number,
    options: { lan?: boolean; wide?: LinkOptions } = {},
  ) {
    this.world = new SimWorld(seed);
    const wide = options.wide ?? WIDE;
    this.network = new PathNetwork(
      this.world,
      {
        sharer: options.lan ? [SHARER, SHARER_LAN] : [SHARER],
        client: options.lan ? [CLIENT, CLIENT_LAN] : [CLIENT],
      },
      (from, to) => {
        if (isLan(from) !== isLan(to)) return { lossRate: 1 };
        return isLan(from) ? LOCAL : wide;
      },
    );
    this.pair = new EndpointPair(this.world, { network: this.network, fileBytes });
  }

  get sharer() {
    return this.pair.sharer.connection!;
  }

  get client() {
    return this.pair.client.connection!;
  }

  run(untilMs: number): void {
    this.world.run({ untilMs, until: () => this.pair.isComplete, onStep: () => this.pair.check() });
  }

  /** Runs to the end of the transfer. */
  finish(withinMs: number): void {
    this.run(this.world.nowMs + withinMs);
    assert.ok(this.pair.isComplete, `${this.pair.receivedBytes} bytes by ${this.world.nowMs} ms`);
  }

  /** Both machines know of both their sockets and tell the other where they are. */
  tell(): void {
    const sockets = [{ index: 0, family: 4 as const }, { index: 1, family: 4 as const }];
    for (
      const [side, addresses] of [
        [this.pair.sharer, [SHARER, SHARER_LAN]],
        [this.pair.client, [CLIENT, CLIENT_LAN]],
      ] as const
    ) {
      side.connection!.setSockets(sockets);
      side.connection!.setLocalCandidates(this.world.now, addresses.map(host));
      side.drain();
    }
  }
}

const host = (address: SocketAddress): Candidate => ({ kind: "host", address });
const told = (side: Side, type: EndpointEvent["type"]): EndpointEvent[] =>
  side.events.filter((event) => event.type === type);
const reasons = (side: Side): string[] =>
  side.events.flatMap((event) => event.type === "path" ? [event.reason] : []);

seededTest(
  "[PATH-2] a mapping whose port changes at the client in mid-transfer costs no window",
  6,
  (seed) => {
    const scene = new Scene(seed, 3 * MIB);
    scene.run(800);
    const before = scene.sharer.statistics;
    const rebound = at(CLIENT.host, 5001 + seed);
    scene.network.rebind("client", 0, rebound);
    let leastWindow = before.windowBytes;
    const startedAt = scene.world.nowMs;
    while (scene.world.nowMs < startedAt + 400) {
      scene.run(scene.world.nowMs + 5);
      leastWindow = Math.min(leastWindow, scene.sharer.statistics.windowBytes);
    }
    assert.deepEqual(scene.sharer.path.remote, rebound);
    assert.deepEqual(reasons(scene.pair.sharer), ["followed"]);
    assert.ok(leastWindow >= 0.9 * before.windowBytes, `${before.windowBytes} → ${leastWindow}`);
    assert.ok(scene.sharer.statistics.datagramBytes >= before.datagramBytes);
    scene.finish(5000);
    assert.deepEqual(told(scene.pair.sharer, "path-lost"), []);
  },
);

seededTest(
  "[PATH-1] a client that appears at another host in mid-transfer is followed",
  6,
  (seed) => {
    const scene = new Scene(seed, 3 * MIB);
    scene.run(800);
    const moved = at("203.0.113.99", 7000);
    scene.network.rebind("client", 0, moved);
    scene.run(scene.world.nowMs + 300);
    assert.deepEqual(scene.sharer.path.remote, moved);
    scene.finish(5000);
    assert.deepEqual(told(scene.pair.client, "observed").length, 2, "it was told its new address");
  },
);

for (
  const [what, address] of [
    ["port", at(SHARER.host, 4001)],
    ["host and port", at("198.51.100.77", 4444)],
  ] as const
) {
  seededTest(`[PATH-6] a sharer whose ${what} changes in mid-transfer is followed`, 4, (seed) => {
    const scene = new Scene(seed, 3 * MIB);
    // Only what the sharer sends tells of it, and a filter in front of the client would not let it in.
    const { network } = scene;
    scene.run(800);
    network.rebind("sharer", 0, address);
    network.tap = (datagram, from, to) => {
      if (from === address && to === CLIENT) network.inject(datagram.slice(), from, to, false);
    };
    scene.run(scene.world.nowMs + 1500);
    assert.deepEqual(scene.client.path.remote, address);
    scene.finish(8000);
  });
}

seededTest(
  "a sharer whose mapping changes behind a client that filters is found again",
  4,
  (seed) => {
    const scene = new Scene(seed, 3 * MIB);
    scene.run(800);
    const address = at("198.51.100.77", 4444);
    scene.network.rebind("sharer", 0, address);
    scene.run(scene.world.nowMs + 6000);
    assert.ok(told(scene.pair.client, "path-lost").length === 1);
    scene.client.addRemoteCandidate(scene.world.now, address);
    scene.pair.client.drain();
    scene.run(scene.world.nowMs + 1000);
    assert.deepEqual(scene.client.path.remote, address);
    assert.ok(reasons(scene.pair.client).includes("found"));
    scene.finish(8000);
  },
);

seededTest(
  "[PATH-1] copies of packets from elsewhere, however early, do not move a session",
  6,
  (seed) => {
    const scene = new Scene(seed, 2 * MIB);
    scene.run(600);
    let receivedBytes = 0;
    let copies = 0;
    const toAttacker = () =>
      scene.network.sentTo.get(`${ATTACKER.host} ${ATTACKER.port}`)?.bytes ?? 0;
    scene.network.tap = (datagram, from, to) => {
      if (from === ATTACKER || to === ATTACKER || !scene.world.prng.chance(0.3)) return;
      copies++;
      receivedBytes += datagram.length;
      const copy = datagram.slice();
      scene.world.schedule(scene.world.nowMs + 1, () => {
        scene.network.inject(copy, ATTACKER, to, false);
      });
    };
    scene.run(scene.world.nowMs + 600);
    assert.ok(toAttacker() <= 3 * receivedBytes, `${toAttacker()} bytes for ${receivedBytes}`);
    assert.ok(copies > 20);
    assert.deepEqual(scene.sharer.path.remote, CLIENT);
    assert.deepEqual(scene.client.path.remote, SHARER);
    scene.finish(8000);
    assert.deepEqual(scene.sharer.path.remote, CLIENT);
  },
);

seededTest(
  "[PATH-1] who relays everything keeps a session only as long as he is faster",
  4,
  (seed) => {
    const scene = new Scene(seed, 4 * MIB);
    scene.run(600);
    let isAttacking = true;
    // A relay between the two that passes on what it sees, and what it is sent.
    // A line each way: data that queues in the one does not make him slower in the other.
    const relay = scene.world.link({ ...WIDE, delayMs: 10 });
    const relayBack = scene.world.link({ ...WIDE, delayMs: 10 });
    scene.network.tap = (datagram, from, to) => {
      if (!isAttacking) return;
      if (from === CLIENT && to === SHARER) {
        relay.send(datagram, (copy) => scene.network.inject(copy, ATTACKER, SHARER));
      } else if (to.host === ATTACKER.host) {
        relayBack.send(datagram, (copy) => scene.network.inject(copy, SHARER, CLIENT, false));
      }
    };
    scene.run(scene.world.nowMs + 500);
    assert.deepEqual(scene.sharer.path.remote, ATTACKER, "he is on the path now");
    isAttacking = false;
    // Its data went nowhere; so the client, which owes nothing, asks whether anybody is there.
    scene.run(scene.world.nowMs + 2500);
    assert.deepEqual(scene.sharer.path.remote, CLIENT);
    scene.finish(8000);
  },
);

seededTest("[PATH-5] a session moves from the Internet to the common network, once", 6, (seed) => {
  const scene = new Scene(seed, 6 * MIB, { lan: true });
  scene.run(500);
  const before = scene.sharer.statistics.spuriousPackets;
  scene.tell();
  scene.run(scene.world.nowMs + 400);
  assert.deepEqual(scene.client.path, { socket: 1, remote: SHARER_LAN });
  assert.deepEqual(scene.sharer.path, { socket: 1, remote: CLIENT_LAN });
  assert.ok(scene.sharer.statistics.minRttMs < 3, `${scene.sharer.statistics.minRttMs} ms`);
  const spurious = scene.sharer.statistics.spuriousPackets - before;
  assert.ok(spurious <= 3, `${spurious} packets were taken for lost because of the move`);
  scene.finish(3000);
  assert.deepEqual(reasons(scene.pair.client), ["moved"]);
  assert.deepEqual(reasons(scene.pair.sharer), ["followed"]);
});

for (const [delayMs, isMoved] of [[9, false], [5, true]] as const) {
  const what = isMoved
    ? "moves to a path with half"
    : "stays where another path has nine tenths of";
  seededTest(`[PATH-5] a session ${what} the round trip`, 5, (seed) => {
    const scene = new Scene(seed, 60_000, { wide: { delayMs: 10 } });
    const { world, network } = scene;
    world.run({ untilMs: 1000 });
    const other = at("198.51.100.2", 4000);
    network.addSocket("sharer", other);
    network.link(CLIENT.host, other.host).model.change({ delayMs });
    network.link(other.host, CLIENT.host).model.change({ delayMs });
    scene.client.addRemoteCandidate(world.now, other);
    scene.pair.client.drain();
    world.run({ untilMs: 3000 });
    assert.deepEqual(reasons(scene.pair.client), isMoved ? ["moved"] : []);
    assert.equal(scene.sharer.path.socket, isMoved ? 1 : 0);
  });
}

seededTest(
  "[PATH-7] a path that is dead for five seconds and comes back goes on with what was known",
  6,
  (seed) => {
    const scene = new Scene(seed, 4 * MIB);
    scene.run(700);
    scene.network.setUp(SHARER.host, CLIENT.host, false);
    const cutAt = scene.world.nowMs;
    const lostAfterMs = (side: Side): number => {
      while (told(side, "path-lost").length === 0 && scene.world.nowMs < cutAt + 5000) {
        scene.run(scene.world.nowMs + 50);
      }
      return scene.world.nowMs - cutAt;
    };
    for (const side of [scene.pair.sharer, scene.pair.client]) {
      const ms = lostAfterMs(side);
      assert.ok(ms >= 2900 && ms < 4000, `noticed after ${ms} ms`);
    }
    scene.run(cutAt + 5000);
    scene.network.setUp(SHARER.host, CLIENT.host, true);
    scene.run(cutAt + 5000 + 700);
    for (const side of [scene.pair.sharer, scene.pair.client]) {
      assert.deepEqual(reasons(side), ["found"]);
    }
    assert.deepEqual(scene.client.path.remote, SHARER);
    scene.finish(8000);
  },
);

seededTest("[PATH-7] a dead path is left for another that answers", 2, (seed) => {
  const scene = new Scene(seed, 9 * MIB, { lan: true });
  scene.run(500);
  scene.tell();
  scene.run(scene.world.nowMs + 300);
  assert.deepEqual(scene.client.path.remote, SHARER_LAN);
  scene.network.setUp(SHARER_LAN.host, CLIENT_LAN.host, false);
  const cutAt = scene.world.nowMs;
  scene.run(cutAt + 5000);
  assert.deepEqual(scene.client.path, { socket: 0, remote: SHARER });
  assert.deepEqual(scene.sharer.path, { socket: 0, remote: CLIENT });
  const [lost] = told(scene.pair.client, "path-lost");
  assert.ok(lost);
  const bytes = scene.pair.receivedBytes;
  scene.run(scene.world.nowMs + 1000);
  assert.ok(scene.pair.receivedBytes - bytes > 0.7 * RATE, "it has found its speed");
});

seededTest("a session whose socket vanishes goes on through another", 4, (seed) => {
  const scene = new Scene(seed, 6 * MIB, { lan: true });
  scene.run(500);
  scene.tell();
  scene.run(scene.world.nowMs + 300);
  scene.network.removeSocket("client", 1);
  scene.client.removeSocket(1);
  scene.pair.client.drain();
  scene.run(scene.world.nowMs + 500);
  assert.deepEqual(scene.client.path, { socket: 0, remote: SHARER });
  assert.deepEqual(scene.sharer.path.remote, CLIENT);
  scene.finish(10_000);
});

seededTest("[PATH-1] challenges and responses that are lost are sent again", 30, (seed) => {
  const wide = { ...WIDE, lossRate: 0.2 };
  const scene = new Scene(seed, 1_500_000, { wide });
  scene.run(400);
  if (scene.pair.isComplete) return;
  const rebound = at(CLIENT.host, 5999);
  scene.network.rebind("client", 0, rebound);
  scene.finish(25_000);
  assert.deepEqual(scene.sharer.path.remote, rebound);
});

seededTest(
  "[PATH-4] strangers whom a peer lists get a bounded number of small packets",
  5,
  (seed) => {
    const scene = new Scene(seed, 60_000);
    scene.world.run({ untilMs: 500 });
    const counts: number[] = [];
    // A new list every 100 ms for half a minute.
    for (let round = 0; round < 300; round++) {
      const list = Array.from(
        { length: 8 },
        (_, i) => at(`192.0.2.${(round * 8 + i) % 250 + 1}`, 9),
      );
      scene.client.setLocalCandidates(scene.world.now, list.map(host));
      scene.pair.client.drain();
      scene.world.run({ untilMs: scene.world.nowMs + 100 });
      let packets = 0;
      let bytes = 0;
      for (const [key, count] of scene.network.sentTo) {
        if (!key.startsWith("192.0.2.")) continue;
        packets += count.packets;
        bytes += count.bytes;
      }
      counts.push(packets);
      assert.ok(bytes <= packets * 38);
    }
    assert.ok(counts.at(-1)! > 20);
    assert.ok(counts.at(-1)! <= MAX_UNPROVEN_PROBES, `${counts.at(-1)} packets`);
  },
);

seededTest("[IDLE-3] a machine that slept looks for its path before it gives up", 4, (seed) => {
  const scene = new Scene(seed, 60_000);
  scene.run(2000);
  assert.ok(scene.pair.isComplete);
  // Both sleep, longer than the idle time; the path stays as it is.
  const wakeAt = scene.world.nowMs + 4 * IDLE_TIMEOUT_MS;
  scene.pair.sharer.sleep(wakeAt);
  scene.pair.client.sleep(wakeAt + 300);
  scene.world.run({ untilMs: wakeAt + 2000 });
  assert.equal(scene.sharer.closed, undefined);
  assert.equal(scene.client.closed, undefined);
  assert.ok(reasons(scene.pair.sharer).includes("found"));
  // And where nobody is left it ends soon.
  scene.network.setUp(SHARER.host, CLIENT.host, false);
  const again = scene.world.nowMs + 4 * IDLE_TIMEOUT_MS;
  scene.pair.sharer.sleep(again);
  scene.world.run({ untilMs: again + 4900 });
  assert.equal(scene.sharer.closed, undefined);
  scene.world.run({ untilMs: again + 11_000 });
  assert.equal(scene.pair.sharer.connection?.closed?.code, "path_lost");
});

seededTest("an idle session is not chatty", 3, (seed) => {
  const scene = new Scene(seed, 60_000);
  scene.run(10_000);
  scene.world.run({ untilMs: 10_000 });
  const count = () =>
    [...scene.network.sentTo.values()].reduce((sum, { packets }) => sum + packets, 0);
  const before = count();
  scene.world.run({ untilMs: 70_000 });
  assert.ok(count() - before <= 30, `${count() - before} packets in a minute`);
});
