/**
 * Goal: a port is mapped by whatever the router speaks, once, kept, and given back; nothing a router
 * or a stranger does keeps it from ending.
 * Method: a router in memory with faults that can be set, on a virtual clock.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TransferError } from "../../../lib/errors.ts";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import { denoNetwork } from "../../../lib/portmap/deno_network.ts";
import {
  type MappedPort,
  openPortMapping,
  type PortMapping,
  type PortMappingOptions,
} from "../../../lib/portmap/port_mapping.ts";
import { CLIENT_HOST, FakeHome, type FakeRouter, ROUTER_HOST } from "../../support/fake_router.ts";
import { SimWorld } from "../../support/sim_world.ts";

const PORT = 40_000;
const HOUR_MS = 3_600_000;

class Scene {
  readonly world = new SimWorld(1);
  readonly home = new FakeHome(this.world);
  readonly router: FakeRouter = this.home.router;
  /** What `onChange` was called with: `pcp 203.0.113.7:40000`, or `lost`. */
  readonly changes: string[] = [];
  readonly routerAddresses: string[] = [];
  /** Timers that would keep a program from ending. */
  readonly timers = new Set<object>();
  mapping!: PortMapping;

  open(options: Partial<PortMappingOptions> = {}): this {
    this.mapping = openPortMapping({
      internalPort: PORT,
      interfaces: [{ name: "eth0", address: CLIENT_HOST, netmask: "255.255.255.0" }],
      clock: {
        now: () => this.world.now,
        setTimer: (deadline, callback) => {
          const timer = {};
          this.timers.add(timer);
          const cancel = this.world.schedule(deadline, () => {
            this.timers.delete(timer);
            callback();
          });
          return () => {
            this.timers.delete(timer);
            cancel();
          };
        },
      },
      random: this.world.prng,
      onChange: (mapped) => this.changes.push(shown(mapped)),
      onRouterAddress: ({ host }) => this.routerAddresses.push(host),
      network: this.home.network,
      ...options,
    });
    return this;
  }

  async run(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.world.schedule(this.world.nowMs + durationMs, resolve);
    await this.world.runAsync({ until: promise });
  }

  /** Closes; how long it took, ms. */
  async close(): Promise<number> {
    const startMs = this.world.nowMs;
    await this.world.runAsync({ until: this.mapping.close() });
    return this.world.nowMs - startMs;
  }

  /** Nothing is left that could keep a program from ending. */
  async assertAtRest(): Promise<void> {
    assert.equal(this.timers.size, 0);
    await this.run(5);
    const before = this.router.log.length;
    await this.run(20 * HOUR_MS);
    assert.equal(this.router.log.length, before);
    // The address is free again: the socket was closed.
    for (let port = 49_152; port < 49_155; port++) this.home.memory.bind(CLIENT_HOST, port);
  }
}

function shown(mapped: MappedPort | undefined): string {
  if (mapped === undefined) return "lost";
  assert.equal(mapped.routerAddress?.host, ROUTER_HOST);
  return `${mapped.by} ${mapped.external.host}:${mapped.external.port}`;
}

function only(router: FakeRouter, protocol: "pcp" | "natPmp" | "upnp"): void {
  router.speaks = { pcp: false, natPmp: false, upnp: false, [protocol]: true };
}

