/**
 * `deno task bench:sim`: how much of a simulated link one connection uses, in virtual time. The same
 * on every machine; real keys and packets, no disk, handshake included.
 */
import { EndpointPair } from "../../tests/support/endpoint_pair.ts";
import type { LinkOptions } from "../../tests/support/link.ts";
import { SimWorld } from "../../tests/support/sim_world.ts";

/** 100 Mbit/s. */
const RATE_BYTES_PER_SECOND = 12_500_000;
const LIMIT_MS = 600_000;

interface Profile {
  readonly name: string;
  readonly rttMs: number;
  readonly fileBytes: number;
  /** The queue, in bandwidth-delay products. */
  readonly queue: number;
  readonly lossRate?: number;
}

const PROFILES: readonly Profile[] = [
  { name: "50 ms", rttMs: 50, fileBytes: 100_000_000, queue: 1 },
  { name: "50 ms, half a queue", rttMs: 50, fileBytes: 100_000_000, queue: 0.5 },
  { name: "10 ms", rttMs: 10, fileBytes: 100_000_000, queue: 1 },
  { name: "200 ms", rttMs: 200, fileBytes: 100_000_000, queue: 1 },
  { name: "50 ms, 0.1 % loss", rttMs: 50, fileBytes: 100_000_000, queue: 1, lossRate: 0.001 },
  { name: "50 ms, 1 % loss", rttMs: 50, fileBytes: 20_000_000, queue: 1, lossRate: 0.01 },
  { name: "50 ms, 5 % loss", rttMs: 50, fileBytes: 5_000_000, queue: 1, lossRate: 0.05 },
];

function measure(profile: Profile): string {
  const { name, rttMs, fileBytes, queue, lossRate = 0 } = profile;
  const world = new SimWorld(1);
  const link: LinkOptions = {
    delayMs: rttMs / 2,
    rateBytesPerSecond: RATE_BYTES_PER_SECOND,
    queueBytes: queue * RATE_BYTES_PER_SECOND * rttMs / 1000,
    lossRate,
  };
  const pair = new EndpointPair(world, { link, fileBytes });
  world.run({ untilMs: LIMIT_MS, until: () => pair.isComplete });
  const share = fileBytes / (RATE_BYTES_PER_SECOND * world.nowMs / 1000);
  const { lostPackets, spuriousPackets } = pair.sharer.connection!.statistics;
  const cells = [
    `100 Mbit/s, ${name}`,
    `${fileBytes / 1e6} MB`,
    pair.isComplete ? share.toFixed(3) : "not done",
    `${lostPackets}`,
    `${spuriousPackets}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

if (import.meta.main) {
  const lines = [
    "| link | file | share | datagrams lost | of these spuriously |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...PROFILES.map(measure),
  ];
  await Deno.stdout.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
}
