/** Sharing files: the code, the clients, and the end. Where the layers meet on the sender's side. */
import { isClientKey, replyCommitment, shareCommitment } from "./crypto/commitment.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "./crypto/provider.ts";
import { deriveShareKeys, type ShareKeys, wipeShareKeys } from "./crypto/share_keys.ts";
import { wipe } from "./crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "./errors.ts";
import type { ErrorEvent, TransferEvent } from "./events.ts";
import { formatSocketAddress, isSameSocketAddress } from "./nat/address.ts";
import type { Candidate } from "./nat/candidate.ts";
import { hasOpenPort } from "./nat/pair_side.ts";
import type { PathMethod } from "./nat/path_method.ts";
import type { Path } from "./nat/path.ts";
import { LostClients } from "./lost_clients.ts";
import {
  checkLimit,
  DEFAULT_TIMEOUT_MS,
  errorEvent,
  extraSocketsFor,
  Operation,
  socketsFor,
} from "./operation.ts";
import type { ShareOptions, ShareSource } from "./options.ts";
import { routeTo } from "./path_report.ts";
import { waitUntil } from "./patience.ts";
import { Places } from "./places.ts";
import type { Connection } from "./protocol/connection.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import { areOutdated, chooseCodeCandidates, listCandidates } from "./rendezvous/code_candidates.ts";
import { replyProblemError } from "./rendezvous/code_error.ts";
import { readManualCandidates } from "./rendezvous/manual_candidates.ts";
import { decodeReplyCode, type ReplyCode } from "./rendezvous/reply_code.ts";
import { encodeShareCode } from "./rendezvous/share_code.ts";
import { ShareSearches } from "./share_searches.ts";
import { type EarlierSession, type SessionEnd, ShareSession } from "./share_session.ts";
import { type PreparedSource, prepareSource } from "./share_source.ts";
import { after } from "./time.ts";
import { selectSystemProvider } from "./system_provider.ts";
import { type Clock, systemClock } from "./transport/clock.ts";
import type { ExtraSockets } from "./transport/extra_sockets.ts";
import { LiveEndpoint, type SendingOptions } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";
import type { DatagramSocket } from "./transport/socket.ts";
import { PathRepair } from "./traversal/path_repair.ts";
import { NetworkWatch } from "./traversal/network_watch.ts";
import { OpenDoor } from "./traversal/open_door.ts";
import { type OutsideHelp, outsideHelp } from "./traversal/outside_help.ts";
import { createProbeCodec, type SearchTools } from "./traversal/search_tools.ts";
import { SprayBudgets } from "./traversal/spray_budgets.ts";
import { listInterfaces, resolveName } from "./traversal/system_network.ts";

/** A share under way: an iteration of its events, once. */
export interface Share extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** What the other side needs: `p2p1…`; the newest one, should addresses have changed. */
  readonly code: string;
  /**
   * Takes the reply code of a client that could not get through by itself: looks for it, and admits
   * it.
   *
   * @param code In any case, with spaces and dashes or without.
   * @throws {TransferError} `bad_code` or `version_mismatch` when it cannot be used or belongs to
   *   another share; nothing is sent then.
   */
  addReply(code: string): void;
  /**
   * Limits all clients together from now on.
   *
   * @param bytesPerSecond As {@linkcode ShareOptions.limitBytesPerSecond}; undefined for no limit.
   * @throws {TypeError} If it is less than 1000, or no number.
   */
  setLimit(bytesPerSecond: number | undefined): void;
  /** Ends it for everyone. */
  close(): Promise<void>;
}

/**
 * Shares files and folders, a text or a stream. The share is ready when this resolves; it works on
 * its own, and its events tell how.
 *
 * @param source Paths of files and folders, of which a folder is offered under its own name; or
 *   `{ text }`; or `{ stream, name }`, which is read while it is sent. When the client of a stream
 *   is lost in the middle the share ends: it cannot be resumed.
 * @param options Nothing is required.
 * @throws {TypeError} If there is nothing to share, a text or a name cannot be sent, someone else
 *   reads the stream, or an option makes no sense.
 * @throws {TransferError} `read_failed` for a path that is not there or cannot be read, `usage` for
 *   an address or a STUN server that cannot be used or patterns that leave nothing, `no_network`,
 *   `socket_unavailable`, `permission_missing`.
 *
 * @example Share what a program writes
 * ```ts ignore
 * const tar = new Deno.Command("tar", { args: ["c", "photos"], stdout: "piped" }).spawn();
 * const sharing = await share({ stream: tar.stdout, name: "photos.tar" });
 * ```
 */
