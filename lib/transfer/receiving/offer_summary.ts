/** What an offer comes to, in numbers and names, for the person who decides. */
import type { OfferEvent } from "../../events.ts";
import type { ManifestEntry } from "../offer/entry.ts";
import type { Plan } from "./plan.ts";

/** How many top-level names an offer shows, and how many of those that begin with a dot. */
export const MAX_SHOWN_NAMES = 100;

/** What an offer comes to here, for the person who decides. */
export function summarizePlan(
  plan: Plan,
  entries: readonly ManifestEntry[],
): Omit<OfferEvent, "session"> {
  const counts = { new: 0, same: 0, differ: 0 };
  let partlyItems = 0;
  for (const file of plan.files) {
    counts[file.state]++;
    if (file.hasPart) partlyItems++;
  }
  for (const link of plan.links) counts[link.state]++;
  const dotNames = new Set<string>();
  for (const planned of [plan.folders, plan.files, plan.links]) {
    for (const { isDotName, entry } of planned) {
      if (isDotName && dotNames.size < MAX_SHOWN_NAMES) dotNames.add(topName(entry));
    }
  }
  return {
    ...summarizeEntries(entries),
    newItems: counts.new,
    sameItems: counts.same,
    differItems: counts.differ,
    partlyItems,
    dotNames: Array.from(dotNames),
  };
}

/** What a share comes to, without anything to compare it with. */
export function summarizeEntries(
  entries: readonly ManifestEntry[],
): Omit<OfferEvent, "session"> {
  const counts = { file: 0, directory: 0, symlink: 0, stream: 0 };
  let bytes = 0;
  let texts = 0;
  const names = new Set<string>();
  for (const entry of entries) {
    counts[entry.kind]++;
    bytes += entry.sizeBytes;
    if (entry.isText) texts++;
    if (names.size < MAX_SHOWN_NAMES) names.add(topName(entry));
  }
  return {
    event: "offer",
    items: entries.length,
    files: counts.file + counts.stream,
    directories: counts.directory,
    links: counts.symlink,
    texts,
    bytes,
    ...(counts.stream > 0 ? { hasStream: true } : {}),
    names: Array.from(names),
    newItems: 0,
    sameItems: 0,
    differItems: 0,
    partlyItems: 0,
    dotNames: [],
  };
}

function topName(entry: ManifestEntry): string {
  const slash = entry.path.indexOf("/");
  return slash < 0 ? entry.path : entry.path.slice(0, slash);
}
