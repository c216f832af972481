/**
 * A world in which whole programs meet: share() and receive() as a user calls them, in virtual time,
 * each behind a NAT of its own, with STUN servers in the core and files in memory.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { ReceiveOptions, ShareOptions } from "../../lib/options.ts";
import { type Receive, receive } from "../../lib/receive.ts";
import { send, type Share, share } from "../../lib/share.ts";
import { EventLog } from "./event_log.ts";
import { FakeStorage } from "./fake_storage.ts";
import type { LinkOptions } from "./link.ts";
import { NatBox, type NatBoxOptions } from "./nat_box.ts";
import { type SimHost, SimInternet, type SimNetwork } from "./sim_internet.ts";
import { SimSocket } from "./sim_socket.ts";
import { addStunServer } from "./sim_stun.ts";
import { SimWorld } from "./sim_world.ts";

/** One way through the core, ms. */
export const WAY_MS = 20;
/** There and back between two homes, with their own networks, ms. */
export const ROUND_TRIP_MS = 2 * WAY_MS;

/** Where programs share from. */
export const SOURCE = "/home/share";
/** Where they receive to. */
export const TARGET = "/home/in";

/** A NAT whose ports nobody can foresee. */
export const HARD_NAT: Omit<NatBoxOptions, "externalHost"> = {
  mapping: "address_and_port_dependent",
  filtering: "address_and_port_dependent",
  ports: "random",
};

/** A NAT that lets everybody in at a port that is open. */
export const FULL_CONE: Omit<NatBoxOptions, "externalHost"> = {
  filtering: "endpoint_independent",
};

/** A NAT that numbers its ports one after the other. */
export const STEPPING_NAT: Omit<NatBoxOptions, "externalHost"> = {
  ...HARD_NAT,
  ports: "sequential",
};

/** A NAT that forgets soon, and counts only what its own side says. */
export const FORGETFUL_NAT: Omit<NatBoxOptions, "externalHost"> = {
  lifetimeMs: 25_000,
  refresh: "outbound",
};

/** A network with a NAT in front. */
export interface Home {
  readonly router: NatBox;
  readonly network: SimNetwork;
}

/** How to share, and how many bytes the large file has. */
type SharingOptions = ShareOptions & { readonly bytes?: number };

/** A share in the world. */
export interface SharingSide {
  readonly sharing: Share;
  readonly log: EventLog;
  readonly socket: SimSocket;
  readonly storage: FakeStorage;
}

/** A receive in the world. */
export interface ReceivingSide {
  readonly receiving: Receive;
  readonly log: EventLog;
  readonly socket: SimSocket;
  readonly storage: FakeStorage;
}

/** The world. */
export class MeetingWorld {
  readonly world: SimWorld;
  readonly internet: SimInternet;
  /** STUN servers that answer, as options name them. */
  readonly stunServers: readonly string[];
  #hostCount = 1;
  #publicCount = 0;

  /**
   * @param options Faults and limits of the core's link beside its delay; how many STUN servers
   * there are (default 2), and whether each has another address and port to compare with (default no).
   */
  constructor(seed: number, options: LinkOptions & {
    readonly stunCount?: number;
    readonly hasAlternates?: boolean;
  } = {}) {
    const { stunCount = 2, hasAlternates = false, ...link } = options;
    this.world = new SimWorld(seed);
    this.internet = new SimInternet(this.world, { link: { delayMs: WAY_MS, ...link } });
    this.stunServers = Array.from({ length: stunCount }, (_, index) => {
      const host = `45.0.0.${index + 1}`;
      addStunServer(this.internet, {
        primary: { family: 4, host, port: 3478 },
        ...(hasAlternates
          ? { alternate: { family: 4, host: `45.0.1.${index + 1}`, port: 3479 } }
          : {}),
      });
      return host;
    });
  }

