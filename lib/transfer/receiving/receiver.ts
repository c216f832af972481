/**
 * Taking: asks for what the other side of a session offers, verifies it and puts it in its place
 * (docs/transfer.md, "Taker"). Drives nothing by itself: an exchange calls it, and it calls a
 * {@linkcode Storage}. It reads no clock and sets no timer.
 *
 * ```
 *             LIST sent        OFFER         all ENTRIES           decide()
 *   start() ──────────► waiting ────► listing ─────────► deciding ─────────► receiving
 *                                                                                │ RECEIPT sent
 *                                                            BYE                 ▼
 *                                                    ended ◄────────────────── receipt
 * ```
 *
 * The parts: `offer_reader.ts` collects what is offered, `plan.ts` compares it with what is here,
 * `preparation.ts` makes the folders, `downloads.ts` asks, verifies and writes, `finishing.ts` does what
 * comes last.
 */
import type { CryptoProvider } from "../../crypto/provider.ts";
import { TransferError } from "../../errors.ts";
import type { OfferEvent } from "../../events.ts";
import type { OfferDecision } from "../../options.ts";
import type { Channel } from "../../protocol/channel.ts";
import { Downloads } from "./downloads.ts";
import type { Exchange } from "../exchange.ts";
import { finishTarget } from "./finishing.ts";
import { Half } from "../half.ts";
import { Leftovers } from "./leftovers.ts";
import type { ListPart, ListRoom } from "./list_room.ts";
import { RECEIVE_BUFFER_BYTES, SYNC_BYTES } from "../limits.ts";
import type { Message } from "../messages.ts";
import { offerDigestOf } from "./offer_digest.ts";
import { OfferReader } from "./offer_reader.ts";
import { type InPlaceListener, Outcome } from "../outcome.ts";
import { type NameClaims, OwnNaming } from "../own_names.ts";
import { summarizePlan } from "./offer_summary.ts";
import { makePlan } from "./planner.ts";
import { Preparation } from "./preparation.ts";
import { ShareTree } from "../offer/share_tree.ts";
import { SPACE_LOOK_BYTES } from "./space_watch.ts";
import type { Storage } from "../../storage/storage.ts";
import type { TransferNotice, TransferProgress, TransferSummary } from "../transfer_notice.ts";

/** Where what is taken goes, and who decides and is told of it. */
export interface TakingOptions {
  /** Where files are written. */
  readonly storage: Storage;
  /** The folder to write into; made when it is missing. */
  readonly directory: string;
  /** Paths of folders that earlier sessions of this run have made; those of this one are added. */
  readonly foldersMade?: Set<string> | undefined;
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
  /** Called when all is decided and files are asked for: from then on there is progress. */
  readonly onBegin?: (() => void) | undefined;
  /** Told what happens. */
  readonly onEvent: (notice: TransferNotice) => void;
  /** What the list has to fit into together with those of others. */
  readonly listRoom?: ListRoom | undefined;
  /** Names in the folder that others use who take into it at the same time. */
  readonly claims?: NameClaims | undefined;
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

/** Options of a {@linkcode Receiver}. */
export interface ReceiverOptions extends TakingOptions {
  /** The session. */
  readonly exchange: Exchange;
  /** Its connection. */
  readonly channel: Channel;
  /** Where SHA-256 comes from. */
  readonly crypto: CryptoProvider;
  /** Whether nothing is taken, whatever is offered. */
  readonly declines?: boolean | undefined;
  /**
   * Says whether the other side is who it should be, once that is known: nothing of its offer is
   * shown before. False when the session ends because of it.
   */
  readonly isTrusted?: (() => Promise<boolean>) | undefined;
  /** What RECEIPT has to wait for, if there is something. */
  readonly beforeReceipt?: (() => Promise<void> | undefined) | undefined;
}

/** Messages that a taker takes. */
export type TakerMessage =
  & Message
  & { readonly type: "offer" | "entries" | "nodes" | "root" | "bye" };

type State =
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

/** The taking side of one transfer. */
export class Receiver {
  /** What it has in common with who gives. */
  readonly half: Half;
  readonly #options: ReceiverOptions;
  readonly #offer: OfferReader;
  readonly #outcome: Outcome;
  #state: State = "waiting";
  readonly #listPart: ListPart | undefined;
  readonly #names: OwnNaming;
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
    this.half = new Half({
      exchange: options.exchange,
      isTaking: true,
      onEvent: options.onEvent,
      onStop: async (error) => {
        // Of a session that is lost it is known by its list when it comes again.
        if (!options.exchange.hasEnded && this.#work === undefined) {
          this.#offer.forget();
          this.#listPart?.giveBack();
        }
        await this.#work?.downloads.stop(error);
        this.#names.end();
      },
    });
    this.#listPart = options.listRoom?.share();
    // The list is kept as long as the session, however this half ends.
    void options.exchange.finished.then(() => this.#listPart?.giveBack());
    this.#names = new OwnNaming(options.crypto, options.claims);
    this.#offer = new OfferReader(this.half, this.#listPart);
  }

