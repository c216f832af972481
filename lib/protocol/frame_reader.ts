/**
 * Reads the frames of opened packets and hands each to the part of a connection that it is for
 * (docs/protocol.md, "Frames"). What cannot be read, or breaks a rule, is told as a violation.
 */
import { ByteReader } from "../bytes/varint.ts";
import type { Instant } from "../time.ts";
import type { AckScheduler } from "./ack_scheduler.ts";
import { AckFrame, Frame, readClose } from "./frame.ts";
import type { Inbox } from "./inbox.ts";
import type { LimitedNews } from "./limited_frame.ts";
import type { Outbox } from "./outbox.ts";
import { PATH_CHALLENGE_BYTES } from "./params.ts";
import type { Paths } from "./paths/paths.ts";

/** The parts of a connection that frames are for. */
export interface FrameParts {
  readonly acks: AckScheduler;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly paths: Paths;
  readonly limited: LimitedNews;
}

/** The connection itself. */
export interface FrameOwner {
  /** Whether it has ended: the rest of a packet is not read then. */
  readonly isClosed: () => boolean;
  /** Takes an ACK; it is only valid during the call. */
  readonly handleAck: (now: Instant, ack: AckFrame) => void;
  /** Takes the peer's CLOSE. */
  readonly handleClose: (now: Instant, wireCode: number, reason: string) => void;
  /** The peer sent what it must not [FRM-1]. */
  readonly handleViolation: (what: string) => void;
}

/** Reads one packet at a time; allocates nothing but views. */
export class FrameReader {
  /** Whether the last packet had frames that make a session follow it (RFC 9000, section 9.1). */
  isMove = false;
  readonly #parts: FrameParts;
  readonly #owner: FrameOwner;
  readonly #reader = new ByteReader(new Uint8Array(0));
  readonly #ack = new AckFrame();

  constructor(parts: FrameParts, owner: FrameOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  /**
   * Reads all frames of a packet, `buffer[start..end)`.
   *
   * @returns Whether the peer wants an ACK for it.
   */
  read(
    now: Instant,
    buffer: Uint8Array,
    start: number,
    end: number,
    packetNumber: number,
  ): boolean {
    const reader = this.#reader;
    const { acks, paths, limited } = this.#parts;
    reader.reset(buffer, start, end);
    let isEliciting = false;
    let hasAck = false;
    this.isMove = false;
    if (reader.remaining === 0) this.#owner.handleViolation("a packet without frames");
    while (reader.remaining > 0 && !this.#owner.isClosed()) {
      const type = reader.u8();
      if (type !== Frame.PADDING && type !== Frame.PATH_CHALLENGE && type !== Frame.PATH_RESPONSE) {
        this.isMove = true;
      }
      switch (type) {
        case Frame.PADDING:
          continue;
        case Frame.PING:
          break;
        case Frame.ACK_NOW:
          acks.demand();
          break;
        case Frame.ACK:
          // [ACK-5] Each may walk over all that is in flight: a packet full of them would cost
          // thousands of times what it should.
          if (hasAck) this.#owner.handleViolation("two ACKs in one packet");
          else this.#readAck(now);
          hasAck = true;
          continue;
        case Frame.CONTROL:
          this.#readControl(now);
          break;
        case Frame.BLOCK:
          this.#readBlock(now);
          break;
        case Frame.CREDIT:
          this.#readCredit();
          break;
        case Frame.PATH_CHALLENGE: // [FRM-2]
          paths.handleChallenge(reader.bytes(PATH_CHALLENGE_BYTES));
          break;
        case Frame.PATH_RESPONSE:
          paths.handleResponse(now, reader.bytes(PATH_CHALLENGE_BYTES));
          break;
        case Frame.CANDIDATES:
          this.#readCandidates(now);
          break;
        case Frame.OBSERVED_ADDRESS:
          this.#readObservedAddress();
          break;
        case Frame.LIMITED:
          limited.read(reader, packetNumber);
          break;
        case Frame.CLOSE:
          this.#readClose(now);
          continue;
        default:
          this.#owner.handleViolation(`a frame of unknown type ${type}`);
          return false;
      }
      if (!reader.ok) this.#owner.handleViolation(`a malformed frame of type ${type}`);
      isEliciting = true;
    }
    return isEliciting;
  }

  #readAck(now: Instant): void {
    if (!this.#ack.read(this.#reader)) return this.#owner.handleViolation("a malformed ACK");
    this.#owner.handleAck(now, this.#ack);
  }

  #readControl(now: Instant): void {
    const offset = this.#reader.varint();
    const bytes = this.#reader.bytes(this.#reader.varint());
    if (!this.#reader.ok) return;
    this.#parts.paths.watch.handleContent(now);
    const wrong = this.#parts.inbox.receiveControl(offset, bytes);
    if (wrong !== undefined) this.#owner.handleViolation(wrong);
  }

  #readBlock(now: Instant): void {
    const request = this.#reader.varint();
    const offset = this.#reader.varint();
    const bytes = this.#reader.bytes(this.#reader.varint());
    if (!this.#reader.ok) return;
    this.#parts.paths.watch.handleContent(now);
    const wrong = this.#parts.inbox.receiveBlock(request, offset, bytes);
    if (wrong !== undefined) this.#owner.handleViolation(wrong);
  }

  #readCredit(): void {
    const blockLimit = this.#reader.varint();
    const controlLimit = this.#reader.varint();
    if (!this.#reader.ok) return;
    // Limits only grow: an old frame may arrive late [CRED-2].
    const { outbox } = this.#parts;
    outbox.blockLimit = Math.max(outbox.blockLimit, blockLimit);
    outbox.controlLimit = Math.max(outbox.controlLimit, controlLimit);
  }

  #readCandidates(now: Instant): void {
    const candidates = this.#parts.paths.news.readCandidates(this.#reader);
    if (candidates === undefined) return this.#owner.handleViolation("malformed CANDIDATES");
    if (candidates !== "old") this.#parts.paths.handleCandidates(now, candidates);
  }

  #readObservedAddress(): void {
    const address = this.#parts.paths.news.readObservedAddress(this.#reader);
    if (address === undefined) return this.#owner.handleViolation("a malformed OBSERVED_ADDRESS");
    if (address !== "old") this.#parts.paths.handleObserved(address);
  }

  #readClose(now: Instant): void {
    const close = readClose(this.#reader);
    if (!close) return this.#owner.handleViolation("a malformed CLOSE");
    this.#owner.handleClose(now, close.code, close.reason);
  }
}
