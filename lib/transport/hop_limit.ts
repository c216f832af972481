/**
 * How many routers the datagrams of a `Deno.listenDatagram` socket may pass: IPv4's time to live,
 * IPv6's hop limit. Deno has no API for it, so it goes through `socket_option.ts`: Linux with FFI
 * granted. On macOS and Windows, and without FFI, it cannot be limited.
 *
 * What is set is read back; any doubt counts as not possible, since a datagram that goes further
 * than it should does harm where one that is not sent does none.
 */
import type { SocketAddress } from "../nat/address.ts";
import { IPPROTO_IP, IPPROTO_IPV6 } from "./libc.ts";
import { SocketOptions } from "./socket_option.ts";

const IP_TTL = 2;
const IPV6_UNICAST_HOPS = 16;

/** Gives the choice back to the system, which may have one for each route. */
const SYSTEM_DEFAULT = -1;

const MAX_HOPS = 255;

/** The hop limit of one socket. */
export class HopLimit {
  readonly #options: SocketOptions;
  readonly #level: number;
  readonly #name: number;
  readonly #defaultHops: number;

  private constructor(options: SocketOptions, level: number, name: number, defaultHops: number) {
    this.#options = options;
    this.#level = level;
    this.#name = name;
    this.#defaultHops = defaultHops;
  }

  /**
   * Finds out whether the hop limit of a bound socket can be set.
   *
   * @param family Of the socket.
   * @param address What it is bound to.
   * @returns Undefined when it cannot. Not to be used after the socket was closed.
   */
  static of(family: 4 | 6, address: SocketAddress): HopLimit | undefined {
    const options = SocketOptions.of(family, address);
    if (options === undefined) return undefined;
    const level = family === 4 ? IPPROTO_IP : IPPROTO_IPV6;
    const name = family === 4 ? IP_TTL : IPV6_UNICAST_HOPS;
    const defaultHops = options.get(level, name);
    return defaultHops === undefined ? undefined : new HopLimit(options, level, name, defaultHops);
  }

  /** The limit now; undefined when the system does not tell. */
  get hops(): number | undefined {
    return this.#options.get(this.#level, this.#name);
  }

  /**
   * Limits what is sent from now on.
   *
   * @param hops 1 to 255; undefined for the system's default.
   * @returns Whether it is in effect.
   */
  set(hops: number | undefined): boolean {
    if (hops !== undefined && !(hops >= 1 && hops <= MAX_HOPS)) return false;
    const isSet = this.#options.set(this.#level, this.#name, hops ?? SYSTEM_DEFAULT);
    if (isSet && this.hops === (hops ?? this.#defaultHops)) return true;
    // Whatever is in effect now must not stay for the datagrams that shall go far.
    this.#options.set(this.#level, this.#name, SYSTEM_DEFAULT);
    return false;
  }
}
