/**
 * Numbers as people read them: sizes, rates and durations. Not for programs, which get plain
 * numbers with `--json`. Sizes are decimal (1 MB is 10^6 bytes), as in all our measurements.
 */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Index of the unit in which `bytes` shows one to three digits before the point. */
function unitIndexOf(bytes: number): number {
  let index = 0;
  // 999.5 would be shown as 1000, which belongs to the next unit.
  for (let value = bytes; value >= 999.5 && index < UNITS.length - 1; value /= 1000) index++;
  return index;
}

/** `bytes` in units of 1000^`unitIndex`, three significant digits at most, no unit. */
function inUnit(bytes: number, unitIndex: number): string {
  const value = bytes / 1000 ** unitIndex;
  return unitIndex === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1);
}

/** A size such as `812 B`, `1.2 kB`, `50.2 MB` or `123 GB`. */
export function formatBytes(bytes: number): string {
  const unitIndex = unitIndexOf(bytes);
  return `${inUnit(bytes, unitIndex)} ${UNITS[unitIndex]}`;
}

/** Two sizes in the unit of the larger one, such as `12.3/50.2 MB`. */
export function formatBytesOf(done: number, total: number): string {
  const unitIndex = unitIndexOf(Math.max(done, total));
  return `${inUnit(done, unitIndex)}/${inUnit(total, unitIndex)} ${UNITS[unitIndex]}`;
}

/** A rate such as `11.2 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** A rate that was chosen, with all its digits: `2 MB/s`, `1.25 MB/s`. */
export function formatExactRate(bytesPerSecond: number): string {
  const unitIndex = unitIndexOf(bytesPerSecond);
  return `${bytesPerSecond / 1000 ** unitIndex} ${UNITS[unitIndex]}/s`;
}

/** A duration in its two largest units: `0s`, `42s`, `3m05s`, `2h07m`, `4d03h`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole}s`;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two((whole % 3600) / 60)}m`;
  return `${Math.floor(whole / 86_400)}d${two((whole % 86_400) / 3600)}h`;
}

/** Time something took: exact to a tenth below ten seconds (`4.5s`), then as durations are. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = elapsedMs / 1000;
  return seconds < 9.95 ? `${seconds.toFixed(1)}s` : formatSeconds(seconds);
}

/** A long time in words: `42 s`, `12 min`, `2 h 10 min`, `4 d 3 h`. */
export function formatLasting(elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined([hours, "h"], [minutes % 60, "min"]);
  return joined([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

function joined(...parts: readonly (readonly [number, string])[]): string {
  return parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** A round-trip time: `0.4 ms`, `82 ms`. */
export function formatMs(milliseconds: number): string {
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${milliseconds.toFixed(0)} ms`;
}

/** A share of a whole, rounded down, so that 100 means all; an empty whole is complete. */
export function percentOf(done: number, total: number): number {
  return total <= 0 ? 100 : Math.min(100, Math.floor((done / total) * 100));
}

/** A count with its noun: `1 item`, `12 items`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
