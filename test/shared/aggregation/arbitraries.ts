import fc from 'fast-check';
import { parseRuleSpec, type RuleSpec, type RuleSpecInput } from '../../../shared/aggregation/registry.ts';

/** A round to aggregate: updates, what by, and sample counts. */
export interface Round {
  readonly rows: Int16Array[];
  readonly spec: RuleSpec;
  readonly samples: number[];
}

/**
 * The largest f the definitions allow, written out here once more: 2f < n; 2f + 2 < n for Krum's kind; 4f + 3 <= n for
 * Bulyan; f = 0 for the mean; f < n where a rule or step makes no promise of its own.
 */
export function largestF(rule: string, n: number): number {
  if (rule === 'Average') return 0;
  const holds = (f: number): boolean => {
    if (rule === 'Bulyan') return 4 * f + 3 <= n;
    if (rule.endsWith('Krum')) return 2 * f + 2 < n;
    if (['FLTrust', 'Bucketing', 'Clipping'].includes(rule)) return f < n;
    return 2 * f < n;
  };
  let f = -1;
  while (holds(f + 1)) f += 1;
  return f;
}

/** Every rule that decides by exact arithmetic alone, and Krum's kind in every variant. */
export const everyRule: readonly RuleSpecInput[] = [
  ...['Average', 'Median', 'TrMean', 'Meamed', 'Phocas', 'SignMajority', 'CGE', 'MDA', 'Bulyan'].map((rule) => ({
    rule,
  })),
  { rule: 'MoNNA' },
  ...['byzfl', 'original', 'epfl'].flatMap((neighbours) => [
    { rule: 'Krum', params: { neighbours } },
    { rule: 'MultiKrum', params: { neighbours } },
    { rule: 'MultiKrum', params: { neighbours, m: 1 } },
  ]),
];

/** Rules that derive weights in float64, with settings at which their steps matter for updates of a few units. */
export const iterativeRules: readonly RuleSpecInput[] = [
  { rule: 'GeometricMedian' },
  { rule: 'GeometricMedian', params: { nu: 0.001, T: 30 } },
  { rule: 'CenteredClipping', params: { tau: 3 } },
  { rule: 'CenteredClipping', params: { tau: 10, L: 3 } },
  { rule: 'CAF' },
  { rule: 'DnC' },
  { rule: 'SMEA' },
  { rule: 'FLTrust' },
];

/**
 * Rounds of n = 1 … 12 updates by any of these rules behind 0 … 2 mixings, within the breakdown bounds.
 *
 * @param magnitude - largest coordinate; small ones make ties, 8191 is the most there is
 */
export function rounds(
  magnitude: number,
  most = 12,
  inputs: readonly RuleSpecInput[] = everyRule,
): fc.Arbitrary<Round> {
  return fc
    .record({
      input: fc.constantFrom(...inputs),
      mixings: fc.nat({ max: 2 }),
      n: fc.integer({ min: 1, max: most }),
      dimension: fc.integer({ min: 1, max: 6 }),
      part: fc.nat({ max: 100 }),
    })
    .filter(({ input, n }) => largestF(input.rule, n) >= 0)
    .chain(({ input, mixings, n, dimension, part }) => {
      const f = Math.floor((largestF(input.rule, n) * part) / 100);
      const coordinate = fc.integer({ min: -magnitude, max: magnitude });
      const row = fc.array(coordinate, { minLength: dimension, maxLength: dimension });
      return fc.record({
        rows: fc.array(row, { minLength: n, maxLength: n }).map((all) => all.map((one) => Int16Array.from(one))),
        spec: fc.constant(parseRuleSpec({ ...input, pre: Array(mixings).fill('NNM'), f })),
        samples: fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: n, maxLength: n }),
      });
    });
}
