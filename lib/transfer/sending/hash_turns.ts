/**
 * Whose group is hashed next. Half a millisecond each is nothing for one client; those of dozens in a
 * row would hold up the datagrams of all. So one is hashed at a time, requests for bytes and those for
 * hashes in turn, and where others wait the program does something else in between.
 */
import { Fifo } from "../../protocol/fifo.ts";
import { GroupHasher, type TransferCrypto } from "../hash_tree.ts";
import type { RequestKind } from "./outgoing_request.ts";

/** The turns of one share. */
export class HashTurns {
  readonly #crypto: TransferCrypto;
  readonly #breathe: () => Promise<void>;
  readonly #waiting: Readonly<Record<RequestKind, Fifo<() => void>>> = {
    get: new Fifo(),
    check: new Fifo(),
  };
  #isBusy = false;
  #lastKind: RequestKind = "check";

  /**
   * @param crypto Where SHA-256 comes from.
   * @param breathe Lets other things of the program happen.
   */
  constructor(crypto: TransferCrypto, breathe: () => Promise<void>) {
    this.#crypto = crypto;
    this.#breathe = breathe;
  }

  /**
   * Hashes a group when it is its turn.
   *
   * @param kind For which kind of request.
   * @param bytes The group; not changed until then.
   */
  async hash(kind: RequestKind, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting[kind].push(resolve));
    this.#isBusy = true;
    this.#lastKind = kind;
    try {
      const hasher = new GroupHasher(this.#crypto, bytes);
      // In small steps: a whole group at once would hold up the datagrams for half a millisecond.
      while (hasher.step()) await null;
      return hasher.root();
    } finally {
      this.#pass();
    }
  }

  #pass(): void {
    const { get, check } = this.#waiting;
    const [first, second] = this.#lastKind === "get" ? [check, get] : [get, check];
    const next = first.shift() ?? second.shift();
    // Handed on without ever being free, so nobody can slip in between.
    if (next === undefined) this.#isBusy = false;
    else void this.#breathe().then(next);
  }
}
