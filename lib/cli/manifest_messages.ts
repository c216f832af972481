/** What is said about manifests: that one was written, and what verifying with one came to. Pure. */
import type { ManifestEvent, VerifiedEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatBytes, formatCount, formatElapsed, formatRate } from "./format.ts";

/** The files were read back, and a manifest of them is there. */
export function manifestLine({ path, files, bytes }: ManifestEvent): string {
  const what = `${formatCount(files, "file")}, ${formatBytes(bytes)}`;
  return `Read back ${what}. Manifest: ${escapeText(path)}`;
}

/** How much is good, and how long it took. */
export function verifiedLine(event: VerifiedEvent): string {
  const { files, good, bytes, elapsedMs, rateBytesPerSecond } = event;
  const what = good === files
    ? formatCount(good, "file")
    : `${good} of ${formatCount(files, "file")}`;
  const how = `${formatElapsed(elapsedMs)} (${formatRate(rateBytesPerSecond)})`;
  return `Verified ${what}, ${formatBytes(bytes)} in ${how}`;
}

/** What is wrong and what to do, for two lines; undefined when all is good. */
export function verifyProblem(
  event: VerifiedEvent,
): { readonly message: string; readonly hint: string } | undefined {
  if (event.exit === 0) return undefined;
  const { damaged, missing, unreadable, refused } = event;
  const parts = [
    ...(damaged > 0 ? [`${damaged} damaged`] : []),
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(unreadable > 0 ? [`${unreadable} not readable`] : []),
    ...(refused > 0 ? [`${refused} with a name that is not used as a path`] : []),
  ];
  return {
    message: `Not all files are as they were: ${parts.join(", ")}`,
    hint: damaged + missing > 0
      ? "Remove the damaged ones and receive again: what is still good is not sent twice"
      : unreadable > 0
      ? "Check the permissions of those files"
      : "Those files were not looked at; sha256sum -c checks whatever names there are",
  };
}
