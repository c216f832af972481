/**
 * A world with its own time and its own luck, in which real code runs as often as we like: one
 * virtual clock, one seeded generator, one queue of things to come. Equal seeds and equal calls give
 * equal runs, to the byte.
 *
 * Two ways to run it:
 * - `run` steps synchronous machines (`lib/protocol`): links hand bytes to callbacks.
 * - `runAsync` runs whole programs (`lib/share.ts`) over an in-memory network (`sim_network.ts`):
 *   between two events everything the programs have started is left to finish.
 */
import { setImmediate } from "node:timers";
import { type Instant, instant } from "../../lib/time.ts";
import type { Clock } from "../../lib/transport/clock.ts";
import { Agenda } from "./agenda.ts";
import { corruptDatagram, Link, type LinkOptions } from "./link.ts";
import { Prng } from "./prng.ts";

/** A run that takes more steps than this has lost its way. */
const DEFAULT_MAX_STEPS = 20_000_000;

/**
 * How often, with nothing to come, programs get another turn before they count as stuck. Work that
 * leaves the thread (`crypto.subtle`, files) comes back within some turns; it is best avoided, since
 * the order in which it comes back is not the seed's.
 */
const MAX_IDLE_TURNS = 2_000;

interface Task {
  readonly action: () => void;
  cancelled: boolean;
}

/** A link that is part of a world: what is sent arrives by itself when its time has come. */
export class SimLink {
  /** The model, to look at counters and to change faults. */
  readonly model: Link;
  readonly #world: SimWorld;
  readonly #deliver: (datagram: Uint8Array) => void;

  constructor(world: SimWorld, model: Link, deliver: (datagram: Uint8Array) => void) {
    this.#world = world;
    this.model = model;
    this.#deliver = deliver;
  }

  /**
   * Sends a datagram; it is copied.
   *
   * @param deliver Called for each copy that arrives, in place of the link's own.
   */
  send(datagram: Uint8Array, deliver: (datagram: Uint8Array) => void = this.#deliver): void {
    const { arrivalMs, duplicateMs, corruptBit } = this.model.admit(
      this.#world.nowMs,
      datagram.length,
    );
    if (arrivalMs === undefined) return;
    const copy = datagram.slice();
    if (corruptBit !== undefined) corruptDatagram(copy, corruptBit);
    this.#world.schedule(arrivalMs, () => deliver(copy));
    if (duplicateMs !== undefined) {
      const second = copy.slice();
      this.#world.schedule(duplicateMs, () => deliver(second));
    }
  }
}

/** How far to run. */
export interface RunOptions {
  /** Virtual time to stop at; what is due exactly then still happens. */
  readonly untilMs?: number;
  /** Stops as soon as this is true; asked after every step. */
  readonly until?: () => boolean;
  /** Called after every step: the place of checkers. */
  readonly onStep?: () => void;
  /** More steps than this are an error (default 20,000,000). */
  readonly maxSteps?: number;
}

/** How far to run programs. */
export interface RunAsyncOptions<T> {
  /** The run ends when this settles. */
  readonly until: Promise<T>;
  /** Virtual time by which it must have settled (default one day from now). */
  readonly limitMs?: number;
  /** Called after every step: the place of checkers. */
  readonly onStep?: () => void;
}

/** The world of one run. */
export class SimWorld {
  /** What this world's luck comes from; names the run in messages. */
  readonly seed: number;
  /** The generator; also a `RandomSource` for keys. */
  readonly prng: Prng;
  /** The clock to hand to code that takes one. */
  readonly clock: Clock;
  /** Every link, in the order of making. */
  readonly links: SimLink[] = [];
  readonly #queue = new Agenda<Task>();
  #nowMs = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.prng = new Prng(seed);
    this.clock = {
      now: () => this.now,
      setTimer: (deadline, callback) => this.schedule(deadline, callback),
    };
  }

  /** Virtual time, in milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The same as an instant, for the protocol core. */
  get now(): Instant {
    return instant(this.#nowMs);
  }

  /**
   * Has `action` happen at `atMs`, or as soon as possible when that is over. At infinity it never
   * happens.
   *
   * @returns A function that calls it off.
   */
  schedule(atMs: number, action: () => void): () => void {
    if (Number.isNaN(atMs)) throw new RangeError("Cannot schedule at NaN");
    const task: Task = { action, cancelled: false };
    if (atMs !== Number.POSITIVE_INFINITY) this.#queue.add(Math.max(atMs, this.#nowMs), task);
    return () => {
      task.cancelled = true;
    };
  }

  /** Makes one direction of a path; `deliver` is called for every datagram that arrives. */
  link(options: LinkOptions, deliver: (datagram: Uint8Array) => void = () => {}): SimLink {
    const link = new SimLink(this, new Link(options, this.prng.fork()), deliver);
    this.links.push(link);
    return link;
  }

  /** Ends every fault of every link. */
  heal(): void {
    for (const { model } of this.links) model.heal();
  }

  /**
   * Lets time pass for synchronous machines, until `untilMs`, until `until`, or until nothing is
   * left to come. With `untilMs` and no `until` the clock always ends there.
   *
   * @throws {Error} After more than `maxSteps` steps, and whatever an action or a checker throws.
   */
  run({ untilMs, until, onStep, maxSteps = DEFAULT_MAX_STEPS }: RunOptions): void {
    for (let steps = 0;; steps++) {
      if (until?.() === true) return;
      if (!this.#step(untilMs ?? Number.POSITIVE_INFINITY)) break;
      onStep?.();
      if (steps >= maxSteps) {
        throw new Error(`World ${this.seed} took ${steps} steps and is at ${this.#nowMs} ms`);
      }
    }
    if (untilMs !== undefined && untilMs > this.#nowMs) this.#nowMs = untilMs;
  }

  /**
   * Lets time pass for asynchronous programs until a promise of theirs settles.
   *
   * @returns What the promise resolved to.
   * @throws {Error} When the limit passed or nothing is left to come; whatever the promise rejects
   * with, and whatever a checker throws.
   */
  async runAsync<T>({ until, limitMs, onStep }: RunAsyncOptions<T>): Promise<T> {
    const deadlineMs = limitMs ?? this.#nowMs + 86_400_000;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    until.then(settle, settle);
    for (let idleTurns = 0;;) {
      // One macrotask: every promise chain the last event started has come to rest after it.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      if (settled) return await until;
      if (this.#step(deadlineMs)) {
        idleTurns = 0;
        onStep?.();
      } else if (this.#queue.size > 0) {
        throw new Error(`World ${this.seed} reached its limit of ${deadlineMs} ms of virtual time`);
      } else if (++idleTurns > MAX_IDLE_TURNS) {
        throw new Error(
          `World ${this.seed} is stuck at ${this.#nowMs} ms: nothing is left to come`,
        );
      }
    }
  }

  // Does the next thing due by `untilMs`; false when there is none.
  #step(untilMs: number): boolean {
    while (this.#queue.size > 0 && this.#queue.nextMs <= untilMs) {
      const atMs = this.#queue.nextMs;
      const task = this.#queue.take()!;
      if (task.cancelled) continue;
      this.#nowMs = atMs;
      task.action();
      return true;
    }
    return false;
  }
}
