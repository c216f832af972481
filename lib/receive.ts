/** Receiving files: from a code to verified files in their place. */
import { asTransferError } from "./operation/connection_error.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "./crypto/provider.ts";
import { wipe } from "./crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "./errors.ts";
import type { DoneEvent, NetworkEvent, OfferEvent, TransferEvent, WarningEvent } from "./events.ts";
import { formatSocketAddress, isSameSocketAddress } from "./nat/address.ts";
import type { PairOutlook } from "./nat/pair_outlook.ts";
import { hasOpenPort } from "./nat/pair_side.ts";
import type { ExpectedMethod, PathMethod } from "./nat/path_method.ts";
import { isSamePath, type Path } from "./nat/path.ts";
import {
  checkLimit,
  DEFAULT_TIMEOUT_MS,
  errorEvent,
  extraSocketsFor,
  Operation,
  socketsFor,
} from "./operation/operation.ts";
import type { ReceiveOptions, ShareSource } from "./options.ts";
import { tellCandidates } from "./operation/own_candidates.ts";
import { PathTeller } from "./operation/path_teller.ts";
import { routeTo } from "./operation/path_report.ts";
import { waitUntil } from "./operation/patience.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import { cannotMeet, findOutputProblem, noAnswer, notBack } from "./receiving/receive_errors.ts";
import { ReceivedManifest } from "./receiving/received_manifest.ts";
import { ReceiveSession, SESSION } from "./receiving/receive_session.ts";
import { ReceiveIdentity } from "./receiving/receive_identity.ts";
import type { ShareCode } from "./rendezvous/share_code.ts";
import type { RememberResult, SessionIdentity } from "./session/session_identity.ts";
import { type PreparedSource, prepareSource } from "./session/share_source.ts";
import { selectSystemProvider } from "./operation/system_provider.ts";
import { TakingRun } from "./session/taking_run.ts";
import { after, type Instant } from "./time.ts";
import { DenoStorage } from "./storage/deno_storage.ts";
import { encodeHello, FEATURE_VERIFY, TRANSFER_VERSION } from "./transfer/messages.ts";
import { OUTPUT_ROOT, OutputStorage } from "./storage/output_storage.ts";
import type { Storage } from "./storage/storage.ts";
import type { ExchangeEnd, HalfEnd } from "./transfer/exchange.ts";
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
  /**
   * Remembers who shared, in the store of `identity`, when that is known; after `done` with the secret
   * for short codes.
   *
   * @param name What this side calls them; may be left out of somebody who is remembered already.
   * @throws {TransferError} `usage` when the other side showed no identity, or the name cannot be
   *   given or has another key; and what the store throws.
   */
  remember(name?: string): Promise<RememberResult>;
  /**
   * Offers something to the sharer, as the option `offer` does, and once: until all that is shared has
   * been taken. When it comes too late a warning `not_offered` says so.
   *
   * @throws {TypeError} If something was offered before, or it cannot be.
   */
  offer(source: ShareSource): void;
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
  if (options.declines && options.offer === undefined) {
    throw new TypeError("Cannot decline everything and offer nothing: there is nothing to do");
  }
  if (options.offer) checkOffer(options.offer);
  return new RunningReceive(code, options);
}

