import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyRecord } from '../../../client/data/dataset-commitment.ts';
import { createClassificationFactory, parseClassification } from '../../../client/tasks/classification.ts';
import { commitmentOf, openTaskData, proofOf } from '../../../client/tasks/data-report.ts';
import { datasetSecret, saltFor } from '../../../client/tasks/dataset-salt.ts';
import { describeTensors } from '../../../client/trainers/tfjs/layers-model.ts';
import type { Manifest } from '../../../shared/round/manifest.ts';
import { makeFolder, makeText } from '../data/temporary-folder.ts';
import { createToyJob } from '../toy-job.ts';

const architecture = {
  class_name: 'Sequential',
  config: {
    name: 'linear',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'logits', units: 2, activation: 'linear', batch_input_shape: [null, 2], dtype: 'float32' },
      },
    ],
  },
};
const training = { optimizer: 'sgd', learningRate: 0.5, momentum: 0, batchSize: 32, steps: 60 };
const data = {
  format: 'csv',
  inputShape: [2],
  classes: ['below', 'above'],
  label: 'side',
  features: ['x', 'y'],
  scale: { mean: [50, 50], deviation: 25 },
};
const task = { kind: 'classification', architecture, training, data };
const secret = new Uint8Array(32).fill(3);

/** Points that a straight line parts. */
const points = [
  'x,y,side',
  ...Array.from({ length: 300 }, (_, at) => {
    const [x, y] = [(at * 37) % 101, (at * 59) % 97];
    return `${x},${y},${y > x ? 'above' : 'below'}`;
  }),
].join('\n');

async function manifestOf(changes: Partial<Manifest['task']> = {}): Promise<Manifest> {
  const tensors = (await describeTensors(architecture)).map(({ name, shape }) => ({
    name,
    shape: [...shape],
    fractionBits: 24,
    preScaleBits: 0,
  }));
  return createToyJob(40, { task: { ...task, ...changes }, tensors }).terms.manifest;
}

const make = async (paths: readonly string[], changes: Partial<Manifest['task']> = {}) =>
  createClassificationFactory({ paths, secret, backend: 'cpu' })(await manifestOf(changes));

describe('createClassificationFactory', () => {
  it('makes a trainer that learns the client’s own data', async () => {
    const { trainer, datasetCommitment } = await make([await makeFolder({ 'points.csv': points })]);
    const weights = [new Float32Array(4), new Float32Array(2)];
    const before = await trainer.evaluate(weights);
    expect(before.total).toBe(30);
    const { update, samples } = await trainer.train({ weights, seed: 1, round: 1 });
    expect(samples).toBe(270);
    const after = await trainer.evaluate(update);
    expect(after.correct).toBeGreaterThan(26);
    expect(after.correct).toBeGreaterThan(after.constantCorrect);
    expect(datasetCommitment).toMatch(/^0x[0-9a-f]{64}$/);
    trainer.dispose();
  });

  it('tells how many records each class has', async () => {
    const told: Readonly<Record<string, unknown>>[] = [];
    const paths = [await makeFolder({ 'points.csv': points })];
    const three = { ...data, classes: ['below', 'above', 'beside'] };
    const units = structuredClone(architecture);
    const factory = createClassificationFactory({
      paths,
      secret,
      backend: 'cpu',
      onReady: (facts) => told.push(facts),
    });
    (units.config.layers[0] as { config: { units: number } }).config.units = 3;
    const tensors = [[2, 3], [3]].map((shape, at) => ({ name: `t${at}`, shape, fractionBits: 24, preScaleBits: 0 }));
    const { terms } = createToyJob(40, { task: { ...task, architecture: units, data: three }, tensors });
    (await factory(terms.manifest)).trainer.dispose();
    expect(told[0]).toMatchObject({ records: 300, samples: 270, heldOut: 30 });
    expect(told[0]?.['classes']).toMatch(/^below: [0-9]+, above: [0-9]+, 1 without any$/);
  });

  it.each([
    ['another kind', { kind: 'next-character' }, { code: 'task/unknown-kind' }],
    ['no data', { data: {} }, { code: 'task/invalid', data: { field: 'task.data.format' } }],
    ['a field it does not know', { data: { ...data, shards: 3 } }, { code: 'task/invalid' }],
    [
      'another input shape than the model’s',
      { data: { ...data, features: ['x'], inputShape: [1], scale: { mean: 0, deviation: 1 } } },
      { code: 'trainer/data-mismatch' },
    ],
    ['classes that are not in the data', { data: { ...data, classes: ['below', 'over'] } }, { code: 'data/bad-label' }],
  ])('refuses %s', async (_, changes, error) => {
    await expect(make([await makeFolder({ 'points.csv': points })], changes)).rejects.toMatchObject(error);
  });
});

describe('openTaskData', () => {
  it('describes data without a model, commits to it as a client does, and opens single records', async () => {
    const folder = await makeFolder({ 'points.csv': points });
    const manifest = await manifestOf();
    const opened = await openTaskData(manifest, [folder]);
    opened.readAll();
    const above = opened.report.histogram.find(({ name }) => name === 'above');
    expect(above?.records).toBe(points.split('\n').filter((line) => line.endsWith('above')).length);
    expect(opened.report).toMatchObject({ format: 'csv', records: 300, samples: 270, heldOutSamples: 30 });
    const { trainer, datasetCommitment } = await make([folder]);
    trainer.dispose();
    expect(commitmentOf(opened, manifest, secret)).toBe(datasetCommitment);
    const proof = proofOf(opened, manifest, secret, 41);
    expect(proof.datasetCommitment).toBe(datasetCommitment);
    expect(Buffer.from(proof.record.slice(2), 'hex').toString()).toBe(points.split('\n')[42]);
    expect(verifyRecord(proof)).toBe(true);
    opened.close();
  });

  it('takes text as records of one file each', async () => {
    const folder = await makeFolder({ 'a.txt': makeText(1, 4_000), 'b.txt': makeText(2, 4_000) });
    const manifest = await manifestOf({ kind: 'next-character', data: { contextLength: 4 } });
    const opened = await openTaskData(manifest, [folder]);
    expect(opened.report).toMatchObject({ format: 'text', records: 2, histogram: [] });
    const proof = proofOf(opened, manifest, secret, 1);
    expect(Buffer.from(proof.record.slice(2), 'hex').toString()).toMatch(/^[0-9a-f]{64} 4000 0\/b\.txt\n$/);
    expect(verifyRecord(proof)).toBe(true);
  });
});

describe('parseClassification', () => {
  it('names the field at fault', async () => {
    const manifest = await manifestOf({ data: { ...data, classes: 1 } });
    expect(() => parseClassification(manifest)).toThrow(
      expect.objectContaining({ code: 'task/invalid', data: { field: 'task.data.classes' } }),
    );
  });
});

describe('datasetSecret', () => {
  it('is drawn once and kept; another job has another salt', async () => {
    const folder = await makeFolder({});
    const drawn = await datasetSecret(folder);
    expect(drawn.length).toBe(32);
    expect(await datasetSecret(folder)).toEqual(drawn);
    expect(await datasetSecret(await makeFolder({}))).not.toEqual(drawn);
    const [one, other] = [await manifestOf(), await manifestOf({ training: { ...training, steps: 61 } })];
    expect(saltFor(drawn, one)).not.toEqual(saltFor(drawn, other));
  });

  it('is not drawn anew where it was damaged', async () => {
    const folder = await makeFolder({});
    await writeFile(join(folder, 'dataset-secret'), 'short');
    await expect(datasetSecret(folder)).rejects.toMatchObject({ code: 'data/unreadable' });
  });
});
