/** Receiving files: from a code to verified files in their place. */
import { Agreement } from "./agreement.ts";
import { asTransferError } from "./connection_error.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "./crypto/provider.ts";
import { wipe } from "./crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "./errors.ts";
import type { NetworkEvent, OfferEvent, TransferEvent } from "./events.ts";
import { formatSocketAddress, isSameSocketAddress } from "./nat/address.ts";
import type { PairOutlook } from "./nat/pair_outlook.ts";
import { hasOpenPort } from "./nat/pair_side.ts";
import type { ExpectedMethod, PathMethod } from "./nat/path_method.ts";
import { isSamePath, type Path } from "./nat/path.ts";
import {
  checkLimit,
  DEFAULT_TIMEOUT_MS,
  doneEvent,
  errorEvent,
  extraSocketsFor,
  Operation,
  socketsFor,
} from "./operation.ts";
import type { ReceiveOptions } from "./options.ts";
import { tellCandidates } from "./own_candidates.ts";
import { PathTeller } from "./path_teller.ts";
import { routeTo } from "./path_report.ts";
import { waitUntil } from "./patience.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import { cannotMeet, findOutputProblem, noAnswer, notBack } from "./receive_errors.ts";
import { ReceivedManifest } from "./received_manifest.ts";
import { ReceiveSession, SESSION } from "./receive_session.ts";
import { codeProblemError } from "./rendezvous/code_error.ts";
import { decodeShareCode, type ShareCode } from "./rendezvous/share_code.ts";
import { RunAccount } from "./run_account.ts";
import { selectSystemProvider } from "./system_provider.ts";
import { after, type Instant } from "./time.ts";
import { DenoStorage } from "./storage/deno_storage.ts";
import { encodeHello, FEATURE_VERIFY, TRANSFER_VERSION } from "./transfer/messages.ts";
import { OUTPUT_ROOT, OutputStorage } from "./storage/output_storage.ts";
import type { Storage } from "./storage/storage.ts";
import type { TransferSummary } from "./transfer/transfer_notice.ts";
import { type Clock, systemClock } from "./transport/clock.ts";
import type { ExtraSockets } from "./transport/extra_sockets.ts";
import { LiveEndpoint } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";
import { type OutsideHelp, outsideHelp } from "./traversal/outside_help.ts";
import type { OfferedReply } from "./traversal/reply_offer.ts";
import { SharerSearch } from "./traversal/sharer_search.ts";
import { SprayBudgets } from "./traversal/spray_budgets.ts";
import { listInterfaces } from "./traversal/system_network.ts";

/** A receive under way: an iteration of its events, once. */
export interface Receive extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** Ends it; what has arrived of large files is kept for the next time. */
  close(): Promise<void>;
}

/**
 * Takes what a share offers. It starts at once and works on its own; its events tell how. Failures
 * are the last event (`error`), not exceptions.
 *
 * @param code The share's code, in any case, with spaces and dashes or without.
 * @param options Nothing is required; by default files go to the current folder and nothing that is
 *   there is touched.
 * @throws {TypeError} If an option makes no sense, or `output` is used by someone else.
 */
export function receive(code: string, options: ReceiveOptions = {}): Receive {
  checkLimit(options.limitBytesPerSecond);
  const { output, directory, storage, manifest } = options;
  if (output && (directory !== undefined || storage || manifest !== undefined)) {
    throw new TypeError("Cannot use a folder, a storage or a manifest together with `output`");
  }
  return new RunningReceive(code, options);
}

/**
 * The run of a receive: the way to the sharer, and one session after the other.
 *
 * ```
 *             search              session                    no word for 30 s
 *  connecting ─────▶ connected ───────────▶ offer, progress ─────────────────▶ reconnecting ─┐
 *                        ▲                          │                                        │
 *                        │                          └─▶ done, error                search    │
 *                        └───────────────────────────────────────────────────────────────────┘
 * ```
 */