for (
  const [protocol, field] of [["pcp", "pcp"], ["nat-pmp", "natPmp"], ["upnp", "upnp"]] as const
) {
  Deno.test(`openPortMapping maps a port by ${protocol}, renews it at half of the lease and gives it back`, async () => {
    const scene = new Scene();
    only(scene.router, field);
    scene.open();
    assert.equal(scene.mapping.outcomes[protocol], "asking");
    await scene.run(1000);
    assert.deepEqual(scene.changes, [`${protocol} 203.0.113.7:${PORT}`]);
    assert.deepEqual(scene.routerAddresses, ["203.0.113.7"]);
    assert.equal(scene.mapping.outcomes[protocol], "granted");
    assert.equal(scene.mapping.mapped?.external.port, PORT);

    const firstExpiry = scene.router.mappings.get(PORT)!.expiresMs;
    await scene.run(HOUR_MS / 2 - 2000);
    assert.equal(scene.router.mappings.get(PORT)!.expiresMs, firstExpiry);
    await scene.run(2000);
    assert.ok(scene.router.mappings.get(PORT)!.expiresMs > firstExpiry);
    await scene.run(5 * HOUR_MS);
    assert.ok(scene.router.mappings.get(PORT)!.expiresMs > scene.world.nowMs);
    assert.equal(scene.changes.length, 1);

    assert.ok(await scene.close() < 100);
    assert.equal(scene.router.mappings.size, 0);
    assert.equal(scene.changes.length, 1);
    await scene.assertAtRest();
  });

  Deno.test(`openPortMapping tells when a lease by ${protocol} ran out in silence, and asks again`, async () => {
    const scene = new Scene();
    only(scene.router, field);
    scene.open();
    await scene.run(1000);
    scene.router.speaks[field] = false;
    await scene.run(HOUR_MS - 2000);
    assert.equal(scene.changes.length, 1);
    await scene.run(2000);
    assert.deepEqual(scene.changes.slice(1), ["lost"]);
    assert.equal(scene.mapping.mapped, undefined);
    scene.router.restart();
    scene.router.speaks[field] = true;
    await scene.run(40_000);
    assert.deepEqual(scene.changes.slice(2), [`${protocol} 203.0.113.7:${PORT}`]);
    await scene.close();
    await scene.assertAtRest();
  });

  Deno.test(`openPortMapping does not offer a private outside address by ${protocol}, but tells it`, async () => {
    const scene = new Scene();
    only(scene.router, field);
    scene.router.externalHost = "100.64.3.4";
    scene.open();
    await scene.run(10_000);
    assert.deepEqual(scene.changes, []);
    assert.deepEqual(scene.routerAddresses, ["100.64.3.4"]);
    assert.equal(scene.mapping.outcomes[protocol], "no use");
    assert.equal(scene.router.mappings.size, 0);
    await scene.close();
    await scene.assertAtRest();
  });

  Deno.test(`openPortMapping tells the new outside address at a renewal by ${protocol}`, async () => {
    const scene = new Scene();
    only(scene.router, field);
    scene.open();
    await scene.run(1000);
    scene.router.externalHost = "203.0.113.99";
    await scene.run(HOUR_MS / 2);
    assert.deepEqual(scene.changes.slice(1), [`${protocol} 203.0.113.99:${PORT}`]);
    await scene.close();
  });

  Deno.test(`openPortMapping gives back a lease by ${protocol} whose outside address became private`, async () => {
    const scene = new Scene();
    only(scene.router, field);
    scene.open();
    await scene.run(1000);
    scene.router.externalHost = "10.1.1.1";
    await scene.run(HOUR_MS / 2);
    assert.deepEqual(scene.changes.slice(1), ["lost"]);
    assert.deepEqual(scene.routerAddresses, ["203.0.113.7", "10.1.1.1"]);
    assert.equal(scene.router.mappings.size, 0);
    await scene.close();
    await scene.assertAtRest();
  });

  Deno.test(`openPortMapping takes another port by ${protocol} when its own is taken`, async () => {
    const scene = new Scene();
    only(scene.router, field);
    scene.router.taken.add(PORT);
    scene.open();
    await scene.run(1000);
    const { port } = scene.mapping.mapped!.external;
    assert.notEqual(port, PORT);
    assert.equal(scene.router.mappings.get(port)?.internalPort, PORT);
    await scene.close();
    assert.equal(scene.router.mappings.size, 0);
  });

  Deno.test(`openPortMapping takes a repeated answer by ${protocol} for nothing new`, async () => {
    for (const repeatAfterMs of [1, 2, 3, 4]) {
      const scene = new Scene();
      only(scene.router, field);
      scene.home.repeatAfterMs = repeatAfterMs;
      scene.open();
      await scene.run(1000);
      assert.deepEqual(scene.changes, [`${protocol} 203.0.113.7:${PORT}`]);
      await scene.close();
      await scene.assertAtRest();
      assert.equal(scene.changes.length, 1);

      const useless = new Scene();
      only(useless.router, field);
      useless.home.repeatAfterMs = repeatAfterMs;
      useless.router.externalHost = "10.1.1.1";
      useless.open();
      await useless.run(10_000);
      assert.deepEqual(useless.changes, []);
      assert.equal(useless.mapping.outcomes[protocol], "no use");
      // One deletion at most, and its repetition.
      assert.ok(useless.router.log.filter((line) => line.endsWith(" map 0")).length <= 2);
      await useless.close();
      await useless.assertAtRest();
    }
  });

  Deno.test(`PortMapping.close during a request by ${protocol} leaves no mapping behind`, async () => {
    for (let afterMs = 0; afterMs < 60; afterMs++) {
      const scene = new Scene();
      only(scene.router, field);
      scene.open();
      await scene.run(afterMs);
      assert.ok(await scene.close() <= 500);
      // What was on its way arrives.
      await scene.run(5);
      assert.equal(scene.router.mappings.size, 0, `closed after ${afterMs} ms`);
      await scene.assertAtRest();
    }
  });
}

