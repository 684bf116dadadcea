import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { initialWeights } from '../../../../client/trainers/tfjs/layers-model.ts';
import { createTfjsTrainer, type TfjsTrainer } from '../../../../client/trainers/tfjs/tfjs-trainer.ts';
import type { TrainingSettings } from '../../../../client/trainers/tfjs/training-settings.ts';
import type { TrainingProgress } from '../../../../client/trainers/trainer.ts';
import { makeToyData, toyArchitecture, toyTraining } from './toy.ts';

const open: TfjsTrainer[] = [];
afterEach(() => {
  for (const trainer of open.splice(0)) trainer.dispose();
});

async function makeTrainer(training: TrainingSettings, samples = 60): Promise<TfjsTrainer> {
  const data = { ...makeToyData(), samples };
  const trainer = await createTfjsTrainer({ architecture: toyArchitecture, training, data, backend: 'wasm' });
  open.push(trainer);
  return trainer;
}

const norm = (tensors: readonly Float32Array[]): number =>
  Math.sqrt(tensors.reduce((sum, values) => sum + values.reduce((squares, value) => squares + value * value, 0), 0));
const difference = (a: readonly Float32Array[], b: readonly Float32Array[]): Float32Array[] =>
  a.map((values, tensor) => values.map((value, at) => value - (b[tensor]?.[at] as number)));
const flat = (tensors: readonly Float32Array[]): number[] => tensors.flatMap((values) => [...values]);

const sgd = { optimizer: 'sgd', learningRate: 1, batchSize: 8 } as const;

describe('mode gradient', () => {
  it('gives minus the gradient of a batch: what one step of rate 1 adds to the weights', async () => {
    const weights = await initialWeights(toyArchitecture, 3);
    const task = { weights, seed: 5, round: 1 };
    const { update, loss } = await (await makeTrainer({ mode: 'gradient', batchSize: 8, steps: 1 })).train(task);
    const stepped = await (await makeTrainer({ ...sgd, steps: 1 })).train(task);
    expect(loss).toBe(stepped.loss);
    expect(norm(update)).toBeGreaterThan(0.05);
    expect(norm(difference(update, stepped.update))).toBeLessThan(1e-6);
  });

  it('averages its batches at the global model, where descent would have moved on', async () => {
    const weights = await initialWeights(toyArchitecture, 3);
    const task = { weights, seed: 5, round: 1 };
    const three = await (await makeTrainer({ mode: 'gradient', batchSize: 8, steps: 3 })).train(task);
    // The same stream of examples as one batch of three times the size.
    const once = await (await makeTrainer({ mode: 'gradient', batchSize: 24, steps: 1 })).train(task);
    const moved = await (await makeTrainer({ ...sgd, learningRate: 1 / 3, steps: 3 })).train(task);
    expect(norm(difference(three.update, moved.update))).toBeGreaterThan(0.01);
    expect(three.loss).not.toBe(moved.loss);
    expect(norm(once.update)).toBeGreaterThan(0);
  });

  it('weighs every example alike, whatever batches an epoch is cut into', async () => {
    const weights = await initialWeights(toyArchitecture, 3);
    const gradients = [];
    for (const [batchSize, seed] of [
      [60, 1],
      [7, 2],
      [13, 3],
    ] as const) {
      const trainer = await makeTrainer({ mode: 'gradient', batchSize, epochs: 1 });
      gradients.push((await trainer.train({ weights, seed, round: 1 })).update);
    }
    const [whole, ...cut] = gradients;
    for (const update of cut) expect(norm(difference(update, whole as Float32Array[]))).toBeLessThan(1e-6);
  });

  it('asks the client for its momentum, and leaves no tensor behind', async () => {
    const trainer = await makeTrainer({ mode: 'gradient', workerMomentum: 0.9, batchSize: 8, steps: 2, clipNorm: 0.1 });
    expect(trainer.workerMomentum).toBe(0.9);
    expect((await makeTrainer({ ...toyTraining })).workerMomentum).toBe(0);
    const weights = await initialWeights(toyArchitecture, 3);
    await trainer.train({ weights, seed: 1, round: 0 });
    const { numTensors } = tf.memory();
    for (let round = 1; round < 10; round++) await trainer.train({ weights, seed: 1, round });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(norm((await trainer.train({ weights, seed: 1, round: 0 })).update)).toBeLessThan(0.1 + 1e-6);
  });
});

