/**
 * What the client sends while it waits: it does not know when, or whether, its reply code is pasted
 * at the other end, so it keeps its NAT open for whatever the sharer will send then.
 *
 * Some home routers (Linux, where INPUT is accepted) note an early probe as a flow of their own and
 * then move the late side to another port, for as long as probes go on. Probes that pass only a few
 * routers open the own NAT and do not get that far; but a carrier's NAT may be further away. So,
 * where hops can be limited, both are done: the main socket sends with all hops and a *guard socket*
 * beside it with few, and of many ports or sockets every second pair.
 *
 * A sharer's NAT that filters by address lets the client in, whatever port it has, as soon as the
 * sharer has sent something. So a fixed sharer's public address is asked often: what arrives first
 * after the paste joins the two, however hard the client's own NAT is.
 *
 * | sharer's NAT | client's NAT | besides the plain probes |
 * | --- | --- | --- |
 * | fixed | address, random | 256 sockets |
 * | fixed | stepping | 4 sockets, whose ports are the next |
 * | stepping | fixed | the ports ahead of the sharer's: 32 every 8 s, 896 every 30 s, then on |
 * | address, random | fixed | the sharer's ports: the nearest 1024 every 30 s, then on outward |
 * | stepping | stepping | 256 ports in lockstep |
 * | any but fixed | address | 256 sockets |
 * | address | stepping, random | the sharer's ports: the nearest 2048 every 30 s |
 */
import {
  FORESEEN_PORTS,
  KNOCK_MS,
  LOCKSTEP_PORTS,
  REFRESH_MS,
  SPRAY_PROBES,
  SPRAY_SPACING_MS,
  SPRAY_WINDOW_MS,
} from "./limits.ts";
import { punchKind, socketsToOpen } from "./plan.ts";
import { nearestPort, PORT_COUNT, portAhead } from "./ports.ts";
import { openingStream, type PunchSide } from "./side.ts";
import { PunchStream } from "./stream.ts";
import type { PlainTarget } from "./targets.ts";

/**
 * Half of the budget keeps the likeliest ports open, the other half goes on to ports that were not
 * tried: neither a NAT that draws from a block nor one that avoids what was sent to it escapes.
 */
const LIKELY_PORTS = SPRAY_PROBES / 2;
/** A window of four refreshes; they count as likely ports, too. */
const FORESEEN_PROBES = FORESEEN_PORTS * Math.ceil(SPRAY_WINDOW_MS / REFRESH_MS);

/** How a client keeps from the other side's router. */
export interface LowHops {
  /** How many routers such probes may pass; undefined where that cannot be limited. */
  readonly hops: number | undefined;
  /** The guard socket, if there is one. */
  readonly guardSocket: number | undefined;
}

/** The streams of a waiting client, the most urgent first. */
export function waitingStreams(side: PunchSide, low: LowHops): PunchStream[] {
  const { plan, remote, targets: { nat, plain: [, ...others] } } = side;
  if (nat === undefined) return [plainStream(side)];
  if (plan.lockstep) {
    const lockstep = portsStream(side, nat, {
      portAt: portAhead,
      to: LOCKSTEP_PORTS,
      spacingMs: SPRAY_SPACING_MS,
      everyMs: REFRESH_MS,
    });
    // In between, another destination would take a port and end the step.
    return [lockstep, plainStream(side, { following: lockstep })];
  }
  // The public one first: a stepping NAT then takes the next port for it.
  const plain = [
    plainStream(side, {
      targets: [nat],
      gapMs: punchKind(remote) === "fixed" ? KNOCK_MS : REFRESH_MS,
    }),
    plainStream(side, { targets: others }),
    ...guardStreams(side, nat, low),
  ];
  if (socketsToOpen(plan, "client") > 0) {
    const { startAt } = side;
    const hops = everySecondPair(low.hops);
    return [...plain, openingStream(side, nat, { startAt, gapMs: () => REFRESH_MS, hops })];
  }
  return plan.sprays === "client" ? [...plain, ...sprayStreams(side, nat, low.hops)] : plain;
}