export async function share(source: ShareSource, options: ShareOptions = {}): Promise<Share> {
  const maxClients = options.maxClients ?? 1;
  // [XFER-20]
  if ("stream" in source && maxClients !== 1) {
    throw new TypeError("Cannot share a stream with more than one client: it can be read once");
  }
  if (!(maxClients >= 1 && (Number.isInteger(maxClients) || maxClients === Infinity))) {
    throw new TypeError(`Cannot share with ${maxClients} clients: a whole number, at least 1`);
  }
  checkLimit(options.limitBytesPerSecond);
  checkLimit(options.clientLimitBytesPerSecond);
  if (options.background && options.congestion !== undefined) {
    throw new TypeError(`Cannot use ${options.congestion} in the background: it does not yield`);
  }
  const help = outsideHelp(options);
  const warnings: TransferEvent[] = [];
  const prepared = await prepareSource(source, options, (warning) => warnings.push(warning));
  let sockets: readonly DatagramSocket[] = [];
  let manual: readonly Candidate[];
  try {
    sockets = await socketsFor(options);
    manual = await readManualCandidates(
      [...options.addresses ?? [], ...options.extraAddresses ?? []],
      {
        bound: sockets.map((socket) => socket.localAddress),
        allowLoopback: options.allowLoopback ?? false,
        resolve: resolveName,
      },
    );
  } catch (error) {
    for (const socket of sockets) socket.close();
    prepared.stream?.close();
    throw error;
  }
  const running = new RunningShare({
    options: { ...options, maxClients },
    help,
    source: prepared,
    sockets,
    manual,
    warnings,
  });
  await running.begin();
  return running;
}

/** Why a share of a stream is over when its client is gone: for the same reason, and for good. */
function streamLostError({ code, message }: ErrorEvent): TransferError {
  return new TransferError(code, `${message}; a stream cannot be resumed`, {
    hint: "Run it again from the beginning, or send a file: that can be resumed",
  });
}

/** How a share sends. */
function sendingOptions(options: ShareOptions): SendingOptions {
  const { background, congestion, clientLimitBytesPerSecond } = options;
  const name = background ? "background" : congestion;
  return {
    ...(name === undefined ? {} : { congestion: name }),
    ...(clientLimitBytesPerSecond === undefined
      ? {}
      : { connectionLimitBytesPerSecond: clientLimitBytesPerSecond }),
  };
}

interface RunningShareParts {
  readonly options: ShareOptions & { readonly maxClients: number };
  readonly help: OutsideHelp;
  readonly source: PreparedSource;
  readonly sockets: readonly DatagramSocket[];
  readonly manual: readonly Candidate[];
  readonly warnings: readonly TransferEvent[];
}

class RunningShare extends Operation implements Share {
  protected readonly live: LiveEndpoint;
  readonly #parts: RunningShareParts;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #provider: CryptoProvider = selectSystemProvider();
  readonly #staticKeys: KeyPair;
  readonly #t: Uint8Array;
  readonly #keys: ShareKeys;
  readonly #watch: NetworkWatch;
  protected readonly extras: ExtraSockets | undefined;
  readonly #tools: SearchTools;
  readonly #places: Places;
  readonly #sessions = new Map<Connection, ShareSession>();
  readonly #lostClients = new LostClients();
  readonly #searches: ShareSearches;
  #code = "";
  #candidates: readonly Candidate[] = [];
  /** Those of the first code, which a client may have. */
  #firstCandidates: readonly Candidate[] = [];
  #sessionCount = 0;
  #servedCount = 0;
  #cancelTimeout = (): void => {};

