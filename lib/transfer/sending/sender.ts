/**
 * The sharing side of a transfer, for one client (docs/transfer.md, "Sender"). Drives nothing by
 * itself: a {@linkcode Channel} calls it, and it calls a {@linkcode SourceStorage}. It reads no clock and
 * sets no timer.
 *
 * ```
 *              HELLO sent      [words]         admit() says yes, OFFER sent
 *   start() ──────────► verifying ────► admitting ────► serving ────► leaving ────► finished
 *                                          │ no               RECEIPT        BYE acknowledged
 *                                          ▼                                 or closed
 *                                       refused
 * ```
 *
 * What is asked for is answered by `uploads.ts`.
 */
import { encodeHex } from "../../bytes/hex.ts";
import type { CryptoProvider } from "../../crypto/provider.ts";
import { TransferError, WIRE_DONE } from "../../errors.ts";
import type { Channel, ChannelHandler, OutgoingBlock } from "../../protocol/channel.ts";
import { sameHash } from "../hash_tree.ts";
import type { Manifest } from "../offer/manifest.ts";
import {
  decodeHello,
  FEATURE_VERIFY,
  type Message,
  type PendingReason,
  TRANSFER_VERSION,
} from "../messages.ts";
import { Outcome } from "../outcome.ts";
import { summarizeEntries } from "../receiving/offer_summary.ts";
import { Session, VERIFY_MISMATCH_TEXT, verifyMismatch, versionMismatchText } from "../session.ts";
import { ShareTree } from "../offer/share_tree.ts";
import type { SourceStorage } from "../../storage/storage.ts";
import type { TransferNotice, TransferProgress, TransferSummary } from "../transfer_notice.ts";
import { Uploads } from "./uploads.ts";
import { SharerVerification, type VerificationOptions } from "../verify.ts";

/** Options of a {@linkcode Sender}. */
export interface SenderOptions {
  /** The connection to the client. */
  readonly channel: Channel;
  /** Where the files are. */
  readonly storage: SourceStorage;
  /** Where SHA-256 comes from. */
  readonly crypto: CryptoProvider;
  /** What is offered. */
  readonly manifest: Manifest;
  /** The HELLO that came as the first request in message 3 of the handshake. */
  readonly clientHello: Uint8Array;
  /** What this side calls itself; at most 255 bytes of UTF-8. */
  readonly text?: string;
  /** For `--verify`; both sides must want it. */
  readonly verification?: VerificationOptions;
  /**
   * Says whether the client may see and take the share; gets the words when they are compared.
   * Without it everyone who holds the code may.
   */
  readonly admit?: (words: readonly string[] | undefined) => Promise<boolean>;
  /** What the client is told that it waits for (default `admission`). */
  readonly pendingReason?: PendingReason;
  /** Called once, when the client begins to ask for files: whoever decides there has said yes. */
  readonly onAsked?: () => void;
  /** Told what happens. */
  readonly onEvent: (notice: TransferNotice) => void;
}

type State = "verifying" | "admitting" | "serving" | "leaving";

/** The sharing side of one transfer. */
export class Sender implements ChannelHandler {
  readonly #options: SenderOptions;
  readonly #session: Session;
  readonly #shareTree: ShareTree;
  readonly #uploads: Uploads;
  readonly #outcome = new Outcome();
  #state: State = "verifying";
  #wasAsked = false;
  #verification: SharerVerification | undefined;
  #running: Promise<void> = Promise.resolve();
  #summary: TransferSummary | undefined;

