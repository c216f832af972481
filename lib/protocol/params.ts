/**
 * Every constant of the protocol: name, unit, reason. docs/protocol.md shows the same table and a
 * test compares the two.
 */

/** Version of the wire; also the prologue `p2pft/1` of the handshake. */
export const PROTOCOL_VERSION = 1;

/** The Noise pattern of the handshake; the client initiates. */
export const HANDSHAKE_PATTERN = "XXpsk0";

/** The prologue of the handshake: `p2pft/1` in ASCII. Another version's messages do not open. */
export const HANDSHAKE_PROLOGUE: Uint8Array = new TextEncoder().encode(
  `p2pft/${PROTOCOL_VERSION}`,
);

/** Bytes of a connection id: 2^48 values make guessing and collisions hopeless at 256 sessions. */
export const CONNECTION_ID_BYTES = 6;

/** Bytes of a handshake datagram: proves that the path carries this size, and bounds amplification. */
export const HANDSHAKE_DATAGRAM_BYTES = 1200;

/** Bytes of the largest datagram before the path proved more: what the handshake proved. */
export const BASE_DATAGRAM_BYTES = 1200;

/** What Ethernet carries on IPv4: a frame of 1500 less 28 bytes of IPv4 and UDP. */
export const ETHERNET_DATAGRAM_BYTES_V4 = 1472;

/** What Ethernet carries on IPv6: a frame of 1500 less 48 bytes of IPv6 and UDP. */
export const ETHERNET_DATAGRAM_BYTES_V6 = 1452;

/** Bytes of the largest datagram of all: a packet of 65,535 less 28 bytes of IPv4 and UDP. */
export const MAX_DATAGRAM_BYTES = 65_507;

/** Datagrams that the peer's buffer has to hold for one larger than Ethernet's to be tried: a system
 * rounds the memory of each up, to twice its size at worst. */
export const HELD_LARGE_DATAGRAMS = 5;

/** Bytes in front of every packet's ciphertext. */
export const HEADER_BYTES = 13;

/** Most ranges in one ACK frame: older gaps have long been re-sent. */
export const MAX_ACK_RANGES = 64;

/** Most ranges a receiver remembers: gaps that late packets may still fill. */
export const MAX_REMEMBERED_RANGES = 256;

/** Ack-eliciting packets after which an ACK is sent at once: fewer wake-ups than every second one. */
export const ACK_EVERY_PACKETS = 16;

/** ACKs at once for packets out of order, several in a row: a path that mixes up everything would get
 * one for each packet. */
export const MAX_PROMPT_ACKS = 4;

/** Packets in order that earn one more of them. */
export const PACKETS_PER_PROMPT_ACK = 8;

/** Ack-eliciting packets after which an ACK is sent where there are none left. */
export const ACK_EVERY_DISORDERED_PACKETS = 4;

/**
 * Sent packets remembered without an answer, above which ACKs no longer go out alone: nothing holds
 * those back, and for a peer that never acknowledges they would be remembered without end. An honest
 * one answers our PING of every ten seconds, and sends no 6,000 packets a second worth an ACK each.
 */
export const MAX_UNANSWERED_PACKETS = 65_536;

/** The first packet number that may be left out [ACK-6]: a lie about fewer gains nothing. */
export const FIRST_GAP_PACKET = 17;

/** Mean distance of numbers left out, as a share of those used: who lies is to be found out before
 * what it gains has doubled twice. */
export const GAP_SHARE_OF_SENT = 1 / 4;

/** Least such distance, packets: a first window. */
export const LEAST_GAP_DISTANCE = 64;

/** Largest such distance, packets: each gap costs the peer an ACK, and a range in those that follow. */
export const LARGEST_GAP_DISTANCE = 1024;

/** Least time an ACK may wait, ms: what timers can keep. */
export const MIN_ACK_DELAY_MS = 1;

/** Most time an ACK may wait, ms (RFC 9000 section 18.2, max_ack_delay). */
export const MAX_ACK_DELAY_MS = 25;

/** Round-trip time assumed before the first sample, ms (RFC 9002 section 6.2.2 says 333; peers that
 * just exchanged a handshake know better, this is for the rest). */
export const INITIAL_RTT_MS = 333;

/** Packets a packet may be overtaken by before it counts as lost (RFC 9002 section 6.1.1). */
export const REORDER_THRESHOLD_PACKETS = 3;

/** How far the reordering threshold may grow on paths that reorder: the window in which a receiver
 * still takes late packets. On a fast path 20 ms are thousands of packets. */
export const MAX_REORDER_THRESHOLD_PACKETS = 32_768;

/** Share of the round trip after which an overtaken packet counts as lost (RFC 9002 section 6.1.2). */
export const TIME_THRESHOLD = 9 / 8;

