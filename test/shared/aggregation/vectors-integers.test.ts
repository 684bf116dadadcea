import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { chooseUpdateBits, encodeFloats } from '../../../shared/aggregation/encode-floats.ts';
import { parseRuleSpec, type RuleSpec } from '../../../shared/aggregation/registry.ts';
import { powerOfTwo } from '../../../shared/fixed-point/power-of-two.ts';
import { specOf, type VectorCase, vectorCases } from './vector-cases.ts';

/** Rules that choose updates: what they choose must be the same, not only near. */
const SELECTING = ['Krum', 'MultiKrum', 'MDA', 'CGE', 'MoNNA', 'SMEA', 'Bulyan'];

/** Cases left out, with the reason. */
const EXCLUDED: Readonly<Record<string, string>> = {
  minimal__Krum: 'n = 3, f = 1 is beyond Krum’s breakdown bound: refused over integers',
  minimal__MultiKrum: 'as minimal__Krum',
  'minimal__NNM+MultiKrum': 'as minimal__Krum',
};

interface Both {
  readonly found: readonly number[];
  readonly wanted: readonly number[];
  readonly medianMagnitude: number;
  readonly step: number;
  readonly chosen: readonly boolean[];
  readonly chosenByFloats: readonly boolean[] | null;
}

/** The integer path, and the float reference on the very integers it saw. */
function both(input: readonly (readonly number[])[], spec: RuleSpec): Both {
  const magnitudes = input.map((row) => Math.max(...row.map(Math.abs)));
  const updateBits = chooseUpdateBits('round', magnitudes);
  const step = powerOfTwo(-updateBits);
  const rows = input.map((row) => {
    const encoded = new Int16Array(row.length);
    encodeFloats(row, updateBits, encoded);
    return encoded;
  });
  const dequantized = rows.map((row) => Float64Array.from(row, (value) => value * step));
  const samples = rows.map(() => 1);
  const { aggregate, weights, active } = aggregateIntegers(rows, spec, samples, { updateBits, seed: 5 });
  const reference = aggregateFloats(dequantized, spec, { seed: 5 });
  const sorted = dequantized.map((row) => Math.max(...row.map(Math.abs))).sort((a, b) => a - b);
  return {
    found: Array.from(aggregate, (value) => (value * step) / 256),
    wanted: [...reference.output],
    medianMagnitude: sorted[Math.floor(sorted.length / 2)] as number,
    step,
    chosen: weights === null ? active : weights.map((weight) => weight > 0),
    chosenByFloats: reference.weights?.map((weight) => weight > 0) ?? null,
  };
}

function expectNear({ found, wanted, medianMagnitude, step }: Both): void {
  expect(medianMagnitude).toBeGreaterThan(2047 * step);
  for (const [at, value] of found.entries()) {
    const off = Math.abs(value - (wanted[at] as number));
    expect(off, `coordinate ${at}`).toBeLessThanOrEqual(medianMagnitude * 2 ** -10);
    // Far nearer, in fact: half an aggregate unit of rounding, and as much again for weights or factors of 30 bits.
    expect(off, `coordinate ${at}`).toBeLessThanOrEqual(step / 64);
  }
}

describe('the integer path beside the float reference on the same dequantized updates', () => {
  const compared = vectorCases.filter(
    ({ name, kind }) => ['aggregator', 'pipeline'].includes(kind) && !(name in EXCLUDED),
  );

  it('is compared on every case but those that are refused', () => {
    expect(compared.length).toBeGreaterThanOrEqual(250);
    for (const name of Object.keys(EXCLUDED)) {
      const vector = vectorCases.find((one) => one.name === name) as VectorCase;
      const refusal = expect.objectContaining({ code: 'rule/too-many-faulty' });
      expect(() => both(vector.input, specOf(vector))).toThrow(refusal);
    }
  });

  for (const vector of compared) {
    it(vector.name, () => {
      const result = both(vector.input, specOf(vector));
      expectNear(result);
      const { chosen, chosenByFloats } = result;
      if (chosenByFloats !== null && SELECTING.includes(vector.rule)) expect(chosen).toEqual(chosenByFloats);
    });
  }

  const inputs = new Map(
    vectorCases
      .filter(({ kind }) => kind === 'aggregator')
      .map(({ name, input }) => [name.split('__')[0] as string, input] as const),
  );
  const further = [
    'DnC:f=1',
    'ARC+TrMean:f=1',
    'ARC+Bulyan:f=0',
    'Clipping+ARC+NNM+Phocas:f=1,c=3',
    'Clipping+CenteredClipping:f=1,c=4,tau=2',
    'Bucketing+Median:s=2,f=0',
    'NNM+Bucketing+Clipping+GeometricMedian:s=2,f=0',
    'ARC+CAF:f=1',
    'Clipping+FLTrust:f=1,root=1',
    'Bucketing+NNM+SMEA:s=2,f=0',
    'NNM+Clipping+Meamed:f=1,c=1',
  ];
  for (const text of further) {
    it(`${text}, on every input`, () => {
      for (const input of inputs.values()) expectNear(both(input, parseRuleSpec(text)));
    });
  }
});
