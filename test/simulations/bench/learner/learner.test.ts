import { describe, expect, test } from 'vitest';
import { benchLearner } from '../../../../simulations/bench/learner/learner.ts';
import { learnerReport } from '../../../../simulations/bench/learner/learner-report.ts';
import { planModel } from '../../../../simulations/models/model-plan.ts';
import { layersOf } from '../../../../simulations/models/model-spec.ts';
import { forwardOperations, stepOperations } from '../../../../simulations/models/operations.ts';

const step = {
  ...{ name: 'E3: some', threads: 2, clients: 2, batch: 5, parameters: 10, operations: 8e6 },
  ...{
    stepMs: [4, 2, 3],
    stepProcessorMs: [5, 5, 5],
    ownMs: [4, 4, 4],
    commonApartMs: [4, 4, 9],
    ownApartMs: [6, 6, 6],
    testMs: [1],
  },
};

describe('the report of learner', () => {
  test('sets kernels beside the peak and compares neighbours in time', () => {
    const { text, document } = learnerReport({}, { peak: 40, forward: 30, gradient: 20 }, [step]);
    expect(document['results']).toMatchObject([
      // 4/4, 4/2, 9/3: the middle one.
      { stepMedianMs: 3, stepFastestMs: 2, commonFactor: 2, ownFactor: 1.5 },
    ]);
    expect(text).toContain('75%');
    expect(text).toContain('on two threads: met');
  });

  test('says by how much the bar is missed', () => {
    const { text } = learnerReport({}, { peak: 40, forward: 30, gradient: 20 }, [{ ...step, stepMs: [5, 5, 5] }]);
    expect(text).toContain('missed with 5.00 ms');
  });
});

test('operations are counted as the layers do them', () => {
  const plan = planModel(layersOf({ name: 'mlp' }), [28, 28, 1], 10);
  expect(stepOperations(plan)).toBe(2 * (784 * 100 * 2 + 100 * 10 * 3));
  expect(forwardOperations(planModel(layersOf({ name: 'cnn_mnist' }), [28, 28, 1], 10))).toBe(
    2 * (24 * 24 * 25 * 20 + 8 * 8 * 500 * 50 + 800 * 500 + 500 * 10),
  );
});

test('the benchmark runs', async () => {
  const { document } = await benchLearner({ threads: 1, repeats: 1, only: 'digits' }, () => {});
  expect(document['results']).toMatchObject([{ name: 'digits: softmax 64-10', threads: 1, parameters: 650 }]);
});
