/**
 * Places of a small Internet from which people share files: a host and what is between it and the
 * core, by the names that tests use.
 */
import type { Host, Internet, Site, SiteOptions } from "./internet.ts";
import { type KernelRouterOptions, kernelRouterTool, startKernelRouter } from "./kernel_router.ts";
import type { NatBoxOptions } from "./nat_box.ts";
import { HAS_NETNS } from "./netns_test_case.ts";
import { TunRouter } from "./tun_router.ts";

/** A host and what is in front of it. */
export interface Place {
  readonly host: Host;
  /** The site it is in; undefined on a public address. */
  readonly site?: Site;
  /** The router, where it is in user space. */
  readonly router?: TunRouter;
}

/** Makes a place. */
export type MakePlace = (internet: Internet) => Promise<Place>;

const tool = HAS_NETNS ? await kernelRouterTool() : undefined;

/** Why there is no stateful IPv6 firewall here; undefined when there is. */
export const KERNEL_ROUTER_PROBLEM: string | undefined = tool === undefined
  ? "needs nft or iptables, and a kernel that has them"
  : undefined;

/** Who the Linux routers are here. */
export const LINUX_ROUTER: string = tool ?? "connection tracking in user space";

/** A NAT of the book. */
export function nat(
  options: Omit<NatBoxOptions, "externalHost">,
  siteOptions: Omit<SiteOptions, "externalOn"> = {},
): MakePlace {
  return async (internet) => {
    const site = await internet.site({ externalOn: "tun0", ...siteOptions });
    const router = internet.use(await TunRouter.start(site, { nat: options }));
    return { host: await site.host(), site, router };
  };
}

/** A Linux router: the kernel's where it has one, else connection tracking in user space. */
export function linux(options: KernelRouterOptions): MakePlace {
  if (tool === undefined) return modelledLinux(options);
  return async (internet) => {
    const site = await internet.site();
    await startKernelRouter(site, tool, options);
    return { host: await site.host(), site };
  };
}

/** Connection tracking in user space, whatever the kernel has. */
export function modelledLinux({ input, ports }: KernelRouterOptions): MakePlace {
  const linux = {
    ...(input === undefined ? {} : { input }),
    ports: ports === undefined || ports === "preserving" ? "preserving" : "random",
  } as const;
  return async (internet) => {
    const site = await internet.site({ externalOn: "tun0" });
    const router = internet.use(await TunRouter.start(site, { linux }));
    return { host: await site.host(), site, router };
  };
}

async function double(internet: Internet): Promise<Place> {
  const { site } = await nat({})(internet);
  return await nat({}, { behind: site! })(internet);
}

async function firewalledIpv6(internet: Internet): Promise<Place> {
  const site = await internet.site({ ip: 6 });
  await startKernelRouter(site, tool!);
  return { host: await site.host(), site };
}

const HARD = { mapping: "address_and_port_dependent" } as const;

/** By the names of docs/nat.md; `IPv6 firewall` needs {@linkcode KERNEL_ROUTER_PROBLEM} undefined. */
export const PLACES = {
  "none": async (internet) => ({ host: await internet.publicHost() }),
  "port-restricted": nat({}),
  "double": double,
  "linux": linux({ input: "accept" }),
  "linux that drops": linux({ input: "drop" }),
  "linux with random ports": linux({ ports: "fully_random" }),
  "sym-addr": nat({
    mapping: "address_dependent",
    filtering: "address_dependent",
    ports: "random",
  }),
  "sym-seq": nat({ ...HARD, ports: "sequential" }),
  "symmetric": nat({ ...HARD, ports: "random" }),
  "UDP blocked": nat({ maxMappings: 0 }),
  "IPv6 firewall": firewalledIpv6,
} as const satisfies Record<string, MakePlace>;

/** A name of {@linkcode PLACES}. */
export type PlaceName = keyof typeof PLACES;
