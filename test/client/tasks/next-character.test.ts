import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALPHABET_SIZE } from '../../../client/data/alphabet.ts';
import { createNextCharacterFactory } from '../../../client/tasks/next-character.ts';
import { describeTensors } from '../../../client/trainers/tfjs/layers-model.ts';
import type { Manifest } from '../../../shared/round/manifest.ts';
import { createToyJob } from '../toy-job.ts';

const architecture = {
  class_name: 'Sequential',
  config: {
    name: 'tiny',
    layers: [
      {
        class_name: 'Flatten',
        config: { name: 'flat', batch_input_shape: [null, 4, ALPHABET_SIZE], dtype: 'float32' },
      },
      { class_name: 'Dense', config: { name: 'logits', units: ALPHABET_SIZE, activation: 'linear' } },
    ],
  },
};
const training = { optimizer: 'sgd', learningRate: 0.1, momentum: 0, batchSize: 8, steps: 2 };
const task = { kind: 'next-character', architecture, training, data: { contextLength: 4, heldOutSamples: 16 } };

let folder: string;
let tensors: Manifest['tensors'];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-text-'));
  await writeFile(join(folder, 'text.md'), 'the quick brown fox jumps over the lazy dog\n'.repeat(100));
  const described = await describeTensors(architecture);
  tensors = described.map(({ name, shape }) => ({ name, shape: [...shape], fractionBits: 24, preScaleBits: 0 }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const make = (changes: Partial<Manifest['task']> = {}, folders = [folder], listed = tensors) =>
  createNextCharacterFactory({ folders, backend: 'cpu' })(
    createToyJob(40, { task: { ...task, ...changes }, tensors: listed }).terms.manifest,
  );

describe('createNextCharacterFactory', () => {
  it('makes a trainer for the manifest’s model on the client’s own text', async () => {
    const { trainer, datasetCommitment } = await make();
    expect(datasetCommitment).toMatch(/^0x[0-9a-f]{64}$/);
    const weights = tensors.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1)));
    expect(await trainer.evaluate(weights)).toMatchObject({ total: 16 });
    const result = await trainer.train({ weights, seed: 1, round: 1 });
    expect(result.update.map(({ length }) => length)).toEqual(weights.map(({ length }) => length));
    trainer.dispose();
  });

  it.each([
    ['another kind', { kind: 'images' }, { code: 'task/unknown-kind' }],
    ['no context', { data: {} }, { code: 'task/invalid', data: { field: 'task.data.contextLength' } }],
    ['data it does not know', { data: { ...task.data, stride: 2 } }, { code: 'task/invalid' }],
    ['an architecture that is no object', { architecture: 'dense' }, { code: 'task/invalid' }],
    ['training it does not know', { training: { ...training, optimizer: 'adam' } }, { code: 'trainer/bad-training' }],
  ])('refuses a task of %s', async (_, changes, error) => {
    await expect(make(changes)).rejects.toMatchObject(error);
  });

  it('refuses tensors that are not the architecture’s', async () => {
    await expect(make({}, [folder], tensors.slice(1))).rejects.toMatchObject({ code: 'task/tensor-mismatch' });
  });

  it('says which folder is missing', async () => {
    await expect(make({}, [join(folder, 'nowhere')])).rejects.toMatchObject({ code: 'data/folder-missing' });
  });
});
