/**
 * A share that runs: its sockets, its code, its clients, and its end. Where the layers meet on the
 * sharer's side.
 *
 * ```
 *  begin() ──▶ open ── expiresMs, stopAdmitting() ──▶ closing ── nobody is in any more ──┐
 *               │                                        │                               ▼
 *               └─ taken as often as it may be, close(), signal, timeoutMs, a failure ─▶ over
 * ```
 */
import type { CryptoProvider, KeyPair } from "../crypto/provider.ts";
import { deriveShareKeys, type ShareKeys, wipeShareKeys } from "../crypto/share_keys.ts";
import { wipe } from "../crypto/wipe.ts";
import { TransferError } from "../errors.ts";
import type { ClosedEvent, DoneEvent, ErrorEvent, TransferEvent } from "../events.ts";
import type { Candidate } from "../nat/candidate.ts";
import { checkLimit, errorEvent, extraSocketsFor, Operation } from "../operation/operation.ts";
import type { ClientReport, ShareOptions } from "../options.ts";
import { OwnCode } from "./own_code.ts";
import { waitUntil } from "../operation/patience.ts";
import { replyProblemError } from "../rendezvous/code_error.ts";
import { decodeReplyCode } from "../rendezvous/reply_code.ts";
import type { RememberOptions, RememberResult } from "../session/session_identity.ts";
import type { Share } from "./share_operation.ts";
import { ShareClients } from "./share_clients.ts";
import { openDoor, type ShareDoor } from "./share_door.ts";
import type { ShareIdentity } from "./share_identity.ts";
import { ShareSearches } from "./share_searches.ts";
import type { SessionEnd } from "./half_ends.ts";
import type { PreparedSource } from "../session/share_source.ts";
import { ShareTally } from "./share_tally.ts";
import { after } from "../time.ts";
import { DenoStorage } from "../storage/deno_storage.ts";
import { TAKING_BUFFER_BYTES, TAKING_WINDOW_BYTES } from "../transfer/limits.ts";
import { NameClaims } from "../transfer/own_names.ts";
import { ListRoom } from "../transfer/receiving/list_room.ts";
import { SharedReading } from "../transfer/sending/shared_reading.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import type { ExtraSockets } from "../transport/extra_sockets.ts";
import { LiveEndpoint, type SendingOptions } from "../transport/live_endpoint.ts";
import { systemRandom } from "../transport/random.ts";
import type { DatagramSocket } from "../transport/socket.ts";
import { NetworkWatch } from "../traversal/network_watch.ts";
import type { OutsideHelp } from "../traversal/outside_help.ts";
import type { SearchTools } from "../traversal/search_tools.ts";
import { SprayBudgets } from "../traversal/spray_budgets.ts";
import { listInterfaces } from "../traversal/system_network.ts";

/** What a share runs with. All that is opened is its own from now on. */
export interface RunningShareParts {
  readonly options: ShareOptions & { readonly maxClients: number; readonly readLimit: number };
  /** Whether it goes on after a client was served, and tells at the end how it went. */
  readonly isForMany: boolean;
  readonly provider: CryptoProvider;
  readonly identity: ShareIdentity;
  readonly help: OutsideHelp;
  readonly source: PreparedSource;
  readonly sockets: readonly DatagramSocket[];
  /** Addresses that were given by hand. */
  readonly manual: readonly Candidate[];
  /** What is told after the code. */
  readonly warnings: readonly TransferEvent[];
}

/** A share under way. */
export class RunningShare extends Operation implements Share {
  protected readonly live: LiveEndpoint;
  protected readonly extras: ExtraSockets | undefined;
  readonly #parts: RunningShareParts;
  readonly #clock: Clock;
  readonly #staticKeys: KeyPair;
  readonly #t: Uint8Array;
  readonly #keys: ShareKeys;
  readonly #watch: NetworkWatch;
  readonly #code: OwnCode;
  readonly #door: ShareDoor;
  readonly #searches: ShareSearches;
  readonly #clients: ShareClients;
  readonly #tally: ShareTally;
  /** Why nobody new is let in; undefined as long as they are. */
  #closingFor: "closed" | "expired" | undefined;
  #cancelTimeout = (): void => {};
  #cancelExpiry = (): void => {};

