/** The section of docs/benchmarks.md about many clients. Pure. */
import { renderParagraph, renderTable } from "../document_section.ts";
import type { ProfileSummary } from "../process/cpu_profile.ts";
import { spread } from "../process/statistics.ts";
import { type Target, TARGET_CLIENTS, targetsOf } from "./targets.ts";
import { type HeldRow, type Joins, type RateRow, SILENT_MS } from "./trial.ts";

/** Everything that was measured. */
export interface Measured {
  /** Round by round; in each all numbers of clients in the same order. */
  readonly rows: readonly RateRow[];
  /** Somebody joins a sharer with nothing else to do; undefined when that was left out. */
  readonly idleJoins: Joins | undefined;
  /** The same while transfers run. */
  readonly busyJoins: Joins | undefined;
  /** How many transfers. */
  readonly joinClients: number;
  readonly held: HeldRow | undefined;
}

/** When, where and how it was measured. */
export interface Origin {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
}

/** Lines of Markdown. */
export function render(measured: Measured, { command, date, machine }: Origin): string {
  return [
    renderRates(measured.rows),
    renderParagraph(
      "Median of the rounds, in brackets the least and the most. The share of the rate is that of " +
        "the same round; CPU is the sharer's alone; memory for each client is what is resident " +
        "above that with one, by the number of clients that are more, windows and queues included.",
    ),
    ...renderJoins(measured),
    ...renderHeld(measured.held),
    ...renderTargets(targetsOf(measured)),
    renderParagraph(`_Measured on ${date} by \`${command}\`: ${machine}._`),
  ].join("\n\n");
}

function renderRates(rows: readonly RateRow[]): string {
  const counts = [...new Set(rows.map(({ clients }) => clients))];
  const of = (count: number) => rows.filter(({ clients }) => clients === count);
  const first = of(counts[0]!);
  return renderTable(
    [
      "clients",
      "MB/s to all",
      `of the rate with ${counts[0]}`,
      "Jain's index",
      "CPU s/GB",
      "resident MB",
      "MB for each client",
      "cores of the clients",
    ],
    counts.map((count) => {
      const own = of(count);
      const more = count - counts[0]!;
      return [
        `${count}`,
        spread(own.map(({ bytesPerSecond }) => bytesPerSecond / 1e6), 0),
        spread(own.map((row, run) => row.bytesPerSecond / first[run]!.bytesPerSecond), 2),
        spread(own.map(({ jain }) => jain), 3),
        spread(own.map(({ cpuSecondsPerGb }) => cpuSecondsPerGb), 2),
        spread(own.map(({ residentBytes }) => residentBytes / 1e6), 0),
        more === 0 ? "–" : spread(
          own.map((row, run) => (row.residentBytes - first[run]!.residentBytes) / more / 1e6),
          1,
        ),
        spread(own.map(({ clientsBusy }) => clientsBusy), 2),
      ];
    }),
  );
}

function renderJoins({ idleJoins, busyJoins, joinClients }: Measured): string[] {
  if (idleJoins === undefined || busyJoins === undefined) return [];
  const rate = (busyJoins.bytesPerSecond / 1e6).toFixed(0);
  return [
    renderParagraph(
      `From a reply code pasted to the first file there: ${spread(idleJoins.tookMs, 0)} ms at a ` +
        `sharer with nothing to do, ${spread(busyJoins.tookMs, 0)} ms beside ${joinClients} ` +
        `transfers that take what they can (${rate} MB/s together).`,
    ),
  ];
}

function renderHeld(held: HeldRow | undefined): string[] {
  if (held === undefined) return [];
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    renderParagraph(
      `Objects and buffers that a client keeps in use at the sharer: ` +
        `${megabytes(held.takingNothing)} when it takes nothing of what it asked for, ` +
        `${megabytes(held.killed)} just after it was killed in mid-transfer, ` +
        `${megabytes(held.silent)} another ${SILENT_MS / 1000} s later.`,
    ),
  ];
}

function renderTargets(targets: readonly Target[]): string[] {
  if (targets.length === 0) return [];
  return [
    renderTable(
      [`with ${TARGET_CLIENTS} clients`, "target", "measured", "met"],
      targets.map(({ name, bound, measured, isMet }) => [
        name,
        bound,
        measured.toFixed(2),
        isMet ? "yes" : "NO",
      ]),
    ),
  ];
}

/** What the time of a process went to, most first. */
export function renderProfile(profile: ProfileSummary): string {
  const total = Object.values(profile).reduce((sum, ms) => sum + ms, 0);
  return renderTable(
    ["work", "ms", "share"],
    Object.entries(profile).toSorted(([, a], [, b]) => b - a).map(([work, ms]) => [
      work,
      ms.toFixed(0),
      `${(ms / total * 100).toFixed(0)} %`,
    ]),
  );
}
