/** What pairs of networks are expected to do: the bounds that `nat_matrix.ts` gives to each. */
import type { PathMethod } from "../../lib/nat/path_method.ts";

/** What a pair is expected to do. */
export interface Expectation {
  /** How the two meet, as docs/nat.md calls it; `none` when they cannot. */
  readonly path: PathMethod | "none";
  /** What the machines may call it: not every side can know what the other one did. */
  readonly methods: readonly PathMethod[];
  /** Whether the share code alone is enough. */
  readonly isOneCode: boolean;
  /** Share of tries that succeed at least. */
  readonly successRate: number;
  /** Time after which a try counts as failed, ms. */
  readonly withinMs: number;
  /** Bound of the median, ms. */
  readonly p50Ms: number;
  /** Bound of the 95th percentile, ms. */
  readonly p95Ms: number;
}

/** The share code alone is enough. */
export const DIRECT: Expectation = {
  path: "direct",
  methods: ["direct"],
  isOneCode: true,
  successRate: 0.995,
  withinMs: 2000,
  p50Ms: 100,
  p95Ms: 300,
};

/** Both outside ports are the ones in the codes. */
export const PUNCHED: Expectation = {
  path: "punched",
  methods: ["punched", "direct"],
  isOneCode: false,
  successRate: 0.995,
  withinMs: 5000,
  p50Ms: 250,
  p95Ms: 500,
};

/** One NAT lets in what comes from an address that was sent to: a plain probe, or a guessed port. */
export const OPEN: Expectation = { ...PUNCHED, methods: ["punched", "direct", "birthday"] };

/** A port is not the one in the code, but the next. */
export const PREDICTED: Expectation = {
  path: "predicted",
  methods: ["predicted", "birthday", "direct"],
  isOneCode: false,
  successRate: 0.98,
  withinMs: 5000,
  p50Ms: 400,
  p95Ms: 1000,
};

/** The client calls by another name what hits its first socket, or a port it might have foreseen. */
export const BIRTHDAY: Expectation = {
  path: "birthday",
  methods: ["birthday", "direct", "punched", "predicted"],
  isOneCode: false,
  successRate: 0.98,
  withinMs: 5000,
  p50Ms: 1500,
  p95Ms: 4500,
};

/** What the client sends with few hops does not open a carrier's NAT: half of the ports count. */
export const HALF: Expectation = { ...BIRTHDAY, successRate: 0.93 };

/**
 * Only the client, who does not know when, can try ports, and what it tries before the paste is
 * lost: 68 ports a second are all its budget allows.
 */
export const SLOW: Expectation = { ...BIRTHDAY, withinMs: 30_000, p50Ms: 4000, p95Ms: 16_000 };

/** The client has used up its block of ports before it has tried enough of the sharer's. */
export const SLOWEST: Expectation = { ...SLOW, successRate: 0.95, p50Ms: 7000, p95Ms: 27_000 };

/** A port was opened by a router. */
export const MAPPED: Expectation = {
  path: "mapped",
  methods: ["mapped"],
  isOneCode: false,
  successRate: 0.99,
  withinMs: 5000,
  p50Ms: 400,
  p95Ms: 1000,
};

/** They cannot meet. */
export const NONE: Expectation = {
  path: "none",
  methods: [],
  isOneCode: false,
  successRate: 0,
  withinMs: 0,
  p50Ms: 0,
  p95Ms: 0,
};

/** The Linux trap, where the guard socket's outside port cannot be foreseen: nobody knows before. */
export const TRAPPED: Expectation = { ...NONE };
