/**
 * The paths a session knows: pairs of a local socket and an address of the peer, paths it used
 * before, and sources of the peer's packets. Bounded; what was never proved is forgotten first.
 */
import { isSameSocketAddress, type SocketAddress } from "../../nat/address.ts";
import { isSamePath, type Path, type PathSocket } from "../../nat/path.ts";
import { MAX_PATH_PAIRS, MAX_PATHS } from "../params.ts";
import { PathProbe } from "./probe.ts";

/** Paths by socket and address. */
export class PathTable {
  readonly #probes: PathProbe[] = [];

  /** All of them. */
  get all(): readonly PathProbe[] {
    return this.#probes;
  }

  /** One path, if it is known. */
  find(path: Path): PathProbe | undefined {
    return this.#probes.find((probe) => isSamePath(probe.path, path));
  }

  /**
   * One path, known from now on.
   *
   * @param keep Paths that are not forgotten for it.
   */
  add(path: Path, keep: readonly Path[]): PathProbe {
    const known = this.find(path);
    if (known) return known;
    if (this.#probes.length >= MAX_PATHS) this.#forgetOne(keep);
    const probe = new PathProbe(path);
    this.#probes.push(probe);
    return probe;
  }

  /**
   * Sets which addresses are listed, and pairs them with the sockets of their family; pairs listed
   * before that were never proved are forgotten.
   *
   * @returns The pairs that are new.
   */
  list(
    sockets: readonly PathSocket[],
    remotes: readonly SocketAddress[],
    keep: readonly Path[],
  ): PathProbe[] {
    const pairs: Path[] = [];
    for (const remote of remotes) {
      for (const { index, family } of sockets) {
        const path = { socket: index, remote };
        if (family !== remote.family || pairs.length >= MAX_PATH_PAIRS) continue;
        if (!pairs.some((pair) => isSamePath(pair, path))) pairs.push(path);
      }
    }
    this.#remove(({ isListed, hasAnswered, path }) =>
      isListed && !hasAnswered && !isAmong(path, pairs) && !isAmong(path, keep)
    );
    for (const probe of this.#probes) probe.isListed = isAmong(probe.path, pairs);
    return pairs.filter((pair) => !this.find(pair)).map((pair) => {
      const probe = this.add(pair, [...keep, ...pairs]);
      probe.isListed = true;
      return probe;
    });
  }

  /** Forgets the paths of all other sockets. */
  keepSockets(sockets: readonly PathSocket[]): void {
    this.#remove(({ path }) => !sockets.some(({ index }) => index === path.socket));
  }

  /** Addresses of the peer that were proved or listed, each once. */
  get remotes(): SocketAddress[] {
    const remotes: SocketAddress[] = [];
    for (const { path, hasAnswered, isListed } of this.#probes) {
      if (!hasAnswered && !isListed) continue;
      if (!remotes.some((one) => isSameSocketAddress(one, path.remote))) remotes.push(path.remote);
    }
    return remotes;
  }

  #forgetOne(keep: readonly Path[]): void {
    const isFree = ({ path }: PathProbe): boolean => !isAmong(path, keep);
    let index = this.#probes.findIndex((probe) => isFree(probe) && !probe.hasAnswered);
    if (index < 0) index = this.#probes.findIndex(isFree);
    this.#probes.splice(index, 1);
  }

  #remove(isGone: (probe: PathProbe) => boolean): void {
    for (let index = this.#probes.length - 1; index >= 0; index--) {
      if (isGone(this.#probes[index]!)) this.#probes.splice(index, 1);
    }
  }
}

function isAmong(path: Path, paths: readonly Path[]): boolean {
  return paths.some((one) => isSamePath(one, path));
}
