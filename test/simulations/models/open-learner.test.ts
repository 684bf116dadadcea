import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// With it come the gradients.
import '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';
import type { GradientTask, Learner } from '../../../simulations/models/learner.ts';
import { openLearner } from '../../../simulations/models/open-learner.ts';
import { bits, CLASSES, MODELS, noisyExamples, sameBits, sizeOf, tasksOf } from './toy.ts';

const DROPOUT: RunSpec['model'] = { name: 'layers', layers: 'dense 8, relu, dropout 0.5' };
const learners: Learner[] = [];

async function open(model: RunSpec['model'], shape: readonly number[], threads = 1): Promise<Learner> {
  const learner = await openLearner(model, { shape, classes: CLASSES }, threads, 1);
  learners.push(learner);
  return learner;
}

afterEach(async () => {
  for (const learner of learners.splice(0)) await learner.close();
});

describe.each(Object.entries(MODELS))('%s', (_, { model, shape }) => {
  // A batch of 260 is more than is computed at a time.
  it.each([7, 260])('has the gradients and losses of TensorFlow.js, %d examples', async (size) => {
    await tf.setBackend('cpu');
    const learner = await open(model, shape);
    const examples = noisyExamples(12, sizeOf(shape), CLASSES);
    const weights = learner.initial(createRng(3));
    const [task] = tasksOf(learner, [size], [weights], examples.count) as [GradientTask];
    const [loss = 0] = await learner.gradients(examples, [task], createRng(1));
    const batch = [...task.batch];
    const rows = batch.flatMap((at) => [...examples.inputs.subarray(at * sizeOf(shape), (at + 1) * sizeOf(shape))]);
    const labels = batch.map((at) => examples.labels[at] as number);
    const truth = tf.tidy(() => {
      let from = 0;
      const tensors = learner.tensors.map((tensor) => {
        const values = weights.slice(from, from + sizeOf(tensor.shape));
        from += values.length;
        return tf.tensor(values, [...tensor.shape]);
      });
      const { value, grads } = tf.valueAndGrads((...parts: tf.Tensor[]) => {
        const logits = forward(model, tf.tensor(rows, [batch.length, ...shape]), parts);
        return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES), logits) as tf.Scalar;
      })(tensors);
      return { loss: value.dataSync()[0] as number, gradient: grads.flatMap((grad) => [...grad.dataSync()]) };
    });
    expect(loss).toBeCloseTo(truth.loss, 5);
    const largest = Math.max(...truth.gradient.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-3);
    const furthest = Math.max(...truth.gradient.map((slope, at) => Math.abs((task.gradient[at] as number) - slope)));
    expect(furthest).toBeLessThan(1e-4 * largest);
  });

  it('has the slopes that its own loss shows', async () => {
    const learner = await open(model, shape);
    const examples = noisyExamples(12, sizeOf(shape), CLASSES);
    const weights = learner.initial(createRng(3));
    const [task] = tasksOf(learner, [9], [weights], examples.count) as [GradientTask];
    await learner.gradients(examples, [task], createRng(1));
    // Along the gradient and along random directions: as many values change at once as there are.
    const rng = createRng(5);
    for (let trial = 0; trial < 4; trial++) {
      const direction = task.gradient.map((slope) => (trial === 0 ? slope : slope + 0.02 * (rng.nextFloat() - 0.5)));
      const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
      const unit = direction.map((value) => value / length);
      const step = 2 ** -8;
      const lossAt = async (factor: number): Promise<number> => {
        const moved = weights.map((value, at) => value + factor * (unit[at] as number));
        const gradient = new Float32Array(learner.parameters);
        return (await learner.gradients(examples, [{ ...task, weights: moved, gradient }], rng))[0] as number;
      };
      const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      const stated = unit.reduce((sum, value, at) => sum + value * (task.gradient[at] as number), 0);
      expect(Math.abs(slope - stated)).toBeLessThan(0.02 * Math.abs(stated));
    }
  });

  it('gives the same bits together or one by one, in passes or in one, copied or in place', async () => {
    const learner = await open(model, shape);
    await sameBits(learner, shape);
  });

  it('learns what there is to learn', async () => {
    const learner = await open(model, shape);
    const examples = noisyExamples(20, sizeOf(shape), CLASSES);
    const weights = learner.initial(createRng(1));
    const gradient = new Float32Array(learner.parameters);
    const batch = Array.from({ length: 20 }, (_, at) => at);
    const before = await learner.evaluate(examples, weights);
    for (let step = 0; step < 150; step++) {
      await learner.gradients(examples, [{ weights, batch, gradient }], createRng(1));
      for (let at = 0; at < weights.length; at++)
        weights[at] = (weights[at] as number) - 0.3 * (gradient[at] as number);
    }
    const after = await learner.evaluate(examples, weights);
    expect(after.lossSum).toBeLessThan(0.5 * before.lossSum);
    expect(after.correct).toBeGreaterThan(before.correct);
  });
});

