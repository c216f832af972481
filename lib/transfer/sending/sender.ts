/**
 * Giving: offers files to the other side of a session and sends what it asks for (docs/transfer.md,
 * "Giver"). Drives nothing by itself: an exchange calls it, and it calls a
 * {@linkcode SourceStorage}. It reads no clock and sets no timer.
 *
 * ```
 *             offer()            RECEIPT             right, BYE sent           BYE acknowledged,
 *   waiting ─────────► serving ─────────► checking ─────────────────► leaving ──────────────────► ended
 *                         │ DECLINE                                          or the connection ended ▲
 *                         └──────────────────────────────────────────────────────────────────────────┘
 * ```
 *
 * What is asked for is answered by `uploads.ts`.
 */
import type { CryptoProvider } from "../../crypto/provider.ts";
import { errorCodeOfWire, TransferError } from "../../errors.ts";
import type { Channel, OutgoingBlock } from "../../protocol/channel.ts";
import type { Exchange } from "../exchange.ts";
import { Half } from "../half.ts";
import { sameHash } from "../hash_tree.ts";
import type { Message } from "../messages.ts";
import type { Manifest } from "../offer/manifest.ts";
import { ShareTree } from "../offer/share_tree.ts";
import { Outcome } from "../outcome.ts";
import { summarizeEntries } from "../receiving/offer_summary.ts";
import type { SourceStorage } from "../../storage/storage.ts";
import { peerError } from "../transfer_error.ts";
import type { TransferNotice, TransferProgress, TransferSummary } from "../transfer_notice.ts";
import { SharedReading } from "./shared_reading.ts";
import { Uploads } from "./uploads.ts";

/** What is given, and who is told of it. */
export interface GivingOptions {
  /** Where the files are. */
  readonly storage: SourceStorage;
  /** What is offered. */
  readonly manifest: Manifest;
  /** Where they are read, when others take the same; else this half has a reading of its own. */
  readonly reading?: SharedReading;
  /** Called once, when the other side begins to ask for files: whoever decides there has said yes. */
  readonly onAsked?: (() => void) | undefined;
  /** Told what happens. */
  readonly onEvent: (notice: TransferNotice) => void;
}

/** Options of a {@linkcode Sender}. */
export interface SenderOptions extends GivingOptions {
  /** The session. */
  readonly exchange: Exchange;
  /** Its connection. */
  readonly channel: Channel;
  /** Where SHA-256 comes from. */
  readonly crypto: CryptoProvider;
}

/** Messages that a giver takes. */
export type GiverMessage =
  & Message
  & { readonly type: "list" | "get" | "check" | "cancel" | "receipt" | "decline" };

/** The giving side of one transfer. */
export class Sender {
  /** What it has in common with who takes. */
  readonly half: Half;
  readonly #options: SenderOptions;
  readonly #shareTree: ShareTree;
  readonly #uploads: Uploads;
  readonly #outcome = new Outcome();
  #state: "waiting" | "serving" | "checking" | "leaving" = "waiting";
  #wasAsked = false;
  #running: Promise<void> = Promise.resolve();
  #summary: TransferSummary | undefined;
  /** What {@linkcode Exchange.hasArrived} takes, for BYE. */
  #bye = 0;

