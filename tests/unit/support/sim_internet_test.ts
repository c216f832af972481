import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import type { DatagramMachine } from "../../../lib/nat/datagram_machine.ts";
import type { Path } from "../../../lib/nat/path.ts";
import { after, type Instant, NEVER } from "../../../lib/time.ts";
import { NatBox, type NatBoxOptions } from "../../support/nat_box.ts";
import { type SimHost, SimInternet, type SimNetwork } from "../../support/sim_internet.ts";
import { SimWorld } from "../../support/sim_world.ts";

const HELLO = new Uint8Array([1, 2, 3]);
const CORE_HOPS = 3;

function world(): { world: SimWorld; internet: SimInternet } {
  const world = new SimWorld(1);
  return {
    world,
    internet: new SimInternet(world, { link: { delayMs: 40 }, coreHops: CORE_HOPS }),
  };
}

function nat(internet: SimInternet, host: string, options: Partial<NatBoxOptions> = {}): NatBox {
  return new NatBox({ externalHost: host, ...options }, internet.world.prng.fork());
}

/** What arrives at a host, and when. */
function record(
  host: SimHost,
  world: SimWorld,
): { socket: number; from: SocketAddress; at: number }[] {
  const seen: { socket: number; from: SocketAddress; at: number }[] = [];
  host.onDatagram = (_, socket, from) => seen.push({ socket, from, at: world.nowMs });
  return seen;
}

Deno.test("SimInternet carries datagrams between public hosts in the link's time", () => {
  const { world: w, internet } = world();
  const a = internet.core.addHost("203.0.113.1");
  const b = internet.core.addHost("203.0.113.2");
  a.openSocket(4, 3000);
  b.openSocket(4, 2000);
  b.openSocket(4, 2001);
  const seen = record(b, w);
  a.send(0, HELLO, b.localAddress(1));
  a.send(0, HELLO, { family: 4, host: "203.0.113.3", port: 2001 });
  a.send(0, HELLO, { family: 4, host: "203.0.113.2", port: 9 });
  w.run({});
  assert.deepEqual(seen, [{ socket: 1, from: a.localAddress(0), at: 40 }]);
});

Deno.test("SimInternet takes datagrams through two NATs in a row and back", () => {
  const { world: w, internet } = world();
  const carrier = internet.behind(nat(internet, "203.0.113.1", { ports: "random" }));
  const home = internet.behind(nat(internet, "100.64.0.9"), carrier);
  const inner = home.addHost("192.168.1.2");
  const outer = internet.core.addHost("203.0.113.2");
  inner.openSocket(4, 3000);
  outer.openSocket(4, 2000);
  outer.onDatagram = (_, socket, from) => {
    assert.equal(from.host, "203.0.113.1");
    outer.send(socket, HELLO, from);
  };
  const seen = record(inner, w);
  inner.send(0, HELLO, outer.localAddress(0));
  w.run({});
  assert.deepEqual(seen, [{ socket: 0, from: outer.localAddress(0), at: 80 }]);
});

Deno.test("SimInternet lets datagrams of few hops open their own NAT and die in the core", () => {
  const { world: w, internet } = world();
  const boxes = ["203.0.113.1", "203.0.113.2"].map((host) => nat(internet, host));
  const [a, b] = boxes.map((box) => internet.behind(box).addHost("192.168.1.2"));
  a!.openSocket(4, 3000);
  b!.openSocket(4, 3000);
  const seen = record(b!, w);
  b!.send(0, HELLO, { family: 4, host: "203.0.113.1", port: 3000 }, 1);
  assert.equal(boxes[1]!.size, 0);
  b!.send(0, HELLO, { family: 4, host: "203.0.113.1", port: 3000 }, 2);
  assert.equal(boxes[1]!.size, 1);
  // Its own router, the core's, the other's router: one hop more than these are needed.
  for (const hops of [CORE_HOPS + 1, CORE_HOPS + 2, CORE_HOPS + 3]) {
    a!.send(0, HELLO, { family: 4, host: "203.0.113.2", port: 3000 }, hops);
  }
  w.run({});
  assert.equal(seen.length, 1);
});

Deno.test("SimInternet has plain routers before a NAT take hops, both ways", () => {
  const { world: w, internet } = world();
  const box = nat(internet, "203.0.113.1");
  const phone = internet.behind(box, internet.core, { delayMs: 1 }, 4).addHost("100.64.0.9");
  const outer = internet.core.addHost("203.0.113.2");
  phone.openSocket(4, 3000);
  outer.openSocket(4, 2000);
  phone.send(0, HELLO, outer.localAddress(0), 5);
  assert.equal(box.size, 0);
  phone.send(0, HELLO, outer.localAddress(0), 6);
  assert.equal(box.size, 1);
  const seen = record(phone, w);
  for (const hops of [CORE_HOPS + 5, CORE_HOPS + 6]) {
    outer.send(0, HELLO, { family: 4, host: "203.0.113.1", port: 3000 }, hops);
  }
  w.run({});
  assert.equal(seen.length, 1);
});

