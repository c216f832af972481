/** What the requests of a discovery are for. */
import type { SocketAddress } from "../address.ts";
import type { LocalSocket } from "./report.ts";

/**
 * `ask` and `compare` serve the mapping class, `more` the port pattern, `keepalive` the mapping
 * itself; `port` is asked by the owner.
 */
export type DiscoveryPurpose = "ask" | "compare" | "more" | "keepalive" | "port";

/** One request under way. */
export interface DiscoveryTask {
  /** What it is for. */
  readonly purpose: DiscoveryPurpose;
  /** Who asks. */
  readonly socket: LocalSocket;
  /** Who is asked. */
  readonly server: SocketAddress;
  /** Servers to try after this one. */
  readonly others: readonly SocketAddress[];
  /** Since the request before it on that socket. */
  readonly pauseMs: number;
}

/** Requests under way, by the handle of their transaction; bounded by those. */
export class DiscoveryTasks {
  readonly #tasks = new Map<number, DiscoveryTask>();

  /** Remembers a request. */
  add(handle: number, task: DiscoveryTask): void {
    this.#tasks.set(handle, task);
  }

  /** Forgets a request that has ended. */
  take(handle: number): DiscoveryTask | undefined {
    const task = this.#tasks.get(handle);
    this.#tasks.delete(handle);
    return task;
  }

  /** Whether there is a request for one of these purposes. */
  has(...purposes: readonly DiscoveryPurpose[]): boolean {
    for (const { purpose } of this.#tasks.values()) {
      if (purposes.includes(purpose)) return true;
    }
    return false;
  }

  /** Whether a socket is being kept alive at this moment. */
  isKeepingAlive(index: number): boolean {
    for (const { purpose, socket } of this.#tasks.values()) {
      if (purpose === "keepalive" && socket.index === index) return true;
    }
    return false;
  }
}
