/**
 * The receiving side of a transfer (docs/transfer.md, "Receiver"). Drives nothing by itself: a
 * {@linkcode Channel} calls it, and it calls a {@linkcode Storage}. It reads no clock and sets no
 * timer.
 *
 * ```
 *              LIST sent      HELLO           [words]        OFFER         all ENTRIES
 *   start() ──────────► greeting ────► committing ────► waiting ────► listing ────► deciding
 *                                      and opening                                     │ decide()
 *                                             BYE           RECEIPT sent               ▼
 *                                 finished ◄─────── receipt ◄──────────────────── receiving
 * ```
 *
 * The parts: `offer_reader.ts` collects what is offered, `plan.ts` compares it with what is here,
 * `preparation.ts` makes the folders, `downloads.ts` asks, verifies and writes, `finishing.ts` does what
 * comes last.
 */
import type { CryptoProvider } from "../../crypto/provider.ts";
import { encodeHex } from "../../bytes/hex.ts";
import { TransferError, WIRE_DONE } from "../../errors.ts";
import type { OfferEvent } from "../../events.ts";
import type { OfferDecision } from "../../options.ts";
import type { Channel, ChannelHandler, OutgoingBlock } from "../../protocol/channel.ts";
import { Downloads } from "./downloads.ts";
import { finishTarget } from "./finishing.ts";
import { Leftovers } from "./leftovers.ts";
import { RECEIVE_BUFFER_BYTES, SYNC_BYTES } from "../limits.ts";
import { FEATURE_VERIFY, type Message, TRANSFER_VERSION } from "../messages.ts";
import { OfferReader } from "./offer_reader.ts";
import { type InPlaceListener, Outcome } from "../outcome.ts";
import { summarizePlan } from "./offer_summary.ts";
import { makePlan } from "./planner.ts";
import { Preparation } from "./preparation.ts";
import { Session, VERIFY_MISMATCH_TEXT, verifyMismatch, versionMismatchText } from "../session.ts";
import { ShareTree } from "../offer/share_tree.ts";
import { SPACE_LOOK_BYTES } from "./space_watch.ts";
import type { Storage } from "../../storage/storage.ts";
import type { TransferNotice, TransferProgress, TransferSummary } from "../transfer_notice.ts";
import { ClientVerification, type VerificationOptions } from "../verify.ts";

/** Options of a {@linkcode Receiver}. */
export interface ReceiverOptions {
  /** The connection to the sharer. */
  readonly channel: Channel;
  /** Where files are written. */
  readonly storage: Storage;
  /** Where SHA-256 comes from. */
  readonly crypto: CryptoProvider;
  /** The folder to write into; made when it is missing. */
  readonly directory: string;
  /** Whether links are made; by default those that stay inside are. */
  readonly symlinks?: "skip" | "keep" | undefined;
  /** Whether texts are told of rather than stored. */
  readonly showsTexts?: boolean | undefined;
  /** Says why an offer cannot be taken at all, whatever anybody decides. */
  readonly findProblem?:
    | ((offer: Omit<OfferEvent, "session">) => TransferError | undefined)
    | undefined;
  /** Asked once, after the offer was compared with the folder. */
  readonly decide: (offer: Omit<OfferEvent, "session">) => Promise<OfferDecision>;
  /** For `--verify`; both sides must want it. False of `confirmWords` ends the transfer. */
  readonly verification?: VerificationOptions & {
    readonly confirmWords: (words: readonly string[]) => Promise<boolean>;
  };
  /** Called when all is decided and files are asked for: from then on there is progress. */
  readonly onBegin?: () => void;
  /** Told what happens. */
  readonly onEvent: (notice: TransferNotice) => void;
  /** Told of each entry that is in its place. */
  readonly onInPlace?: InPlaceListener | undefined;
  /**
   * Most bytes in group buffers; at least the credit the connection grants and 2 MiB more
   * [XFER-16]. Default 80 MiB.
   */
  readonly bufferBytes?: number;
  /** Bytes of a part file that are written before they are synced and count as kept: default 64 MiB. */
  readonly syncBytes?: number;
  /** Bytes written until the free space is looked at again. Default 1 GiB. */
  readonly spaceLookBytes?: number;
}

type State =
  | "greeting"
  | "committing"
  | "opening"
  | "waiting"
  | "listing"
  | "deciding"
  | "receiving"
  | "receipt";

/** Errors after which a transfer whose RECEIPT is sent still counts as done. */
const VANISHED: ReadonlySet<string> = new Set(["path_lost", "timed_out", "peer_unreachable"]);

const NOTHING_DONE: TransferProgress = {
  bytesDone: 0,
  bytesTotal: 0,
  itemsDone: 0,
  itemsTotal: 0,
  file: "",
};

/** What there is once the offer is known. */
interface Work {
  readonly shareTree: ShareTree;
  readonly downloads: Downloads;
  readonly preparation: Preparation;
}

