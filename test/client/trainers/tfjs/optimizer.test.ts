import * as tf from '@tensorflow/tfjs-core';
// Brings the gradients of operations with it.
import '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { runOnBackend, selectBackend } from '../../../../client/trainers/tfjs/backend.ts';
import { batchGradient } from '../../../../client/trainers/tfjs/gradient.ts';
import { createOptimizer } from '../../../../client/trainers/tfjs/optimizer.ts';
import type { DescentSettings } from '../../../../client/trainers/tfjs/training-settings.ts';
import { createRng } from '../../../../shared/rng.ts';

const SIZE = 12;
const STEPS = 25;
const plain = { learningRate: 0.07, weightDecay: 0, proximal: 0 } as const;

/** Numbers in [-1, 1). */
function numbers(seed: number): number[] {
  const rng = createRng(seed, 'optimizer test');
  return Array.from({ length: SIZE }, () => Math.fround(2 * rng.nextFloat() - 1));
}

/** Where an optimizer comes from two variables by a sequence of gradients, and that it leaves no tensor behind. */
async function run(settings: DescentSettings, backend: 'wasm' | 'cpu'): Promise<number[][]> {
  const choice = await selectBackend(backend);
  return runOnBackend(choice, async () => {
    const before = tf.memory().numTensors;
    const variables = [0, 1].map((index) => tf.variable(tf.tensor1d(numbers(index))));
    const optimizer = createOptimizer(settings, variables);
    for (let step = 0; step < STEPS; step++) {
      const gradients = [0, 1].map((index) => tf.tensor1d(numbers(100 + 2 * step + index)));
      optimizer.apply(gradients);
      tf.dispose(gradients);
    }
    const reached = variables.map((variable) => [...variable.dataSync()]);
    optimizer.dispose();
    tf.dispose(variables);
    // The two tensors that variables are made of are not theirs to free.
    expect(tf.memory().numTensors - before).toBe(2);
    return reached;
  });
}

/** The same in float64 and plain JavaScript, from the papers' formulas, number by number. */
function reference(next: (w: number, g: number, step: number, state: Record<string, number>, w0: number) => number) {
  return [0, 1].map((index) =>
    numbers(index).map((w0, at) => {
      const state: Record<string, number> = {};
      let w = w0;
      for (let step = 1; step <= STEPS; step++) {
        const gradient = numbers(100 + 2 * (step - 1) + index)[at] as number;
        w = next(w, gradient, step, state, w0);
      }
      return w;
    }),
  );
}

const MU = 0.4;
const DECAY = 0.05;
const [B1, B2, EPSILON] = [0.8, 0.95, 1e-6];
const rate = plain.learningRate;

const CASES: readonly [string, DescentSettings, number[][]][] = [
  ['sgd', { ...plain, optimizer: { name: 'sgd' } }, reference((w, g) => w - rate * g)],
  [
    'momentum',
    { ...plain, optimizer: { name: 'momentum', momentum: 0.9 } },
    reference((w, g, _step, state) => {
      state['v'] = 0.9 * (state['v'] ?? 0) + g;
      return w - rate * state['v'];
    }),
  ],
  [
    'adam',
    { ...plain, optimizer: { name: 'adam', beta1: B1, beta2: B2, epsilon: EPSILON } },
    reference((w, g, step, state) => {
      state['m'] = B1 * (state['m'] ?? 0) + (1 - B1) * g;
      state['v'] = B2 * (state['v'] ?? 0) + (1 - B2) * g * g;
      const [mean, square] = [state['m'] / (1 - B1 ** step), state['v'] / (1 - B2 ** step)];
      return w - (rate * mean) / (Math.sqrt(square) + EPSILON);
    }),
  ],
  [
    'sgd with a proximal term',
    { ...plain, proximal: MU, optimizer: { name: 'sgd' } },
    reference((w, g, _step, _state, w0) => w - rate * (g + MU * (w - w0))),
  ],
  [
    'momentum with a proximal term, which goes through the velocity',
    { ...plain, proximal: MU, optimizer: { name: 'momentum', momentum: 0.5 } },
    reference((w, g, _step, state, w0) => {
      state['v'] = 0.5 * (state['v'] ?? 0) + g + MU * (w - w0);
      return w - rate * state['v'];
    }),
  ],
  [
    'sgd with weight decay',
    { ...plain, weightDecay: DECAY, optimizer: { name: 'sgd' } },
    reference((w, g) => w - rate * g - rate * DECAY * w),
  ],
  [
    'adam with weight decay, which goes past the moments',
    { ...plain, weightDecay: DECAY, optimizer: { name: 'adam', beta1: B1, beta2: B2, epsilon: EPSILON } },
    reference((w, g, step, state) => {
      state['m'] = B1 * (state['m'] ?? 0) + (1 - B1) * g;
      state['v'] = B2 * (state['v'] ?? 0) + (1 - B2) * g * g;
      const direction = state['m'] / (1 - B1 ** step) / (Math.sqrt(state['v'] / (1 - B2 ** step)) + EPSILON);
      return w - rate * direction - rate * DECAY * w;
    }),
  ],
];

