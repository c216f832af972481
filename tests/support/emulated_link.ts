/**
 * A UDP link in user space, in real time: clients send to it, it forwards to one target, and what
 * the target answers goes back, both ways through the {@linkcode Link} model. Each client gets an
 * upstream socket of its own, so the target tells them apart; all of them share the link.
 *
 * Departures are reckoned in the model's time and a wake-up releases all that is due, so the rate is
 * exact on average even when the machine is busy and releases come in bunches. The program around
 * it is `link_emulator.ts`.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { Agenda } from "./agenda.ts";
import { corruptDatagram, Link, type LinkCounters, type LinkOptions } from "./link.ts";
import { PreciseTimer, type TimerKind } from "./precise_timer.ts";
import { Prng } from "./prng.ts";
import { kernelDrops } from "./kernel_drops.ts";

/** What a {@linkcode EmulatedLink} takes. */
export interface EmulatedLinkOptions {
  /** Where clients send to. */
  readonly listen: { readonly family: 4 | 6; readonly host: string; readonly port: number };
  /** Where everything is forwarded to. */
  readonly target: SocketAddress;
  /** The direction from the clients to the target. */
  readonly toTarget: LinkOptions;
  /** The direction from the target to the clients. */
  readonly toClients: LinkOptions;
  /** What losses and jitter come from. */
  readonly seed: number;
}

/** What happened so far. */
export interface EmulatedLinkStatistics {
  readonly toTarget: LinkCounters;
  readonly toClients: LinkCounters;
  readonly clients: number;
  /** Datagrams from strangers, or of more clients than there is room for. */
  readonly refused: number;
  /** Datagrams the kernel lost before the emulator saw them; undefined where it does not tell. */
  readonly kernelDrops: number | undefined;
  /** Receive buffer of the listening socket; undefined where it cannot be known. */
  readonly receiveBufferBytes: number | undefined;
  readonly timer: TimerKind;
  /** How late datagrams were released. */
  readonly meanLatenessMs: number;
  readonly maxLatenessMs: number;
}

/** A line, unlike the loopback on both sides of it, carries packets of Ethernet's size. */
const LINE: LinkOptions = { mtuBytes: 1500 };

const MAX_CLIENTS = 256;
/** Buffers of this size are used again; the few larger datagrams get one of their own. */
const POOLED_BYTES = 2048;
const MAX_POOLED = 16_384;

/** A datagram on its way. */
interface Parcel {
  buffer: Uint8Array;
  length: number;
  socket: DenoSocket;
  to: SocketAddress;
}

interface Client {
  upstream: DenoSocket;
  readonly address: SocketAddress;
}

/** A running link. */
export class EmulatedLink {
  readonly #options: EmulatedLinkOptions;
  readonly #listening: DenoSocket;
  readonly #toTarget: Link;
  readonly #toClients: Link;
  readonly #clients = new Map<string, Client>();
  readonly #loops: Promise<void>[] = [];
  readonly #queue = new Agenda<Parcel>();
  readonly #pool: Uint8Array[] = [];
  readonly #timer = new PreciseTimer(() => this.#releaseDue());
  readonly #receiveBufferBytes: number | undefined;
  // Clients mostly send many datagrams in a row: the last one's entry needs no look-up.
  #lastFrom: SocketAddress | undefined;
  #lastClient: Client | undefined;
  #refused = 0;
  #released = 0;
  #latenessSumMs = 0;
  #maxLatenessMs = 0;
  #releasing = false;
  #closed = false;

