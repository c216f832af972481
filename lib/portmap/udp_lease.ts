/**
 * A lease that is asked for in datagrams to port 5351 of a router: what PCP and NAT-PMP share. A
 * subclass writes the requests and reads the answers; here is when they are sent and what follows.
 *
 * The order of things: `start`, requests until an answer or silence, `handleGrant`, renewals, and in
 * the end `release`, or `stop`, or the lease is lost (refused later, or it ran out in silence).
 */
import {
  addressScope,
  type IpAddress,
  isSameSocketAddress,
  type SocketAddress,
} from "../nat/address.ts";
import { after, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import type { Lease, LeaseKeeper, PortMapOutcome, PortMapProtocol } from "./lease.ts";
import { Renewal } from "./renewal.ts";
import { RouterExchange } from "./router_exchange.ts";

/**
 * How long nothing that nobody asked for is acted on after the last time, ms: anybody in the network
 * can write such datagrams in the router's name.
 */
const UNASKED_PAUSE_MS = 5000;

/** What a lease over UDP works with. */
export interface UdpLeaseOptions {
  readonly clock: Clock;
  readonly keeper: LeaseKeeper;
  /** Whom to ask. */
  readonly router: IpAddress;
  /** This machine's address, as the router sees it. */
  readonly client: IpAddress;
  /** This machine's port. */
  readonly internalPort: number;
  /** Sends a datagram to the router. */
  readonly send: (datagram: Uint8Array) => void;
}

/** True for an address that the whole Internet can reach: only then a mapped port is of use. */
export function isInternetAddress(address: IpAddress): boolean {
  return address.family === 4 && addressScope(address) === "global";
}

/** A lease over UDP. */
export abstract class UdpLease implements Lease {
  abstract readonly protocol: PortMapProtocol;
  // Neither protocol has mappings without end.
  readonly isEndless = false;
  readonly router: IpAddress;
  protected readonly clock: Clock;
  protected readonly keeper: LeaseKeeper;
  protected readonly client: IpAddress;
  protected readonly internalPort: number;
  readonly #send: (datagram: Uint8Array) => void;
  readonly #exchange: RouterExchange;
  readonly #renewal: Renewal;
  #outcome: PortMapOutcome = "asking";
  #held: SocketAddress | undefined;
  /** A port was asked for and the answer is outstanding: the router may hold it without our knowing. */
  #isMapOutstanding = false;
  #confirmRelease: (() => void) | undefined;
  /** Until then nothing is made of what nobody asked for. */
  #deafUntil: Instant | undefined;

  constructor(options: UdpLeaseOptions) {
    this.clock = options.clock;
    this.keeper = options.keeper;
    this.router = options.router;
    this.client = options.client;
    this.internalPort = options.internalPort;
    this.#send = options.send;
    this.#exchange = new RouterExchange(options.clock, options.send);
    this.#renewal = new Renewal(options.clock, {
      onDue: () => this.ask(),
      onExpired: () => this.#end("silent"),
    });
  }

  get outcome(): PortMapOutcome {
    return this.#outcome;
  }

  start(): void {
    if (this.#held !== undefined || this.#exchange.isWaiting) return;
    this.#outcome = "asking";
    this.ask();
  }

  stop(outcome: PortMapOutcome): void {
    this.#exchange.stop();
    this.#renewal.stop();
    this.#held = undefined;
    this.#isMapOutstanding = false;
    this.#outcome = outcome;
    this.#confirmRelease?.();
    this.#confirmRelease = undefined;
  }

  release(outcome: PortMapOutcome): Promise<void> {
    const held = this.#held;
    const isMapOutstanding = this.#isMapOutstanding;
    this.stop(outcome);
    // A router that has not answered may be none at all: nobody waits for it.
    if (held === undefined) {
      if (isMapOutstanding) this.#send(this.deletion(undefined));
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#confirmRelease = resolve;
      this.#exchange.begin(this.deletion(held), () => this.stop(outcome));
    });
  }

  /** Begins to ask for, or to renew, the mapping: by `requestAddress` or `requestMapping`. */
  protected abstract ask(): void;
  /** The request for the mapping, or for its renewal when `held` is given. */
  protected abstract mapping(held: SocketAddress | undefined): Uint8Array;
  /** The request to delete the mapping. */
  protected abstract deletion(held: SocketAddress | undefined): Uint8Array;

  /** True while the answer to a request is outstanding. */
  protected get isAsking(): boolean {
    // An earlier answer that comes again during a release does not bring the lease back.
    return this.#confirmRelease === undefined && this.#exchange.isWaiting;
  }

  /** What is held. */
  protected get held(): SocketAddress | undefined {
    return this.#held;
  }

  /** Sends a request that changes nothing on the router. */
  protected request(datagram: Uint8Array): void {
    this.#exchange.begin(datagram, () => this.#handleSilence());
  }

  /**
   * Something that nobody asked for hints that the mapping is gone or is another now: asks, for only
   * an answer can tell, and not as often as somebody may hint.
   */
  protected askAgain(): void {
    if (this.#held === undefined || this.#exchange.isWaiting) return;
    const now = this.clock.now();
    if (this.#deafUntil !== undefined && now < this.#deafUntil) return;
    this.#deafUntil = after(now, UNASKED_PAUSE_MS);
    this.ask();
  }

  /** The request was answered, and the next one is not sent yet. */
  protected endRequest(): void {
    this.#exchange.stop();
  }

  /** Asks for the mapping, unless another lease has come to serve in the meantime. */
  protected requestMapping(): void {
    if (this.#held === undefined && !this.keeper.isNeeded()) {
      this.stop("not needed");
      return;
    }
    this.#isMapOutstanding = true;
    this.request(this.mapping(this.#held));
  }

  /** The router answered to the deletion. @returns False when none was under way. */
  protected handleDeleted(): boolean {
    if (this.#confirmRelease === undefined) return false;
    this.stop(this.#outcome);
    return true;
  }

  /** The router granted, or renewed, `external`. */
  protected handleGrant(external: SocketAddress, lifetimeSeconds: number): void {
    const before = this.#held;
    this.#exchange.stop();
    this.#isMapOutstanding = false;
    this.#held = external;
    if (!isInternetAddress(external)) return this.#giveUp(before !== undefined);
    this.#outcome = "granted";
    this.#renewal.handleGranted(lifetimeSeconds);
    if (before === undefined || !isSameSocketAddress(before, external)) {
      this.keeper.handleGranted(this, external);
    }
  }

  /** The router said no, now or when it was asked to renew. */
  protected handleRefusal(description: string): void {
    this.#end(`refused (${description})`);
  }

  /** Nothing can come of this router while it is as it is. */
  protected handleUseless(): void {
    this.#giveUp(this.#held !== undefined);
  }

  #handleSilence(): void {
    this.#isMapOutstanding = false;
    if (this.#held === undefined) this.#outcome = "silent";
    else this.#renewal.handleSilence();
  }

  #giveUp(wasOffered: boolean): void {
    void this.release("no use");
    if (wasOffered) this.keeper.handleLost(this);
  }

  #end(outcome: PortMapOutcome): void {
    const wasHeld = this.#held !== undefined;
    this.stop(outcome);
    if (wasHeld) this.keeper.handleLost(this);
  }
}
