/**
 * The bounds of hole punching: how much is sent, how fast, and how much is remembered. They hold
 * for each search, that is for each pair of codes; searches for one host can share what they spray
 * (`PunchOptions.budgetFor`). A code that points at strangers costs them no more than this.
 */

/** How long a sharer looks for a client once it began to. */
export const ACT_MS = 30_000;

/**
 * Probes to guessed ports, or out of many sockets, that one peer gets within any
 * {@linkcode SPRAY_WINDOW_MS}. 2048 of 64,512 ports against 256 sockets miss once in 3,000 tries,
 * and are about 200 KB [PROBE-4].
 */
export const SPRAY_PROBES = 2048;

/** The window of {@linkcode SPRAY_PROBES}. */
export const SPRAY_WINDOW_MS = 30_000;

/** One spray probe each so often: 500 a second. Faster, and home routers drop new flows. */
export const SPRAY_SPACING_MS = 2;

/** Sockets that the side with unforeseeable ports opens besides its own. */
export const EXTRA_SOCKETS = 256;

/** How long plain probes are given before many ports or sockets are tried. */
export const PLAIN_FIRST_MS = 500;

/** How often a waiting side renews what it opened in its NAT; many forget after 30 s, some after 20. */
export const REFRESH_MS = 8000;

/**
 * How often a waiting client asks a fixed sharer's public address. Eight small datagrams a second,
 * towards an address that the user's code named, are fewer bytes than the direct tries; less often,
 * and the wait for the next one takes longer than the round trips that follow.
 */
export const KNOCK_MS = 125;

/** Ports ahead of a stepping NAT's known one within which the next is foreseen. */
export const FORESEEN_PORTS = 32;

/**
 * Fresh sockets that a client behind a stepping NAT opens towards a fixed sharer: theirs are the next
 * ports, while the main socket's mapping is older than what its code says.
 */
export const STEPPING_SOCKETS = 4;

/** How many ports two stepping NATs are walked along together. */
export const LOCKSTEP_PORTS = 256;

/** Plain probes to one candidate after a paste. */
export const PLAIN_PROBES = 64;

/** Plain probes to the port next to a client's after a paste. */
export const GUARD_PROBES = 16;

/** Answers a second; the rest is silence, and the other side asks again. */
export const ANSWERS_PER_SECOND = 32;

/** Transaction ids of answered questions that are remembered, so that a replay gets silence. */
export const REMEMBERED_QUESTIONS = 4096;

/** Own questions whose answers are still awaited; older ones count for nothing. */
export const OPEN_QUESTIONS = 4096;

/** Paths on which the other side was heard. */
export const HEARD_PATHS = 32;

/** Once the other side was heard, other candidates are asked for so long: one may be better. */
export const JOIN_GRACE_MS = 1000;

/** After so long without a word the search goes on: what was heard led nowhere. */
export const JOIN_SILENCE_MS = 10_000;
