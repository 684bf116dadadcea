/**
 * A quantile by the nearest rank: a value that occurred, never one in between.
 *
 * @param values - at least one, in any order
 * @param fraction - 0 for the smallest, 1 for the largest
 */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(sorted.length * fraction);
  return sorted[Math.max(0, rank - 1)] as number;
}

/** The middle value, the lower one of two: one disturbed repeat moves it little. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
