/** How equally something is shared. Pure. */

/**
 * Jain's fairness index: the square of the sum over the sum of squares, by their number. 1 when all
 * have the same, 1/n when one of n has everything.
 */
export function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : sum * sum / (values.length * squares);
}
