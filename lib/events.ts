/**
 * What a running share or receive tells its owner, in order. The program prints exactly these with
 * `--json`, one object a line with `"v":1` in front; the library yields them.
 *
 * Text that came from the peer (file names, reasons) is given as it came: escape it before it
 * reaches a terminal.
 */
import type { ErrorCode } from "./errors.ts";
import type { MappingClass } from "./nat/mapping_class.ts";
import type { ExpectedMethod, PathMethod } from "./nat/path_method.ts";

/** The share is ready: give this code to the other side. First event of a share. */
export interface CodeEvent {
  /** Which event this is. */
  readonly event: "code";
  /** `p2p1…`, lower case. */
  readonly code: string;
  /** The addresses inside it, as `host:port`. */
  readonly addresses: readonly string[];
  /** True when this code replaces an earlier one of the same share, whose addresses have changed. */
  readonly changed?: boolean;
}

/** Receiver: nobody answered yet. Give this code to the side that shares, to be pasted there. */
export interface ReplyCodeEvent {
  /** Which event this is. */
  readonly event: "reply-code";
  /** `p2p1…`, lower case. */
  readonly code: string;
  /** The addresses inside it, as `host:port`. */
  readonly addresses: readonly string[];
  /** How the two are expected to meet once it was pasted; a warning follows `unknown`. */
  readonly expected: ExpectedMethod;
  /** True when this code replaces an earlier one. */
  readonly changed?: boolean;
}

/** Sharer: a reply code was taken; its client is looked for. */
export interface ReplyEvent {
  /** Which event this is. */
  readonly event: "reply";
  /** Names the client behind the code until it is connected, e.g. `k3n9`: part of the code. */
  readonly client: string;
  /** The addresses in the code, as `host:port`. */
  readonly addresses: readonly string[];
  /** How the two are expected to meet; a warning follows `unknown`. */
  readonly expected: ExpectedMethod;
}

/** What became known of the network this machine is in; again when it changes. */
export interface NetworkEvent {
  /** Which event this is. */
  readonly event: "network";
  /** How the NAT in front of this machine chooses outside ports. */
  readonly mapping: MappingClass;
  /** The addresses that others see this machine at, as `host:port`. */
  readonly reflexive: readonly string[];
  /** The address that a router opened on request, as `host:port`. */
  readonly mapped?: string;
  /** How it was opened. */
  readonly mappedBy?: "pcp" | "nat-pmp" | "upnp";
  /** Whether STUN servers answered; `off` when none was to be asked. */
  readonly stun: "answered" | "silent" | "off";
}

/** The path that a session uses from now on; the first follows `connected`. */
export interface PathEvent {
  /** Which event this is. */
  readonly event: "path";
  /** Counts from 1 within one share; always 1 for a receiver. */
  readonly session: number;
  /** The other side's `host:port`. */
  readonly address: string;
  /** Which IP. */
  readonly family: 4 | 6;
  /** How datagrams go: `lan` from one private address to another, else `internet`, or `loopback`. */
  readonly route: PathRoute;
  /** How the path was made. */
  readonly method: PathMethod;
  /** Round-trip time, ms. */
  readonly rttMs: number;
}

/** Where a path leads. */
export type PathRoute = "loopback" | "lan" | "internet";

/** Nothing came for a while although something should have: a new path is looked for. */
export interface PathLostEvent {
  /** Which event this is. */
  readonly event: "path-lost";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** How long nothing came, ms. */
  readonly silentMs: number;
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
  /** Where the path leads. */
  readonly route: PathRoute;
  /** Round-trip time of the handshake. */
  readonly rttMs: number;
  /** Whether datagrams move in trains that the kernel cuts and joins (`turbo`), or one by one. */
  readonly acceleration: "base" | "turbo";
  /**
   * The session that this one goes on with, and which is over: on the sharer's side that in which the
   * same client was lost, on the receiver's always 1. Absent when it is not after a `reconnecting`.
   */
  readonly resumes?: number;
}

/**
 * Receiver: the other side fell silent in the middle, and no other path to it was found. It is looked
 * for again, with the same code; `connected` follows, or an `error`.
 */
