/** Options of the public operations; the program's flags map onto these one to one. */
import type { RandomSource } from "./crypto/provider.ts";
import type { OfferEvent } from "./events.ts";
import type { Clock } from "./transport/clock.ts";
import type { DatagramSocket } from "./transport/socket.ts";
import type { Storage } from "./transfer/storage.ts";

/** What both sides take. */
export interface CommonOptions {
  /** Local address to bind, e.g. `{ port: 4000 }`; by default any free port on every interface. */
  readonly bind?: { readonly host?: string; readonly port?: number };
  /** Allows loopback addresses in codes. */
  readonly allowLoopback?: boolean;
  /** How long to wait for the other side, in milliseconds (default 600,000). */
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
  /** End after this many clients were served (default 1). */
  readonly maxClients?: number;
  /**
   * Admit only clients whose reply code was given to `addReply`; without it a pasted reply code
   * admits its client, and others are asked about.
   */
  readonly private?: boolean;
  /** Says who may see and take the share. Without it the code is the admission. */
  readonly admit?: (client: ClientRequest) => Promise<boolean>;
}

/** What to do with a file that is here already and differs. */
export type OverwritePolicy = "never" | "always";

/** What the receiving person decided about an offer. */
export interface OfferDecision {
  /** False: take nothing, end with `refused`. */
  readonly accept: boolean;
  /** For files that differ (default `never`: kept, exit 13). */
  readonly overwrite?: OverwritePolicy;
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
  /** Folder to write into (default: the current one). */
  readonly directory?: string;
  /** Decides about the offer. Without it everything is accepted but dot-names and overwriting. */
  readonly decide?: (offer: OfferEvent) => Promise<OfferDecision>;
  /** For files that differ, when there is no `decide`. */
  readonly overwrite?: OverwritePolicy;
  /** Take top-level names that begin with a dot, when there is no `decide`. */
  readonly takeDotNames?: boolean;
  /** Asked to confirm the words, when `verify` is on; false ends with `authentication_failed`. */
  readonly confirmWords?: (words: readonly string[]) => Promise<boolean>;
}