/** Most that a path's reordering may add to the time threshold where that is more than a round trip,
 * ms: radio links repeat what they lost themselves for so long. */
export const MAX_REORDER_MS = 50;

/** Timer granularity, ms (RFC 9002 section 6.1.2). */
export const GRANULARITY_MS = 1;

/** Events of true loss in a row after which the reordering thresholds fall back. */
export const REORDER_MEMORY_EPISODES = 16;

/** Longest pause between probes, ms: a path that comes back is found within this, and two datagrams
 * in so long burden nobody. */
export const MAX_PROBE_INTERVAL_MS = 250;

/** Beyond that a pause between probes may be this share of the silence so far. */
export const PROBE_SHARE_OF_SILENCE = 1 / 8;

/** Probe timeouts without an answer after which a large datagram size counts as a black hole. */
export const BLACK_HOLE_PROBES = 3;

/** Times a ladder of sizes is sent of which nothing at all arrives: a burst of losses takes all of
 * them at once, and a path below 1280 bytes is rare. */
export const MTU_TRIES = 3;

/** Minutes-long cache of ICMP too-big in kernels makes a second probe of a size lie, ms. */
export const MTU_RETRY_MS = 660_000;

/** Silence after which a connection is given up, ms. */
export const IDLE_TIMEOUT_MS = 30_000;

/** Silence after which a PING keeps the mapping of the routers alive, ms; many die at 30 s. */
export const KEEPALIVE_MS = 10_000;

/** Initial congestion window, datagrams: the start of a file is a short burst, paced. */
export const INITIAL_WINDOW_DATAGRAMS = 64;

/** Least congestion window, datagrams (RFC 9002 section 7.2). */
export const MIN_WINDOW_DATAGRAMS = 2;

/** Least round trip of a path up to which the peer's buffer bounds what is in flight, ms: nearly all
 * of it waits there. */
export const SHORT_PATH_MS = 1;

/** What a peer's buffer counts at least, datagrams: it acknowledges every sixteenth at once. */
export const MIN_PEER_BUFFER_DATAGRAMS = 32;

/** Least burst the pacer lets out at once, datagrams: system calls and timers come in bunches. */
export const MIN_BURST_DATAGRAMS = 10;

/** Most the pacer lets out at once, datagrams: a default socket buffer holds about 92. */
export const MAX_BURST_DATAGRAMS = 32;

/** The pacer's burst in time, ms: the shortest that a timer sleeps. */
export const BURST_MS = 2;

/** What probes may owe a limit before they wait for it as well, bytes: those of two timeouts. Peers
 * that talk and acknowledge nothing would otherwise use up what a limit leaves for all others. */
export const MAX_RATE_LIMIT_DEBT_BYTES = 6000;

/** Least limit of bytes a second: below it a session would hardly live. */
export const MIN_RATE_LIMIT_BYTES = 1000;

/** What a limit of the rate lets out at once after a pause, ms of it: little over some seconds. */
export const RATE_LIMIT_BURST_MS = 100;

/** What it lets out at once when who waited for it comes too late, ms of it: timers of a busy machine
 * are late by so much, and the limit is to be reached there, too. */
export const RATE_LIMIT_CATCH_UP_MS = 250;

/** Datagrams of Ethernet's size that a socket which takes trains takes in one call. Of larger ones it
 * takes fewer: 65,507 bytes together. */
export const TRAIN_DATAGRAMS = 44;

/** The pacer's burst in time where sockets take trains, ms, once that is more than a train: what
 * passes while a program is busy with other things. */
export const TRAIN_BURST_MS = 1;

/** Block bytes a receiver grants at first. */
export const INITIAL_BLOCK_WINDOW_BYTES = 8 * 1024 * 1024;

/** Most block bytes a receiver grants ahead: bounds the memory of a session. */
export const MAX_BLOCK_WINDOW_BYTES = 64 * 1024 * 1024;

/** Control bytes a receiver grants ahead: four of the largest messages. */
export const CONTROL_WINDOW_BYTES = 1024 * 1024;

/** Gaps a control stream may have before the peer counts as hostile. */
export const MAX_CONTROL_GAPS = 1024;

/** Packets a key may protect before it is replaced, 2^26, far below the limits of RFC 9001 6.6. */
export const KEY_UPDATE_PACKETS = 0x400_0000;

/** Packets that a worn-out key keeps for saying that the session ends [KEY-4]. */
export const LAST_PACKETS = 1024;

/** Age at which a key is replaced, ms. */
export const KEY_UPDATE_MS = 3_600_000;

/** Times at which message 1 is repeated to every candidate, ms; then every second. */
export const HELLO_REPEATS_MS: readonly number[] = [0, 100, 200, 400, 800];