class RunningReceive extends Operation implements Receive {
  protected live: LiveEndpoint | undefined;
  protected extras: ExtraSockets | undefined;
  readonly #options: ReceiveOptions;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #provider: CryptoProvider = selectSystemProvider();
  readonly #pathTeller: PathTeller;
  readonly #output: OutputStorage | undefined;
  readonly #storage: Storage;
  readonly #agreement = new Agreement();
  readonly #account = new RunAccount();
  /** Shown in every session: the sharer knows a client that comes again by them. */
  #keys: KeyPair | undefined;
  /** What the code says. */
  #share: ShareCode | undefined;
  #search: SharerSearch | undefined;
  #session: ReceiveSession | undefined;
  #manifest: ReceivedManifest | undefined;
  #lastWarning = "";
  #hasShownReply = false;
  /** Whether a session that is lost can be gone on with; not before the client was let in. */
  #canResume = false;
  /** When the last session was lost that had come as far as an offer; undefined while one has. */
  #lostAt: Instant | undefined;
  #startedAt: Instant | undefined;
  #cancelTimeout = (): void => {};

  constructor(code: string, options: ReceiveOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#pathTeller = new PathTeller(this.#clock, (event) => this.events.push(event));
    this.#output = options.output && new OutputStorage(options.output);
    this.#storage = this.#output ?? options.storage ?? new DenoStorage();
    this.watch(options.signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
    this.#start(code).catch((error) => this.#fail(asTransferError(error)));
  }

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.live?.endpoint.stopConnecting();
    // An endpoint closes its sockets; it may have come to an end before there was one.
    if (!this.live) this.#options.sockets?.forEach((socket) => socket.close());
    if (this.#keys) wipe(this.#keys.secretKey);
    const closed = new TransferError("interrupted", "Closed");
    const ended = this.#session?.abort(closed);
    // Before anything is waited for: its reader may take no byte any more.
    this.#output?.abort(closed);
    await this.#manifest?.stop();
    await this.#search?.close();
    await ended; // what is kept is on the disk by then
  }

  async #start(text: string): Promise<void> {
    const allowLoopback = this.#options.allowLoopback ?? false;
    const decoded = decodeShareCode(text, { allowLoopback });
    if (!decoded.ok) throw codeProblemError(decoded.problem);
    this.#share = decoded.code;
    const help = outsideHelp(this.#options);
    await this.#prepareManifest();
    const addresses = this.#addresses;
    this.events.push({ event: "connecting", addresses });
    const sockets = await socketsFor(this.#options);
    const random = this.#random;
    if (this.isOver) return sockets.forEach((socket) => socket.close());
    const provider = this.#provider;
    this.live = new LiveEndpoint(
      { sockets, provider, random, clock: this.#clock, sending: { wishes: this.#options } },
      (event) => this.#handleEvent(event),
    );
    this.#connect(help);
    const timeoutMs = this.#timeoutMs;
    this.#armTimeout(after(this.#clock.now(), timeoutMs), () => {
      const { impostors } = this.live!.endpoint;
      return noAnswer(addresses, { timeoutMs, impostors, hasShownReply: this.#hasShownReply });
    });
  }

  async #prepareManifest(): Promise<void> {
    const { manifest } = this.#options;
    if (manifest === undefined) return;
    this.#manifest = new ReceivedManifest({
      options: { ...this.#options, manifest },
      crypto: this.#provider,
      clock: this.#clock,
      session: SESSION,
      emit: (event) => this.events.push(event),
    });
    await this.#manifest.check();
  }

  // ---- the way to the sharer ----

  /** The addresses in the code. */
  get #addresses(): string[] {
    return this.#share!.candidates.map(({ address }) => formatSocketAddress(address));
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  #armTimeout(deadline: Instant, errorOf: () => TransferError): void {
    this.#cancelTimeout = waitUntil(this.#clock, deadline, () => this.#fail(errorOf()));
  }

  /** The paths to the addresses in the code. */
  get #paths(): Path[] {
    return this.live!.pathsTo(this.#share!.candidates.map(({ address }) => address));
  }

