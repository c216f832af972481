/** Parts of docs/reliability.md, and how numbers are written there. */

/** What a measurement came to. */
export interface Section {
  /** Lines of Markdown. */
  readonly text: string;
  /** What did not hold; none when all is well. */
  readonly problems: readonly string[];
}

/** A size for people. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e3).toFixed(1)} kB`;
}

/** A number with its thousands apart. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** A time for people. */
export function formatSeconds(seconds: number): string {
  return seconds >= 120 ? `${(seconds / 60).toFixed(1)} min` : `${seconds.toFixed(1)} s`;
}
