/**
 * Goal: a share with 64 clients treats equals as equals, starves nobody, holds a bounded amount for
 * each, and no one of them can take from the others, whatever it does.
 * Method: a share that sends without end, over links of all kinds, under one limit; who gets how much
 * in every five seconds is held against what is fair: an equal part, and of what others cannot take
 * another equal part.
 */
import assert from "node:assert/strict";
import { jainIndex } from "../../bench/share/fairness.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import { HandClient } from "../support/code_holder.ts";
import { EvilPeer } from "../support/evil_peer.ts";
import { ack, ackNow } from "../support/frame_bytes.ts";
import type { LinkOptions } from "../support/link.ts";
import { readCode } from "../support/share_codes.ts";
import { seededTest } from "../support/seeded_test.ts";
import { type ClientOptions, ShareWorld, type WorldClient } from "../support/share_world.ts";
import { SimWorld } from "../support/sim_world.ts";

const CLIENTS = 64;
/** Bytes per second to all of them. */
const LIMIT = 4_000_000;
const START_MS = 2000;
const WINDOW_MS = 5000;
/** What of a link's or a limit's bytes is not the file's, and what loss and delay take. */
const FILE_SHARE = 0.85;
/** Most that is lent to a connection beyond what is in flight: what it wants queued, and a block. */
const QUEUE_BYTES = 4 * 1024 * 1024 + 64 * 1024;

/** Links of all kinds; every fourth is slower than an equal part of the limit. */
function linkOf(index: number, world: SimWorld): LinkOptions {
  const delayMs = world.prng.between(1, 100);
  const lossRate = index % 3 === 0 ? world.prng.between(0, 0.02) : 0;
  if (index % 4 !== 0) return { delayMs, lossRate };
  return { delayMs, lossRate, rateBytesPerSecond: 30_000, queueBytes: 20_000 };
}

/** What each may have, max-min fair, bytes per second of a limit. */
function fairRates(rates: readonly number[], limit: number): number[] {
  const fair = new Array<number>(rates.length).fill(0);
  let left = limit;
  const order = rates.map((_, index) => index).sort((a, b) => rates[a]! - rates[b]!);
  order.forEach((index, place) => {
    fair[index] = Math.min(rates[index]!, left / (rates.length - place));
    left -= fair[index]!;
  });
  return fair;
}

/** File bytes that came to each of some clients while `ms` pass. */
function receivedIn(world: SimWorld, clients: readonly WorldClient[], ms: number): number[] {
  const before = clients.map(({ receivedBytes }) => receivedBytes);
  world.run({ untilMs: world.nowMs + ms });
  return clients.map(({ receivedBytes }, index) => receivedBytes - before[index]!);
}

/** What is lent to each connection is bounded, whatever its client does. */
function assertBounded({ clients }: ShareWorld): void {
  for (const { connection } of clients) {
    if (connection === undefined) continue;
    const { inFlightBytes } = connection.statistics;
    const most = 2 * Math.max(inFlightBytes, QUEUE_BYTES);
    assert.ok(connection.blockQueuedBytes <= most, `${connection.blockQueuedBytes} lent`);
  }
}

seededTest("64 clients with different links come and go, and each gets what is fair", 2, (seed) => {
  const world = new SimWorld(seed);
  const options = Array.from({ length: CLIENTS }, (_, index): ClientOptions => ({
    link: linkOf(index, world),
    // A quarter comes in mid-transfer.
    arrivesAtMs: index % 4 === 3 ? START_MS + WINDOW_MS + world.prng.between(0, 1000) : 0,
  }));
  const share = new ShareWorld(world, options);
  share.sharer.endpoint.limit.setRate(world.now, LIMIT);
  world.run({ untilMs: START_MS });
  const check = (isThere: (index: number) => boolean) => {
    const indices = options.map((_, index) => index).filter(isThere);
    const rates = indices.map((index) => options[index]!.link.rateBytesPerSecond ?? Infinity);
    const fair = fairRates(rates, LIMIT);
    const received = receivedIn(world, indices.map((index) => share.clients[index]!), WINDOW_MS);
    received.forEach((bytes, place) => {
      const least = fair[place]! * FILE_SHARE * WINDOW_MS / 1000 / 2;
      assert.ok(bytes >= least, `client ${indices[place]} got ${bytes}, not ${least}`);
    });
    const equals = received.filter((_, place) => rates[place] === Infinity);
    const jain = jainIndex(equals);
    assert.ok(jain >= 0.95, `the fairness index is ${jain}`);
    const total = received.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(total >= FILE_SHARE * LIMIT * WINDOW_MS / 1000, `${total} to all`);
    assertBounded(share);
  };
  check((index) => index % 4 !== 3);
  world.run({ untilMs: world.nowMs + 2000 });
  check(() => true);
  // Of each eight one leaves, and one is gone without a word: it must not keep its part.
  for (const [index, client] of share.clients.entries()) {
    if (index % 8 === 1) share.leave(client);
    if (index % 8 === 5) share.kill(client);
  }
  world.run({ untilMs: world.nowMs + 1000 });
  check((index) => index % 4 !== 1);
});

