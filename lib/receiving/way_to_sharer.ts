/**
 * How a receive comes to its sharer, the first time and again: the handshake under a key of its own,
 * and the search for a path, with the reply code that may be needed for it. Paths and network of the
 * session that came about are told here too.
 */
import type { CryptoProvider, KeyPair, RandomSource } from "../crypto/provider.ts";
import { wipe } from "../crypto/wipe.ts";
import { TransferError } from "../errors.ts";
import type { NetworkEvent, TransferEvent } from "../events.ts";
import { formatSocketAddress, isSameSocketAddress } from "../nat/address.ts";
import type { PairOutlook } from "../nat/pair_outlook.ts";
import { hasOpenPort } from "../nat/pair_side.ts";
import type { ExpectedMethod, PathMethod } from "../nat/path_method.ts";
import { isSamePath, type Path } from "../nat/path.ts";
import { tellCandidates } from "../operation/own_candidates.ts";
import { routeTo } from "../operation/path_report.ts";
import type { ReceiveOptions } from "../options.ts";
import type { Connection } from "../protocol/connection.ts";
import type { ShareCode } from "../rendezvous/share_code.ts";
import { encodeHello } from "../transfer/message_encoder.ts";
import { FEATURE_VERIFY, TRANSFER_VERSION } from "../transfer/messages.ts";
import type { Clock } from "../transport/clock.ts";
import type { ExtraSockets } from "../transport/extra_sockets.ts";
import type { LiveEndpoint } from "../transport/live_endpoint.ts";
import type { OutsideHelp } from "../traversal/outside_help.ts";
import type { OfferedReply } from "../traversal/reply_offer.ts";
import { SharerSearch } from "../traversal/sharer_search.ts";
import { SprayBudgets } from "../traversal/spray_budgets.ts";
import { listInterfaces } from "../traversal/system_network.ts";
import { cannotMeet } from "./receive_errors.ts";
import type { ReceiveIdentity } from "./receive_identity.ts";

/** What the way is found with. */
export interface WayToSharerParts {
  readonly options: ReceiveOptions;
  readonly live: LiveEndpoint;
  readonly extras: ExtraSockets | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly provider: CryptoProvider;
  /** What the code says, and who receives. */
  readonly identity: ReceiveIdentity;
  readonly help: OutsideHelp;
  /** The connection of the session there is; undefined while there is none. */
  readonly connection: () => Connection | undefined;
  readonly emit: (event: TransferEvent) => void;
  /** Told when the two cannot meet. */
  readonly onFailure: (error: TransferError) => void;
}

/** The way to one sharer. */
export class WayToSharer {
  readonly #parts: WayToSharerParts;
  /** Shown in every session: the sharer knows a client that comes again by them. */
  #keys: KeyPair | undefined;
  #search: SharerSearch | undefined;
  #lastWarning = "";
  #hasShownReply = false;

  /** @param parts What it is found with. */
  constructor(parts: WayToSharerParts) {
    this.#parts = parts;
  }

  /** Whether the person was shown a reply code. */
  get hasShownReply(): boolean {
    return this.#hasShownReply;
  }

  /** The key that this side shows. */
  get clientKey(): Uint8Array {
    return this.#keys!.publicKey;
  }

