/**
 * What a sharer does when a reply code was pasted: looks for that client, and knows it by its key
 * when it comes.
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { encodeHex } from "../bytes/hex.ts";
import { isClientKey } from "../crypto/commitment.ts";
import type { ShareKeys } from "../crypto/share_keys.ts";
import type { Candidate } from "../nat/candidate.ts";
import { judgePair, type PairOutlook } from "../nat/pair_outlook.ts";
import { isSamePath, type Path } from "../nat/path.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Connection } from "../protocol/connection.ts";
import type { ReplyCode } from "../rendezvous/reply_code.ts";
import type { NetworkWatch } from "./network_watch.ts";
import { Punching } from "./punching.ts";
import { createProbeCodec, type SearchTools } from "./search_tools.ts";

/** Bytes of a client's name: enough to tell a handful apart. */
const NAME_BYTES = 2;

/** How long a stepping NAT's newest port is waited for before the search begins, ms. */
const FRESH_PORT_LIMIT_MS = 400;

/** What a search needs. */
export interface ClientSearchOptions extends SearchTools {
  readonly watch: NetworkWatch;
  /** The share's commitment. */
  readonly t: Uint8Array;
  readonly keys: ShareKeys;
  /** What the share's code says of this side. */
  readonly own: { readonly candidates: readonly Candidate[] };
  /** The pasted code. */
  readonly reply: ReplyCode;
  /** The client was not found. */
  readonly onExhausted: () => void;
}

/** The search for the client of one reply code. */
export class ClientSearch {
  /** What to expect. */
  readonly outlook: PairOutlook;
  /** The session of the client, once it came. */
  connection: Connection | undefined;
  readonly #options: ClientSearchOptions;
  /** Where it heard the client; as few as the punching machine remembers. */
  readonly #heard: Path[] = [];
  #punching: Punching | undefined;
  #hasBegun = false;
  #isOver = false;

  /** Judges what to expect; {@linkcode ClientSearch.begin} begins. */
  constructor(options: ClientSearchOptions) {
    const { watch, own, reply } = options;
    this.#options = options;
    this.outlook = judgePair(
      { mapping: watch.mapping, candidates: own.candidates },
      { mapping: reply.mappingClass, candidates: reply.candidates },
    );
  }

  /** Whether it looks for the client, or has found it. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Names the client for people, until it is connected. */
  get name(): string {
    return encodeHex(this.#options.reply.r.subarray(0, NAME_BYTES));
  }

  /** Whether it is the search for the client of this code. */
  isOf({ r }: ReplyCode): boolean {
    return constantTimeEqual(r, this.#options.reply.r);
  }

  /** Whether a key is that of the client. */
  isFor(clientKey: Uint8Array): boolean {
    const { provider, t, reply } = this.#options;
    return isClientKey(provider, t, reply.r, clientKey);
  }

  /** Whether it heard the client on a path. */
  hasFound(path: Path): boolean {
    return this.#heard.some((heard) => isSamePath(heard, path));
  }

  /** How a path came about; undefined when it was not by this search. */
  methodOf(path: Path): PathMethod | undefined {
    return this.#punching?.methodOf(path);
  }

  /** The client came: ends the search, and keeps the socket its session uses. */
  handleConnected(connection: Connection): void {
    this.connection = connection;
    this.#isOver = true;
    this.#punching?.stop(connection.path.socket);
  }

  /** Ends the search and gives back all it holds. */
  stop(): void {
    this.#isOver = true;
    this.#punching?.stop();
  }

  /** Begins to look, unless the client came meanwhile. */
  async begin(): Promise<void> {
    if (this.#isOver) return;
    this.#hasBegun = true;
    const { watch, reply } = this.#options;
    const isLockstep = watch.mapping === "port_dependent_stepping" &&
      reply.mappingClass === "port_dependent_stepping";
    const newest = isLockstep ? await this.#newestPort() : undefined;
    if (!this.#isOver) this.#punch(newest);
  }

  /** How far the ports of this side's NAT have come, by a socket that never sent before. */
  async #newestPort(): Promise<number | undefined> {
    const { extras, watch } = this.#options;
    const [socket] = await extras?.take(4, 1) ?? [];
    if (socket === undefined) return undefined;
    const address = await watch.freshPort(socket, FRESH_PORT_LIMIT_MS);
    extras!.release(socket);
    return address?.port;
  }

  #punch(newest: number | undefined): void {
    const { live, clock, random, extras, budgets, watch, t, keys, own, reply } = this.#options;
    const inCode = own.candidates.find(({ kind, address }) =>
      kind === "reflexive" && address.family === 4
    )?.address.port;
    this.#punching = new Punching({
      live,
      clock,
      extras,
      machine: {
        role: "sharer",
        codec: createProbeCodec(this.#options, { t, keys, r: reply.r }),
        random,
        sockets: live.pathSockets,
        local: { mapping: watch.mapping, candidates: own.candidates },
        remote: { mapping: reply.mappingClass, candidates: reply.candidates },
        budgetFor: budgets.of,
        ...(newest === undefined || inCode === undefined
          ? {}
          : { currentPort: newest, codePort: inCode }),
      },
      // The client begins the handshake: it is enough that it hears us.
      onHeard: (path) => {
        if (!this.hasFound(path)) this.#heard.push(path);
      },
      onExhausted: this.#options.onExhausted,
    });
  }
}
