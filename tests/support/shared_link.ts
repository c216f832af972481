/** Several flows over one queue: who gets how much of it, and how long the queue is meanwhile. */
import type { CongestionName } from "../../lib/protocol/congestion/choose.ts";
import { createCongestion } from "../../lib/protocol/congestion/choose.ts";
import { LightFlow } from "./light_flow.ts";
import { Link, type LinkOptions } from "./link.ts";
import { SimWorld } from "./sim_world.ts";

const DATAGRAM_BYTES = 1472;
const QUEUE_SAMPLE_MS = 7;

/** One flow of a shared link. */
export interface FlowPlan {
  readonly congestion: CongestionName;
  /** When it begins (default 0). */
  readonly startMs?: number;
}

/** A link that flows share. */
export class SharedLink {
  readonly world: SimWorld;
  readonly link: Link;
  readonly flows: LightFlow[] = [];
  readonly #rate: number;
  #queueSumMs = 0;
  #queueSamples = 0;

  /** @param options Of the link; the ACKs take as long back, and lose as many. */
  constructor(
    seed: number,
    options: LinkOptions & { readonly rateBytesPerSecond: number },
    plans: readonly FlowPlan[],
  ) {
    this.world = new SimWorld(seed);
    this.#rate = options.rateBytesPerSecond;
    this.link = new Link(options, this.world.prng.fork());
    const back: LinkOptions = { delayMs: options.delayMs ?? 0, lossRate: options.lossRate ?? 0 };
    for (const [index, { congestion, startMs = 0 }] of plans.entries()) {
      this.world.schedule(startMs, () => {
        const controller = createCongestion(congestion, DATAGRAM_BYTES, this.world.prng);
        this.flows[index] = new LightFlow(this.world, this.link, back, controller);
      });
    }
    this.#sampleQueue();
  }

  /** Runs and tells each flow's share of the link between two instants. */
  shares(fromMs: number, untilMs: number): number[] {
    this.world.run({ untilMs: fromMs });
    const before = this.flows.map((flow) => flow.receivedBytes);
    this.world.run({ untilMs });
    const most = this.#rate * (untilMs - fromMs) / 1000;
    return this.flows.map((flow, index) => (flow.receivedBytes - before[index]!) / most);
  }

  /** Mean delay of the queue so far, ms. */
  get meanQueueMs(): number {
    return this.#queueSumMs / this.#queueSamples;
  }

  #sampleQueue(): void {
    this.#queueSumMs += this.link.queuedBytes(this.world.nowMs) / this.#rate * 1000;
    this.#queueSamples++;
    this.world.schedule(this.world.nowMs + QUEUE_SAMPLE_MS, () => this.#sampleQueue());
  }
}

/** Jain's index: 1 when all are equal, 1 / n when one has everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}
