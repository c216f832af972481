/** Receiving files: from a code to verified files in their place. */
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "./crypto/provider.ts";
import { wipe } from "./crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "./errors.ts";
import type { NetworkEvent, OfferEvent, TransferEvent } from "./events.ts";
import { LimitWatch } from "./limit_watch.ts";
import { formatSocketAddress, isSameSocketAddress } from "./nat/address.ts";
import type { PairOutlook } from "./nat/pair_outlook.ts";
import { hasOpenPort, type PairSide } from "./nat/pair_side.ts";
import type { ExpectedMethod, PathMethod } from "./nat/path_method.ts";
import type { Path } from "./nat/path.ts";
import {
  checkLimit,
  DEFAULT_TIMEOUT_MS,
  doneEvent,
  errorEvent,
  extraSocketsFor,
  Operation,
  socketsFor,
} from "./operation.ts";
import type { OfferDecision, ReceiveOptions } from "./options.ts";
import { tellCandidates } from "./own_candidates.ts";
import { PathTeller } from "./path_teller.ts";
import { pathEvent, routeTo } from "./path_report.ts";
import { ProgressTicker } from "./progress_ticker.ts";
import type { Connection } from "./protocol/connection.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import { after, type Instant } from "./time.ts";
import { codeProblemError } from "./rendezvous/code_error.ts";
import { decodeShareCode, type ShareCode } from "./rendezvous/share_code.ts";
import { DenoStorage } from "./transfer/deno_storage.ts";
import { encodeHello, FEATURE_VERIFY, TRANSFER_VERSION } from "./transfer/messages.ts";
import { Receiver } from "./transfer/receiver.ts";
import type { TransferNotice, TransferSummary } from "./transfer/transfer_notice.ts";
import { selectSystemProvider } from "./system_provider.ts";
import { type Clock, systemClock } from "./transport/clock.ts";
import type { ExtraSockets } from "./transport/extra_sockets.ts";
import { LiveEndpoint } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";
import { type OutsideHelp, outsideHelp } from "./traversal/outside_help.ts";
import type { OfferedReply } from "./traversal/reply_offer.ts";
import { SharerSearch } from "./traversal/sharer_search.ts";
import { SprayBudgets } from "./traversal/spray_budgets.ts";
import { listInterfaces } from "./traversal/system_network.ts";

/** A receive has one session. */
const SESSION = 1;

/** A receive under way: an iteration of its events, once. */
export interface Receive extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** Ends it; part files are removed. */
  close(): Promise<void>;
}

/**
 * Takes what a share offers. It starts at once and works on its own; its events tell how. Failures
 * are the last event (`error`), not exceptions.
 *
 * @param code The share's code, in any case, with spaces and dashes or without.
 * @param options Nothing is required; by default files go to the current folder and nothing that is
 *   there is touched.
 * @throws {TypeError} If an option makes no sense.
 */
export function receive(code: string, options: ReceiveOptions = {}): Receive {
  checkLimit(options.limitBytesPerSecond);
  return new RunningReceive(code, options);
}

class RunningReceive extends Operation implements Receive {
  protected live: LiveEndpoint | undefined;
  readonly #options: ReceiveOptions;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #pathTeller: PathTeller;
  #keys: KeyPair | undefined;
  #search: SharerSearch | undefined;
  protected extras: ExtraSockets | undefined;
  #connection: Connection | undefined;
  /** What its code says of the sharer. */
  #sharer: PairSide = { mapping: "unknown", candidates: [] };
  #lastWarning = "";
  #hasShownReply = false;
  #receiver: Receiver | undefined;
  #ticker: ProgressTicker | undefined;
  #startedAt: Instant;
  #cancelTimeout = (): void => {};

