/**
 * What is seen of a transfer from outside while it runs, in a laboratory: what the emulator carries
 * and drops, and how long pings take that go the same way. Elsewhere it sees nothing.
 */
import type { TimelineSample } from "../chart/timeline_chart.ts";
import { missingPing, Ping } from "./ping.ts";
import type { Place } from "./place.ts";
import type { BenchRow } from "./row.ts";
import { LaboratoryPlace, type LinkCounters } from "./laboratory_place.ts";
import { median, percentile } from "./statistics.ts";

/** How long the idle line is pinged before. */
const SETTLE_MS = 1500;
/** Between two samples of the timeline. */
const SAMPLE_MS = 100;

interface Observation {
  readonly atMs: number;
  readonly counters: LinkCounters;
}

/** Looks at one transfer. */
export class TransferObserver implements AsyncDisposable {
  readonly #place: LaboratoryPlace | undefined;
  readonly #ping: Ping | undefined;
  readonly #observations: Observation[] = [];
  #idleMs = 0;
  #startMs = Infinity;
  #stopped = Promise.withResolvers<void>();
  #watching: Promise<void> = Promise.resolve();

  /** @param isPinged Whether to send pings and keep how it went over time. */
  constructor(place: Place, isPinged: boolean) {
    if (!(place instanceof LaboratoryPlace)) return;
    this.#place = place;
    if (isPinged && missingPing() === undefined) this.#ping = new Ping(place);
  }

  /** Learns how long pings take on the idle line. */
  async settle(): Promise<void> {
    if (this.#ping === undefined) return;
    await pause(SETTLE_MS);
    this.#idleMs = Math.min(...this.#ping.answers.map(({ rttMs }) => rttMs));
  }

  /** The transfer begins now. */
  start(): void {
    this.#startMs = performance.now();
    this.#watching = this.#watch();
  }

  /** The transfer has ended: what was seen. */
  async stop(): Promise<Pick<BenchRow, "link" | "addedDelay" | "timeline">> {
    this.#stopped.resolve();
    await this.#watching;
    const [first, last] = [this.#observations[0], this.#observations.at(-1)];
    if (first === undefined || last === undefined) return {};
    const link = {
      carriedBytes: last.counters.carriedBytes - first.counters.carriedBytes,
      lost: last.counters.lost - first.counters.lost,
      queueDrops: last.counters.queueDrops - first.counters.queueDrops,
      cpuSeconds: last.counters.cpuSeconds - first.counters.cpuSeconds,
    };
    const trips = (this.#ping?.answers ?? [])
      .filter(({ atMs }) => atMs >= this.#startMs && atMs <= last.atMs);
    if (trips.length === 0) return { link };
    const added = trips.map(({ rttMs }) => Math.max(0, rttMs - this.#idleMs));
    return {
      link,
      addedDelay: { medianMs: median(added), p95Ms: percentile(added, 0.95) },
      timeline: this.#timeline(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.resolve();
    await this.#watching;
    await this.#ping?.[Symbol.asyncDispose]();
  }

  async #watch(): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    let isStopped = false;
    void this.#stopped.promise.then(() => isStopped = true);
    // Without a timeline the first and the last are enough.
    for (;;) {
      const counters = await place.counters();
      if (counters === undefined) return;
      this.#observations.push({ atMs: performance.now(), counters });
      if (isStopped) return;
      const stop = this.#stopped.promise;
      await (this.#ping === undefined ? stop : Promise.race([stop, pause(SAMPLE_MS)]));
    }
  }

  #timeline(): TimelineSample[] {
    const answers = this.#ping?.answers ?? [];
    return this.#observations.slice(1).map(({ atMs, counters }, index) => {
      const before = this.#observations[index]!;
      const seconds = (atMs - before.atMs) / 1000;
      const trip = answers.findLast((answer) => answer.atMs <= atMs);
      return {
        tMs: Math.round(atMs - this.#startMs),
        bytesPerSecond: Math.round(
          (counters.carriedBytes - before.counters.carriedBytes) / seconds,
        ),
        ...(trip === undefined ? {} : { rttMs: trip.rttMs }),
        lostPackets: counters.lost - before.counters.lost +
          counters.queueDrops - before.counters.queueDrops,
      };
    });
  }
}

async function pause(durationMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, durationMs));
}
