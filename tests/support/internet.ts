/**
 * A small Internet out of namespaces: a core that routes (`internet_core.ts`), public hosts on it,
 * and sites, each a router with an outside link and a LAN of hosts. Nothing leaves the machine.
 *
 * ```text
 *   host 192.168.1.11 ─┐                      ┌─ public host 44.0.0.10
 *   host 192.168.1.12 ─┴ LAN ─ router ─ core ─┤
 *                          44.0.1.1           └─ router 44.0.2.1 ─ router 100.64.3.1 ─ LAN
 * ```
 *
 * Outside addresses are globally routable ones, because programs treat those for documentation
 * specially. Each outside link is routed point to point, so that TTL and MTU behave as they do
 * outside. A site's router forwards as it stands here: who translates or filters on it is
 * `tun_router.ts` or `kernel_router.ts`.
 */
import { GATEWAY_V4, GATEWAY_V6, InternetCore } from "./internet_core.ts";
import { type Namespace, Namespaces } from "./netns.ts";

/** What a carrier calls itself towards its customers (RFC 6598). */
const CARRIER_V4 = "100.64.0.1";
/** The first host of a LAN; its router is 1. */
const FIRST_HOST = 11;

/** A machine with one network interface, `eth0`. */
export interface Host {
  readonly namespace: Namespace;
  /** Its IPv4 address; undefined when it has none. */
  readonly address: string | undefined;
  /** Its IPv6 address; undefined when it has none. */
  readonly address6: string | undefined;
}

/** What a site is like. */
export interface SiteOptions {
  /** The site whose router, a carrier's, is between this one and the core. */
  readonly behind?: Site;
  /**
   * Who owns the outside address: the router's outside interface `wan`, as on a Linux router (the
   * default), or the device `tun0`, from which a program reads what comes for it.
   */
  readonly externalOn?: "wan" | "tun0";
  /** Which IP there is (default 4). */
  readonly ip?: 4 | 6 | "both";
  /** N of the LAN's 192.168.N.0/24 (default one that no other site has). */
  readonly lan?: number;
}

/** The core, what hangs on it, and what runs there. */
export class Internet implements AsyncDisposable {
  readonly #namespaces: Namespaces;
  readonly #core: InternetCore;
  /** Ended in reverse order, the namespaces last. */
  readonly #owned = new AsyncDisposableStack();
  #siteCount = 0;
  #hostCount = 0;

  private constructor(namespaces: Namespaces, core: InternetCore) {
    this.#namespaces = this.#owned.use(namespaces);
    this.#core = core;
  }

