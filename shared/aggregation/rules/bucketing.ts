import type { Rng } from '../../rng.ts';
import { type NumericParameter, numberParam } from '../parameters.ts';
import type { Mixing, PreAggregator } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';

const SIZE: NumericParameter = {
  name: 's',
  meaning: 'how many updates a bucket holds',
  default: 1,
  choices: [],
  minimum: 1,
};

/**
 * Bucketing: the updates are shuffled and each s of them replaced by their mean; the last bucket may be smaller.
 *
 * The rule behind it sees ceil(n / s) rows, of which f may still be faulty. The shuffle is Fisher and Yates' on the round's
 * seed, which is revealed after collection has closed: known earlier, it would let liars choose their bucket. O(n).
 * Source: Karimireddy, He and Jaggi, "Byzantine-robust learning on heterogeneous datasets via bucketing", ICLR 2022.
 */
export const bucketing: PreAggregator = {
  name: 'Bucketing',
  aliases: [],
  summary: 'shuffled buckets of s updates become their means; f then counts buckets',
  bound: 'f < n',
  guarantee: 'recomputable by anyone',
  parameters: [SIZE],
  validate: (n, f) => refuseBeyond('Bucketing', n, f, n - 1),
  shape: (n, _f, params) => {
    const s = numberParam(params, SIZE);
    return { rows: Math.ceil(n / s), denominator: commonDenominator(n, s) };
  },
  gathers: true,
  mix: ({ gram, params, random }) => bucketMixing(shuffled(gram.length, random), numberParam(params, SIZE)),
};

/**
 * The mixture of buckets along a permutation: bucket k is the mean of updates `permutation[k s]` to
 * `permutation[k s + s - 1]`.
 */
export function bucketMixing(permutation: readonly number[], s: number): Mixing {
  const n = permutation.length;
  const denominator = commonDenominator(n, s);
  const entries = Array.from({ length: Math.ceil(n / s) }, (_, bucket) => {
    const members = permutation.slice(bucket * s, bucket * s + s);
    const row = permutation.map(() => 0);
    for (const member of members) row[member] = denominator / members.length;
    return row;
  });
  return { entries, denominator };
}

/** The least number that both s and the size of the last bucket divide. */
function commonDenominator(n: number, s: number): number {
  if (s >= n) return n;
  let [a, b] = [s, n % s];
  while (b !== 0) [a, b] = [b, a % b];
  return n % s === 0 ? s : (s * (n % s)) / a;
}

function shuffled(n: number, random: Rng): number[] {
  const order = Array.from({ length: n }, (_, index) => index);
  for (let last = n - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}
