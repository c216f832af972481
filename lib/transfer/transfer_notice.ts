/**
 * What a sender or a receiver tells its owner while it works: the events of `lib/events.ts` without
 * the fields only the owner knows (session, route, times).
 */
import type {
  FileDoneEvent,
  OfferEvent,
  ResumedEvent,
  TextEvent,
  WaitingEvent,
  WarningEvent,
} from "../events.ts";

/** One thing to tell. */
export type TransferNotice =
  | Omit<OfferEvent, "session">
  | Omit<WaitingEvent, "session">
  | Omit<FileDoneEvent, "session">
  | Omit<ResumedEvent, "session">
  | Omit<TextEvent, "session">
  | Omit<WarningEvent, "session">;

/** How far a transfer is; counters, polled by the owner whenever it wants to show them. */
export interface TransferProgress {
  /** Receiver: bytes that arrived or were here. Sender: bytes known to have arrived. */
  readonly bytesDone: number;
  /** Of these, bytes that were here already and did not move; absent when there are none. */
  readonly keptBytes?: number;
  /** Bytes of all files asked for so far. */
  readonly bytesTotal: number;
  /** Whether a stream is among them, of which only those are counted that have come so far. */
  readonly hasStream?: true;
  /** Files that are complete. */
  readonly itemsDone: number;
  /** Files asked for so far. */
  readonly itemsTotal: number;
  /** The file now moving, as the path within the share; empty before the first. */
  readonly file: string;
}

/** How a transfer ended when it ended well. */
export interface TransferSummary {
  /** File bytes sent and verified. */
  readonly bytes: number;
  /** Of these, bytes that the receiver had already and that did not move; absent when none. */
  readonly keptBytes?: number;
  /** Entries now in their place: files sent or the same already, and folders. */
  readonly items: number;
  /** Files left out: kept, skipped, changed or refused. */
  readonly leftOut: number;
  /** Root over the share, hexadecimal; both sides computed it. */
  readonly root: string;
  /** 0, or 12, 13 or 14 when something was left out. */
  readonly exit: number;
}
