/**
 * Port mapping: asks the routers of this machine's networks, by PCP, NAT-PMP and UPnP at once, to
 * hand what arrives at a port of theirs to a port of this machine, keeps the first lease that is of
 * use alive, and gives it back in the end.
 *
 * Not here: what is done with the mapped address, and noticing that this machine moved to another
 * network: then close, and open again.
 *
 * Permissions: `--allow-net`, whole or with the routers' addresses, 239.255.255.250:1900 and this
 * machine's addresses. What is missing is not asked for. With everything granted (`-A`) the route
 * table of Linux is read, too, in place of guessing where the router is.
 */
import type { RandomSource } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import {
  addressScope,
  type IpAddress,
  isSameSocketAddress,
  type SocketAddress,
} from "../nat/address.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { denoNetwork } from "./deno_network.ts";
import { LanPort } from "./lan_port.ts";
import type { Lease, LeaseKeeper, PortMapOutcome, PortMapProtocol } from "./lease.ts";
import type { PortMapNetwork } from "./network.ts";
import { type LanInterface, privateNetworks } from "./router_guess.ts";

/** A port of a router that leads to this machine. */
export interface MappedPort {
  /** Where others reach it: a global IPv4 address and port. */
  readonly external: SocketAddress;
  /** How the router was asked. */
  readonly by: PortMapProtocol;
  /** The router, by its address in the local network. */
  readonly routerAddress?: IpAddress;
}

/** What {@linkcode openPortMapping} takes. */
export interface PortMappingOptions {
  /** The UDP port of this machine, on every interface or at least on those handed in. */
  readonly internalPort: number;
  /** As `Deno.networkInterfaces()` lists them; only private IPv4 networks are looked at. */
  readonly interfaces: readonly LanInterface[];
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Called when a port was granted or became another one, and with undefined when it was lost. */
  readonly onChange: (mapped: MappedPort | undefined) => void;
  /**
   * Called once for each outside address that a router says it has, global or not: one that is private
   * or shared, or differs from what STUN servers see, means a second NAT behind the router.
   */
  readonly onRouterAddress?: (address: IpAddress) => void;
  /** The system's network, unless tests bring another. */
  readonly network?: PortMapNetwork;
}

/** A port mapping, from {@linkcode openPortMapping} until `close`. */
export interface PortMapping {
  /** What is mapped now. */
  readonly mapped: MappedPort | undefined;
  /** What came of each protocol so far, for people; of several routers the best. */
  readonly outcomes: Readonly<Record<PortMapProtocol, PortMapOutcome>>;
  /**
   * Gives the port back and frees everything; `onChange` is not called any more. Resolves when the
   * router confirmed it, at the latest after half a second, or two where the router knows only mappings
   * without end; never rejects.
   */
  close(): Promise<void>;
}

/** How long the end of a program may be held up for routers, ms. */
const RELEASE_LIMIT_MS = 500;

/** The same where a mapping would stay for ever: small routers take a second to change their tables. */
const ENDLESS_RELEASE_LIMIT_MS = 2000;

/** After a lease was lost every router is asked again: a router that restarts takes a minute or two. */
const FIRST_RETRY_MS = 30_000;
const RETRY_MS = 300_000;

/** Outside addresses that are told, at most. */
const MAX_ROUTER_ADDRESSES = 16;

const PROTOCOLS = ["pcp", "nat-pmp", "upnp"] as const satisfies readonly PortMapProtocol[];

/** Which outcome is told when routers differ: the first of these. Refusals go by their first word. */
const OUTCOME_RANKS = ["granted", "no use", "refused", "not needed", "asking", "silent"] as const;

/**
 * Begins to map a port, and returns at once. Never throws for what the network or the system does;
 * without a router that maps ports nothing happens but that the outcomes say so.
 *
 * A network in which nobody answers is asked once; after a lease was lost it is asked again and again.
 * Timers run until `close`: a program that does not close its mapping does not end.
 */
export function openPortMapping(options: PortMappingOptions): PortMapping {
  const mapping = new LivePortMapping(options);
  void mapping.open();
  return mapping;
}

