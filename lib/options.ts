/** Options of the public operations; the program's flags map onto these one to one. */
import type { RandomSource } from "./crypto/provider.ts";
import type { OfferEvent } from "./events.ts";
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
   * it is back when it was lost.
   */
  readonly timeoutMs?: number;
  /** Show the words that detect a man in the middle; both sides must ask for it. */
  readonly verify?: boolean;
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

/** A client that asks to be let in. */
export interface ClientRequest {
  /** Counts from 1 within one share. */
  readonly session: number;
  /** Its `host:port`. */
  readonly address: string;
  /** The words to compare, when `verify` is on. */
  readonly words?: readonly string[];
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

/** What can be shared: paths of files and folders, a text, or a stream. */
export type ShareSource = readonly string[] | TextSource | StreamSource;

/** Options of `share`. */
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
  /** End after this many clients were served (default 1); a stream serves no more than one. */
  readonly maxClients?: number;
  /**
   * Admit only clients whose reply code was given to `addReply`; without it a pasted reply code
   * admits its client, and others are asked about.
   */
  readonly private?: boolean;
  /** Says who may see and take the share. Without it the code is the admission. */
  readonly admit?: (client: ClientRequest) => Promise<boolean>;
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
