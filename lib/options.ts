/** Options of the public operations; the program's flags map onto these one to one. */
import type { RandomSource } from "./crypto/provider.ts";
import type { IdentityReport, OfferEvent, PathRoute } from "./events.ts";
import type { IdentityStore } from "./identity/identity_store.ts";
import type { Clock } from "./transport/clock.ts";
import type { DatagramSocket } from "./transport/socket.ts";
import type { SymlinkPolicy } from "./transfer/offer/folder_walk.ts";
import type { Storage } from "./storage/storage.ts";

export type { SymlinkPolicy };

/** What both sides take. */
export interface CommonOptions {
  /** Local address to bind, e.g. `{ port: 4000 }`; by default any free port on every interface. */
  readonly bind?: { readonly host?: string; readonly port?: number };
  /** Allows loopback addresses in codes. */
  readonly allowLoopback?: boolean;
  /**
   * How long to wait for the other side, in milliseconds (default 600,000): until it comes, and until
   * it is back when it was lost. A share for many waits for ever, unless this is given.
   */
  readonly timeoutMs?: number;
  /** Show the words that detect a man in the middle; both sides must ask for it. */
  readonly verify?: boolean;
  /** Who this side is, and whom it knows. Without it nobody is told or asked who they are. */
  readonly identity?: IdentityOptions;
  /**
   * STUN servers that tell how this machine is seen from outside, as `host[:port]`; `[]` for none. By
   * default a few public ones.
   */
  readonly stunServers?: readonly string[];
  /** Ask the router to open a port: PCP, NAT-PMP or UPnP (default true). */
  readonly portMapping?: boolean;
  /**
   * Most bytes per second, from 1000, counted in datagrams: with their encryption and what is sent
   * again, without the headers of UDP and IP. A share keeps it for all its clients together; a
   * receiver asks the other side to keep it.
   */
  readonly limitBytesPerSecond?: number;
  /** Yield to all other traffic on the line; a receiver asks the other side to. */
  readonly background?: boolean;
  /** Use `node:dgram` where `Deno.listenDatagram` is missing. */
  readonly allowSlowSocket?: boolean;
  /** Ends the operation cleanly; the iteration then ends with an `interrupted` error. */
  readonly signal?: AbortSignal;
  /** Sockets to use in place of the system's. */
  readonly sockets?: readonly DatagramSocket[];
  /** Clock to use in place of the system's. */
  readonly clock?: Clock;
  /** Randomness to use in place of the system's. */
  readonly random?: RandomSource;
  /** Files to use in place of the system's. */
  readonly storage?: Storage;
}

/** Who one is, and whom one knows. */
export interface IdentityOptions {
  /** Where both are kept. */
  readonly store: IdentityStore;
  /** Whether this side proves to the other who it is; an identity is made when there is none. */
  readonly shows: boolean;
}

/** A client that asks to be let in. */
export interface ClientRequest {
  /** Counts from 1 within one share. */
  readonly session: number;
  /** Its `host:port`. */
  readonly address: string;
  /** The words to compare, when `verify` is on. */
  readonly words?: readonly string[];
  /** Who it has proved to be; absent when it showed nothing. */
  readonly identity?: IdentityReport;
  /** Whether its reply code was pasted. */
  readonly isInvited: boolean;
  /** Aborted when the answer does not matter any more: the client left, or its reply code came. */
  readonly signal: AbortSignal;
}

/** A client of a share, as it is at this moment. */
export interface ClientReport {
  /** Counts from 1 within one share. */
  readonly session: number;
  /** Its `host:port`. */
  readonly address: string;
  /** Where the path to it leads. */
  readonly route: PathRoute;
  /** Who it has proved to be; absent when it showed nothing. */
  readonly identity?: IdentityReport;
  /**
   * What it does:
   * - `asking`: somebody is asked about it, or will be when it is its turn;
   * - `waiting`: for a place, or for its reply code to be pasted;
   * - `admitted`: it was let in, and has not asked for anything yet;
   * - `moving`: bytes move, or could;
   * - `silent`: nothing is heard of it.
   */
  readonly state: "asking" | "waiting" | "admitted" | "moving" | "silent";
  /** File bytes that have arrived at it, or were there. */
  readonly bytesDone: number;
  /** File bytes it has asked for so far. */
  readonly bytesTotal: number;
  /** Over the last few seconds. */
  readonly rateBytesPerSecond: number;
  /** How long this session has been there, ms. */
  readonly connectedMs: number;
}

