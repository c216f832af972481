/**
 * Which of a peer's candidates are asked, out of which socket, and which one of them its NAT stands
 * behind. Candidates come from a code that somebody pasted: whatever they say, nothing goes to an
 * address that belongs to nobody, and many ports are tried only on public ones.
 */
import { addressScope, isSameSocketAddress, type SocketAddress } from "../address.ts";
import { type Candidate, type CandidateKind, forbiddenScope } from "../candidate.ts";
import type { PathSocket } from "../path.ts";

/** A candidate, and the socket it is asked from. */
export interface PlainTarget {
  readonly candidate: Candidate;
  readonly socket: number;
}

/** Which candidate shows the NAT best: what a STUN server saw of the very socket. */
const NAT_KINDS: readonly CandidateKind[] = ["reflexive", "host", "manual", "mapped"];

/** What a peer's candidates mean for this machine. */
export class PunchTargets {
  /** All that are asked, the one of {@linkcode nat} first. */
  readonly plain: readonly PlainTarget[];
  /** The public IPv4 address whose ports are tried, if there is one. */
  readonly nat: PlainTarget | undefined;
  readonly #allowsLoopback: boolean;

  /** @param sockets The first of a family asks its candidates. */
  constructor(candidates: readonly Candidate[], sockets: readonly PathSocket[]) {
    const plain: PlainTarget[] = [];
    for (const candidate of candidates) {
      const { address } = candidate;
      const socket = sockets.find(({ family }) => family === address.family)?.index;
      if (socket === undefined || forbiddenScope(address, true) !== undefined) continue;
      if (plain.some((other) => isSameSocketAddress(other.candidate.address, address))) continue;
      plain.push({ candidate, socket });
    }
    this.nat = natOf(plain);
    this.plain = plain.sort((a, b) => Number(b === this.nat) - Number(a === this.nat));
    this.#allowsLoopback = candidates.some(({ address }) => addressScope(address) === "loopback");
  }

  /** The candidate at an address. */
  candidateAt(address: SocketAddress): Candidate | undefined {
    return this.plain.find(({ candidate }) => isSameSocketAddress(candidate.address, address))
      ?.candidate;
  }

  /** Whether something may be sent to an address that something came from. */
  mayAnswer(address: SocketAddress): boolean {
    return address.port !== 0 && forbiddenScope(address, this.#allowsLoopback) === undefined;
  }
}

function natOf(plain: readonly PlainTarget[]): PlainTarget | undefined {
  for (const kind of NAT_KINDS) {
    const found = plain.find(({ candidate }) =>
      candidate.kind === kind && candidate.address.family === 4 &&
      addressScope(candidate.address) === "global"
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