  /** Makes the core. */
  static async open(): Promise<Internet> {
    const namespaces = await Namespaces.open();
    try {
      return new Internet(namespaces, await InternetCore.open(namespaces));
    } catch (error) {
      await namespaces[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Adds a host without any router of its own.
   *
   * @param wanted Its IPv4 addresses, within 44.0.0.0/24 (default one that nobody has); the host of
   * 44.0.0.N also has 2600:44::N.
   */
  async publicHost(wanted: readonly string[] = []): Promise<Host> {
    const number = ++this.#hostCount;
    const namespace = await this.#namespaces.add(`public${number}`);
    const addresses = wanted.length === 0 ? [`44.0.0.${FIRST_HOST + number}`] : wanted;
    const port = `h${number}`;
    const addresses6 = addresses.map((address) => `2600:44::${address.split(".")[3]}`);
    const core = await this.#core.attach([
      ...addresses.map((address) => `${address}/32`),
      ...addresses6.map((address) => `${address}/128`),
    ]);
    await namespace.shell(`
      ip link add name eth0 type veth peer name ${port} netns ${core.name}
      ip link set eth0 up
      ${addresses.map((address) => `ip address add ${address}/32 dev eth0`).join("\n")}
      ${addresses6.map((address) => `ip address add ${address}/128 dev eth0`).join("\n")}`);
    await core.shell(`
      ip link set ${port} up
      # Neighbours are told of an IPv6 address only by the interface that has it.
      ip address add ${GATEWAY_V6}/128 dev ${port}
      ${addresses.map((address) => `ip route add ${address}/32 dev ${port}`).join("\n")}
      ${addresses6.map((address) => `ip -6 route add ${address}/128 dev ${port}`).join("\n")}`);
    await namespace.shell(`
      ip route add ${GATEWAY_V4}/32 dev eth0
      ip route add default via ${GATEWAY_V4}
      ip -6 route add ${GATEWAY_V6}/128 dev eth0
      ip -6 route add default via ${GATEWAY_V6}`);
    return { namespace, address: addresses[0], address6: addresses6[0] };
  }

  /** Adds a site: a router and its LAN, no hosts yet. */
  async site(options: SiteOptions = {}): Promise<Site> {
    const index = ++this.#siteCount;
    const router = await this.#namespaces.add(`router${index}`, { forwards: true });
    const parent = options.behind?.router ?? await this.#core.attach(siteNetworks(index));
    const site = new Site(this.#namespaces, router, parent, index, options);
    await site.build();
    return site;
  }

  /** Hands something over that runs here: it is ended before the namespaces are. */
  use<T extends AsyncDisposable>(part: T): T {
    return this.#owned.use(part);
  }

  /** Ends what runs in the namespaces, and removes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** What the core must know to be in a site's direction. */
function siteNetworks(index: number): string[] {
  const hex = index.toString(16);
  return [
    `44.0.${index}.0/24`,
    `44.254.${index}.0/24`,
    `2600:44:${hex}::/64`,
    `2600:44:ffff:${hex}::/64`,
  ];
}

/** A router and the LAN behind it. */
export class Site {
  /** Where the router is; its interfaces are `wan` and `lan`. */
  readonly router: Namespace;
  readonly #namespaces: Namespaces;
  readonly #parent: Namespace;
  readonly #index: number;
  readonly #options: SiteOptions;
  /** The router's own address towards its parent, when the outside address is another device's. */
  readonly #linkAddress: string;
  #externalAddress: string;
  #renumberCount = 0;
  #hostCount = 0;

  /** For {@linkcode Internet.site}. */
  constructor(
    namespaces: Namespaces,
    router: Namespace,
    parent: Namespace,
    index: number,
    options: SiteOptions,
  ) {
    this.#namespaces = namespaces;
    this.router = router;
    this.#parent = parent;
    this.#index = index;
    this.#options = options;
    const { behind } = options;
    this.#externalAddress = `${behind === undefined ? "44.0" : "100.64"}.${index}.1`;
    this.#linkAddress = `${behind === undefined ? "44.254" : "100.127"}.${index}.2`;
  }

  /** What the outside sees of the hosts behind the router. */
  get externalAddress(): string {
    return this.#externalAddress;
  }

  /** Networks that are inside: what goes from one to another of them is not translated. */
  get insideNetworks(): readonly string[] {
    // Only a router that is no carrier's customer may be a carrier.
    return [
      `${this.#lanV4}.0/24`,
      ...(this.#options.behind === undefined ? ["100.64.0.0/10"] : []),
    ];
  }

  get #lanV4(): string {
    return `192.168.${this.#options.lan ?? this.#index}`;
  }

  get #lanV6(): string {
    return `2600:44:${this.#index.toString(16)}`;
  }

  /** The parent's interface towards this router. */
  get #port(): string {
    return `w${this.#index}`;
  }

  get #hasV4(): boolean {
    return this.#options.ip !== 6;
  }