/** A text to share: for a person to read at the other side, rather than a file. */
export interface TextSource {
  /** 1 to 65,536 bytes of UTF-8. */
  readonly text: string;
  /** What it is called where it is stored all the same (default `text.txt`). */
  readonly name?: string;
  /** When it was written, ms since 1970 (default: now). */
  readonly mtimeMs?: number;
}

/** Bytes to share that come while they are sent; one client gets them, and once. */
export interface StreamSource {
  /** Read when the client asks for it and as fast as it takes them; cancelled when the share ends. */
  readonly stream: ReadableStream<Uint8Array>;
  /** What the file is called at the other side: one component of a path. */
  readonly name: string;
  /** When it was written, ms since 1970 (default: now). */
  readonly mtimeMs?: number;
}

/** Nothing to share: for whoever only takes what clients offer. */
export interface NothingSource {
  /** Says so. */
  readonly nothing: true;
}

/** What can be shared: paths of files and folders, a text, a stream, or nothing. */
export type ShareSource = readonly string[] | TextSource | StreamSource | NothingSource;

/** How a share takes what its clients offer. */
export interface TakeOptions {
  /** Folder to write into. */
  readonly directory: string;
  /** Decides about an offer. Without it everything is accepted but dot-names and overwriting. */
  readonly decide?: (offer: OfferEvent, client: ClientReport) => Promise<OfferDecision>;
  /** For what differs, when there is no `decide`. */
  readonly overwrite?: OverwritePolicy | OverwriteChooser;
  /** Take top-level names that begin with a dot, when there is no `decide`. */
  readonly takeDotNames?: boolean;
  /** Whether to make symbolic links that are offered, as {@linkcode ReceiveOptions.symlinks}. */
  readonly symlinks?: "skip" | "keep";
}

/** Options of `share` and `send`. */
export interface ShareOptions extends CommonOptions {
  /** Addresses to put into the code: replaces the machine's own. */
  readonly addresses?: readonly string[];
  /** Addresses to put into the code beside the machine's own. */
  readonly extraAddresses?: readonly string[];
  /** Most bytes per second to each client, as {@linkcode CommonOptions.limitBytesPerSecond}. */
  readonly clientLimitBytesPerSecond?: number;
  /** Congestion control, by default the best there is; not together with `background`. */
  readonly congestion?: "bbr" | "cubic";
  /**
   * What is left out of the folders that are shared: patterns in the syntax of `.gitignore`, relative
   * to each of them.
   */
  readonly exclude?: readonly string[];
  /** Leave out what `.gitignore` files in the folders say, and `.git` (default false). */
  readonly gitignore?: boolean;
  /** What becomes of symbolic links in the folders (default `skip`). */
  readonly symlinks?: SymlinkPolicy;
  /** Clients at the same time, 1 to 256 (default 256); others wait for a place. */
  readonly maxClients?: number;
  /**
   * The share is over when it was taken, to the end, so many times (default: no limit; of a stream:
   * 1). Never more clients are let in at once than are left.
   */
  readonly readLimit?: number;
  /**
   * How long clients are let in, in milliseconds from when the code is there (default: for ever). Who
   * is in then goes on to the end; then the share is over.
   */
  readonly expiresMs?: number;
  /**
   * Admit only clients whose reply code was given to `addReply`, and those of `allow`; without it a
   * pasted reply code admits its client, and others are asked about.
   */
  readonly private?: boolean;
  /**
   * Clients that are let in without a question when they prove who they are: names of peers in
   * `identity`, or fingerprints, for strangers whole.
   */
  readonly allow?: readonly string[];
  /** Name of a peer in `identity`: the code is a short one, for that peer and nobody else. */
  readonly forPeer?: string;
  /** Says who may see and take the share. Without it the code is the admission. */
  readonly admit?: (client: ClientRequest) => Promise<boolean>;
  /** Takes what clients offer; without it that is declined. */
  readonly take?: TakeOptions;
}

