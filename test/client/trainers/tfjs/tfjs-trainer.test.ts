import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { openCorpus } from '../../../../client/data/text-corpus.ts';
import type { LayersArchitecture } from '../../../../client/trainers/tfjs/architecture.ts';
import { describeTensors, initialWeights } from '../../../../client/trainers/tfjs/layers-model.ts';
import { createTfjsTrainer, type TfjsTrainer } from '../../../../client/trainers/tfjs/tfjs-trainer.ts';
import type { TrainingResult } from '../../../../client/trainers/trainer.ts';
import { nextCharacterJob } from '../../../../simulations/demo/next-character.ts';
import { makeFolder, makeText } from '../../data/temporary-folder.ts';
import { makeToyData, toyArchitecture, toyTraining } from './toy.ts';

const open: TfjsTrainer[] = [];
afterEach(() => {
  for (const trainer of open.splice(0)) trainer.dispose();
});

async function makeToy(options: Partial<Parameters<typeof createTfjsTrainer>[0]> = {}): Promise<TfjsTrainer> {
  const trainer = await createTfjsTrainer({
    architecture: toyArchitecture,
    training: toyTraining,
    data: makeToyData(),
    backend: 'wasm',
    ...options,
  });
  open.push(trainer);
  return trainer;
}

/** The global weights with the update added. */
function moved(weights: readonly Float32Array[], { update }: Pick<TrainingResult, 'update'>): Float32Array[] {
  return weights.map((values, tensor) => values.map((value, at) => value + (update[tensor]?.[at] ?? 0)));
}

