/**
 * Sockets beside the main ones, for a short time: a side behind a NAT that gives each destination
 * another outside port opens hundreds, so that one of them is found, and a client one on a certain
 * port (docs/nat.md, "The birthday method", "The Linux trap"). Opens them, hands them to the endpoint,
 * closes them, and keeps the whole process below a bound. When to open how many, and which to keep,
 * is for others to decide.
 */
import { TransferError } from "../errors.ts";
import { parseIpAddress } from "../nat/address.ts";
import { openSocket } from "./open_socket.ts";
import type { DatagramSocket } from "./socket.ts";

/** More extra sockets than this a process never has: they cost descriptors, memory and NAT entries. */
export const MAX_EXTRA_SOCKETS = 1024;

/**
 * What our longest datagram, 1472 bytes, needs. The default of 64 KiB is for whatever the kernel
 * may hand over in one piece; for hundreds of sockets that would be many megabytes.
 */
const RECEIVE_BUFFER_BYTES = 2048;

const MAX_PORT = 65_535;

/** Opens one more socket of a family; port 0 is any free one. Rejects where that cannot be. */
export type SocketOpener = (family: 4 | 6, port: number) => Promise<DatagramSocket>;

/** Whoever sends and receives through sockets by index: a `LiveEndpoint`. */
export interface SocketHolder {
  /** Takes a socket and gives it an index of its own. */
  addSocket(socket: DatagramSocket): number;
  /** Closes a socket. */
  removeSocket(index: number): void;
}

/** How many sockets may still be opened, for several users together. */
export class SocketAllowance {
  #left: number;

  /** @param count How many there may be at once. */
  constructor(count: number) {
    this.#left = count;
  }

  /** Asks for one; false when there is none left. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  /** Gives one back that was taken. */
  giveBack(): void {
    this.#left++;
  }
}

/** What all endpoints of this process have together. */
const PROCESS_ALLOWANCE = new SocketAllowance(MAX_EXTRA_SOCKETS);

/**
 * Opens extra sockets of the system, bound as the main ones are but for the port.
 *
 * @param options As for `openSockets`: `host` is an address of this machine, by default all.
 */
export function extraSocketOpener(
  options: { readonly host?: string; readonly allowSlowSocket?: boolean },
): SocketOpener {
  const { host, allowSlowSocket = false } = options;
  const only = host === undefined ? undefined : parseIpAddress(host);
  return (family, port) => {
    if (only !== undefined && only.family !== family) {
      return Promise.reject(
        new TransferError(
          "no_network",
          `Cannot open an IPv${family} socket: bound to ${only.host}`,
        ),
      );
    }
    return openSocket({
      family,
      host: only?.host ?? (family === 4 ? "0.0.0.0" : "::"),
      port,
      allowSlowSocket,
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    });
  };
}

/**
 * The extra sockets of one endpoint. Those that are taken together ({@linkcode ExtraSockets.takeShared})
 * serve several at once: a NAT opens each of them for every destination, so a share whose router
 * forgot needs no more of them for many clients than for one.
 */
export class ExtraSockets {
  readonly #holder: SocketHolder;
  readonly #open: SocketOpener;
  readonly #allowance: SocketAllowance;
  /** How many use each, by index. */
  readonly #users = new Map<number, number>();
  /** Those that whoever comes next gets too, by family. */
  readonly #shared = { 4: new Set<number>(), 6: new Set<number>() };
  /** Whoever takes shared ones waits for those that are being opened. */
  #sharing: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /**
   * Opens nothing yet.
   *
   * @param allowance By default {@linkcode MAX_EXTRA_SOCKETS} for the whole process.
   */
  constructor(
    holder: SocketHolder,
    open: SocketOpener,
    allowance: SocketAllowance = PROCESS_ALLOWANCE,
  ) {
    this.#holder = holder;
    this.#open = open;
    this.#allowance = allowance;
  }

  /** How many are open now. */
  get count(): number {
    return this.#users.size;
  }

  /**
   * Opens sockets that nobody else gets and hands them over. Stops early, with those it got, when the
   * system refuses one, the allowance is used up, or {@linkcode ExtraSockets.closeAll} was called.
   *
   * @returns Their indices: at most `count`, perhaps none. Never rejects.
   */
  async take(family: 4 | 6, count: number): Promise<number[]> {
    const taken: number[] = [];
    while (taken.length < count) {
      const index = await this.#takeOne(family, 0);
      if (index === undefined) break;
      taken.push(index);
    }
    return taken.filter((index) => this.#users.has(index));
  }

  /**
   * As {@linkcode ExtraSockets.take}, but hands out first what others took in this way and have not
   * given back. A socket is closed when all have.
   */
  takeShared(family: 4 | 6, count: number): Promise<number[]> {
    const taking = this.#sharing.then(async () => {
      const shared = this.#shared[family];
      const taken = [...shared].slice(0, count);
      for (const index of taken) this.#users.set(index, this.#users.get(index)! + 1);
      const opened = await this.take(family, count - taken.length);
      for (const index of opened) shared.add(index);
      return [...taken, ...opened].filter((index) => this.#users.has(index));
    });
    this.#sharing = taking;
    return taking;
  }

  /** A session uses a shared socket from now on: whoever comes next does not get it. */
  keep(index: number): void {
    this.#shared[4].delete(index);
    this.#shared[6].delete(index);
  }

  async #takeOne(family: 4 | 6, port: number): Promise<number | undefined> {
    if (this.#isClosed || port > MAX_PORT || !this.#allowance.take()) return undefined;
    const socket = await this.#open(family, port).catch(() => undefined);
    if (socket === undefined || this.#isClosed) {
      socket?.close();
      this.#allowance.giveBack();
      return undefined;
    }
    const index = this.#holder.addSocket(socket);
    this.#users.set(index, 1);
    return index;
  }

  /**
   * Opens one socket on a certain port and hands it over.
   *
   * @returns Its index; undefined when the port is taken or none may be opened. Never rejects.
   */
  async takeAt(family: 4 | 6, port: number): Promise<number | undefined> {
    return await this.#takeOne(family, port);
  }

  /** Gives one back, which closes it unless others use it; an index that is none does nothing. */
  release(index: number): void {
    const users = this.#users.get(index);
    if (users === undefined) return;
    if (users > 1) this.#users.set(index, users - 1);
    else this.#close(index);
  }

  /** Closes all, and those that are being opened; none can be opened after that. */
  closeAll(): void {
    this.#isClosed = true;
    for (const index of this.#users.keys()) this.#close(index);
  }

  #close(index: number): void {
    this.#users.delete(index);
    this.keep(index);
    this.#holder.removeSocket(index);
    this.#allowance.giveBack();
  }
}
