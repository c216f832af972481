/**
 * Sizes and bounds of a transfer (docs/transfer.md, "Limits"). Every bound that a peer can walk into
 * is here and nowhere else.
 */

/** Bytes of a leaf of the hash tree. */
export const CHUNK_BYTES = 65_536;

/** Bytes of a group: the unit that is read, verified and written at once. 16 leaves. */
export const GROUP_BYTES = 1_048_576;

/** Bytes of a SHA-256 digest. */
export const HASH_BYTES = 32;

/** Longest text of a HELLO or DECLINE, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 255;

/** Longest body of one control message [XFER-1]. */
export const MAX_MESSAGE_BYTES = 262_144;

/** A writer of control messages pauses while more than this waits for acknowledgement. */
export const CONTROL_QUEUE_BYTES = 262_144;

/** A page of entries is closed once it is longer than this, which leaves room for one more entry. */
export const ENTRIES_PAGE_BYTES = 65_536;

/** Most entries of one share [XFER-6]. */
export const MAX_ENTRIES = 1_000_000;

/**
 * Most bytes of all paths of one share together, counted unpacked: the packed form could otherwise
 * unfold to any size [XFER-6].
 */
export const MAX_MANIFEST_BYTES = 268_435_456;

/**
 * Most bytes of a manifest of `receive --manifest`: room for the longest one that a share can lead to,
 * which is all its paths, and 200 bytes beside each.
 */
export const MAX_MANIFEST_FILE_BYTES = 536_870_912;

/** Longest line of such a manifest: twice the longest path, when all of it is escaped, and the digest. */
export const MAX_MANIFEST_LINE_BYTES = 32_896;

/** Most components of a path [NAME-3]. */
export const MAX_DEPTH = 64;

/** Most bytes of one component [NAME-2]. */
export const MAX_NAME_BYTES = 255;

/** Longest path, in bytes of UTF-8: as many components as there may be, and the separators. */
export const MAX_PATH_BYTES: number = MAX_DEPTH * (MAX_NAME_BYTES + 1) - 1;

/** Longest target of a symbolic link, in bytes of UTF-8: what Linux allows (PATH_MAX and its NUL). */
export const MAX_LINK_TARGET_BYTES = 4095;

/**
 * Most components of the target of a link that is made: all the way up from the deepest folder, and
 * down again. Every component is a path to look at, and a target has room for 2,000 [LINK-2].
 */
export const MAX_LINK_COMPONENTS: number = 2 * MAX_DEPTH;

/** Longest text that is sent to be read rather than stored, in bytes of UTF-8. */
export const MAX_SNIPPET_BYTES = 65_536;

/** Latest and, negated, earliest modification time: the difference of two must fit a varint. */
export const MAX_MTIME_MS = 2 ** 51 - 1;

/** Most ranges in one GET [XFER-8]. */
export const MAX_RANGES = 1024;

/** Most requests a sharer keeps unanswered [XFER-7]. */
export const MAX_OPEN_REQUESTS = 65_536;

/**
 * Most ranges of requests a sharer keeps unanswered. A whole file counts as one: no client that asks
 * for whole files gets there [XFER-7].
 */
export const MAX_OPEN_RANGES: number = 2 * MAX_OPEN_REQUESTS;

/** Most requests of one session: every entry of the largest share, and three again [XFER-7]. */
export const MAX_REQUESTS = 4_194_304;

/** Requests a receiver keeps unanswered: at 10-byte files still 160 kB on the way per round trip. */
export const REQUEST_WINDOW = 16_384;

/** Requests put into one GET. */
export const REQUEST_BATCH = 4096;

/**
 * Most separate ranges of one group while it fills. A group is about 750 datagrams, so honest loss
 * stays far below; without a bound single bytes in odd places would cost quadratic time [XFER-9].
 */
export const MAX_GROUP_RANGES = 1024;

/**
 * Most groups that are begun and not finished. Groups in buffers are bounded by their bytes; those of
 * files that were given up have none, and a byte of each would be cheap to send [XFER-16]. Twice the
 * requests a receiver has: an honest sharer needs one a request, and those its credit can touch.
 */
export const MAX_OPEN_GROUPS: number = 2 * REQUEST_WINDOW;

/** Most groups of a file that is CHECKed: their hashes take 32 MiB at the other side [XFER-17]. */
export const MAX_CHECK_GROUPS = 1_048_576;

/** Most group hashes that may wait for their bytes [XFER-11]. */
export const MAX_EARLY_HASHES = 4096;

/** Most groups being asked for again at one time; more is not chance [XFER-12]. */
export const MAX_RETRIES_OPEN = 16;

/**
 * Bytes a receiver holds in group buffers by default. At least the connection's credit plus two
 * groups, else an honest sharer could exceed it [XFER-16].
 */
export const RECEIVE_BUFFER_BYTES = 80 * 1_048_576;

/**
 * Credit of each client for what it gives to a share, which has up to 256 of them: 160 MB/s over
 * 50 ms [BACK-7].
 */
export const TAKING_WINDOW_BYTES: number = 8 * 1_048_576;

/** Bytes a share holds in group buffers for each client: its credit, and groups beside it [XFER-16]. */
export const TAKING_BUFFER_BYTES: number = TAKING_WINDOW_BYTES + 4 * 1_048_576;

/**
 * Bytes of one part file that are written before they are synced and its journal says so: what a
 * power cut may cost. Half a second of a fast line, so the disk is not asked too often.
 */
export const SYNC_BYTES = 64 * 1_048_576;

/** Most ranges of a journal. Bytes come in order, so there are few. */
export const MAX_JOURNAL_RANGES = 1024;

/** Longest journal. */
export const MAX_JOURNAL_BYTES: number = 8 + 8 + MAX_JOURNAL_RANGES * 16 + HASH_BYTES;

/** Small files that are made to survive a power cut at a time. */
export const PLACE_BATCH = 4096;

/** Files that are compared with what is here, and asked about ahead. */
export const MAX_RESUMING_FILES = 1024;

/** Most part files of earlier runs that are open at a time. */
export const MAX_RESUMING_PARTS = 64;

/** Files read, and files written, at the same time. One is enough on a local disk, not on a slow one. */
export const FILE_LANES = 8;

/** Groups of a large file that are read before they are sent: 9 ms at 450 MB/s. */
export const READ_AHEAD_GROUPS = 4;

/**
 * Groups of a file that are read before they are hashed, when they are only hashed. One at a time:
 * whatever is there may be hashed in one go, and the datagrams wait for that.
 */
export const CHECK_AHEAD_GROUPS = 1;

/** Control messages about small files are put together this many at a time. */
export const ROOTS_PER_WRITE = 32;

/**
 * Groups that all clients of a share together read ahead: with many of them each has fewer, and one at
 * least. While one waits for the disk others have something to send.
 */
export const SHARED_AHEAD_GROUPS = 8;

/** Bytes of groups that a share keeps for clients that come a little later, though nobody uses them. */
export const SHARED_GROUP_BYTES: number = 32 * 1_048_576;

/** Of these, the most for each client that is there: memory grows with them, not at the second one. */
export const CLIENT_GROUP_BYTES: number = GROUP_BYTES;

/** Bytes of buffers that a share keeps while they are not in use: the next groups go there. */
export const SHARED_POOL_BYTES: number = 16 * 1_048_576;

/** Bytes of small files that it keeps for them, those in use included. */
export const SHARED_SMALL_FILE_BYTES: number = 16 * 1_048_576;

/** Memory for hashes of groups that a share keeps: those of about a TiB. */
export const KEPT_HASH_BYTES: number = 40 * 1_048_576;
