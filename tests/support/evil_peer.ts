/**
 * One side of a session in the hands of a test, on an in-memory network: it has the code or the key,
 * does a real handshake, and from then on sends whatever frames, messages and blocks it is told to,
 * to a whole program on the other side. It keeps to no rule by itself: no credit, no congestion
 * control, and it acknowledges only while it is told to.
 */
import { concatBytes } from "../../lib/bytes/concat.ts";
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import { HandshakeCodec, MESSAGE_2_PAYLOAD_BYTES } from "../../lib/crypto/handshake_datagram.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { NoiseHandshake } from "../../lib/crypto/noise.ts";
import type { RandomSource } from "../../lib/crypto/provider.ts";
import { protectSession, type SessionProtection } from "../../lib/crypto/session_protection.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import { HANDSHAKE_PATTERN, HANDSHAKE_PROLOGUE, HEADER_BYTES } from "../../lib/protocol/params.ts";
import { decodeParameters } from "../../lib/protocol/transport_parameters.ts";
import { MessageOutbox, MessageReader } from "../../lib/transfer/message_stream.ts";
import { decodeMessage } from "../../lib/transfer/message_decoder.ts";
import type { Message } from "../../lib/transfer/messages.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import { HandClient, parametersPayload } from "./code_holder.ts";
import { ack, ackNow, block, control, type ReadFrame, readFrames } from "./frame_bytes.ts";
import { codeFor, readCode } from "./share_codes.ts";
import { clientHello } from "./transfer_pair.ts";

const TAG_BYTES = 16;
/** Frames of one packet, with room for their heads. */
const CHUNK_BYTES = 1100;
/** Newest ranges named in an ACK. */
const ACK_RANGES = 30;