describe('mode weights', () => {
  it('is held near the global model by the proximal term, the more the heavier it is', async () => {
    const weights = await initialWeights(toyArchitecture, 3);
    const lengths = [];
    for (const proximal of [0, 0.5, 4]) {
      const trainer = await makeTrainer({ ...sgd, learningRate: 0.1, steps: 60, proximal });
      lengths.push(norm((await trainer.train({ weights, seed: 5, round: 1 })).update));
    }
    const [free, held, tight] = lengths as [number, number, number];
    expect(held).toBeLessThan(0.9 * free);
    expect(tight).toBeLessThan(0.6 * held);
  });

  it('adds the proximal gradient from the second step on: the first is at the global model', async () => {
    const weights = await initialWeights(toyArchitecture, 3);
    const update = async (steps: number, proximal: number): Promise<Float32Array[]> =>
      (await (await makeTrainer({ ...sgd, learningRate: 0.25, steps, proximal })).train({ weights, seed: 5, round: 1 }))
        .update;
    expect(await update(1, 0.5)).toEqual(await update(1, 0));
    // After two steps: what one step had added, pulled back by rate * proximal, is all the difference there is.
    const pulled = difference(await update(2, 0), await update(2, 0.5));
    const first = (await update(1, 0)).map((values) => values.map((value) => value * 0.25 * 0.5));
    expect(norm(first)).toBeGreaterThan(0.005);
    expect(norm(difference(pulled, first))).toBeLessThan(1e-6);
  });

  it.each<[string, Partial<TrainingSettings>]>([
    ['adam', { optimizer: 'adam', learningRate: 0.02 }],
    ['adam with decay', { optimizer: 'adam', learningRate: 0.02, weightDecay: 0.01 }],
    ['epochs', { optimizer: 'momentum', momentum: 0.5, learningRate: 0.2 }],
  ])('learns by %s, in any order of calls the same, and leaves no tensor behind', async (_name, settings) => {
    const training = { ...sgd, ...settings, batchSize: 32, epochs: 3 };
    const trainer = await makeTrainer(training, 600);
    const weights = await initialWeights(toyArchitecture, 1);
    const first = await trainer.train({ weights, seed: 7, round: 1 });
    const { numTensors } = tf.memory();
    const learnt = weights.map((values, tensor) =>
      values.map((value, at) => value + (first.update[tensor]?.[at] ?? 0)),
    );
    const [before, after] = [await trainer.evaluate(weights), await trainer.evaluate(learnt)];
    expect(after.lossSum).toBeLessThan(0.8 * before.lossSum);
    expect(await trainer.train({ weights, seed: 7, round: 1 })).toEqual(first);
    expect(flat((await trainer.train({ weights, seed: 8, round: 1 })).update)).not.toEqual(flat(first.update));
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('tells how far it is, never backwards, and at last that it is done', async () => {
    const told: TrainingProgress[] = [];
    const trainer = await makeTrainer({ ...toyTraining, steps: 400 });
    const weights = await initialWeights(toyArchitecture, 1);
    await trainer.train({ weights, seed: 7, round: 1, onProgress: (progress) => told.push(progress) });
    const shares = told.map(({ done }) => done);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.every((done) => done > 0 && done <= 1)).toBe(true);
    expect(told.at(-1)).toEqual({ done: 1, loss: expect.any(Number) });
  });
});