  /** Binds and begins to forward. */
  constructor(options: EmulatedLinkOptions) {
    this.#options = options;
    const prng = new Prng(options.seed);
    this.#toTarget = new Link({ ...LINE, ...options.toTarget }, prng.fork());
    this.#toClients = new Link({ ...LINE, ...options.toClients }, prng.fork());
    this.#listening = new DenoSocket(options.listen);
    this.#listening.enlargeBuffers();
    this.#receiveBufferBytes = this.#listening.acceleration.receiveBufferBytes;
    this.#loops.push(
      this.#listening.receive((datagram, from) => {
        const client = from === this.#lastFrom ? this.#lastClient : this.#clientOf(from);
        if (client === undefined) this.#refused++;
        else this.#carry(this.#toTarget, datagram, client.upstream, options.target);
      }),
    );
  }

  /** Where clients send to. */
  get address(): SocketAddress {
    return this.#listening.localAddress;
  }

  /** The two directions, to change or cut them while running. */
  get links(): { readonly toTarget: Link; readonly toClients: Link } {
    return { toTarget: this.#toTarget, toClients: this.#toClients };
  }

  /** What happened so far. */
  statistics(): EmulatedLinkStatistics {
    const sockets = [this.#listening, ...[...this.#clients.values()].map((c) => c.upstream)];
    const drops = sockets.map((socket) => kernelDrops(socket.localAddress.port));
    return {
      toTarget: { ...this.#toTarget.counters },
      toClients: { ...this.#toClients.counters },
      clients: this.#clients.size,
      refused: this.#refused,
      kernelDrops: drops.reduce((sum, n) => sum === undefined || n === undefined ? n : sum + n),
      receiveBufferBytes: this.#receiveBufferBytes,
      timer: this.#timer.kind,
      meanLatenessMs: this.#released === 0 ? 0 : this.#latenessSumMs / this.#released,
      maxLatenessMs: this.#maxLatenessMs,
    };
  }

  /**
   * The target sees every client at another port from now on, as behind a router that forgot them;
   * what is on its way to and from the old ports is lost.
   */
  rebind(): void {
    for (const client of this.#clients.values()) {
      client.upstream.close();
      client.upstream = this.#bindFor(client.address);
    }
  }

  /** Stops; what is on its way is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    const rested = this.#timer.close();
    this.#listening.close();
    for (const { upstream } of this.#clients.values()) upstream.close();
    await Promise.all([...this.#loops, rested]);
  }

  #clientOf(from: SocketAddress): Client | undefined {
    const key = `${from.host} ${from.port}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      if (this.#clients.size >= MAX_CLIENTS) return undefined;
      client = { upstream: this.#bindFor(from), address: from };
      this.#clients.set(key, client);
    }
    this.#lastFrom = from;
    this.#lastClient = client;
    return client;
  }

  #bindFor(address: SocketAddress): DenoSocket {
    const { target } = this.#options;
    const host = target.family === 4 ? "0.0.0.0" : "::";
    const upstream = new DenoSocket({ family: target.family, host, port: 0 });
    upstream.enlargeBuffers();
    this.#loops.push(
      upstream.receive((datagram, from) => {
        if (from.port !== target.port || from.host !== target.host) this.#refused++;
        else this.#carry(this.#toClients, datagram, this.#listening, address);
      }),
    );
    return upstream;
  }

  #carry(link: Link, datagram: Uint8Array, socket: DenoSocket, to: SocketAddress): void {
    const { arrivalMs, duplicateMs, corruptBit } = link.admit(performance.now(), datagram.length);
    if (arrivalMs !== undefined) {
      this.#enqueue(arrivalMs, corruptBit, datagram, socket, to);
      if (duplicateMs !== undefined) {
        this.#enqueue(duplicateMs, corruptBit, datagram, socket, to);
      }
    }
    this.#releaseDue();
  }

  #enqueue(
    atMs: number,
    corruptBit: number | undefined,
    datagram: Uint8Array,
    socket: DenoSocket,
    to: SocketAddress,
  ): void {
    const { length } = datagram;
    const buffer = (length <= POOLED_BYTES ? this.#pool.pop() : undefined) ??
      new Uint8Array(Math.max(length, POOLED_BYTES));
    buffer.set(datagram);
    if (corruptBit !== undefined) corruptDatagram(buffer, corruptBit);
    this.#queue.add(atMs, { buffer, length, socket, to });
  }

  #releaseDue(): void {
    // While a release runs it takes along what falls due meanwhile.
    if (this.#releasing || this.#closed) return;
    if (this.#queue.nextMs <= performance.now()) void this.#release();
    else this.#timer.arm(this.#queue.nextMs);
  }

  async #release(): Promise<void> {
    this.#releasing = true;
    while (!this.#closed) {
      const latenessMs = performance.now() - this.#queue.nextMs;
      if (!(latenessMs >= 0)) break;
      const { buffer, length, socket, to } = this.#queue.take()!;
      this.#released++;
      this.#latenessSumMs += latenessMs;
      if (latenessMs > this.#maxLatenessMs) this.#maxLatenessMs = latenessMs;
      await socket.send(buffer.subarray(0, length), to);
      if (buffer.length === POOLED_BYTES && this.#pool.length < MAX_POOLED) this.#pool.push(buffer);
    }
    this.#releasing = false;
    this.#timer.arm(this.#queue.nextMs);
  }
}
