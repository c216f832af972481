/**
 * Candidates: the addresses at which a machine may be reached, and how a list of them is written
 * into a code with as few bytes as possible (docs/protocol.md, "Candidates"). A list has exactly
 * one encoding; every other way to write the same addresses is refused [CODE-2].
 *
 * Not here: where candidates come from, and the count and kinds that a code wants.
 */
import {
  addressScope,
  type IpAddress,
  ipAddressFromBytes,
  ipAddressToBytes,
  type SocketAddress,
} from "./address.ts";

/**
 * How an address became known: `host` it is on an interface, `reflexive` a STUN server saw it,
 * `mapped` a router opened it on request, `manual` a person said so.
 */
export type CandidateKind = "host" | "reflexive" | "mapped" | "manual";

/** An address at which a machine may be reached. */
export interface Candidate {
  /** How the address became known. */
  readonly kind: CandidateKind;
  /** Where to send to. */
  readonly address: SocketAddress;
}

/** Why a list of candidates was refused. */
export type CandidateProblem =
  /** The list is empty. */
  | { readonly reason: "no_candidates" }
  /** The bytes end in the middle of a candidate. */
  | { readonly reason: "truncated" }
  /** Something follows the last candidate that may be there. */
  | { readonly reason: "too_many_candidates" }
  /** A bit that must be zero is not, or a form is used that does not exist. */
  | { readonly reason: "reserved_bits" }
  /** Not the one way in which this list is written. */
  | { readonly reason: "not_shortest" }
  /** Port 0. */
  | { readonly reason: "port_zero"; readonly host: string }
  /** Nobody can be reached there: an unspecified, multicast, broadcast or unwanted loopback address. */
  | {
    readonly reason: "forbidden_address";
    readonly host: string;
    readonly scope: ForbiddenScope;
  };

/** Scopes of addresses at which no peer can be; loopback is one unless it was allowed. */
export type ForbiddenScope = "unspecified" | "multicast" | "broadcast" | "loopback";

/** What {@linkcode decodeCandidates} found. */
export type CandidatesResult =
  | { readonly ok: true; readonly candidates: readonly Candidate[] }
  | { readonly ok: false; readonly problem: CandidateProblem };

/** The most candidates a code carries; more would make it long without helping two people meet. */
export const MAX_CANDIDATES = 4;

/** The longest candidate: 1 byte, IPv6 address, port. */
export const MAX_CANDIDATE_BYTES = 19;

/** In the order of bits 7-6. */
const KINDS: readonly CandidateKind[] = ["host", "reflexive", "mapped", "manual"];

// bits 7-6 kind · bits 5-3 form · bit 2 same port as the previous · bits 1-0 zero
const KIND_SHIFT = 6;
const FORM_SHIFT = 3;
const FORM_MASK = 0x07;
const SAME_PORT_BIT = 0x04;
const RESERVED_BITS = 0x03;

/** Index is the form; `implied` bytes stand for themselves, the rest of the address is written. */
const FORMS: readonly { readonly implied: readonly number[]; readonly writtenBytes: number }[] = [
  { implied: [], writtenBytes: 4 },
  { implied: [], writtenBytes: 16 },
  { implied: [192, 168], writtenBytes: 2 },
  { implied: [10], writtenBytes: 3 },
  { implied: [172], writtenBytes: 3 },
  { implied: [100], writtenBytes: 3 },
];

/**
 * Writes candidates at `offset`, each as
 *
 * | bytes | meaning |
 * | --- | --- |
 * | 1 | bits 7-6 kind, bits 5-3 form, bit 2 same port as the previous, bits 1-0 zero |
 * | 2 to 16 | form 0: IPv4, 4 bytes; 1: IPv6, 16; 2: the end of 192.168.x.y, 2; 3: of 10.x.y.z, 3; 4: of 172.16.0.0/12, 3; 5: of 100.64.0.0/10, 3 |
 * | 0 or 2 | port, unless bit 2 is set |
 *
 * @param candidates Any number; codes carry 1 to {@linkcode MAX_CANDIDATES}.
 * @param out The buffer to write into; at most {@linkcode MAX_CANDIDATE_BYTES} a candidate are used.
 * @param offset Index of the first byte to write.
 * @returns The index just past the last byte written.
 * @throws {RangeError} If a port is not 1 to 65535, an address is not canonical or nobody can be
 * reached at it (loopback is taken), or `out` has too little room.
 */
