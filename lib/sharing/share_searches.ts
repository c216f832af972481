/** The reply codes that were pasted into a share, and the searches for their clients. */
import { constantTimeEqual } from "../bytes/equal.ts";
import type { ShareKeys } from "../crypto/share_keys.ts";
import type { TransferEvent } from "../events.ts";
import { formatSocketAddress } from "../nat/address.ts";
import type { Candidate } from "../nat/candidate.ts";
import type { Connection } from "../protocol/connection.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import type { ReplyCode } from "../rendezvous/reply_code.ts";
import { ClientSearch } from "../traversal/client_search.ts";
import type { NetworkWatch } from "../traversal/network_watch.ts";
import type { SearchTools } from "../traversal/search_tools.ts";

/** Clients looked for at a time, others wait: a paste of a hundred lines shall not be a flood. */
const MAX_ACTIVE_SEARCHES = 8;

/** Reply codes a share remembers; clients of older ones are as strange as any. */
const MAX_REPLIES = 256;

/** What the searches of a share need. */
export interface ShareSearchesOptions extends SearchTools {
  readonly watch: NetworkWatch;
  /** The share's commitment. */
  readonly t: Uint8Array;
  readonly keys: ShareKeys;
  readonly emit: (event: TransferEvent) => void;
}

/** All searches of one share. */
export class ShareSearches {
  readonly #options: ShareSearchesOptions;
  /** Pasted reply codes, newest last: their clients are admitted. */
  readonly #replies: ReplyCode[] = [];
  /** In the order of their turns: that in which their codes were pasted. */
  readonly #searches: ClientSearch[] = [];

  /** @param options What they work with. */
  constructor(options: ShareSearchesOptions) {
    this.#options = options;
  }

  /** Notes a reply code: its client is invited from now on. */
  remember(reply: ReplyCode): void {
    const known = this.#replies.findIndex(({ r }) => constantTimeEqual(r, reply.r));
    if (known >= 0) this.#replies.splice(known, 1);
    this.#replies.push(reply);
    if (this.#replies.length > MAX_REPLIES) this.#replies.shift();
  }

  /** Whether a reply code was pasted that is wanted. */
  hasReply(isWanted: (reply: ReplyCode) => boolean): boolean {
    return this.#replies.some(isWanted);
  }

  /**
   * Looks for the client of a reply code, when it is its turn. A turn ends when the client comes, or
   * after 30 s, 40 s where somebody was heard (`lib/nat/punch`): so everybody's comes.
   *
   * @param candidates Those of the share's code.
   */
  begin(reply: ReplyCode, candidates: readonly Candidate[]): void {
    const known = this.#searches.findIndex((search) => search.isOf(reply));
    const before = known < 0 ? undefined : this.#searches.splice(known, 1)[0]!;
    before?.stop();
    // One that waits keeps its place; one whose turn it was goes behind those that wait.
    const place = before === undefined || before.hasBegun ? this.#searches.length : known;
    const search = new ClientSearch({
      ...this.#options,
      own: { candidates },
      reply,
      onExhausted: () => this.#giveUp(search),
    });
    const { outlook } = search;
    if (outlook.method === "impossible") {
      const message = `The client behind that code cannot be reached. ${outlook.advice?.text}`;
      this.#options.emit({ event: "warning", code: "cannot_meet", message });
      return this.#beginNext(); // the one before it may have had a turn
    }
    this.#searches.splice(place, 0, search);
    const unmet = this.#searches.filter(({ connection }) => connection === undefined);
    if (unmet.length > MAX_REPLIES) this.#giveUp(unmet[0]!);
    this.#options.emit({
      event: "reply",
      client: search.name,
      addresses: reply.candidates.map(({ address }) => formatSocketAddress(address)),
      expected: outlook.isUncertain ? "unknown" : outlook.method,
    });
    const { advice } = outlook;
    if (outlook.isUncertain && advice) {
      this.#options.emit({ event: "warning", code: advice.problem, message: advice.text });
    }
    this.#beginNext();
  }

  /** Begins the searches whose turn it is. */
  #beginNext(): void {
    const unmet = this.#searches.filter(({ connection }) => connection === undefined);
    const active = unmet.filter(({ hasBegun }) => hasBegun).length;
    const next = unmet.filter(({ hasBegun }) => !hasBegun).slice(0, MAX_ACTIVE_SEARCHES - active);
    for (const search of next) void search.begin();
  }

  #giveUp(search: ClientSearch): void {
    const index = this.#searches.indexOf(search);
    if (index < 0) return;
    this.#searches.splice(index, 1);
    search.stop();
    this.#beginNext();
    this.#options.emit({
      event: "warning",
      code: "client_not_found",
      message: `No way to client ${search.name} was found: ` +
        "have it receive again, and paste the reply code it shows then",
    });
  }

  /**
   * Ends the search that led a client here. One that was let in before keeps its key, whatever
   * reply code it showed since: then the path tells.
   *
   * @returns The search; undefined when the client came by itself.
   */
  handleAccepted(
    { remoteKey, connection }: Pick<
      EndpointEvent & { type: "accepted" },
      "remoteKey" | "connection"
    >,
    hasReturned: boolean,
  ): ClientSearch | undefined {
    const isFree = ({ connection }: ClientSearch) => connection === undefined;
    const found = this.#searches.find((search) => isFree(search) && search.isFor(remoteKey)) ??
      (hasReturned
        ? this.#searches.find((search) => isFree(search) && search.hasFound(connection.path))
        : undefined);
    found?.handleConnected(connection);
    this.#beginNext();
    return found;
  }

  /** A session is over: gives back what its search kept for it. */
  endOf(connection: Connection): void {
    const index = this.#searches.findIndex((search) => search.connection === connection);
    if (index >= 0) this.#searches.splice(index, 1)[0]!.stop();
  }

  /** Ends all of them. */
  close(): void {
    // Of a search that found its client a socket may be left: last words are to go through it.
    for (const search of this.#searches.splice(0)) if (!search.connection) search.stop();
  }
}
