/**
 * How a NAT hands out outside ports, guessed from those it gave to new mappings (RFC 4787, section
 * 4.2): whether it keeps the inside port, counts up, or draws at random. A guess: other machines
 * behind the same NAT take ports in between.
 */

/** One new mapping: the order of the list they come in is the order in which they were made. */
export interface PortSample {
  /** Port of the socket inside; undefined when it is not known. */
  readonly localPort: number | undefined;
  /** Port the NAT gave to it. */
  readonly port: number;
}

/** What the ports of several mappings have in common. */
export interface PortPattern {
  /**
   * `preserving`: outside as inside. `sequential`: each a small step above the one before. `random`:
   * nothing of the kind. `unknown`: too few mappings were seen.
   */
  readonly pattern: "unknown" | "preserving" | "sequential" | "random";
  /** From one new mapping to the next, 1 to {@linkcode MAX_PORT_STEP}; only when sequential. */
  readonly step?: number;
  /** Port of the newest mapping: where a sequential NAT goes on from. */
  readonly newestPort?: number;
}

/** The largest step between two mappings that counts as small: some NATs keep parity or port pairs. */
export const MAX_PORT_STEP = 16;

/**
 * How many steps one of our mappings may lie above the one before, because others behind the same
 * NAT made some too. With it three random ports look sequential less than once in a million times,
 * and 2 times in a thousand where they all come from one block of 1024.
 */
const MAX_STEPS_BETWEEN = 8;

/** Fewer ports than this in a row may be chance. */
const MIN_SEQUENCE = 3;

/** NATs that count start again at the first port that needs no privilege. */
const FIRST_PORT = 1024;
const RING = 65_536 - FIRST_PORT;

/** The pattern of new mappings, in the order in which they were made. */
export function findPortPattern(samples: readonly PortSample[]): PortPattern {
  const newest = samples.at(-1);
  if (newest === undefined) return { pattern: "unknown" };
  const newestPort = newest.port;
  const known = samples.filter(({ localPort }) => localPort !== undefined);
  // A port that was kept says nothing of how those are chosen that are not.
  const chosen = samples.filter(({ localPort, port }) => localPort !== port)
    .map(({ port }) => port);
  if (known.length > 0 && chosen.length === samples.length - known.length) {
    return { pattern: "preserving", newestPort };
  }
  if (new Set(chosen).size < MIN_SEQUENCE) return { pattern: "unknown", newestPort };
  const step = stepOf(chosen);
  return step === undefined
    ? { pattern: "random", newestPort }
    : { pattern: "sequential", step, newestPort };
}

/**
 * The step of a NAT that counts up, or undefined. The ports are put in order first: a request that
 * was lost and repeated makes its mapping later than its place in the list says.
 */
function stepOf(ports: readonly number[]): number | undefined {
  if (ports.some((port) => port < FIRST_PORT)) return undefined;
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  const gaps = sorted.map((port, index) => {
    const next = sorted[(index + 1) % sorted.length]!;
    return (next - port + RING) % RING;
  });
  // On the ring of ports the longest gap is the one from the last of the sequence to its first.
  const longest = gaps.indexOf(Math.max(...gaps));
  const within = gaps.filter((_, index) => index !== longest);
  const step = within.reduce(greatestCommonDivisor);
  if (step > MAX_PORT_STEP || within.some((gap) => gap > step * MAX_STEPS_BETWEEN)) {
    return undefined;
  }
  const start = sorted[(longest + 1) % sorted.length]!;
  const [first, last] = [ports[0]!, ports.at(-1)!].map((port) => (port - start + RING) % RING);
  return first! < last! ? step : undefined;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