export interface ReconnectingEvent {
  /** Which event this is. */
  readonly event: "reconnecting";
  /** Which session; always 1. */
  readonly session: number;
  /** The addresses being tried, as `host:port`. */
  readonly addresses: readonly string[];
  /** File bytes that are here and kept; those whose group was not complete come again. */
  readonly bytesDone: number;
  /** File bytes asked for; 0 when nothing was so far. */
  readonly bytesTotal: number;
  /** For how much longer it is tried, ms. */
  readonly timeoutMs: number;
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

/** Receiver: connected, but not let in yet. */
export interface WaitingEvent {
  /** Which event this is. */
  readonly event: "waiting";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /**
   * What for: `admission`, the sharer's person has not yet said yes; `reply`, the share admits only
   * clients whose reply code was pasted there, and a `reply-code` event follows.
   */
  readonly reason: "admission" | "reply";
}

/** Who the other side is, by the identity that it has proved. */
export interface IdentityReport {
  /** Its public key: Ed25519, 32 bytes, hexadecimal. */
  readonly key: string;
  /** Stands for its public key, whole: to compare, and for `allow`. */
  readonly fingerprint: string;
  /** What it is called in the book of peers; absent for a stranger. */
  readonly name?: string;
  /**
   * How it compares with the book: the key is known, nothing of it is known, the key is known under
   * another name than was expected, or the name that was expected has another key.
   */
  readonly recognition: "known" | "stranger" | "other_name" | "other_key";
}

/** The other side has proved who it is; the sharer learns it before anybody is asked. */
export interface IdentityEvent extends IdentityReport {
  /** Which event this is. */
  readonly event: "identity";
  /** Which session; counts from 1 within one share, always 1 for a receiver. */
  readonly session: number;
}

/** What a client was let in by; see {@linkcode AdmissionEvent.by}. */
export type AdmittedBy = "code" | "reply" | "identity" | "yes" | "again";

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
  /**
   * By what, when it was: nobody is asked here and it has the `code`; its `reply` code was pasted;
   * its `identity` is allowed; somebody said `yes`; or it was let in before, was lost, and came
   * `again`.
   */
  readonly by?: AdmittedBy;
}

/** Sender: a client is sent away by `kick`, and not let in again; the `error` of its session follows. */
export interface KickedEvent {
  /** Which event this is. */
  readonly event: "kicked";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** The other side's `host:port`. */
  readonly address: string;
}

/** What is offered, and how it compares with what is here already (receiver only: new/same/differ). */
export interface OfferEvent {
  /** Which event this is. */
  readonly event: "offer";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
  /** Files, folders and links together. */
  readonly items: number;
  /** How many files and streams. */
  readonly files: number;
  /** How many folders. */
  readonly directories: number;
  /** How many symbolic links. */
  readonly links: number;
  /** How many of the files are texts to be read at once. */
  readonly texts: number;
  /** Sum of the file sizes; that of a stream is not known and counts nothing. */
  readonly bytes: number;
  /** Whether a stream is offered; else absent. */
  readonly hasStream?: true;
  /** Top-level names, at most 100 of them. */
  readonly names: readonly string[];
  /** Files and links not here yet. */
  readonly newItems: number;
  /** Files here with the same size and time, links with the same text; not sent again. */
  readonly sameItems: number;
  /** Files and links with something else in their place. */
  readonly differItems: number;
  /** New and differing files of which an earlier run left a part here. */
  readonly partlyItems: number;
  /** Top-level names that begin with a dot; taken only with their own yes. */
  readonly dotNames: readonly string[];
}

/**
 * What a transfer is limited by:
 * - `line`: the line and what else is on it; as it should be.
 * - `loss`: the line loses packets.
 * - `limit`, `peer-limit`: a limit of the rate that was set on this side, on the other side.
 * - `disk`, `peer-disk`: reading or writing files on this side, on the other side.
 * - `processor`, `peer-processor`: the processor of this machine, of the other one.
 * - `peer`: the other side has not asked for more.
 */
export type LimitedBy =
  | "line"
  | "loss"
  | "limit"
  | "peer-limit"
  | "disk"
  | "peer-disk"
  | "processor"
  | "peer-processor"
  | "peer";

/** What limits a transfer now. */
export interface LimitReport {
  /** What it is. */
  readonly limitedBy: LimitedBy;
  /** With `loss`: the share of packets that is lost. */
  readonly lostShare?: number;
  /** With `limit` and `peer-limit`: the limit. */
  readonly limitBytesPerSecond?: number;
}

/** At most ten times a second, and once at the end. What limits it is known after some seconds. */
export interface ProgressEvent extends Partial<LimitReport> {
  /** Which event this is. */
  readonly event: "progress";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
  /** File bytes that arrived or were here. */
  readonly bytesDone: number;
  /** Receiver: of these, bytes that were here already and did not move; absent when there are none. */
  readonly keptBytes?: number;
  /** File bytes asked for. */
  readonly bytesTotal: number;
  /** Whether a stream is among it: then `bytesTotal` grows, and nobody knows what remains. */
  readonly hasStream?: true;
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
  /** Where the path leads; absent where nothing goes over a network. */
  readonly route?: PathRoute;
  /** Receiver: all is here, and is being read back for the manifest; counts began anew. */
  readonly readingBack?: true;
}

/** A file is complete: verified and, on the receiving side, in its place. */
export interface FileDoneEvent {
  /** Which event this is. */
  readonly event: "file-done";
  /** Which session; counts from 1 within one share. */
  readonly session: number;
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
  /** Path within the share, with `/`. */
  readonly path: string;
  /** File bytes. */
  readonly bytes: number;
  /** SHA-256 tree root, hexadecimal. */
  readonly root: string;
}

