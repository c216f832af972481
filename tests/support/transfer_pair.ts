/** A sender and a receiver, joined in memory, with files in memory. */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { errorCodeOfWire, TransferError, WIRE_DONE } from "../../lib/errors.ts";
import type { OfferEvent } from "../../lib/events.ts";
import type { OfferDecision } from "../../lib/options.ts";
import { buildManifest, type Manifest } from "../../lib/transfer/offer/manifest.ts";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { FEATURE_VERIFY, TRANSFER_VERSION } from "../../lib/transfer/messages.ts";
import { ClientExchange, type ClientExchangeOptions } from "../../lib/transfer/client_exchange.ts";
import { SharerExchange, type SharerExchangeOptions } from "../../lib/transfer/sharer_exchange.ts";
import type { TransferNotice } from "../../lib/transfer/transfer_notice.ts";
import { FakeStorage } from "./fake_storage.ts";
import { type MemoryChannel, MemoryLink, type MemoryLinkOptions } from "./memory_channel.ts";

/** What a {@linkcode TransferPair} may be given. */
export interface TransferPairOptions extends MemoryLinkOptions {
  readonly seed?: number;
  readonly decision?: OfferDecision;
  readonly source?: FakeStorage;
  readonly target?: FakeStorage;
  readonly manifest?: Manifest;
  readonly sender?: Partial<SharerExchangeOptions>;
  readonly receiver?: Partial<ClientExchangeOptions>;
}

/** Joins the end of a channel to whoever uses it. */
export function reportEnd(
  channel: MemoryChannel,
  user: { handleClosed(error?: TransferError): void },
): void {
  channel.onEnd = ({ wireCode, reason, byPeer }) => {
    if (!byPeer && wireCode === WIRE_DONE) return;
    user.handleClosed(
      wireCode === WIRE_DONE ? undefined : new TransferError(errorCodeOfWire(wireCode), reason),
    );
  };
}

/** The HELLO of a client of this version. */
export function clientHello(isVerifying = false): Uint8Array {
  const features = isVerifying ? FEATURE_VERIFY : 0;
  return encodeHello({ version: TRANSFER_VERSION, features, text: "" });
}

/** Everything for one transfer from `/share` to `/into`. */
export class TransferPair {
  readonly source: FakeStorage;
  readonly target: FakeStorage;
  readonly link: MemoryLink;
  readonly senderNotices: TransferNotice[] = [];
  readonly receiverNotices: TransferNotice[] = [];
  offer: Omit<OfferEvent, "session"> | undefined;
  sender!: SharerExchange;
  receiver!: ClientExchange;
  readonly #options: TransferPairOptions;

  constructor(options: TransferPairOptions = {}) {
    this.#options = options;
    this.source = options.source ?? new FakeStorage();
    this.target = options.target ?? new FakeStorage();
    this.link = new MemoryLink(options.seed ?? 1, options);
  }

  /** Sets both sides up and starts them. */
  async start(paths: readonly string[] = ["/share"]): Promise<void> {
    const options = this.#options;
    const manifest = options.manifest ??
      await buildManifest(this.source, paths, { onWarning: (w) => this.senderNotices.push(w) });
    this.sender = new SharerExchange({
      channel: this.link.left,
      storage: this.source,
      crypto: nodeProvider,
      manifest,
      clientHello: clientHello(),
      onEvent: (notice) => this.senderNotices.push(notice),
      ...options.sender,
    });
    this.receiver = new ClientExchange({
      channel: this.link.right,
      storage: this.target,
      crypto: nodeProvider,
      directory: "/into",
      // deno-lint-ignore require-await
      decide: async (offer) => {
        this.offer = offer;
        return options.decision ?? { accept: true };
      },
      onEvent: (notice) => this.receiverNotices.push(notice),
      ...options.receiver,
    });
    this.link.left.handler = this.sender;
    this.link.right.handler = this.receiver;
    reportEnd(this.link.left, this.sender);
    reportEnd(this.link.right, this.receiver);
    this.receiver.start();
    this.sender.start();
  }

  /** Runs until both sides are done; rejects with the receiver's error, or the sender's. */
  async run(): Promise<{
    readonly sent: PromiseSettledResult<Awaited<SharerExchange["forth"]["half"]["finished"]>>;
    readonly received: PromiseSettledResult<Awaited<ClientExchange["forth"]["half"]["finished"]>>;
  }> {
    const both = Promise.allSettled(
      [this.sender.forth.half.finished, this.receiver.forth.half.finished] as const,
    );
    await this.link.run(both);
    const [sent, received] = await both;
    return { sent, received };
  }

  /** The codes of the receiver's warnings. */
  get warnings(): string[] {
    return this.receiverNotices.flatMap((n) =>
      n.event === "warning" ? [`${n.code} ${n.path}`] : []
    );
  }

  /** The codes of the sender's warnings. */
  get senderWarnings(): string[] {
    return this.senderNotices.flatMap((n) => n.event === "warning" ? [`${n.code} ${n.path}`] : []);
  }
}
