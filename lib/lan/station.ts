/**
 * Drives an announcer or a browser: holds a socket for each link, reads what comes through them as far
 * as it is worth reading, and keeps the one timer.
 *
 * What comes passes, in this order: the count of datagrams, port and address of its sender, the look
 * for our labels, the budget of messages, the parser.
 */
import { TransferError } from "../errors.ts";
import type { SocketAddress } from "../nat/address.ts";
import { after, earlier, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import type { DatagramSocket } from "../transport/socket.ts";
import { decodeDnsMessage, encodeDnsMessage, mentionsShares } from "./dns_message.ts";
import {
  FLOOD_DATAGRAMS_PER_SECOND,
  FLOOD_PAUSE_MS,
  LOOK_EVERY_MS,
  MAX_MESSAGE_BYTES,
  MDNS_PORT,
} from "./limits.ts";
import { isOnLink, type LanLink } from "./link.ts";
import type { LanMachine } from "./machine.ts";
import { MessageBudget } from "./message_budget.ts";
import { groupOf, type LanNetwork } from "./network.ts";

/** What {@linkcode LanStation} works with. */
export interface LanStationOptions {
  readonly network: LanNetwork;
  readonly clock: Clock;
  readonly machine: LanMachine;
  /** Called after anything that the machine may have news of. */
  readonly onProgress: () => void;
}

/** A link that is in use. */
interface OpenLink {
  readonly link: LanLink;
  readonly socket: DatagramSocket;
  /** Datagrams of the second that began then. */
  count: number;
  countedFrom: Instant;
}

/** One machine on all links. */
export class LanStation {
  readonly #options: LanStationOptions;
  readonly #budget: MessageBudget;
  #open = new Map<string, OpenLink>();
  /** When a link that was flooded may be used again. */
  readonly #pausedUntil = new Map<string, Instant>();
  /** The last look at the interfaces, and whether one is under way. */
  #nextLookAt: Instant;
  #look: Promise<void> | undefined;
  readonly #sends = new Set<Promise<unknown>>();
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  private constructor(options: LanStationOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#budget = new MessageBudget(now);
    this.#nextLookAt = now;
  }

  /**
   * Opens what links there are; others are used as soon as they come.
   *
   * @throws {TransferError} `permission_missing`.
   */
  static async start(options: LanStationOptions): Promise<LanStation> {
    options.network.requirePermissions();
    const station = new LanStation(options);
    station.#wake();
    await station.#look;
    return station;
  }

  /** Says that the machine was changed by its owner. */
  wake(): void {
    if (!this.#isClosed) this.#wake();
  }

  /** Sends what the machine has left to say, and ends. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#cancelTimer?.();
    this.#transmit();
    await Promise.all([...this.#sends, this.#look]);
    for (const { socket } of this.#open.values()) socket.close();
    this.#open.clear();
  }

  #wake(): void {
    const { clock, machine, onProgress } = this.#options;
    const now = clock.now();
    if (this.#nextLookAt <= now) {
      this.#nextLookAt = after(now, LOOK_EVERY_MS);
      this.#look ??= this.#lookAtLinks().finally(() => this.#look = undefined);
    }
    machine.handleTimeout(now);
    this.#transmit();
    this.#cancelTimer?.();
    const deadline = earlier(machine.pollTimeout(), this.#nextLookAt);
    this.#cancelTimer = clock.setTimer(deadline, () => this.#wake());
    onProgress();
  }

  async #lookAtLinks(): Promise<void> {
    const { clock, network, machine } = this.#options;
    const now = clock.now();
    for (const [key, until] of this.#pausedUntil) if (until <= now) this.#pausedUntil.delete(key);
    const links = network.links().filter(({ key }) => !this.#pausedUntil.has(key));
    const wanted = new Set(links.map(({ key }) => key));
    for (const [key, { socket }] of this.#open) {
      if (wanted.has(key)) continue;
      socket.close();
      this.#open.delete(key);
    }
    for (const link of links) {
      if (!this.#open.has(link.key) && !this.#isClosed) await this.#openLink(link);
    }
    if (this.#isClosed) return;
    machine.handleLinks(clock.now(), [...this.#open.values()].map(({ link }) => link));
    this.#wake();
  }

  async #openLink(link: LanLink): Promise<void> {
    const { clock, network } = this.#options;
    let socket: DatagramSocket;
    try {
      socket = await network.open(link);
    } catch (error) {
      // Tunnels take no multicast, an address may be gone already; the next look tries again.
      if (error instanceof TransferError) return;
      throw error;
    }
    const open = { link, socket, count: 0, countedFrom: clock.now() };
    this.#open.set(link.key, open);
    // A socket that broke for good is opened again by the next look.
    const forget = () => {
      if (this.#open.get(link.key) === open) this.#open.delete(link.key);
      socket.close();
    };
    socket.receive((datagram, from) => this.#receive(open, datagram, from)).then(forget, forget);
  }

  #receive(open: OpenLink, datagram: Uint8Array, from: SocketAddress): void {
    const { clock, machine } = this.#options;
    const now = clock.now();
    if (this.#isClosed || this.#isFlooded(open, now)) return;
    // Other ports ask for an answer to themselves: none is given [LAN-2].
    if (from.port !== MDNS_PORT || datagram.length > MAX_MESSAGE_BYTES) return;
    if (!isOnLink(open.link, from) || !mentionsShares(datagram)) return;
    if (!this.#budget.take(now, from.host)) return;
    const message = decodeDnsMessage(datagram);
    if (message === undefined) return;
    machine.handleMessage(now, message, { linkKey: open.link.key, from });
    this.#wake();
  }

  #isFlooded(open: OpenLink, now: Instant): boolean {
    if (now - open.countedFrom >= 1000) {
      open.count = 0;
      open.countedFrom = now;
    }
    open.count++;
    if (open.count <= FLOOD_DATAGRAMS_PER_SECOND) return false;
    const { key } = open.link;
    this.#pausedUntil.set(key, after(now, FLOOD_PAUSE_MS));
    this.#open.delete(key);
    open.socket.close();
    return true;
  }

  #transmit(): void {
    const { machine } = this.#options;
    for (let next = machine.pollTransmit(); next; next = machine.pollTransmit()) {
      const { linkKey, message } = next;
      const datagram = encodeDnsMessage(message);
      for (const { link, socket } of this.#open.values()) {
        if (linkKey !== undefined && linkKey !== link.key) continue;
        const send = socket.send(datagram, groupOf(link.family))
          .finally(() => this.#sends.delete(send));
        this.#sends.add(send);
      }
    }
  }
}
