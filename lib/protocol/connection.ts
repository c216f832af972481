/**
 * One encrypted connection, after its handshake: a pure state machine. It does no I/O, reads no
 * clock and never throws on what a peer sent.
 *
 * The contract: *after any call that changes the connection, drain `pollTransmit`, then look at
 * `closed`, then arm one timer for `pollTimeout`.* `lib/protocol/endpoint.ts` does that for all
 * connections of a socket.
 *
 * ```
 *           constructor                    close()
 *  (client) ──────────▶ confirming ──────────────────────┐
 *                           │ first packet opened        ▼        DRAIN timer
 *  (sharer) ──────────────▶ open ──────close()──────▶ closing ─────────────────▶ ended
 *                           │ └─CLOSE received─────▶ draining ──────────────────▶ ended
 *                           └───IDLE timer──────────────────────────────────────▶ ended
 * ```
 * *Confirming* is a client whose message 3 may not have arrived: it repeats it until any packet of
 * the sharer opens.
 */
import type { CipherSuite } from "../crypto/cipher_suite.ts";
import type { PacketOpener } from "../crypto/packet_opener.ts";
import type { PacketSealer } from "../crypto/packet_sealer.ts";
import { TAG_BYTES } from "../crypto/provider.ts";
import { errorCodeOfWire, ERRORS, WIRE_DONE } from "../errors.ts";
import { AckScheduler } from "./ack_scheduler.ts";
import type { Channel, ChannelHandler, OutgoingBlock } from "./channel.ts";
import { writeConnectionId } from "./connection_id.ts";
import type { CongestionController } from "./congestion/controller.ts";
import { createCongestion, DEFAULT_CONGESTION } from "./congestion/choose.ts";
import type {
  ConnectionEnd,
  ConnectionOptions,
  ConnectionStatistics,
} from "./connection_options.ts";
import { type AckFrame, Frame, MAX_CREDIT_FRAME_BYTES, writeClose } from "./frame.ts";
import { FrameReader } from "./frame_reader.ts";
import { Inbox } from "./inbox.ts";
import { KeyUpdates } from "./key_updates.ts";
import { Hold, type HoldId, HoldTimes } from "./hold_times.ts";
import { type Limitation, LimitedNews, MAX_LIMITED_FRAME_BYTES } from "./limited_frame.ts";
import type { MtuLadder } from "./mtu.ts";
import { Outbox } from "./outbox.ts";
import { PacketGaps } from "./packet_gaps.ts";
import { Pacer, trainBytes } from "./pacer.ts";
import { PeerBuffer } from "./peer_buffer.ts";
import {
  ACK_EVERY_PACKETS,
  HANDSHAKE_DATAGRAM_BYTES,
  HEADER_BYTES,
  KEEPALIVE_MS,
  MAX_BLOCK_WINDOW_BYTES,
  MAX_CONFIRM_INTERVAL_MS,
  MAX_UNANSWERED_PACKETS,
  WAKE_GAP_MS,
  WAKE_GRACE_MS,
} from "./params.ts";
import { PathConditions } from "./paths/conditions.ts";
import type { PathEvent } from "./paths/events.ts";
import { MAX_PATH_NEWS_BYTES } from "./paths/news.ts";
import { type PathChange, Paths } from "./paths/paths.ts";
import type { SocketAddress } from "../nat/address.ts";
import type { Candidate } from "../nat/candidate.ts";
import type { Path, PathSocket } from "../nat/path.ts";
import { SendLimits } from "./rate_limit.ts";
import { Recovery } from "./recovery.ts";
import { PacketFlag } from "./sent_packets.ts";
import { after, type Instant, later, NEVER } from "../time.ts";
import { Timer, TimerTable } from "./timer_table.ts";
import { FEATURE_LIMITED } from "./transport_parameters.ts";

/** How many times a probe timeout repeats old data at once. */
const PROBES_PER_TIMEOUT = 2;
/** Datagrams of window below which the peer is asked for an ACK before the window closes. */
const SMALL_WINDOW_DATAGRAMS = 2 * ACK_EVERY_PACKETS;
/** Least block bytes worth having queued, so that reading from disk stays ahead. */
const MIN_QUEUE_TARGET_BYTES = 4 * 1024 * 1024;
/** Probe timeouts a closing side stays to repeat its CLOSE. */
const DRAIN_TIMEOUTS = 3;
/** Copies of the first CLOSE: nothing acknowledges it, and a peer that misses it waits for 30 s. */
const FIRST_CLOSES = 3;
/** A closing side answers at most one packet in so many ms. */
const CLOSE_REPEAT_MS = 100;

type State = "confirming" | "open" | "closing" | "draining" | "ended";

