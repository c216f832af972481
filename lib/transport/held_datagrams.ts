/**
 * How many bytes of datagrams a socket's receive buffer really holds. Linux counts its bookkeeping
 * too (socket(7), `SO_RCVBUF`): a datagram of 1200 to 1472 bytes takes 2304 of the buffer. And room
 * of what a program has read is given back only once it is a quarter of the buffer
 * (`udp_rmem_release` of `net/ipv4/udp.c`). So 3/4 of the buffer is there, and 1200 of 2304 of that.
 */

/** What a socket of Linux has unless something else is asked for (`net.core.rmem_default`). */
const LINUX_BUFFER_BYTES = 212_992;
/** What is left of the buffer for datagrams: 3/4 · 1200/2304 are 0.39. */
const HELD_SHARE = 3 / 8;

/**
 * Bytes of datagrams that fit at least.
 *
 * @param bufferBytes What the system says of the buffer; undefined for one nobody has changed and
 *   nobody can ask for.
 * @returns Undefined where that cannot be told.
 */
export function heldDatagramBytes(bufferBytes: number | undefined): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  return Math.floor((bufferBytes ?? LINUX_BUFFER_BYTES) * HELD_SHARE);
}
