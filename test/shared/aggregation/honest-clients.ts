import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import type { Matrix } from '../../../shared/aggregation/rule.ts';
import { scores } from '../../../shared/aggregation/scores.ts';
import { createRng } from '../../../shared/rng.ts';

/** Clients that learn much the same, each with noise of its own: cosines of about 0.5 to one another. */
export function honest(n: number, own = 300): Int16Array[] {
  const shared = createRng(1, 'shared');
  const drift = Array.from({ length: 1024 }, () => shared.below(601) - 300);
  return Array.from({ length: n }, (_, i) => {
    const rng = createRng(i, 'own');
    return Int16Array.from(drift, (value) => value + rng.below(2 * own + 1) - own);
  });
}

/** Augmented inner products of updates under the trimmed mean. */
export function trimmed(rows: readonly Int16Array[], f = 2): Matrix<bigint> {
  const spec = { rule: 'TrMean', pre: [], f, params: {} };
  const { aggregate } = aggregateIntegers(
    rows,
    spec,
    rows.map(() => 1),
  );
  return gramMatrix(rows, aggregate);
}

/** Scores by confirmation of updates under the trimmed mean. */
export function scored(rows: readonly Int16Array[], f = 2): bigint[] {
  return scores(
    trimmed(rows, f),
    rows.map(() => true),
    'confirmation',
  );
}

const middle = <T>(values: readonly T[], compare: (a: T, b: T) => number): T =>
  [...values].sort(compare)[Math.floor((values.length - 1) / 2)] as T;

/** The definition again, in floats and without an eye for copies: scores in squared update units. */
export function confirmedFloats(gram: Matrix<bigint>, active: readonly boolean[]): number[] {
  const n = active.length;
  const at = (i: number, j: number) => Number(gram[i]?.[j]) / 256 ** (Number(i === n) + Number(j === n));
  const rows = active.map((_, i) => i);
  const ascending = (a: number, b: number) => a - b;
  const distance = (i: number) => at(i, i) - 2 * at(i, n) + at(n, n);
  const far = 4 * middle(rows.filter((i) => active[i]).map(distance), ascending);
  const typical = middle(
    rows.map((i) => at(i, i)),
    ascending,
  );
  return rows.map((i) => {
    if (!active[i] || at(i, n) <= 0 || distance(i) > far) return 0;
    const peers = middle(
      rows.filter((j) => n === 1 || j !== i).map((j) => at(i, j)),
      ascending,
    );
    return Math.max(0, peers) * Math.min(1, Math.sqrt(typical / at(i, i)));
  });
}

/** What rows would score by confirmation if nobody looked for copies, rounded down. */
export function unshared(rows: readonly Int16Array[], f = 2): bigint[] {
  return confirmedFloats(
    trimmed(rows, f),
    rows.map(() => true),
  ).map((score) => BigInt(Math.floor(score)));
}