Deno.test("SimInternet joins hosts of one LAN directly, and through a router that hairpins", () => {
  const { world: w, internet } = world();
  const lan = internet.behind(nat(internet, "203.0.113.1", { hairpin: "external_source" }));
  const a = lan.addHost("192.168.1.2");
  const b = lan.addHost("192.168.1.3");
  a.openSocket(4, 3000);
  b.openSocket(4, 2000);
  b.send(0, HELLO, { family: 4, host: "203.0.113.1", port: 3000 });
  const seen = record(b, w);
  a.send(0, HELLO, b.localAddress(0));
  a.send(0, HELLO, { family: 4, host: "203.0.113.1", port: 2000 });
  w.run({});
  assert.deepEqual(seen.map(({ from }) => from.host), ["192.168.1.2", "203.0.113.1"]);
  assert.ok(seen.every(({ at }) => at < 1));
});

Deno.test("SimInternet keeps strangers out of an IPv6 firewall and lets answers in", () => {
  const { world: w, internet } = world();
  const firewall = new NatBox({ externalHost: undefined }, w.prng);
  const lan = internet.behind(nat(internet, "203.0.113.1"));
  const lan6 = internet.behind(firewall);
  const a = lan.addHost("192.168.1.2", { networks: [["2001:db8::2", lan6]] });
  const b = internet.core.addHost("2001:db8:1::2");
  a.openSocket(4, 3000);
  a.openSocket(6, 3000);
  b.openSocket(6, 2000);
  const seen = record(a, w);
  b.send(0, HELLO, a.localAddress(1));
  w.run({});
  a.send(1, HELLO, b.localAddress(0));
  b.send(0, HELLO, a.localAddress(1));
  w.run({});
  assert.equal(seen.length, 1);
  assert.equal(seen[0]!.socket, 1);
});

Deno.test("SimInternet reaches a renumbered router where it announced itself", () => {
  const { world: w, internet } = world();
  const box = nat(internet, "203.0.113.1", { filtering: "endpoint_independent" });
  const lan: SimNetwork = internet.behind(box);
  const a = lan.addHost("192.168.1.2");
  const b = internet.core.addHost("203.0.113.2");
  a.openSocket(4, 3000);
  b.openSocket(4, 2000);
  box.renumber("203.0.113.7");
  lan.announce();
  a.send(0, HELLO, b.localAddress(0));
  const seen = record(a, w);
  b.send(0, HELLO, { family: 4, host: "203.0.113.7", port: 3000 });
  w.run({});
  assert.equal(seen.length, 1);
});

/** Sends every 10 ms, with few hops each second time, and takes what has its first byte. */
class Ticker implements DatagramMachine {
  transmitPath: Path;
  transmitHops: number | undefined;
  taken = 0;
  #next: Instant;
  #isDue = false;
  #count = 0;

  constructor(now: Instant, path: Path) {
    this.transmitPath = path;
    this.#next = after(now, 10);
  }

  handleDatagram(_now: Instant, datagram: Uint8Array): boolean {
    if (datagram[0] !== 7) return false;
    this.taken++;
    return true;
  }

  handleTimeout(now: Instant): void {
    if (now < this.#next) return;
    this.#next = this.#count < 3 ? after(now, 10) : NEVER;
    this.#isDue = true;
  }

  pollTimeout(): Instant {
    return this.#next;
  }

  pollTransmit(_now: Instant, out: Uint8Array): number {
    if (!this.#isDue) return 0;
    this.#isDue = false;
    this.transmitHops = this.#count++ % 2 === 0 ? undefined : 40;
    out[0] = 7;
    return 5;
  }
}

for (const canLimitHops of [true, false]) {
  const can = canLimitHops ? "can" : "cannot";
  Deno.test(`SimHost drives machines on one timer where it ${can} limit hops`, () => {
    const { world: w, internet } = world();
    const a = internet.core.addHost("203.0.113.1", { canLimitHops });
    const b = internet.core.addHost("203.0.113.2");
    a.openSocket(4, 3000);
    b.openSocket(4, 2000);
    let progress = 0;
    a.onProgress = () => progress++;
    a.attach(new Ticker(w.now, { socket: 0, remote: b.localAddress(0) }));
    const hears = new Ticker(after(w.now, 1e9), { socket: 0, remote: a.localAddress(0) });
    b.attach(hears);
    w.run({ untilMs: 1000 });
    assert.equal(hears.taken, canLimitHops ? 4 : 2);
    assert.equal(a.sentDatagrams, canLimitHops ? 4 : 2);
    assert.ok(progress >= 5);
  });
}

Deno.test("SimHost stops hearing on a closed socket and with a detached machine", () => {
  const { world: w, internet } = world();
  const a = internet.core.addHost("203.0.113.1");
  const b = internet.core.addHost("203.0.113.2");
  a.openSocket(4, 3000);
  b.openSocket(4, 2000);
  b.openSocket(4, 2001);
  const machine = new Ticker(NEVER, { socket: 0, remote: a.localAddress(0) });
  b.attach(machine);
  const seen = record(b, w);
  const to = b.localAddress(0);
  a.send(0, new Uint8Array([7]), to);
  w.run({});
  b.detach(machine);
  a.send(0, new Uint8Array([7]), to);
  w.run({});
  b.closeSocket(0);
  a.send(0, new Uint8Array([7]), to);
  w.run({});
  assert.equal(machine.taken, 1);
  assert.equal(seen.length, 1);
  assert.throws(() => b.localAddress(0), RangeError);
  assert.throws(() => b.openSocket(4, 2001), RangeError);
  assert.throws(() => b.openSocket(6), RangeError);
});
