/** Where a client of a share is: what is told of its path, and when that is to be mended. */
import type { PathRoute, TransferEvent } from "../events.ts";
import type { PathMethod } from "../nat/path_method.ts";
import { isSamePath, type Path } from "../nat/path.ts";
import { pathEvent, routeTo } from "../operation/path_report.ts";
import { PathTeller } from "../operation/path_teller.ts";
import type { Connection } from "../protocol/connection.ts";
import type { Clock } from "../transport/clock.ts";
import type { PathRepair } from "../traversal/path_repair.ts";

/** What the path of one client is told with. */
export interface ClientPathParts {
  /** Number of the session. */
  readonly number: number;
  readonly clock: Clock;
  readonly connection: Connection;
  /** Mends it. */
  readonly repair: PathRepair;
  /** How a path came about. */
  readonly methodOf: (path: Path) => PathMethod;
  readonly tell: (event: TransferEvent) => void;
}

/** The path of one client. */
export class ClientPath {
  readonly #parts: ClientPathParts;
  readonly #teller: PathTeller;
  /** Where it came from; what followed before it was let in is told then. */
  readonly #first: Path;
  #isSilent = false;
  /** A client that is not let in has nothing to say but that it is there. */
  #isAdmitted = false;

  /** @param parts What it is told with. */
  constructor(parts: ClientPathParts) {
    this.#parts = parts;
    this.#first = parts.connection.path;
    this.#teller = new PathTeller(parts.clock, parts.tell);
  }

  /** Whether nothing comes from there. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Where it leads now. */
  get route(): PathRoute {
    return routeTo(this.#parts.connection.path.remote);
  }

  /** Tells where the client came from. */
  tellFirst(): void {
    const { number, connection: { path, statistics: { rttMs } }, methodOf } = this.#parts;
    this.#teller.push(pathEvent(number, path, { method: methodOf(path), rttMs }));
  }

  /** The client was let in. */
  handleLetIn(): void {
    this.#isAdmitted = true;
    const { path, statistics: { rttMs } } = this.#parts.connection;
    if (!isSamePath(path, this.#first)) this.tell({ path, rttMs });
  }

  /** Something came from there, or from elsewhere. */
  handleFound(): void {
    this.#isSilent = false;
    this.#parts.repair.handleFound();
  }

  /** Nothing comes any more; the connection looks for another way. */
  handleLost(silentMs: number): void {
    this.#isSilent = true;
    if (!this.#isAdmitted) return;
    const { number, repair, tell } = this.#parts;
    repair.handleLost();
    tell({ event: "path-lost", session: number, silentMs });
  }

  /** Tells that the session goes this way from now on. */
  tell({ path, rttMs }: { readonly path: Path; readonly rttMs: number }): void {
    if (!this.#isAdmitted) return;
    const { number, methodOf } = this.#parts;
    const method = routeTo(path.remote) === "internet" ? methodOf(path) : "direct";
    this.#teller.push(pathEvent(number, path, { method, rttMs }));
  }

  /** Mends it no more. */
  handleClosed(): void {
    this.#parts.repair.close(this.#parts.connection.path.socket);
  }

  /** Tells nothing any more. */
  end(): void {
    this.#teller.end();
  }
}
