/** Figures of simulated transfers: the stored ones, how new ones compare, and the table of both. */
import { renderTable } from "../document_section.ts";
import { type Load, type Profile, PROFILES } from "./profiles.ts";
import type { Figures } from "./transfer.ts";

/** By name of the profile. */
export type FiguresByProfile = Readonly<Record<string, Figures>>;

/** What figures.json holds: of the full loads, and of the brief ones that a test runs again. */
export interface StoredFigures {
  readonly full: FiguresByProfile;
  readonly brief: FiguresByProfile;
}

/**
 * By how much a figure may be worse than the stored one. The simulation gives the same on every
 * machine, so this is not for noise: a change that costs less may have been worth it elsewhere.
 */
const SHARE_TOLERANCE = 0.01;
const REDUNDANT_TOLERANCE = 0.002;
const RESENT_TOLERANCE = 0.005;
const QUEUE_TOLERANCE = 0.1;
const QUEUE_TOLERANCE_MS = 1;

/** What is worse than it was, in words; empty when nothing is. */
export function regressions(stored: Figures, measured: Figures): string[] {
  const worse: string[] = [];
  const check = (name: keyof Figures, isWorse: boolean): void => {
    if (isWorse) worse.push(`${name} is ${measured[name]}, was ${stored[name]}`);
  };
  check("share", measured.share < stored.share * (1 - SHARE_TOLERANCE));
  check("redundant", measured.redundant > stored.redundant + REDUNDANT_TOLERANCE);
  check("resent", measured.resent > stored.resent + RESENT_TOLERANCE);
  const mostMs = (ms: number): number => ms * (1 + QUEUE_TOLERANCE) + QUEUE_TOLERANCE_MS;
  check("queueMeanMs", measured.queueMeanMs > mostMs(stored.queueMeanMs));
  check("queueP95Ms", measured.queueP95Ms > mostMs(stored.queueP95Ms));
  return worse;
}

/** The text of figures.json. */
export function formatStored(stored: StoredFigures): string {
  return `${JSON.stringify(stored, undefined, 2)}\n`;
}

const HEADINGS = [
  "path",
  "files",
  "time",
  "share",
  "goal",
  "lost",
  "sent again",
  "in vain",
  "queue, mean / p95",
];

/** A table in Markdown of full loads. */
export function figuresTable(figures: FiguresByProfile): string {
  const rows = PROFILES.filter(({ name }) => figures[name] !== undefined).map((profile) => {
    const of = figures[profile.name]!;
    return [
      profile.title,
      loadText(profile.full),
      `${of.seconds.toFixed(2)} s`,
      of.share.toFixed(3),
      goalText(profile),
      percent(of.lost),
      percent(of.resent),
      percent(of.redundant),
      `${of.queueMeanMs.toFixed(1)} / ${of.queueP95Ms.toFixed(1)} ms`,
    ];
  });
  return renderTable(HEADINGS, rows);
}

function loadText({ fileCount, fileBytes }: Load): string {
  return fileCount === 1
    ? `${fileBytes / 1e6} MB`
    : `${fileCount.toLocaleString("en")} × ${fileBytes / 1024} KiB`;
}

function goalText({ goal = {} }: Profile): string {
  const parts: string[] = [];
  if (goal.share !== undefined) parts.push(`${goal.share}`);
  if (goal.seconds !== undefined) parts.push(`${goal.seconds} s`);
  if (goal.queueMs !== undefined) parts.push(`${goal.queueMs} ms`);
  return parts.join(", ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
