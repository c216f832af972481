/** Simulated chaos: worlds with everything that may befall a transfer, one after the other. */
import { Swarm } from "../../tests/support/swarm.ts";
import { renderParagraph, renderTable } from "../document_section.ts";
import { MemoryLog } from "./memory_log.ts";
import { formatBytes, formatCount, formatSeconds, type Section } from "./section.ts";

/** How far to go. */
export interface SwarmOrder {
  /** The first seed; the others follow it. */
  readonly seed: number;
  /** How many worlds at least. */
  readonly seeds: number;
  /** How long they have to be at least, all together, in virtual time. */
  readonly hours: number;
}

/** Collects garbage where the runtime was told to let us: else memory says little. */
const collect = (globalThis as { gc?: () => void }).gc;

/** Runs them. @throws {Error} When a world comes to a wrong end; names its seed. */
export async function measureSwarm({ seed, seeds, hours }: SwarmOrder): Promise<Section> {
  const startMs = performance.now();
  const memory = new MemoryLog();
  let virtualMs = 0;
  let events = 0;
  let worlds = 0;
  for (; worlds < seeds || virtualMs < hours * 3_600_000; worlds++) {
    const swarm = new Swarm(seed + worlds);
    try {
      await swarm.run();
    } catch (cause) {
      throw new Error(`Seed ${seed + worlds} went wrong: ${swarm.troubles.join("; ")}`, { cause });
    }
    virtualMs += swarm.world.nowMs;
    events += swarm.troubles.length;
    collect?.();
    const { heapUsed, external } = Deno.memoryUsage();
    memory.add(heapUsed + external);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const figures = renderTable(["worlds", "virtual time", "troubles and ends of programs", "took"], [
    [
      formatCount(worlds),
      `${(virtualMs / 3_600_000).toFixed(2)} hours`,
      formatCount(events),
      formatSeconds(seconds),
    ],
  ]);
  const used = renderParagraph(
    `Every world came to its end, with the right files. Memory in use after a world: ` +
      `${formatBytes(memory.firstBytes)} in the first third, ${formatBytes(memory.lastBytes)} in ` +
      `the last (medians), ${formatBytes(memory.peakBytes)} at most. Seeds ${seed} to ` +
      `${seed + worlds - 1}.`,
  );
  const problems = memory.isFlat ? [] : ["memory grows from world to world"];
  return { text: `${figures}\n\n${used}`, problems };
}
