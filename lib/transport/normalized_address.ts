import type { SocketAddress } from "../nat/address.ts";

const MAPPED_PREFIX = "::ffff:";

/**
 * The address a system call reported, in the one form the layers above see: no zone, and an IPv4
 * peer is IPv4 even when it came through an IPv6 socket (as `::ffff:192.0.2.1`).
 *
 * @param family The family of the socket that reported it.
 * @param host As reported; RFC 5952 text when it is IPv6, with or without a zone.
 */
export function normalizedAddress(family: 4 | 6, host: string, port: number): SocketAddress {
  if (family === 4) return { family: 4, host, port };
  const zone = host.indexOf("%");
  const bare = zone < 0 ? host : host.slice(0, zone);
  if (bare.startsWith(MAPPED_PREFIX) && bare.includes(".")) {
    return { family: 4, host: bare.slice(MAPPED_PREFIX.length), port };
  }
  return { family: 6, host: bare, port };
}
