/** One line of raw results, as `--rows` writes them. */
import type { ProfileSummary } from "./cpu_profile.ts";
import type { ProcessUsage } from "./process_usage.ts";
import type { TimelineSample } from "../chart/timeline_chart.ts";

/** One run of one tool. */
export interface BenchRow {
  readonly case: string;
  readonly tool: string;
  /** Counts from 1. */
  readonly run: number;
  /** When it began, ISO 8601. */
  readonly at: string;
  /** Bytes of all files. */
  readonly bytes: number;
  /** Whether all of them arrived within the limit, and were compared. */
  readonly isDone: boolean;
  /** Of them, how many were on the receiver's disk at the end; all when it is done. */
  readonly bytesDone?: number;
  /** From the start of the receiving side to its end, or to the limit. */
  readonly wallMs: number;
  /** How much of that passed before the receiver was connected. */
  readonly connectedAfterMs?: number;
  readonly sender?: ProcessUsage;
  readonly receiver?: ProcessUsage;
  /** Datagrams that the kernel dropped meanwhile on full receive buffers, on loopback. */
  readonly bufferDrops?: number;
  /** What the laboratory's emulator did meanwhile, towards the receiver. */
  readonly link?: {
    readonly carriedBytes: number;
    readonly lost: number;
    readonly queueDrops: number;
    readonly cpuSeconds: number;
  };
  /** How much longer than on the idle line pings took meanwhile. */
  readonly addedDelay?: { readonly medianMs: number; readonly p95Ms: number };
  /** How the transfer went over time. */
  readonly timeline?: readonly TimelineSample[];
  readonly profile?: {
    readonly sender: ProfileSummary;
    readonly receiver: ProfileSummary;
    /** Towards the receiver. */
    readonly datagrams: number;
  };
}
