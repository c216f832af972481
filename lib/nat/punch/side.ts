/** What the waiting and the acting side start from, and the streams that both have. */
import type { Instant } from "../../time.ts";
import type { MappingClass } from "../mapping_class.ts";
import type { PathSocket } from "../path.ts";
import type { PunchBudget } from "./budget.ts";
import { SPRAY_SPACING_MS } from "./limits.ts";
import type { PunchPlan } from "./plan.ts";
import { PunchStream } from "./stream.ts";
import type { PlainTarget, PunchTargets } from "./targets.ts";

/** One side of a pair. */
export interface PunchSide {
  /** When it begins. */
  readonly startAt: Instant;
  /** How the pair is joined. */
  readonly plan: PunchPlan;
  /** What the NAT in front of this side is like. */
  readonly local: MappingClass;
  /** What the other side's is like. */
  readonly remote: MappingClass;
  /** Whom to ask. */
  readonly targets: PunchTargets;
  /** Sockets opened on request; more come in while it runs. */
  readonly extraSockets: readonly PathSocket[];
  /** What spray probes are taken from. */
  readonly budget: PunchBudget;
}

/** How the probes of an opening stream go. */
export interface OpeningOptions {
  readonly startAt: Instant;
  /** From the start of a round to that of the next, ms. */
  readonly gapMs: (round: number) => number;
  /** How many routers the probes of each socket may pass; by default all. */
  readonly hops?: (index: number) => number | undefined;
}

/** Sends out of every extra socket to the one address at which the other side is known. */
export function openingStream(
  side: PunchSide,
  nat: PlainTarget,
  { startAt, gapMs, hops }: OpeningOptions,
): PunchStream {
  const { extraSockets, budget } = side;
  const remote = nat.candidate.address;
  return new PunchStream({
    startAt,
    budget,
    spacingMs: SPRAY_SPACING_MS,
    gapMs,
    count: () => extraSockets.length,
    target: (index) => ({ socket: extraSockets[index]!.index, remote, hops: hops?.(index) }),
  });
}
