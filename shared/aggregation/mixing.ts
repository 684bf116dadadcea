import type { Matrix, Mixing } from './rule.ts';
import type { Scalar } from './scalar.ts';

/** Inner products of the mixed updates times the square of the denominator: `M G M^T`. */
export function mixGram<T>(gram: Matrix<T>, mixing: Mixing, scalar: Scalar<T>): T[][] {
  const half = gram.map((row) => mixing.entries.map((entries) => weightedSum(row, entries, scalar)));
  return mixing.entries.map((entries) =>
    mixing.entries.map((_, j) =>
      weightedSum(
        half.map((row) => row[j] as T),
        entries,
        scalar,
      ),
    ),
  );
}

/** Shares of the original updates, from shares of the mixed ones: `shares^T M`. */
export function unmixShares<T>(shares: readonly T[], mixing: Mixing, scalar: Scalar<T>): T[] {
  const columns = mixing.entries[0]?.length ?? 0;
  return Array.from({ length: columns }, (_, j) =>
    weightedSum(
      shares,
      mixing.entries.map((row) => row[j] as number),
      scalar,
    ),
  );
}

/** One mixing that does what `first` and then `second` do. */
export function composeMixings(second: Mixing, first: Mixing): Mixing {
  const columns = first.entries[0]?.length ?? 0;
  return {
    denominator: second.denominator * first.denominator,
    entries: second.entries.map((outer) =>
      Array.from({ length: columns }, (_, j) =>
        outer.reduce((sum, entry, k) => sum + entry * (first.entries[k]?.[j] as number), 0),
      ),
    ),
  };
}

/**
 * Mixes one coordinate without dividing by the denominator, so that integers stay integers.
 *
 * @param values - one value an original update
 * @param mixed - filled with one value a mixed update
 */
export function mixValues(mixing: Mixing, values: Float64Array, mixed: Float64Array): void {
  for (let i = 0; i < mixed.length; i += 1) {
    const entries = mixing.entries[i] as readonly number[];
    let sum = 0;
    for (let j = 0; j < values.length; j += 1) {
      const entry = entries[j] as number;
      if (entry !== 0) sum += entry * (values[j] as number);
    }
    mixed[i] = sum;
  }
}

function weightedSum<T>(values: readonly T[], entries: readonly number[], scalar: Scalar<T>): T {
  let sum = scalar.zero;
  for (const [index, entry] of entries.entries()) {
    if (entry !== 0) sum = scalar.add(sum, scalar.mul(scalar.fromInteger(entry), values[index] as T));
  }
  return sum;
}