Deno.test("openPortMapping makes one mapping where the router speaks every protocol", async () => {
  const scene = new Scene().open();
  await scene.run(10_000);
  assert.deepEqual(scene.changes, [`pcp 203.0.113.7:${PORT}`]);
  assert.deepEqual(scene.mapping.outcomes, {
    pcp: "granted",
    "nat-pmp": "not needed",
    upnp: "not needed",
  });
  assert.equal(scene.router.log.filter((line) => / map 3600|AddPort/.test(line)).length, 1);
  await scene.close();
  assert.equal(scene.router.mappings.size, 0);
});

Deno.test("openPortMapping gives PCP time before it asks the same router by NAT-PMP", async () => {
  const scene = new Scene();
  scene.router.speaks.upnp = false;
  scene.router.pcpDelayMs = 200;
  scene.open();
  await scene.run(10_000);
  assert.deepEqual(scene.changes, [`pcp 203.0.113.7:${PORT}`]);
  assert.deepEqual(scene.router.log, ["pcp map 3600", "nat-pmp address"]);
  await scene.close();

  const closedEarly = new Scene();
  closedEarly.router.pcpDelayMs = 200;
  closedEarly.router.speaks.upnp = false;
  closedEarly.open();
  await closedEarly.run(100);
  await closedEarly.close();
  await closedEarly.assertAtRest();
  assert.equal(closedEarly.router.mappings.size, 0);
});

/** A router whose answers of PCP get lost until NAT-PMP was granted a port. */
function sceneOfLatePcp(): Scene {
  const scene = new Scene();
  scene.router.speaks.upnp = false;
  scene.router.onSend = (datagram) =>
    datagram[0] === 2 && scene.world.nowMs < 600 ? new Uint8Array(0) : datagram;
  return scene;
}

Deno.test("openPortMapping gives back a second mapping that another protocol was granted", async () => {
  const scene = sceneOfLatePcp();
  scene.router.hasOneTable = false;
  scene.open();
  await scene.run(600);
  assert.equal(scene.router.mappings.size, 2);
  await scene.run(1000);
  assert.deepEqual(scene.changes, [`nat-pmp 203.0.113.7:${PORT + 1}`]);
  assert.deepEqual([...scene.router.mappings.keys()], [PORT + 1]);
  await scene.close();
  assert.equal(scene.router.mappings.size, 0);
  await scene.assertAtRest();
});

Deno.test("openPortMapping keeps one mapping under two protocols by the one that came last", async () => {
  const scene = sceneOfLatePcp();
  scene.open();
  await scene.run(2 * HOUR_MS);
  assert.deepEqual(scene.changes, [`nat-pmp 203.0.113.7:${PORT}`, `pcp 203.0.113.7:${PORT}`]);
  assert.equal(scene.router.mappings.size, 1);
  await scene.close();
  assert.equal(scene.router.mappings.size, 0);
  await scene.assertAtRest();
});

