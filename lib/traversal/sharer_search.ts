/**
 * How a client comes to the sharer when its first tries get no answer: looks around, shows a reply
 * code after two seconds, a new one when its addresses change, and keeps its side open meanwhile. So
 * it does again when a session is lost.
 */
import { deriveShareKeys, type ShareKeys, wipeShareKeys } from "../crypto/share_keys.ts";
import { wipe } from "../crypto/wipe.ts";
import type { NetworkEvent } from "../events.ts";
import type { Candidate } from "../nat/candidate.ts";
import type { Path, PathSocket } from "../nat/path.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Connection } from "../protocol/connection.ts";
import { listCandidates } from "../rendezvous/code_candidates.ts";
import type { LocalInterface } from "../rendezvous/local_candidates.ts";
import type { ShareCode } from "../rendezvous/share_code.ts";
import { after } from "../time.ts";
import { NetworkWatch } from "./network_watch.ts";
import type { OutsideHelp } from "./outside_help.ts";
import { PathRepair } from "./path_repair.ts";
import { type OfferedReply, ReplyOffer } from "./reply_offer.ts";
import type { SearchTools } from "./search_tools.ts";

/** Nobody outside is asked before the first tries had this long, ms: near sharers answer at once. */
const ASK_AFTER_MS = 250;

/** The reply code is shown after this long without an answer, ms. */
const REPLY_AFTER_MS = 2000;

/** What a search needs. */
export interface SharerSearchOptions {
  readonly tools: SearchTools;
  readonly help: OutsideHelp;
  /** Lists the machine's interfaces. */
  readonly interfaces: () => readonly LocalInterface[];
  readonly allowLoopback: boolean;
  /** The code of the share. */
  readonly share: ShareCode;
  /** The client's public key. */
  readonly clientKey: Uint8Array;
  /** Makes the client another key, for another reply code, and begins the handshake anew. */
  readonly renewKey: () => Uint8Array;
  /** There is a code to show, or another one. */
  readonly onReply: (reply: OfferedReply, isChanged: boolean) => void;
  /** The two cannot meet; told in place of the first code. */
  readonly onImpossible: (reply: OfferedReply) => void;
  readonly onNetwork: (event: NetworkEvent) => void;
  /** The sharer was heard on a path: the handshake can begin there. */
  readonly onHeard: (path: Path, isAnswer: boolean) => void;
}

/** A search that runs until it is closed. */
export class SharerSearch {
  readonly #options: SharerSearchOptions;
  readonly #keys: ShareKeys;
  readonly #timers: (() => void)[] = [];
  #clientKey: Uint8Array;
  #watch: NetworkWatch | undefined;
  /** A socket on the port next to the main one's; see docs/nat.md, "The Linux trap". */
  #guardSocket: number | undefined;
  #offer: ReplyOffer | undefined;
  #repair: PathRepair | undefined;
  #connection: Connection | undefined;
  /** Whether the sharer knows the client by its key. */
  #isKnown = false;
  /** Whether a code is to be shown as soon as there is one of use. */
  #isReplyDue = false;
  /** Whether that of the offer was shown in this search. */
  #isOfferOpen = false;
  #isClosed = false;

  /** Begins at once. */
  constructor(options: SharerSearchOptions) {
    this.#options = options;
    this.#clientKey = options.clientKey;
    this.#keys = deriveShareKeys(options.tools.provider, options.share.t);
    this.#begin();
  }

  /**
   * The session is lost: looks for the sharer again, in the same way, but that the client keeps its
   * key, by which it is known there.
   */
  restart(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#isClosed) return;
    this.#connection = undefined;
    this.#isKnown = true;
    this.#isReplyDue = false;
    this.#isOfferOpen = false;
    this.#repair?.close();
    this.#repair = undefined;
    this.#offer?.stop();
    this.#closeGuard();
    // Only the network as it is now leads to a code that is of use.
    this.#watch?.refresh();
    this.#begin();
  }

