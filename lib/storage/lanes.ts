/** Runs asynchronous work a few at a time, in the order it came. */
import { Fifo } from "../protocol/fifo.ts";

/** A fixed number of lanes. */
export class Lanes {
  #freeLanes: number;
  #busyLanes = 0;
  readonly #waiting = new Fifo<() => void>();
  readonly #idleWaiters: (() => void)[] = [];

  /** @param count How many tasks may run at the same time. */
  constructor(count: number) {
    this.#freeLanes = count;
  }

  /** Runs `task` once a lane is free. */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    this.#busyLanes++;
    if (this.#freeLanes > 0) this.#freeLanes--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The lane is handed on without ever being free, so nobody can slip in between.
      if (next !== undefined) next();
      else this.#freeLanes++;
      this.#busyLanes--;
      if (this.#busyLanes === 0) {
        for (const resolve of this.#idleWaiters.splice(0)) resolve();
      }
    }
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    if (this.#busyLanes === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }
}