Deno.test("openPortMapping reports refusals by their code, in words of its own", async () => {
  const scene = new Scene();
  scene.router.results = { pcp: 2, natPmp: 2 };
  for (let port = 0; port < 65_536; port++) scene.router.taken.add(port);
  scene.open();
  await scene.run(10_000);
  assert.deepEqual(scene.changes, []);
  assert.deepEqual(scene.mapping.outcomes, {
    pcp: "refused (2 not authorized)",
    "nat-pmp": "refused (2 not authorized)",
    upnp: "refused (718 conflict in mapping entry)",
  });
  await scene.close();
  await scene.assertAtRest();
});

Deno.test("openPortMapping reports a router of NAT-PMP as one that does not speak PCP", async () => {
  const scene = new Scene();
  only(scene.router, "natPmp");
  scene.open();
  await scene.run(10);
  assert.equal(scene.mapping.outcomes.pcp, "refused (1 unsupported version)");
  assert.deepEqual(scene.changes, [`nat-pmp 203.0.113.7:${PORT}`]);
  await scene.close();
});

Deno.test("openPortMapping reports silence after a bounded number of datagrams", async () => {
  const scene = new Scene();
  scene.router.speaks = { pcp: false, natPmp: false, upnp: false };
  scene.open();
  await scene.run(5000);
  assert.equal(scene.mapping.outcomes.pcp, "asking");
  await scene.run(5000);
  assert.deepEqual(scene.mapping.outcomes, { pcp: "silent", "nat-pmp": "silent", upnp: "silent" });
  assert.equal(await scene.close(), 0);
  await scene.assertAtRest();
});

Deno.test("openPortMapping asks for a mapping without end where there is no other, and deletes it", async () => {
  const scene = new Scene();
  only(scene.router, "upnp");
  scene.router.permanentOnly = true;
  scene.open();
  await scene.run(1000);
  assert.deepEqual(scene.changes, [`upnp 203.0.113.7:${PORT}`]);
  assert.ok(scene.router.log.includes(`upnp AddPortMapping ${PORT} 0`));
  await scene.close();
  assert.equal(scene.router.mappings.size, 0);
});

/**
 * Has the router take that long for AddPortMapping; what has reached it is done, whoever still waits.
 *
 * @param order Whether it takes one call after the other, or all at once.
 */
function slowAdds(scene: Scene, delayMs: number, order: "one by one" | "at once"): void {
  const { home, router, world } = scene;
  let freeMs = 0;
  home.network.request = (request) => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const isAdd = request.headers["soapaction"]?.includes("AddPortMapping");
    const beginMs = order === "at once" ? world.nowMs : Math.max(world.nowMs, freeMs);
    freeMs = beginMs + (isAdd ? delayMs : 10);
    request.signal.addEventListener("abort", () => resolve(undefined));
    world.schedule(freeMs, () => resolve(router.serve(request)));
    return promise;
  };
}

Deno.test("PortMapping.close deletes what a slow router grants by UPnP after the program has ended", async () => {
  const scene = new Scene();
  only(scene.router, "upnp");
  slowAdds(scene, 1000, "one by one");
  scene.open();
  await scene.run(100);
  assert.equal(await scene.close(), 500);
  await scene.run(3000);
  assert.ok(scene.router.log.includes(`upnp AddPortMapping ${PORT} 3600`));
  assert.equal(scene.router.mappings.size, 0);
  await scene.assertAtRest();
});

Deno.test("PortMapping.close deletes what a router that never answered may have granted by UPnP", async () => {
  const scene = new Scene();
  only(scene.router, "upnp");
  slowAdds(scene, 3500, "one by one");
  scene.open();
  await scene.run(5000);
  assert.equal(scene.mapping.outcomes.upnp, "silent");
  assert.equal(scene.router.mappings.size, 1);
  assert.ok(await scene.close() <= 500);
  assert.equal(scene.router.mappings.size, 0);
  await scene.assertAtRest();
});

