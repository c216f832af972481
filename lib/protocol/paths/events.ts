/** What a connection tells its owner about its paths. */
import type { SocketAddress } from "../../nat/address.ts";
import type { Path } from "../../nat/path.ts";

/**
 * Why a session goes along a path: `moved`, because this side found a better one; `followed`,
 * because the peer, or a router between, went there; `found`, because it answered after silence.
 */
export type PathReason = "moved" | "followed" | "found";

/** News of a connection's paths. */
export type PathEvent =
  | {
    /** The session goes along this path now; after silence it may be the one before. */
    readonly type: "path";
    readonly path: Path;
    /** Its round trip, as far as it is known yet. */
    readonly rttMs: number;
    readonly reason: PathReason;
  }
  | {
    /** Nothing is heard any more; every known path is being tried. */
    readonly type: "path-lost";
    /** For how long nothing was heard. */
    readonly silentMs: number;
  }
  | {
    /** The peer sees this side at another address than before. */
    readonly type: "observed";
    readonly address: SocketAddress;
  };

/** Events kept for an owner that does not ask: more than any honest peer causes between two calls. */
const MAX_EVENTS = 32;

/** Events that wait for their owner, at most {@linkcode MAX_EVENTS}: then the oldest goes. */
export class PathEvents {
  readonly #events: PathEvent[] = [];

  /** Adds one. */
  add(event: PathEvent): void {
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
  }

  /** Takes the oldest. */
  take(): PathEvent | undefined {
    return this.#events.length === 0 ? undefined : this.#events.shift();
  }
}