  /** @param options What it works with. */
  constructor(options: SenderOptions) {
    const { channel, storage, crypto, manifest } = options;
    this.#options = options;
    this.#session = new Session({
      channel,
      onEvent: options.onEvent,
      onMessage: (message) => this.#handleMessage(message),
      onStop: async () => {
        this.#uploads.stop();
        await this.#running;
      },
    });
    // What could not be offered is missing at the other side, too.
    this.#outcome.kept = manifest.leftOut;
    this.#shareTree = new ShareTree(crypto, manifest.entries);
    this.#uploads = new Uploads({
      session: this.#session,
      channel,
      storage,
      crypto,
      manifest,
      shareTree: this.#shareTree,
      outcome: this.#outcome,
    });
  }

  /** Resolves when the client has everything; rejects with a {@linkcode TransferError}. */
  get finished(): Promise<TransferSummary> {
    return this.#session.finished;
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return this.#uploads.progress;
  }

  /** Whether the client waits for bytes it asked for. */
  get isAsked(): boolean {
    return this.#uploads.isSending;
  }

  /** Begins; called once, when the channel is open. */
  start(): void {
    const session = this.#session;
    const { clientHello, verification, text, crypto } = this.#options;
    const isWanted = verification !== undefined;
    const features = isWanted ? FEATURE_VERIFY : 0;
    session.send({ type: "hello", version: TRANSFER_VERSION, features, text: text ?? "" });
    const hello = decodeHello(clientHello);
    if (hello === undefined) return session.violation("malformed HELLO");
    if (hello.version !== TRANSFER_VERSION) {
      const mismatch = versionMismatchText(TRANSFER_VERSION, hello.version);
      const error = new TransferError("version_mismatch", `Cannot transfer: ${mismatch}`);
      return session.abort(error, mismatch);
    }
    if (isWanted !== ((hello.features & FEATURE_VERIFY) !== 0)) {
      return session.abort(verifyMismatch(isWanted), VERIFY_MISMATCH_TEXT);
    }
    if (verification === undefined) return this.#admit(undefined);
    this.#verification = new SharerVerification(crypto, verification);
    session.send({ type: "verify_commit", commitment: this.#verification.commitment });
  }

  /** Ends the transfer: stops reading, tells the client. */
  abort(error: TransferError): void {
    this.#session.abort(error);
  }

  /** The connection ended; without an error when the client said that all is done. */
  handleClosed(error?: TransferError): void {
    // The receipt was right: the client has everything, however it left.
    if (this.#state === "leaving") return this.#succeed();
    this.#session.end(
      error ?? new TransferError("share_closed", "The other side ended before all was sent"),
    );
  }

  // ---- what the channel calls ----

  /** See {@linkcode ChannelHandler.handleControl}. */
  handleControl(bytes: Uint8Array): void {
    this.#session.handleControl(bytes);
  }

  /** See {@linkcode ChannelHandler.handleBlock}; a sharer asks for nothing. */
  handleBlock(_request: number, _offset: number, _bytes: Uint8Array): number {
    return this.#session.hasEnded ? 0 : -1;
  }

  /** See {@linkcode ChannelHandler.handleBlockReleased}. */
  handleBlockReleased(block: OutgoingBlock): void {
    this.#uploads.handleReleased(block);
  }

  /** See {@linkcode ChannelHandler.handleWritable}. */
  handleWritable(): void {
    const { channel } = this.#options;
    if (this.#state === "serving") {
      this.#uploads.handleWritable();
    } else if (this.#state === "leaving" && channel.controlQueuedBytes === 0) {
      // BYE has arrived, so the client knows; its CLOSE may get lost.
      if (!this.#session.hasEnded) channel.close(WIRE_DONE, "");
      this.#succeed();
    }
  }

  #handleMessage(message: Message): void {
    const session = this.#session;
    switch (message.type) {
      case "verify_nonce":
        return this.#handleNonce(message.nonce);
      case "list":
        return this.#uploads.handleList(message.first);
      case "get":
        if (this.#state !== "serving") return session.violation("GET out of turn");
        this.#noteAsked();
        return this.#uploads.handleGet(message);
      case "check":
        if (this.#state !== "serving") return session.violation("CHECK out of turn");
        this.#noteAsked();
        return this.#uploads.handleCheck(message);
      case "cancel":
        if (this.#state !== "serving") return session.violation("CANCEL out of turn");
        return this.#uploads.handleCancel(message.request);
      case "receipt":
        return this.#handleReceipt(message);
      case "hello":
      case "verify_commit":
      case "pending":
      case "offer":
      case "entries":
      case "nodes":
      case "root":
      case "bye":
        return session.violation(`${message.type} from the client`);
      default:
        return message satisfies never;
    }
  }

  #noteAsked(): void {
    if (!this.#wasAsked) this.#options.onAsked?.();
    this.#wasAsked = true;
  }

  // ---- words and admission ----

  #handleNonce(nonce: Uint8Array): void {
    const verification = this.#verification;
    if (this.#state !== "verifying" || verification === undefined) {
      return this.#session.violation("VERIFY_NONCE out of turn");
    }
    this.#session.send({ type: "verify_nonce", nonce: verification.nonce });
    this.#admit(verification.words(nonce));
  }

  #admit(words: readonly string[] | undefined): void {
    this.#state = "admitting";
    const session = this.#session;
    // What came with the handshake may have ended it: nobody is to be asked about it then.
    if (session.hasEnded) return;
    const { admit, pendingReason } = this.#options;
    if (admit === undefined) return this.#serve();
    session.send({ type: "pending", reason: pendingReason ?? "admission" });
    admit(words).then((isAdmitted) => {
      if (session.hasEnded) return;
      if (isAdmitted) this.#serve();
      else session.fail("refused", "The client was turned away");
    }, (error) => session.crash(error));
  }

  /** Lets the client see what is offered, and ask [XFER-4]. */
  #serve(): void {
    const session = this.#session;
    const { entries, files, directories, links, bytes } = this.#options.manifest;
    this.#state = "serving";
    session.send({ type: "offer", entries: entries.length, files, directories, links, bytes });
    session.notify(summarizeEntries(entries));
    this.#running = this.#uploads.run();
  }

  // ---- ending ----

  #handleReceipt(receipt: Message & { type: "receipt" }): void {
    const session = this.#session;
    if (this.#state !== "serving" || this.#uploads.isBusy) {
      return session.violation("RECEIPT out of turn");
    }
    const { root, bytes, items } = receipt;
    if (!sameHash(root, this.#shareTree.root())) {
      const message = "The other side's receipt does not match what was sent";
      return session.fail("integrity", message);
    }
    // What was not acknowledged block by block is by this.
    this.#uploads.countAll();
    this.#countLostStream();
    const { exit } = this.#outcome;
    const leftOut = receipt.leftOut + this.#options.manifest.leftOut;
    const keptBytes = Math.max(0, bytes - this.#uploads.progress.bytesDone);
    this.#summary = {
      bytes,
      ...(keptBytes > 0 ? { keptBytes } : {}),
      items,
      leftOut,
      root: encodeHex(root),
      exit,
    };
    this.#state = "leaving";
    session.send({ type: "bye" });
  }

  /** A stream that the client did not take is gone, other than a file. */
  #countLostStream(): void {
    const [entry] = this.#options.manifest.entries;
    if (entry?.kind !== "stream" || this.#shareTree.isVerified(0)) return;
    this.#outcome.kept++;
    this.#session.warn("not_taken", entry.path, "The other side did not take what was sent");
  }

  #succeed(): void {
    const session = this.#session;
    if (this.#uploads.isAllUnreadable) {
      return session.end(new TransferError("read_failed", "None of the files could be read"));
    }
    session.succeed(this.#summary!);
    this.#uploads.stop();
  }
}