  constructor(code: string, options: ReceiveOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#pathTeller = new PathTeller(this.#clock, (event) => this.events.push(event));
    this.#startedAt = this.#clock.now();
    this.watch(options.signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
    this.#start(code).catch((error) => this.#fail(asTransferError(error)));
  }

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.#ticker?.stop();
    this.#pathTeller.end();
    this.live?.endpoint.stopConnecting();
    // An endpoint closes its sockets; it may have come to an end before there was one.
    if (!this.live) this.#options.sockets?.forEach((socket) => socket.close());
    if (this.#keys) wipe(this.#keys.secretKey);
    this.#receiver?.abort(new TransferError("interrupted", "Closed"));
    await this.#search?.close();
    await this.#receiver?.finished.catch(() => {}); // part files are gone by then
  }

  async #start(text: string): Promise<void> {
    const allowLoopback = this.#options.allowLoopback ?? false;
    const decoded = decodeShareCode(text, { allowLoopback });
    if (!decoded.ok) throw codeProblemError(decoded.problem);
    const { candidates, mappingClass } = decoded.code;
    this.#sharer = { mapping: mappingClass, candidates };
    const help = outsideHelp(this.#options);
    const addresses = candidates.map(({ address }) => formatSocketAddress(address));
    this.events.push({ event: "connecting", addresses });
    const provider = selectSystemProvider();
    const sockets = await socketsFor(this.#options);
    const random = this.#random;
    if (this.isOver) return sockets.forEach((socket) => socket.close());
    this.live = new LiveEndpoint(
      { sockets, provider, random, clock: this.#clock, sending: { wishes: this.#options } },
      (event) => this.#handleEvent(provider, event),
    );
    this.#connect(provider, decoded.code, { addresses, help });
  }

  #connect(
    provider: CryptoProvider,
    code: ShareCode,
    { addresses, help }: { readonly addresses: readonly string[]; readonly help: OutsideHelp },
  ): void {
    const live = this.live!;
    const options = this.#options;
    const paths = live.pathsTo(code.candidates.map(({ address }) => address));
    if (paths.length === 0) {
      throw new TransferError(
        "peer_unreachable",
        `Cannot reach ${addresses.join(", ")}: this machine has no such kind of network`,
      );
    }
    const connectWithNewKey = (): Uint8Array => {
      if (this.#keys) wipe(this.#keys.secretKey);
      this.#keys = provider.generateKeyPair(this.#random);
      live.endpoint.connect(this.#clock.now(), {
        t: code.t,
        staticKeys: this.#keys,
        paths,
        request: encodeHello({
          version: TRANSFER_VERSION,
          features: options.verify ? FEATURE_VERIFY : 0,
          text: "",
        }),
      });
      live.wake();
      return this.#keys.publicKey;
    };
    this.extras = extraSocketsFor(live, options);
    this.#search = new SharerSearch({
      tools: {
        live,
        clock: this.#clock,
        random: this.#random,
        provider,
        extras: this.extras,
        budgets: new SprayBudgets(),
      },
      help,
      interfaces: options.localAddresses ?? true ? listInterfaces : () => [],
      allowLoopback: options.allowLoopback ?? false,
      share: code,
      clientKey: connectWithNewKey(),
      renewKey: connectWithNewKey,
      onReply: (reply, isChanged) => this.#showReply(reply, isChanged),
      onImpossible: ({ outlook }) => this.#fail(cannotMeet(outlook)),
      onNetwork: (event) => this.#handleNetwork(event),
      onHeard: (path, isAnswer) => {
        live.endpoint.addConnectPath(this.#clock.now(), path, isAnswer);
        live.wake();
      },
    });
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const deadline = after(this.#clock.now(), timeoutMs);
    this.#cancelTimeout = this.#clock.setTimer(deadline, () => {
      const { impostors } = live.endpoint;
      this.#fail(
        noAnswer(addresses, { timeoutMs, impostors, hasShownReply: this.#hasShownReply }),
      );
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
    if (this.#connection || !outlook.isUncertain || !advice) return;
    if (advice.problem === this.#lastWarning) return;
    this.#lastWarning = advice.problem;
    this.events.push({ event: "warning", code: advice.problem, message: advice.text });
  }

  #expectedOf({ method, isUncertain }: PairOutlook): ExpectedMethod {
    // Who is connected already needs the code for admission only.
    if (this.#connection) return this.#methodOf(this.#connection.path);
    return isUncertain || method === "impossible" ? "unknown" : method;
  }

  #handleNetwork(event: NetworkEvent): void {
    this.events.push(event);
    this.#tellCandidates();
  }

  /** Tells the sharer all the ways to this machine. */
  #tellCandidates(): void {
    if (!this.#connection || !this.#search) return;
    tellCandidates(this.#connection, this.#clock.now(), this.#search);
  }

  #handleEvent(provider: CryptoProvider, event: EndpointEvent): void {
    switch (event.type) {
      case "closed":
        return this.#receiver?.handleClosed(connectionError(event.end));
      case "connected":
        if (this.isOver) return event.connection.close(wireOfErrorCode("interrupted"), "closed");
        this.#cancelTimeout();
        this.#connection = event.connection;
        this.#search?.handleConnected(event.connection);
        return this.#receive(provider, event);
      case "path":
        this.#search?.handlePathFound();
        return this.#tellPath(event.path, event.rttMs);
      case "path-lost":
        this.events.push({ event: "path-lost", session: SESSION, silentMs: event.silentMs });
        return this.#search?.handlePathLost();
    }
  }

  #tellPath(path: Path, rttMs: number): void {
    this.#pathTeller.push(pathEvent(SESSION, path, { method: this.#methodOf(path), rttMs }));
  }

  #methodOf(path: Path): PathMethod {
    if (routeTo(path.remote) !== "internet") return "direct";
    const found = this.#search?.methodOf(path);
    if (found !== undefined) return found;
    return hasOpenPort(this.#sharer, path.remote.family) ? "mapped" : "direct";
  }

  #receive(provider: CryptoProvider, event: EndpointEvent & { type: "connected" }): void {
    const { connection, handshakeHash } = event;
    const options = this.#options;
    this.#startedAt = this.#clock.now();
    const { path } = connection;
    const { rttMs } = connection.statistics;
    this.events.push({
      event: "connected",
      session: SESSION,
      address: formatSocketAddress(path.remote),
      route: routeTo(path.remote),
      rttMs,
      acceleration: this.live!.accelerationOf(path),
    });
    this.#tellPath(path, rttMs);
    const receiver = new Receiver({
      channel: connection,
      storage: options.storage ?? new DenoStorage(),
      crypto: provider,
      directory: options.directory ?? ".",
      decide: (offer) => this.#decide({ ...offer, session: SESSION }),
      ...(options.verify
        ? {
          verification: {
            handshakeHash,
            random: this.#random,
            confirmWords: (words: readonly string[]) => this.#confirmWords(words),
          },
        }
        : {}),
      onEvent: (notice) => this.#handleNotice(notice),
    });
    this.#receiver = receiver;
    receiver.finished.then(
      (summary) => this.#handleDone(summary),
      (error) => this.#fail(asTransferError(error)),
    );
    connection.setHandler(receiver);
    receiver.start();
    // What the code says is not told again in the channel.
    for (const { address } of this.#sharer.candidates) {
      if (!isSameSocketAddress(address, path.remote)) {
        connection.addRemoteCandidate(this.#clock.now(), address);
      }
    }
    this.#tellCandidates();
  }

  async #decide(offer: OfferEvent): Promise<OfferDecision> {
    const { decide, overwrite, takeDotNames } = this.#options;
    const decision = decide ? await decide(offer) : {
      accept: true,
      overwrite: overwrite ?? "never",
      takeDotNames: takeDotNames ?? false,
    };
    if (decision.accept && !this.isOver) this.#startTicker();
    return decision;
  }

  async #confirmWords(words: readonly string[]): Promise<boolean> {
    this.events.push({ event: "words", session: SESSION, words });
    return await this.#options.confirmWords?.(words) ?? true;
  }

  #startTicker(): void {
    this.#startedAt = this.#clock.now();
    const limits = new LimitWatch({ clock: this.#clock, connection: this.#connection! });
    this.#ticker = new ProgressTicker(
      this.#clock,
      () => this.#receiver!.progress,
      (progress) =>
        this.events.push({
          ...progress,
          ...limits.poll(),
          session: SESSION,
          route: routeTo(this.#connection!.path.remote),
        }),
    );
  }

  #handleNotice(notice: TransferNotice): void {
    if (notice.event === "waiting" && notice.reason === "reply") void this.#search?.showReply();
    this.events.push({ ...notice, session: SESSION });
  }

  #handleDone(summary: TransferSummary): void {
    this.#pathTeller.end();
    this.#ticker?.stop();
    this.#ticker = undefined;
    void this.finish(doneEvent(SESSION, summary, this.#clock.now() - this.#startedAt));
  }

  #fail(error: TransferError): void {
    this.#pathTeller.end();
    this.#receiver?.abort(error);
    void this.finish(errorEvent(error, { fatal: true }));
  }
}

function noAnswer(
  addresses: readonly string[],
  how: {
    readonly timeoutMs: number;
    readonly impostors: number;
    readonly hasShownReply: boolean;
  },
): TransferError {
  const where = addresses.join(", ");
  if (how.impostors > 0) {
    return new TransferError(
      "authentication_failed",
      `Cannot connect: ${where} answered, but without the key this code stands for`,
    );
  }
  const seconds = Math.round(how.timeoutMs / 1000);
  return new TransferError("timed_out", `No answer from ${where} within ${seconds} s`, {
    hint: how.hasShownReply
      ? "Check that the share still runs, and paste the reply code there: it is shown anew each time"
      : "Check that the other side still runs and that no firewall between you drops UDP",
  });
}

function cannotMeet(outlook: PairOutlook): TransferError {
  return new TransferError(
    "peer_unreachable",
    "Cannot connect: these two networks cannot meet without help",
    outlook.advice ? { hint: outlook.advice.text } : {},
  );
}
