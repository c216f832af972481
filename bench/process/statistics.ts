/** Some values as one. Pure. */

/** Middle of some values; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that the fraction `share` of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** The median, and where there are several the smallest and the largest in brackets. */
export function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return "–";
  const middle = median(values).toFixed(digits);
  if (values.length === 1) return middle;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${middle} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