  /** Another home; by default its NAT is the common one. */
  home(nat: Omit<NatBoxOptions, "externalHost"> = {}): Home {
    const router = new NatBox({ externalHost: this.publicHost(), ...nat }, this.world.prng.fork());
    return { router, network: this.internet.behind(router) };
  }

  /** A home whose outside is in the network of another, a carrier's. */
  homeBehind(carrier: Home, host: string): Home {
    const router = new NatBox({ externalHost: host }, this.world.prng.fork());
    return { router, network: this.internet.behind(router, carrier.network) };
  }

  /** A global address that nobody has. */
  publicHost(): string {
    return `44.1.0.${++this.#publicCount}`;
  }

  /** Gives a home another outside address. */
  renumber({ router, network }: Home): void {
    this.internet.core.leave(router.externalHost!);
    router.renumber(this.publicHost());
    network.announce();
  }

  /** A new host, in a home or with a public address. */
  host(home: Home | "public"): SimHost {
    return home === "public"
      ? this.internet.core.addHost(this.publicHost())
      : home.network.addHost(`192.168.1.${++this.#hostCount}`);
  }

  /** Sends files from a new host; resolves when there is a code. */
  send(home: Home | "public", options: SharingOptions = {}): Promise<SharingSide> {
    return this.#begin(send, home, options);
  }

  /** Shares files with many from a new host; resolves when there is a code. */
  share(home: Home | "public", options: SharingOptions = {}): Promise<SharingSide> {
    return this.#begin(share, home, options);
  }

  async #begin(
    operation: typeof share,
    home: Home | "public",
    options: SharingOptions,
  ): Promise<SharingSide> {
    const { bytes = 100_000, ...rest } = options;
    const storage = new FakeStorage();
    storage.addFile(`${SOURCE}/large.bin`, this.world.prng.bytes(bytes));
    storage.addFile(`${SOURCE}/folder/small.txt`, this.world.prng.bytes(100));
    const socket = new SimSocket(this.host(home), 4000);
    const sharing = await operation([SOURCE], { ...this.#common(socket), storage, ...rest });
    return { sharing, log: new EventLog(this.world, sharing), socket, storage };
  }

  /** Receives on a new host. */
  receive(home: Home | "public", code: string, options: ReceiveOptions = {}): ReceivingSide {
    const storage = new FakeStorage();
    const socket = new SimSocket(this.host(home), 5000);
    const receiving = receive(code, {
      ...this.#common(socket),
      storage,
      directory: TARGET,
      ...options,
    });
    return { receiving, log: new EventLog(this.world, receiving), socket, storage };
  }

  /** Resolves after a while. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.world.schedule(this.world.nowMs + ms, resolve));
  }

  /** Lets time pass until a script is at its end. */
  run<T>(script: () => Promise<T>, limitMs = 3_600_000): Promise<T> {
    return this.world.runAsync({ until: script(), limitMs });
  }

  #common(socket: SimSocket): ShareOptions & ReceiveOptions {
    const { world, stunServers } = this;
    return { clock: world.clock, random: world.prng, sockets: [socket], stunServers };
  }
}

/** Asserts that both ended well and that every byte arrived. */
export async function assertArrived(from: SharingSide, to: ReceivingSide): Promise<void> {
  const last = await to.log.ended;
  assert.equal(last.event, "done", JSON.stringify(to.log.told));
  for (const path of from.storage.paths(SOURCE)) {
    const source = from.storage.get(path)!;
    const target = to.storage.get(path.replace(SOURCE, `${TARGET}/share`));
    assert.deepEqual(target?.bytes, source.bytes, path);
  }
}

/** What a host somewhere in the core gets, whatever the port. */
export class Stranger {
  /** When each datagram came, and to which port. */
  readonly received: { readonly atMs: number; readonly to: SocketAddress }[] = [];

  constructor({ internet, world }: MeetingWorld, host: string) {
    internet.core.join(host, {
      take: (_datagram, _from, to) => void this.received.push({ atMs: world.nowMs, to }),
    });
  }
}
