/**
 * The port that a router opens for this machine on request, as a network watch wants it: asked for
 * only where a router translates, waited for a short time, and changes told with pauses.
 */
import type { RandomSource } from "../crypto/provider.ts";
import { addressScope, type IpAddress, parseIpAddress } from "../nat/address.ts";
import type { LocalSocket } from "../nat/discovery/report.ts";
import type { PortMapNetwork } from "../portmap/network.ts";
import type { MappedPort, PortMapping } from "../portmap/port_mapping.ts";
import type { LocalInterface } from "../rendezvous/local_candidates.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { PacedValue } from "./paced_value.ts";

/** Longest that a code waits for the router alone, ms: it is near, or it does not answer. */
const ROUTER_LIMIT_MS = 600;

/**
 * Shortest time between two changes that are told, ms: each may make another code, and what the
 * router says anybody in its network can say.
 */
const CHANGE_PAUSE_MS = 1000;

/** What is needed to ask a router. */
export interface RouterPortOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** The port of the IPv4 socket is the one to open. */
  readonly sockets: readonly LocalSocket[];
  readonly interfaces: readonly LocalInterface[];
  /** Where the router is looked for; the system's unless tests bring another. */
  readonly network: PortMapNetwork | undefined;
  /** Another port is open, or none. */
  readonly onChange: () => void;
  /** A router told its address to the outside. */
  readonly onRouterAddress: (address: IpAddress) => void;
  /** Nobody needs to wait for the router any longer. */
  readonly onSettled: () => void;
}

/** A request that lasts until it is closed. */
export class RouterPort {
  readonly #options: RouterPortOptions;
  readonly #mapped: PacedValue<MappedPort>;
  #mapping: PortMapping | undefined;
  #cancelWait: (() => void) | undefined;
  #isClosed = false;

  /** Asks at once, if there can be a router. */
  constructor(options: RouterPortOptions) {
    const { clock, sockets, interfaces } = options;
    this.#options = options;
    this.#mapped = new PacedValue({
      clock,
      pauseMs: CHANGE_PAUSE_MS,
      onChange: () => {
        this.#endWait();
        options.onChange();
      },
    });
    const local = sockets.find(({ local }) => local.family === 4)?.local;
    // Without a private address there is no router that translates.
    if (local === undefined || !interfaces.some(isBehindRouter)) return;
    const limit = after(clock.now(), ROUTER_LIMIT_MS);
    this.#cancelWait = clock.setTimer(limit, () => this.#endWait());
    void this.#open(local.port);
  }

  /** The port that is open now. */
  get current(): MappedPort | undefined {
    return this.#mapped.current;
  }

  /** How it came about; undefined before anybody was asked. */
  get mapping(): PortMapping | undefined {
    return this.#mapping;
  }

  /** Whether an answer is expected any moment. */
  get isWaitedFor(): boolean {
    return this.#cancelWait !== undefined;
  }

  /** Gives back what the router opened. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelWait?.();
    this.#mapped.close();
    await this.#mapping?.close();
  }

  async #open(internalPort: number): Promise<void> {
    const { clock, random, interfaces, network, onRouterAddress } = this.#options;
    // Loaded only where there is a router to ask: most of it reads XML.
    const { openPortMapping } = await import("../portmap/port_mapping.ts");
    if (this.#isClosed) return;
    this.#mapping = openPortMapping({
      internalPort,
      interfaces,
      clock,
      random,
      onChange: (mapped) => this.#mapped.set(mapped),
      onRouterAddress,
      ...(network ? { network } : {}),
    });
  }

  #endWait(): void {
    if (this.#isClosed || this.#cancelWait === undefined) return;
    this.#cancelWait();
    this.#cancelWait = undefined;
    this.#options.onSettled();
  }
}

function isBehindRouter({ address }: LocalInterface): boolean {
  const ip = parseIpAddress(address);
  return ip?.family === 4 && ["private", "shared"].includes(addressScope(ip));
}