/** A connection between two peers that know each other's keys. */
export class Connection implements Channel {
  /** Where the datagram of the last {@linkcode Connection.pollTransmit} goes. */
  transmitPath: Path;
  /** How it ended; undefined while it lives. */
  closed: ConnectionEnd | undefined;
  readonly #options: ConnectionOptions;
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  readonly #timers = new TimerTable();
  readonly #recovery: Recovery;
  readonly #gaps: PacketGaps;
  readonly #conditions: PathConditions;
  readonly #paths: Paths;
  #controller: CongestionController;
  #pacer: Pacer;
  #mtu: MtuLadder;
  readonly #peerBuffer: PeerBuffer;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #acks: AckScheduler;
  readonly #keys: KeyUpdates;
  readonly #limits: SendLimits;
  readonly #holds: HoldTimes;
  readonly #limited = new LimitedNews();
  readonly #frames: FrameReader;
  #handler: ChannelHandler | undefined;
  #state: State;
  #now: Instant;
  #pingDue = false;
  #probesDue = 0;
  #confirmationDue = false;
  #closesDue = 0;
  #closeWire = 0;
  #lastCloseAt: Instant;
  #isAppLimited = true;
  /** Whether the socket of the present path takes trains; as of the last ACK. */
  #takesTrains = false;
  #wasWindowFull = false;
  /** Bytes of the datagrams sent since one asked for an ACK at once. */
  #unaskedBytes = 0;
  #hasReleased = false;
  #receivedPackets = 0;
  #droppedDatagrams = 0;