  /** Begins a handshake, with the key there is. */
  #shakeHands(paths: readonly Path[]): void {
    const features = this.#options.verify ? FEATURE_VERIFY : 0;
    this.live!.endpoint.connect(this.#clock.now(), {
      t: this.#share!.t,
      staticKeys: this.#keys!,
      paths,
      request: encodeHello({ version: TRANSFER_VERSION, features, text: "" }),
    });
    this.live!.wake();
  }

  #connectWithNewKey(): Uint8Array {
    if (this.#keys) wipe(this.#keys.secretKey);
    this.#keys = this.#provider.generateKeyPair(this.#random);
    this.#shakeHands(this.#paths);
    return this.#keys.publicKey;
  }

  #connect(help: OutsideHelp): void {
    const live = this.live!;
    const options = this.#options;
    if (this.#paths.length === 0) {
      throw new TransferError(
        "peer_unreachable",
        `Cannot reach ${this.#addresses.join(", ")}: this machine has no such kind of network`,
      );
    }
    this.extras = extraSocketsFor(live, options);
    this.#search = new SharerSearch({
      tools: {
        live,
        clock: this.#clock,
        random: this.#random,
        provider: this.#provider,
        extras: this.extras,
        budgets: new SprayBudgets(),
      },
      help,
      interfaces: options.localAddresses ?? true ? listInterfaces : () => [],
      allowLoopback: options.allowLoopback ?? false,
      share: this.#share!,
      clientKey: this.#connectWithNewKey(),
      renewKey: () => this.#connectWithNewKey(),
      onReply: (reply, isChanged) => this.#showReply(reply, isChanged),
      onImpossible: ({ outlook }) => this.#fail(cannotMeet(outlook)),
      onNetwork: (event) => this.#handleNetwork(event),
      onHeard: (path, isAnswer) => {
        live.endpoint.addConnectPath(this.#clock.now(), path, isAnswer);
        live.wake();
      },
    });
  }

  #showReply({ code, addresses, outlook }: OfferedReply, isChanged: boolean): void {
    this.#hasShownReply = true;
    this.events.push({
      event: "reply-code",
      code,
      addresses,
      expected: this.#expectedOf(outlook),
      ...(isChanged ? { changed: true } : {}),
    });
    const { advice } = outlook;
    if (this.#session || !outlook.isUncertain || !advice) return;
    if (advice.problem === this.#lastWarning) return;
    this.#lastWarning = advice.problem;
    this.events.push({ event: "warning", code: advice.problem, message: advice.text });
  }

  #expectedOf({ method, isUncertain }: PairOutlook): ExpectedMethod {
    // Who is connected already needs the code for admission only.
    if (this.#session) return this.#methodOf(this.#session.connection.path);
    return isUncertain || method === "impossible" ? "unknown" : method;
  }

  #handleNetwork(event: NetworkEvent): void {
    this.events.push(event);
    this.#tellCandidates();
  }

  /** Tells the sharer all the ways to this machine. */
  #tellCandidates(): void {
    if (!this.#session || !this.#search) return;
    tellCandidates(this.#session.connection, this.#clock.now(), this.#search);
  }

  #methodOf(path: Path): PathMethod {
    if (routeTo(path.remote) !== "internet") return "direct";
    const found = this.#search?.methodOf(path);
    if (found !== undefined) return found;
    const { mappingClass: mapping, candidates } = this.#share!;
    return hasOpenPort({ mapping, candidates }, path.remote.family) ? "mapped" : "direct";
  }

  // ---- sessions ----

  #handleEvent(event: EndpointEvent): void {
    if (event.type === "connected") return this.#beginSession(event);
    const session = this.#session;
    if (session === undefined || event.connection !== session.connection) return;
    switch (event.type) {
      case "closed":
        return session.handleClosed(event.end);
      case "path":
        this.#search?.handlePathFound();
        return session.tellPath(event.path, event.rttMs);
      case "path-lost":
        this.events.push({ event: "path-lost", session: SESSION, silentMs: event.silentMs });
        return this.#search?.handlePathLost();
    }
  }

  #beginSession(connected: EndpointEvent & { type: "connected" }): void {
    const { connection } = connected;
    if (this.isOver) return connection.close(wireOfErrorCode("interrupted"), "closed");
    this.#cancelTimeout();
    this.#search?.handleConnected(connection);
    const session = new ReceiveSession({
      connected,
      options: this.#options,
      clock: this.#clock,
      random: this.#random,
      provider: this.#provider,
      target: {
        storage: this.#storage,
        directory: this.#output ? OUTPUT_ROOT : this.#options.directory ?? ".",
        showsTexts: this.#options.directory === undefined && this.#output === undefined,
        findProblem: this.#output ? findOutputProblem : undefined,
        onInPlace: this.#manifest && ((planned, root) => this.#manifest?.add(planned, root)),
      },
      clientKey: this.#keys!.publicKey,
      agreement: this.#agreement,
      account: this.#account,
      isResuming: this.#lostAt !== undefined,
      methodOf: (path) => this.#methodOf(path),
      acceleration: this.live!.accelerationOf(connection.path),
      pathTeller: this.#pathTeller,
      emit: (event) => this.events.push(event),
      onOffer: (offer, isSame) => this.#handleOffer(offer, isSame),
      onBegin: () => void (this.#startedAt ??= this.#clock.now()),
      onReplyWanted: () => void this.#search?.showReply(),
      onEnd: (result) => this.#handleSessionEnd(session, result),
    });
    this.#session = session;
    session.start();
    // What the code says is not told again in the channel.
    for (const { address } of this.#share!.candidates) {
      if (!isSameSocketAddress(address, connection.path.remote)) {
        connection.addRemoteCandidate(this.#clock.now(), address);
      }
    }
    this.#tellCandidates();
  }

  #handleOffer({ hasStream }: Pick<OfferEvent, "hasStream">, isSame: boolean): void {
    // What went into a stream, or was read of one, cannot be had again.
    this.#canResume = this.#output === undefined && hasStream !== true;
    this.#lostAt = undefined;
    this.#manifest?.restart(isSame);
    if (!isSame) this.#startedAt = undefined;
  }

  #handleSessionEnd(session: ReceiveSession, result: TransferSummary | TransferError): void {
    if (this.isOver) return;
    if (!(result instanceof TransferError)) return this.#handleDone(result);
    const { closed } = session.connection;
    const isLost = result.code === "path_lost" && closed?.byPeer === false;
    if (isLost && this.#canResume) this.#reconnect(session);
    else this.#fail(result);
  }

  /** Nothing was heard of the other side any more: looks for it again. */
  #reconnect(session: ReceiveSession): void {
    const { path } = session.connection;
    const now = this.#clock.now();
    this.#lostAt ??= now;
    const deadline = after(this.#lostAt, this.#timeoutMs);
    const { bytesDone = 0, bytesTotal = 0 } = this.#account.last ?? {};
    this.#agreement.noteLost(session.offerDigest);
    this.#session = undefined;
    this.#search!.restart();
    // Where it was last is where it may be still, whatever the code says.
    const lastPath = this.live!.sockets.has(path.socket)
      ? [path]
      : this.live!.pathsTo([path.remote]);
    const paths = this.#paths;
    const others = lastPath.filter((last) => !paths.some((known) => isSamePath(known, last)));
    const all = [...others, ...paths];
    const addresses = all.map(({ remote }) => formatSocketAddress(remote));
    this.events.push({
      event: "reconnecting",
      session: SESSION,
      addresses,
      bytesDone,
      bytesTotal,
      timeoutMs: Math.max(0, deadline - now),
    });
    this.#shakeHands(all);
    this.#armTimeout(deadline, () => notBack(addresses, this.#timeoutMs));
  }

  // ---- the end ----

  #handleDone(summary: TransferSummary): void {
    const now = this.#clock.now();
    const elapsedMs = now - (this.#startedAt ?? now);
    const done = doneEvent(SESSION, this.#account.summaryOf(summary), elapsedMs);
    if (this.#manifest === undefined) return void this.finish(done);
    // The other side has been let go: what is left is between this program and the disk.
    this.#manifest.write().then(() => this.finish(done), (error) => this.#fail(error));
  }

  #fail(error: TransferError): void {
    void this.#session?.abort(error);
    void this.finish(errorEvent(error, { fatal: true }));
  }
}
