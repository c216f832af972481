/**
 * Goal: the routers that other tests put between processes do what their names say, and leave
 * nothing behind.
 * Method: each is measured from a host behind it, by bare STUN requests (RFC 5780), with our own
 * server and with coturn. Needs root on Linux.
 */
import assert from "node:assert/strict";
import { Internet } from "../support/internet.ts";
import { measureNat, type NatBehaviour } from "../support/nat_behaviour.ts";
import type { NatBoxOptions, NatDependence } from "../support/nat_box.ts";
import { Namespaces, runShell } from "../support/netns.ts";
import {
  KERNEL_ROUTER_PROBLEM,
  linux,
  LINUX_ROUTER,
  type MakePlace,
  modelledLinux,
  nat,
  type Place,
  PLACES,
} from "../support/netns_place.ts";
import { HAS_NETNS, netnsTest } from "../support/netns_test_case.ts";
import { StunService } from "../support/stun_service.ts";
import { UdpHost } from "../support/udp_host.ts";
import { within } from "../support/within.ts";

const DEPENDENCES: readonly NatDependence[] = [
  "endpoint_independent",
  "address_dependent",
  "address_and_port_dependent",
];

const coturnProblem = HAS_NETNS ? await StunService.coturnProblem() : undefined;

/** Measures one place. */
async function measure(
  make: MakePlace,
  options: { readonly coturn?: boolean; readonly ip?: 6 } = {},
): Promise<{ readonly place: Place; readonly behaviour: NatBehaviour }> {
  await using internet = await Internet.open();
  const stun = internet.use(
    options.coturn ? await StunService.startCoturn(internet) : await StunService.start(internet),
  );
  const place = await make(internet);
  const servers = options.ip === 6 ? stun.servers6 : stun.servers;
  return { place, behaviour: await measureNat(place.host, servers) };
}

/** Steps from each socket's outside port to the next one's. */
function portSteps({ ports }: NatBehaviour): number[] {
  return ports.slice(1).map(({ external }, index) => external - ports[index]!.external);
}

function isPreserving({ ports }: NatBehaviour): boolean {
  return ports.length > 0 && ports.every(({ local, external }) => local === external);
}

for (const mapping of DEPENDENCES) {
  netnsTest(`TunRouter maps ${mapping} and filters each way`, async () => {
    await using internet = await Internet.open();
    const stun = internet.use(await StunService.start(internet));
    const found = await Promise.all(DEPENDENCES.map(async (filtering) => {
      const { host, site } = await nat({ mapping, filtering })(internet);
      const behaviour = await measureNat(host, stun.servers);
      assert.equal(behaviour.address, site!.externalAddress);
      return [behaviour.mapping, behaviour.filtering];
    }));
    assert.deepEqual(found, DEPENDENCES.map((filtering) => [mapping, filtering]));
  });
}

netnsTest("TunRouter gives out ports that are preserved, sequential or random", async () => {
  const ports = (policy: NonNullable<NatBoxOptions["ports"]>) => measure(nat({ ports: policy }));
  assert.ok(isPreserving((await ports("preserving")).behaviour));
  assert.deepEqual(portSteps((await ports("sequential")).behaviour), [1, 1, 1]);
  const random = (await ports("random")).behaviour;
  assert.ok(!isPreserving(random));
  assert.ok(portSteps(random).some((step) => Math.abs(step) > 100), `${portSteps(random)}`);
});

netnsTest("TunRouter behind TunRouter translates twice", async () => {
  const { place, behaviour } = await measure(PLACES["double"]);
  assert.match(place.site!.externalAddress, /^100\.64\./);
  assert.match(behaviour.address!, /^44\.0\./);
  assert.deepEqual(
    [behaviour.mapping, behaviour.filtering],
    ["endpoint_independent", "address_and_port_dependent"],
  );
});

netnsTest("Internet gives a public host no router", async () => {
  const { place, behaviour } = await measure(PLACES["none"]);
  assert.equal(behaviour.address, place.host.address);
  assert.equal(behaviour.filtering, "endpoint_independent");
  assert.ok(isPreserving(behaviour));
});

netnsTest(`a Linux router preserves ports and filters by port [${LINUX_ROUTER}]`, async () => {
  const { place, behaviour } = await measure(linux({}));
  assert.equal(behaviour.address, place.site!.externalAddress);
  assert.deepEqual(
    [behaviour.mapping, behaviour.filtering],
    ["endpoint_independent", "address_and_port_dependent"],
  );
  assert.ok(isPreserving(behaviour));
});

netnsTest(`a Linux router with random ports is symmetric [${LINUX_ROUTER}]`, async () => {
  for (const ports of ["random", "fully_random"] as const) {
    const { behaviour } = await measure(linux({ ports }));
    assert.equal(behaviour.mapping, "address_and_port_dependent");
    assert.ok(!isPreserving(behaviour));
  }
});

/** Which outside port a host behind a Linux router gets when somebody sends to it first. */
async function portsAfterEarlyDatagrams(make: MakePlace): Promise<number[]> {
  await using internet = await Internet.open();
  const { host, site } = await make(internet);
  const outsideHost = await internet.publicHost();
  const [inside, outside] = [
    internet.use(await UdpHost.start(host)),
    internet.use(await UdpHost.start(outsideHost)),
  ];
  const [here, there] = [site!.externalAddress, outsideHost.address!];
  const portSeenAt = async (port: number) => Number((await outside.heard(port)).split(":")[1]);
  // The outside comes first.
  await outside.send(6000, here, 5000);
  await inside.send(5000, there, 6000);
  const early = await portSeenAt(6000);
  // The inside came first, not as far as the other side's router.
  await inside.send(5001, there, 6001, 2);
  await outside.send(6001, here, 5001);
  assert.equal(await inside.heard(5001), `${there}:6001`);
  await inside.send(5001, there, 6001);
  return [early, await portSeenAt(6001)];
}

