/**
 * What the client sends while it waits: it does not know when, or whether, its reply code is pasted
 * at the other end, so it keeps its NAT open for whatever the sharer will send then.
 *
 * Where it can, it lets these probes pass only a few routers: they shall open the own NAT, not
 * reach the other. Some home routers (Linux, where INPUT is accepted) note an early probe as a flow
 * of their own and then move the late side to another port, for as long as probes go on.
 *
 * | sharer's NAT | client's NAT | besides the plain probes |
 * | --- | --- | --- |
 * | fixed | address, random | 256 sockets |
 * | stepping | fixed | the ports ahead of the sharer's: 32 every 8 s, 896 every 30 s, then on |
 * | address, random | fixed | the sharer's ports: the nearest 1024 every 30 s, then on outward |
 * | stepping | stepping | 256 ports in lockstep |
 * | any but fixed | address | 256 sockets |
 * | address | stepping, random | the sharer's ports: the nearest 2048 every 30 s |
 */
import {
  FORESEEN_PORTS,
  LOCKSTEP_PORTS,
  REFRESH_MS,
  SPRAY_PROBES,
  SPRAY_SPACING_MS,
  SPRAY_WINDOW_MS,
} from "./punch_limits.ts";
import { punchKind } from "./punch_plan.ts";
import { nearestPort, PORT_COUNT, portAhead } from "./punch_ports.ts";
import { openingStream, type PunchSide } from "./punch_side.ts";
import { PunchStream } from "./punch_stream.ts";
import type { PlainTarget } from "./punch_targets.ts";

/**
 * Half of the budget keeps the likeliest ports open, the other half goes on to ports that were not
 * tried: neither a NAT that draws from a block nor one that avoids what was sent to it escapes.
 */
const LIKELY_PORTS = SPRAY_PROBES / 2;
/** A window of four refreshes; they count as likely ports, too. */
const FORESEEN_PROBES = FORESEEN_PORTS * Math.ceil(SPRAY_WINDOW_MS / REFRESH_MS);

/**
 * The streams of a waiting client, the most urgent first.
 *
 * @param lowHops How many routers opening probes may pass; undefined where that cannot be limited.
 */
export function waitingStreams(side: PunchSide, lowHops: number | undefined): PunchStream[] {
  const { plan, targets: { nat } } = side;
  if (nat === undefined) return [plainStream(side, lowHops, undefined)];
  if (plan.lockstep) {
    const lockstep = portsStream(side, nat, {
      portAt: portAhead,
      to: LOCKSTEP_PORTS,
      spacingMs: SPRAY_SPACING_MS,
      everyMs: REFRESH_MS,
      hops: lowHops,
    });
    // In between, another destination would take a port and end the step.
    return [lockstep, plainStream(side, lowHops, lockstep)];
  }
  const plain = plainStream(side, lowHops, undefined);
  if (plan.opens === "client") {
    const { startAt } = side;
    return [plain, openingStream(side, nat, { startAt, gapMs: () => REFRESH_MS, hops: lowHops })];
  }
  return plan.sprays === "client" ? [plain, ...sprayStreams(side, nat, lowHops)] : [plain];
}

/** To every candidate, the public one first: a stepping NAT then takes the next port for it. */
function plainStream(
  { startAt, targets: { plain } }: PunchSide,
  lowHops: number | undefined,
  following: PunchStream | undefined,
): PunchStream {
  return new PunchStream({
    startAt,
    following,
    spacingMs: 0,
    gapMs: () => REFRESH_MS,
    count: () => plain.length,
    target: (index) => {
      const { socket, candidate: { address } } = plain[index]!;
      // No ports are moved in IPv6, and its firewalls may stand far from here.
      return { socket, remote: address, hops: address.family === 4 ? lowHops : undefined };
    },
  });
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
  const hops = lowHops;
  const evenMs = SPRAY_WINDOW_MS / (SPRAY_PROBES - LIKELY_PORTS);
  const foreseen = isStepping ? FORESEEN_PORTS : 0;
  const likely = isStepping ? LIKELY_PORTS - FORESEEN_PROBES + FORESEEN_PORTS : LIKELY_PORTS;
  const spacingMs = SPRAY_SPACING_MS;
  return [
    ...(isStepping
      ? [portsStream(side, nat, { portAt, to: foreseen, spacingMs, everyMs: REFRESH_MS, hops })]
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
  readonly hops?: number | undefined;
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
      hops,
    }),
  });
}
