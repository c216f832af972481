/** Many kills at random moments, a few transfers at a time, and what they add up to. */
import { Prng } from "./prng.ts";
import { type KillOutcome, makeKillTree, runKill, type Victim } from "./kill_run.ts";
import { TempFolder } from "./temp_folder.ts";

/** The transfer takes about 0.7 s at this rate. */
const LIMIT = "24mb";
/** Most kills come in the middle of the transfer, some before: at most so many ms after its beginning. */
const LATEST_MS = { start: 500, progress: 650 } as const;
const EARLY_SHARE = 0.15;
/** Who comes again waits for a while, until the sharer notices that the one before is gone. */
const LANES = 8;
const VICTIMS: readonly Victim[] = ["receiver", "sender", "both"];

/** What a series came to. */
export interface KillSeries {
  readonly seed: number;
  /** Kills that came before the transfer was done, by who was killed. */
  readonly survived: Readonly<Record<Victim, number>>;
  /** Transfers that were done before the kill came. */
  readonly tooLate: number;
  /** Bytes of the share. */
  readonly totalBytes: number;
  /** Bytes that had arrived before the kills, all together. */
  readonly arrivedBytes: number;
  /** Bytes of them that were moved again. */
  readonly resentBytes: number;
  /** The same of each transfer, the most first. */
  readonly resentBytesEach: readonly number[];
}

/**
 * Kills until `kills` of them came before a transfer was done.
 *
 * @throws {Error} When a transfer does not end as it should; says when the kill was.
 */
export async function runKillSeries(kills: number, seed: number): Promise<KillSeries> {
  await using folder = await TempFolder.make();
  const source = await folder.folder("source");
  const totalBytes = await makeKillTree(source);
  const random = new Prng(seed);
  const survived: Record<Victim, number> = { sender: 0, receiver: 0, both: 0 };
  const outcomes: KillOutcome[] = [];
  let started = 0;
  let open = kills;
  const lane = async (): Promise<void> => {
    while (open > 0) {
      open--;
      const victim = VICTIMS[started % VICTIMS.length]!;
      const target = await folder.folder(`target ${started++}`);
      const from = random.chance(EARLY_SHARE) ? "start" : "progress";
      const afterMs = random.integer(0, LATEST_MS[from]);
      const order = {
        victim,
        from,
        afterMs,
        source,
        target,
        sendArgs: ["--limit", LIMIT],
      } as const;
      try {
        const outcome = await runKill(order, totalBytes);
        outcomes.push(outcome);
        if (outcome.wasTooLate) open++;
        else survived[victim]++;
      } catch (error) {
        const when = `${afterMs} ms after ${from} (seed ${seed})`;
        throw new Error(`The ${victim} was killed ${when}`, { cause: error });
      }
      await Deno.remove(target, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const inTime = outcomes.filter(({ wasTooLate }) => !wasTooLate);
  const sum = (of: (outcome: KillOutcome) => number) =>
    inTime.reduce((total, outcome) => total + of(outcome), 0);
  const resentBytesEach = inTime.map(({ resentBytes }) => resentBytes).sort((a, b) => b - a);
  return {
    seed,
    survived,
    tooLate: outcomes.length - inTime.length,
    totalBytes,
    arrivedBytes: sum(({ arrivedBytes }) => arrivedBytes),
    resentBytes: sum(({ resentBytes }) => resentBytes),
    resentBytesEach,
  };
}

/** A line of it. */
export function describeKillSeries(series: KillSeries): string {
  const { seed, survived, tooLate, arrivedBytes, resentBytes, resentBytesEach } = series;
  return `kills: ${survived.receiver} of the receiver, ${survived.sender} of the sender, ` +
    `${survived.both} of both; ${tooLate} came too late; of ${arrivedBytes} bytes that had arrived ` +
    `${resentBytes} were moved again, at most ${resentBytesEach[0] ?? 0} at once; seed ${seed}`;
}
