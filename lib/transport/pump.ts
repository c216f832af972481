/**
 * Drives an endpoint: datagrams and time in, datagrams and events out. It has nothing to decide.
 * One loop sends, one callback a socket receives, and there is one real timer. Sockets may come and
 * go: each has an index, by which the endpoint's paths name it, and which no other socket gets.
 */
import type { DatagramMachine } from "../nat/datagram_machine.ts";
import type { Path } from "../nat/path.ts";
import type { Endpoint, EndpointEvent } from "../protocol/endpoint.ts";
import { ETHERNET_DATAGRAM_BYTES_V4 } from "../protocol/params.ts";
import { after, type Instant, NEVER } from "../time.ts";
import type { Clock } from "./clock.ts";
import type { DatagramSocket } from "./socket.ts";
import { Train } from "./train.ts";

/**
 * How long is sent before timers, events, machines and the rest of the program have their turn, ms.
 * Beside many sessions, of which one always has more to send, they would else wait for seconds.
 */
const SENDING_TURN_MS = 2;

/** The pump of one endpoint and its sockets. */
export class Pump {
  readonly #endpoint: Endpoint;
  readonly #sockets = new Map<number, DatagramSocket>();
  #nextIndex = 0;
  readonly #listeners = new Map<DatagramMachine, () => void>();
  readonly #tellListener = (listener: () => void): void => {
    if (!this.#isClosed) listener();
  };
  readonly #clock: Clock;
  readonly #onEvent: (event: EndpointEvent) => void;
  readonly #train: Train;
  // Views of the train's first datagram by length: one allocation a size instead of one a datagram.
  // Of those larger than Ethernet's there are few, and one view for each would be dear.
  readonly #views: (Uint8Array | undefined)[] = new Array(ETHERNET_DATAGRAM_BYTES_V4 + 1);
  readonly #flush = (): void => void this.#run();
  #isScheduled = false;
  #isRunning = false;
  #isClosed = false;
  readonly #onIdle: (() => void)[] = [];
  #armedFor: Instant = NEVER;
  #cancelTimer: (() => void) | undefined;

