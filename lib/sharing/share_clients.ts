/**
 * The clients of a share: who is connected, who was lost and may come again, and who was sent away.
 * How one gets in is in `admission.ts`, its session in `share_session.ts`.
 *
 * What one client does reaches no other: each has a session of its own, what they have in common
 * (places, questions, sockets, searches) is given out by turns or within bounds, and whatever a
 * session throws ends that session.
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { encodeHex } from "../bytes/hex.ts";
import { isClientKey, replyCommitment } from "../crypto/commitment.ts";
import type { ShareKeys } from "../crypto/share_keys.ts";
import { wipe } from "../crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "../errors.ts";
import type { DoneEvent, TransferEvent } from "../events.ts";
import { ArrivalLimit } from "./arrival_limit.ts";
import { type LostClient, LostClients } from "./lost_clients.ts";
import { hostKey } from "../nat/address.ts";
import { DEFAULT_TIMEOUT_MS } from "../operation/operation.ts";
import type { ClientReport, ShareOptions } from "../options.ts";
import type { OwnCode } from "./own_code.ts";
import type { Connection } from "../protocol/connection.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import type { ReplyCode } from "../rendezvous/reply_code.ts";
import type { RememberOptions, RememberResult } from "../session/session_identity.ts";
import type { ShareIdentity } from "./share_identity.ts";
import type { ShareSearches } from "./share_searches.ts";
import type { ShareTaking } from "./client_halves.ts";
import { whoGivesWay } from "./door_room.ts";
import type { SessionEnd } from "./half_ends.ts";
import type { ShareDoor } from "./share_door.ts";
import { type EarlierSession, ShareSession } from "./share_session.ts";
import type { PreparedSource } from "../session/share_source.ts";
import { after, type Instant } from "../time.ts";
import type { SharedReading } from "../transfer/sending/shared_reading.ts";
import type { NetworkWatch } from "../traversal/network_watch.ts";
import { OpenDoor } from "../traversal/open_door.ts";
import { PathRepair } from "../traversal/path_repair.ts";
import { createProbeCodec, type SearchTools } from "../traversal/search_tools.ts";

/** How long the sockets of a session are kept for its last words, which may be lost and asked for, ms. */
const LAST_WORDS_MS = 1000;

/** What the clients of a share have in common. */
export interface ShareClientsParts {
  readonly tools: SearchTools;
  readonly watch: NetworkWatch;
  /** The share's commitment. */
  readonly t: Uint8Array;
  /** Wiped by the share, after {@linkcode ShareClients.close}. */
  readonly keys: ShareKeys;
  readonly code: OwnCode;
  readonly options: ShareOptions;
  readonly source: PreparedSource;
  readonly reading: SharedReading;
  /** Where what clients offer goes; undefined when nothing is taken. */
  readonly taking: ShareTaking | undefined;
  readonly identity: ShareIdentity;
  readonly door: ShareDoor;
  readonly searches: ShareSearches;
  readonly emit: (event: TransferEvent) => void;
  /**
   * Called when a session is over, with its last event, which is the share's to tell.
   *
   * @param session Whether the client was let in, and what went well.
   */
  readonly onEnd: (
    how: SessionEnd,
    last: TransferEvent,
    session: { readonly wasIn: boolean; readonly dones: readonly DoneEvent[] },
  ) => void;
}

/** The clients of one share. */
export class ShareClients {
  readonly #parts: ShareClientsParts;
  readonly #sessions = new Map<Connection, ShareSession>();
  readonly #lost = new LostClients();
  readonly #arrivals = new ArrivalLimit();
  /** Keys of clients that were sent away, hexadecimal. */
  readonly #banned = new Set<string>();
  /** Sockets to be given back. */
  readonly #releases = new Set<() => void>();
  #sessionCount = 0;
  /** Why nobody new is let in; undefined as long as they are. */
  #closedFor: string | undefined;

  /** Knows nobody at first. */
  constructor(parts: ShareClientsParts) {
    this.#parts = parts;
  }

  /** How many are connected. */
  get count(): number {
    return this.#sessions.size;
  }

