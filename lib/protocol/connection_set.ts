/**
 * The connections of one endpoint: whose turn it is to send, which of them have news, and when the
 * next one must be looked at. What a call costs grows with what has changed, not with how many
 * connections there are: those that nothing happened to are not asked.
 *
 * Turns are fair by bytes (start-time fair queueing, Goyal, Vin and Cheng, 1996): each connection has
 * a mark that moves on by what it sends, the lowest is next, and one that had nothing to send begins
 * where the others are. Marks stay when a connection has to wait, so that turns are fair, too, where
 * a common limit lets out less than one datagram at a time.
 */
import type { Connection } from "./connection.ts";
import type { Path } from "../nat/path.ts";
import { earlier, type Instant, NEVER } from "../time.ts";

/** A connection and what the set keeps of it. */
export class Member {
  /** The connection. */
  readonly connection: Connection;
  /** Its id at this side, as a number. */
  readonly id: number;
  /** Its deadline, as long as it is not in the queue. */
  deadline: Instant = NEVER;
  /** What it has sent, and what others sent while it had nothing to send, bytes. */
  mark = 0;
  /** Whether it is in the queue: something happened to it. */
  isQueued = false;
  /** Whether its end was told. */
  isEndTold = false;

  /** Knows nothing of the connection yet. */
  constructor(connection: Connection, id: number) {
    this.connection = connection;
    this.id = id;
  }
}

/** All connections of an endpoint. */
export class ConnectionSet {
  readonly #members: Member[] = [];
  readonly #byId = new Map<number, Member>();
  readonly #onNews: (member: Member) => void;
  /** Those that something happened to, in no order. */
  readonly #queue: Member[] = [];
  #lastFound: Member | undefined;
  /** Who wrote the last datagram. */
  #sending: Member | undefined;
  /** The mark of who sent last, from before that. */
  #mark = 0;

  /** @param onNews Told of each connection that something happened to, when all of it is over. */
  constructor(onNews: (member: Member) => void) {
    this.#onNews = onNews;
  }

  /** How many there are. */
  get count(): number {
    return this.#members.length;
  }

  /** The connection with this id. */
  get(id: number): Member | undefined {
    // Mostly that of the packet before; looking ids of 48 bits up takes 0.1 µs.
    if (this.#lastFound?.id !== id) this.#lastFound = this.#byId.get(id);
    return this.#lastFound;
  }

  /** Adds a connection. */
  add(member: Member): void {
    this.#members.push(member);
    this.#byId.set(member.id, member);
    this.touch(member);
  }

  /** Something happened to a connection: it is asked what it has to send, to tell, and to wait for. */
  touch(member: Member): void {
    if (member.isQueued) return;
    member.isQueued = true;
    if (member.mark < this.#mark) member.mark = this.#mark;
    this.#queue.push(member);
  }

  /** Something happened that concerns all of them, as a common limit that has opened. */
  touchAll(): void {
    for (const member of this.#members) this.touch(member);
  }

  /**
   * Writes the next datagram, of whose turn it is, and sets `transmitPath`.
   *
   * @returns Its bytes, or 0 when nobody has anything to send now.
   */
  pollTransmit(now: Instant, out: Uint8Array): number {
    const queue = this.#queue;
    while (queue.length > 0) {
      const index = this.#nextIndex();
      const member = queue[index]!;
      const length = member.connection.pollTransmit(now, out);
      if (length > 0) {
        this.#mark = member.mark;
        member.mark += length;
        this.#sending = member;
        return length;
      }
      queue[index] = queue.at(-1)!;
      queue.pop();
      member.isQueued = false;
      member.deadline = member.connection.pollTimeout();
      this.#onNews(member);
    }
    this.#sending = undefined;
    return 0;
  }

  /**
   * Writes one more datagram of the connection that the last one was of; see
   * {@linkcode Connection.extendTransmit}.
   */
  extendTransmit(now: Instant, out: Uint8Array, segmentBytes: number): number {
    const member = this.#sending;
    if (member === undefined) return 0;
    const length = member.connection.extendTransmit(now, out, segmentBytes);
    member.mark += length;
    return length;
  }

  /** Where the last datagram goes. */
  get transmitPath(): Path {
    return this.#sending!.connection.transmitPath;
  }

  /** Looks for news of connections that were not asked yet what they have to send. */
  lookForNews(): void {
    for (const member of this.#queue) this.#onNews(member);
  }

  /** Does what is due, and forgets connections that are over. */
  handleTimeout(now: Instant): void {
    const members = this.#members;
    for (let index = members.length - 1; index >= 0; index--) {
      const member = members[index]!;
      if (deadlineOf(member) > now) continue;
      member.connection.handleTimeout(now);
      if (!member.connection.isEnded) {
        this.touch(member);
        continue;
      }
      this.#onNews(member);
      members.splice(index, 1);
      this.#byId.delete(member.id);
      this.#lastFound = undefined;
    }
  }

  /** The earliest deadline. */
  pollTimeout(): Instant {
    let deadline = NEVER;
    for (const member of this.#members) deadline = earlier(deadline, deadlineOf(member));
    return deadline;
  }

  /** Of a few hundred at most: looking at all costs less than a heap does for the usual one. */
  #nextIndex(): number {
    const queue = this.#queue;
    let least = 0;
    for (let index = 1; index < queue.length; index++) {
      if (queue[index]!.mark < queue[least]!.mark) least = index;
    }
    return least;
  }
}

/** What is known of one in the queue may be old. */
function deadlineOf({ connection, deadline, isQueued }: Member): Instant {
  return isQueued ? connection.pollTimeout() : deadline;
}
