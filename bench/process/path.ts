/** The paths that are measured, and how the emulators are told of them. Pure. */

/** A line between the two sides; both directions are alike. */
export interface PathShape {
  readonly rateBitsPerSecond: number;
  /** Round trip without a queue, ms. */
  readonly rttMs: number;
  /** Lost at random in each direction, as a fraction. */
  readonly lossRate?: number;
  /** Delay that varies by up to this much, order kept, ms. */
  readonly jitterMs?: number;
  /** Held back by 10 ms in each direction, as a fraction. */
  readonly reorderRate?: number;
  /** In front of each transmitter; one bandwidth-delay product by default. */
  readonly queueBytes?: number;
}

/** A path with a name. */
export interface BenchPath {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Without it: over loopback. */
  readonly shape?: PathShape;
}

/** How long a datagram is held back that others shall overtake. */
const REORDER_MS = 10;

/** Every path, by its name. */
export const PATHS = {
  loopback: { name: "loopback", title: "loopback" },
  clean: {
    name: "clean",
    title: "100 Mbit/s, 50 ms",
    shape: { rateBitsPerSecond: 100e6, rttMs: 50 },
  },
  lossy: {
    name: "lossy",
    title: "100 Mbit/s, 50 ms, 1 % loss",
    shape: { rateBitsPerSecond: 100e6, rttMs: 50, lossRate: 0.01 },
  },
  long: {
    name: "long",
    title: "100 Mbit/s, 200 ms, 2 % loss, 5 ms jitter, 1 % reordered",
    shape: {
      rateBitsPerSecond: 100e6,
      rttMs: 200,
      lossRate: 0.02,
      jitterMs: 5,
      reorderRate: 0.01,
    },
  },
  fast: {
    name: "fast",
    title: "1 Gbit/s, 20 ms, 0.1 % loss",
    shape: { rateBitsPerSecond: 1e9, rttMs: 20, lossRate: 0.001 },
  },
  deep: {
    name: "deep",
    title: "5 Mbit/s, 60 ms, a queue of one second",
    shape: { rateBitsPerSecond: 5e6, rttMs: 60, queueBytes: 625_000 },
  },
} as const satisfies Record<string, BenchPath>;

/** Bytes of the queue in front of each transmitter. */
export function queueBytes({ queueBytes, rateBitsPerSecond, rttMs }: PathShape): number {
  return queueBytes ?? Math.round(rateBitsPerSecond / 8 * rttMs / 1000);
}

/**
 * The laboratory's words for a path between its hosts a1 (sends) and b1 (receives). Its emulator
 * counts whole Ethernet frames, 14 bytes more than the IP packet, so the rate is raised by as much:
 * a full packet of 1500 bytes then takes exactly its time on the line. What is to arrive late is
 * held back by a second emulator in front of b1, which hands on the other packets at once.
 */
export function laboratorySites(shape: PathShape): string[] {
  const { rateBitsPerSecond, rttMs, lossRate, jitterMs, reorderRate } = shape;
  const frames = rateBitsPerSecond * 1514 / 1500;
  const a = [
    "a=none",
    `delay=${rttMs / 2}ms`,
    `rate=${Math.round(frames)}`,
    `queue=${Math.round(queueBytes(shape) * 1514 / 1500)}`,
    ...(lossRate === undefined ? [] : [`loss=${lossRate * 100}%`]),
    ...(jitterMs === undefined ? [] : [`jitter=${jitterMs}ms`]),
  ];
  const b = [
    "b=none",
    ...(reorderRate === undefined
      ? []
      : [`delay=${REORDER_MS}ms`, `reorder=${(1 - reorderRate) * 100}%`]),
  ];
  return [a.join(","), b.join(",")];
}

/** The arguments of our own emulator (`tests/support/link_emulator.ts`), which carries UDP only. */
export function emulatorArguments(shape: PathShape): string[] {
  const { rateBitsPerSecond, rttMs, lossRate, jitterMs, reorderRate } = shape;
  return [
    "--rate",
    `${rateBitsPerSecond / 1e6}mbit`,
    "--rtt",
    `${rttMs}`,
    "--queue",
    `${queueBytes(shape)}`,
    ...(lossRate === undefined ? [] : ["--loss", `${lossRate}`]),
    ...(jitterMs === undefined ? [] : ["--jitter", `${jitterMs}`]),
    ...(reorderRate === undefined
      ? []
      : ["--reorder", `${reorderRate}`, "--reorder-ms", `${REORDER_MS}`]),
  ];
}