seededTest("64 clients are each limited by themselves, to 5 %", 1, (seed) => {
  const world = new SimWorld(seed);
  const settings = { connectionLimitBytesPerSecond: 40_000 };
  const links = Array.from(
    { length: CLIENTS },
    () => ({ link: { delayMs: world.prng.between(1, 100) } }),
  );
  const share = new ShareWorld(world, links, { settings });
  const sentBytes = () =>
    share.clients.map(({ forth: { model: { counters } } }) =>
      counters.enteredBytes - 28 * counters.entered
    );
  world.run({ untilMs: START_MS });
  const before = sentBytes();
  world.run({ untilMs: START_MS + 2 * WINDOW_MS });
  for (const [index, after] of sentBytes().entries()) {
    const rate = (after - before[index]!) / (2 * WINDOW_MS / 1000);
    assert.ok(Math.abs(rate / 40_000 - 1) <= 0.05, `${rate} to client ${index}`);
  }
});

/** What an evil client does; called every 20 ms once it has a session. */
type Evil = (peer: EvilPeer, share: ShareWorld) => void;

const EVILS: Readonly<Record<string, Evil>> = {
  "acknowledges nothing": (peer) => {
    peer.isAcknowledging = false;
  },
  "acknowledges what it never got": (peer) => {
    peer.isAcknowledging = false;
    if (peer.largestReceived >= 0) peer.send(ack([[0, peer.largestReceived + 200]]));
  },
  "floods with packets that want an answer": (peer) => {
    for (let count = 0; count < 40; count++) peer.send(ackNow());
  },
  "floods with control bytes": (peer) => peer.sayBytes(new Uint8Array(20_000)),
};

/** File bytes to the 63 others while something evil goes on; who it is about comes last. */
function othersReceive(
  seed: number,
  begin: (share: ShareWorld, world: SimWorld) => void,
): { readonly bytes: readonly number[]; readonly share: ShareWorld } {
  const world = new SimWorld(seed);
  const options = Array.from(
    { length: CLIENTS - 1 },
    (_, index) => ({ link: linkOf(index, world) }),
  );
  const share = new ShareWorld(world, options);
  share.sharer.endpoint.limit.setRate(world.now, LIMIT);
  world.run({ untilMs: START_MS });
  begin(share, world);
  return { bytes: receivedIn(world, share.clients, WINDOW_MS), share };
}

/** The same with nothing evil, by seed. */
const CALM = new Map<number, readonly number[]>();

function assertUnaffected(seed: number, bytes: readonly number[]): void {
  const others = CALM.get(seed) ?? othersReceive(seed, () => {}).bytes;
  CALM.set(seed, others);
  const calm = others.slice(0, bytes.length);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  assert.ok(sum(bytes) >= 0.95 * sum(calm), `${sum(bytes)} instead of ${sum(calm)}`);
  const fast = (values: readonly number[]) => values.filter((_, index) => index % 4 !== 0);
  assert.ok(jainIndex(fast(bytes)) >= 0.95, "the others are equals no more");
}

/** Does something every 20 ms. */
function keepAt(world: SimWorld, act: () => void): void {
  const again = () => {
    act();
    world.schedule(world.nowMs + 20, again);
  };
  again();
}

seededTest("63 clients get what they got although one more is evil", 1, (seed) => {
  for (const [name, evil] of Object.entries(EVILS)) {
    let actions = 0;
    const { bytes, share } = othersReceive(seed, (share, world) => {
      const peer = EvilPeer.client(share.bindStranger(), share.code, world.prng);
      keepAt(world, () => {
        if (peer.traffic.datagramsIn <= 1) return;
        evil(peer, share);
        actions++;
      });
    });
    assert.ok(actions > 100, "it got no session");
    try {
      assertUnaffected(seed, bytes);
      assertBounded(share);
    } catch (cause) {
      throw new Error(`A client that ${name} harms others`, { cause });
    }
  }
});

seededTest(
  "63 clients get what they got although one more asks for all and takes nothing",
  1,
  (seed) => {
    const world = new SimWorld(seed);
    const options: ClientOptions[] = Array.from(
      { length: CLIENTS - 1 },
      (_, index) => ({ link: linkOf(index, world) }),
    );
    const share = new ShareWorld(world, [...options, { link: {}, diskBytesPerSecond: 1 }]);
    share.sharer.endpoint.limit.setRate(world.now, LIMIT);
    world.run({ untilMs: START_MS });
    assertUnaffected(seed, receivedIn(world, share.clients.slice(0, -1), WINDOW_MS));
    assertBounded(share);
  },
);

seededTest(
  "a client gets in and 62 others get what they got although handshakes flood",
  1,
  (seed) => {
    const world = new SimWorld(seed);
    const options = Array.from({ length: CLIENTS - 1 }, (_, index): ClientOptions => ({
      link: linkOf(index, world),
      arrivesAtMs: index === CLIENTS - 2 ? START_MS + 1000 : 0,
    }));
    const share = new ShareWorld(world, options);
    share.sharer.endpoint.limit.setRate(world.now, LIMIT);
    world.run({ untilMs: START_MS });
    const { t } = readCode(share.code);
    const flooder: DatagramSocket = share.bindStranger();
    keepAt(world, () => {
      // 100 newcomers a second, none of which goes on.
      for (let count = 0; count < 2; count++) {
        void flooder.send(new HandClient(t, world.prng).message1(), flooder.localAddress);
      }
    });
    assertUnaffected(seed, receivedIn(world, share.clients.slice(0, -1), WINDOW_MS));
    const late = share.clients.at(-1)!;
    assert.ok(late.receivedBytes > 0, "the newcomer got nothing");
  },
);
