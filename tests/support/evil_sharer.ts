/**
 * A transfer over a link in memory whose sharer is ours with one thing made evil: what it says goes
 * through the hands of a test, message by message.
 */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { TransferError } from "../../lib/errors.ts";
import type { Channel, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { buildManifest } from "../../lib/transfer/offer/manifest.ts";
import { MessageOutbox, MessageReader } from "../../lib/transfer/message_stream.ts";
import { decodeMessage } from "../../lib/transfer/message_decoder.ts";
import type { Message } from "../../lib/transfer/messages.ts";
import { ClientExchange } from "../../lib/transfer/client_exchange.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";
import type { TransferNotice } from "../../lib/transfer/transfer_notice.ts";
import type { FakeStorage } from "./fake_storage.ts";
import { type MemoryChannel, MemoryLink, type MemoryLinkOptions } from "./memory_channel.ts";
import { clientHello, reportEnd } from "./transfer_pair.ts";

/** What is said in place of a message: several, others, or none. */
export type Rewrite = (message: Message) => readonly Message[];

/** A channel that says something else than it is told to. */
class EvilChannel implements Channel {
  readonly #channel: MemoryChannel;
  readonly #outbox = new MessageOutbox();
  readonly #reader: MessageReader;

  constructor(channel: MemoryChannel, rewrite: Rewrite) {
    this.#channel = channel;
    this.#reader = new MessageReader((type, body) => {
      for (const message of rewrite(decodeMessage(type, body) as Message)) {
        this.#outbox.add(message);
      }
    });
  }

  get controlQueuedBytes(): number {
    return this.#channel.controlQueuedBytes;
  }

  get blockQueuedBytes(): number {
    return this.#channel.blockQueuedBytes;
  }

  get blockAckedBytes(): number {
    return this.#channel.blockAckedBytes;
  }

  get blockQueueTargetBytes(): number {
    return this.#channel.blockQueueTargetBytes;
  }

  sendControl(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    if (this.#outbox.length > 0) this.#channel.sendControl(this.#outbox.take());
  }

  sendBlock(block: OutgoingBlock): void {
    this.#channel.sendBlock(block);
  }

  consumeBlockBytes(bytes: number): void {
    this.#channel.consumeBlockBytes(bytes);
  }

  close(wireCode: number, reason: string): void {
    this.#channel.close(wireCode, reason);
  }
}

/** How an evil transfer ended for the receiver. */
export interface EvilOutcome {
  /** `done`, or the code of its error. */
  readonly code: string;
  /** The message of its error. */
  readonly message: string;
  /** The number and words that the sharer was told. */
  readonly told: { readonly wireCode: number; readonly reason: string } | undefined;
  /** Messages of the receiver. */
  readonly asked: readonly Message[];
  readonly notices: readonly TransferNotice[];
}

/** What a {@linkcode receiveFromEvil} is made of. */
export interface EvilOptions extends MemoryLinkOptions {
  readonly seed?: number;
  readonly source: FakeStorage;
  readonly target: FakeStorage;
  readonly rewrite?: Rewrite;
}

/** Receives `/share` into `/into` from a sharer whose words are rewritten. */
export async function receiveFromEvil(options: EvilOptions): Promise<EvilOutcome> {
  const { source, target, rewrite = (message) => [message] } = options;
  const link = new MemoryLink(options.seed ?? 1, options);
  const manifest = await buildManifest(source, ["/share"], { onWarning: () => {} });
  const sender = new SharerExchange({
    channel: new EvilChannel(link.left, rewrite),
    storage: source,
    crypto: nodeProvider,
    manifest,
    clientHello: clientHello(),
    onEvent: () => {},
  });
  const notices: TransferNotice[] = [];
  const asked: Message[] = [];
  const heard = new MessageReader((type, body) => asked.push(decodeMessage(type, body) as Message));
  const receiver = new ClientExchange({
    channel: link.right,
    storage: target,
    crypto: nodeProvider,
    directory: "/into",
    decide: () => Promise.resolve({ accept: true }),
    onEvent: (notice) => notices.push(notice),
  });
  link.left.handler = {
    handleControl: (bytes) => {
      heard.push(bytes);
      sender.handleControl(bytes);
    },
    handleBlock: (request, offset, bytes) => sender.handleBlock(request, offset, bytes),
    handleBlockReleased: (block) => sender.handleBlockReleased(block),
    handleWritable: () => sender.handleWritable(),
  };
  link.right.handler = receiver;
  reportEnd(link.left, sender);
  reportEnd(link.right, receiver);
  receiver.start();
  sender.start();
  await link.run(receiver.forth.half.finished);
  const outcome = await receiver.forth.half.finished.then(
    () => ({ code: "done", message: "" }),
    (error) => {
      if (!(error instanceof TransferError) || error.code === "internal") throw error;
      return { code: error.code, message: error.message };
    },
  );
  const end = link.right.end;
  const told = end && !end.byPeer ? { wireCode: end.wireCode, reason: end.reason } : undefined;
  return { ...outcome, told, asked, notices };
}