  /** @param options What it works with. */
  constructor(options: SenderOptions) {
    const { channel, storage, crypto, manifest, exchange, onEvent } = options;
    this.#options = options;
    this.half = new Half({
      exchange,
      isTaking: false,
      onEvent,
      onStop: async () => {
        this.#uploads.stop();
        await this.#running;
      },
    });
    // What could not be offered is missing at the other side, too.
    this.#outcome.kept = manifest.leftOut;
    const reading = options.reading ?? new SharedReading({ storage, manifest, crypto });
    this.#shareTree = new ShareTree(crypto, manifest.entries, reading.roots);
    this.#uploads = new Uploads({
      half: this.half,
      channel,
      crypto,
      manifest,
      reading,
      shareTree: this.#shareTree,
      outcome: this.#outcome,
    });
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return this.#uploads.progress;
  }

  /** Whether the other side waits for bytes it asked for. */
  get isAsked(): boolean {
    return this.#uploads.isSending;
  }

  /** Whether what is offered may be asked for. */
  get isServing(): boolean {
    return this.#state === "serving" && !this.half.hasEnded;
  }

  /** Whether the other side has confirmed what it has, though it may not know that it was heard. */
  get isConfirmed(): boolean {
    return this.#state === "leaving";
  }

  /** Lets the other side see what there is, and ask [XFER-4]; called once. */
  offer(): void {
    const { half } = this;
    const { entries, files, directories, links, bytes } = this.#options.manifest;
    this.#state = "serving";
    half.send({ type: "offer", entries: entries.length, files, directories, links, bytes });
    half.notify(summarizeEntries(entries));
    this.#running = this.#uploads.run();
  }

  /** Takes a message of who takes. */
  handleMessage(message: GiverMessage): void {
    const { half } = this;
    if (half.hasEnded) return this.#violation(message);
    // Remembered until there is an offer.
    if (message.type === "list") return this.#uploads.handleList(message.first);
    if (this.#state !== "serving") return this.#violation(message);
    switch (message.type) {
      case "get":
        this.#noteAsked();
        return this.#uploads.handleGet(message);
      case "check":
        this.#noteAsked();
        return this.#uploads.handleCheck(message);
      case "cancel":
        return this.#uploads.handleCancel(message.request);
      case "receipt":
        return this.#handleReceipt(message);
      case "decline":
        return half.end(
          peerError("The other side does not take what is offered", {
            code: errorCodeOfWire(message.wireCode),
            text: message.text,
          }, { refused: "Agree first: wait takes what is offered, and share with -o DIR" }),
        );
      default:
        return message satisfies never;
    }
  }

  /** The owner is about to end it: it ended well if the other side has said that it has everything. */
  settle(): void {
    if (this.#state === "leaving") this.#succeed();
  }

  /** The connection ended; without an error when the other side said that all is done. */
  handleClosed(error?: TransferError): void {
    // The receipt was right: the other side has everything, however it left.
    if (this.#state === "leaving") return this.#succeed();
    this.half.end(
      error ?? new TransferError("share_closed", "The other side ended before all was sent"),
    );
  }

  /** A block is acknowledged, or the connection ended. */
  handleBlockReleased(block: OutgoingBlock): void {
    this.#uploads.handleReleased(block);
  }

  /** Room has appeared in the channel. */
  handleWritable(): void {
    if (this.#state === "serving") {
      this.#uploads.handleWritable();
    } else if (this.#state === "leaving" && this.#options.exchange.hasArrived(this.#bye)) {
      // BYE has arrived, so the other side knows; its CLOSE may get lost.
      this.#succeed();
    }
  }

  #violation({ type }: GiverMessage): void {
    this.#options.exchange.violation(`${type.toUpperCase()} out of turn`);
  }

  #noteAsked(): void {
    if (!this.#wasAsked) this.#options.onAsked?.();
    this.#wasAsked = true;
  }

  // ---- ending ----

  #handleReceipt(receipt: Message & { type: "receipt" }): void {
    if (this.#uploads.isBusy) return this.#violation(receipt);
    const tree = this.#shareTree;
    if (tree.isNearlyComplete) return this.#checkReceipt(receipt);
    // Who takes little of much does not stop the others meanwhile.
    this.#state = "checking";
    tree.complete(this.#options.storage).then(() => {
      if (!this.half.hasEnded) this.#checkReceipt(receipt);
    }).catch((error) => this.half.crash(error));
  }

  #checkReceipt(receipt: Message & { type: "receipt" }): void {
    const { root, bytes, items } = receipt;
    if (!sameHash(root, this.#shareTree.root())) {
      const message = "The other side's receipt does not match what was sent";
      return this.half.fail("integrity", message);
    }
    // What was not acknowledged block by block is by this.
    this.#uploads.countAll();
    this.#countLostStream();
    this.#summary = this.#outcome.summary(root, {
      bytes,
      keptBytes: Math.max(0, bytes - this.#uploads.progress.bytesDone),
      items,
      leftOut: receipt.leftOut + this.#options.manifest.leftOut,
    });
    this.#state = "leaving";
    this.#bye = this.#options.exchange.sendLast({ type: "bye" });
  }

  /** A stream that the other side did not take is gone, other than a file. */
  #countLostStream(): void {
    const [entry] = this.#options.manifest.entries;
    if (entry?.kind !== "stream" || this.#shareTree.isVerified(0)) return;
    this.#outcome.kept++;
    this.half.warn("not_taken", entry.path, "The other side did not take what was sent");
  }

  #succeed(): void {
    const { half } = this;
    if (this.#outcome.isAllUnreadable(this.#uploads.itemsAsked)) {
      return half.end(new TransferError("read_failed", "None of the files could be read"));
    }
    half.succeed(this.#summary!);
    this.#uploads.stop();
  }
}