for (const [what, make] of [[LINUX_ROUTER, linux], ["model", modelledLinux]] as const) {
  netnsTest(
    `a Linux router that accepts gives another port after an early datagram [${what}]`,
    async () => {
      const [early, late] = await portsAfterEarlyDatagrams(make({ input: "accept" }));
      assert.notEqual(early, 5000);
      assert.equal(late, 5001);
    },
  );

  netnsTest(
    `a Linux router that drops gives the same port after an early datagram [${what}]`,
    async () => {
      assert.deepEqual(await portsAfterEarlyDatagrams(make({ input: "drop" })), [5000, 5001]);
    },
  );
}

netnsTest("an IPv6 firewall translates nothing and filters by port", async () => {
  const { place, behaviour } = await measure(PLACES["IPv6 firewall"], { ip: 6 });
  assert.equal(behaviour.address, place.host.address6);
  assert.equal(behaviour.filtering, "address_and_port_dependent");
  assert.ok(isPreserving(behaviour));
}, KERNEL_ROUTER_PROBLEM);

netnsTest("coturn and our own STUN server see the same", async () => {
  const make = nat({ mapping: "address_dependent", filtering: "address_dependent" });
  const [own, theirs] = [await measure(make), await measure(make, { coturn: true })];
  const kinds = ({ behaviour: { address, mapping, filtering } }: typeof own) => {
    return { address, mapping, filtering };
  };
  assert.deepEqual(kinds(theirs), kinds(own));
}, coturnProblem);

netnsTest("TunRouter counts as one hop", async () => {
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const { host } = await nat({})(internet);
  const arrives = async (ttl: number) => {
    await host.namespace.shell(`echo ${ttl} > /proc/sys/net/ipv4/ip_default_ttl`);
    return (await measureNat(host, stun.servers)).address !== undefined;
  };
  // The site's router and the three of the core each take one; what has none left is dropped.
  assert.deepEqual([await arrives(4), await arrives(5)], [false, true]);
});

netnsTest("TunRouter forgets, moves and loses when told", async () => {
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const { host, site, router } = await nat({})(internet);
  await measureNat(host, stun.servers);
  assert.notEqual((await router!.stats()).mappings, 0);
  await router!.flush();
  assert.equal((await router!.stats()).mappings, 0);
  const before = site!.externalAddress;
  await router!.renumber();
  assert.notEqual(site!.externalAddress, before);
  assert.equal((await measureNat(host, stun.servers)).address, site!.externalAddress);
  await router!.set({ lossIn: 1 });
  assert.equal((await measureNat(host, stun.servers)).address, undefined);
  assert.notEqual((await router!.stats()).lost, 0);
});

netnsTest("TunRouter delays each way", async () => {
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const { host, router } = await nat({})(internet);
  await router!.set({ delayOutMs: 100, delayInMs: 100 });
  // Longer than the probe waits for answers, of which there are enough otherwise.
  assert.notEqual((await measureNat(host, stun.servers)).address, undefined);
  await router!.set({ delayOutMs: 200 });
  assert.equal((await measureNat(host, stun.servers)).address, undefined);
});

netnsTest("Site takes in a host of another site", async () => {
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const [{ host }, { site }] = [await nat({})(internet), await nat({})(internet)];
  const moved = await site!.adopt(host);
  assert.notEqual(moved.address, host.address);
  assert.equal((await measureNat(moved, stun.servers)).address, site!.externalAddress);
});

/** Whether a namespace is there. */
async function exists(name: string): Promise<boolean> {
  return (await runShell("ls /var/run/netns")).split(/\s+/).includes(name);
}

netnsTest("Namespaces are gone when their scope is left, with what ran in them", async () => {
  let name = "";
  let child: Deno.ChildProcess | undefined;
  {
    await using namespaces = await Namespaces.open();
    const namespace = await namespaces.add("here");
    name = namespace.name;
    child = namespace.command(["sleep", "1000"]).spawn();
    assert.ok(await exists(name));
  }
  assert.ok(!await exists(name));
  assert.equal((await within("the process", child.status)).signal, "SIGKILL");
});

netnsTest("Namespaces of a process that was killed are removed", async () => {
  const module = new URL("../support/netns.ts", import.meta.url).href;
  const source = `const { Namespaces } = await import(${JSON.stringify(module)});
    const namespaces = await Namespaces.open();
    console.log((await namespaces.add("here")).name);
    await new Promise((resolve) => setTimeout(resolve, 100_000));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", source],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const name = (await within("its namespace", reader.read())).value!.trim();
  assert.ok(await exists(name));
  child.kill("SIGKILL");
  await child.status;
  const gone = async () => {
    while (await exists(name));
  };
  await within("its namespaces to go", gone());
  await reader.cancel();
});

netnsTest("Namespaces opens after the leftovers of a run that was killed are removed", async () => {
  // This process, had it begun with the system: whoever that was is no more.
  const name = `p2pft-${Deno.pid}-1-1-leftover`;
  // A test beside this one may remove it before it is whole.
  await runShell(`ip netns add ${name} || ip netns add ${name} || ip netns add ${name}`);
  await using _namespaces = await Namespaces.open();
  assert.ok(!await exists(name));
});