/**
 * What to do with a file that is offered when something else is in its place:
 * - `never`: keep what is here;
 * - `rename`: keep it, and store the other as `name (2).ext`, or the next number that is free;
 * - `newer`: replace it when the other was modified later, else keep it;
 * - `always`: replace it.
 */
export type OverwritePolicy = "never" | "rename" | "newer" | "always";

/** A file or link that is offered while something else is in its place. */
export interface DifferingItem {
  /** Path within the share; of the peer. */
  readonly path: string;
  /** Its size in bytes; undefined for a link, and for a stream, whose size nobody knows. */
  readonly sizeBytes?: number;
  /** When it was modified, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** What is here. */
  readonly here: {
    /** What it is. */
    readonly kind: "file" | "symlink";
    /** Its size in bytes. */
    readonly sizeBytes: number;
    /** When it was modified, in milliseconds since 1970. */
    readonly mtimeMs: number;
  };
}

/** Decides about one item; asked one after another, before anything is written. */
export type OverwriteChooser = (item: DifferingItem) => OverwritePolicy | Promise<OverwritePolicy>;

/** What the receiving person decided about an offer. */
export interface OfferDecision {
  /** False: take nothing, end with `refused`. */
  readonly accept: boolean;
  /** For what differs (default `never`: kept, exit 13). */
  readonly overwrite?: OverwritePolicy | OverwriteChooser;
  /** Take top-level names that begin with a dot (default false: skipped, exit 13). */
  readonly takeDotNames?: boolean;
}

/** Options of `receive`. */
export interface ReceiveOptions extends CommonOptions {
  /**
   * Whether the other side may be told this machine's own addresses, in a reply code and to find a
   * better path (default true).
   */
  readonly localAddresses?: boolean;
  /**
   * Folder to write into (default: the current one). Texts that are meant to be read at once are
   * stored in it too; without it they are told of in `text` events.
   */
  readonly directory?: string;
  /**
   * Takes the bytes of the one file or stream that is offered, in order, in place of a folder; ended
   * when they are complete, aborted when they will not be. Anything else that is offered is `usage`.
   */
  readonly output?: WritableStream<Uint8Array>;
  /** Decides about the offer. Without it everything is accepted but dot-names and overwriting. */
  readonly decide?: (offer: OfferEvent) => Promise<OfferDecision>;
  /** For what differs, when there is no `decide`. */
  readonly overwrite?: OverwritePolicy | OverwriteChooser;
  /** Take top-level names that begin with a dot, when there is no `decide`. */
  readonly takeDotNames?: boolean;
  /**
   * Whether to make symbolic links that are offered (default `keep`): only those that stay inside the
   * top-level folder they are in.
   */
  readonly symlinks?: "skip" | "keep";
  /**
   * Where to write a manifest of the files that are in their place, after they were read back from
   * the disk: what `verify` and `sha256sum -c` check. A file that is there already is
   * replaced only when `overwrite` is `always`; else the receive ends with `usage` before anything
   * is asked for.
   */
  readonly manifest?: string;
  /** Asked to confirm the words, when `verify` is on; false ends with `authentication_failed`. */
  readonly confirmWords?: (words: readonly string[]) => Promise<boolean>;
  /** Offered to the sharer once it has let this side in. */
  readonly offer?: ShareSource;
  /** Take nothing of what is offered: this side only gives (default false). */
  readonly declines?: boolean;
  /**
   * Name of a peer in `identity`, who must be the one that shares; else it ends with
   * `authentication_failed`.
   */
  readonly expectPeer?: string;
}

/** Options of `verify`. */
export interface VerifyOptions {
  /** The manifest: a file that `receive` or `sha256sum` wrote. */
  readonly manifest: string;
  /** Ends the operation cleanly; the iteration then ends with an `interrupted` error. */
  readonly signal?: AbortSignal;
  /** Clock to use in place of the system's. */
  readonly clock?: Clock;
  /** Files to use in place of the system's. */
  readonly storage?: Storage;
}
