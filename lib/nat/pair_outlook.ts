/**
 * What two machines can expect of each other before anything is sent: the best method that their
 * two codes allow, and what would help where it is hard. Filtering is not known, so this is a
 * forecast: a pair may do better than it says.
 */
import { addressScope, type IpAddress, ipAddressToBytes } from "./address.ts";
import type { MappingClass } from "./mapping_class.ts";
import type { PairSide } from "./pair_side.ts";
import type { PathMethod } from "./path_method.ts";
import { planPunch, type PunchRole } from "./punch/plan.ts";

/**
 * Why a pair has a hard time. `both_symmetric`: neither side's port can be foreseen.
 * `symmetric_and_stepping`: one side's cannot, and the other has another one for each peer.
 * `no_common_family`: one side is reached over IPv4 only, the other over IPv6 only. `many_ports`:
 * possible, by trying many ports, which takes seconds and may be too much for a small router.
 * `own_network_only`: a side names no address that leads to it from outside its own network.
 * `same_carrier`: both come out of one outside address, from different networks behind it.
 */
export type PairProblem =
  | "both_symmetric"
  | "symmetric_and_stepping"
  | "no_common_family"
  | "many_ports"
  | "own_network_only"
  | "same_carrier";

/** A stable key, and the same in words. */
export interface PairAdvice {
  /** The key. */
  readonly problem: PairProblem;
  /** What helps, for a person. */
  readonly text: string;
}

/** What a pair can expect. */
export interface PairOutlook {
  /** How the two are expected to meet; the best guess where `isUncertain`. */
  readonly method: PathMethod | "impossible";
  /** Whether the share code alone is expected to be enough, without a reply code. */
  readonly isOneCodeEnough: boolean;
  /** Both seem to be in one local network. */
  readonly isOneNetwork?: true;
  /** Nothing in the codes says that the two meet at all: `advice` tells on what it depends. */
  readonly isUncertain?: true;
  /** Of `birthday`: who opens many sockets. */
  readonly opens?: PunchRole;
  /** Of `birthday` and `predicted`: who tries many ports. */
  readonly sprays?: PunchRole;
  /** Where it is hard, uncertain or impossible. */
  readonly advice?: PairAdvice;
}

type SimpleProblem = Exclude<PairProblem, "own_network_only">;

/** In plain words: what makes a pair possible. Each of these is enough on one side. */
const HELP = "use IPv6 on both sides, or put one side on a phone hotspot or another network, " +
  "or turn on port mapping (UPnP) in one side's router, or forward a UDP port there by hand and " +
  "name it with --bind and --address";

const TEXTS: Readonly<Record<SimpleProblem, string>> = {
  both_symmetric: "Both networks give every connection a port that cannot be foreseen, " +
    `so neither side can reach the other. What helps: ${HELP}`,
  symmetric_and_stepping:
    "One network gives every connection a port that cannot be foreseen, and the other network " +
    `the next port to each, so neither side can reach the other. What helps: ${HELP}`,
  no_common_family: "One side is reached over IPv4 only and the other over IPv6 only. " +
    "What helps: a network with both on either side, such as a phone hotspot",
  many_ports: "One network gives every connection a port that cannot be foreseen, so many are " +
    `tried. Should that fail: ${HELP}`,
  same_carrier:
    "Both sides have one outside address, but different networks behind it: this works only if " +
    "your carrier connects its own customers. What helps: IPv6 on both sides, or one side on a " +
    "phone hotspot or another network",
};

const OWN_NETWORK_HELP = "it works there. Elsewhere: use a network that lets UDP out, let STUN " +
  "answer (--stun), or give the sharing side's address with --address";

const HIDDEN_TEXTS: Readonly<Record<PunchRole | "both", string>> = {
  sharer: "The sharing side's code names addresses in its own network only",
  client: "The receiving side's code names addresses in its own network only",
  both: "Both codes name addresses in their own network only",
};

function adviceOn(problem: SimpleProblem): PairAdvice {
  return { problem, text: TEXTS[problem] };
}