  constructor(parts: RunningShareParts) {
    super();
    const { options, help, sockets, manual } = parts;
    const random = options.random ?? systemRandom;
    this.#parts = parts;
    this.#random = random;
    this.#places = new Places(options.maxClients);
    this.#clock = options.clock ?? systemClock;
    this.#staticKeys = this.#provider.generateKeyPair(random);
    this.#t = shareCommitment(this.#provider, this.#staticKeys.publicKey);
    this.#keys = deriveShareKeys(this.#provider, this.#t);
    this.live = new LiveEndpoint(
      {
        sockets,
        provider: this.#provider,
        random,
        clock: this.#clock,
        sending: sendingOptions(options),
      },
      (event) => this.#handleEvent(event),
    );
    this.live.endpoint.limit.setRate(this.#clock.now(), options.limitBytesPerSecond);
    this.extras = extraSocketsFor(this.live, options);
    this.#tools = {
      live: this.live,
      clock: this.#clock,
      random,
      provider: this.#provider,
      extras: this.extras,
      budgets: new SprayBudgets(),
    };
    this.#watch = new NetworkWatch({
      ...this.#tools,
      sockets: this.live.localSockets,
      ...help,
      interfaces: options.addresses ? () => [] : listInterfaces,
      manual,
      allowLoopback: options.allowLoopback ?? false,
      onChange: () => this.#handleNetwork(),
    });
    this.#searches = new ShareSearches({
      ...this.#tools,
      watch: this.#watch,
      t: this.#t,
      keys: this.#keys,
      emit: (event) => this.events.push(event),
    });
  }

  get code(): string {
    return this.#code;
  }

  /**
   * Makes the code as soon as enough is known for it, and listens.
   *
   * @throws {TransferError} `no_network` without an address to give.
   */
  async begin(): Promise<void> {
    const { options, warnings } = this.#parts;
    this.watch(options.signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
    await this.#watch.settled;
    if (this.isOver) return;
    if (!this.#makeCode()) {
      await this.finish();
      throw new TransferError(
        "no_network",
        "Cannot make a code: this machine has no address to give",
        { hint: "Connect it to a network, or give an address with --address" },
      );
    }
    for (const warning of warnings) this.events.push(warning);
    this.#tellNetwork();
    this.live.endpoint.listen({ t: this.#t, staticKeys: this.#staticKeys });
    this.#armTimeout();
  }

  addReply(code: string): void {
    if (this.isOver) return;
    const allowLoopback = this.#parts.options.allowLoopback ?? false;
    const decoded = decodeReplyCode(code, this.#keys, { allowLoopback });
    if (!decoded.ok) throw replyProblemError(decoded.problem);
    const reply = decoded.code;
    this.#searches.remember(reply);
    const session = [...this.#sessions.values()].find((session) => session.isOf(reply));
    if (session) session.invite(reply);
    else this.#searches.begin(reply, this.#candidates);
  }

  setLimit(bytesPerSecond: number | undefined): void {
    checkLimit(bytesPerSecond);
    this.live.endpoint.limit.setRate(this.#clock.now(), bytesPerSecond);
    this.live.wake();
  }

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.live.endpoint.stopListening();
    this.#places.close();
    this.#lostClients.close();
    this.#parts.source.stream?.close();
    this.#searches.close();
    wipe(this.#staticKeys.secretKey);
    const sessions = [...this.#sessions.values()];
    await Promise.all([
      this.#watch.close(),
      ...sessions.map((session) =>
        session.abort(
          new TransferError("share_closed", "The share was closed", {
            hint: "Start another share for this client",
          }),
        )
      ),
    ]);
    // A session that mends its path needs them until it has ended.
    wipeShareKeys(this.#keys);
  }

  // ---- the code ----

  /** Makes the code from what is known; false without an address to give. */
  #makeCode(): boolean {
    const candidates = chooseCodeCandidates(this.#watch.known);
    if (candidates.length === 0) return false;
    const isFirst = this.#code === "";
    if (isFirst) this.#firstCandidates = candidates;
    this.#candidates = candidates;
    this.#code = encodeShareCode({ t: this.#t, mappingClass: this.#watch.mapping, candidates });
    this.events.push({
      event: "code",
      code: this.#code,
      addresses: candidates.map(({ address }) => formatSocketAddress(address)),
      ...(isFirst ? {} : { changed: true }),
    });
    return true;
  }

  #handleNetwork(): void {
    if (this.isOver || this.#code === "") return;
    this.#tellNetwork();
    if (areOutdated(this.#candidates, this.#watch.known)) this.#makeCode();
    for (const session of this.#sessions.values()) session.handleNetwork();
  }

  #tellNetwork(): void {
    const event = this.#watch.takeNews();
    if (event !== undefined) this.events.push(event);
  }

  // ---- clients ----

  #handleEvent(event: EndpointEvent): void {
    const session = this.#sessions.get(event.connection);
    switch (event.type) {
      case "accepted":
        return this.#accept(event);
      case "closed":
        return session?.handleClosed(event.end);
      case "path":
        return session?.handlePath(event);
      case "path-lost":
        return session?.handlePathLost(event.silentMs);
    }
  }

  #accept(event: EndpointEvent & { type: "accepted" }): void {
    const { connection, remoteKey } = event;
    if (this.isOver) {
      return connection.close(wireOfErrorCode("share_closed"), "the share was closed");
    }
    const { options, source } = this.#parts;
    this.#cancelTimeout();
    const earlier = this.#earlierSessionOf(remoteKey);
    const search = this.#searches.handleAccepted(event, earlier !== undefined);
    const repair = new PathRepair({
      ...this.#tools,
      watch: this.#watch,
      connection,
      t: this.#t,
      keys: this.#keys,
      clientKey: remoteKey,
    });
    const isOfClient = ({ r }: ReplyCode) => isClientKey(this.#provider, this.#t, r, remoteKey);
    const session = new ShareSession({
      number: ++this.#sessionCount,
      accepted: event,
      options,
      clock: this.#clock,
      source,
      provider: this.#provider,
      places: this.#places,
      isInvited: this.#searches.hasReply(isOfClient),
      earlier,
      isOfClient,
      methodOf: (path) => search?.methodOf(path) ?? this.#methodOf(path),
      accelerationOf: (path) => this.live.accelerationOf(path),
      candidates: () => ({
        // Its code has told the client the others.
        candidates: listCandidates(this.#watch.known).filter(({ address }) =>
          !this.#firstCandidates.some((told) => isSameSocketAddress(told.address, address))
        ),
        sockets: this.live.pathSockets,
      }),
      repair,
      emit: (told) => this.events.push(told),
      onEnd: (how, last) => {
        if (how === "lost") this.#keepOpenFor(remoteKey, session);
        this.#handleSessionEnd({ connection, repair }, how, last);
      },
    });
    this.#sessions.set(connection, session);
    session.start();
  }

  /**
   * Where the client that has proved this key was let in before and lost; perhaps without anybody
   * here having noticed [AGAIN-1].
   */
  #earlierSessionOf(remoteKey: Uint8Array): EarlierSession | undefined {
    for (const session of this.#sessions.values()) {
      if (session.isOfAdmitted(remoteKey)) return session.supersede();
    }
    const number = this.#lostClients.take(remoteKey);
    return number === undefined ? undefined : { number, hasPlace: false };
  }

  /** Remembers a client that was let in and lost, and lets it through where it was. */
  #keepOpenFor(remoteKey: Uint8Array, { number, path }: ShareSession): void {
    const hasSocket = this.live.pathSockets.some(({ index }) => index === path.socket);
    // A session that came by another socket needs that one, which is given back.
    if (this.isOver || !hasSocket) return this.#lostClients.add(remoteKey, number);
    const now = this.#clock.now();
    const r = replyCommitment(this.#provider, this.#t, remoteKey);
    const door = new OpenDoor(now, {
      live: this.live,
      codec: createProbeCodec(this.#tools, { t: this.#t, keys: this.#keys, r }),
      path,
      endsAt: after(now, this.#parts.options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    });
    this.#lostClients.add(remoteKey, number, door);
  }

  /** How a client came that nobody looked for. */
  #methodOf(path: Path): PathMethod {
    const own = { mapping: this.#watch.mapping, candidates: this.#candidates };
    const isInternet = routeTo(path.remote) === "internet";
    return isInternet && hasOpenPort(own, path.remote.family) ? "mapped" : "direct";
  }

  #handleSessionEnd(
    { connection, repair }: { readonly connection: Connection; readonly repair: PathRepair },
    how: SessionEnd,
    last: TransferEvent,
  ): void {
    const { options: { maxClients }, source: { stream } } = this.#parts;
    this.#sessions.delete(connection);
    // A socket of its own is given back once the last words have left through it.
    void this.live.idle().then(() => {
      repair.close();
      this.#searches.endOf(connection);
    });
    if (how === "served") this.#servedCount++;
    if (how === "served" && this.#servedCount >= maxClients && !this.isOver) {
      // Told after the end of whoever waited in vain: how the share ended is its last event.
      void this.finish(last);
      return;
    }
    // Nobody else can have it from its beginning.
    if (last.event === "error" && stream?.isBegun && !this.isOver) {
      return this.#fail(streamLostError(last));
    }
    if (how === "superseded") return; // told by the session that goes on with it
    // The one person this was for has said stop; a client that was lost or refused has not. If
    // somebody else is here already, it goes on for them.
    const isStopped = how === "interrupted" && maxClients === 1 && this.#sessions.size === 0;
    if (isStopped && !this.isOver) {
      const message = "The other side interrupted the transfer";
      return this.#fail(
        new TransferError("interrupted", message, {
          hint: "Send it again when both are ready: what has arrived is kept",
        }),
      );
    }
    this.events.push(last);
    if (this.#sessions.size === 0 && !this.isOver) this.#armTimeout();
  }

  #armTimeout(): void {
    const timeoutMs = this.#parts.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#cancelTimeout = waitUntil(this.#clock, after(this.#clock.now(), timeoutMs), () => {
      const seconds = Math.round(timeoutMs / 1000);
      this.#fail(new TransferError("timed_out", `Nobody came for ${seconds} s`));
    });
  }

  #fail(error: TransferError): void {
    for (const session of this.#sessions.values()) void session.abort(error);
    void this.finish(errorEvent(error, { fatal: true }));
  }
}
