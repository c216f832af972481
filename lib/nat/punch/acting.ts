/**
 * What the sharer sends once a reply code was pasted: the client is waiting, its side is open, and
 * what can be done is done within seconds.
 *
 * | sharer's NAT | client's NAT | besides the plain probes |
 * | --- | --- | --- |
 * | fixed | stepping | the ports ahead of the client's, the next ones several times |
 * | fixed | address, random | after 500 ms: the client's ports, the nearest first |
 * | address, random | fixed | after 500 ms: 256 sockets |
 * | stepping | stepping | up to 256 ports in lockstep |
 * | any but fixed | address | after 500 ms: the client's ports |
 * | address | stepping, random | after 500 ms: 256 sockets |
 */
import { after } from "../../time.ts";
import {
  FORESEEN_PORTS,
  GUARD_PROBES,
  LOCKSTEP_PORTS,
  PLAIN_FIRST_MS,
  PLAIN_PROBES,
  SPRAY_PROBES,
  SPRAY_SPACING_MS,
} from "./limits.ts";
import { punchKind } from "./plan.ts";
import { nearestPort, portAhead } from "./ports.ts";
import { openingStream, type PunchSide } from "./side.ts";
import { PunchStream } from "./stream.ts";
import type { PlainTarget } from "./targets.ts";

/** From one plain probe to the next: at 0, 50, 100, 200, 400 and 800 ms. */
const PLAIN_GAPS_MS = [50, 50, 100, 200, 400];
/** After those. */
const PLAIN_GAP_MS = 500;

/**
 * How many ports ahead each pass tries: the nearer one is, the likelier, and the more often it is
 * tried, since probes get lost. Together they are the whole budget.
 */
const AHEAD_PASSES: readonly { readonly count: number; readonly gapMs: number }[] = [
  { count: FORESEEN_PORTS, gapMs: 200 },
  { count: FORESEEN_PORTS, gapMs: 300 },
  { count: 4 * FORESEEN_PORTS, gapMs: 0 },
  { count: 16 * FORESEEN_PORTS, gapMs: 0 },
  { count: SPRAY_PROBES - 22 * FORESEEN_PORTS, gapMs: Number.POSITIVE_INFINITY },
];

/**
 * From one sending out of every extra socket to the next: again soon, since probes get lost and the
 * client opens more ports all the time, and then so often that the budget lasts.
 */
const OPENING_GAPS_MS = [1000, 1000];
/** After those. */
const OPENING_GAP_MS = 5500;

const LOCKSTEP_GAP_MS = 1000;
/**
 * So many probes in step, then the step is one wider: whatever else took a port on either side in
 * the meantime put the two out of step by as much.
 */
const LOCKSTEP_RUN = 16;

/**
 * The streams of an acting sharer, the most urgent first.
 *
 * @param steps How many ports the sharer's own NAT has gone ahead since its code was made.
 */
export function actingStreams(side: PunchSide, steps: number): PunchStream[] {
  const { plan, startAt, remote, targets: { nat } } = side;
  if (nat === undefined) return [plainStream(side, undefined)];
  if (plan.lockstep) {
    if (steps >= LOCKSTEP_PORTS) return [plainStream(side, undefined)];
    const lockstep = lockstepStream(side, nat, steps);
    return [lockstep, plainStream(side, lockstep)];
  }
  const plain = [...guardStreams(side, nat), plainStream(side, undefined)];
  if (plan.opens === "sharer") {
    const opening = openingStream(side, nat, {
      startAt: after(startAt, PLAIN_FIRST_MS),
      gapMs: (round) => OPENING_GAPS_MS[round] ?? OPENING_GAP_MS,
    });
    return [...plain, opening];
  }
  if (plan.sprays !== "sharer") return plain;
  const isForeseen = plan.method === "predicted" && punchKind(remote) === "stepping";
  return [...plain, isForeseen ? aheadStream(side, nat) : sprayStream(side, nat)];
}

function plainStream(
  { startAt, targets: { plain } }: PunchSide,
  following: PunchStream | undefined,
): PunchStream {
  return new PunchStream({
    startAt,
    following,
    spacingMs: 0,
    gapMs: (round) =>
      round + 1 < PLAIN_PROBES ? PLAIN_GAPS_MS[round] ?? PLAIN_GAP_MS : Number.POSITIVE_INFINITY,
    count: () => plain.length,
    target: (index) => ({ socket: plain[index]!.socket, remote: plain[index]!.candidate.address }),
  });
}

/**
 * To the port next to the client's: behind most NATs that of its guard socket, which our router has
 * not heard from. Before the plain probes: Linux gives the port of a socket's newest flow to its next
 * one, and that of the plain probe may have been moved.
 */
function guardStreams({ startAt, local, remote }: PunchSide, nat: PlainTarget): PunchStream[] {
  const { socket, candidate: { address } } = nat;
  const port = address.port + 1;
  const isOfUse = punchKind(local) === "fixed" && punchKind(remote) === "fixed";
  if (!isOfUse || port > 65_535) return [];
  return [
    new PunchStream({
      startAt,
      spacingMs: 0,
      gapMs: (round) =>
        round + 1 < GUARD_PROBES ? PLAIN_GAPS_MS[round] ?? PLAIN_GAP_MS : Number.POSITIVE_INFINITY,
      count: () => 1,
      target: () => ({ socket, remote: { ...address, port } }),
    }),
  ];
}

function aheadStream({ startAt, budget }: PunchSide, nat: PlainTarget): PunchStream {
  const { socket, candidate: { address } } = nat;
  return new PunchStream({
    startAt,
    budget,
    spacingMs: SPRAY_SPACING_MS,
    gapMs: (round) => AHEAD_PASSES[round]!.gapMs,
    count: (round) => AHEAD_PASSES[round]!.count,
    target: (index) => ({ socket, remote: { ...address, port: portAhead(address.port, index) } }),
  });
}

function sprayStream({ startAt, budget }: PunchSide, nat: PlainTarget): PunchStream {
  const { socket, candidate: { address } } = nat;
  return new PunchStream({
    startAt: after(startAt, PLAIN_FIRST_MS),
    budget,
    spacingMs: SPRAY_SPACING_MS,
    gapMs: () => Number.POSITIVE_INFINITY,
    count: () => SPRAY_PROBES,
    target: (index) => ({
      socket,
      remote: { ...address, port: nearestPort(address.port, index) },
    }),
  });
}

/**
 * The client sent its probe number i from the i-th port ahead of its own to the i-th ahead of ours,
 * and the next port we are given is number `steps`: so that is where we begin.
 */
function lockstepStream(
  { startAt, budget }: PunchSide,
  nat: PlainTarget,
  steps: number,
): PunchStream {
  const { socket, candidate: { address } } = nat;
  return new PunchStream({
    startAt,
    budget,
    spacingMs: SPRAY_SPACING_MS,
    gapMs: () => LOCKSTEP_GAP_MS,
    count: () => LOCKSTEP_PORTS - steps,
    target: (index) => {
      const place = steps + index + Math.floor(index / LOCKSTEP_RUN);
      return { socket, remote: { ...address, port: portAhead(address.port, place) } };
    },
  });
}