/** Neither way may cost the other more than half: ports are tried above and below in turns. */
function everySecondPair(hops: number | undefined): (index: number) => number | undefined {
  return (index) => (index & 2) === 0 ? hops : undefined;
}

/** Whom plain probes go to, and how often. */
interface PlainOptions {
  /** By default every candidate, the public one first. */
  readonly targets?: readonly PlainTarget[];
  /** From one round to the next. */
  readonly gapMs?: number;
  readonly following?: PunchStream;
}

function plainStream(
  { startAt, targets: { plain } }: PunchSide,
  { targets = plain, gapMs = REFRESH_MS, following }: PlainOptions = {},
): PunchStream {
  return new PunchStream({
    startAt,
    following,
    spacingMs: 0,
    gapMs: () => gapMs,
    count: () => targets.length,
    target: (index) => {
      const { socket, candidate: { address } } = targets[index]!;
      return { socket, remote: address };
    },
  });
}

/** Keeps the guard socket's NAT open without being noticed at the other side's router. */
function guardStreams(
  { startAt, local }: PunchSide,
  { candidate: { address } }: PlainTarget,
  { hops, guardSocket }: LowHops,
): PunchStream[] {
  if (guardSocket === undefined || hops === undefined || punchKind(local) !== "fixed") return [];
  return [
    new PunchStream({
      startAt,
      spacingMs: 0,
      gapMs: () => REFRESH_MS,
      count: () => 1,
      target: () => ({ socket: guardSocket, remote: address, hops }),
    }),
  ];
}

function sprayStreams(
  side: PunchSide,
  nat: PlainTarget,
  lowHops: number | undefined,
): PunchStream[] {
  if (punchKind(side.local) !== "fixed") {
    // From behind a NAT whose ports are unknown nothing can be kept open: a probe is of use only
    // if it arrives while the sharer's sockets are there. So they come evenly.
    const spacingMs = SPRAY_WINDOW_MS / SPRAY_PROBES;
    return [portsStream(side, nat, { portAt: nearestPort, to: SPRAY_PROBES, spacingMs })];
  }
  const isStepping = punchKind(side.remote) === "stepping";
  const portAt = isStepping ? portAhead : nearestPort;
  const hops = everySecondPair(lowHops);
  const evenMs = SPRAY_WINDOW_MS / (SPRAY_PROBES - LIKELY_PORTS);
  const foreseen = isStepping ? FORESEEN_PORTS : 0;
  const likely = isStepping ? LIKELY_PORTS - FORESEEN_PROBES + FORESEEN_PORTS : LIKELY_PORTS;
  const spacingMs = SPRAY_SPACING_MS;
  return [
    ...(isStepping
      ? [portsStream(side, nat, { portAt, to: foreseen, spacingMs, everyMs: REFRESH_MS })]
      : []),
    portsStream(side, nat, {
      portAt,
      from: foreseen,
      to: likely,
      spacingMs,
      everyMs: SPRAY_WINDOW_MS,
      hops,
    }),
    portsStream(side, nat, { portAt, from: likely, to: PORT_COUNT, spacingMs: evenMs, hops }),
  ];
}

/** Which ports of the other side's NAT are tried, and how often. */
interface PortsOptions {
  /** Their order. */
  readonly portAt: (base: number, index: number) => number;
  /** The first place in it; 0 by default. */
  readonly from?: number;
  /** The place behind the last. */
  readonly to: number;
  readonly spacingMs: number;
  /** From one round to the next; at once by default. */
  readonly everyMs?: number;
  /** How many routers the probe to each place may pass; by default all. */
  readonly hops?: (index: number) => number | undefined;
}

function portsStream(
  { startAt, budget }: PunchSide,
  { socket, candidate: { address } }: PlainTarget,
  { portAt, from = 0, to, spacingMs, everyMs = 0, hops }: PortsOptions,
): PunchStream {
  return new PunchStream({
    startAt,
    budget,
    spacingMs,
    gapMs: () => everyMs,
    count: () => to - from,
    target: (index) => ({
      socket,
      remote: { ...address, port: portAt(address.port, from + index) },
      hops: hops?.(from + index),
    }),
  });
}