/** @throws {TypeError} If there is nothing in it. */
function checkOffer(source: ShareSource): void {
  if ("nothing" in source) throw new TypeError("Cannot offer nothing");
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
  readonly #run = new TakingRun();
  /** What is offered to the sharer, once it was looked at. */
  #source: PreparedSource | undefined;
  /** While that is under way. */
  #preparing: Promise<void> | undefined;
  /** Halves whose end was not told, because nothing goes on beside them. */
  readonly #untold: DoneEvent[] = [];
  /** Shown in every session: the sharer knows a client that comes again by them. */
  #keys: KeyPair | undefined;
  /** What the code says, and who is who. */
  #identity: ReceiveIdentity | undefined;
  /** Who the sharer is, in the newest session. */
  #sharer: SessionIdentity | undefined;
  #search: SharerSearch | undefined;
  #session: ReceiveSession | undefined;
  #manifest: ReceivedManifest | undefined;
  #lastWarning = "";
  #hasShownReply = false;
  /** Whether a session that is lost can be gone on with; not before the client was let in. */
  #canResume = false;
  /** When the last session was lost that had come as far as an offer; undefined while one has. */
  #lostAt: Instant | undefined;
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
    this.#source?.stream?.close();
    await ended; // what is kept is on the disk by then
    await this.#identity?.close();
  }

  async #start(text: string): Promise<void> {
    this.#identity = await ReceiveIdentity.open(text, this.#options, {
      provider: this.#provider,
      random: this.#random,
    });
    if (this.isOver) return await this.#identity.close();
    const help = outsideHelp(this.#options);
    await this.#prepareManifest();
    // Before the sharer is met: what there is to offer is offered as soon as it has said yes.
    if (this.#options.offer) await this.#prepare(this.#options.offer);
    if (this.isOver) return;
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

  // ---- what is offered to the sharer ----

  offer(source: ShareSource): void {
    checkOffer(source);
    if (this.#options.offer || this.#source || this.#preparing) {
      throw new TypeError("Cannot offer more: something was offered before");
    }
    this.#preparing = this.#prepare(source).then(() => {
      if (this.isOver || this.#session === undefined || this.#session.offer()) return;
      this.#tellNotOffered("the transfer is over");
    }, (error) => {
      // What was received is not the worse for it; another try may be made.
      this.#tellNotOffered(asTransferError(error).message);
      this.#source = undefined;
    }).finally(() => this.#preparing = undefined);
  }

  async #prepare(source: ShareSource): Promise<void> {
    const { storage, signal } = this.#options;
    const options = { ...(storage ? { storage } : {}), ...(signal ? { signal } : {}) };
    const warn = (warning: WarningEvent) => this.events.push({ ...warning, back: true });
    this.#source = await prepareSource(source, options, warn);
    // Ended in the meantime: nobody else lets go of it.
    if (this.isOver) this.#source.stream?.close();
  }

  #tellNotOffered(why: string): void {
    const message = `Cannot offer to the other side: ${why}`;
    this.events.push({
      event: "warning",
      session: SESSION,
      back: true,
      code: "not_offered",
      message,
    });
  }

  // ---- the way to the sharer ----

  /** What the code says. */
  get #share(): ShareCode {
    return this.#identity!.share;
  }

  /** The addresses in the code. */
  get #addresses(): string[] {
    return this.#share.candidates.map(({ address }) => formatSocketAddress(address));
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  #armTimeout(deadline: Instant, errorOf: () => TransferError): void {
    this.#cancelTimeout = waitUntil(this.#clock, deadline, () => this.#fail(errorOf()));
  }

  /** The paths to the addresses in the code. */
  get #paths(): Path[] {
    return this.live!.pathsTo(this.#share.candidates.map(({ address }) => address));
  }

  /** Begins a handshake, with the key there is. */
  #shakeHands(paths: readonly Path[]): void {
    const { isShortCode, isExported, features: identityFeatures } = this.#identity!;
    const features = (this.#options.verify ? FEATURE_VERIFY : 0) | identityFeatures;
    this.live!.endpoint.connect(this.#clock.now(), {
      t: this.#share.t,
      isShortCode,
      isExported,
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
      share: this.#share,
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
    const { mappingClass: mapping, candidates } = this.#share;
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
    if (this.isOver) {
      if (connected.exporter) wipe(connected.exporter);
      return connection.close(wireOfErrorCode("interrupted"), "closed");
    }
    this.#cancelTimeout();
    this.#search?.handleConnected(connection);
    const identity = this.#identity!.begin(SESSION, connected, (told) => this.events.push(told));
    this.#sharer = identity;
    const session = new ReceiveSession({
      connected,
      identity,
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
      source: () => this.#source,
      beforeReceipt: () => this.#preparing,
      run: this.#run,
      isResuming: this.#lostAt !== undefined,
      methodOf: (path) => this.#methodOf(path),
      acceleration: this.live!.accelerationOf(connection.path),
      pathTeller: this.#pathTeller,
      emit: (event) => this.events.push(event),
      onOffer: (offer, isSame) => this.#handleOffer(offer, isSame),
      onOffered: () => {
        if (this.#options.declines) this.#handleAdmitted(true);
      },
      onReplyWanted: () => void this.#search?.showReply(),
      onHalfEnd: (half, end) => this.#handleHalfEnd(session, half, end),
      onEnd: (end) => this.#handleSessionEnd(session, end),
    });
    this.#session = session;
    session.start();
    // What the code says is not told again in the channel.
    for (const { address } of this.#share.candidates) {
      if (!isSameSocketAddress(address, connection.path.remote)) {
        connection.addRemoteCandidate(this.#clock.now(), address);
      }
    }
    this.#tellCandidates();
  }

  #handleOffer({ hasStream }: Pick<OfferEvent, "hasStream">, isSame: boolean): void {
    this.#handleAdmitted(hasStream !== true);
    this.#manifest?.restart(isSame);
  }

  /**
   * The sharer has let this side in.
   *
   * @param isLasting Whether what it gives can be had again.
   */
  #handleAdmitted(isLasting: boolean): void {
    // What went into a stream, or was read of one, cannot be had again.
    this.#canResume = isLasting && this.#output === undefined;
    this.#lostAt = undefined;
  }

  #handleHalfEnd(session: ReceiveSession, half: "forth" | "back", end: HalfEnd): void {
    if (this.isOver) return;
    const where = { session: SESSION, ...(half === "back" ? { back: true as const } : {}) };
    if (end instanceof TransferError) {
      if (!session.goesOn || (half === "forth" && this.#isDeclined(session, end))) return;
      return this.events.push(errorEvent(end, { ...where, fatal: false }));
    }
    const done = session.doneEvent(half, end);
    if (done === undefined) return;
    if (session.goesOn) this.events.push(done);
    else this.#untold.push(done);
  }

  /** Whether what the sharer gives ended because this side wants nothing of it. */
  #isDeclined(session: ReceiveSession, forth: HalfEnd): boolean {
    return this.#options.declines === true && session.hasOffered &&
      forth instanceof TransferError && forth.code === "refused";
  }

  #handleSessionEnd(session: ReceiveSession, { forth, back }: ExchangeEnd): void {
    if (this.isOver) return;
    const errors = [this.#isDeclined(session, forth) ? undefined : forth, back]
      .filter((end) => end instanceof TransferError);
    const [error] = errors;
    if (error === undefined) return this.#handleDone();
    const isBack = error === back && error !== forth;
    const isLost = session.connection.closed?.byPeer === false &&
      errors.some(({ code }) => code === "path_lost");
    const isStreaming = this.#source?.stream !== undefined;
    for (const done of this.#untold.splice(0)) this.events.push(done);
    if (isLost && this.#canResume && !isStreaming) this.#reconnect(session);
    else this.#fail(error, isBack ? { back: true } : {});
  }

  /** Nothing was heard of the other side any more: looks for it again. */
  #reconnect(session: ReceiveSession): void {
    const { path } = session.connection;
    const now = this.#clock.now();
    this.#lostAt ??= now;
    const deadline = after(this.#lostAt, this.#timeoutMs);
    const { bytesDone = 0, bytesTotal = 0 } = this.#run.account.last ?? {};
    this.#run.agreement.noteLost(session.offerDigest);
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

  async remember(name?: string): Promise<RememberResult> {
    if (this.#sharer === undefined) {
      throw new TransferError("usage", "Cannot remember the other side: it was not met");
    }
    return await this.#sharer.remember(name === undefined ? {} : { name });
  }

  override async close(): Promise<void> {
    await this.finish();
    this.#sharer?.wipe();
  }

  // ---- the end ----

  #handleDone(): void {
    const last = this.#untold.pop();
    for (const done of this.#untold.splice(0)) this.events.push(done);
    if (this.#manifest === undefined) return void this.finish(last);
    // The other side has been let go: what is left is between this program and the disk.
    this.#manifest.write().then(() => this.finish(last), (error) => this.#fail(error));
  }

  #fail(error: TransferError, where: { readonly back?: true } = {}): void {
    void this.#session?.abort(error);
    void this.finish(errorEvent(error, { ...where, fatal: true }));
  }
}
