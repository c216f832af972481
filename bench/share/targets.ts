/** What a share with many clients is held to, and whether it is met. Pure. */
import { median } from "../process/statistics.ts";
import type { Measured } from "./report.ts";
import type { RateRow } from "./trial.ts";

/** How many clients all of it is about. */
export const TARGET_CLIENTS = 16;

/** Least rate to all of them, as a part of the rate to one. */
const LEAST_RATE_RATIO = 0.9;
/** Most memory for each client more, MB; what is on its way and queued included. */
const MOST_CLIENT_MB = 8;
/** Longest time to join beside them, by that at an idle sharer. */
const MOST_JOIN_RATIO = 1.5;

/** One of them. */
export interface Target {
  readonly name: string;
  readonly bound: string;
  readonly measured: number;
  readonly isMet: boolean;
}

/** Those for which enough was measured. */
export function targetsOf({ rows, idleJoins, busyJoins, joinClients }: Measured): Target[] {
  const of = (count: number) => rows.filter(({ clients }) => clients === count);
  const [one, many] = [of(1), of(TARGET_CLIENTS)];
  const targets: Target[] = [];
  if (one.length > 0 && one.length === many.length) {
    const medianOf = (value: (more: RateRow, alone: RateRow) => number) =>
      median(many.map((row, run) => value(row, one[run]!)));
    targets.push(
      atLeast(
        "rate to all, of that to one",
        LEAST_RATE_RATIO,
        medianOf((more, alone) => more.bytesPerSecond / alone.bytesPerSecond),
      ),
      atMost(
        "MB for each client more",
        MOST_CLIENT_MB,
        medianOf((more, alone) =>
          (more.residentBytes - alone.residentBytes) / (TARGET_CLIENTS - 1) / 1e6
        ),
      ),
    );
  }
  if (idleJoins !== undefined && busyJoins !== undefined && joinClients === TARGET_CLIENTS) {
    const ratio = median(busyJoins.tookMs) / median(idleJoins.tookMs);
    targets.push(atMost("time to join, of that at an idle sharer", MOST_JOIN_RATIO, ratio));
  }
  return targets;
}

function atLeast(name: string, bound: number, measured: number): Target {
  return { name, bound: `≥ ${bound}`, measured, isMet: measured >= bound };
}

function atMost(name: string, bound: number, measured: number): Target {
  return { name, bound: `≤ ${bound}`, measured, isMet: measured <= bound };
}