  /** What they are at this moment, in the order they came. */
  get reports(): ClientReport[] {
    return Array.from(this.#sessions.values(), (session) => session.report);
  }

  /** Until when somebody is waited for who was let in and lost; long ago when there is nobody. */
  get lostUntil(): Instant {
    return this.#lost.endsAt;
  }

  /** Takes what the endpoint tells of a client. */
  handleEvent(event: EndpointEvent): void {
    if (event.type === "accepted") return this.#accept(event);
    const session = this.#sessions.get(event.connection);
    if (session === undefined) return;
    try {
      if (event.type === "closed") session.handleClosed(event.end);
      else if (event.type === "path") session.handlePath(event);
      else if (event.type === "path-lost") session.handlePathLost(event.silentMs);
    } catch (error) {
      session.crash(error);
    }
  }

  /** What is known of the ways to this machine has changed. */
  handleNetwork(): void {
    for (const session of this.#sessions.values()) session.handleNetwork();
  }

  /** A reply code was pasted: its client, if it is here, is invited, and looked for if it is not. */
  addReply(reply: ReplyCode): void {
    const { searches, code } = this.#parts;
    searches.remember(reply);
    const session = this.#all.find((session) => session.isOf(reply));
    if (session) session.invite(reply);
    else searches.begin(reply, code.candidates);
  }

  /** Sends a client away for good, also one that was lost; false when there is none. */
  kick(number: number): boolean {
    const session = this.#find(number);
    const lost = session === undefined ? this.#lost.takeOf(number) : undefined;
    const known = session ?? lost;
    if (known === undefined) return false;
    const { emit, identity } = this.#parts;
    this.#banned.add(encodeHex(known.key));
    emit({ event: "kicked", session: number, address: known.address });
    const fingerprint = known.identity?.fingerprint;
    if (fingerprint !== undefined) identity.ban(fingerprint);
    const error = () =>
      new TransferError("refused", "The client was sent away", { hint: SENT_AWAY_HINT });
    void session?.abort(error());
    for (const other of this.#all) {
      const isPerson = fingerprint !== undefined && other.identity?.fingerprint === fingerprint;
      const isProgram = constantTimeEqual(other.key, known.key);
      if (isProgram || (isPerson && !other.isIn)) void other.abort(error());
    }
    return true;
  }

  /** Remembers who a client has proved to be; see `Share.remember`. */
  async remember(number: number, how: RememberOptions): Promise<RememberResult> {
    const session = this.#find(number);
    if (session !== undefined) return await session.remember(how);
    throw new TransferError("usage", `Cannot remember client ${number}: it is not there`);
  }

  /**
   * Lets nobody new in: who is not in is turned away. Who was let in and lost may come again.
   *
   * @param reason For people at both sides.
   * @returns How many are in.
   */
  closeDoor(reason: string): number {
    this.#closedFor = reason;
    const others = this.#all.filter((session) => !session.isIn);
    for (const session of others) void session.abort(closedError(reason));
    return this.count - others.length;
  }

  /** Ends all sessions, for whatever reason. */
  abort(error: TransferError): void {
    for (const session of this.#all) void session.abort(error);
  }

  /** Ends all sessions, and gives back what they hold once their last words have left. */
  async close(error: TransferError): Promise<void> {
    this.#lost.close();
    await Promise.all(this.#all.map((session) => session.abort(error)));
    await this.#parts.tools.live.idle();
    for (const release of this.#releases) release();
  }

  get #all(): ShareSession[] {
    return [...this.#sessions.values()];
  }

  #find(number: number): ShareSession | undefined {
    return this.#all.find((session) => session.number === number);
  }

  // ---- coming ----

  #accept(event: EndpointEvent & { readonly type: "accepted" }): void {
    const { connection, remoteKey } = event;
    if (this.#banned.has(encodeHex(remoteKey))) return turnAway(event, "refused", "sent away");
    const earlier = this.#earlierSessionOf(remoteKey);
    if (earlier === undefined && this.#closedFor !== undefined) {
      return turnAway(event, "share_closed", this.#closedFor);
    }
    if (earlier === undefined && this.#comesTooOften(event)) {
      return turnAway(event, "limit_exceeded", "too many came from there in a minute");
    }
    if (earlier === undefined && !this.#makeRoom(hostKey(connection.path.remote))) {
      return turnAway(event, "limit_exceeded", "too many wait to be let in");
    }
    const session = this.#begin(event, earlier);
    this.#sessions.set(connection, session);
    try {
      session.start();
    } catch (error) {
      session.crash(error);
    }
  }

  #begin(
    accepted: EndpointEvent & { readonly type: "accepted" },
    earlier: EarlierSession | undefined,
  ): ShareSession {
    const {
      tools,
      watch,
      t,
      keys,
      code,
      options,
      source,
      reading,
      taking,
      identity,
      door,
      searches,
      emit,
    } = this.#parts;
    const { live, clock, provider } = tools;
    const { connection, remoteKey } = accepted;
    const search = searches.handleAccepted(accepted, earlier !== undefined);
    const repair = new PathRepair({ ...tools, watch, connection, t, keys, clientKey: remoteKey });
    const isOfClient = ({ r }: ReplyCode) => isClientKey(provider, t, r, remoteKey);
    const number = ++this.#sessionCount;
    const session = new ShareSession({
      number,
      accepted,
      identity: identity.begin(number, accepted, emit),
      allowed: identity.allowed,
      options,
      clock,
      source,
      reading,
      taking,
      provider,
      door,
      isInvited: searches.hasReply(isOfClient),
      earlier,
      isOfClient,
      methodOf: (path) => search?.methodOf(path) ?? code.methodOf(path),
      accelerationOf: (path) => live.accelerationOf(path),
      // Its code has told the client the others.
      candidates: () => ({ candidates: code.untold, sockets: live.pathSockets }),
      repair,
      emit,
      onEnd: (...end) => this.#handleEnd(session, repair, ...end),
    });
    return session;
  }

  /**
   * Where the client that has proved this key was let in before and lost; perhaps without anybody
   * here having noticed [AGAIN-1].
   */
  #earlierSessionOf(remoteKey: Uint8Array): EarlierSession | undefined {
    const session = this.#all.find((session) => session.isOfAdmitted(remoteKey));
    if (session !== undefined) return session.supersede();
    const lost = this.#lost.take(remoteKey);
    return lost && { number: lost.session, hasPlace: false, taking: lost.taking };
  }

  /** Whether too many of its host were not let in of late, and its reply code was not pasted. */
  #comesTooOften(
    { connection, remoteKey }: EndpointEvent & { readonly type: "accepted" },
  ): boolean {
    const { tools: { clock, provider }, searches, t, emit } = this.#parts;
    const { remote } = connection.path;
    const refusal = this.#arrivals.refuses(hostKey(remote), clock.now());
    if (refusal === false) return false;
    if (searches.hasReply(({ r }) => isClientKey(provider, t, r, remoteKey))) return false;
    if (refusal === "first") {
      const message = `Too many connections from ${remote.host} were not let in: ` +
        "more of them are turned away for a minute";
      emit({ event: "warning", code: "too_many_connections", message });
    }
    return true;
  }

  /**
   * Makes room before the door, where it is full of clients that nobody has let in.
   *
   * @returns False when who comes is to stay outside.
   */
  #makeRoom(host: string): boolean {
    const atDoor = this.#all.filter((session) => !session.isIn && !session.isInvited);
    const leaver = whoGivesWay(atDoor, host);
    if (leaver === "newcomer") return false;
    if (leaver !== "nobody") {
      void leaver.abort(new TransferError("limit_exceeded", "Too many wait to be let in"));
    }
    return true;
  }

  // ---- going ----

  #handleEnd(
    session: ShareSession,
    repair: PathRepair,
    how: SessionEnd,
    last: TransferEvent,
    dones: readonly DoneEvent[],
  ): void {
    const { tools: { clock }, searches, onEnd } = this.#parts;
    const { connection } = session;
    this.#sessions.delete(connection);
    if (!session.isIn) this.#arrivals.note(session.host, clock.now());
    const release = () => {
      cancel();
      this.#releases.delete(release);
      repair.close();
      searches.endOf(connection);
    };
    const cancel = clock.setTimer(after(clock.now(), LAST_WORDS_MS), release);
    this.#releases.add(release);
    if (how === "lost") this.#keepOpenFor(session);
    onEnd(how, last, { wasIn: session.isIn, dones });
  }

