/**
 * Goal: who sees handshakes on the wire and is faster than the path can neither lead a client astray
 * by datagrams from other addresses, nor have it send to strangers; and a sharer that really answers
 * from elsewhere is found.
 * Method: real endpoints with a transfer, over a network with an onlooker who copies, relays and forges
 * sender addresses, but drops nothing; in virtual time, over many seeds.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../lib/nat/address.ts";
import { IDLE_TIMEOUT_MS } from "../../lib/protocol/params.ts";
import { EndpointPair } from "../support/endpoint_pair.ts";
import type { LinkOptions } from "../support/link.ts";
import { PathNetwork } from "../support/path_network.ts";
import { seededTest } from "../support/seeded_test.ts";
import { SimWorld } from "../support/sim_world.ts";

const at = (host: string, port: number): SocketAddress => ({ family: 4, host, port });
const SHARER = at("198.51.100.1", 4000);
/** The same sharer behind a mapping that has changed, or on its second address. */
const ELSEWHERE = at("198.51.100.77", 4444);
const CLIENT = at("203.0.113.1", 5000);
const ATTACKER = at("192.0.2.66", 6000);
const VICTIM = at("192.0.2.99", 9);

const FILE_BYTES = 400_000;
const WIDE: LinkOptions = { delayMs: 20, rateBytesPerSecond: 2_000_000, queueBytes: 100_000 };

/** A transfer that begins, and what came from and went to addresses that are not the two sides'. */
class Race {
  readonly world: SimWorld;
  readonly network: PathNetwork;
  readonly pair: EndpointPair;
  /** Bytes that an address sent to the client. */
  readonly injectedBytes = new Map<string, number>();

  /** @param onlook Sees every datagram that either side sends. */
  constructor(
    seed: number,
    onlook: (race: Race, datagram: Uint8Array, from: SocketAddress, to: SocketAddress) => void,
    wide: LinkOptions = WIDE,
  ) {
    this.world = new SimWorld(seed);
    this.network = new PathNetwork(
      this.world,
      { sharer: [SHARER], client: [CLIENT] },
      () => wide,
    );
    this.network.tap = (datagram, from, to) => onlook(this, datagram, from, to);
    this.pair = new EndpointPair(this.world, { network: this.network, fileBytes: FILE_BYTES });
  }

  /** Has a datagram arrive at the client after a while, from whatever address. */
  inject(datagram: Uint8Array, from: SocketAddress, afterMs: number): void {
    const copy = datagram.slice();
    this.world.schedule(this.world.nowMs + afterMs, () => {
      this.injectedBytes.set(from.host, (this.injectedBytes.get(from.host) ?? 0) + copy.length);
      this.network.inject(copy, from, CLIENT, false);
    });
  }

  /** Whether the sharer has taken message 3; what it sends before are message 2s. */
  get isOpen(): boolean {
    return (this.pair?.sharer.endpoint.connectionCount ?? 0) > 0;
  }

  bytesTo({ host, port }: SocketAddress): number {
    return this.network.sentTo.get(`${host} ${port}`)?.bytes ?? 0;
  }

  finish(withinMs: number): void {
    this.world.run({
      untilMs: this.world.nowMs + withinMs,
      until: () => this.pair.isComplete,
      onStep: () => this.pair.check(),
    });
    assert.ok(this.pair.isComplete, `${this.pair.receivedBytes} bytes`);
  }

  assertThrice(address: SocketAddress): void {
    const came = this.injectedBytes.get(address.host) ?? 0;
    assert.ok(this.bytesTo(address) <= 3 * came, `${this.bytesTo(address)} bytes for ${came}`);
  }
}

/** Copies every message 2 to the client, from the victim's address. */
function copyMessage2(afterMs: number) {
  return (race: Race, datagram: Uint8Array, from: SocketAddress, to: SocketAddress): void => {
    if (from !== SHARER || to !== CLIENT || race.isOpen) return;
    race.inject(datagram, VICTIM, afterMs);
  };
}

const DELAYS = { "overtake it": 2, "arrive with it": 19.9, "come behind it": 60 };
for (const [what, delayMs] of Object.entries(DELAYS)) {
  seededTest(
    `[HS-13] [HS-14] copies of the handshake from elsewhere that ${what} lead a client nowhere`,
    6,
    (seed) => {
      const race = new Race(seed, copyMessage2(delayMs));
      race.finish(3000);
      assert.deepEqual(race.pair.client.connection!.path.remote, SHARER);
      assert.ok(race.injectedBytes.has(VICTIM.host));
      assert.equal(race.bytesTo(VICTIM), 0);
    },
  );
}

seededTest(
  "[HS-13] a copy of everything the sharer sends, from elsewhere and first, is borne",
  6,
  (seed) => {
    const race = new Race(seed, (race, datagram, from, to) => {
      if (from === SHARER && to === CLIENT) race.inject(datagram, VICTIM, 1);
    });
    race.finish(5000);
    assert.deepEqual(race.pair.client.connection!.path.remote, SHARER);
    race.assertThrice(VICTIM);
  },
);

