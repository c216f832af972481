/** What a connection starts from, how it ends, and the figures it shows. */
import type { PacketOpener } from "../crypto/packet_opener.ts";
import type { PacketSealer } from "../crypto/packet_sealer.ts";
import type { RandomSource } from "../crypto/provider.ts";
import type { ErrorCode } from "../errors.ts";
import type { Path } from "../nat/path.ts";
import type { CongestionName } from "./congestion/choose.ts";
import type { RateLimit } from "./rate_limit.ts";
import type { TransportParameters } from "./transport_parameters.ts";

/** What a connection starts from. */
export interface ConnectionOptions {
  /** Protects what is sent. */
  readonly sealer: PacketSealer;
  /** Opens what is received. */
  readonly opener: PacketOpener;
  /** What this side said of itself. */
  readonly local: TransportParameters;
  /** What the peer said of itself. */
  readonly remote: TransportParameters;
  /** Where datagrams go at first. */
  readonly path: Path;
  /** Client: set when message 2 came along a path on which message 1 never went [HS-13]. */
  readonly unasked?: UnaskedAnswer;
  /** Where path challenges come from. */
  readonly random: RandomSource;
  /** Round trip seen in the handshake, ms, when it could be told. */
  readonly rttMs?: number;
  /** Client: writes message 3 anew into a buffer of 1200 bytes. */
  readonly writeConfirmation?: (out: Uint8Array) => void;
  /** Called when something outside changed what there is to send. */
  readonly wake?: () => void;
  /** Whether a socket, by its index, takes trains of datagrams in one call; by default none does. */
  readonly takesTrains?: (socket: number) => boolean;
  /** Largest datagram that this side's link to a path carries in one piece; undefined if unknown. */
  readonly linkDatagramBytes?: (path: Path) => number | undefined;
  /** Most block bytes granted ahead (default 64 MiB). */
  readonly maxBlockWindowBytes?: number;
  /** Congestion control; BBR by default. */
  readonly congestion?: CongestionName;
  /** Limit shared with other connections; the owner may change it. */
  readonly sharedLimit?: RateLimit;
  /** Limit of this connection, bytes per second in datagrams; the peer's wish counts beside it. */
  readonly limitBytesPerSecond?: number;
  /** Packets after which keys are replaced; less than the default only in tests. */
  readonly keyUpdatePackets?: number;
}

/** A message 2 from where nobody asked: of a sharer with several addresses, or a copy. */
export interface UnaskedAnswer {
  /** Where message 1 went: a message 2 from one of these decides. */
  readonly asked: readonly Path[];
  /** Bytes of handshake datagrams that came along the path the connection begins on. */
  readonly receivedBytes: number;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** Why it ended. */
  readonly code: ErrorCode | "done";
  /** For people; peer text when `byPeer`. */
  readonly reason: string;
  /** Whether the peer ended it. */
  readonly byPeer: boolean;
}

/** Figures for display and tests. */
export interface ConnectionStatistics {
  /** Smoothed round-trip time, ms. */
  readonly rttMs: number;
  /** Least round-trip time, ms. */
  readonly minRttMs: number;
  /** Name of the congestion control in use. */
  readonly congestion: string;
  /** Congestion window. */
  readonly windowBytes: number;
  /** Bytes that count against it. */
  readonly inFlightBytes: number;
  /** Largest datagram in use. */
  readonly datagramBytes: number;
  /** Packets sent. */
  readonly sentPackets: number;
  /** Packets opened. */
  readonly receivedPackets: number;
  /** Packets declared lost. */
  readonly lostPackets: number;
  /** Packets declared lost that arrived after all. */
  readonly spuriousPackets: number;
  /** Datagrams with our connection id that did not open. */
  readonly droppedDatagrams: number;
}
