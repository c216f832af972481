/** Tells how a path that was heard had come to be, from what was sent. */
import type { Candidate } from "../candidate.ts";
import { addressScope } from "../address.ts";
import type { MappingClass } from "../mapping_class.ts";
import { hasOpenPort } from "../pair_side.ts";
import type { Path } from "../path.ts";
import type { PathMethod } from "../path_method.ts";
import { FORESEEN_PORTS, LOCKSTEP_PORTS } from "./limits.ts";
import { punchKind, type PunchPlan } from "./plan.ts";
import { stepsAhead } from "./ports.ts";
import type { PunchTargets } from "./targets.ts";

/** What is known of one pair of sides. */
export interface PunchMethodOptions {
  /** How the pair is joined. */
  readonly plan: PunchPlan;
  /** What the NAT in front of this side is like. */
  readonly local: MappingClass;
  /** What this side's code says of where it may be reached. */
  readonly localCandidates: readonly Candidate[];
  /** What the other side's is like. */
  readonly remote: MappingClass;
  /** What the other side's code says. */
  readonly remoteCandidates: readonly Candidate[];
  /** What of that is of use here. */
  readonly targets: PunchTargets;
  /** Whether a socket is one of those that were opened for punching. */
  readonly isExtra: (socket: number) => boolean;
  /** Whether a port of the other side's NAT was guessed. */
  readonly isSprayed: (port: number) => boolean;
}

/**
 * How a path was made. A side cannot know everything: what the other side foresaw may look punched
 * from here. Whether a port was open is in the codes, so both sides say alike that it was that.
 */
export function punchMethod(path: Path, options: PunchMethodOptions): PathMethod {
  const { plan, local, remote, targets: { nat }, isExtra, isSprayed } = options;
  const candidate = options.targets.candidateAt(path.remote);
  if (isThroughOpenPort(path, options)) return "mapped";
  if (isExtra(path.socket)) return plan.method === "predicted" ? "predicted" : "birthday";
  if (candidate !== undefined) {
    // To us the other side's port was known, to it ours was the next one ahead.
    return plan.method === "predicted" && punchKind(local) === "stepping" &&
        candidate === nat?.candidate
      ? "predicted"
      : "punched";
  }
  if (nat === undefined || path.remote.host !== nat.candidate.address.host) return "punched";
  if (punchKind(remote) === "stepping") {
    const steps = stepsAhead(nat.candidate.address.port, path.remote.port);
    if (steps <= (plan.lockstep ? 2 * LOCKSTEP_PORTS : FORESEEN_PORTS)) return "predicted";
  }
  return isSprayed(path.remote.port) ? "birthday" : "punched";
}

function isThroughOpenPort(
  { remote: { family, host } }: Path,
  options: PunchMethodOptions,
): boolean {
  const { local, localCandidates, remote, remoteCandidates } = options;
  return addressScope({ family, host }) === "global" &&
    (hasOpenPort({ mapping: local, candidates: localCandidates }, family) ||
      hasOpenPort({ mapping: remote, candidates: remoteCandidates }, family));
}
