import { weightedSum } from './mix-gram.ts';
import type { Mixing, Shares } from './rule.ts';
import type { Scalar } from './scalar.ts';

/** Shares of the original updates, from shares of the mixed ones: `shares^T M`. */
export function unmixShares<T>({ shares, whole }: Shares<T>, mixing: Mixing, scalar: Scalar<T>): Shares<T> {
  const columns = mixing.entries[0]?.length ?? 0;
  return {
    shares: Array.from({ length: columns }, (_, j) =>
      weightedSum(
        shares,
        mixing.entries.map((row) => row[j] as number),
        scalar,
      ),
    ),
    whole: scalar.mul(whole, scalar.fromInteger(mixing.denominator)),
  };
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

/** A mixing that leaves rows apart and shortens each by a factor from 0 to 1, rounded to the grain where there is one. */
export function shorten(factors: readonly number[], grain: number | null): Mixing {
  const entry = (factor: number): number => (grain === null ? factor : Math.floor(factor * grain + 0.5));
  return {
    entries: factors.map((factor, i) => factors.map((_, j) => (i === j ? entry(factor) : 0))),
    denominator: grain ?? 1,
  };
}

/** A mixing that keeps some of n rows as they are and drops the others. */
export function keepRows(selected: readonly number[], n: number): Mixing {
  return {
    entries: selected.map((index) => Array.from({ length: n }, (_, j) => (j === index ? 1 : 0))),
    denominator: 1,
  };
}

/** A mixing with one row and column more, which stay as they are: for a reference behind the updates. */
export function passReference({ entries, denominator }: Mixing): Mixing {
  const columns = entries[0]?.length ?? 0;
  return {
    denominator,
    entries: [...entries.map((row) => [...row, 0]), [...Array.from({ length: columns }, () => 0), denominator]],
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
