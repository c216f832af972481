/**
 * Runs one hole-punching machine on the sockets of an endpoint: hands it the extra sockets it wants,
 * and gives back all but the one that a session came to use.
 */
import type { ProbeCodec } from "../crypto/probe.ts";
import { Punch, type PunchOptions } from "../nat/punch/punch.ts";
import type { Path } from "../nat/path.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Clock } from "../transport/clock.ts";
import type { ExtraSockets } from "../transport/extra_sockets.ts";
import type { LiveEndpoint } from "../transport/live_endpoint.ts";

/** What punching needs besides what the machine is told. */
export interface PunchingOptions {
  readonly live: LiveEndpoint;
  readonly clock: Clock;
  /** Where extra sockets come from; none where they cannot be had. */
  readonly extras: ExtraSockets | undefined;
  readonly machine: PunchOptions & {
    /** Of this punching alone: wiped at its end. */
    readonly codec: ProbeCodec;
  };
  /** The other side was heard on a path; only an answer shows that somebody is there. */
  readonly onHeard: (path: Path, isAnswer: boolean) => void;
  /** All that may be tried was tried. */
  readonly onExhausted?: () => void;
}

/** One punching under way. */
export class Punching {
  readonly #options: PunchingOptions;
  readonly #machine: Punch;
  readonly #extraIndices: number[] = [];
  #isOver = false;

  /** Begins at once. */
  constructor(options: PunchingOptions) {
    const { live, clock, machine } = options;
    this.#options = options;
    this.#machine = new Punch(clock.now(), machine);
    live.attach(this.#machine, () => this.#tell());
    live.wake();
  }

  /** How a path came about. */
  methodOf(path: Path): PathMethod {
    return this.#machine.methodOf(path);
  }

  /** Whether it holds extra sockets. */
  get hasSockets(): boolean {
    return this.#extraIndices.length > 0;
  }

  /** Ends the search and gives back every extra socket but `keptSocket`. */
  stop(keptSocket?: number): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#machine.stop();
      this.#options.live.detach(this.#machine);
      this.#options.machine.codec.wipe();
    }
    for (const index of this.#extraIndices.splice(0)) {
      if (index === keptSocket) {
        this.#options.extras!.keep(index);
        this.#extraIndices.push(index);
      } else this.#options.extras!.release(index);
    }
  }

  #tell(): void {
    if (this.#isOver) return;
    for (let event = this.#machine.pollEvent(); event; event = this.#machine.pollEvent()) {
      switch (event.type) {
        case "heard":
          this.#options.onHeard(event.path, event.isAnswer);
          break;
        case "sockets-wanted":
          void this.#openSockets(event.count, event.family);
          break;
        case "exhausted":
          this.#options.onExhausted?.();
          break;
      }
    }
  }

  async #openSockets(count: number, family: 4 | 6): Promise<void> {
    const { live, clock, extras } = this.#options;
    const indices = await extras?.takeShared(family, count) ?? [];
    if (this.#isOver) return indices.forEach((index) => extras!.release(index));
    this.#extraIndices.push(...indices);
    this.#machine.addSockets(clock.now(), indices.map((index) => ({ index, family })));
    live.wake();
  }
}
