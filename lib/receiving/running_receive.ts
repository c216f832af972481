/**
 * A receive that runs: the way to the sharer, one session after the other, and its end. Where the
 * layers meet on the client's side.
 *
 * ```
 *             search              session                    no word for 30 s
 *  connecting ─────▶ connected ───────────▶ offer, progress ─────────────────▶ reconnecting ─┐
 *                        ▲                          │                                        │
 *                        │                          └─▶ done, error                search    │
 *                        └───────────────────────────────────────────────────────────────────┘
 * ```
 */
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { wipe } from "../crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "../errors.ts";
import type { OfferEvent } from "../events.ts";
import { asTransferError } from "../operation/connection_error.ts";
import {
  DEFAULT_TIMEOUT_MS,
  errorEvent,
  extraSocketsFor,
  Operation,
  socketsFor,
} from "../operation/operation.ts";
import { PathTeller } from "../operation/path_teller.ts";
import { waitUntil } from "../operation/patience.ts";
import { selectSystemProvider } from "../operation/system_provider.ts";
import type { ReceiveOptions, ShareSource } from "../options.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import type { RememberResult, SessionIdentity } from "../session/session_identity.ts";
import { TakingRun } from "../session/taking_run.ts";
import { DenoStorage } from "../storage/deno_storage.ts";
import { OUTPUT_ROOT, OutputStorage } from "../storage/output_storage.ts";
import type { Storage } from "../storage/storage.ts";
import { after, type Instant } from "../time.ts";
import type { ExchangeEnd } from "../transfer/exchange.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import type { ExtraSockets } from "../transport/extra_sockets.ts";
import { LiveEndpoint } from "../transport/live_endpoint.ts";
import { systemRandom } from "../transport/random.ts";
import { outsideHelp } from "../traversal/outside_help.ts";
import { Gift } from "./gift.ts";
import { ReceiveEnds } from "./receive_ends.ts";
import { findOutputProblem, noAnswer, notBack } from "./receive_errors.ts";
import { ReceiveIdentity } from "./receive_identity.ts";
import type { Receive } from "./receive_operation.ts";
import { ReceiveSession, SESSION } from "./receive_session.ts";
import { ReceivedManifest } from "./received_manifest.ts";
import { addressesOf, WayToSharer } from "./way_to_sharer.ts";

/** A receive under way. */
export class RunningReceive extends Operation implements Receive {
  protected live: LiveEndpoint | undefined;
  protected extras: ExtraSockets | undefined;
  readonly #options: ReceiveOptions;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #pathTeller: PathTeller;
  readonly #output: OutputStorage | undefined;
  readonly #storage: Storage;
  readonly #gift: Gift;
  readonly #run = new TakingRun();
  readonly #ends: ReceiveEnds;
  #provider: CryptoProvider | undefined;
  /** What the code says, and who is who. */
  #identity: ReceiveIdentity | undefined;
  #way: WayToSharer | undefined;
  #session: ReceiveSession | undefined;
  /** Who the sharer is, in the newest session. */
  #sharer: SessionIdentity | undefined;
  #manifest: ReceivedManifest | undefined;
  /** Whether a session that is lost can be gone on with; not before the client was let in. */
  #canResume = false;
  /** When the last session was lost that had come as far as an offer; undefined while one has. */
  #lostAt: Instant | undefined;
  #cancelTimeout = (): void => {};

