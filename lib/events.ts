/**
 * What a running share or receive tells its owner, in order. The program prints exactly these with
 * `--json`, one object a line with `"v":1` in front; the library yields them.
 *
 * Text that came from the peer (file names, reasons) is given as it came: escape it before it
 * reaches a terminal.
 */
import type { ErrorCode } from "./errors.ts";

/** The share is ready: give this code to the other side. First event of a share. */
export interface CodeEvent {
  /** Which event this is. */
  readonly event: "code";
  /** `p2p1…`, lower case. */
  readonly code: string;
  /** The addresses inside it, as `host:port`. */
  readonly addresses: readonly string[];
}

/** Receiver: looking for the sharer. */
export interface ConnectingEvent {
  /** Which event this is. */
  readonly event: "connecting";
  /** The addresses being tried, as `host:port`. */
  readonly addresses: readonly string[];
}

/** An authenticated, encrypted connection exists; nothing of the share was shown yet. */
export interface ConnectedEvent {
  /** Which event this is. */
  readonly event: "connected";
  /** Counts from 1 within one share; always 1 for a receiver. */
  readonly session: number;
  /** The other side's `host:port`. */
  readonly address: string;
  /** How the datagrams go. */
  readonly route: string;
  /** Round-trip time of the handshake. */
  readonly rttMs: number;
}

/** The words of `--verify`, the same on both sides when nobody is in between. */
export interface WordsEvent {
  /** Which event this is. */
  readonly event: "words";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** Three words. */
  readonly words: readonly string[];
}

/** Receiver: the sharer's person has not yet said yes. */
export interface WaitingEvent {
  /** Which event this is. */
  readonly event: "waiting";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** What for: the sharer's admission. */
  readonly reason: "admission";
}

/** Sender: a client was let in or turned away. */
export interface AdmissionEvent {
  /** Which event this is. */
  readonly event: "admission";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** The other side's `host:port`. */
  readonly address: string;
  /** Whether it was let in. */
  readonly admitted: boolean;
}

/** What is offered, and how it compares with what is here already (receiver only: new/same/differ). */
export interface OfferEvent {
  /** Which event this is. */
  readonly event: "offer";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** Files, folders and links together. */
  readonly items: number;
  /** How many files. */
  readonly files: number;
  /** How many folders. */
  readonly directories: number;
  /** Sum of the file sizes. */
  readonly bytes: number;
  /** Top-level names, at most 100 of them. */
  readonly names: readonly string[];
  /** Files not here yet. */
  readonly newItems: number;
  /** Files here with the same size and time; not sent again. */
  readonly sameItems: number;
  /** Files here that differ. */
  readonly differItems: number;
  /** Top-level names that begin with a dot; taken only with their own yes. */
  readonly dotNames: readonly string[];
}

/** At most ten times a second, and once at the end. */
export interface ProgressEvent {
  /** Which event this is. */
  readonly event: "progress";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** File bytes that arrived. */
  readonly bytesDone: number;
  /** File bytes asked for. */
  readonly bytesTotal: number;
  /** Files that are complete. */
  readonly itemsDone: number;
  /** Files asked for. */
  readonly itemsTotal: number;
  /** Over the last few seconds. */
  readonly rateBytesPerSecond: number;
  /** Undefined until there is a rate to tell it from. */
  readonly remainingSeconds?: number;
  /** The file now moving, as the path within the share. */
  readonly file: string;
  /** How the datagrams go. */
  readonly route: string;
}

/** A file is complete: verified and, on the receiving side, in its place. */
export interface FileDoneEvent {
  /** Which event this is. */
  readonly event: "file-done";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** Path within the share, with `/`. */
  readonly path: string;
  /** File bytes. */
  readonly bytes: number;
  /** SHA-256 tree root, hexadecimal. */
  readonly root: string;
}

/** Something did not go as wished and the rest goes on. */
export interface WarningEvent {
  /** Which event this is. */
  readonly event: "warning";
  /** Which session; counts from 1 within one share. */
  readonly session?: number;
  /** Stable, for programs, e.g. `code_is_admission`, `unsafe_name`, `kept`, `source_changed`. */
  readonly code: string;
  /** For people, without a full stop; may hold peer text. */
  readonly message: string;
  /** The file it is about, when it is about one. */
  readonly path?: string;
}

/** Last event of a session that ended well, perhaps with files left out (see `exit`). */
export interface DoneEvent {
  /** Which event this is. */
  readonly event: "done";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** File bytes. */
  readonly bytes: number;
  /** Entries in their place: files, folders and links. */
  readonly items: number;
  /** Entries left out: kept, skipped, changed or refused. */
  readonly leftOut: number;
  /** SHA-256 root over the whole share, hexadecimal; both sides computed it. */
  readonly root: string;
  /** From the answer to the offer (sender: from the first request) to the end, in ms. */
  readonly elapsedMs: number;
  /** File bytes over that time. */
  readonly rateBytesPerSecond: number;
  /** 0, or 12, 13 or 14 when something was left out. */
  readonly exit: number;
}

/** Last event of an operation that failed, or of one session of a share that goes on. */
export interface ErrorEvent {
  /** Which event this is. */
  readonly event: "error";
  /** Which session; counts from 1 within one share. */
  readonly session?: number;
  /** Which error; stable. */
  readonly code: ErrorCode;
  /** Exit status of the program. */
  readonly exit: number;
  /** For people, without a full stop; may hold peer text. */
  readonly message: string;
  /** What to do next. */
  readonly hint: string;
  /** True when the whole operation ends with it, false when only this session does. */
  readonly fatal: boolean;
}

/** Every event of the library. */
export type TransferEvent =
  | CodeEvent
  | ConnectingEvent
  | ConnectedEvent
  | WordsEvent
  | WaitingEvent
  | AdmissionEvent
  | OfferEvent
  | ProgressEvent
  | FileDoneEvent
  | WarningEvent
  | DoneEvent
  | ErrorEvent;
