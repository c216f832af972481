/**
 * In which order the ports of a NAT are tried, as functions from place to port: nothing is stored,
 * nothing repeats. Ports below 1024 are left out, no NAT gives them to a socket that is above.
 */

/** The lowest port that is tried. */
export const LOWEST_PORT = 1024;

/** How many ports there are to try. */
export const PORT_COUNT = 65_536 - LOWEST_PORT;

/**
 * The ports nearest to a known one first: it, the one above, the one below, and so on. A NAT that
 * draws from a block of 1024 ports is covered by the first 2047 without knowing its block.
 *
 * @param base A port that was seen; below {@linkcode LOWEST_PORT} it counts as that.
 * @param index 0 to {@linkcode PORT_COUNT} − 1; further ones begin again.
 */
export function nearestPort(base: number, index: number): number {
  const center = Math.max(base, LOWEST_PORT);
  const place = index % PORT_COUNT;
  const below = center - LOWEST_PORT;
  const above = 65_535 - center;
  const both = 2 * Math.min(below, above);
  if (place <= both) return center + (place % 2 === 1 ? (place + 1) / 2 : -place / 2);
  const distance = place - both / 2;
  return below > above ? center - distance : center + distance;
}

/**
 * The ports ahead of a known one, past 65535 from {@linkcode LOWEST_PORT} on.
 *
 * @param index 0 for the port next to `base`; negative for `base` itself and those behind it.
 */
export function portAhead(base: number, index: number): number {
  const place = (Math.max(base, LOWEST_PORT) - LOWEST_PORT + 1 + index) % PORT_COUNT;
  return LOWEST_PORT + (place < 0 ? place + PORT_COUNT : place);
}

/** How many steps lead from one port ahead to another: 0 to {@linkcode PORT_COUNT} − 1. */
export function stepsAhead(from: number, to: number): number {
  return (Math.max(to, LOWEST_PORT) - Math.max(from, LOWEST_PORT) + PORT_COUNT) % PORT_COUNT;
}
