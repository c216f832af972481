/** What one side's code says of it, and what follows from that alone. */
import { addressScope } from "./address.ts";
import type { Candidate } from "./candidate.ts";
import type { MappingClass } from "./mapping_class.ts";

/** What a code says of one side. */
export interface PairSide {
  /** What its NAT is like. */
  readonly mapping: MappingClass;
  /** Where it may be reached. */
  readonly candidates: readonly Candidate[];
}

/**
 * Whether a NAT in front of a side has a port that stays open for everybody: one that its router
 * opened on request, or that a person named. Both sides know it from the code, so they give a path
 * over the Internet the same name, whichever of the two sent first.
 */
export function hasOpenPort({ mapping, candidates }: PairSide, family: 4 | 6): boolean {
  return mapping !== "none" &&
    candidates.some(({ kind, address }) =>
      (kind === "mapped" || kind === "manual") && address.family === family &&
      addressScope(address) === "global"
    );
}
