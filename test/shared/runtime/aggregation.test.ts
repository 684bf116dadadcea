import { describe, expect, it } from 'vitest';
import { type AggregateOptions, aggregateWith } from '../../../shared/aggregation/aggregate.ts';
import { PRE_AGGREGATORS, RULES } from '../../../shared/aggregation/registry.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { createRng } from '../../../shared/rng.ts';
import { aggregate } from '../../../shared/runtime/aggregation.ts';

const rng = createRng(11);
const updates = Array.from({ length: 15 }, (_, i) =>
  Float32Array.from({ length: 300 }, () => (rng.nextFloat() - 0.5) * (i < 2 ? 40 : 1)),
);

const pipelines: (readonly string[])[] = [
  [],
  ...PRE_AGGREGATORS.map(({ name }) => [name]),
  ['Clipping', 'NNM'],
  ['ARC', 'Bucketing', 'Clipping'],
];

describe('aggregate', () => {
  for (const { name: rule, sees } of RULES) {
    it(`has the scalar reference's bits under ${rule}, behind every pre-aggregator`, async () => {
      for (const pre of pipelines) {
        const f = rule === 'Average' ? 0 : 1;
        const options: AggregateOptions = {
          rule,
          pre,
          f,
          ...(pre.includes('Bucketing') && { params: { s: 2 } }),
          seed: 8,
        };
        const found = await aggregate(updates, options);
        expect(found, pre.join('+')).toEqual(await aggregateWith(createScalarEngine(), updates, options));
        expect(found.weights === null).toBe(sees === 'values' || sees === 'both');
      }
    });
  }

  it('takes a reference, and coordinates that leave the range of an update', async () => {
    const reference = Float32Array.from({ length: 300 }, () => 30);
    const few = updates.map((row) => row.map((value, at) => (at === 0 ? Math.abs(value) : 0)));
    const options = { rule: 'FLTrust', f: 3, reference, updateBits: 'round' } as const;
    const found = await aggregate(few, options);
    expect(found).toEqual(await aggregateWith(createScalarEngine(), few, options));
    expect(found.output[0]).toBe(8191 * found.step);
  });
});