class LivePortMapping implements PortMapping, LeaseKeeper {
  readonly #options: PortMappingOptions;
  readonly #ports: LanPort[] = [];
  readonly #routerAddresses = new Set<string>();
  #holder: Lease | undefined;
  #mapped: MappedPort | undefined;
  #isOpening = true;
  #isForbidden = false;
  #cancelRetry: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PortMappingOptions) {
    this.#options = options;
  }

  get mapped(): MappedPort | undefined {
    return this.#mapped;
  }

  get outcomes(): Readonly<Record<PortMapProtocol, PortMapOutcome>> {
    const leases = this.#ports.flatMap((port) => port.leases);
    const none = this.#isOpening ? "asking" : this.#isForbidden ? "not permitted" : "silent";
    const [pcp, natPmp, upnp] = PROTOCOLS.map((protocol) =>
      leases.filter((lease) => lease.protocol === protocol).map(({ outcome }) => outcome)
        .toSorted((a, b) => rankOf(a) - rankOf(b))[0] ?? none
    );
    return { pcp: pcp!, "nat-pmp": natPmp!, upnp: upnp! };
  }

  async open(): Promise<void> {
    const { clock, random, interfaces, internalPort, network = denoNetwork } = this.#options;
    const knownRouters = await network.defaultRouters();
    await Promise.all(
      privateNetworks(interfaces).map(async (lan) => {
        const shared = { clock, random, keeper: this, system: network, internalPort, knownRouters };
        try {
          const port = await LanPort.open({ ...shared, lan });
          if (this.#closing !== undefined) return port.close();
          this.#ports.push(port);
          if (port.leases.length === 0) this.#isForbidden = true;
          port.start();
        } catch (error) {
          // An interface may be gone by now, or say no in its own way; the others are asked all the
          // same.
          if (error instanceof TransferError && error.code === "permission_missing") {
            this.#isForbidden = true;
          }
        }
      }),
    );
    this.#isOpening = false;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock } = this.#options;
    this.#holder = undefined;
    this.#mapped = undefined;
    this.#cancelRetry?.();
    const isEndless = this.#ports.some((port) => port.leases.some((lease) => lease.isEndless));
    const limitMs = isEndless ? ENDLESS_RELEASE_LIMIT_MS : RELEASE_LIMIT_MS;
    const released = Promise.all(this.#ports.map(async (port) => {
      await Promise.all(port.leases.map((lease) => lease.release(lease.outcome)));
      await port.flush();
    }));
    await new Promise<void>((resolve) => {
      const limit = after(clock.now(), limitMs);
      const cancel = clock.setTimer(limit, resolve);
      void released.then(() => {
        cancel();
        resolve();
      });
    });
    for (const port of this.#ports) {
      for (const lease of port.leases) lease.stop(lease.outcome);
      port.close();
    }
  }

  isNeeded(): boolean {
    return this.#holder === undefined && this.#closing === undefined;
  }

  handleGranted(lease: Lease, external: SocketAddress): void {
    if (this.#closing !== undefined) return;
    const holder = this.#holder;
    if (holder !== undefined && holder !== lease) {
      if (!isSameSocketAddress(this.#mapped!.external, external)) {
        void lease.release("not needed");
        return;
      }
      // One mapping under two protocols: the router renews and deletes it for whoever came last, and
      // giving the first back would take it away.
      holder.stop("not needed");
    }
    this.#holder = lease;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#mapped = {
      external,
      by: lease.protocol,
      ...(lease.router === undefined ? {} : { routerAddress: lease.router }),
    };
    this.#options.onChange(this.#mapped);
  }

  handleLost(lease: Lease): void {
    if (lease !== this.#holder) return;
    this.#holder = undefined;
    this.#mapped = undefined;
    this.#retryIn(FIRST_RETRY_MS);
    this.#options.onChange(undefined);
  }

  handleRouterAddress(address: IpAddress): void {
    if (this.#closing !== undefined || addressScope(address) === "unspecified") return;
    if (this.#routerAddresses.has(address.host)) return;
    if (this.#routerAddresses.size >= MAX_ROUTER_ADDRESSES) return;
    this.#routerAddresses.add(address.host);
    this.#options.onRouterAddress?.(address);
  }

  #retryIn(delayMs: number): void {
    const { clock } = this.#options;
    this.#cancelRetry?.();
    this.#cancelRetry = clock.setTimer(after(clock.now(), delayMs), () => {
      this.#retryIn(RETRY_MS);
      for (const port of this.#ports) port.start();
    });
  }
}

function rankOf(outcome: PortMapOutcome): number {
  return OUTCOME_RANKS.findIndex((rank) => outcome.startsWith(rank));
}