  /** How many more bytes the paths of a list may have. */
  get pathBytesLeft(): number {
    return this.#offer.pathBytesLeft;
  }

  /** Whether an offer has come. */
  get wasOffered(): boolean {
    return this.#state !== "waiting";
  }

  /** Whether an offer has come, and RECEIPT has not been sent. */
  get isTaking(): boolean {
    return this.#state !== "waiting" && this.#state !== "receipt" && !this.half.hasEnded;
  }

  /** A hash over all that is offered, 32 bytes; undefined until all of the list is there. */
  get offerDigest(): Uint8Array | undefined {
    const isListed = this.#state === "deciding" || this.#state === "receiving" ||
      this.#state === "receipt";
    return isListed ? offerDigestOf(this.#options.crypto, this.#offer.entries) : undefined;
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return this.#work?.downloads.progress ?? NOTHING_DONE;
  }

  /** Begins; called once. */
  start(): void {
    if (this.#options.declines) return;
    // Asked for at once: the other side answers when its person has said yes, without a round trip.
    this.half.send({ type: "list", first: 0 });
  }

  /** The connection ended; without an error when the sharer said that all is done. */
  handleClosed(error?: TransferError): void {
    // All is in its place and verified; only the sharer's good-bye is missing.
    const isDone = this.#state === "receipt" && (error === undefined || VANISHED.has(error.code));
    if (isDone) return this.#succeed();
    this.half.end(
      error ?? new TransferError("share_closed", "The other side ended before all was sent"),
    );
  }

  /** Takes bytes of a block; see `ChannelHandler.handleBlock` [XFER-9]. */
  handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    // Before there is an offer nothing was asked for.
    if (this.#work === undefined) return -1;
    // What was on its way when the rest was declined [BACK-4].
    if (this.half.hasEnded) return 0;
    return this.#work.downloads.handleBlock(request, offset, bytes);
  }

  /** Takes a message of who gives. */
  handleMessage(message: TakerMessage): void {
    // It was on its way when this half ended [BACK-4].
    if (this.half.hasEnded) return;
    const state = this.#state;
    switch (message.type) {
      case "offer":
        if (state !== "waiting") return this.#violation(message);
        this.#state = "listing";
        if (this.#options.declines) {
          return void this.#declineAll().catch((error) => this.half.crash(error));
        }
        return this.#continueListing(this.#offer.handleOffer(message));
      case "entries":
        if (state !== "listing") return this.#violation(message);
        return this.#continueListing(this.#offer.handlePage(message));
      case "nodes":
        if (this.#work === undefined) return this.#violation(message);
        return this.#work.downloads.handleNodes(message);
      case "root":
        if (this.#work === undefined) return this.#violation(message);
        return this.#work.downloads.handleRoot(message);
      case "bye":
        if (state !== "receipt") return this.#violation(message);
        return this.#succeed();
      default:
        return message satisfies never;
    }
  }

  #violation({ type }: TakerMessage): void {
    this.half.violation(`${type.toUpperCase()} out of turn`);
  }

  // ---- what is offered ----

  /** Says so once the other side is known to be the right one: what it is given comes first [BACK-1]. */
  async #declineAll(): Promise<void> {
    if (await this.#options.isTrusted?.() === false) return;
    this.half.refuse(nothingTaken());
  }

  #continueListing(isComplete: boolean): void {
    if (!isComplete) return;
    this.#state = "deciding";
    this.#decide().catch((error) => {
      // What is wrong between the person and this program is nothing to the other side.
      const isUsage = error instanceof TransferError && error.code === "usage";
      if (isUsage) this.half.refuse(error);
      else this.half.crash(error);
    });
  }

