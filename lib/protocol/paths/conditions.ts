/**
 * What a connection learned of a path: congestion control, datagram size and round trip. Another
 * path begins anew; the one just left is remembered, so that a session that comes back to it, or was
 * lured away for a moment, goes on as before.
 */
import type { CongestionController } from "../congestion/controller.ts";
import { type DatagramBounds, MtuLadder } from "../mtu.ts";
import { PATH_VALID_MS } from "../params.ts";
import type { PathChange } from "./paths.ts";
import { isSamePath, type Path } from "../../nat/path.ts";
import { RttEstimator } from "../rtt.ts";
import type { Instant } from "../../time.ts";

/** What belongs to one path; its round trip lives in the recovery. */
export interface Conditions {
  /** Window and rate. */
  readonly controller: CongestionController;
  /** Datagram size. */
  readonly mtu: MtuLadder;
}

interface Remembered extends Conditions {
  readonly path: Path;
  readonly rtt: RttEstimator;
  readonly leftAt: Instant;
}

/** Makes and remembers the conditions of one connection's paths. */
export class PathConditions {
  readonly #bounds: (path: Path) => DatagramBounds;
  readonly #congestion: (datagramBytes: number) => CongestionController;
  #remembered: Remembered | undefined;

  /**
   * @param bounds What is known of the datagrams that a path carries.
   * @param congestion Makes congestion control for datagrams of a size.
   */
  constructor(
    bounds: (path: Path) => DatagramBounds,
    congestion: (datagramBytes: number) => CongestionController,
  ) {
    this.#bounds = bounds;
    this.#congestion = congestion;
  }

  /** Those of a path nothing is known of. */
  fresh(path: Path): Conditions {
    const mtu = new MtuLadder(this.#bounds(path));
    return { controller: this.#congestion(mtu.datagramBytes), mtu };
  }

  /**
   * The conditions after a change of paths [PATH-2]. `rtt` becomes that of the new path.
   *
   * @returns Undefined when the present ones still hold: only the peer's port has changed.
   */
  exchange(
    now: Instant,
    { from, to, rttMs }: PathChange,
    present: Conditions,
    rtt: RttEstimator,
  ): Conditions | undefined {
    if (from.socket === to.socket && from.remote.host === to.remote.host) return undefined;
    const left = new RttEstimator();
    left.copyFrom(rtt);
    const known = this.#remembered;
    this.#remembered = { ...present, path: from, rtt: left, leftAt: now };
    if (known && isSamePath(known.path, to) && now - known.leftAt < PATH_VALID_MS) {
      rtt.copyFrom(known.rtt);
      return known;
    }
    rtt.copyFrom(new RttEstimator());
    if (rttMs !== undefined) rtt.addSample(rttMs, 0);
    return this.fresh(to);
  }
}