/** One evil side. */
export class EvilPeer {
  /** Every frame that came. */
  readonly received: ReadFrame[] = [];
  /** Control messages that came, in order. */
  readonly messages: Message[] = [];
  /** Datagrams and bytes sent to it and by it. */
  readonly traffic = { datagramsIn: 0, bytesIn: 0, datagramsOut: 0, bytesOut: 0 };
  /** Whether it acknowledges what comes. */
  isAcknowledging = true;
  /** Called for each message. */
  onMessage: (message: Message) => void = () => {};
  /** Resolves once there is a session. */
  readonly ready: Promise<void>;
  /** The hash of the finished handshake; set with {@linkcode EvilPeer.ready}. */
  handshakeHash: Uint8Array = new Uint8Array(0);
  /** Resolves with the CLOSE of the other side. */
  readonly closed: Promise<ReadFrame & { readonly name: "CLOSE" }>;
  readonly #socket: DatagramSocket;
  readonly #outbox = new MessageOutbox();
  readonly #stream = new MessageReader((type, body) => {
    const message = decodeMessage(type, body);
    if (typeof message !== "object") return;
    this.messages.push(message);
    this.onMessage(message);
  });
  readonly #pending = new Map<number, Uint8Array>();
  readonly #ranges: [number, number][] = [];
  #remote: SocketAddress | undefined;
  #peerId = new Uint8Array(6);
  #protection: SessionProtection | undefined;
  #nextNumber = 0;
  #sentOffset = 0;
  #readOffset = 0;
  #setReady: () => void = () => {};
  #setClosed: (close: ReadFrame & { readonly name: "CLOSE" }) => void = () => {};

  private constructor(socket: DatagramSocket) {
    this.#socket = socket;
    this.ready = new Promise((resolve) => {
      this.#setReady = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve;
    });
  }

  /** A client that holds `code`; `request` is what it says in message 3. */
  static client(
    socket: DatagramSocket,
    code: string,
    random: RandomSource,
    request: Uint8Array = clientHello(),
  ): EvilPeer {
    const peer = new EvilPeer(socket);
    const { t, candidates } = readCode(code);
    peer.#remote = candidates[0]!.address;
    const hand = new HandClient(t, random);
    void socket.receive((datagram) => {
      peer.#count(datagram);
      if (peer.#protection) return peer.#takePacket(datagram);
      if (!hand.takeMessage2(datagram)) return;
      peer.transmit(hand.message3(request));
      peer.handshakeHash = hand.handshakeHash;
      peer.#begin(hand.sharerId, hand.protection!);
    });
    peer.transmit(hand.message1());
    return peer;
  }

  /**
   * A sharer with a key of its own; gives its code too. Its first client is the one it talks to.
   *
   * @param t What keys its handshake; by default the commitment to its key.
   */
  static sharer(
    socket: DatagramSocket,
    random: RandomSource,
    t?: Uint8Array,
  ): { readonly peer: EvilPeer; readonly code: string } {
    const peer = new EvilPeer(socket);
    const staticKeys = nodeProvider.generateKeyPair(random);
    const usedT = t ?? shareCommitment(nodeProvider, staticKeys.publicKey);
    const keys = deriveShareKeys(nodeProvider, usedT);
    const codec = new HandshakeCodec(nodeProvider, keys, random);
    const noise = NoiseHandshake.start(nodeProvider, {
      pattern: HANDSHAKE_PATTERN,
      role: "responder",
      prologue: HANDSHAKE_PROLOGUE,
      staticKeys,
      psks: [keys.psk],
    });
    let clientId: Uint8Array | undefined;
    void socket.receive((datagram, from) => {
      peer.#count(datagram);
      if (peer.#protection) return peer.#takePacket(datagram);
      const message1 = codec.decodeMessage1(datagram);
      if (message1 && clientId === undefined) {
        const payload = noise.readMessage(message1.message);
        clientId = decodeParameters(payload!)!.connectionId;
        peer.#remote = from;
        const answer = parametersPayload(random, MESSAGE_2_PAYLOAD_BYTES);
        return peer.transmit(codec.encodeMessage2(noise.writeMessage(answer, random)!));
      }
      const message3 = codec.decodeMessage3(datagram);
      if (!message3 || clientId === undefined || !noise.readMessage(message3.message)) return;
      peer.handshakeHash = noise.handshakeHash;
      peer.#begin(clientId, protectSession(nodeProvider, noise));
      peer.send(ackNow());
    });
    return { peer, code: codeFor(usedT, socket.localAddress) };
  }

  /** Sends a datagram of any bytes. */
  transmit(datagram: Uint8Array): void {
    this.traffic.datagramsOut++;
    this.traffic.bytesOut += datagram.length;
    void this.#socket.send(datagram, this.#remote!);
  }

  /** Sends frames in one packet, under the next number or another. */
  send(...frames: readonly Uint8Array[]): void {
    this.transmit(this.seal(frames));
  }

  /** A packet of these frames. */
  seal(frames: readonly Uint8Array[], number: number = this.#nextNumber): Uint8Array {
    const payload = concatBytes(...frames);
    const packet = new Uint8Array(HEADER_BYTES + payload.length + TAG_BYTES);
    packet.set(this.#peerId);
    packet.set(payload, HEADER_BYTES);
    this.#protection!.sealer.seal(packet, 0, HEADER_BYTES + payload.length, number);
    this.#nextNumber = number + 1;
    return packet;
  }

  /** Says messages on the control stream. */
  say(...messages: readonly Message[]): void {
    for (const message of messages) this.#outbox.add(message);
    this.sayBytes(this.#outbox.take());
  }

  /** Says bytes on the control stream, cut to `chunkBytes`. */
  sayBytes(bytes: Uint8Array, chunkBytes = CHUNK_BYTES): void {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = bytes.slice(at, at + chunkBytes);
      this.send(control(this.#sentOffset, chunk));
      this.#sentOffset += chunk.length;
    }
  }

  /** Sends bytes of a file, in as many packets as it takes. */
  sendBlock(request: number, offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      this.send(block(request, offset + at, bytes.subarray(at, at + CHUNK_BYTES)));
    }
  }

  /** Messages of one type that came. */
  of<Type extends Message["type"]>(type: Type): (Message & { type: Type })[] {
    return this.messages.filter((message) => message.type === type) as (Message & { type: Type })[];
  }

  /** The largest packet number that came; −1 before the first. */
  get largestReceived(): number {
    return this.#ranges[0]?.[1] ?? -1;
  }

  /** All packet numbers that came. */
  get numbers(): number[] {
    return this.#ranges.flatMap(([smallest, largest]) =>
      Array.from({ length: largest - smallest + 1 }, (_, index) => smallest + index)
    );
  }

  #begin(peerId: Uint8Array, protection: SessionProtection): void {
    this.#peerId = peerId.slice();
    this.#protection = protection;
    this.#setReady();
  }

  #count(datagram: Uint8Array): void {
    this.traffic.datagramsIn++;
    this.traffic.bytesIn += datagram.length;
  }

  #takePacket(datagram: Uint8Array): void {
    const { opener } = this.#protection!;
    const copy = datagram.slice();
    const end = opener.open(copy, 0, copy.length);
    if (end < 0) return;
    this.#note(opener.packetNumber);
    const frames = readFrames(copy.subarray(HEADER_BYTES, end));
    this.received.push(...frames);
    for (const frame of frames) {
      if (frame.name === "CLOSE") this.#setClosed(frame);
      if (frame.name === "CONTROL") this.#takeControl(frame.offset, frame.bytes);
    }
    const isEliciting = frames.some(({ name }) =>
      name !== "ACK" && name !== "PADDING" && name !== "CLOSE"
    );
    if (this.isAcknowledging && isEliciting) this.send(ack(this.#ranges.slice(0, ACK_RANGES)));
  }

  #takeControl(offset: number, bytes: Uint8Array): void {
    this.#pending.set(offset, bytes);
    for (;;) {
      const next = [...this.#pending].find(([at, { length }]) =>
        at <= this.#readOffset && at + length > this.#readOffset
      );
      if (next === undefined) return;
      const fresh = next[1].subarray(this.#readOffset - next[0]);
      this.#pending.delete(next[0]);
      this.#readOffset += fresh.length;
      this.#stream.push(fresh);
    }
  }

  /** Notes a packet number, newest range first. */
  #note(number: number): void {
    const ranges = this.#ranges;
    const at = ranges.findIndex(([smallest]) => smallest <= number + 1);
    const range = ranges[at];
    if (range !== undefined && number <= range[1] + 1 && number >= range[0]) {
      range[1] = Math.max(range[1], number);
    } else if (range !== undefined && number === range[0] - 1) {
      range[0] = number;
    } else {
      ranges.splice(at < 0 ? ranges.length : at, 0, [number, number]);
    }
    for (let index = 0; index + 1 < ranges.length; index++) {
      if (ranges[index + 1]![1] + 1 < ranges[index]![0]) continue;
      ranges[index]![0] = Math.min(ranges[index]![0], ranges[index + 1]![0]);
      ranges.splice(index + 1, 1);
    }
  }
}
