/** Entries of a share of every kind, for properties. */
import fc from "fast-check";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { MAX_MTIME_MS, MAX_SNIPPET_BYTES } from "../../../lib/transfer/limits.ts";

/** A record as the code makes it: with the prototype of every object. */
export function record<Shape>(model: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }) {
  return fc.record<Shape>(model, { noNullPrototype: true });
}

const mtimeMs = fc.integer({ min: -MAX_MTIME_MS, max: MAX_MTIME_MS });
const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 })
  .filter((text) => text.isWellFormed());
const none = fc.constant(0);
const no = fc.constant(false);

/** An entry as a sharer makes it. */
export const entry: fc.Arbitrary<ManifestEntry> = fc.oneof(
  record({
    kind: fc.constant("file" as const),
    path: text,
    sizeBytes: fc.maxSafeNat(),
    mtimeMs,
    executable: fc.boolean(),
  }),
  record({
    kind: fc.constant("file" as const),
    path: text,
    sizeBytes: fc.nat({ max: MAX_SNIPPET_BYTES }),
    mtimeMs,
    executable: no,
    isText: fc.constant(true as const),
  }),
  record({
    kind: fc.constantFrom("directory" as const, "stream" as const),
    path: text,
    sizeBytes: none,
    mtimeMs,
    executable: no,
  }),
  record({
    kind: fc.constant("symlink" as const),
    path: text,
    sizeBytes: none,
    mtimeMs,
    executable: no,
    linkTarget: text.filter((text) => !text.includes("\0")),
  }),
);