describe.each(['wasm', 'cpu'] as const)('optimizers on %s', (backend) => {
  it.each(CASES)('%s goes where its formula goes', async (_name, settings, expected) => {
    const reached = await run(settings, backend);
    reached.forEach((values, index) => {
      values.forEach((value, at) => {
        expect(value).toBeCloseTo(expected[index]?.[at] as number, 5);
      });
    });
  });

  it('adam goes where the one of TensorFlow.js goes', async () => {
    const settings = { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
    const reached = await run({ ...plain, optimizer: settings }, backend);
    const theirs = await runOnBackend(await selectBackend(backend), async () => {
      const variables = [0, 1].map((index) => tf.variable(tf.tensor1d(numbers(index))));
      const adam = tf.train.adam(rate, settings.beta1, settings.beta2, settings.epsilon);
      for (let step = 0; step < STEPS; step++) {
        const named = variables.map((variable, index) => [variable.name, tf.tensor1d(numbers(100 + 2 * step + index))]);
        adam.applyGradients(Object.fromEntries(named));
      }
      return variables.map((variable) => [...variable.dataSync()]);
    });
    reached.flat().forEach((value, at) => {
      expect(value).toBeCloseTo(theirs.flat()[at] as number, 4);
    });
  });

  it('repeats bit for bit', async () => {
    for (const [, settings] of CASES) expect(await run(settings, backend)).toEqual(await run(settings, backend));
  });

  it('shortens a gradient to the norm and no further, in its own direction', async () => {
    await runOnBackend(await selectBackend(backend), async () => {
      const [a, b] = [tf.variable(tf.tensor1d([3, 0])), tf.variable(tf.tensor1d([4]))];
      // The gradient of half the squared length is the point itself: (3, 0, 4), of norm 5.
      const loss = (): tf.Scalar => tf.mul(tf.add(tf.sum(tf.square(a)), tf.sum(tf.square(b))), 0.5);
      const gradientAt = async (clipNorm: number): Promise<number[]> => {
        const { loss: value, gradients, dispose } = await batchGradient(loss, [a, b], clipNorm);
        expect(value).toBe(12.5);
        const numbers = gradients.flatMap((gradient) => [...(gradient as tf.Tensor).dataSync()]);
        dispose();
        return numbers;
      };
      expect(await gradientAt(Number.POSITIVE_INFINITY)).toEqual([3, 0, 4]);
      expect(await gradientAt(6)).toEqual([3, 0, 4]);
      (await gradientAt(2.5)).forEach((value, at) => {
        expect(value).toBeCloseTo([1.5, 0, 2][at] as number, 6);
      });
      tf.dispose([a, b]);
    });
  });
});