  get #hasV6(): boolean {
    return this.#options.ip === 6 || this.#options.ip === "both";
  }

  /** For {@linkcode Internet.site}: the links, addresses and routes. */
  async build(): Promise<void> {
    await this.router.shell(`
      ip link add name wan type veth peer name ${this.#port} netns ${this.#parent.name}
      ip link add name lan type bridge mcast_snooping 0
      ip link set wan up
      ip link set lan up
      for file in /proc/sys/net/bridge/bridge-nf-call-*; do
        if [ -e $file ]; then echo 0 > $file; fi
      done`);
    await this.#parent.shell(`ip link set ${this.#port} up`);
    if (this.#hasV4) await this.#buildV4();
    if (this.#hasV6) await this.#buildV6();
  }

  async #buildV4(): Promise<void> {
    const gateway = this.#options.behind === undefined ? GATEWAY_V4 : CARRIER_V4;
    const isOnTun = this.#options.externalOn === "tun0";
    const wanAddress = isOnTun ? this.#linkAddress : this.#externalAddress;
    await this.#parent.shell(`
      ip address add ${gateway}/32 dev ${this.#port}
      ip route add ${wanAddress}/32 dev ${this.#port}`);
    await this.router.shell(`
      ip address add ${wanAddress}/32 dev wan
      ip route add ${gateway}/32 dev wan
      ip route add default via ${gateway} src ${wanAddress}
      ip address add ${this.#lanV4}.1/24 brd + dev lan
      ${
      isOnTun
        ? "ip tuntap add dev tun0 mode tun; echo 1 > /proc/sys/net/ipv6/conf/tun0/disable_ipv6; ip link set tun0 mtu 1500 txqueuelen 1000 up"
        : ""
    }`);
    if (isOnTun) await this.#routeExternalAddress("add");
  }

  async #routeExternalAddress(verb: "add" | "delete"): Promise<void> {
    const target = `${this.#externalAddress}/32`;
    await this.#parent.shell(`ip route ${verb} ${target} via ${this.#linkAddress}`);
    await this.router.shell(`ip route ${verb} ${target} dev tun0`);
  }

  async #buildV6(): Promise<void> {
    const link = `2600:44:ffff:${this.#index.toString(16)}::`;
    await this.router.shell(`
      ip address add ${link}2/64 dev wan
      ip -6 route add default via ${link}1
      ip address add ${this.#lanV6}::1/64 dev lan`);
    await this.#parent.shell(`
      ip address add ${link}1/64 dev ${this.#port}
      ip -6 route add ${this.#lanV6}::/64 via ${link}2`);
  }

  /** Adds a host to the LAN. */
  async host(): Promise<Host> {
    const namespace = await this.#namespaces.add(`host${this.#index}x${this.#hostCount + 1}`);
    return await this.#connect(namespace);
  }

  /**
   * Takes a host of another site into this LAN, as a laptop that changes to another Wi-Fi: its
   * interface goes down for a moment and comes back with new addresses.
   *
   * @returns The host with its new addresses.
   */
  async adopt(host: Host): Promise<Host> {
    await host.namespace.shell("ip link delete eth0");
    return await this.#connect(host.namespace);
  }

  async #connect(namespace: Namespace): Promise<Host> {
    const number = FIRST_HOST + this.#hostCount++;
    const address = this.#hasV4 ? `${this.#lanV4}.${number}` : undefined;
    const address6 = this.#hasV6 ? `${this.#lanV6}::${number}` : undefined;
    const port = `p${number}`;
    const lines = [
      `ip link add name eth0 type veth peer name ${port} netns ${this.router.name}`,
      "ip link set eth0 up",
    ];
    if (address !== undefined) {
      lines.push(`ip address add ${address}/24 brd + dev eth0`);
      lines.push(`ip route add default via ${this.#lanV4}.1`);
    }
    if (address6 !== undefined) {
      lines.push(`ip address add ${address6}/64 dev eth0`);
      lines.push(`ip -6 route add default via ${this.#lanV6}::1`);
    }
    await namespace.shell(lines.join("\n"));
    await this.router.shell(`ip link set ${port} master lan up`);
    return { namespace, address, address6 };
  }

  /**
   * Gives the site another outside address, as a DSL line does when it is dialled again. Only for
   * sites whose address is on `tun0`.
   */
  async renumber(): Promise<void> {
    await this.#routeExternalAddress("delete");
    const network = this.#externalAddress.split(".").slice(0, 3).join(".");
    this.#externalAddress = `${network}.${100 + this.#renumberCount++}`;
    await this.#routeExternalAddress("add");
  }
}
