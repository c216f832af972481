/**
 * A program of a simulated machine that can be killed at any moment, as by `kill -9`: from then on no
 * timer of it fires, nothing leaves or enters its sockets, and nobody hears of it any more. It can be
 * put to sleep too, as a laptop is: time goes on without it.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import { instant } from "../../lib/time.ts";
import type { Clock } from "../../lib/transport/clock.ts";
import type { DatagramHandler, DatagramSocket } from "../../lib/transport/socket.ts";
import type { SimWorld } from "./sim_world.ts";

/** A running program. */
export class SimProcess {
  /** Its clock. */
  readonly clock: Clock;
  /** Resolves when it is killed. */
  readonly killed: Promise<void>;
  readonly #world: SimWorld;
  readonly #sockets: RoamingSocket[] = [];
  #signalKilled!: () => void;
  #isAlive = true;
  #asleepUntilMs = 0;
  readonly #clockSleeps: boolean;
  /** How far the clock is behind the world's. */
  #behindMs = 0;
  /** What was due last: rounding must not make that a moment to come. */
  #dueMs = 0;

  /**
   * @param options `clockSleeps`: whether the machine's clock stands still while it sleeps, as that of
   *   Linux does; by default it runs on, and timers are late.
   */
  constructor(world: SimWorld, options: { readonly clockSleeps?: boolean } = {}) {
    this.#world = world;
    this.#clockSleeps = options.clockSleeps ?? false;
    this.killed = new Promise((resolve) => this.#signalKilled = resolve);
    this.clock = {
      now: () => {
        const nowMs = this.#clockSleeps ? Math.max(world.nowMs, this.#asleepUntilMs) : world.nowMs;
        return instant(Math.max(nowMs - this.#behindMs, this.#dueMs));
      },
      setTimer: (deadline, callback) => this.#setTimer(deadline, callback),
    };
  }

  /** Whether it runs and is awake. */
  get isAwake(): boolean {
    return this.#isAlive && this.#world.nowMs >= this.#asleepUntilMs;
  }

  /** Ends it without a word. */
  kill(): void {
    this.#isAlive = false;
    for (const socket of this.#sockets) socket.close();
    this.#signalKilled();
  }

  /** Stops it for a while: what comes meanwhile is lost, what is due is late. */
  sleep(untilMs: number): void {
    const fromMs = Math.max(this.#asleepUntilMs, this.#world.nowMs);
    if (this.#clockSleeps) this.#behindMs += Math.max(0, untilMs - fromMs);
    this.#asleepUntilMs = Math.max(this.#asleepUntilMs, untilMs);
  }

  /** Opens a socket of it. */
  bind(network: RoamingNetwork, seenAs: SocketAddress): RoamingSocket {
    const socket = new RoamingSocket(this, network, seenAs);
    this.#sockets.push(socket);
    return socket;
  }

  #setTimer(deadline: number, callback: () => void): () => void {
    const behindMs = this.#behindMs;
    let cancel = this.#world.schedule(deadline + behindMs, () => {
      if (!this.#isAlive) return;
      if (this.#behindMs > behindMs) cancel = this.#setTimer(deadline, callback);
      else if (this.isAwake) {
        this.#dueMs = Math.max(this.#dueMs, deadline);
        callback();
      } else cancel = this.#setTimer(instant(this.#asleepUntilMs - behindMs), callback);
    });
    return () => cancel();
  }
}

/** A network in which sockets are seen at addresses that may change under their feet. */
export class RoamingNetwork {
  readonly #sockets = new Map<string, RoamingSocket>();
  readonly #carry: Carry;

  /** @param carry Takes each datagram, and calls back when and as often as it arrives. */
  constructor(carry: Carry) {
    this.#carry = carry;
  }

  /** @ignore */
  join(address: SocketAddress, socket: RoamingSocket): void {
    this.#sockets.set(keyOf(address), socket);
  }

  /** @ignore */
  leave(address: SocketAddress, socket: RoamingSocket): void {
    if (this.#sockets.get(keyOf(address)) === socket) this.#sockets.delete(keyOf(address));
  }

  /** @ignore */
  send(datagram: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    this.#carry(datagram, from, to, (arrived) => {
      this.#sockets.get(keyOf(to))?.deliver(arrived, from);
    });
  }
}

/** What a network does with a datagram. */
export type Carry = (
  datagram: Uint8Array,
  from: SocketAddress,
  to: SocketAddress,
  arrive: (datagram: Uint8Array) => void,
) => void;

/** A socket behind a router that may give it another address. */
export class RoamingSocket implements DatagramSocket {
  readonly family = 4;
  readonly localAddress: SocketAddress;
  readonly #process: SimProcess;
  readonly #network: RoamingNetwork;
  #seenAs: SocketAddress;
  #handler: DatagramHandler | undefined;
  #isClosed = false;
  #finish = (): void => {};

  constructor(process: SimProcess, network: RoamingNetwork, seenAs: SocketAddress) {
    this.#process = process;
    this.#network = network;
    this.#seenAs = seenAs;
    this.localAddress = seenAs;
    network.join(seenAs, this);
  }

  /** It is seen at another address; what is on its way to the old one is lost. */
  rebind(address: SocketAddress): void {
    if (this.#isClosed) return;
    this.#network.leave(this.#seenAs, this);
    this.#seenAs = address;
    this.#network.join(address, this);
  }

  receive(handler: DatagramHandler): Promise<void> {
    this.#handler = handler;
    return new Promise((resolve) => this.#finish = resolve);
  }

  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    if (this.#isClosed || !this.#process.isAwake || to.family !== 4) return Promise.resolve(false);
    this.#network.send(datagram.slice(), this.#seenAs, to);
    return Promise.resolve(true);
  }

  /** @ignore */
  deliver(datagram: Uint8Array, from: SocketAddress): void {
    if (!this.#isClosed && this.#process.isAwake) this.#handler?.(datagram, from);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#network.leave(this.#seenAs, this);
    this.#finish();
  }
}

function keyOf({ host, port }: SocketAddress): string {
  return `${host} ${port}`;
}