Deno.test("PortMapping.close waits two seconds for a mapping without end", async () => {
  for (const order of ["one by one", "at once"] as const) {
    for (const afterMs of [1600, 2000, 2900]) {
      const scene = new Scene();
      only(scene.router, "upnp");
      scene.router.permanentOnly = true;
      slowAdds(scene, 1500, order);
      scene.open();
      await scene.run(afterMs);
      assert.equal(scene.mapping.mapped, undefined);
      const tookMs = await scene.close();
      assert.ok(tookMs < 2000, `${tookMs} ms, ${order}, after ${afterMs} ms`);
      assert.ok(scene.router.log.includes(`upnp AddPortMapping ${PORT} 0`));
      assert.equal(scene.router.mappings.size, 0, `${order}, after ${afterMs} ms`);
      await scene.assertAtRest();
    }
  }
  const gone = new Scene();
  only(gone.router, "upnp");
  gone.router.permanentOnly = true;
  gone.open();
  await gone.run(1000);
  gone.router.speaks.upnp = false;
  assert.equal(await gone.close(), 2000);
  await gone.assertAtRest();
});

Deno.test("openPortMapping maps again when the router says by PCP that it began anew", async () => {
  const scene = new Scene();
  only(scene.router, "pcp");
  scene.open();
  await scene.run(600_000);
  scene.router.announce();
  await scene.run(1000);
  assert.equal(scene.router.log.length, 1, "nothing was lost");
  scene.router.restart();
  assert.equal(scene.router.mappings.size, 0);
  scene.router.announce();
  await scene.run(1000);
  assert.equal(scene.router.mappings.size, 1);
  await scene.close();
});

Deno.test("openPortMapping takes no answer of PCP with another nonce", async () => {
  const scene = new Scene();
  only(scene.router, "pcp");
  scene.router.onSend = (datagram) => datagram.with(24, datagram[24]! ^ 1);
  scene.open();
  await scene.run(10_000);
  assert.deepEqual(scene.changes, []);
  assert.equal(scene.mapping.outcomes.pcp, "silent");
  await scene.close();
});

Deno.test("openPortMapping takes no answer from a stranger", async () => {
  const scene = new Scene();
  scene.router.speaks = { pcp: false, natPmp: false, upnp: false };
  const stranger = scene.home.memory.bind("192.168.1.66", 5351);
  const otherPort = scene.home.memory.bind(ROUTER_HOST, 5352);
  scene.open();
  await scene.run(1);
  const to = { family: 4, host: CLIENT_HOST, port: 49_152 } as const;
  const address = Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 66);
  const refusal = Uint8Array.of(0, 128, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0);
  for (const socket of [stranger, otherPort]) {
    for (const datagram of [address, refusal]) await socket.send(datagram, to);
  }
  await scene.run(100);
  assert.deepEqual(scene.routerAddresses, []);
  assert.equal(scene.mapping.outcomes["nat-pmp"], "asking");
  await scene.close();
});

/** Answers of NAT-PMP as a stranger writes them in the router's name. */
const natPmpAddress = (host: readonly number[], epoch = 250): Uint8Array =>
  Uint8Array.of(0, 128, 0, 0, 0, 0, 0, epoch, ...host);
const natPmpMap = (port: number): Uint8Array =>
  Uint8Array.of(
    0,
    129,
    0,
    0,
    0,
    0,
    0,
    250,
    PORT >> 8,
    PORT & 255,
    port >> 8,
    port & 255,
    0,
    0,
    9,
    9,
  );