  /** Remembers a client that was let in and lost, and lets it through where it was. */
  #keepOpenFor(session: ShareSession): void {
    const { key, number, path, address, identity, takingRun: taking } = session;
    const { tools, t, keys, options: { timeoutMs = DEFAULT_TIMEOUT_MS } } = this.#parts;
    const { live, clock, provider } = tools;
    const now = clock.now();
    const endsAt = after(now, timeoutMs);
    const client: LostClient = { key, session: number, address, identity, endsAt, taking };
    // A session that came by another socket needs that one, which is given back.
    const hasSocket = live.pathSockets.some(({ index }) => index === path.socket);
    if (!hasSocket) return this.#lost.add(client);
    const codec = createProbeCodec(tools, { t, keys, r: replyCommitment(provider, t, key) });
    this.#lost.add({ ...client, door: new OpenDoor(now, { live, codec, path, endsAt }) });
  }
}

const SENT_AWAY_HINT = "It is let in no more while this share runs; start another one for it";

function closedError(reason: string): TransferError {
  return new TransferError("share_closed", `The client was not let in: ${reason}`, {
    hint: "Start another share for it",
  });
}

/** Ends a connection with which no session is begun. */
function turnAway(
  { connection, exporter }: EndpointEvent & { readonly type: "accepted" },
  code: "share_closed" | "refused" | "limit_exceeded",
  reason: string,
): void {
  if (exporter) wipe(exporter);
  connection.close(wireOfErrorCode(code), reason);
}