/** The receiving side of one transfer. */
export class Receiver implements ChannelHandler {
  readonly #options: ReceiverOptions;
  readonly #session: Session;
  readonly #offer: OfferReader;
  readonly #outcome: Outcome;
  #state: State = "greeting";
  #isPending = false;
  #verification: ClientVerification | undefined;
  #confirmed: Promise<boolean> = Promise.resolve(true);
  #work: Work | undefined;
  #leftovers: Leftovers | undefined;
  /** Folders with something in its place; an earlier run that was killed may not have synced it. */
  readonly #foldersInUse = new Set<string>();
  #summary: TransferSummary | undefined;

  /** @param options What it works with. */
  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#outcome = new Outcome((planned, root) => {
      this.#leftovers?.note(planned);
      this.#foldersInUse.add(planned.parent);
      options.onInPlace?.(planned, root);
    });
    this.#session = new Session({
      channel: options.channel,
      onEvent: options.onEvent,
      onMessage: (message) => this.#handleMessage(message),
      onStop: async (error) => await this.#work?.downloads.stop(error),
      pathBytesLeft: () => this.#offer.pathBytesLeft,
    });
    this.#offer = new OfferReader(this.#session);
  }

  /** Resolves when everything is in its place; rejects with a {@linkcode TransferError}. */
  get finished(): Promise<TransferSummary> {
    return this.#session.finished;
  }

  /** A hash over all that is offered, 32 bytes; undefined until all of the list is there. */
  get offerDigest(): Uint8Array | undefined {
    const isListed = this.#state === "deciding" || this.#state === "receiving" ||
      this.#state === "receipt";
    // That of a share of which nothing has been verified yet.
    return isListed ? new ShareTree(this.#options.crypto, this.#offer.entries).root() : undefined;
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return this.#work?.downloads.progress ?? NOTHING_DONE;
  }

  /** Begins; called once, when the channel is open. */
  start(): void {
    // Asked for at once: the sharer answers when its person has said yes, without a round trip.
    this.#session.send({ type: "list", first: 0 });
  }

  /** Ends the transfer: stops, keeps what a later run can use, tells the sharer. */
  abort(error: TransferError): void {
    this.#session.abort(error);
  }

  /** The connection ended; without an error when the sharer said that all is done. */
  handleClosed(error?: TransferError): void {
    // All is in its place and verified; only the sharer's good-bye is missing.
    const isDone = this.#state === "receipt" && (error === undefined || VANISHED.has(error.code));
    if (isDone) return this.#succeed();
    this.#session.end(
      error ?? new TransferError("share_closed", "The other side ended before all was sent"),
    );
  }

  // ---- what the channel calls ----

  /** See {@linkcode ChannelHandler.handleControl}. */
  handleControl(bytes: Uint8Array): void {
    this.#session.handleControl(bytes);
  }

  /** See {@linkcode ChannelHandler.handleBlock}. */
  handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    if (this.#session.hasEnded) return 0;
    // Before there is an offer nothing was asked for.
    return this.#work?.downloads.handleBlock(request, offset, bytes) ?? -1;
  }

  /** See {@linkcode ChannelHandler.handleBlockReleased}. */
  handleBlockReleased(_block: OutgoingBlock): void {
    // A receiver sends no blocks.
  }

  /** See {@linkcode ChannelHandler.handleWritable}. */
  handleWritable(): void {
    // Requests are few and small: they do not wait for room.
  }

  #handleMessage(message: Message): void {
    switch (message.type) {
      case "hello":
        return this.#handleHello(message);
      case "verify_commit":
        return this.#handleCommitment(message.commitment);
      case "verify_nonce":
        return this.#handleNonce(message.nonce);
      case "pending":
        if (this.#state !== "waiting" || this.#isPending) {
          return this.#session.violation("PENDING out of turn");
        }
        this.#isPending = true;
        return this.#session.notify({ event: "waiting", reason: message.reason });
      case "offer":
        if (this.#state !== "waiting") return this.#session.violation("OFFER out of turn");
        this.#state = "listing";
        return this.#continueListing(this.#offer.handleOffer(message));
      case "entries":
        if (this.#state !== "listing") return this.#session.violation("ENTRIES out of turn");
        return this.#continueListing(this.#offer.handlePage(message));
      case "nodes":
        if (this.#work === undefined) return this.#session.violation("NODES out of turn");
        return this.#work.downloads.handleNodes(message);
      case "root":
        if (this.#work === undefined) return this.#session.violation("ROOT out of turn");
        return this.#work.downloads.handleRoot(message);
      case "bye":
        if (this.#state !== "receipt") return this.#session.violation("BYE out of turn");
        this.#options.channel.close(WIRE_DONE, "");
        return this.#succeed();
      case "list":
      case "get":
      case "check":
      case "cancel":
      case "receipt":
        return this.#session.violation(`${message.type} from the sharer`);
      default:
        return message satisfies never;
    }
  }

  // ---- greeting and words ----

  #handleHello(hello: Message & { type: "hello" }): void {
    const session = this.#session;
    if (this.#state !== "greeting") return session.violation("HELLO out of turn");
    if (hello.version !== TRANSFER_VERSION) {
      const text = versionMismatchText(TRANSFER_VERSION, hello.version);
      const error = new TransferError("version_mismatch", `Cannot transfer: ${text}`);
      return session.abort(error, text);
    }
    const isWanted = this.#options.verification !== undefined;
    if (isWanted !== ((hello.features & FEATURE_VERIFY) !== 0)) {
      return session.abort(verifyMismatch(isWanted), VERIFY_MISMATCH_TEXT);
    }
    this.#state = isWanted ? "committing" : "waiting";
  }

  #handleCommitment(commitment: Uint8Array): void {
    const { verification, crypto } = this.#options;
    if (this.#state !== "committing" || verification === undefined) {
      return this.#session.violation("VERIFY_COMMIT out of turn");
    }
    this.#verification = new ClientVerification(crypto, commitment, verification);
    this.#session.send({ type: "verify_nonce", nonce: this.#verification.nonce });
    this.#state = "opening";
  }

  #handleNonce(nonce: Uint8Array): void {
    const session = this.#session;
    const { verification } = this.#options;
    if (this.#state !== "opening" || verification === undefined) {
      return session.violation("VERIFY_NONCE out of turn");
    }
    const words = this.#verification!.words(nonce);
    if (words === undefined) {
      return session.fail(
        "authentication_failed",
        "The other side's nonce is not the one it sealed",
      );
    }
    this.#state = "waiting";
    this.#confirmed = verification.confirmWords(words);
    this.#confirmed.then((isConfirmed) => {
      if (!isConfirmed) session.fail("authentication_failed", "The words are not the same");
    }, (error) => session.crash(error));
  }

  // ---- what is offered ----

  #continueListing(isComplete: boolean): void {
    if (!isComplete) return;
    this.#state = "deciding";
    this.#decide().catch((error) => this.#session.crash(error));
  }

  async #decide(): Promise<void> {
    const session = this.#session;
    const outcome = this.#outcome;
    const { storage, directory, channel, crypto, decide, bufferBytes, syncBytes } = this.#options;
    const { entries } = this.#offer;
    const { symlinks, showsTexts, spaceLookBytes } = this.#options;
    const plan = await makePlan(entries, { storage, crypto, directory, symlinks, showsTexts });
    this.#leftovers = new Leftovers(storage, crypto, plan.here);
    // Whoever may be in the middle shows nothing before the words are compared.
    if (!(await this.#confirmed) || session.hasEnded) return;
    const offer = summarizePlan(plan, entries);
    session.notify(offer);
    const problem = this.#options.findProblem?.(offer);
    if (problem !== undefined) return session.refuse(problem);
    const decision = await decide(offer);
    if (session.hasEnded) return;
    if (!decision.accept) return session.fail("refused", "The offer was turned down");

    const preparation = new Preparation({
      session,
      storage,
      crypto,
      directory,
      outcome,
      plan,
      decision,
    });
    await preparation.run();
    if (session.hasEnded) return;
    const shareTree = new ShareTree(crypto, entries);
    const downloads = new Downloads({
      session,
      channel,
      storage,
      directory,
      crypto,
      shareTree,
      outcome,
      bufferBytes: bufferBytes ?? RECEIVE_BUFFER_BYTES,
      syncBytes: syncBytes ?? SYNC_BYTES,
      spaceLookBytes: spaceLookBytes ?? SPACE_LOOK_BYTES,
      showsTexts: showsTexts === true,
      onComplete: () => {
        this.#finish().catch((error) => session.crash(error));
      },
    });
    this.#work = { shareTree, downloads, preparation };
    this.#state = "receiving";
    downloads.start(preparation.wanted);
    this.#options.onBegin?.();
  }

  // ---- ending ----

  /** Everything is in its place: takes the last steps here, and says so to the sharer. */
  async #finish(): Promise<void> {
    const { shareTree, preparation, downloads } = this.#work!;
    const { storage, crypto, directory } = this.#options;
    const links = await finishTarget({
      session: this.#session,
      storage,
      crypto,
      directory,
      outcome: this.#outcome,
      preparation,
      leftovers: this.#leftovers!,
      foldersInUse: this.#foldersInUse,
    });
    if (this.#session.hasEnded) return;
    const root = shareTree.root();
    const bytes = shareTree.verifiedBytes;
    const items = preparation.itemsInPlace + downloads.ends.itemsPlaced + links;
    const { leftOut, exit } = this.#outcome;
    // Some may be of files that were left out in the end.
    const keptBytes = Math.min(bytes, downloads.progress.keptBytes ?? 0);
    this.#summary = {
      bytes,
      ...(keptBytes > 0 ? { keptBytes } : {}),
      items,
      leftOut,
      root: encodeHex(root),
      exit,
    };
    this.#state = "receipt";
    this.#session.send({ type: "receipt", root, items, bytes, leftOut });
  }

  #succeed(): void {
    const { unreadable } = this.#outcome;
    if (unreadable > 0 && unreadable === this.#work!.preparation.wanted.length) {
      const message = "The other side could not read any of the files";
      return this.#session.end(new TransferError("read_failed", message));
    }
    this.#session.succeed(this.#summary!);
  }
}