seededTest(
  "[HS-14] who is first with message 1 as well keeps a session from beginning, and gets no more than thrice",
  4,
  (seed) => {
    // The sharer answers him, and is silent to the client, whose datagram it has seen by then [HS-2].
    let fromClient = 0;
    const race = new Race(seed, (race, datagram, from, to) => {
      if (from === CLIENT && to === SHARER && !race.isOpen) {
        const copy = datagram.slice();
        const overtake = () => race.network.inject(copy, ATTACKER, SHARER);
        race.world.schedule(race.world.nowMs + 1, overtake);
      }
      if (from === CLIENT && to.host === ATTACKER.host) fromClient += datagram.length;
      if (from === SHARER && to.host === ATTACKER.host) race.inject(datagram, ATTACKER, 1);
    });
    race.world.run({ untilMs: IDLE_TIMEOUT_MS + 5000 });
    assert.equal(race.pair.client.connection?.closed?.code, "path_lost");
    const came = race.injectedBytes.get(ATTACKER.host)!;
    assert.ok(fromClient > 0 && fromClient <= 3 * came, `${fromClient} bytes for ${came}`);
  },
);

seededTest(
  "[HS-14] an address that only copies get to gets three times their bytes, and no session",
  4,
  (seed) => {
    const race = new Race(seed, copyMessage2(1));
    // What the sharer says is lost on its own way: only the copies from elsewhere arrive.
    race.network.link(SHARER.host, CLIENT.host).model.change({ lossRate: 1 });
    race.world.run({ untilMs: IDLE_TIMEOUT_MS + 5000 });
    assert.equal(race.pair.client.connection?.closed?.code, "path_lost");
    assert.ok(race.bytesTo(VICTIM) > 0);
    race.assertThrice(VICTIM);
  },
);

seededTest(
  "[HS-13] a client that was led away comes back with the sharer's own answer",
  6,
  (seed) => {
    const race = new Race(seed, copyMessage2(1));
    const back = race.network.link(SHARER.host, CLIENT.host).model;
    back.change({ lossRate: 1 });
    race.world.run({ untilMs: 1500 });
    assert.deepEqual(race.pair.client.connection?.path.remote, VICTIM, "nothing else answers");
    back.change({ lossRate: 0 });
    race.finish(4000);
    assert.deepEqual(race.pair.client.connection!.path.remote, SHARER);
    race.assertThrice(VICTIM);
  },
);

/**
 * From now on the sharer is seen at another address, from where the client's filter lets datagrams in.
 * What is sent to the old one still arrives until there is a session.
 */
function rebindSharer(race: Race, onlook: typeof race.network.tap = () => {}): void {
  race.network.rebind("sharer", 0, ELSEWHERE);
  race.network.tap = (datagram, from, to) => {
    onlook(datagram, from, to);
    if (from === ELSEWHERE && to === CLIENT) race.inject(datagram, from, 20);
    if (from !== CLIENT || to !== SHARER || race.isOpen) return;
    const copy = datagram.slice();
    race.world.schedule(race.world.nowMs + 20, () => race.network.inject(copy, CLIENT, ELSEWHERE));
  };
}

for (const isCopied of [false, true]) {
  const beside = isCopied ? ", although copies from a third address are faster" : "";
  seededTest(
    `[HS-13] a sharer that answers from another address than it was asked at is found${beside}`,
    8,
    (seed) => {
      const race = new Race(seed, () => {}, { ...WIDE, lossRate: seed % 2 === 0 ? 0 : 0.1 });
      rebindSharer(race, (datagram, from, to) => {
        const isMessage2 = from === ELSEWHERE && to === CLIENT && !race.isOpen;
        if (isCopied && isMessage2) race.inject(datagram, VICTIM, 1);
      });
      race.finish(9000);
      race.world.run({ untilMs: race.world.nowMs + 3000 });
      assert.deepEqual(race.pair.client.connection!.path.remote, ELSEWHERE);
      assert.equal(race.pair.client.connection!.isUnproved, false);
      assert.deepEqual(race.pair.sharer.connection!.path.remote, CLIENT);
      race.assertThrice(VICTIM);
    },
  );
}

seededTest(
  "[HS-13] a mapping that changes between message 2 and the first packet is followed",
  6,
  (seed) => {
    const race = new Race(seed, () => {});
    race.world.run({ untilMs: 1000, until: () => race.pair.client.connection !== undefined });
    assert.equal(race.pair.client.connection!.isUnproved, false);
    rebindSharer(race);
    race.finish(9000);
    assert.deepEqual(race.pair.client.connection!.path.remote, ELSEWHERE);
  },
);
