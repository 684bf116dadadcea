import fc from 'fast-check';
import { parseRuleSpec, type RuleSpec, type RuleSpecInput } from '../../../shared/aggregation/registry.ts';

/** A round to aggregate: updates, what by, and sample counts. */
export interface Round {
  readonly rows: Int16Array[];
  readonly spec: RuleSpec;
  readonly samples: number[];
}

/** The largest f the definitions allow, written out here once more: 2f < n, and 2f + 2 < n for Krum's kind. */
export function largestF(rule: string, n: number): number {
  if (rule === 'Average') return 0;
  let f = -1;
  while (2 * (f + 1) + (rule.endsWith('Krum') ? 2 : 0) < n) f += 1;
  return f;
}

/** Every rule, and Krum's kind in every variant. */
export const everyRule: readonly RuleSpecInput[] = [
  { rule: 'Average' },
  { rule: 'Median' },
  { rule: 'TrMean' },
  ...['byzfl', 'original', 'epfl'].flatMap((neighbours) => [
    { rule: 'Krum', params: { neighbours } },
    { rule: 'MultiKrum', params: { neighbours } },
    { rule: 'MultiKrum', params: { neighbours, m: 1 } },
  ]),
];

/**
 * Rounds of n = 1 … 12 updates by any rule behind 0 … 2 mixings, within the breakdown bounds.
 *
 * @param magnitude - largest coordinate; small ones make ties, 8191 is the most there is
 */
export function rounds(magnitude: number, most = 12): fc.Arbitrary<Round> {
  return fc
    .record({
      input: fc.constantFrom(...everyRule),
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
