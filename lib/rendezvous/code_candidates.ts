/**
 * Which candidates go into a code, and which into the channel once there is one: into a code as few
 * as can work, because people pass it on; into the channel all there are.
 *
 * Not here: where addresses come from (`lib/traversal`), and which of a machine's own addresses are
 * of use (`local_candidates.ts`).
 */
import { addressScope, isSameSocketAddress, type SocketAddress } from "../nat/address.ts";
import { type Candidate, MAX_CANDIDATES } from "../nat/candidate.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import { chooseLocalCandidates, type LocalInterface } from "./local_candidates.ts";

/** What is known of the ways to a machine. */
export interface KnownAddresses {
  /** Its interfaces. */
  readonly interfaces: readonly LocalInterface[];
  /** What the sockets are bound to, at most one of each family. */
  readonly bound: readonly SocketAddress[];
  /** Addresses that a person gave. */
  readonly manual: readonly Candidate[];
  /** Where STUN servers see the sockets, at most one of each family. */
  readonly reflexive: readonly SocketAddress[];
  /** What a router opened on request. */
  readonly mapped?: SocketAddress;
  /** The class of the NAT in front of the IPv4 socket. */
  readonly mapping: MappingClass;
  /** Whether loopback addresses may be given away. */
  readonly allowLoopback: boolean;
}

/** NATs whose port towards a peer is not the one that a STUN server saw. */
const HARD: readonly MappingClass[] = [
  "address_dependent",
  "port_dependent_stepping",
  "port_dependent_random",
];

/** The most candidates told in the channel. */
export const MAX_TOLD_CANDIDATES = 8;

/**
 * Chooses for a code: what a person gave; the address on the local network; how the machine is
 * reached from outside (the port a router opened, else the reflexive address); IPv6 only where IPv4
 * does not lead outside or has a hard NAT in front of it.
 *
 * @returns At most {@linkcode MAX_CANDIDATES}; empty when there is no address of use.
 */
export function chooseCodeCandidates(known: KnownAddresses): Candidate[] {
  const outside4 = outsideCandidates(known, 4).slice(0, 1);
  const local = chooseLocalCandidates(known.interfaces, known);
  const leadsOutside = [...outside4, ...local].some(({ address }) =>
    address.family === 4 && addressScope(address) === "global"
  );
  const wantsIpv6 = !leadsOutside || HARD.includes(known.mapping);
  const ipv6 = wantsIpv6 ? globalIpv6(known).slice(0, 1) : [];
  // What leads outside is not to be crowded out by a fourth address of the local network.
  const reserved = [...outside4, ...ipv6].filter((candidate) => !has(local, candidate));
  const kept = local.slice(0, Math.max(MAX_CANDIDATES - reserved.length, known.manual.length));
  return unique([...kept, ...reserved]).slice(0, MAX_CANDIDATES);
}

/**
 * Whether the candidates of a code lead to this machine no more. That there are others by now does
 * not matter, nor does a port that a hard NAT would not use again anyway.
 */
export function areOutdated(candidates: readonly Candidate[], known: KnownAddresses): boolean {
  const now = chooseCodeCandidates(known);
  const isHard = HARD.includes(known.mapping);
  return candidates.some(({ kind, address }) =>
    !now.some((other) =>
      isHard && kind === "reflexive"
        ? other.address.host === address.host
        : isSameSocketAddress(other.address, address)
    )
  );
}

/** Everything that may lead to this machine, best first; at most {@linkcode MAX_TOLD_CANDIDATES}. */
export function listCandidates(known: KnownAddresses): Candidate[] {
  return unique([
    ...chooseLocalCandidates(known.interfaces, known),
    ...outsideCandidates(known, 4),
    ...globalIpv6(known),
    ...outsideCandidates(known, 6),
  ]).slice(0, MAX_TOLD_CANDIDATES);
}

/** From outside: a port that was opened first, for it lets everybody in. */
function outsideCandidates(known: KnownAddresses, family: 4 | 6): Candidate[] {
  const reflexive = known.reflexive.find((address) => address.family === family);
  const { mapped } = known;
  const candidates: Candidate[] = [];
  // A router whose outside address is not the one that others see stands behind another router.
  if (mapped?.family === family && mapped.host === (reflexive ?? mapped).host) {
    candidates.push({ kind: "mapped", address: mapped });
  }
  if (reflexive) candidates.push({ kind: "reflexive", address: reflexive });
  return candidates;
}

function globalIpv6(known: KnownAddresses): Candidate[] {
  const bound = known.bound.filter(({ family }) => family === 6);
  return chooseLocalCandidates(known.interfaces, { bound, allowLoopback: false })
    .filter(({ address }) => addressScope(address) === "global");
}

function has(candidates: readonly Candidate[], { address }: Candidate): boolean {
  return candidates.some((other) => isSameSocketAddress(other.address, address));
}

function unique(candidates: readonly Candidate[]): Candidate[] {
  const chosen: Candidate[] = [];
  for (const candidate of candidates) if (!has(chosen, candidate)) chosen.push(candidate);
  return chosen;
}