Deno.test("openPortMapping takes no mapping and no refusal of NAT-PMP that it did not ask for", async () => {
  const scene = new Scene();
  only(scene.router, "natPmp");
  scene.open();
  await scene.run(1000);
  for (let port = 1000; port < 1100; port++) {
    scene.router.say(natPmpMap(port));
    scene.router.say(Uint8Array.of(0, 129, 0, 2, 0, 0, 0, 250));
    scene.router.say(Uint8Array.of(0, 128, 0, 3, 0, 0, 0, 250));
    await scene.run(10);
  }
  assert.deepEqual(scene.changes, [`nat-pmp 203.0.113.7:${PORT}`]);
  assert.equal(scene.mapping.outcomes["nat-pmp"], "granted");
  assert.equal(scene.router.log.length, 2, "nobody was asked again");
  await scene.close();
});

Deno.test("openPortMapping takes no mapping of NAT-PMP in answer to another request", async () => {
  const scene = new Scene();
  only(scene.router, "natPmp");
  scene.open();
  await scene.run(1000);
  // The renewal begins by asking for the address, and gets no answer.
  scene.router.speaks.natPmp = false;
  await scene.run(HOUR_MS / 2);
  scene.router.say(natPmpMap(1000));
  scene.router.say(Uint8Array.of(0, 129, 0, 2, 0, 0, 0, 250));
  await scene.run(10);
  assert.deepEqual(scene.changes, [`nat-pmp 203.0.113.7:${PORT}`]);
  await scene.close();
});

Deno.test("openPortMapping asks again for addresses and epochs that nobody asked for, not faster than every 5 s", async () => {
  const lies: Record<string, (index: number) => Uint8Array> = {
    "another address": (index) => natPmpAddress([198, 51, 100, index]),
    "no address": () => natPmpAddress([0, 0, 0, 0]),
    "another epoch": () => natPmpAddress([203, 0, 113, 7], 1),
  };
  for (const [what, lie] of Object.entries(lies)) {
    const scene = new Scene();
    only(scene.router, "natPmp");
    scene.open();
    await scene.run(100_000);
    for (let index = 0; index < 200; index++) {
      scene.router.say(lie(index));
      await scene.run(100);
    }
    assert.deepEqual(scene.changes, [`nat-pmp 203.0.113.7:${PORT}`], what);
    assert.deepEqual(scene.routerAddresses, ["203.0.113.7"], what);
    const asked = scene.router.log.filter((line) => line === "nat-pmp address").length;
    assert.equal(asked, 1 + 4, what);

    scene.router.externalHost = "203.0.113.99";
    await scene.run(5000);
    scene.router.say(natPmpAddress([203, 0, 113, 99]));
    await scene.run(10);
    assert.deepEqual(scene.changes.slice(1), [`nat-pmp 203.0.113.99:${PORT}`], "a true one");
    await scene.close();
    await scene.assertAtRest();
  }
});

Deno.test("openPortMapping asks again for announcements of PCP, not faster than every 5 s", async () => {
  const scene = new Scene();
  only(scene.router, "pcp");
  scene.open();
  await scene.run(100_000);
  for (let index = 0; index < 200; index++) {
    scene.router.say(new Uint8Array(24).with(0, 2).with(1, 0x80).with(11, index % 2));
    await scene.run(100);
  }
  assert.deepEqual(scene.changes, [`pcp 203.0.113.7:${PORT}`]);
  assert.equal(scene.router.log.length, 1 + 4);
  await scene.close();
  await scene.assertAtRest();
});

Deno.test("openPortMapping searches from another port than it asks routers from", async () => {
  const scene = new Scene();
  const sent = new Map<number, Set<number>>();
  scene.home.network.openSocket = (host) => {
    const socket = scene.home.memory.bind(host);
    const send = socket.send.bind(socket);
    const watched = (datagram: Uint8Array, to: SocketAddress): Promise<boolean> => {
      const ports = sent.get(to.port) ?? new Set();
      sent.set(to.port, ports.add(socket.localAddress.port));
      return send(datagram, to);
    };
    return Promise.resolve(Object.assign(socket, { send: watched }));
  };
  scene.open();
  await scene.run(1000);
  assert.deepEqual([...sent.keys()].toSorted((a, b) => a - b), [1900, 5351]);
  const [search] = sent.get(1900)!;
  assert.equal(sent.get(1900)!.size, 1);
  assert.equal(sent.get(5351)!.has(search!), false);
  // What comes in at the port that everybody knows is no answer of PCP or NAT-PMP.
  const stranger = scene.home.memory.bind(ROUTER_HOST, 5350);
  const closed = { family: 4, host: CLIENT_HOST, port: [...sent.get(5351)!][0]! } as const;
  const answer = `HTTP/1.1 200 OK\r\nLOCATION: http://${ROUTER_HOST}:5000/other.xml\r\n\r\n`;
  await stranger.send(new TextEncoder().encode(answer), closed);
  await scene.run(100);
  assert.ok(!scene.router.log.some((line) => line.includes("other.xml")));
  await scene.close();
  await scene.assertAtRest();
});