/** Receiver: how much of what was asked for was here already, once that is known; told once at most. */
export interface ResumedEvent {
  /** Which event this is. */
  readonly event: "resumed";
  /** Which session; always 1. */
  readonly session: number;
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
  /** Files of which bytes were here. */
  readonly files: number;
  /** Those bytes; checked, and not sent again. */
  readonly bytes: number;
}

/** Receiver: a text that was sent to be read rather than stored; verified. */
export interface TextEvent {
  /** Which event this is. */
  readonly event: "text";
  /** Which session; always 1. */
  readonly session: number;
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
  /** Its name within the share. */
  readonly path: string;
  /** At most 65,536 bytes of UTF-8; what was not valid UTF-8 is replaced. */
  readonly text: string;
}

/** Something did not go as wished and the rest goes on. */
export interface WarningEvent {
  /** Which event this is. */
  readonly event: "warning";
  /** Which session; counts from 1 within one share. */
  readonly session?: number;
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
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
  /** Whether it is about what the client gives to the sharer; else absent. */
  readonly back?: true;
  /** File bytes. */
  readonly bytes: number;
  /** Of these, bytes that the receiver had already and that did not move; absent when none. */
  readonly keptBytes?: number;
  /** Entries in their place: files, folders and links. */
  readonly items: number;
  /** Entries left out: kept, skipped, changed or refused. */
  readonly leftOut: number;
  /** SHA-256 root over the whole share, hexadecimal; both sides computed it. */
  readonly root: string;
  /** From the answer to the offer (sender: from the first request) to the end, in ms. */
  readonly elapsedMs: number;
  /** File bytes that moved over that time. */
  readonly rateBytesPerSecond: number;
  /** 0, or 12, 13 or 14 when something was left out. */
  readonly exit: number;
}

/** Receiver: the files were read back from the disk and a manifest of them was written. */
export interface ManifestEvent {
  /** Which event this is. */
  readonly event: "manifest";
  /** Which session; always 1. */
  readonly session: number;
  /** The manifest. */
  readonly path: string;
  /** Files in it. */
  readonly files: number;
  /** Bytes of those files. */
  readonly bytes: number;
}

/** Last event of `verify`, when all of the manifest was gone through. */
export interface VerifiedEvent {
  /** Which event this is. */
  readonly event: "verified";
  /** Files of the manifest that were looked for. */
  readonly files: number;
  /** Bytes that were read. */
  readonly bytes: number;
  /** Files that are as they should be. */
  readonly good: number;
  /** Files that are not there. */
  readonly missing: number;
  /** Files with other bytes or another size, or with something else in their place. */
  readonly damaged: number;
  /** Files that the system does not let be read. */
  readonly unreadable: number;
  /** Files whose name is not used as a path. */
  readonly refused: number;
  /** From the start to the end, in ms. */
  readonly elapsedMs: number;
  /** Bytes read over that time. */
  readonly rateBytesPerSecond: number;
  /** 0 when all are good; 11 when one is missing or damaged, else 10 or 12. */
  readonly exit: number;
}

/**
 * Sender: nobody new is let in from now on, because it was closed or its time is up; who is in goes on
 * to the end. Not told when nobody is: then the share is over.
 */
export interface ClosingEvent {
  /** Which event this is. */
  readonly event: "closing";
  /** Why. */
  readonly reason: "closed" | "expired";
  /** Clients that go on; who was let in and lost may come again, and is not counted. */
  readonly clients: number;
}

/** Last event of a share for many, however it ends. */
export interface ClosedEvent {
  /** Which event this is. */
  readonly event: "closed";
  /**
   * Why: it was taken as often as it may be, it was closed, its time is up, it was interrupted, or
   * it failed. After the last two the reason came before as an `error` with `fatal`.
   */
  readonly reason: "served" | "closed" | "expired" | "interrupted" | "failed";
  /** Clients that took it, each to the end. */
  readonly clients: number;
  /** File bytes of those, without what they had before. */
  readonly bytes: number;
  /** From the code to the end, in ms. */
  readonly elapsedMs: number;
  /** That of the `error` with `fatal`; else the first `exit` of a `done` that was not 0; else 0. */
  readonly exit: number;
}

/** Last event of an operation that failed, or of one session of a share that goes on. */
export interface ErrorEvent {
  /** Which event this is. */
  readonly event: "error";
  /** Which session; counts from 1 within one share. */
  readonly session?: number;
  /** Whether it ended what the client gives to the sharer, and that alone; else absent. */
  readonly back?: true;
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
  | ReplyCodeEvent
  | ReplyEvent
  | NetworkEvent
  | ConnectingEvent
  | ConnectedEvent
  | ReconnectingEvent
  | PathEvent
  | PathLostEvent
  | WordsEvent
  | WaitingEvent
  | IdentityEvent
  | AdmissionEvent
  | KickedEvent
  | OfferEvent
  | ProgressEvent
  | FileDoneEvent
  | ResumedEvent
  | TextEvent
  | WarningEvent
  | ManifestEvent
  | DoneEvent
  | VerifiedEvent
  | ClosingEvent
  | ClosedEvent
  | ErrorEvent;