  /**
   * Starts at once.
   *
   * @param code The share's code.
   * @param options As they were asked for; they make sense.
   */
  constructor(code: string, options: ReceiveOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#pathTeller = new PathTeller(this.#clock, (event) => this.events.push(event));
    this.#output = options.output && new OutputStorage(options.output);
    this.#storage = this.#output ?? options.storage ?? new DenoStorage();
    this.#gift = new Gift({
      options,
      isOver: () => this.isOver,
      give: () => this.#session?.offer() ?? true,
      emit: (event) => this.events.push(event),
    });
    this.#ends = new ReceiveEnds({
      declines: options.declines ?? false,
      tell: (event) => this.events.push(event),
    });
    this.watch(options.signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
    this.#start(code).catch((error) => this.#fail(asTransferError(error)));
  }

  offer(source: ShareSource): void {
    this.#gift.add(source);
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

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.live?.endpoint.stopConnecting();
    // An endpoint closes its sockets; it may have come to an end before there was one.
    if (!this.live) this.#options.sockets?.forEach((socket) => socket.close());
    this.#way?.wipe();
    const closed = new TransferError("interrupted", "Closed");
    const ended = this.#session?.abort(closed);
    // Before anything is waited for: its reader may take no byte any more.
    this.#output?.abort(closed);
    await this.#manifest?.stop();
    await this.#way?.close();
    this.#gift.close();
    await ended; // what is kept is on the disk by then
    await this.#identity?.close();
  }

  // ---- the beginning ----

  async #start(text: string): Promise<void> {
    const provider = await selectSystemProvider();
    this.#provider = provider;
    const identity = await ReceiveIdentity.open(text, this.#options, {
      provider,
      random: this.#random,
    });
    this.#identity = identity;
    if (this.isOver) return await identity.close();
    const help = outsideHelp(this.#options);
    await this.#prepareManifest(provider);
    // Before the sharer is met: what there is to offer is offered as soon as it has said yes.
    await this.#gift.prepareFirst();
    if (this.isOver) return;
    const addresses = addressesOf(identity.share);
    this.events.push({ event: "connecting", addresses });
    const sockets = await socketsFor(this.#options);
    const random = this.#random;
    if (this.isOver) return sockets.forEach((socket) => socket.close());
    this.live = new LiveEndpoint(
      { sockets, provider, random, clock: this.#clock, sending: { wishes: this.#options } },
      (event) => this.#handleEvent(event),
    );
    const live = this.live;
    this.extras = extraSocketsFor(live, this.#options);
    const way = new WayToSharer({
      options: this.#options,
      live,
      extras: this.extras,
      clock: this.#clock,
      random,
      provider,
      identity,
      help,
      connection: () => this.#session?.connection,
      emit: (event) => this.events.push(event),
      onFailure: (error) => this.#fail(error),
    });
    this.#way = way;
    way.begin();
    const timeoutMs = this.#timeoutMs;
    this.#armTimeout(after(this.#clock.now(), timeoutMs), () => {
      const { impostors } = live.endpoint;
      return noAnswer(addresses, { timeoutMs, impostors, hasShownReply: way.hasShownReply });
    });
  }

  async #prepareManifest(crypto: CryptoProvider): Promise<void> {
    const { manifest } = this.#options;
    if (manifest === undefined) return;
    this.#manifest = new ReceivedManifest({
      options: { ...this.#options, manifest },
      crypto,
      clock: this.#clock,
      session: SESSION,
      emit: (event) => this.events.push(event),
    });
    await this.#manifest.check();
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  #armTimeout(deadline: Instant, errorOf: () => TransferError): void {
    this.#cancelTimeout = waitUntil(this.#clock, deadline, () => this.#fail(errorOf()));
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
        this.#way!.handlePathFound();
        return session.tellPath(event.path, event.rttMs);
      case "path-lost":
        this.events.push({ event: "path-lost", session: SESSION, silentMs: event.silentMs });
        return this.#way!.handlePathLost();
    }
  }

  #beginSession(connected: EndpointEvent & { type: "connected" }): void {
    const { connection } = connected;
    if (this.isOver) {
      if (connected.exporter) wipe(connected.exporter);
      return connection.close(wireOfErrorCode("interrupted"), "closed");
    }
    this.#cancelTimeout();
    const way = this.#way!;
    way.handleConnected(connection);
    const identity = this.#identity!.begin(SESSION, connected, (told) => this.events.push(told));
    this.#sharer = identity;
    const session = new ReceiveSession({
      connected,
      identity,
      options: this.#options,
      clock: this.#clock,
      random: this.#random,
      provider: this.#provider!,
      target: {
        storage: this.#storage,
        directory: this.#output ? OUTPUT_ROOT : this.#options.directory ?? ".",
        showsTexts: this.#options.directory === undefined && this.#output === undefined,
        findProblem: this.#output ? findOutputProblem : undefined,
        onInPlace: this.#manifest && ((planned, root) => this.#manifest?.add(planned, root)),
      },
      clientKey: way.clientKey,
      source: () => this.#gift.source,
      beforeReceipt: () => this.#gift.preparing,
      run: this.#run,
      isResuming: this.#lostAt !== undefined,
      methodOf: (path) => way.methodOf(path),
      acceleration: this.live!.accelerationOf(connection.path),
      pathTeller: this.#pathTeller,
      emit: (event) => this.events.push(event),
      onOffer: (offer, isSame) => this.#handleOffer(offer, isSame),
      onOffered: () => {
        if (this.#options.declines) this.#handleAdmitted(true);
      },
      onReplyWanted: () => way.showReply(),
      onHalfEnd: (half, end) => {
        if (!this.isOver) this.#ends.handleHalfEnd(session, half, end);
      },
      onEnd: (end) => this.#handleSessionEnd(session, end),
    });
    this.#session = session;
    session.start();
    way.tellWays(connection);
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

  #handleSessionEnd(session: ReceiveSession, end: ExchangeEnd): void {
    if (this.isOver) return;
    const failure = this.#ends.failureOf(session, end);
    if (failure === undefined) return this.#handleDone();
    const { error, isBack, isLost } = failure;
    this.#ends.tellAll();
    const isStreaming = this.#gift.source?.stream !== undefined;
    if (isLost && this.#canResume && !isStreaming) this.#reconnect(session);
    else this.#fail(error, isBack ? { back: true } : {});
  }

  /** Nothing was heard of the other side any more: looks for it again. */
  #reconnect(session: ReceiveSession): void {
    const now = this.#clock.now();
    this.#lostAt ??= now;
    const deadline = after(this.#lostAt, this.#timeoutMs);
    const { bytesDone = 0, bytesTotal = 0 } = this.#run.account.last ?? {};
    this.#run.agreement.noteLost(session.offerDigest);
    this.#session = undefined;
    const addresses = this.#way!.beginAgain(session.connection.path);
    this.events.push({
      event: "reconnecting",
      session: SESSION,
      addresses,
      bytesDone,
      bytesTotal,
      timeoutMs: Math.max(0, deadline - now),
    });
    this.#armTimeout(deadline, () => notBack(addresses, this.#timeoutMs));
  }

  // ---- the end ----

  #handleDone(): void {
    const last = this.#ends.takeLast();
    if (this.#manifest === undefined) return void this.finish(last);
    // The other side has been let go: what is left is between this program and the disk.
    this.#manifest.write().then(() => this.finish(last), (error) => this.#fail(error));
  }

  #fail(error: TransferError, where: { readonly back?: true } = {}): void {
    void this.#session?.abort(error);
    void this.finish(errorEvent(error, { ...where, fatal: true }));
  }
}