Deno.test("openPortMapping frees the first socket when a second cannot be had", async () => {
  const scene = new Scene();
  let count = 0;
  scene.home.network.openSocket = (host) =>
    count++ === 0
      ? Promise.resolve(scene.home.memory.bind(host))
      : Promise.reject(new TransferError("socket_unavailable", "Cannot bind"));
  scene.open();
  await scene.run(1000);
  assert.equal(scene.mapping.outcomes.pcp, "silent");
  assert.deepEqual(scene.router.log, []);
  await scene.close();
  await scene.assertAtRest();
});

Deno.test("openPortMapping calls no address but that of who answered the search", async () => {
  for (
    const location of [
      "http://192.168.1.66/root.xml",
      "http://203.0.113.1/root.xml",
      "http://localhost/root.xml",
      `https://${ROUTER_HOST}/root.xml`,
      `http://user@${ROUTER_HOST}/root.xml`,
      "file:///etc/passwd",
      "",
    ]
  ) {
    const scene = new Scene();
    only(scene.router, "upnp");
    scene.router.location = location;
    scene.open();
    await scene.run(10_000);
    assert.equal(scene.mapping.outcomes.upnp, "silent", location);
    assert.deepEqual(scene.router.log, []);
    await scene.close();
  }
});

Deno.test("openPortMapping takes no answer to the search from another network", async () => {
  const scene = new Scene();
  scene.router.speaks = { pcp: false, natPmp: false, upnp: false };
  const stranger = scene.home.memory.bind("10.9.9.9", 1900);
  scene.open();
  await scene.run(1);
  const answer = "HTTP/1.1 200 OK\r\nLOCATION: http://10.9.9.9/root.xml\r\n\r\n";
  const to = { family: 4, host: CLIENT_HOST, port: 49_153 } as const;
  await stranger.send(new TextEncoder().encode(answer), to);
  await scene.run(10_000);
  assert.deepEqual(scene.router.log, []);
  await scene.close();
});

Deno.test("PortMapping.close ends the wait for a router that was lost", async () => {
  const scene = new Scene();
  only(scene.router, "pcp");
  scene.open();
  await scene.run(1000);
  scene.router.speaks.pcp = false;
  await scene.run(HOUR_MS);
  assert.deepEqual(scene.changes.slice(1), ["lost"]);
  assert.equal(await scene.close(), 0);
  await scene.assertAtRest();
});

Deno.test("openPortMapping asks a router that the search found where nobody looked", async () => {
  const scene = new Scene();
  only(scene.router, "pcp");
  scene.router.speaks.upnp = true;
  scene.home.network.defaultRouters = () => Promise.resolve([{ family: 4, host: "192.168.1.200" }]);
  scene.open();
  await scene.run(1000);
  assert.deepEqual(scene.changes, [`pcp 203.0.113.7:${PORT}`]);
  await scene.close();
});

Deno.test("openPortMapping says what is not permitted, and asks nobody", async () => {
  const scene = new Scene();
  scene.home.isPermitted = false;
  scene.open();
  await scene.run(1000);
  const forbidden = { pcp: "not permitted", "nat-pmp": "not permitted", upnp: "not permitted" };
  assert.deepEqual(scene.mapping.outcomes, forbidden);
  await scene.close();

  const unreachable = new Scene();
  unreachable.home.network.mayReach = () => false;
  unreachable.open();
  await unreachable.run(1000);
  assert.deepEqual(unreachable.mapping.outcomes, forbidden);
  await unreachable.close();

  const real = new Scene().open({ network: denoNetwork });
  await real.run(1000);
  assert.deepEqual(real.mapping.outcomes, forbidden);
  assert.deepEqual(await denoNetwork.defaultRouters(), []);
  await real.close();
});

