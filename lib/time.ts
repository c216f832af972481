/**
 * Instants for the protocol core. The core reads no clock: every call that depends on time is given
 * an {@linkcode Instant} by its caller. Durations are plain numbers whose names end in `Ms`.
 */

/**
 * A point on the caller's monotonic clock, in milliseconds with fractions; its zero means nothing.
 * A type of its own, so that a duration cannot be passed where a point in time is meant.
 */
export type Instant = number & { readonly brand: "instant" };

/** An instant later than any other: a deadline that is not armed. */
export const NEVER: Instant = Number.POSITIVE_INFINITY as Instant;

/** Makes an instant of a monotonic clock's reading in milliseconds. */
export function instant(milliseconds: number): Instant {
  return milliseconds as Instant;
}

/** The instant `durationMs` after `start`. */
export function after(start: Instant, durationMs: number): Instant {
  return (start + durationMs) as Instant;
}

/** The earlier of two instants. */
export function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

/** The later of two instants. */
export function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}