  /**
   * Starts receiving.
   *
   * @param sockets Get the indices from 0 on, in this order; closed with the pump.
   * @param onEvent Told of what the endpoint reports; must not throw.
   */
  constructor(
    endpoint: Endpoint,
    sockets: readonly DatagramSocket[],
    clock: Clock,
    onEvent: (event: EndpointEvent) => void,
  ) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#train = new Train(endpoint, clock, (index) => this.takesTrains(index));
    for (const socket of sockets) this.addSocket(socket);
    this.wake();
  }

  /** The sockets by index. */
  get sockets(): ReadonlyMap<number, DatagramSocket> {
    return this.#sockets;
  }

  /** Whether a socket takes several datagrams in one call now. */
  takesTrains(index: number): boolean {
    return this.#sockets.get(index)?.sendTrain !== undefined;
  }

  /** Largest datagram that the link to a path carries in one piece; undefined if unknown. */
  linkDatagramBytes({ socket, remote }: Path): number | undefined {
    return this.#sockets.get(socket)?.linkDatagramBytes?.(remote);
  }

  /**
   * Receives from one more socket from now on; after {@linkcode Pump.close} it is only closed.
   *
   * @returns Its index.
   */
  addSocket(socket: DatagramSocket): number {
    const index = this.#nextIndex++;
    if (this.#isClosed) {
      socket.close();
      return index;
    }
    this.#sockets.set(index, socket);
    const receiving = socket.receive((datagram, from) => {
      const now = this.#clock.now();
      const isOurs = this.#endpoint.handleDatagram(now, datagram, index, from);
      // A stranger's changes nothing: most of what it would cost is the turn of the loop.
      if (isOurs || now > this.#armedFor) this.wake();
    });
    // A socket that broke is as good as a network that is gone: timers tell the rest.
    receiving.catch(() => {});
    return index;
  }

  /** Closes a socket. What the endpoint still wants to send there is dropped. */
  removeSocket(index: number): void {
    this.#sockets.get(index)?.close();
    this.#sockets.delete(index);
  }

  /**
   * Lets a machine share the sockets.
   *
   * @param onTurn Called whenever the machine may have something to tell; must not throw.
   */
  attach(machine: DatagramMachine, onTurn: () => void): void {
    this.#endpoint.attach(machine);
    this.#listeners.set(machine, onTurn);
    this.wake();
  }

  /** Ends the sharing; nothing is called afterwards. */
  detach(machine: DatagramMachine): void {
    this.#endpoint.detach(machine);
    this.#listeners.delete(machine);
  }

  /** Says that there may be something to send, to tell, or to wait for. */
  wake(): void {
    if (this.#isScheduled || this.#isRunning) {
      this.#isScheduled = true;
      return;
    }
    this.#isScheduled = true;
    queueMicrotask(this.#flush);
  }

  /** Resolves when everything the endpoint had to send has left. */
  async idle(): Promise<void> {
    while (!this.#isClosed && (this.#isScheduled || this.#isRunning)) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
  }

  /** Closes the sockets and the timer. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    for (const socket of this.#sockets.values()) socket.close();
    this.#tellIdle();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isScheduled && !this.#isClosed) {
      this.#isScheduled = false;
      this.#handleOverdue();
      if (await this.#transmit()) {
        this.#isScheduled = true;
        await this.#clock.letOthers?.();
      }
      this.#tellEvents();
      this.#listeners.forEach(this.#tellListener);
    }
    this.#isRunning = false;
    if (!this.#isClosed) this.#arm();
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Sends for a turn; whether there may be more. */
  async #transmit(): Promise<boolean> {
    const train = this.#train;
    const endsAt = after(this.#clock.now(), SENDING_TURN_MS);
    do {
      if (this.#isClosed || !train.fill()) return false;
      const { length, segmentBytes, hops, path: { socket: index, remote } } = train;
      const socket = this.#sockets.get(index);
      if (socket === undefined) continue;
      if (length > segmentBytes) {
        await socket.sendTrain!(train.buffer, length, segmentBytes, remote);
        continue;
      }
      const view = length > ETHERNET_DATAGRAM_BYTES_V4
        ? train.buffer.subarray(0, length)
        : this.#views[length] ??= train.buffer.subarray(0, length);
      if (hops === undefined) {
        const { path } = train;
        const isSent = await socket.send(view, remote);
        if (!isSent) this.#endpoint.handleUnsent(this.#clock.now(), path);
      } else if (socket.limitHops?.(hops)) {
        await socket.send(view, remote);
        socket.limitHops(undefined);
      }
    } while (train.madeAt < endsAt);
    return true;
  }

  #tellEvents(): void {
    while (!this.#isClosed) {
      const event = this.#endpoint.pollEvent();
      if (!event) break;
      this.#onEvent(event);
    }
  }

  /**
   * Does what a timer should have done by now. While datagrams come faster than they are taken, the
   * runtime takes one after the other and fires no timers for a tenth of a second: who sends garbage
   * would hold back what is paced.
   */
  #handleOverdue(): void {
    const now = this.#clock.now();
    if (now <= this.#armedFor && now <= this.#endpoint.pollTimeout()) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#armedFor = NEVER;
    this.#endpoint.handleTimeout(now);
  }

  /** Arms the timer for the earliest deadline; one that fires too early is harmless and cheaper. */
  #arm(): void {
    const deadline = this.#endpoint.pollTimeout();
    if (deadline >= this.#armedFor) return;
    this.#cancelTimer?.();
    this.#armedFor = deadline;
    this.#cancelTimer = this.#clock.setTimer(deadline, () => {
      this.#armedFor = NEVER;
      this.#cancelTimer = undefined;
      this.#endpoint.handleTimeout(this.#clock.now());
      this.wake();
    });
  }
}