  /** @param parts What it runs with. */
  constructor(parts: RunningShareParts) {
    super();
    const { options, provider, help, sockets, manual, identity, source } = parts;
    const random = options.random ?? systemRandom;
    const clock = options.clock ?? systemClock;
    const emit = (event: TransferEvent) => this.events.push(event);
    this.#parts = parts;
    this.#clock = clock;
    this.#tally = new ShareTally(clock.now());
    this.#staticKeys = provider.generateKeyPair(random);
    this.#t = identity.tOf(this.#staticKeys.publicKey);
    this.#keys = deriveShareKeys(provider, this.#t);
    this.live = new LiveEndpoint(
      { sockets, provider, random, clock, sending: sendingOptions(options) },
      (event) => {
        this.#clients.handleEvent(event);
        if (this.#clients.count > 0) this.#cancelTimeout();
      },
    );
    this.live.endpoint.limit.setRate(clock.now(), options.limitBytesPerSecond);
    this.extras = extraSocketsFor(this.live, options);
    const budgets = new SprayBudgets();
    const tools: SearchTools = {
      live: this.live,
      clock,
      random,
      provider,
      extras: this.extras,
      budgets,
    };
    this.#watch = new NetworkWatch({
      ...tools,
      sockets: this.live.localSockets,
      ...help,
      interfaces: options.addresses ? () => [] : listInterfaces,
      manual,
      allowLoopback: options.allowLoopback ?? false,
      onChange: () => this.#handleNetwork(),
    });
    const common = { tools, watch: this.#watch, t: this.#t, keys: this.#keys, emit };
    this.#code = new OwnCode({
      network: this.#watch,
      encode: (content) => identity.encodeCode({ t: this.#t, ...content }),
      emit,
    });
    this.#searches = new ShareSearches({ ...tools, ...common });
    this.#door = openDoor(options);
    this.#clients = new ShareClients({
      ...common,
      code: this.#code,
      options,
      source,
      reading: new SharedReading({ ...source, crypto: provider }),
      identity,
      door: this.#door,
      searches: this.#searches,
      taking: options.take && {
        storage: options.storage ?? new DenoStorage(),
        listRoom: new ListRoom(),
        claims: new NameClaims(),
        bufferBytes: TAKING_BUFFER_BYTES,
      },
      onEnd: (how, last, session) => this.#handleSessionEnd(how, last, session),
    });
  }

  get code(): string {
    return this.#code.text;
  }

  get clients(): readonly ClientReport[] {
    return this.#clients.reports;
  }

  /**
   * Makes the code as soon as enough is known for it, and listens.
   *
   * @throws {TransferError} `no_network` without an address to give.
   */
  async begin(): Promise<void> {
    const { options: { signal, expiresMs }, warnings, identity } = this.#parts;
    this.watch(signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
    await this.#watch.settled;
    if (this.isOver) return;
    if (!this.#code.make()) {
      await this.finish();
      throw new TransferError(
        "no_network",
        "Cannot make a code: this machine has no address to give",
        { hint: "Connect it to a network, or give an address with --address" },
      );
    }
    for (const warning of warnings) this.events.push(warning);
    this.#code.tellNetwork();
    const { isExported } = identity;
    this.live.endpoint.listen({ t: this.#t, staticKeys: this.#staticKeys, isExported });
    this.#armTimeout();
    if (expiresMs === undefined) return;
    const expiresAt = after(this.#clock.now(), expiresMs);
    this.#cancelExpiry = this.#clock.setTimer(expiresAt, () => this.#closeDoor("expired"));
  }

  addReply(code: string): void {
    if (this.isOver) return;
    const allowLoopback = this.#parts.options.allowLoopback ?? false;
    const decoded = decodeReplyCode(code, this.#keys, { allowLoopback });
    if (!decoded.ok) throw replyProblemError(decoded.problem);
    this.#clients.addReply(decoded.code);
  }

  setLimit(bytesPerSecond: number | undefined): void {
    checkLimit(bytesPerSecond);
    this.live.endpoint.limit.setRate(this.#clock.now(), bytesPerSecond);
    this.live.wake();
  }

  kick(session: number): boolean {
    const isKnown = this.#clients.kick(session);
    this.#endIfEmpty();
    return isKnown;
  }

  async remember(session: number, how: RememberOptions): Promise<RememberResult> {
    return await this.#clients.remember(session, how);
  }

  stopAdmitting(): void {
    this.#closeDoor("closed");
  }

  override close(): Promise<void> {
    return this.#end("closed");
  }

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.#cancelExpiry();
    this.live.endpoint.stopListening();
    this.#door.places.close();
    this.#parts.source.stream?.close();
    this.#searches.close();
    wipe(this.#staticKeys.secretKey);
    const error = new TransferError("share_closed", "The share was closed", {
      hint: "Start another share for this client",
    });
    await Promise.all([this.#watch.close(), this.#clients.close(error)]);
    await this.#parts.identity.close();
    // A session that mends its path needs them until it has ended.
    wipeShareKeys(this.#keys);
  }

  #handleNetwork(): void {
    if (this.isOver || this.code === "") return;
    this.#code.handleNetwork();
    this.#clients.handleNetwork();
  }

  // ---- the end ----

  #handleSessionEnd(
    how: SessionEnd,
    last: TransferEvent,
    { wasIn, dones }: { readonly wasIn: boolean; readonly dones: readonly DoneEvent[] },
  ): void {
    const { isForMany, source: { stream } } = this.#parts;
    if (how === "served") this.#tally.add(dones);
    if (how === "served" && this.#door.places.isUsedUp && !this.isOver) {
      // Told after the end of whoever waited in vain: how `send` ended is its last event.
      void this.#end("served", last);
      return;
    }
    // Nobody else can have it from its beginning.
    if (last.event === "error" && wasIn && stream?.isBegun && !this.isOver) {
      return this.#fail(streamLostError(last));
    }
    // Told by the session that goes on with it.
    if (how === "superseded") return;
    // The one person this was for has said stop; a client that was lost or refused has not. If
    // somebody else is here already, it goes on for them.
    const isStopped = how === "interrupted" && !isForMany && this.#clients.count === 0;
    if (isStopped && !this.isOver) {
      const message = "The other side interrupted the transfer";
      return this.#fail(
        new TransferError("interrupted", message, {
          hint: "Send it again when both are ready: what has arrived is kept",
        }),
      );
    }
    this.events.push(last);
    if (this.#clients.count === 0) this.#armTimeout();
    this.#endIfEmpty();
  }

  /** Nobody new is let in from now on. */
  #closeDoor(reason: "closed" | "expired"): void {
    if (this.isOver || this.#closingFor !== undefined) return;
    this.#closingFor = reason;
    this.#cancelTimeout();
    const { lostUntil } = this.#clients;
    const why = reason === "expired" ? "its time is up" : "it takes nobody new";
    const clients = this.#clients.closeDoor(why);
    if (clients > 0 || lostUntil > this.#clock.now()) {
      this.events.push({ event: "closing", reason, clients });
    }
    this.#endIfEmpty();
  }

  /** Ends the share that lets nobody new in once nobody is in, and nobody may come again. */
  #endIfEmpty(): void {
    if (this.#closingFor === undefined || this.isOver || this.#clients.count > 0) return;
    this.#cancelTimeout();
    const { lostUntil } = this.#clients;
    if (lostUntil <= this.#clock.now()) void this.#end(this.#closingFor);
    else this.#cancelTimeout = waitUntil(this.#clock, lostUntil, () => this.#endIfEmpty());
  }

  #armTimeout(): void {
    const { timeoutMs } = this.#parts.options;
    this.#cancelTimeout();
    if (timeoutMs === undefined || this.isOver) return;
    this.#cancelTimeout = waitUntil(this.#clock, after(this.#clock.now(), timeoutMs), () => {
      const seconds = Math.round(timeoutMs / 1000);
      this.#fail(new TransferError("timed_out", `Nobody came for ${seconds} s`));
    });
  }

  #fail(error: TransferError): void {
    this.#clients.abort(error);
    const reason = error.code === "interrupted" ? "interrupted" : "failed";
    void this.#end(reason, errorEvent(error, { fatal: true }));
  }

  /**
   * Ends it.
   *
   * @param last What is told last, or right before a share for many tells how it went.
   */
  #end(reason: ClosedEvent["reason"], last?: TransferEvent): Promise<void> {
    return this.finish(() => {
      if (!this.#parts.isForMany) return last;
      if (last) this.events.push(last);
      const failure = last?.event === "error" ? last : undefined;
      return this.#tally.closedEvent(this.#clock.now(), reason, failure);
    });
  }
}

/** How a share sends. */
function sendingOptions(options: ShareOptions): SendingOptions {
  const { background, congestion, clientLimitBytesPerSecond } = options;
  const name = background ? "background" : congestion;
  return {
    ...(name === undefined ? {} : { congestion: name }),
    maxBlockWindowBytes: TAKING_WINDOW_BYTES,
    ...(clientLimitBytesPerSecond === undefined
      ? {}
      : { connectionLimitBytesPerSecond: clientLimitBytesPerSecond }),
  };
}

/** Why a share of a stream is over when its client is gone: for the same reason, and for good. */
function streamLostError({ code, message }: ErrorEvent): TransferError {
  return new TransferError(code, `${message}; a stream cannot be resumed`, {
    hint: "Run it again from the beginning, or send a file: that can be resumed",
  });
}