  /**
   * Begins to look for the sharer where the code says.
   *
   * @throws {TransferError} `peer_unreachable` when that is in no network of this machine.
   */
  begin(): void {
    const { options, live, extras, clock, random, provider, help } = this.#parts;
    if (this.#paths.length === 0) {
      const addresses = addressesOf(this.#share).join(", ");
      throw new TransferError(
        "peer_unreachable",
        `Cannot reach ${addresses}: this machine has no such kind of network`,
      );
    }
    this.#search = new SharerSearch({
      tools: { live, clock, random, provider, extras, budgets: new SprayBudgets() },
      help,
      interfaces: options.localAddresses ?? true ? listInterfaces : () => [],
      allowLoopback: options.allowLoopback ?? false,
      share: this.#share,
      clientKey: this.#connectWithNewKey(),
      renewKey: () => this.#connectWithNewKey(),
      onReply: (reply, isChanged) => this.#tellReply(reply, isChanged),
      onImpossible: ({ outlook }) => this.#parts.onFailure(cannotMeet(outlook)),
      onNetwork: (event) => this.#handleNetwork(event),
      onHeard: (path, isAnswer) => {
        live.endpoint.addConnectPath(clock.now(), path, isAnswer);
        live.wake();
      },
    });
  }

  /**
   * Looks for the sharer again, under the same key: where the code says and where it was last, which
   * is where it may be still, whatever the code says.
   *
   * @returns The addresses.
   */
  beginAgain(last: Path): string[] {
    const { live } = this.#parts;
    this.#search!.restart();
    const lastPaths = live.sockets.has(last.socket) ? [last] : live.pathsTo([last.remote]);
    const paths = this.#paths;
    const others = lastPaths.filter((last) => !paths.some((known) => isSamePath(known, last)));
    const all = [...others, ...paths];
    this.#shakeHands(all);
    return all.map(({ remote }) => formatSocketAddress(remote));
  }

  /** The handshake is done: looks no further. */
  handleConnected(connection: Connection): void {
    this.#search?.handleConnected(connection);
  }

  /** Tells both sides of a new session all the ways there are. */
  tellWays(connection: Connection): void {
    // What the code says is not told again in the channel.
    for (const { address } of this.#share.candidates) {
      if (!isSameSocketAddress(address, connection.path.remote)) {
        connection.addRemoteCandidate(this.#parts.clock.now(), address);
      }
    }
    this.#tellCandidates();
  }

  /** The session goes another way. */
  handlePathFound(): void {
    this.#search?.handlePathFound();
  }

  /** Nothing comes in the session any more. */
  handlePathLost(): void {
    this.#search?.handlePathLost();
  }

  /** The share wants this side's reply code. */
  showReply(): void {
    void this.#search?.showReply();
  }

  /** How a path came about. */
  methodOf(path: Path): PathMethod {
    if (routeTo(path.remote) !== "internet") return "direct";
    const found = this.#search?.methodOf(path);
    if (found !== undefined) return found;
    const { mappingClass: mapping, candidates } = this.#share;
    return hasOpenPort({ mapping, candidates }, path.remote.family) ? "mapped" : "direct";
  }

  /** Overwrites the key. */
  wipe(): void {
    if (this.#keys) wipe(this.#keys.secretKey);
  }

  /** Ends the search. */
  async close(): Promise<void> {
    await this.#search?.close();
  }

  get #share(): ShareCode {
    return this.#parts.identity.share;
  }

  /** The paths to the addresses in the code. */
  get #paths(): Path[] {
    return this.#parts.live.pathsTo(this.#share.candidates.map(({ address }) => address));
  }

  #connectWithNewKey(): Uint8Array {
    const { provider, random } = this.#parts;
    this.wipe();
    this.#keys = provider.generateKeyPair(random);
    this.#shakeHands(this.#paths);
    return this.#keys.publicKey;
  }

  /** Begins a handshake, with the key there is. */
  #shakeHands(paths: readonly Path[]): void {
    const { options, live, clock, identity } = this.#parts;
    const { isShortCode, isExported } = identity;
    const features = (options.verify ? FEATURE_VERIFY : 0) | identity.features;
    live.endpoint.connect(clock.now(), {
      t: this.#share.t,
      isShortCode,
      isExported,
      staticKeys: this.#keys!,
      paths,
      request: encodeHello({ version: TRANSFER_VERSION, features, text: "" }),
    });
    live.wake();
  }

  #tellReply({ code, addresses, outlook }: OfferedReply, isChanged: boolean): void {
    const { connection, emit } = this.#parts;
    this.#hasShownReply = true;
    emit({
      event: "reply-code",
      code,
      addresses,
      expected: this.#expectedOf(outlook),
      ...(isChanged ? { changed: true } : {}),
    });
    const { advice } = outlook;
    if (connection() || !outlook.isUncertain || !advice) return;
    if (advice.problem === this.#lastWarning) return;
    this.#lastWarning = advice.problem;
    emit({ event: "warning", code: advice.problem, message: advice.text });
  }

  #expectedOf({ method, isUncertain }: PairOutlook): ExpectedMethod {
    const connection = this.#parts.connection();
    // Who is connected already needs the code for admission only.
    if (connection) return this.methodOf(connection.path);
    return isUncertain || method === "impossible" ? "unknown" : method;
  }

  #handleNetwork(event: NetworkEvent): void {
    this.#parts.emit(event);
    this.#tellCandidates();
  }

  /** Tells the sharer all the ways to this machine. */
  #tellCandidates(): void {
    const { connection, clock } = this.#parts;
    const current = connection();
    if (!current || !this.#search) return;
    tellCandidates(current, clock.now(), this.#search);
  }
}

/** The addresses in a code, as `host:port`. */
export function addressesOf({ candidates }: ShareCode): string[] {
  return candidates.map(({ address }) => formatSocketAddress(address));
}
