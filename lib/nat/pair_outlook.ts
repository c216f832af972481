/**
 * What two machines can expect of each other before anything is sent: the best method that their
 * two codes allow, and what would help where none does. Filtering is not known, so this is a
 * forecast: a pair may do better than it says.
 */
import { addressScope } from "./address.ts";
import type { Candidate } from "./candidate.ts";
import type { MappingClass } from "./mapping_class.ts";
import type { PathMethod } from "./path_method.ts";
import { planPunch, type PunchRole } from "./punch/plan.ts";

/** What a code says of one side. */
export interface PairSide {
  /** What its NAT is like. */
  readonly mapping: MappingClass;
  /** Where it may be reached. */
  readonly candidates: readonly Candidate[];
}

/**
 * Why a pair has a hard time. `both_symmetric`: neither side's port can be foreseen.
 * `no_common_family`: one side has only IPv4, the other only IPv6. `many_ports`: possible, by trying
 * many ports, which takes seconds and may be too much for a small router.
 */
export type PairProblem = "both_symmetric" | "no_common_family" | "many_ports";

/** A stable key, and the same in words. */
export interface PairAdvice {
  /** The key. */
  readonly problem: PairProblem;
  /** What helps, for a person. */
  readonly text: string;
}

/** What a pair can expect. */
export interface PairOutlook {
  /** How the two are expected to meet. */
  readonly method: PathMethod | "impossible";
  /** Of `birthday`: who opens many sockets. */
  readonly opens?: PunchRole;
  /** Of `birthday` and `predicted`: who tries many ports. */
  readonly sprays?: PunchRole;
  /** Where it is hard or impossible. */
  readonly advice?: PairAdvice;
}

/** In plain words: what makes a pair possible. Each of these is enough on one side. */
const HELP = "use IPv6 on both sides, or put one side on a phone hotspot or another network, " +
  "or turn on port mapping (UPnP) in one side's router, or forward a UDP port there by hand and " +
  "name it with --bind and --address";

const TEXTS: Readonly<Record<PairProblem, string>> = {
  both_symmetric: "Both networks give every connection a port that cannot be foreseen, " +
    `so neither side can reach the other. What helps: ${HELP}`,
  no_common_family: "One side has only IPv4 and the other only IPv6. " +
    "What helps: a network with both on either side, such as a phone hotspot",
  many_ports: "One network gives every connection a port that cannot be foreseen, so many are " +
    `tried. Should that fail: ${HELP}`,
};

/** What helps a pair, in words. */
export function pairAdvice(problem: PairProblem): PairAdvice {
  return { problem, text: TEXTS[problem] };
}

/** What a sharer and a client can expect of each other. */
export function judgePair(sharer: PairSide, client: PairSide): PairOutlook {
  const meetsOverIpv4 = hasFamily(sharer, 4) && hasFamily(client, 4);
  const meetsOverIpv6 = isGlobalOverIpv6(sharer) && isGlobalOverIpv6(client);
  if (!meetsOverIpv4 && !(hasFamily(sharer, 6) && hasFamily(client, 6))) {
    return { method: "impossible", advice: pairAdvice("no_common_family") };
  }
  const hasNoNat = sharer.mapping === "none" || client.mapping === "none";
  if (hasNoNat && meetsOverIpv4) return { method: "direct" };
  if (isOpened(sharer, client) || isOpened(client, sharer)) return { method: "mapped" };
  // Two machines behind one router meet in their own network. IPv6 has firewalls, but no NAT.
  if (!meetsOverIpv4 || meetsOverIpv6 || isSeenAlike(sharer, client)) return { method: "punched" };

  const { method, opens, sprays } = planPunch(sharer.mapping, client.mapping);
  return {
    method,
    ...(opens !== undefined && { opens }),
    ...(sprays !== undefined && { sprays }),
    ...(method === "impossible" && { advice: pairAdvice("both_symmetric") }),
    ...(method === "birthday" && { advice: pairAdvice("many_ports") }),
  };
}

function hasFamily({ candidates }: PairSide, family: 4 | 6): boolean {
  return candidates.some(({ address }) => address.family === family);
}

function isGlobalOverIpv6({ candidates }: PairSide): boolean {
  return candidates.some(({ address }) =>
    address.family === 6 && addressScope(address) === "global"
  );
}

/** Whether a side has an open port that the other can send to. */
function isOpened(side: PairSide, other: PairSide): boolean {
  return side.candidates.some(({ kind, address }) =>
    (kind === "mapped" || kind === "manual") && hasFamily(other, address.family)
  );
}

/** Whether both come out of one address: one router, or one carrier's. */
function isSeenAlike(sharer: PairSide, client: PairSide): boolean {
  return sharer.candidates.some((one) =>
    one.kind === "reflexive" &&
    client.candidates.some((other) =>
      other.kind === "reflexive" && other.address.host === one.address.host
    )
  );
}