  /** Begins when the handshake has ended. */
  constructor(now: Instant, options: ConnectionOptions) {
    this.#options = options;
    this.#sealer = options.sealer;
    this.#opener = options.opener;
    this.transmitPath = options.path;
    this.#now = now;
    this.#lastCloseAt = after(now, -CLOSE_REPEAT_MS);
    this.#conditions = new PathConditions(
      (path) => ({
        family: path.remote.family,
        peerBytes: options.remote.maxDatagramBytes,
        peerBufferBytes: options.remote.receiveBufferBytes,
        linkBytes: options.linkDatagramBytes?.(path),
      }),
      (datagramBytes) =>
        createCongestion(
          options.congestion ?? DEFAULT_CONGESTION,
          datagramBytes,
          options.random,
        ),
    );
    const { mtu, controller } = this.#conditions.fresh(options.path);
    this.#mtu = mtu;
    this.#controller = controller;
    this.#recovery = new Recovery(this.#controller, {
      handlePacketAcked: (slot) => this.#handlePacketAcked(slot),
      handlePacketLost: (slot) => this.#handlePacketLost(slot),
    });
    this.#recovery.rtt.maxAckDelayMs = options.remote.ackDelayMs;
    this.#gaps = new PacketGaps(options.random);
    if (options.rttMs !== undefined) this.#recovery.rtt.addSample(options.rttMs, 0);
    this.#paths = new Paths(now, {
      path: options.path,
      unasked: options.unasked,
      isClient: options.writeConfirmation !== undefined,
      random: options.random,
      timers: this.#timers,
      rtt: this.#recovery.rtt,
      onChange: (now, change) => this.#handlePathChange(now, change),
    });
    this.#peerBuffer = new PeerBuffer(options.remote.receiveBufferBytes);
    this.#pacer = new Pacer(now, mtu.datagramBytes);
    this.#updatePacer(now);
    this.#outbox = new Outbox((block) => this.#handleReleased(block));
    this.#outbox.blockLimit = options.remote.blockCredit;
    this.#outbox.controlLimit = options.remote.controlCredit;
    this.#inbox = new Inbox(now, {
      windowBytes: options.local.blockCredit,
      ...(options.maxBlockWindowBytes === undefined
        ? {}
        : { maxWindowBytes: options.maxBlockWindowBytes }),
    });
    this.#acks = new AckScheduler(now, this.#timers);
    this.#keys = new KeyUpdates(now, {
      sealer: options.sealer,
      opener: options.opener,
      timers: this.#timers,
      rtt: this.#recovery.rtt,
      ...(options.keyUpdatePackets === undefined ? {} : { packets: options.keyUpdatePackets }),
    });
    this.#limits = new SendLimits(now, {
      shared: options.sharedLimit,
      ownBytesPerSecond: options.limitBytesPerSecond,
      wishBytesPerSecond: options.remote.rateLimit,
    });
    this.#holds = new HoldTimes(now);
    this.#frames = new FrameReader({
      acks: this.#acks,
      inbox: this.#inbox,
      outbox: this.#outbox,
      paths: this.#paths,
      limited: this.#limited,
    }, {
      isClosed: () => this.closed !== undefined,
      handleAck: (now, ack) => this.#handleAck(now, ack),
      handleClose: (now, wireCode, reason) => this.#handleClose(now, wireCode, reason),
      handleViolation: (what) => this.#violate(what),
    });
    this.#timers.set(Timer.IDLE, after(now, options.local.idleTimeoutMs));
    this.#timers.set(Timer.KEEPALIVE, after(now, KEEPALIVE_MS));
    if (options.writeConfirmation) {
      this.#state = "confirming";
      this.#confirmationDue = true;
    } else {
      this.#state = "open";
      this.#pingDue = true; // tells the client that message 3 arrived
    }
  }

  /** Sets who takes control bytes and blocks. Until then the peer's control bytes wait. */
  setHandler(handler: ChannelHandler): void {
    if (this.closed) return;
    this.#handler = handler;
    this.#inbox.open(handler);
    this.#wake();
  }

  /** Whether nothing is left to do; the owner may forget the connection. */
  get isEnded(): boolean {
    return this.#state === "ended";
  }

  /** The cipher of its packets. */
  get cipher(): CipherSuite["name"] {
    return this.#sealer.suite.name;
  }

  /** Figures for display and tests. */
  get statistics(): ConnectionStatistics {
    const { rtt, sent, inFlightBytes, lostPackets, spuriousPackets } = this.#recovery;
    return {
      rttMs: rtt.smoothedMs,
      minRttMs: rtt.minMs,
      congestion: this.#controller.name,
      windowBytes: this.#controller.windowBytes,
      inFlightBytes,
      datagramBytes: this.#mtu.datagramBytes,
      sentPackets: sent.next - this.#gaps.count,
      receivedPackets: this.#receivedPackets,
      lostPackets,
      spuriousPackets,
      droppedDatagrams: this.#droppedDatagrams,
    };
  }

  // ---- what limits ----

  /** What held sending back for how long since the start, ms by {@linkcode Hold}; a live view. */
  holdTimes(now: Instant): Float64Array {
    this.#holds.settle(now);
    return this.#holds.spentMs;
  }

  /** The limits of what is sent. */
  get limits(): SendLimits {
    return this.#limits;
  }

  /** What the peer says limits the transfer. */
  get peerLimitation(): Limitation {
    return this.#limited.heard;
  }

  /** Tells the peer what limits the transfer as seen from here, if it wants to know. */
  tellLimitation(limitation: Limitation): void {
    if (this.closed || (this.#options.remote.features & FEATURE_LIMITED) === 0) return;
    if (this.#limited.tell(limitation)) this.#wake();
  }

  // ---- paths ----

  /** The path of the session now. */
  get path(): Path {
    return this.#paths.current;
  }

  /** Whether nobody asked where the session goes, and nothing has proved yet that the sharer is there. */
  get isUnproved(): boolean {
    return this.#paths.isUnproved;
  }

  /**
   * Client: the message 2 that began this session came again [HS-13].
   *
   * @param bytes Of its datagram.
   */
  handleMessage2(now: Instant, path: Path, bytes: number): void {
    this.#now = now;
    if (this.#state !== "confirming") return;
    if (this.#paths.handleMessage2(now, path, bytes)) this.#confirmationDue = true;
  }

  /** Takes the oldest event of the paths; the endpoint does. */
  takePathEvent(): PathEvent | undefined {
    return this.#paths.takeEvent();
  }

  /**
   * Tells the peer where else this side may be reached; the whole list each time, also when it is
   * another one after a change of networks.
   *
   * @throws {RangeError} Unless there are 1 to 8, each at an address where somebody can be.
   */
  setLocalCandidates(now: Instant, candidates: readonly Candidate[]): void {
    this.#now = now;
    if (this.closed) return;
    this.#paths.setLocalCandidates(candidates);
    this.#wake();
  }

  /** Says which local sockets there are: all of them are tried with the peer's candidates. */
  setSockets(sockets: readonly PathSocket[]): void {
    if (this.closed) return;
    this.#paths.setSockets(this.#now, sockets);
    this.#wake();
  }

  /** Says that a socket is gone; a session on it looks for another path at once. */
  removeSocket(index: number): void {
    if (this.closed) return;
    this.#paths.removeSocket(this.#now, index);
    this.#wake();
  }

  /** Names an address at which the peer may be now; it is tried at once from every socket. */
  addRemoteCandidate(now: Instant, address: SocketAddress): void {
    this.#now = now;
    if (this.closed) return;
    this.#paths.addRemoteCandidate(now, address);
    this.#wake();
  }

  /** Has one path tried at once. */
  probePath(now: Instant, path: Path): void {
    this.#now = now;
    if (this.closed) return;
    this.#paths.probePath(now, path);
    this.#wake();
  }

  // ---- what the transfer asks ----

  sendControl(bytes: Uint8Array): void {
    if (this.closed) return;
    this.#outbox.control.write(bytes);
    this.#wake();
  }

  get controlQueuedBytes(): number {
    return this.#outbox.control.queuedBytes;
  }

  sendBlock(block: OutgoingBlock): void {
    if (block.bytes.length === 0) throw new RangeError("Cannot send a block without bytes");
    if (this.closed) return;
    this.#outbox.blocks.add(block);
    this.#wake();
  }

  get blockQueuedBytes(): number {
    return this.#outbox.blocks.queuedBytes;
  }

  get blockAckedBytes(): number {
    return this.#outbox.blocks.ackedBytes;
  }

  get blockQueueTargetBytes(): number {
    // What is in flight stays lent, on lossy paths several times as much; and as much again as is in
    // flight keeps the line busy while the disk is read. Not the window: a path faster than the peer
    // may have one that is never filled.
    const { inFlightBytes } = this.#recovery;
    const lentBytes = Math.max(inFlightBytes, this.#outbox.blocks.awaitedBytes);
    const wanted = lentBytes + Math.max(inFlightBytes, MIN_QUEUE_TARGET_BYTES);
    return Math.min(wanted, MAX_BLOCK_WINDOW_BYTES);
  }

  consumeBlockBytes(bytes: number): void {
    const rttMs = this.#recovery.rtt.smoothedMs;
    if (this.#inbox.handleConsumed(this.#now, bytes, rttMs)) this.#wake();
  }

  close(wireCode: number, reason: string): void {
    const code = wireCode === WIRE_DONE ? "done" : errorCodeOfWire(wireCode);
    this.#end({ code, reason, byPeer: false }, wireCode);
    this.#wake();
  }

  // ---- what the endpoint drives ----

  /**
   * Takes a packet addressed to this connection, `buffer[start..end)`, which is decrypted in place.
   *
   * @param socket Index of the socket it came in on.
   * @param from Who sent it.
   * @returns Whether it was authentic and new.
   */
  handlePacket(
    now: Instant,
    buffer: Uint8Array,
    start: number,
    end: number,
    socket: number = this.path.socket,
    from: SocketAddress = this.path.remote,
  ): boolean {
    this.#now = now;
    if (this.#state === "ended") return false;
    const payloadEnd = this.#opener.open(buffer, start, end);
    if (payloadEnd < 0) {
      this.#droppedDatagrams++;
      if (this.#opener.isDuplicate) this.#acks.handleDuplicate();
      // So many tries are beyond what the cipher was judged by (RFC 9001, section 6.6).
      if (this.#opener.tagFailures >= this.#opener.suite.maxForgedPackets) {
        this.#endAtLimit("Too many forged packets");
      }
      return false;
    }
    this.#receivedPackets++;
    if (this.#state === "closing") {
      this.#repeatClose(now);
      return true;
    }
    if (this.#state === "draining") return true;
    if (this.#state === "confirming") {
      this.#state = "open";
      this.#confirmationDue = false;
      this.#timers.clear(Timer.CONFIRM);
    }
    this.#timers.set(Timer.IDLE, after(now, this.#options.local.idleTimeoutMs));
    this.#keys.handleOpened(now);
    const packetNumber = this.#opener.packetNumber;
    const controlAckedOffset = this.#outbox.control.ackedOffset;
    const isNewest = packetNumber === this.#opener.largestNumber;
    const isEliciting = this.#frames.read(
      now,
      buffer,
      start + HEADER_BYTES,
      payloadEnd,
      packetNumber,
    );
    if (this.closed) return true;
    this.#paths.handlePacket(now, socket, from, end - start, isNewest && this.#frames.isMove);
    this.#acks.handlePacket(now, packetNumber, isEliciting, this.#recovery.rtt.smoothedMs);
    if (this.#hasReleased || this.#outbox.control.ackedOffset > controlAckedOffset) {
      this.#hasReleased = false;
      this.#handler?.handleWritable();
    }
    return true;
  }

  /** Length of the packet at `start`, as it says itself, for splitting joined datagrams; or −1. */
  peekPacketLength(buffer: Uint8Array, start: number): number {
    return this.#opener.peekLength(buffer, start, buffer.length - start);
  }

  /** Does what is due; early or repeated calls do nothing. */
  handleTimeout(now: Instant): void {
    this.#now = now;
    const timers = this.#timers;
    const isLate = now - timers.earliest() > WAKE_GAP_MS;
    if (timers.takeExpired(Timer.DRAIN, now)) return this.#retire();
    if (this.closed) return;
    if (isLate) { // [IDLE-3]
      timers.set(Timer.IDLE, later(timers.get(Timer.IDLE), after(now, WAKE_GRACE_MS)));
      this.#paths.handleWoke(now);
    }
    if (timers.takeExpired(Timer.IDLE, now)) { // [IDLE-1]
      const seconds = Math.round(this.#options.local.idleTimeoutMs / 1000);
      this.#finish(now, {
        code: "path_lost",
        reason: `Nothing heard for ${seconds} s`,
        byPeer: false,
      });
      return this.#retire();
    }
    if (timers.takeExpired(Timer.ACK, now)) this.#acks.demand();
    if (timers.takeExpired(Timer.CONFIRM, now)) this.#confirmationDue = true;
    if (timers.takeExpired(Timer.KEEPALIVE, now)) this.#pingDue = true; // [IDLE-2]
    if (timers.takeExpired(Timer.MTU, now)) this.#mtu.restart();
    if (timers.takeExpired(Timer.KEY, now)) this.#keys.begin(now);
    if (timers.takeExpired(Timer.OLD_KEY, now)) this.#opener.dropOldKeys();
    if (timers.takeExpired(Timer.LOSS, now)) {
      this.#recovery.detectLosses(now);
      this.#armRecovery(); // a probe that waited for it may be due by now
    }
    if (timers.takeExpired(Timer.PROBE, now)) this.#onProbeTimeout();
    if (timers.takeExpired(Timer.PATH, now)) this.#paths.handleTimeout(now);
    if (timers.takeExpired(Timer.WATCH, now) && this.#paths.handleWatch(now)) this.#pingDue = true;
    this.#armRecovery();
  }

  /** The one deadline to arm. */
  pollTimeout(): Instant {
    return this.#timers.earliest();
  }

  /**
   * Writes the next datagram to send.
   *
   * @param out Written from index 0; at least 1472 bytes, or as many as `linkDatagramBytes` may say.
   * @returns Bytes of the datagram, or 0 when there is nothing to send now.
   */
  pollTransmit(now: Instant, out: Uint8Array): number {
    this.#now = now;
    this.#timers.clear(Timer.PACE);
    this.transmitPath = this.#paths.current;
    if (this.#keys.isWornOut) {
      this.#endAtLimit("The keys could not be replaced in time");
    }
    if (this.#paths.isUnproved) return this.#transmitUnproved(now, out);
    if (this.closed) return this.#transmitClose(now, out);
    if (this.#confirmationDue) return this.#transmitConfirmation(now, out);
    const length = this.#transmitOffPath(now, out);
    if (length > 0) return length;
    if (this.#state === "open" && this.#mtu.nextProbeBytes() > 0) {
      return this.#transmitMtuProbe(now, out);
    }
    return this.#transmitData(now, out);
  }

  /**
   * Writes one more datagram behind the last one of {@linkcode Connection.pollTransmit}, so that both
   * leave in one train.
   *
   * @param segmentBytes Length of the first datagram of the train.
   * @returns Bytes of the datagram, at most `segmentBytes`; 0 when the train ends here, also because
   *   the next datagram is of another length or for another path.
   */
  extendTransmit(now: Instant, out: Uint8Array, segmentBytes: number): number {
    if (this.closed || segmentBytes !== this.#datagramBytes) return 0;
    if (this.#paths.isUnproved) return 0;
    if (this.transmitPath !== this.#paths.current || this.#paths.hasTransmit) return 0;
    return this.#transmitData(now, out);
  }

  // ---- sending ----

  /** [HS-14] Message 3, then packets, as much as what came from there lets. */
  #transmitUnproved(now: Instant, out: Uint8Array): number {
    const maySend = this.#paths.maySend(this.#datagramBytes);
    let length = 0;
    if (this.closed) {
      if (maySend) length = this.#transmitClose(now, out);
    } else if (this.#state === "confirming") {
      if (maySend && this.#confirmationDue) length = this.#transmitConfirmation(now, out);
    } else {
      length = this.#transmitOffPath(now, out);
      if (length > 0) return length;
      if (maySend) length = this.#transmitData(now, out);
    }
    this.#paths.handleSent(length);
    return length;
  }

  /** Challenges and responses. */
  #transmitOffPath(now: Instant, out: Uint8Array): number {
    if (!this.#paths.hasTransmit || !this.#mayAcknowledge) return 0;
    const end = this.#paths.write(now, out);
    if (end === 0) return 0;
    this.transmitPath = this.#paths.transmitPath;
    return this.#seal(now, out, end, PacketFlag.OFF_PATH);
  }

  #transmitData(now: Instant, out: Uint8Array): number {
    const datagramBytes = this.#datagramBytes;
    const wantsToSend = this.#probesDue > 0 || this.#pingDue || this.#inbox.isCreditDue ||
      this.#paths.news.isDue || this.#limited.isDue || this.#outbox.hasWork;
    const maySend = wantsToSend && this.#maySend(now, datagramBytes);
    if (!wantsToSend) {
      this.#holds.note(now, this.#holdWithoutWork);
      this.#pacer.giveUp();
    }
    if (!maySend && !(this.#acks.isDue && this.#mayAcknowledge)) return 0;

    const start = HEADER_BYTES;
    const end = datagramBytes - TAG_BYTES;
    let at = start;
    let flags = 0;
    if (this.#acks.isOwed) {
      at = this.#acks.write(now, out, at, end);
      if (at > start) flags |= PacketFlag.ACK;
    }
    const outbox = this.#outbox;
    outbox.filledCount = 0;
    if (maySend) {
      flags |= PacketFlag.ACK_ELICITING | PacketFlag.IN_FLIGHT;
      const contentStart = at;
      if (this.#inbox.isCreditDue && at + MAX_CREDIT_FRAME_BYTES <= end) {
        at = this.#inbox.writeCredit(out, at);
        flags |= PacketFlag.CREDIT;
      }
      if (this.#paths.news.isDue && at + MAX_PATH_NEWS_BYTES <= end) {
        at = this.#paths.news.write(out, at);
        flags |= PacketFlag.PATH_NEWS;
      }
      if (this.#limited.isDue && at + MAX_LIMITED_FRAME_BYTES <= end) {
        at = this.#limited.write(out, at);
        flags |= PacketFlag.LIMITED;
      }
      const asksForAck = this.#asksForAck(datagramBytes);
      at = outbox.fill(out, at, asksForAck ? end - 1 : end);
      const isLast = !outbox.hasWork;
      if (at === contentStart) out[at++] = Frame.PING;
      this.#pingDue = false;
      if ((isLast || asksForAck) && at < end) {
        out[at++] = Frame.ACK_NOW;
        this.#unaskedBytes = 0;
      } else {
        this.#unaskedBytes += datagramBytes;
      }
      if (this.#probesDue > 0) this.#probesDue--;
      this.#isAppLimited = isLast;
    }
    const length = this.#seal(now, out, at, flags);
    if (maySend && this.#isAppLimited) this.#recovery.markAppLimited();
    return length;
  }

  /**
   * Whether this datagram asks for an ACK at once: probes do, and in a window too small for the ACKs
   * that come unasked the one that fills it, and four on the way there.
   */
  #asksForAck(datagramBytes: number): boolean {
    if (this.#probesDue > 0) return true;
    const windowBytes = this.#windowBytes;
    if (windowBytes >= SMALL_WINDOW_DATAGRAMS * datagramBytes) return false;
    return this.#unaskedBytes + datagramBytes > windowBytes / 4 ||
      this.#recovery.inFlightBytes + 2 * datagramBytes > windowBytes;
  }

  /** Bytes of a full datagram: what the path carries and a limit leaves. */
  get #datagramBytes(): number {
    return this.#limits.datagramBytes(this.#mtu.datagramBytes);
  }

  /** Most that may be in flight: what path and peer take. */
  get #windowBytes(): number {
    return Math.min(this.#controller.windowBytes, this.#peerBuffer.windowBytes);
  }

  /** Whether one more packet may be remembered that the window does not hold back. */
  get #mayAcknowledge(): boolean {
    const { next, oldest } = this.#recovery.sent;
    return next - oldest < MAX_UNANSWERED_PACKETS;
  }

  /** Why there is nothing to send. */
  get #holdWithoutWork(): HoldId {
    return this.#outbox.blocks.first() ? Hold.CREDIT : Hold.APPLICATION;
  }

  /**
   * [CC-1] Whether window, limits and pacer let a datagram out; arms the timer if only the latter
   * hold it. Probes wait for nothing but limits that are overdrawn.
   */
  #maySend(now: Instant, datagramBytes: number): boolean {
    const isProbe = this.#probesDue > 0;
    if (!isProbe && !this.#isWindowOpen(datagramBytes)) {
      this.#pacer.giveUp();
      this.#holds.note(now, Hold.CONGESTION);
      return false;
    }
    const limit = isProbe ? this.#limits.holdingProbesAt(now) : this.#limits.holdingAt(now);
    if (limit) {
      this.#holds.note(now, this.#limits.isWish(limit) ? Hold.WISH : Hold.LIMIT);
      this.#isAppLimited = true; // of the path nothing is learned
      this.#recovery.markAppLimited();
      this.#timers.set(Timer.PACE, limit.opensAt);
      return false;
    }
    if (isProbe || this.#pacer.isOpen(now)) {
      if (!isProbe) this.#holds.note(now, Hold.NOTHING);
      return true;
    }
    this.#holds.note(now, Hold.CONGESTION);
    this.#timers.set(Timer.PACE, this.#pacer.nextAt(now));
    return false;
  }

  /**
   * Whether a datagram fits into the window. Where the socket takes trains, a window that was full
   * opens again for half a train or a quarter of itself, not for each datagram acknowledged: nothing
   * is lost by waiting while most of a window is on its way.
   */
  #isWindowOpen(datagramBytes: number): boolean {
    const windowBytes = this.#windowBytes;
    const roomBytes = windowBytes - this.#recovery.inFlightBytes;
    const wantedBytes = this.#wasWindowFull && this.#takesTrains
      ? Math.max(Math.min(trainBytes(datagramBytes) / 2, windowBytes / 4), datagramBytes)
      : datagramBytes;
    this.#wasWindowFull = roomBytes < wantedBytes;
    return !this.#wasWindowFull;
  }

  #seal(now: Instant, out: Uint8Array, payloadEnd: number, flags: number): number {
    this.#keys.handleSealing(now);
    writeConnectionId(this.#options.remote.connectionId, out);
    const recovery = this.#recovery;
    const isInFlight = (flags & PacketFlag.IN_FLIGHT) !== 0;
    if (isInFlight && this.#gaps.take(recovery.sent.next)) recovery.leaveOut(now);
    const length = this.#sealer.seal(out, 0, payloadEnd, recovery.sent.next);
    const slot = recovery.onSent(now, length, flags);
    if ((flags & PacketFlag.ACK) !== 0) recovery.sent.acknowledged[slot] = this.#acks.largest;
    if (isInFlight) {
      recovery.sent.firstSegments[slot] = this.#outbox.filledFirst;
      recovery.sent.segmentCounts[slot] = this.#outbox.filledCount;
      this.#pacer.onSent(length);
      this.#limits.onSent(length);
      this.#paths.watch.handleSent(now);
      if (this.#carriesContent(slot)) this.#paths.watch.handleContent(now);
      this.#timers.set(Timer.KEEPALIVE, after(now, KEEPALIVE_MS));
      this.#armRecovery();
    }
    return length;
  }

  #transmitMtuProbe(now: Instant, out: Uint8Array): number {
    const bytes = this.#mtu.nextProbeBytes();
    this.#mtu.onProbeSent();
    const end = bytes - TAG_BYTES;
    out[HEADER_BYTES] = Frame.PING;
    out[HEADER_BYTES + 1] = Frame.ACK_NOW;
    out.fill(Frame.PADDING, HEADER_BYTES + 2, end);
    return this.#seal(now, out, end, PacketFlag.ACK_ELICITING | PacketFlag.MTU_PROBE);
  }

  /** [HS-10] Repeats message 3 until something of the sharer opens. */
  #transmitConfirmation(now: Instant, out: Uint8Array): number {
    this.#confirmationDue = false;
    const intervalMs = Math.min(this.#recovery.rtt.probeTimeoutMs, MAX_CONFIRM_INTERVAL_MS);
    this.#timers.set(Timer.CONFIRM, after(now, intervalMs));
    this.#options.writeConfirmation!(out.subarray(0, HANDSHAKE_DATAGRAM_BYTES));
    return HANDSHAKE_DATAGRAM_BYTES;
  }

  /** [CLOSE-2] The one thing that is still sent, and only by the side that closed. */
  #transmitClose(now: Instant, out: Uint8Array): number {
    if (this.#closesDue === 0 || this.#state !== "closing") return 0;
    this.#closesDue--;
    if (this.#timers.get(Timer.DRAIN) === NEVER) this.#armDrain(now);
    const end = writeClose(this.#closeWire, this.closed!.reason, out, HEADER_BYTES);
    writeConnectionId(this.#options.remote.connectionId, out);
    const packetNumber = this.#recovery.sent.next;
    this.#recovery.sent.add();
    return this.#sealer.seal(out, 0, end, packetNumber);
  }

  /** [CLOSE-1] A closing side tells a peer that still talks once more, but not for every packet. */
  #repeatClose(now: Instant): void {
    if (now - this.#lastCloseAt < CLOSE_REPEAT_MS) return;
    this.#lastCloseAt = now;
    // One in answer never takes the place of those that are still to go out.
    this.#closesDue = Math.max(this.#closesDue, 1);
  }

  // ---- receiving ----

  /** [ACK-2] [ACK-6] What was never sent cannot be acknowledged. */
  #handleAck(now: Instant, ack: AckFrame): void {
    // A window that the peer's buffer keeps from being filled is not to grow for it.
    const isWindowLimited = !this.#isAppLimited &&
      this.#controller.windowBytes <= this.#peerBuffer.windowBytes;
    if (!this.#recovery.onAck(now, ack, isWindowLimited)) {
      return this.#violate("an ACK for packets never sent");
    }
    this.#peerBuffer.handleAck(now, this.#recovery, this.#mtu.datagramBytes);
    // A block given back may have made the transfer close: then no deadline may be armed again.
    if (this.closed) return;
    this.#sealer.handleAcknowledged(this.#recovery.largestAcked);
    const probeAt = this.#mtu.onProgress(now);
    if (probeAt !== undefined) this.#timers.set(Timer.MTU, probeAt);
    this.#updatePacer(now);
    this.#armRecovery();
  }

  #handleClose(now: Instant, wireCode: number, reason: string): void {
    const code = wireCode === WIRE_DONE ? "done" : errorCodeOfWire(wireCode);
    this.#state = "draining";
    this.#finish(now, { code, reason, byPeer: true });
  }

  // ---- recovery ----

  #handlePacketAcked(slot: number): void {
    const sent = this.#recovery.sent;
    const flags = sent.flags[slot]!;
    this.#outbox.acknowledge(sent.firstSegments[slot]!, sent.segmentCounts[slot]!);
    if ((flags & PacketFlag.ACK) !== 0) this.#acks.forgetUpTo(sent.acknowledged[slot]!);
    if ((flags & PacketFlag.MTU_PROBE) !== 0 && this.#mtu.onProbeAcked(sent.sizes[slot]!)) {
      this.#controller.onDatagramSize(this.#mtu.datagramBytes);
    }
  }

  /** [LOSS-1] What a lost packet carried goes out again, in other packets. */
  #handlePacketLost(slot: number): void {
    const sent = this.#recovery.sent;
    this.#outbox.lose(sent.firstSegments[slot]!, sent.segmentCounts[slot]!);
    const flags = sent.flags[slot]!;
    if ((flags & PacketFlag.CREDIT) !== 0) this.#inbox.isCreditDue = true;
    if ((flags & PacketFlag.PATH_NEWS) !== 0) this.#paths.news.handleLost();
    if ((flags & PacketFlag.LIMITED) !== 0) this.#limited.handleLost();
    if ((flags & PacketFlag.MTU_PROBE) !== 0) {
      const retryAt = this.#mtu.onProbeLost(this.#now);
      if (retryAt !== undefined) this.#timers.set(Timer.MTU, retryAt);
    }
  }

  #onProbeTimeout(): void {
    this.#probesDue = PROBES_PER_TIMEOUT;
    this.#recovery.onProbeTimeout();
    // What is new probes as well, and is not sent twice if only the answer was lost.
    if (!this.#outbox.hasWork) this.#repeatOldest();
    if (this.#mtu.onTimeout()) this.#controller.onDatagramSize(this.#mtu.datagramBytes);
  }

  /** Sends once more what the oldest packet in flight carried that no probe has repeated. */
  #repeatOldest(): void {
    let slot = this.#recovery.takeUnrepeated();
    // A PING needs no repeating: the probe itself is one.
    while (slot >= 0 && !this.#carriesContent(slot)) slot = this.#recovery.takeUnrepeated();
    if (slot >= 0) this.#handlePacketLost(slot);
  }

  #carriesContent(slot: number): boolean {
    const { segmentCounts, flags } = this.#recovery.sent;
    return segmentCounts[slot]! > 0 || (flags[slot]! & PacketFlag.CREDIT) !== 0;
  }

  #armRecovery(): void {
    this.#timers.set(Timer.LOSS, this.#recovery.lossDeadline);
    // While probes wait for a limit there is no deadline for the next ones.
    this.#timers.set(Timer.PROBE, this.#probesDue > 0 ? NEVER : this.#recovery.probeDeadline);
  }

  /** What is known of a path goes with it, unless only the peer's port has changed [PATH-2]. */
  #handlePathChange(now: Instant, change: PathChange): void {
    const { rtt } = this.#recovery;
    const graceMs = change.wasLost ? 0 : rtt.probeTimeoutMs;
    const present = { controller: this.#controller, mtu: this.#mtu };
    const next = this.#conditions.exchange(now, change, present, rtt);
    this.#recovery.changePath(now, graceMs, next?.controller);
    if (next) {
      this.#controller = next.controller;
      this.#mtu = next.mtu;
      this.#pacer = new Pacer(now, next.mtu.datagramBytes);
      this.#peerBuffer.restart();
      this.#timers.clear(Timer.MTU);
    }
    this.#pingDue = true; // shows the peer where this side is
    this.#updatePacer(now);
    this.#armRecovery();
  }

  #updatePacer(now: Instant): void {
    const rate = this.#controller.pacingRate(this.#recovery.rtt);
    this.#takesTrains = this.#options.takesTrains?.(this.path.socket) ?? false;
    const { burstBytes } = this.#peerBuffer;
    this.#pacer.setRate(now, rate, this.#mtu.datagramBytes, this.#takesTrains, burstBytes);
  }

  #handleReleased(block: OutgoingBlock): void {
    this.#hasReleased = true;
    this.#handler?.handleBlockReleased(block);
  }

  // ---- ending ----

  /** The peer broke a rule: this session ends, no other [FRM-1]. */
  #violate(what: string): void {
    const reason = `The peer sent ${what}`;
    const wire = ERRORS.protocol_violation.wire;
    this.#end({ code: "protocol_violation", reason, byPeer: false }, wire);
  }

  #endAtLimit(reason: string): void {
    this.#end({ code: "limit_exceeded", reason, byPeer: false }, ERRORS.limit_exceeded.wire);
  }

  #end(end: ConnectionEnd, wireCode: number): void {
    if (this.closed) return;
    this.#state = "closing";
    this.#closeWire = wireCode;
    this.#closesDue = FIRST_CLOSES;
    this.#finish(this.#now, end);
  }

  /** Ends the connection's work; what remains is to repeat CLOSE, or silence. */
  #finish(now: Instant, end: ConnectionEnd): void {
    this.closed = end;
    this.#timers.clearAll();
    // A closing side stays from its first CLOSE on: `close` was not told the time.
    if (this.#state !== "closing") this.#armDrain(now);
    for (const block of this.#outbox.blocks.releaseAll()) this.#handler?.handleBlockReleased(block);
    this.#handler = undefined;
    this.#inbox.close();
  }

  /** Nothing is left to do: the keys go. */
  #retire(): void {
    this.#state = "ended";
    this.#timers.clearAll();
    this.#sealer.wipe();
    this.#opener.wipe();
  }

  #armDrain(now: Instant): void {
    this.#timers.set(Timer.DRAIN, after(now, DRAIN_TIMEOUTS * this.#recovery.rtt.probeTimeoutMs));
  }

  #wake(): void {
    this.#options.wake?.();
  }
}
