/**
 * Which method joins two NATs, and who does what for it: the table that both sides read, each from
 * the two codes, so that they agree without a word. By mapping class only; candidates that make
 * punching needless are looked at in `pair_outlook.ts`.
 */
import type { MappingClass } from "../mapping_class.ts";
import { EXTRA_SOCKETS, STEPPING_SOCKETS } from "./limits.ts";

/** The side that gave out the share code, or the one that answered it with a reply code. */
export type PunchRole = "sharer" | "client";

/**
 * What a mapping class means for a peer. `fixed`: the outside port is the one in the code (no NAT,
 * endpoint-independent, and unknown until proven worse). `address`: another port for each remote
 * address, and in practice filtering by address only. `stepping`: the next port can be foreseen.
 * `random`: it cannot.
 */
export type PunchKind = "fixed" | "address" | "stepping" | "random";

/** How a pair is joined. */
export interface PunchPlan {
  /** What to expect of it. */
  readonly method: "punched" | "predicted" | "birthday" | "impossible";
  /** Who opens many sockets, each of which sends to the other's known address. */
  readonly opens?: PunchRole;
  /** Who sends to many ports of the other. */
  readonly sprays?: PunchRole;
  /** Both walk along each other's ports, step by step. */
  readonly lockstep?: true;
}

/** What a mapping class means for a peer. */
export function punchKind(mapping: MappingClass): PunchKind {
  switch (mapping) {
    case "unknown":
    case "none":
    case "endpoint_independent":
      return "fixed";
    case "address_dependent":
      return "address";
    case "port_dependent_stepping":
      return "stepping";
    case "port_dependent_random":
      return "random";
    default:
      return mapping satisfies never;
  }
}

/** How two NATs are joined. */
export function planPunch(sharer: MappingClass, client: MappingClass): PunchPlan {
  const s = punchKind(sharer);
  const c = punchKind(client);
  if (s === "fixed" && c === "fixed") return { method: "punched" };
  if (s === "fixed" || c === "fixed") {
    const hard: PunchRole = s === "fixed" ? "client" : "sharer";
    const sprays = other(hard);
    return (s === "fixed" ? c : s) === "stepping"
      ? { method: "predicted", sprays }
      : { method: "birthday", opens: hard, sprays };
  }
  // Filtering by address lets everything in from an address that was sent to once, so the other
  // side's ports need not be known. Of two such sides the one that waits is open already.
  if (c === "address") return { method: "birthday", opens: "client", sprays: "sharer" };
  if (s === "address") return { method: "birthday", opens: "sharer", sprays: "client" };
  if (s === "stepping" && c === "stepping") return { method: "predicted", lockstep: true };
  return { method: "impossible" };
}

/**
 * How many sockets a side opens besides its own: many where ports cannot be foreseen, and a few where
 * a waiting client's next ports are.
 */
export function socketsToOpen(plan: PunchPlan, role: PunchRole): number {
  if (plan.opens !== undefined) return plan.opens === role ? EXTRA_SOCKETS : 0;
  const isForeseen = plan.method === "predicted" && plan.sprays === "sharer";
  return isForeseen && role === "client" ? STEPPING_SOCKETS : 0;
}

/** The other one. */
export function other(role: PunchRole): PunchRole {
  return role === "sharer" ? "client" : "sharer";
}