/** What a sharer and a client can expect of each other. */
export function judgePair(sharer: PairSide, client: PairSide): PairOutlook {
  const canSend = (family: 4 | 6) => hasFamily(sharer, family) && hasFamily(client, family);
  if (!canSend(4) && !canSend(6)) {
    return {
      method: "impossible",
      isOneCodeEnough: false,
      advice: adviceOn("no_common_family"),
    };
  }
  const isSeenAlike = haveOneOutsideAddress(sharer, client);
  if (isSeenAlike && haveOneSubnet(sharer, client)) {
    return { method: "direct", isOneCodeEnough: true, isOneNetwork: true };
  }
  const meetOutside = (family: 4 | 6) =>
    leadsOutside(sharer, family) && leadsOutside(client, family);
  const doubt = meetOutside(4) || meetOutside(6) ? {} : doubtOf(sharer, client);
  if (sharer.mapping === "none" && leadsOutside(sharer, 4) && hasFamily(client, 4)) {
    return { method: "direct", isOneCodeEnough: true, ...doubt };
  }
  const isSharerOpen = isOpened(sharer, client);
  if (isSharerOpen || isOpened(client, sharer)) {
    return { method: "mapped", isOneCodeEnough: isSharerOpen, ...doubt };
  }
  if (!meetOutside(4) && !meetOutside(6)) {
    return { method: "direct", isOneCodeEnough: false, ...doubt };
  }
  // IPv6 has firewalls, but no NAT.
  if (meetOutside(6)) return { method: "punched", isOneCodeEnough: false };
  if (isSeenAlike) {
    return { method: "punched", isOneCodeEnough: false, ...uncertain("same_carrier") };
  }
  return judgeNats(sharer.mapping, client.mapping);
}

function judgeNats(sharer: MappingClass, client: MappingClass): PairOutlook {
  const { method, opens, sprays } = planPunch(sharer, client);
  const isStepping = [sharer, client].includes("port_dependent_stepping");
  return {
    method,
    isOneCodeEnough: false,
    ...(opens !== undefined && { opens }),
    ...(sprays !== undefined && { sprays }),
    ...(method === "impossible" && {
      advice: adviceOn(isStepping ? "symmetric_and_stepping" : "both_symmetric"),
    }),
    ...(method === "birthday" && { advice: adviceOn("many_ports") }),
  };
}

type Doubt = Required<Pick<PairOutlook, "isUncertain" | "advice">>;

function uncertain(problem: SimpleProblem): Doubt {
  return { isUncertain: true, advice: adviceOn(problem) };
}

/** Of two sides that have no address outside in one family. */
function doubtOf(sharer: PairSide, client: PairSide): Doubt {
  const [isSharerHidden, isClientHidden] = [sharer, client].map((side) =>
    !leadsOutside(side, 4) && !leadsOutside(side, 6)
  );
  if (!isSharerHidden && !isClientHidden) return uncertain("no_common_family");
  const who = !isClientHidden ? "sharer" : !isSharerHidden ? "client" : "both";
  const text = `${HIDDEN_TEXTS[who]}: ${OWN_NETWORK_HELP}`;
  return { isUncertain: true, advice: { problem: "own_network_only", text } };
}

function hasFamily({ candidates }: PairSide, family: 4 | 6): boolean {
  return candidates.some(({ address }) => address.family === family);
}

/** Whether an address leads to a side from beyond its own network. A person is taken at their word. */
function leadsOutside({ candidates }: PairSide, family: 4 | 6): boolean {
  return candidates.some(({ kind, address }) =>
    address.family === family && (kind === "manual" || addressScope(address) === "global")
  );
}

/** Whether a side has an open port that the other can send to. */
function isOpened(side: PairSide, other: PairSide): boolean {
  return side.candidates.some(({ kind, address }) =>
    (kind === "mapped" || kind === "manual") && hasFamily(other, address.family)
  );
}

/** Whether both come out of one IPv4 address: that of one router, or of one carrier's. */
function haveOneOutsideAddress(sharer: PairSide, client: PairSide): boolean {
  const outside = ({ candidates }: PairSide) =>
    candidates.filter(({ kind, address }) =>
      kind !== "host" && address.family === 4 && addressScope(address) === "global"
    ).map(({ address }) => address.host);
  const hosts = new Set(outside(sharer));
  return outside(client).some((host) => hosts.has(host));
}

/** Whether both seem to be in one private network: codes do not say how large theirs are. */
function haveOneSubnet(sharer: PairSide, client: PairSide): boolean {
  const subnets = ({ candidates }: PairSide) =>
    candidates.flatMap(({ kind, address }) =>
      kind === "host" && address.family === 4 && addressScope(address) === "private"
        ? [subnetOf(address)]
        : []
    );
  const names = new Set(subnets(sharer));
  return subnets(client).some((name) => names.has(name));
}

/** Homes mostly have a /24 of 192.168.0.0/16; what is larger is mostly one organisation's. */
function subnetOf(address: IpAddress): string {
  const bytes = ipAddressToBytes(address);
  return bytes.subarray(0, bytes[0] === 192 ? 3 : 2).join(".");
}