/** Then message 1 is repeated at this distance, ms. */
export const HELLO_REPEAT_MS = 1000;

/** Where the sharer was heard, message 1 is repeated at this distance at first, ms: the path is there,
 * only datagrams get lost. */
export const HELLO_HEARD_REPEAT_MS = 100;

/** For so long, ms. */
export const HELLO_HEARD_MS = 3000;

/** How long the client waits, with a message 2 from where nobody asked, for one from where it did, ms:
 * a copy is hardly faster by so much, and message 1 is repeated twice in this. */
export const UNASKED_ANSWER_MS = 300;

/** Longest pause between repeats of message 3, ms: a sharer waits for it 10 s only. */
export const MAX_CONFIRM_INTERVAL_MS = 300;

/** A sharer forgets an unfinished handshake after this, ms. */
export const HALF_OPEN_MS = 10_000;

/** Most unfinished handshakes of a share. */
export const MAX_HALF_OPEN = 256;

/** Most handshakes of a share in memory, with those that finished within the last 10 s. */
export const MAX_REMEMBERED_HANDSHAKES = 1024;

/** Most sessions of a share: as many as it serves at a time, and as many that wait to be let in. */
export const MAX_SESSIONS = 512;

/** Unfinished handshakes from which cookies are asked for. */
export const COOKIE_HALF_OPEN = 128;

/** Unfinished handshakes of one IPv4 address or IPv6 /64 from which cookies are asked for. */
export const COOKIE_HALF_OPEN_PER_HOST = 8;

/** New clients a second from which cookies are asked for. */
export const COOKIE_CLIENTS_PER_SECOND = 100;

/** Handshake nonces a share remembers; then a cookie is asked of everyone. */
export const MAX_REMEMBERED_NONCES = 65_536;

/** Data packets held for a message 3 that has not arrived yet. */
export const MAX_EARLY_PACKETS = 16;

/** Bytes of text in a CLOSE frame. */
export const MAX_CLOSE_REASON_BYTES = 256;

/** Bytes of a path challenge: nobody guesses 2^64 values (RFC 9000 section 8.2). */
export const PATH_CHALLENGE_BYTES = 8;

/** Most candidates in one CANDIDATES frame. */
export const MAX_FRAME_CANDIDATES = 8;

/** Most pairs of a local socket and a remote candidate that are probed. */
export const MAX_PATH_PAIRS = 16;

/** Most paths of a session that are remembered: pairs, paths in use before, sources of packets. */
export const MAX_PATHS = 32;

/** Challenges to a pair that is new: four losses in a row are a wall. */
export const PATH_TRIES = 5;

/** Challenges to a known pair when it is measured again. */
export const PATH_REPROBE_TRIES = 2;

/** Pause after the first challenge to a pair, ms; it doubles. */
export const PATH_FIRST_RETRY_MS = 100;

/** Pause between measurements of the other paths, ms. */
export const PATH_REPROBE_MS = 30_000;

/** Challenges to the address a peer seems to have moved to, and to the one before (RFC 9000 9.3.3). */
export const PATH_VALIDATION_TRIES = 3;

/** Least time such a validation takes before it failed, ms. */
export const MIN_PATH_VALIDATION_MS = 1000;

/** How long an answer proves a path, ms: two measurements. */
export const PATH_VALID_MS = 60_000;

/** Bytes sent to an address not yet proved for each byte received from it (RFC 9000 section 8.1). */
export const AMPLIFICATION_LIMIT = 3;

/** Packets to listed addresses that never answered, in any 30 s: whom a peer lists is its choice. */
export const MAX_UNPROVEN_PROBES = 128;

/** Path responses that wait to be sent; more challenges at one moment are no honest peer's. */
export const MAX_PATH_RESPONSES = 8;

/** Share of the present round trip below which another path is clearly better. */
export const BETTER_RTT_SHARE = 0.8;

/** And by how much at least, ms: below that it is noise. */
export const BETTER_RTT_MS = 2;

/** Pause between two moves to better paths, ms: what flaps is no better. */
export const PATH_HOLD_MS = 10_000;

/** Silence after which a path that owes an answer counts as lost, ms; at least 3 probe timeouts. */
export const PATH_SILENCE_MS = 3000;

/** Silence in mid-transfer after which a side with nothing in flight sends a PING, ms. */
export const PATH_QUIET_MS = 1500;

/** How long after the last content a transfer counts as going on, ms. */
export const PATH_ACTIVE_MS = 5000;

/** Pause between challenges to all known paths while none is known to work, ms. */
export const PATH_SEARCH_MS = 500;

/** A timer that fires so late tells of a machine that slept, ms. */
export const WAKE_GAP_MS = 5000;

/** How long a session lives at least after such a sleep, ms: to find a path again. */
export const WAKE_GRACE_MS = 10_000;
