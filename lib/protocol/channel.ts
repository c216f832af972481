/**
 * What a transfer needs of an encrypted connection: one ordered stream of control bytes, and blocks
 * that arrive in any order. `lib/protocol` fills it over UDP; tests fill it in memory.
 */

/** Bytes of one file on their way out; at most 1 MiB. */
export interface OutgoingBlock {
  /** The receiver's request these bytes answer. */
  readonly request: number;
  /** Where in the file the first byte belongs. */
  readonly offset: number;
  /** Never empty; not changed by anyone until {@linkcode ChannelHandler.handleBlockReleased}. */
  readonly bytes: Uint8Array;
}

/** The sending side of a connection, as transfers see it. */
export interface Channel {
  /** Queues bytes on the ordered control stream; they are copied. */
  sendControl(bytes: Uint8Array): void;
  /** Control bytes queued and not yet acknowledged. Writers pause above 256 KiB. */
  readonly controlQueuedBytes: number;
  /** Queues a block. Its bytes are lent until `handleBlockReleased`. */
  sendBlock(block: OutgoingBlock): void;
  /** Block bytes lent and not yet released. */
  readonly blockQueuedBytes: number;
  /** Of these, bytes that arrived: the rest of their block has not. */
  readonly blockAckedBytes: number;
  /** How many block bytes are worth having queued now: grows with the path, bounded by memory. */
  readonly blockQueueTargetBytes: number;
  /** Receiver: says that `bytes` of accepted block bytes were written, so the peer may send more. */
  consumeBlockBytes(bytes: number): void;
  /** Ends the connection with a wire error number and a reason for people; queued bytes are lost. */
  close(wireCode: number, reason: string): void;
}

/** What a connection calls on the transfer that owns it. None of these may throw. */
export interface ChannelHandler {
  /** The next bytes of the control stream, in order; the view is only valid during the call. */
  handleControl(bytes: Uint8Array): void;
  /**
   * Bytes of a block, in any order, perhaps again; the view is only valid during the call.
   *
   * @returns How many bytes were new, or −1 when nobody asked for them (the connection closes).
   */
  handleBlock(request: number, offset: number, bytes: Uint8Array): number;
  /** A block is acknowledged whole (or the connection ended): its bytes may be reused. */
  handleBlockReleased(block: OutgoingBlock): void;
  /** Room has appeared: queued control or block bytes went down. */
  handleWritable(): void;
}