Deno.test("openPortMapping is silent without a private network", async () => {
  const scene = new Scene().open({
    interfaces: [
      { name: "lo", address: "127.0.0.1", netmask: "255.0.0.0" },
      { name: "eth0", address: "203.0.113.20", netmask: "255.255.255.0" },
      { name: "eth0", address: "fd00::20" },
    ],
  });
  await scene.run(1000);
  assert.equal(scene.mapping.outcomes.pcp, "silent");
  assert.deepEqual(scene.router.log, []);
  assert.equal(await scene.close(), 0);
});

Deno.test("PortMapping.close does not wait for a router that is gone", async () => {
  const scene = new Scene().open();
  await scene.run(1000);
  scene.router.speaks = { pcp: false, natPmp: false, upnp: false };
  assert.equal(await scene.close(), 500);
  assert.equal(await scene.close(), 0);
  await scene.assertAtRest();
});

Deno.test("openPortMapping survives whatever a router answers", async () => {
  const datagram = fc.uint8Array({ maxLength: 80 });
  const mask = fc.array(fc.tuple(fc.nat({ max: 59 }), fc.nat({ max: 255 })), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(datagram, mask), { maxLength: 12 }), async (answers) => {
      const scene = new Scene();
      let index = 0;
      scene.router.onSend = (honest) => {
        const answer = answers[index++ % (answers.length + 1)];
        if (answer instanceof Uint8Array) return answer;
        const damaged = honest.slice(0, honest.length - (answer?.length ?? 0));
        for (const [at, value] of answer ?? []) damaged[at] = value;
        return damaged;
      };
      scene.open();
      await scene.run(20_000);
      const external = scene.mapping.mapped?.external;
      assert.ok(external === undefined || external.port > 0);
      assert.ok(await scene.close() <= 500);
    }),
    { numRuns: 60 },
  );
});

Deno.test("openPortMapping survives whatever a router writes in XML", async () => {
  const piece = fc.constantFrom(
    ...["<root>", "<device>", "</device>", "<serviceList>", "<service>", "<serviceType>", "&", "x"],
    ...[
      "urn:schemas-upnp-org:service:WANIPConnection:1",
      "<controlURL>",
      "/control",
      "</controlURL>",
    ],
    ...[
      "<Envelope><Body>",
      "<Fault>",
      "<errorCode>",
      "725",
      "<__proto__>",
      "<constructor>",
      "<!--",
    ],
    ...["<GetExternalIPAddressResponse>", "<NewExternalIPAddress>", "203.0.113.1", "<![CDATA["],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece).map((all) => all.join(""))), async (texts) => {
      const scene = new Scene();
      only(scene.router, "upnp");
      let index = 0;
      scene.home.network.request = () => Promise.resolve(texts[index++]);
      scene.open();
      await scene.run(20_000);
      assert.ok(index < 200);
      assert.ok(await scene.close() <= 500);
    }),
    { numRuns: 60 },
  );
});

Deno.test("openPortMapping asks in no more than eight networks", async () => {
  const scene = new Scene();
  const asked: string[] = [];
  scene.home.network.openSocket = (host) => {
    asked.push(host);
    return Promise.resolve(scene.home.memory.bind(host));
  };
  const interfaces = Array.from({ length: 300 }, (_, index) => ({
    name: `veth${index}`,
    address: `10.${index % 256}.0.9`,
    netmask: "255.255.255.0",
  }));
  scene.open({ interfaces });
  await scene.run(1000);
  assert.equal(new Set(asked).size, 8);
  assert.equal(asked.length, 16, "two sockets in each");
  await scene.close();
});
