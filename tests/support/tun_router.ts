/**
 * A site's router in user space, with exactly the behaviour asked for, where the kernel has none
 * such: this end lays the routes and starts `_tun_router_main.ts` in the router's namespace.
 *
 * What comes from the outside for the site's address goes into `tun0` because the address is routed
 * there; what comes from the inside for the outside goes there by a table of its own. What the
 * program writes back, the kernel passes on by the main table. From inside to inside, and what the
 * router itself sends, does not come by.
 */
import type { ConntrackBoxOptions } from "./conntrack_box.ts";
import type { Site } from "./internet.ts";
import { LineProcess } from "./line_process.ts";
import type { NatBoxOptions } from "./nat_box.ts";

/** What goes wrong on a router's outside link; `Out` is towards the outside. */
export interface TunTrouble {
  /** Fraction lost at random, 0 to 1. */
  readonly lossOut?: number;
  readonly lossIn?: number;
  /** Delay of everything, ms. */
  readonly delayOutMs?: number;
  readonly delayInMs?: number;
}

/** What a router is like. */
export interface TunRouterOptions {
  /** A NAT of the book, address apart. */
  readonly nat?: Omit<NatBoxOptions, "externalHost">;
  /** In its place: a Linux router, address apart. */
  readonly linux?: Omit<ConntrackBoxOptions, "externalHost">;
  /** What goes wrong (default nothing). */
  readonly trouble?: TunTrouble;
  /** What chance comes from (default 1). */
  readonly seed?: number;
}

/** All the program needs to know. */
export interface TunRouterSetup extends TunRouterOptions {
  readonly externalHost: string;
  /** As `a.b.c.d/bits`. */
  readonly insideNetworks: readonly string[];
  readonly seed: number;
}

/** What it counted. */
export interface TunRouterStats {
  /** Passed from the inside to the outside. */
  readonly packetsOut: number;
  /** Passed to the inside. */
  readonly packetsIn: number;
  /** Dropped because the NAT had no mapping, or filters. */
  readonly filtered: number;
  /** Dropped by chance. */
  readonly lost: number;
  /** Dropped because they were no whole IPv4 packets with UDP. */
  readonly notUdp: number;
  /** Mappings or connections now. */
  readonly mappings: number;
}

/** A running router. */
export class TunRouter implements AsyncDisposable {
  readonly #site: Site;
  readonly #process: LineProcess;

  private constructor(site: Site, process: LineProcess) {
    this.#site = site;
    this.#process = process;
  }

  /**
   * Starts one.
   *
   * @param site One whose outside address is on `tun0`.
   */
  static async start(site: Site, options: TunRouterOptions): Promise<TunRouter> {
    const { insideNetworks } = site;
    const main = ["iif lo", "iif wan", "iif tun0", ...insideNetworks.map((to) => `to ${to}`)];
    await site.router.shell(`
      ip route add default dev tun0 table 100
      ${main.map((what, index) => `ip rule add ${what} lookup main pref ${100 + index}`).join("\n")}
      ip rule add lookup 100 pref 200`);
    const setup: TunRouterSetup = {
      seed: 1,
      ...options,
      externalHost: site.externalAddress,
      insideNetworks,
    };
    const args = [JSON.stringify(setup)];
    const { process } = await LineProcess.start(site.router, "_tun_router_main.ts", args);
    return new TunRouter(site, process);
  }

  /** Forgets all mappings, as a router does when its power fails. */
  async flush(): Promise<void> {
    await this.#process.ask("flush");
  }

  /** Gets another outside address and forgets all mappings. */
  async renumber(): Promise<void> {
    await this.#site.renumber();
    await this.#process.ask(`renumber ${this.#site.externalAddress}`);
  }

  /** Changes what goes wrong; what is not named stays. */
  async set(trouble: TunTrouble): Promise<void> {
    for (const [name, value] of Object.entries(trouble)) {
      await this.#process.ask(`set ${name} ${value}`);
    }
  }

  /** What it counted so far. */
  async stats(): Promise<TunRouterStats> {
    return JSON.parse(await this.#process.ask("stats"));
  }

  /** Ends it; its site then forwards nothing to the outside. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
