/** How servers saw our sockets: the memory of discovery, newest answer of each socket and server. */
import type { Instant } from "../../time.ts";
import { isSameSocketAddress, type SocketAddress } from "../address.ts";
import type { MappingSample } from "./mapping.ts";
import { findPortPattern, type PortPattern } from "./port_pattern.ts";

/** One answer. */
export interface DiscoverySample extends MappingSample {
  /** When it came. */
  readonly at: Instant;
  /** Greater for requests made later: the order in which mappings are made. */
  readonly order: number;
  /** Index of the socket that asked. */
  readonly socket: number;
  /** Its port inside; undefined when it is not known. */
  readonly localPort: number | undefined;
}

/** The most answers kept; eight servers, their other ports and some sockets stay well below. */
const MAX_SAMPLES = 64;

/**
 * Answers further apart do not show a sequence any more: in between a NAT has made mappings for
 * everybody behind it.
 */
const PATTERN_WINDOW_MS = 5000;

/** Answers in the order of their requests. */
export class DiscoverySamples {
  #samples: DiscoverySample[] = [];

  /**
   * Remembers an answer in place of the one before from the same server to the same socket. One that
   * says the same keeps its place: the mapping is as old as it was.
   */
  add(sample: DiscoverySample): void {
    const known = this.find(sample.socket, sample.server);
    if (known !== undefined && isSameSocketAddress(known.mapped, sample.mapped)) return;
    const others = this.#samples.filter(({ socket, server }) =>
      socket !== sample.socket || !isSameSocketAddress(server, sample.server)
    );
    // The newest ones go, not the first: those are of the main sockets.
    this.#samples = [...others.slice(0, MAX_SAMPLES - 1), sample].sort((a, b) => a.order - b.order);
  }

  /** How a server saw a socket. */
  find(socket: number, server: SocketAddress): DiscoverySample | undefined {
    return this.#samples.find((sample) =>
      sample.socket === socket && isSameSocketAddress(sample.server, server)
    );
  }

  /** How all servers saw a socket. */
  of(socket: number): readonly DiscoverySample[] {
    return this.#samples.filter((sample) => sample.socket === socket);
  }

  /** Forgets what was seen of the sockets of one family. */
  forget(family: 4 | 6): void {
    this.#samples = this.#samples.filter(({ mapped }) => mapped.family !== family);
  }

  /** The port pattern of the first seconds, with the newest port of all. */
  pattern(family: 4 | 6): PortPattern {
    const made = this.#samples.filter((sample, index, all) =>
      sample.mapped.family === family &&
      // The same mapping again is no new one.
      !all.slice(0, index).some(({ socket, mapped }) =>
        socket === sample.socket && isSameSocketAddress(mapped, sample.mapped)
      )
    ).map(({ at, localPort, mapped }) => ({ at, localPort, port: mapped.port }));
    const newestPort = made.at(-1)?.port;
    const start = Math.min(...made.map(({ at }) => at));
    const pattern = findPortPattern(made.filter(({ at }) => at - start <= PATTERN_WINDOW_MS));
    return newestPort === undefined ? pattern : { ...pattern, newestPort };
  }
}
