/** A peer that says whatever a test tells it to, and notes what it hears. */
import { type ErrorRow, ERRORS, type TransferError } from "../../lib/errors.ts";
import type { ChannelHandler, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { MessageOutbox, MessageReader } from "../../lib/transfer/message_stream.ts";
import { decodeMessage } from "../../lib/transfer/message_decoder.ts";
import type { Message } from "../../lib/transfer/messages.ts";
import type { MemoryChannel, MemoryEnd } from "./memory_channel.ts";

/** One end of a {@linkcode MemoryLink} in the hands of a test. */
export class RawPeer implements ChannelHandler {
  /** Every message that came. */
  readonly received: Message[] = [];
  /** Bytes of blocks that came, by request. */
  readonly blocks: { request: number; offset: number; bytes: Uint8Array }[] = [];
  /** How the link ended. */
  end: MemoryEnd | undefined;
  /** Called for each message. */
  onMessage: (message: Message) => void = () => {};
  readonly #channel: MemoryChannel;
  readonly #outbox = new MessageOutbox();
  readonly #reader = new MessageReader((typeNumber, body) => {
    const message = decodeMessage(typeNumber, body) as Message;
    this.received.push(message);
    this.onMessage(message);
  });

  constructor(channel: MemoryChannel) {
    this.#channel = channel;
    channel.handler = this;
    channel.onEnd = (end) => void (this.end = end);
  }

  /** Messages of one type that came. */
  of<Type extends Message["type"]>(type: Type): (Message & { type: Type })[] {
    return this.received.filter((message) => message.type === type) as (Message & { type: Type })[];
  }

  /** Sends messages. */
  say(...messages: Message[]): void {
    for (const message of messages) this.#outbox.add(message);
    if (this.#outbox.length > 0) this.#channel.sendControl(this.#outbox.take());
  }

  /** Sends bytes on the control stream, whatever they mean. */
  sayBytes(...bytes: number[]): void {
    this.#channel.sendControl(new Uint8Array(bytes));
  }

  /** Sends a block. */
  block(request: number, offset: number, bytes: Uint8Array): void {
    this.#channel.sendBlock({ request, offset, bytes });
  }

  handleControl(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    this.blocks.push({ request, offset, bytes: bytes.slice() });
    return bytes.length;
  }

  handleBlockReleased(_block: OutgoingBlock): void {}

  handleWritable(): void {}

  /** The wire code this peer was told. */
  get wireCode(): number | undefined {
    return this.end?.wireCode;
  }
}

/** The wire number of an error that a peer is told. */
export function wireOf(code: TransferError["code"]): number {
  const row: ErrorRow = ERRORS[code];
  return row.wire!;
}