/** The same layers in TensorFlow.js. */
function forward(model: RunSpec['model'], input: tf.Tensor, parts: tf.Tensor[]): tf.Tensor {
  const rows = input.shape[0] as number;
  let x = input;
  if (model.name === 'layers') {
    for (const pool of [false, true]) {
      const [kernel, bias] = parts.splice(0, 2) as [tf.Tensor4D, tf.Tensor];
      x = tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, kernel, 1, 'valid'), bias));
      if (pool) x = tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');
    }
  }
  for (;;) {
    const [kernel, bias] = parts.splice(0, 2) as [tf.Tensor2D, tf.Tensor];
    x = tf.add(tf.matMul(tf.reshape(x, [rows, -1]), kernel), bias);
    if (parts.length === 0) return x;
    x = tf.relu(x);
  }
}

it('gives the same bits on two threads as on one', async () => {
  const { model, shape } = MODELS['a convolutional network'] as (typeof MODELS)[string];
  const [one, two] = [await open(model, shape, 1), await open(model, shape, 2)];
  expect(await sameBits(two, shape)).toBe(await sameBits(one, shape));
});

describe('dropout', () => {
  it('leaves values out while training and none while testing, each client by its own stream', async () => {
    const learner = await open(DROPOUT, [6]);
    const examples = noisyExamples(30, 6, CLASSES);
    const weights = learner.initial(createRng(1));
    const tasks = tasksOf(learner, [4, 4, 9], [weights], examples.count);
    const losses = await learner.gradients(examples, tasks, createRng(1));
    const again = tasksOf(learner, [4, 4, 9], [weights], examples.count);
    await learner.gradients(examples, again, createRng(1));
    expect(bits(...again.map(({ gradient }) => gradient))).toBe(bits(...tasks.map(({ gradient }) => gradient)));
    const others = tasksOf(learner, [4, 4, 9], [weights], examples.count);
    await learner.gradients(examples, others, createRng(2));
    expect(bits(others[0]?.gradient as Float32Array)).not.toBe(bits(tasks[0]?.gradient as Float32Array));
    // The stream is drawn from in task order: one value a task.
    const rng = createRng(1);
    rng.nextUint32();
    const [, second] = tasksOf(learner, [4, 4, 9], [weights], examples.count) as [GradientTask, GradientTask];
    expect((await learner.gradients(examples, [second], rng))[0]).toBe(losses[1]);
    expect(bits(second.gradient)).toBe(bits(tasks[1]?.gradient as Float32Array));
    const [one, two] = [await learner.evaluate(examples, weights), await learner.evaluate(examples, weights)];
    expect(one).toEqual(two);
  });

  it('keeps the mean of what passes', async () => {
    const learner = await open(DROPOUT, [6]);
    const examples = noisyExamples(1, 6, CLASSES);
    const weights = learner.initial(createRng(4));
    // The bias of a hidden unit's outgoing slopes is unbiased: over many draws its gradient is that without dropout.
    const plain = await open({ name: 'mlp', hidden: [8] }, [6]);
    const truth = tasksOf(plain, [1], [weights], 1)[0] as GradientTask;
    await plain.gradients(examples, [truth], createRng(1));
    const tasks = tasksOf(learner, new Array<number>(400).fill(1), [weights], 1);
    await learner.gradients(examples, tasks, createRng(1));
    const last = learner.parameters - 1;
    const mean = tasks.reduce((sum, { gradient }) => sum + (gradient[last] as number), 0) / tasks.length;
    expect(mean).toBeCloseTo(truth.gradient[last] as number, 1);
    const left = tasks.map(({ gradient }) => gradient.slice(56, 96).filter((slope) => slope === 0).length / 40);
    // Of eight units some are rectified away anyhow; of the others half are left out.
    const alive = 1 - truth.gradient.slice(56, 96).filter((slope) => slope === 0).length / 40;
    expect(left.reduce((sum, share) => sum + share, 0) / left.length).toBeCloseTo(1 - alive / 2, 1);
  });
});

it('starts as PyTorch does: uniform in ±1 / sqrt(inputs of one output), weights and biases', async () => {
  const learner = await open({ name: 'layers', layers: 'conv 20 5, relu, pool, dense 50, relu' }, [12, 12, 1]);
  const weights = learner.initial(createRng(1));
  expect(bits(weights)).toBe(bits(learner.initial(createRng(1))));
  let at = 0;
  for (const [tensor, fanIn] of [25, 25, 320, 320, 50, 50].entries()) {
    const values = weights.slice(at, at + sizeOf(learner.tensors[tensor]?.shape ?? []));
    at += values.length;
    const bound = 1 / Math.sqrt(fanIn);
    const largest = Math.max(...values.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    if (values.length < 500) continue;
    expect(largest).toBeGreaterThan(0.98 * bound);
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance / (bound * bound)).toBeCloseTo(1 / 3, 1);
  }
  expect(at).toBe(learner.parameters);
});

