/** Every number of discovery on local networks (docs/lan.md), with its reason. */

/** Where multicast DNS lives (RFC 6762, section 3). */
export const MDNS_PORT = 5353;
/** The group of IPv4. */
export const MDNS_GROUP_4 = "224.0.0.251";
/** The group of IPv6, of one link. */
export const MDNS_GROUP_6 = "ff02::fb";

/** Longest message, with its headers the longest packet of jumbo frames (RFC 6762, section 17). */
export const MAX_MESSAGE_BYTES = 9000;
/** Questions and records of one message: ours have 6, those of busy responders some dozens. */
export const MAX_MESSAGE_ENTRIES = 64;

/**
 * How long others may remember an announcement, s: what RFC 6762 (section 10) has for records that
 * hang on a host's address, as a code does. Also the longest that others' announcements are believed.
 */
export const TTL_SECONDS = 120;

/** Longest label of DNS, bytes (RFC 1035, section 2.3.4). */
export const MAX_LABEL_BYTES = 63;

/** Strings in a TXT record that are looked at; ours have two. */
export const MAX_TEXT_STRINGS = 8;

/** Names taken in vain before an announcer takes one that nobody can have by chance. */
export const MAX_CONFLICTS = 8;

/** Shares that a browser knows at a time. */
export const MAX_SHARES = 64;
/** Of them from one address: people have one or two, a flood has hundreds. */
export const MAX_SHARES_PER_SOURCE = 8;
/** Addresses from which one share is heard: interfaces and families of one machine. */
export const MAX_SOURCES_PER_SHARE = 8;
/** Names that were announced without their text, which is then asked for. */
export const MAX_UNRESOLVED = 8;

/** Messages about shares that are read of one neighbour: so many a second, and at once. */
export const SOURCE_MESSAGES_PER_SECOND = 10;
/** See {@linkcode SOURCE_MESSAGES_PER_SECOND}. */
export const SOURCE_MESSAGE_BURST = 40;
/** The same of all neighbours together; one takes 0.1 ms, and 2 ms when it is made to take long. */
export const MESSAGES_PER_SECOND = 100;
/** See {@linkcode MESSAGES_PER_SECOND}. */
export const MESSAGE_BURST = 200;
/** Neighbours that are told apart for that. */
export const MAX_COUNTED_SOURCES = 256;

/**
 * Datagrams of any kind that come through one socket in a second before it is closed for a while: a
 * large network has some hundreds, and each takes time from a transfer.
 */
export const FLOOD_DATAGRAMS_PER_SECOND = 2000;
/** How long it stays closed, ms. */
export const FLOOD_PAUSE_MS = 30_000;

/** How often the machine's interfaces are looked at, ms: nobody tells when they change. */
export const LOOK_EVERY_MS = 10_000;

/** Links that are used, one for each interface and family. */
export const MAX_LINKS = 32;