describe('the TensorFlow.js trainer', () => {
  it('learns: the loss falls and the held-out accuracy rises from round to round', async () => {
    const trainer = await makeToy();
    let weights = await initialWeights(toyArchitecture, 1);
    const before = await trainer.evaluate(weights);
    const losses: number[] = [];
    for (let round = 0; round < 6; round++) {
      const result = await trainer.train({ weights, seed: 3, round });
      weights = moved(weights, result);
      losses.push(result.loss);
      expect(result.samples).toBe(10_000);
    }
    const after = await trainer.evaluate(weights);
    expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0));
    expect(after.correct / after.total).toBeGreaterThan(0.85);
    expect(after.lossSum).toBeLessThan(before.lossSum / 2);
    expect(after.constantCorrect).toBe(before.constantCorrect);
    expect(after.constantCorrect).toBe([...makeToyData().heldOut(0, 300).labels].filter((label) => label === 1).length);
  });

  it('learns the next character of a text of its own', async () => {
    const data = await openCorpus([await makeFolder({ 'a.txt': makeText(1, 40_000) })]);
    const { architecture, training } = nextCharacterJob;
    const trainer = await makeToy({ architecture, training: { ...training, steps: 80 }, data });
    const weights = await initialWeights(architecture, 1);
    const { correct, total, constantCorrect } = await trainer.evaluate(
      moved(weights, await trainer.train({ weights, seed: 1, round: 0 })),
    );
    expect(constantCorrect / total).toBeLessThan(0.3);
    expect(correct / total).toBeGreaterThan(0.4);
  });

  it('computes the gradients that finite differences give', async () => {
    const trainer = await makeToy({
      training: { optimizer: 'sgd', learningRate: 1, momentum: 0, batchSize: 8, steps: 1 },
    });
    const weights = await initialWeights(toyArchitecture, 2);
    const task = { seed: 4, round: 0 };
    const stepped = await trainer.train({ ...task, weights });
    const nudge = 2 ** -6;
    for (const [tensor, index] of [
      [0, 5],
      [0, 40],
      [1, 2],
      [2, 7],
      [3, 1],
    ] as const) {
      const lossAt = async (by: number): Promise<number> => {
        const nudged = weights.map((values) => values.slice());
        const values = nudged[tensor] as Float32Array;
        values[index] = (values[index] ?? 0) + by;
        return (await trainer.train({ ...task, weights: nudged })).loss;
      };
      const slope = ((await lossAt(nudge)) - (await lossAt(-nudge))) / (2 * nudge);
      const gradient = -(stepped.update[tensor]?.[index] ?? 0);
      expect(gradient).toBeCloseTo(slope, 2);
    }
  });

  it('repeats bit for bit, whatever it did before, and leaves the given weights alone', async () => {
    const weights = await initialWeights(toyArchitecture, 1);
    const copy = weights.map((values) => values.slice());
    const trainer = await makeToy();
    const first = await trainer.train({ weights, seed: 7, round: 2 });
    const other = await trainer.train({ weights, seed: 8, round: 2 });
    const later = await trainer.train({ weights, seed: 7, round: 3 });
    await trainer.evaluate(moved(weights, other));
    expect(await trainer.train({ weights, seed: 7, round: 2 })).toEqual(first);
    expect(await (await makeToy()).train({ weights, seed: 7, round: 2 })).toEqual(first);
    expect(other.update).not.toEqual(first.update);
    expect(later.update).not.toEqual(first.update);
    expect(weights).toEqual(copy);
  });

  it.each(['wasm', 'cpu'] as const)('leaks no tensor on %s', async (backend) => {
    const trainer = await makeToy({ backend, training: { ...toyTraining, steps: 3, clipNorm: 0.01 } });
    let weights = await initialWeights(toyArchitecture, 1);
    weights = moved(weights, await trainer.train({ weights, seed: 1, round: 0 }));
    await trainer.evaluate(weights);
    const { numTensors, numBytes } = tf.memory();
    const buffers = tf.engine().backend.numDataIds();
    for (let round = 1; round < 20; round++) {
      weights = moved(weights, await trainer.train({ weights, seed: 1, round }));
      await trainer.evaluate(weights);
    }
    await expect(trainer.train({ weights: [], seed: 1, round: 0 })).rejects.toThrow();
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    expect(tf.engine().backend.numDataIds()).toBe(buffers);
  });

  it('frees everything when disposed, also while it trains', async () => {
    await describeTensors(toyArchitecture);
    const { numTensors } = tf.memory();
    const trainer = await makeToy();
    const training = trainer.train({ weights: await initialWeights(toyArchitecture, 1), seed: 1, round: 0 });
    const queued = trainer.evaluate(await initialWeights(toyArchitecture, 1));
    await training;
    trainer.dispose();
    trainer.dispose();
    await queued.catch(() => undefined);
    await expect(trainer.evaluate([])).rejects.toMatchObject({ code: 'trainer/disposed' });
    await describeTensors(toyArchitecture);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('keeps two trainers on two backends apart', async () => {
    const weights = await initialWeights(toyArchitecture, 1);
    const [wasm, cpu] = [await makeToy(), await makeToy({ backend: 'cpu' })];
    expect([wasm.backend.name, cpu.backend.name]).toEqual(['wasm', 'cpu']);
    const alone = [await wasm.train({ weights, seed: 1, round: 0 }), await cpu.train({ weights, seed: 1, round: 0 })];
    const together = await Promise.all([wasm, cpu].map((trainer) => trainer.train({ weights, seed: 1, round: 0 })));
    expect(together).toEqual(alone);
    expect(alone[0]?.loss).toBeCloseTo(alone[1]?.loss ?? 0, 4);
  });

  it('stops when called off, between two batches', async () => {
    const trainer = await makeToy({ training: { ...toyTraining, steps: 1_000_000 } });
    const abort = new AbortController();
    const weights = await initialWeights(toyArchitecture, 1);
    const training = trainer.train({ weights, seed: 1, round: 0 }, abort.signal);
    setImmediate(() => abort.abort(new Error('the round is over')));
    await expect(training).rejects.toMatchObject({ code: 'trainer/aborted', cause: { message: 'the round is over' } });
    expect((await trainer.evaluate(weights)).total).toBe(300);
  });

  it('names the tensor whose size is wrong', async () => {
    const trainer = await makeToy();
    const weights = await initialWeights(toyArchitecture, 1);
    const short = weights.with(2, new Float32Array(5));
    await expect(trainer.train({ weights: short, seed: 1, round: 0 })).rejects.toMatchObject({
      code: 'trainer/shape-mismatch',
      message: expect.stringContaining('logits/kernel'),
    });
    await expect(trainer.evaluate(weights.slice(1))).rejects.toMatchObject({ code: 'trainer/shape-mismatch' });
  });

  it('says so when training diverges', async () => {
    const trainer = await makeToy({ training: { ...toyTraining, learningRate: 1e30 } });
    const weights = await initialWeights(toyArchitecture, 1);
    await expect(trainer.train({ weights, seed: 1, round: 0 })).rejects.toMatchObject({ code: 'trainer/diverged' });
    await expect(
      trainer.train({ weights: weights.map((values) => values.slice().fill(Number.NaN)), seed: 1, round: 0 }),
    ).rejects.toMatchObject({ code: 'trainer/diverged' });
  });

  it('bounds a step by clipNorm', async () => {
    const settings = { optimizer: 'sgd', learningRate: 1, momentum: 0, batchSize: 8, steps: 1 } as const;
    const weights = await initialWeights(toyArchitecture, 1);
    const length = async (trainer: TfjsTrainer): Promise<number> => {
      const { update } = await trainer.train({ weights, seed: 1, round: 0 });
      const squares = update.flatMap((values) => [...values].map((value) => value ** 2));
      return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    };
    const whole = await length(await makeToy({ training: settings }));
    expect(whole).toBeGreaterThan(0.01);
    expect(await length(await makeToy({ training: { ...settings, clipNorm: whole / 4 } }))).toBeCloseTo(whole / 4, 5);
    expect(await length(await makeToy({ training: { ...settings, clipNorm: whole * 4 } }))).toBeCloseTo(whole, 6);
  });

  it('refuses data that the architecture does not fit', async () => {
    await expect(makeToy({ data: makeToyData([3, 2]) })).rejects.toMatchObject({ code: 'trainer/data-mismatch' });
    await expect(makeToy({ data: { ...makeToyData(), classes: 4 } })).rejects.toMatchObject({
      code: 'trainer/data-mismatch',
    });
  });

  it('trains every layer that is allowed', async () => {
    const named = (kind: string, name: string, inbound: string[], config: Record<string, unknown> = {}): unknown => ({
      class_name: kind,
      name,
      config: { name, ...config },
      inbound_nodes: inbound.length === 0 ? [] : [inbound.map((from) => [from, 0, 0, {}])],
    });
    const architecture: LayersArchitecture = {
      class_name: 'Model',
      config: {
        name: 'all',
        layers: [
          named('InputLayer', 'in', [], { batch_input_shape: [null, 6], dtype: 'float32' }),
          named('Reshape', 'rows', ['in'], { target_shape: [3, 2] }),
          named('Permute', 'turned', ['rows'], { dims: [2, 1] }),
          named('Dense', 'embed', ['turned'], { units: 5, activation: 'tanh' }),
          named('LayerNormalization', 'norm', ['embed'], { axis: -1 }),
          named('Activation', 'sigmoid', ['norm'], { activation: 'sigmoid' }),
          named('GlobalAveragePooling1D', 'pool', ['sigmoid']),
          named('Flatten', 'flat', ['norm']),
          named('LeakyReLU', 'leaky', ['flat'], { alpha: 0.1 }),
          named('ReLU', 'relu', ['flat']),
          named('Add', 'sum', ['leaky', 'relu']),
          named('Concatenate', 'joined', ['sum', 'pool'], { axis: -1 }),
          named('Dense', 'logits', ['joined'], { units: 3, activation: 'linear' }),
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['logits', 0, 0]],
      },
    };
    const trainer = await makeToy({ architecture });
    const weights = await initialWeights(architecture, 1);
    const result = await trainer.train({ weights, seed: 1, round: 0 });
    result.update.forEach((values, index) => {
      expect(
        values.some((value) => value !== 0),
        trainer.tensors[index]?.name ?? '',
      ).toBe(true);
    });
  });
});