it('has the networks of the published experiments', async () => {
  const parametersOf = async (name: string) =>
    (await openLearner({ name }, { shape: [28, 28, 1], classes: 10 }, 1)).parameters;
  // E1 states the number itself; E2's is that of PyTorch's example network.
  expect(await parametersOf('cnn_mnist')).toBe(431_080);
  expect(await parametersOf('cnn_bucketing')).toBe(1_199_882);
  expect(await parametersOf('mlp')).toBe(79_510);
});

it('says that a model has diverged by what it returns', async () => {
  const learner = await open({ name: 'mlp', hidden: [4] }, [3]);
  const examples = noisyExamples(4, 3, CLASSES);
  const weights = new Float32Array(learner.parameters).fill(Number.NaN);
  const [task] = tasksOf(learner, [2], [weights], 4) as [GradientTask];
  expect((await learner.gradients(examples, [task], createRng(1)))[0]).toBeNaN();
  expect(await learner.evaluate(examples, weights)).toEqual({ correct: 0, total: 4, lossSum: Number.NaN });
  expect([...(await learner.classify(examples, weights))]).toEqual([-1, -1, -1, -1]);
});

describe('refuses', () => {
  const examples = noisyExamples(4, 3, CLASSES);
  const refusal = async (change: (task: GradientTask) => Partial<GradientTask>, given = examples) => {
    const learner = await open({ name: 'softmax' }, [3]);
    const [task] = tasksOf(learner, [2], [learner.initial(createRng(1))], 4) as [GradientTask];
    return learner.gradients(given, [{ ...task, ...change(task) }], createRng(1));
  };

  it('labels beyond the classes, in batches and in tests', async () => {
    for (const label of [CLASSES, -1]) {
      const wrong = { ...examples, labels: Int32Array.of(0, label, 0, 0) };
      await expect(refusal(() => ({ batch: [0, 1] }), wrong)).rejects.toMatchObject({ code: 'learner/bad-label' });
      const learner = await open({ name: 'softmax' }, [3]);
      const weights = learner.initial(createRng(1));
      await expect(learner.evaluate(wrong, weights)).rejects.toMatchObject({ code: 'learner/bad-label' });
    }
  });

  it('examples that are not there, and batches of none', async () => {
    for (const batch of [[4], [-1], [0.5], []]) {
      await expect(refusal(() => ({ batch }))).rejects.toMatchObject({ code: 'learner/bad-example' });
    }
  });

  it('vectors and examples of another model', async () => {
    const short = new Float32Array(3);
    await expect(refusal(() => ({ weights: short }))).rejects.toMatchObject({ code: 'learner/bad-length' });
    await expect(refusal(() => ({ gradient: short }))).rejects.toMatchObject({ code: 'learner/bad-length' });
    const other = noisyExamples(4, 2, CLASSES);
    await expect(refusal(() => ({}), other)).rejects.toMatchObject({ code: 'learner/bad-length' });
  });

  it('work after it was closed', async () => {
    const learner = await open({ name: 'softmax' }, [3]);
    await learner.close();
    const weights = learner.initial(createRng(1));
    await expect(learner.evaluate(examples, weights)).rejects.toMatchObject({ code: 'learner/closed' });
  });

  it.each([
    [{ name: 'softmx' }, 'did you mean "softmax"?'],
    [{ name: 'mlp', hiden: [3] }, 'did you mean "hidden"?'],
    [{ name: 'mlp', hidden: [0] }, 'hidden'],
    [{ name: 'layers', layers: 'dens 3' }, 'did you mean "dense"?'],
    [{ name: 'layers', layers: 'conv 3' }, 'conv <filters> <size>'],
    [{ name: 'layers', layers: 'dropout 1' }, 'below 1'],
    [{ name: 'layers', layers: 'relu' }, 'must follow'],
    [{ name: 'layers', layers: 'conv 3 3' }, 'needs an image'],
    [{ name: 'layers', layers: 'dense 3, pool' }, 'needs an image'],
  ] as const)('the model %j', async (model, words) => {
    await expect(open(model, [3])).rejects.toMatchObject({
      code: 'learner/bad-option',
      message: expect.stringContaining(words),
    });
  });

  it('a window that is larger than the image, and a model that is too large', async () => {
    await expect(open({ name: 'layers', layers: 'conv 2 4' }, [3, 5, 1])).rejects.toMatchObject({
      code: 'learner/bad-option',
    });
    const large = { name: 'layers', layers: 'dense 65536, relu, dense 65536, relu' };
    await expect(open(large, [3])).rejects.toMatchObject({ code: 'learner/too-large' });
  });
});