  /** Shows the reply code, as soon as there is enough to make one. */
  async showReply(): Promise<void> {
    const watch = this.#lookAround();
    await watch.settled;
    await this.#openGuard(watch);
    this.#isReplyDue = true;
    if (!this.#isClosed && !this.#isOfferOpen) this.#makeOffer(watch);
  }

  /** How a path came about; undefined when it was not by this search. */
  methodOf(path: Path): PathMethod | undefined {
    return this.#offer?.methodOf(path);
  }

  /** A session began: ends the search and gives back what that does not use. */
  handleConnected(connection: Connection): void {
    this.#connection = connection;
    for (const cancel of this.#timers.splice(0)) cancel();
    this.#offer?.stop(connection.path.socket);
    if (this.#guardSocket !== connection.path.socket) this.#closeGuard();
    if (this.#watch) this.#repair = this.#standBy(connection, this.#watch);
  }

  /** The session's path is dead: what was known of the network may be wrong by now. */
  handlePathLost(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#isClosed) return;
    // Who was near has asked nobody so far.
    this.#repair ??= this.#standBy(connection, this.#lookAround());
    this.#repair.handleLost();
  }

  /** The session has a path again. */
  handlePathFound(): void {
    this.#repair?.handleFound();
  }

  /** The sockets at which this side can be found: those of its candidates. */
  get sockets(): readonly PathSocket[] {
    return this.#options.tools.live.pathSockets;
  }

  /** All the ways to this machine that are known. */
  get candidates(): Candidate[] {
    const { tools, interfaces, allowLoopback } = this.#options;
    return listCandidates(
      this.#watch?.known ?? {
        interfaces: interfaces(),
        bound: tools.live.localAddresses,
        manual: [],
        reflexive: [],
        mapping: "unknown",
        allowLoopback,
      },
    );
  }

  /**
   * Ends everything, but keeps the socket that a session uses: its last words are still to leave
   * through it.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const cancel of this.#timers.splice(0)) cancel();
    const inUse = this.#connection?.path.socket;
    this.#offer?.stop(inUse);
    this.#repair?.close(inUse);
    wipeShareKeys(this.#keys);
    await this.#watch?.close();
  }

  #begin(): void {
    this.#arm(ASK_AFTER_MS, () => void this.#lookAround());
    this.#arm(REPLY_AFTER_MS, () => void this.showReply());
  }

  get #isConnected(): boolean {
    return this.#connection !== undefined;
  }

  #standBy(connection: Connection, watch: NetworkWatch): PathRepair {
    const { tools, share } = this.#options;
    return new PathRepair({
      ...tools,
      watch,
      connection,
      t: share.t,
      keys: this.#keys,
      clientKey: this.#clientKey,
    });
  }

  #lookAround(): NetworkWatch {
    const { tools, help, interfaces, allowLoopback } = this.#options;
    return this.#watch ??= new NetworkWatch({
      ...tools,
      sockets: tools.live.localSockets,
      ...help,
      interfaces,
      manual: [],
      allowLoopback,
      onChange: () => this.#handleNetwork(),
    });
  }

  /** Opens the guard socket, where it is of use and the port is free. */
  async #openGuard(watch: NetworkWatch): Promise<void> {
    const { live, extras } = this.#options.tools;
    const main = live.localSockets.find(({ local }) => local.family === 4);
    const isFixed = watch.mapping === "endpoint_independent" || watch.mapping === "none";
    if (this.#isConnected || main === undefined || !isFixed) return;
    if (!live.canLimitHops(main.index)) return;
    const socket = await extras?.takeAt(4, main.local.port + 1);
    if (socket === undefined) return;
    this.#guardSocket = socket;
    if (this.#isClosed || this.#isConnected) this.#closeGuard();
  }

  #closeGuard(): void {
    if (this.#guardSocket !== undefined) this.#options.tools.extras?.release(this.#guardSocket);
    this.#guardSocket = undefined;
  }

  #handleNetwork(): void {
    const event = this.#watch?.takeNews();
    if (event !== undefined) this.#options.onNetwork(event);
    if (this.#isConnected) return;
    if (this.#isOfferOpen ? this.#offer?.isOutdated : this.#isKnown && this.#isReplyDue) {
      this.#makeOffer(this.#watch!);
    }
  }

  #makeOffer(watch: NetworkWatch): void {
    // Who has met before waits for the network to come back: a code of now would be of no use.
    if (this.#isKnown && watch.report.stun === "silent") return;
    const { tools, share } = this.#options;
    const before = this.#offer;
    const isSame = before !== undefined && !before.isOutdated;
    before?.stop();
    const offer = new ReplyOffer({
      ...tools,
      guardSocket: this.#guardSocket,
      watch,
      share,
      keys: this.#keys,
      clientKey: isSame ? before.clientKey : this.#keyFor(before),
      ...(isSame ? { candidates: before.candidates } : {}),
      isConnected: this.#isConnected,
      onHeard: this.#options.onHeard,
    });
    const { reply } = offer;
    if (reply === undefined) return;
    if (reply.outlook.method === "impossible" && !this.#isConnected) {
      // Who has met already can do so again: the network is not what it was, for now.
      if (!this.#isKnown) this.#options.onImpossible(reply);
      return;
    }
    this.#offer = offer;
    this.#isOfferOpen = true;
    this.#options.onReply(reply, before !== undefined && !isSame);
  }

  /** The key that the next code stands for: a mask over two lists of addresses would give both away. */
  #keyFor(before: ReplyOffer | undefined): Uint8Array {
    if (before === undefined) return this.#clientKey;
    if (!this.#isKnown) return this.#clientKey = this.#options.renewKey();
    // Who was let in is known by the key it has. That of the code nobody shows.
    const { provider, random } = this.#options.tools;
    const { publicKey, secretKey } = provider.generateKeyPair(random);
    wipe(secretKey);
    return publicKey;
  }

  #arm(delayMs: number, action: () => void): void {
    const { clock } = this.#options.tools;
    this.#timers.push(clock.setTimer(after(clock.now(), delayMs), action));
  }
}
