import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import type { Examples } from '../../../simulations/data/dataset.ts';
import { openDataset } from '../../../simulations/data/open-dataset.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';
import { closeLab, run, SMALL } from './lab.ts';

afterAll(closeLab);

const FEATURES = 20;
const CLASSES = 4;
const SPEC: RunSpec = {
  ...SMALL,
  data: { name: 'synthetic', alpha: 0.5, beta: 0.5, devices: 20, features: FEATURES, classes: CLASSES, most: 100 },
  ...{ honest: 6, byzantine: 2, rounds: 80, evaluateEvery: 80 },
  attack: { name: 'IPM', params: { tau: 1 } },
  training: { ...SMALL.training, batch: 16 },
};

/** Softmax regression by the formulas, in float64: distributed SGD of momenta under -tau times their mean, from zero. */
function reference(train: Examples, test: Examples, aggregate: (column: number[]) => number): number {
  const width = FEATURES + 1;
  const weights = new Float64Array(CLASSES * width);
  const inputOf = (examples: Examples, at: number): number[] => [
    ...examples.inputs.subarray(at * FEATURES, (at + 1) * FEATURES),
    1,
  ];
  const probabilities = (x: readonly number[]): number[] => {
    const scores = Array.from({ length: CLASSES }, (_, k) =>
      x.reduce((sum, value, j) => sum + value * (weights[k * width + j] as number), 0),
    );
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const whole = powers.reduce((sum, one) => sum + one, 0);
    return powers.map((one) => one / whole);
  };
  const momenta = Array.from({ length: 6 }, () => new Float64Array(weights.length));
  let drawn = 1;
  const draw = (): number => {
    drawn = (drawn * 48271) % 2147483647;
    return drawn % train.count;
  };
  for (let round = 0; round < SPEC.rounds; round++) {
    for (const momentum of momenta) {
      const gradient = new Float64Array(weights.length);
      for (let one = 0; one < SPEC.training.batch; one++) {
        const at = draw();
        const x = inputOf(train, at);
        probabilities(x).forEach((p, k) => {
          const error = (p - (train.labels[at] === k ? 1 : 0)) / SPEC.training.batch;
          for (const [j, value] of x.entries())
            gradient[k * width + j] = (gradient[k * width + j] as number) + error * value;
        });
      }
      momentum.forEach((value, at) => {
        momentum[at] = 0.9 * value + 0.1 * ((gradient[at] as number) + 1e-4 * (weights[at] as number));
      });
    }
    for (let at = 0; at < weights.length; at++) {
      const column = momenta.map((momentum) => momentum[at] as number);
      const mean = column.reduce((sum, one) => sum + one, 0) / 6;
      weights[at] = (weights[at] as number) - 0.5 * aggregate([...column, -mean, -mean]);
    }
  }
  let right = 0;
  for (let at = 0; at < test.count; at++) {
    const p = probabilities(inputOf(test, at));
    if (p.indexOf(Math.max(...p)) === test.labels[at]) right++;
  }
  return right / test.count;
}

describe('a run beside a straightforward one in floats', () => {
  it.each([
    ['Average', 0, (column: number[]): number => column.reduce((sum, one) => sum + one, 0) / column.length],
    [
      'TrMean',
      2,
      (column: number[]): number => {
        const kept = [...column].sort((a, b) => a - b).slice(2, -2);
        return kept.reduce((sum, one) => sum + one, 0) / kept.length;
      },
    ],
  ])('learns as much by %s', async (rule, f, aggregate) => {
    const { train, test } = await openDataset(SPEC.data, tmpdir());
    const results = [];
    for (const seed of [0, 1]) results.push(await run({ ...SPEC, seed, rule: { pre: [], rule, f, params: {} } }));
    const found = results.reduce((sum, { finalAccuracy }) => sum + finalAccuracy, 0) / results.length;
    const expected = reference(train, test, aggregate);
    expect(expected).toBeGreaterThan(0.5);
    expect(Math.abs(found - expected)).toBeLessThan(0.04);
  });
});
