/** Reads CHANGELOG.md: the newest version, its date, and what it says. */

/** The topmost entry. */
export interface ChangelogEntry {
  readonly version: string;
  /** `2026-01-31`, or `unreleased`. */
  readonly date: string;
  /** What stands below the heading, trimmed. */
  readonly text: string;
}

/**
 * The topmost entry of a changelog whose entries begin with `## VERSION (DATE)`.
 *
 * @returns Undefined when the first heading of that level has another form.
 */
export function newestEntry(changelog: string): ChangelogEntry | undefined {
  const [, newest] = changelog.replaceAll("\r\n", "\n").split(/^## /m);
  if (newest === undefined) return undefined;
  const match = /^([0-9]+\.[0-9]+\.[0-9]+[^ ]*) \(([^)]+)\)\n/.exec(newest);
  if (match === null) return undefined;
  return { version: match[1]!, date: match[2]!, text: newest.slice(match[0].length).trim() };
}
