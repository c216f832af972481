/**
 * Drives an endpoint: datagrams and time in, datagrams and events out. It has nothing to decide.
 * One loop sends, one callback a socket receives, and there is one real timer.
 */
import type { Endpoint, EndpointEvent } from "../protocol/endpoint.ts";
import { MAX_DATAGRAM_BYTES_V4 } from "../protocol/params.ts";
import { type Instant, NEVER } from "../time.ts";
import type { Clock } from "./clock.ts";
import type { DatagramSocket } from "./socket.ts";

/** The pump of one endpoint and its sockets. */
export class Pump {
  readonly #endpoint: Endpoint;
  readonly #sockets: readonly DatagramSocket[];
  readonly #clock: Clock;
  readonly #onEvent: (event: EndpointEvent) => void;
  readonly #out = new Uint8Array(MAX_DATAGRAM_BYTES_V4);
  // Views of `#out` by length: one allocation a size instead of one a datagram.
  readonly #views: (Uint8Array | undefined)[] = new Array(MAX_DATAGRAM_BYTES_V4 + 1);
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
   * @param sockets In the order of the endpoint's path indices; closed with the pump.
   * @param onEvent Told of what the endpoint reports; must not throw.
   */
  constructor(
    endpoint: Endpoint,
    sockets: readonly DatagramSocket[],
    clock: Clock,
    onEvent: (event: EndpointEvent) => void,
  ) {
    this.#endpoint = endpoint;
    this.#sockets = sockets;
    this.#clock = clock;
    this.#onEvent = onEvent;
    sockets.forEach((socket, index) => {
      const receiving = socket.receive((datagram, from) => {
        endpoint.handleDatagram(clock.now(), datagram, index, from);
        this.wake();
      });
      // A socket that broke is as good as a network that is gone: timers tell the rest.
      receiving.catch(() => {});
    });
    this.wake();
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
    for (const socket of this.#sockets) socket.close();
    this.#tellIdle();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isScheduled && !this.#isClosed) {
      this.#isScheduled = false;
      await this.#transmit();
      this.#tellEvents();
    }
    this.#isRunning = false;
    if (!this.#isClosed) this.#arm();
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  async #transmit(): Promise<void> {
    const endpoint = this.#endpoint;
    while (!this.#isClosed) {
      const length = endpoint.pollTransmit(this.#clock.now(), this.#out);
      if (length === 0) return;
      const view = this.#views[length] ??= this.#out.subarray(0, length);
      const { socket, remote } = endpoint.transmitPath;
      await this.#sockets[socket]!.send(view, remote);
    }
  }

  #tellEvents(): void {
    while (!this.#isClosed) {
      const event = this.#endpoint.pollEvent();
      if (!event) return;
      this.#onEvent(event);
    }
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
