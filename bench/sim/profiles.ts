/**
 * The paths of the simulated transfers, and what is moved over them. `brief` sizes are for the test
 * that compares with the stored figures; they move enough for the start to be over.
 */
import type { LinkOptions } from "../../tests/support/link.ts";

/** One path, and what is sent along it. */
export interface Profile {
  readonly name: string;
  /** What the table calls it. */
  readonly title: string;
  /** From the sharer to the client. */
  readonly forth: LinkOptions & { readonly rateBytesPerSecond: number };
  readonly back: LinkOptions;
  readonly full: Load;
  /** Absent where the test leaves it out. */
  readonly brief?: Load;
  readonly goal?: Goal;
}

/** Files of one size. */
export interface Load {
  readonly fileCount: number;
  readonly fileBytes: number;
}

/** What is to be reached with the full load. */
export interface Goal {
  readonly share?: number;
  readonly seconds?: number;
  /** Mean delay of the queue. */
  readonly queueMs?: number;
}

const BYTES_PER_MBIT = 125_000;
const MB = 1_000_000;

interface Line {
  readonly mbits: number;
  readonly rttMs: number;
  /** What the queue holds, in ms of the rate; default one round trip, and at least 64 KiB. */
  readonly queueMs?: number;
  /** The same towards the sharer; default as forth. */
  readonly backMbits?: number;
}

function path(line: Line, faults: LinkOptions = {}): Pick<Profile, "forth" | "back"> {
  const { mbits, rttMs, queueMs = rttMs, backMbits = mbits } = line;
  const way = (rate: number) => ({
    delayMs: rttMs / 2,
    rateBytesPerSecond: rate,
    queueBytes: Math.max(rate * queueMs / 1000, 65_536),
    ...faults,
  });
  return { forth: way(mbits * BYTES_PER_MBIT), back: way(backMbits * BYTES_PER_MBIT) };
}

function file(megabytes: number): Load {
  return { fileCount: 1, fileBytes: megabytes * MB };
}

const HUNDRED: Line = { mbits: 100, rttMs: 50 };

/** All paths, in the order of the table. */
export const PROFILES: readonly Profile[] = [
  {
    name: "lan",
    title: "LAN: 1 Gbit/s, 0.5 ms",
    ...path({ mbits: 1000, rttMs: 0.5, queueMs: 4 }),
    full: file(100),
    brief: file(20),
  },
  {
    name: "fibre",
    title: "fibre: 300 Mbit/s, 12 ms, 0.01 % loss",
    ...path({ mbits: 300, rttMs: 12, queueMs: 20 }, { lossRate: 0.0001 }),
    full: file(100),
    brief: file(15),
  },
  {
    name: "dsl",
    title: "DSL: 10 Mbit/s up, 50 down, 30 ms, queue of 200 ms",
    ...path({ mbits: 10, backMbits: 50, rttMs: 30, queueMs: 200 }),
    full: file(20),
    brief: file(5),
  },
  {
    name: "lte",
    title: "LTE: 30 Mbit/s, 50 ms, 10 ms of jitter, queue of 300 ms",
    ...path({ mbits: 30, rttMs: 50, queueMs: 300 }, { jitterMs: 10 }),
    full: file(50),
    brief: file(8),
  },
  {
    name: "wifi",
    title: "Wi-Fi: 80 Mbit/s, 8 ms, 3 ms of jitter, bursts of loss",
    ...path({ mbits: 80, rttMs: 8, queueMs: 40 }, {
      jitterMs: 3,
      burstLoss: { enterRate: 0.001, leaveRate: 0.1, lossRate: 0.8 },
    }),
    full: file(100),
    brief: file(10),
  },
  {
    name: "satellite",
    title: "satellite: 20 Mbit/s, 600 ms, 0.1 % loss",
    ...path({ mbits: 20, rttMs: 600 }, { lossRate: 0.001 }),
    full: file(50),
    brief: file(10),
  },
  {
    name: "intercontinental",
    title: "intercontinental: 50 Mbit/s, 200 ms, 2 % loss",
    ...path({ mbits: 50, rttMs: 200 }, { lossRate: 0.02 }),
    full: file(100),
    brief: file(12),
  },
  {
    name: "clean",
    title: "100 Mbit/s, 50 ms",
    ...path(HUNDRED),
    full: file(100),
    brief: file(15),
    goal: { share: 0.93 },
  },
  {
    name: "light",
    title: "100 Mbit/s, 50 ms, 0.1 % loss",
    ...path(HUNDRED, { lossRate: 0.001 }),
    full: file(100),
    brief: file(15),
  },
  {
    name: "loss",
    title: "100 Mbit/s, 50 ms, 1 % loss",
    ...path(HUNDRED, { lossRate: 0.01 }),
    full: file(100),
    brief: file(15),
    goal: { share: 0.9 },
  },
  {
    name: "long",
    title: "100 Mbit/s, 200 ms, 2 % loss, 5 ms of jitter, 1 % reordered",
    ...path({ mbits: 100, rttMs: 200 }, { lossRate: 0.02, jitterMs: 5, reorderRate: 0.01 }),
    full: file(200),
    brief: file(25),
    goal: { share: 0.8 },
  },
  {
    name: "gigabit",
    title: "1 Gbit/s, 20 ms, 0.1 % loss",
    ...path({ mbits: 1000, rttMs: 20 }, { lossRate: 0.001 }),
    full: file(200),
    goal: { share: 0.85 },
  },
  {
    name: "deep",
    title: "5 Mbit/s, 60 ms, queue of 1.2 s",
    ...path({ mbits: 5, rttMs: 60, queueMs: 1200 }),
    full: file(20),
    brief: file(4),
    goal: { share: 0.9, queueMs: 30 },
  },
  {
    name: "small",
    title: "100 Mbit/s, 50 ms, small files",
    ...path(HUNDRED),
    full: { fileCount: 10_000, fileBytes: 4096 },
    brief: { fileCount: 1500, fileBytes: 4096 },
    goal: { seconds: 3.8 },
  },
];
