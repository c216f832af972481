/**
 * The control messages of a transfer (docs/transfer.md, "Messages"): what each says. Their bytes are
 * in `message_encoder.ts` and `message_decoder.ts`; how they are cut out of the control stream, in
 * `message_stream.ts`; when each may be sent, in `exchange.ts` and the files it names.
 */
import type { ManifestEntry } from "./offer/entry.ts";

/** The version of the messages this side speaks. */
export const TRANSFER_VERSION = 1;

/** A feature bit of HELLO: this side wants the words compared. */
export const FEATURE_VERIFY = 0x01;

/** A feature bit of HELLO: this side makes a statement of identity. */
export const FEATURE_IDENTITY = 0x02;

/** Who speaks and what it can do; the first message of both sides. */
export interface Hello {
  /** Version of these messages. The rest is only meaningful when it is ours. */
  readonly version: number;
  /** Feature bits; unknown ones are ignored. */
  readonly features: number;
  /** What the peer calls itself, perhaps empty; not to be trusted. */
  readonly text: string;
}

/** Part of a file. */
export interface ByteRange {
  /** First byte; a multiple of the group size. */
  readonly offset: number;
  /** Bytes; ends at a multiple of the group size or at the end of the file. */
  readonly length: number;
}

/** One request of a GET. Its number is that of the GET's first plus its place. */
export interface RequestItem {
  /** Which entry. */
  readonly entry: number;
  /** Which parts, in ascending order; none means the whole file. */
  readonly ranges: readonly ByteRange[];
}

/** How a request ended. */
export type RootStatus =
  /** The whole file was sent; its root follows. */
  | "whole"
  /** All ranges were sent. */
  | "ranges"
  /** Size or time were not those of the entry, before or after reading. */
  | "changed"
  /** It could not be read. */
  | "unreadable"
  /** The receiver gave it up. */
  | "cancelled"
  /** A CHECK: the file was hashed and not sent; its root follows. */
  | "hashed";

/** The end of a request. */
export interface Root {
  readonly type: "root";
  readonly request: number;
  readonly status: RootStatus;
  /** 32 bytes when the status is `whole` or `hashed`, else empty. */
  readonly root: Uint8Array;
  /**
   * How many bytes of the request were sent, where the receiver cannot know: of a file that was not
   * sent to its end, and of a stream. Else 0.
   */
  readonly sentBytes: number;
}

/**
 * What a client waits for: `admission`, the word of a person who is being asked; `reply`, its reply
 * code, without which this share lets nobody in.
 */
export type PendingReason = "admission" | "reply";

/** Every control message. */
export type Message =
  | ({ readonly type: "hello" } & Hello)
  /** Sharer: SHA-256 of its nonce. */
  | { readonly type: "verify_commit"; readonly commitment: Uint8Array }
  /** Client, then sharer: its nonce. */
  | { readonly type: "verify_nonce"; readonly nonce: Uint8Array }
  /** Sharer: the client is not let in yet. */
  | { readonly type: "pending"; readonly reason: PendingReason }
  /** Giver: what there is, in numbers. */
  | {
    readonly type: "offer";
    readonly entries: number;
    /** Files and streams. */
    readonly files: number;
    readonly directories: number;
    /** Symbolic links. */
    readonly links: number;
    /** Of all files; what a stream has is not known. */
    readonly bytes: number;
  }
  /** Taker: send the entries from this one on. */
  | { readonly type: "list"; readonly first: number }
  /** Giver: a page of entries. */
  | {
    readonly type: "entries";
    readonly first: number;
    readonly entries: readonly ManifestEntry[];
  }
  /** Taker: send files. */
  | { readonly type: "get"; readonly firstRequest: number; readonly items: readonly RequestItem[] }
  /** Taker: read and hash files, and send none of their bytes. */
  | {
    readonly type: "check";
    /** Number of the first request; those of GET and CHECK are one sequence. */
    readonly firstRequest: number;
    /** Which entry each request is for; at least one. */
    readonly entries: readonly number[];
  }
  /** Giver: hashes of consecutive groups. */
  | {
    readonly type: "nodes";
    readonly request: number;
    readonly firstGroup: number;
    /** 32 bytes for each group. */
    readonly hashes: Uint8Array;
  }
  | Root
  /** Taker: this request is given up. */
  | { readonly type: "cancel"; readonly request: number }
  /** Taker: everything is in its place. */
  | {
    readonly type: "receipt";
    /** Root over the share, 32 bytes. */
    readonly root: Uint8Array;
    /** Entries now in their place. */
    readonly items: number;
    /** File bytes verified. */
    readonly bytes: number;
    /** Files left out. */
    readonly leftOut: number;
  }
  /** Giver: the receipt is right. */
  | { readonly type: "bye" }
  /** Both: a statement of identity, as it came; see `lib/crypto/identity.ts`. */
  | { readonly type: "identity"; readonly statement: Uint8Array }
  /** Taker: nothing of this offer is taken, or no more of it. */
  | {
    readonly type: "decline";
    /** Number of the error that is why (docs/protocol.md, "Error codes"); not 0. */
    readonly wireCode: number;
    /** Why, for people, perhaps empty; at most 255 bytes. Not to be trusted. */
    readonly text: string;
  };
