/**
 * A lease by UPnP (Internet Gateway Device, versions 1 and 2): the router is searched for by SSDP,
 * described, asked for its outside address, and then for the port. One lease is for one interface of
 * this machine and takes the first router that grants it.
 *
 * A port that another machine has is answered with a conflict: others are tried. A router that knows
 * only mappings without end gets one, which is deleted at the end of the program.
 */
import type { RandomSource } from "../crypto/provider.ts";
import { type IpAddress, isSameSocketAddress, type SocketAddress } from "../nat/address.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import type { WanService } from "./igd_description.ts";
import { type Lease, type LeaseKeeper, LIFETIME_SECONDS, type PortMapOutcome } from "./lease.ts";
import { Renewal } from "./renewal.ts";
import { describeUpnpError, type SoapAnswer } from "./soap_message.ts";
import { isInternetAddress } from "./udp_lease.ts";
import type { UpnpControl } from "./upnp_control.ts";

/** What {@linkcode UpnpLease} works with. */
export interface UpnpLeaseOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly keeper: LeaseKeeper;
  readonly control: UpnpControl;
  /** This machine's address on the interface. */
  readonly client: IpAddress;
  /** This machine's port. */
  readonly internalPort: number;
  /** Sends a search for routers. */
  readonly search: () => void;
}

/** When searches are sent, ms after the first: multicast gets lost on Wi-Fi. */
const SEARCH_AT_MS = [0, 500, 1500] as const;
const SEARCH_LIMIT_MS = 4000;

/** Devices that are looked at; there is one router in most networks, and two in some. */
const MAX_LOCATIONS = 4;

/** Requests for the port to one service. */
const MAX_MAP_ATTEMPTS = 6;

const CONFLICT = 718;
/**
 * Only permanent leases are supported; and what routers that do not know this code say instead
 * (invalid arguments, action failed).
 */
const PERMANENT_ONLY: ReadonlySet<number> = new Set([725, 402, 501]);

/** Ports for another try: the dynamic ones of RFC 6335. */
const FIRST_DYNAMIC_PORT = 49_152;

interface Held {
  readonly service: WanService;
  readonly external: SocketAddress;
  readonly lifetimeSeconds: number;
}

/** Asks the routers of one interface by UPnP. */
export class UpnpLease implements Lease {
  readonly protocol = "upnp";
  readonly #options: UpnpLeaseOptions;
  readonly #renewal: Renewal;
  readonly #locations: URL[] = [];
  #nextLocation = 0;
  #outcome: PortMapOutcome = "asking";
  #held: Held | undefined;
  /** Asked for last without an answer so far: the router may hold it without our knowing. */
  #asked: Held | undefined;
  /** Ends when the work under way has noticed that it no longer matters; never rejects. */
  #work: Promise<void> | undefined;
  /** Counts starts and stops: work of an earlier round gives back what it gets. */
  #round = 0;
  #cancelSearch: (() => void) | undefined;