  async #decide(): Promise<void> {
    const { half } = this;
    const outcome = this.#outcome;
    const names = this.#names;
    const { storage, directory, channel, crypto, decide, bufferBytes, syncBytes } = this.#options;
    const { entries } = this.#offer;
    const { symlinks, showsTexts, spaceLookBytes } = this.#options;
    const plan = await makePlan(entries, { storage, names, directory, symlinks, showsTexts });
    this.#leftovers = new Leftovers(storage, names, plan.here);
    // Whoever may be in the middle shows nothing before the words are compared.
    if (await this.#options.isTrusted?.() === false || half.hasEnded) return;
    const offer = summarizePlan(plan, entries);
    half.notify(offer);
    const problem = this.#options.findProblem?.(offer);
    if (problem !== undefined) return half.refuse(problem);
    const decision = await decide(offer);
    if (half.hasEnded) return;
    if (!decision.accept) return half.fail("refused", "The offer was turned down");

    const preparation = new Preparation({
      half,
      storage,
      names,
      directory,
      outcome,
      plan,
      decision,
      foldersMade: this.#options.foldersMade ?? new Set(),
    });
    await preparation.run();
    if (half.hasEnded) return;
    const shareTree = new ShareTree(crypto, entries);
    const downloads = new Downloads({
      half,
      channel,
      storage,
      directory,
      crypto,
      names,
      shareTree,
      outcome,
      bufferBytes: bufferBytes ?? RECEIVE_BUFFER_BYTES,
      syncBytes: syncBytes ?? SYNC_BYTES,
      spaceLookBytes: spaceLookBytes ?? SPACE_LOOK_BYTES,
      showsTexts: showsTexts === true,
      onComplete: () => {
        this.#finish().catch((error) => half.crash(error));
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
    const { storage, directory } = this.#options;
    const links = await finishTarget({
      half: this.half,
      storage,
      names: this.#names,
      directory,
      outcome: this.#outcome,
      preparation,
      leftovers: this.#leftovers!,
      foldersInUse: this.#foldersInUse,
    });
    await this.#options.beforeReceipt?.();
    await shareTree.complete(storage);
    if (this.half.hasEnded) return;
    const root = shareTree.root();
    const bytes = shareTree.verifiedBytes;
    const items = preparation.itemsInPlace + downloads.ends.itemsPlaced + links;
    const { leftOut } = this.#outcome;
    this.#summary = this.#outcome.summary(root, {
      bytes,
      // Some may be of files that were left out in the end.
      keptBytes: Math.min(bytes, downloads.progress.keptBytes ?? 0),
      items,
      leftOut,
    });
    this.#state = "receipt";
    this.half.send({ type: "receipt", root, items, bytes, leftOut });
  }

  #succeed(): void {
    if (this.#outcome.isAllUnreadable(this.#work!.preparation.wanted.length)) {
      const message = "The other side could not read any of the files";
      return this.half.end(new TransferError("read_failed", message));
    }
    this.#names.end();
    this.half.succeed(this.#summary!);
  }
}

/** Why nothing is taken that is offered. */
function nothingTaken(): TransferError {
  return new TransferError("refused", "Nothing is taken from the other side here");
}