export function encodeCandidates(
  candidates: readonly Candidate[],
  out: Uint8Array,
  offset: number,
): number {
  let previousPort = 0;
  for (const { kind, address } of candidates) {
    const { port } = address;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new RangeError(`Cannot encode candidate: port ${port} is not 1 to 65535`);
    }
    if (forbiddenScope(address, true) !== undefined) {
      throw new RangeError(`Cannot encode candidate: nobody can be reached at ${address.host}`);
    }
    const bytes = ipAddressToBytes(address);
    if (ipAddressFromBytes(bytes)!.host !== address.host) {
      throw new RangeError(`Cannot encode candidate: ${address.host} is not canonical`);
    }
    const form = formOf(bytes);
    const samePort = port === previousPort;
    const { implied, writtenBytes } = FORMS[form]!;
    if (offset + 1 + writtenBytes + (samePort ? 0 : 2) > out.length) {
      throw new RangeError(`Cannot encode candidate: no room at ${offset} of ${out.length}`);
    }
    out[offset++] = (KINDS.indexOf(kind) << KIND_SHIFT) | (form << FORM_SHIFT) |
      (samePort ? SAME_PORT_BIT : 0);
    out.set(bytes.subarray(implied.length), offset);
    offset += writtenBytes;
    if (!samePort) {
      out[offset++] = port >>> 8;
      out[offset++] = port;
    }
    previousPort = port;
  }
  return offset;
}

/**
 * Reads the candidates that fill `bytes` from `offset` to the end.
 *
 * @param options `mostCandidates` is {@linkcode MAX_CANDIDATES} by default.
 * @returns 1 to `mostCandidates` candidates, or the first problem [CODE-1]. Never throws.
 */
export function decodeCandidates(
  bytes: Uint8Array,
  offset: number,
  options: { readonly allowLoopback: boolean; readonly mostCandidates?: number },
): CandidatesResult {
  const { allowLoopback, mostCandidates = MAX_CANDIDATES } = options;
  const candidates: Candidate[] = [];
  let previousPort = 0;
  while (offset < bytes.length) {
    if (candidates.length === mostCandidates) return refused({ reason: "too_many_candidates" });
    const head = bytes[offset++]!;
    const form = (head >>> FORM_SHIFT) & FORM_MASK;
    const layout = FORMS[form];
    if (layout === undefined || (head & RESERVED_BITS) !== 0) {
      return refused({ reason: "reserved_bits" });
    }
    const samePort = (head & SAME_PORT_BIT) !== 0;
    const addressEnd = offset + layout.writtenBytes;
    const end = addressEnd + (samePort ? 0 : 2);
    if (end > bytes.length) return refused({ reason: "truncated" });

    const raw = new Uint8Array([...layout.implied, ...bytes.subarray(offset, addressEnd)]);
    const ip = ipAddressFromBytes(raw)!;
    const port = samePort ? previousPort : (bytes[addressEnd]! << 8) | bytes[addressEnd + 1]!;
    if (port === 0 && !samePort) return refused({ reason: "port_zero", host: ip.host });
    // Port 0 is left for the first candidate only, which has no previous one to share a port with.
    if (
      formOf(raw) !== form || ip.family !== (form === 1 ? 6 : 4) || port === 0 ||
      (!samePort && port === previousPort)
    ) {
      return refused({ reason: "not_shortest" });
    }
    const scope = forbiddenScope(ip, allowLoopback);
    if (scope !== undefined) return refused({ reason: "forbidden_address", host: ip.host, scope });

    candidates.push({
      kind: KINDS[head >>> KIND_SHIFT]!,
      address: { family: ip.family, host: ip.host, port },
    });
    previousPort = port;
    offset = end;
  }
  if (candidates.length === 0) return refused({ reason: "no_candidates" });
  return { ok: true, candidates };
}

/**
 * Whether no peer can be reached at an address, and why.
 *
 * @returns The scope that forbids it, or undefined when it may be a candidate.
 */
export function forbiddenScope(
  address: IpAddress,
  allowLoopback: boolean,
): ForbiddenScope | undefined {
  const scope = addressScope(address);
  switch (scope) {
    case "unspecified":
    case "multicast":
    case "broadcast":
      return scope;
    case "loopback":
      return allowLoopback ? undefined : scope;
    default:
      return undefined;
  }
}

/** The form with the fewest bytes; the only one that may be used. */
function formOf(bytes: Uint8Array): number {
  if (bytes.length === 16) return 1;
  const a = bytes[0]!;
  const b = bytes[1]!;
  if (a === 192 && b === 168) return 2;
  if (a === 10) return 3;
  if (a === 172 && (b & 0xf0) === 16) return 4;
  if (a === 100 && (b & 0xc0) === 64) return 5;
  return 0;
}

function refused(problem: CandidateProblem): CandidatesResult {
  return { ok: false, problem };
}