  constructor(options: UpnpLeaseOptions) {
    this.#options = options;
    this.#renewal = new Renewal(options.clock, {
      onDue: () => this.#begin((round) => this.#renew(round)),
      onExpired: () => this.#end("silent"),
    });
  }

  get outcome(): PortMapOutcome {
    return this.#outcome;
  }

  get isEndless(): boolean {
    return (this.#held ?? this.#asked)?.lifetimeSeconds === 0;
  }

  get router(): IpAddress | undefined {
    if (this.#held === undefined) return undefined;
    return { family: 4, host: this.#held.service.controlUrl.hostname };
  }

  start(): void {
    if (this.#held !== undefined || this.#work !== undefined || this.#cancelSearch !== undefined) {
      return;
    }
    this.#outcome = "asking";
    this.#locations.length = 0;
    this.#nextLocation = 0;
    this.#search(0);
  }

  stop(outcome: PortMapOutcome): void {
    this.#round++;
    this.#cancelSearch?.();
    this.#cancelSearch = undefined;
    this.#renewal.stop();
    this.#held = undefined;
    this.#outcome = outcome;
  }

  async release(outcome: PortMapOutcome): Promise<void> {
    // Of what is outstanding the answer may come too late to be waited for: it is deleted at once, and
    // once more when it was granted. Most routers take one call after the other.
    const given = this.#held ?? this.#asked;
    this.#asked = undefined;
    const work = this.#work;
    this.stop(outcome);
    await Promise.all([work, given === undefined ? undefined : this.#delete(given)]);
  }

  /** A device answered to the search: it is described at `location`. */
  handleLocation(location: URL): void {
    if (this.#cancelSearch === undefined || this.#locations.length >= MAX_LOCATIONS) return;
    if (this.#locations.some(({ href }) => href === location.href)) return;
    this.#locations.push(location);
    if (this.#work === undefined) this.#begin((round) => this.#tryLocations(round));
  }

  #search(index: number): void {
    const { clock, search } = this.#options;
    if (index === SEARCH_AT_MS.length) {
      this.#cancelSearch = undefined;
      if (this.#work === undefined && this.#outcome === "asking") this.#outcome = "silent";
      return;
    }
    const waitMs = (SEARCH_AT_MS[index + 1] ?? SEARCH_LIMIT_MS) - SEARCH_AT_MS[index]!;
    this.#cancelSearch = clock.setTimer(
      after(clock.now(), waitMs),
      () => this.#search(index + 1),
    );
    search();
  }

  #begin(work: (round: number) => Promise<void>): void {
    const run = work(this.#round).finally(() => {
      if (this.#work !== run) return;
      this.#work = undefined;
      const isSearching = this.#cancelSearch !== undefined;
      if (!isSearching && this.#outcome === "asking") this.#outcome = "silent";
    });
    this.#work = run;
  }

  async #tryLocations(round: number): Promise<void> {
    const { control } = this.#options;
    while (this.#nextLocation < this.#locations.length) {
      const services = await control.describe(this.#locations[this.#nextLocation++]!);
      for (const service of services) {
        if (round !== this.#round) return;
        await this.#tryService(service, round);
        if (this.#held !== undefined) return;
      }
      if (round !== this.#round) return;
    }
  }

  async #tryService(service: WanService, round: number): Promise<void> {
    const { control, keeper } = this.#options;
    const address = await control.externalAddress(service);
    if (round !== this.#round) return;
    if (address === undefined || "kind" in address) {
      this.#outcome = address === undefined
        ? "refused (no outside address)"
        : `refused (${describeUpnpError(address.code)})`;
      return;
    }
    keeper.handleRouterAddress(address);
    if (!isInternetAddress(address)) {
      this.#outcome = "no use";
      return;
    }
    if (!keeper.isNeeded()) return this.stop("not needed");
    await this.#map(service, address, round);
  }

  async #map(service: WanService, address: IpAddress, round: number): Promise<void> {
    let externalPort = this.#options.internalPort;
    let lifetimeSeconds = LIFETIME_SECONDS;
    for (let attempt = 0; attempt < MAX_MAP_ATTEMPTS && round === this.#round; attempt++) {
      const wanted = { service, external: { ...address, port: externalPort }, lifetimeSeconds };
      const answer = await this.#add(wanted);
      if (answer?.kind === "done") return await this.#take(wanted, round);
      if (round !== this.#round) return;
      this.#outcome = answer === undefined
        ? "silent"
        : `refused (${describeUpnpError(answer.code)})`;
      if (answer?.code === CONFLICT) externalPort = this.#anotherPort();
      else if (answer !== undefined && lifetimeSeconds > 0 && PERMANENT_ONLY.has(answer.code)) {
        lifetimeSeconds = 0;
      } else return;
    }
  }

  async #add(wanted: Held): Promise<SoapAnswer | undefined> {
    const { control, client, internalPort } = this.#options;
    const { service, external, lifetimeSeconds } = wanted;
    this.#asked = wanted;
    const externalPort = external.port;
    const mapping = { externalPort, client, internalPort, lifetimeSeconds };
    const answer = await control.addMapping(service, mapping);
    if (answer !== undefined && this.#asked === wanted) this.#asked = undefined;
    return answer;
  }

  async #take(granted: Held, round: number): Promise<void> {
    if (round !== this.#round) return await this.#delete(granted);
    const before = this.#held;
    this.#held = granted;
    this.#outcome = "granted";
    this.#cancelSearch?.();
    this.#cancelSearch = undefined;
    // One without end is looked after like any other: it would not outlive a restart of the router.
    this.#renewal.handleGranted(granted.lifetimeSeconds || LIFETIME_SECONDS);
    if (before === undefined || !isSameSocketAddress(before.external, granted.external)) {
      this.#options.keeper.handleGranted(this, granted.external);
    }
  }

  async #renew(round: number): Promise<void> {
    const { control, keeper } = this.#options;
    const held = this.#held!;
    const { service, lifetimeSeconds } = held;
    const address = await control.externalAddress(service);
    if (round !== this.#round) return;
    if (address === undefined || "kind" in address) return this.#renewal.handleSilence();
    keeper.handleRouterAddress(address);
    if (!isInternetAddress(address)) {
      this.#end("no use");
      return await this.#delete(held);
    }
    const wanted = { service, external: { ...address, port: held.external.port }, lifetimeSeconds };
    const answer = await this.#add(wanted);
    if (answer?.kind === "done") return await this.#take(wanted, round);
    if (round !== this.#round) return;
    if (answer === undefined) this.#renewal.handleSilence();
    else this.#end(`refused (${describeUpnpError(answer.code)})`);
  }

  #end(outcome: PortMapOutcome): void {
    const wasHeld = this.#held !== undefined;
    this.stop(outcome);
    if (wasHeld) this.#options.keeper.handleLost(this);
  }

  #delete({ service, external }: Held): Promise<void> {
    return this.#options.control.deleteMapping(service, external.port);
  }

  #anotherPort(): number {
    const bytes = new Uint8Array(2);
    this.#options.random.fill(bytes);
    return FIRST_DYNAMIC_PORT + (((bytes[0]! << 8) | bytes[1]!) & 0x3fff);
  }
}
