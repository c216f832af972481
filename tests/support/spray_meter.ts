/**
 * Counts what a punching machine sends to guessed ports or out of many sockets, from outside: it
 * looks at datagrams, not at the machine's own counters.
 */
import { isSameSocketAddress } from "../../lib/nat/address.ts";
import type { Candidate } from "../../lib/nat/candidate.ts";
import type { DatagramMachine } from "../../lib/nat/datagram_machine.ts";
import type { Path } from "../../lib/nat/path.ts";
import type { Instant } from "../../lib/time.ts";

/** Sums of fractions of milliseconds are off by less than this. */
const ROUNDING_MS = 1e-6;

/** A machine that is looked at while it sends. */
export class SprayMeter implements DatagramMachine {
  /** Datagrams in all. */
  sent = 0;
  /** The most spray probes within any stretch of `windowMs`. */
  mostInWindow = 0;
  /** Set when the other side was heard: what follows goes to where it is. */
  isOver = false;
  readonly #machine: DatagramMachine;
  readonly #windowMs: number;
  readonly #candidates: readonly Candidate[];
  readonly #mainSockets: readonly number[];
  readonly #times: number[] = [];
  #first = 0;

  /**
   * @param candidates Of the other side: what goes there out of `mainSockets` is no spray.
   * @param windowMs How long a stretch is looked at.
   */
  constructor(
    machine: DatagramMachine,
    candidates: readonly Candidate[],
    mainSockets: readonly number[],
    windowMs: number,
  ) {
    this.#machine = machine;
    this.#candidates = candidates;
    this.#mainSockets = mainSockets;
    this.#windowMs = windowMs;
  }

  get transmitPath(): Path {
    return this.#machine.transmitPath;
  }

  get transmitHops(): number | undefined {
    return this.#machine.transmitHops;
  }

  handleDatagram(now: Instant, datagram: Uint8Array, path: Path): boolean {
    return this.#machine.handleDatagram(now, datagram, path);
  }

  handleTimeout(now: Instant): void {
    this.#machine.handleTimeout(now);
  }

  pollTimeout(): Instant {
    return this.#machine.pollTimeout();
  }

  pollTransmit(now: Instant, out: Uint8Array): number {
    const length = this.#machine.pollTransmit(now, out);
    if (length > 0) this.#count(now);
    return length;
  }

  #count(now: Instant): void {
    this.sent++;
    if (this.isOver) return;
    const { socket, remote } = this.#machine.transmitPath;
    const isPlain = this.#mainSockets.includes(socket) &&
      this.#candidates.some(({ address }) => isSameSocketAddress(address, remote));
    if (isPlain) return;
    this.#times.push(now);
    while (this.#times[this.#first]! <= now - this.#windowMs + ROUNDING_MS) this.#first++;
    this.mostInWindow = Math.max(this.mostInWindow, this.#times.length - this.#first);
  }
}
