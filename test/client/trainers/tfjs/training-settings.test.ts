import { readFile } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parseTrainingSettings } from '../../../../client/trainers/tfjs/training-settings.ts';
import { nextCharacterJob } from '../../../../simulations/demo/next-character.ts';
import { toyTraining } from './toy.ts';

const gradient = { mode: 'gradient', batchSize: 4, steps: 2 };
const endless = { optimizer: 'adam', learningRate: 0.1, batchSize: 4 };
const adam = { ...endless, steps: 2 };

describe('parseTrainingSettings', () => {
  it('means what it always meant by settings that were written before there were others', () => {
    expect(parseTrainingSettings(JSON.parse(JSON.stringify(nextCharacterJob.training)))).toEqual({
      ...{ mode: 'weights', optimizer: { name: 'momentum', momentum: 0.9 }, learningRate: 0.3 },
      ...{ weightDecay: 0, proximal: 0, batchSize: 128, length: { steps: 60 }, clipNorm: 1 },
    });
    // With sgd a momentum was asked for and ignored.
    expect(
      parseTrainingSettings({ optimizer: 'sgd', learningRate: 1, momentum: 0.5, batchSize: 8, steps: 1 }),
    ).toMatchObject({ mode: 'weights', optimizer: { name: 'sgd' }, clipNorm: Number.POSITIVE_INFINITY });
  });

  it('makes every choice that is left open', () => {
    expect(parseTrainingSettings(adam)).toMatchObject({
      optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    });
    expect(parseTrainingSettings(gradient)).toEqual({
      ...{ mode: 'gradient', workerMomentum: 0, batchSize: 4, length: { steps: 2 } },
      clipNorm: Number.POSITIVE_INFINITY,
    });
    const { steps: _, ...rest } = toyTraining;
    expect(parseTrainingSettings({ ...rest, epochs: 3 })).toMatchObject({ length: { epochs: 3 } });
  });

  it.each<[string, string, unknown]>([
    ['an unknown optimizer', 'optimizer', { ...toyTraining, optimizer: 'lion' }],
    ['a rate of 0', 'learningRate', { ...toyTraining, learningRate: 0 }],
    ['a rate that is no number', 'learningRate', { ...toyTraining, learningRate: Number.NaN }],
    ['an infinite rate', 'learningRate', { ...toyTraining, learningRate: Number.POSITIVE_INFINITY }],
    ['a momentum of 1', 'momentum', { ...toyTraining, momentum: 1 }],
    ['no momentum where it is the optimizer', 'momentum', { ...toyTraining, momentum: undefined }],
    ['half an example', 'batchSize', { ...toyTraining, batchSize: 1.5 }],
    ['no steps', 'steps', { ...toyTraining, steps: 0 }],
    ['both steps and epochs', 'steps', { ...toyTraining, epochs: 1 }],
    ['neither steps nor epochs', 'steps', endless],
    ['half an epoch', 'epochs', { ...endless, epochs: 0.5 }],
    ['a negative norm', 'clipNorm', { ...toyTraining, clipNorm: -1 }],
    ['a negative proximal term', 'proximal', { ...toyTraining, proximal: -0.1 }],
    ['a negative weight decay', 'weightDecay', { ...toyTraining, weightDecay: -0.1 }],
    ['a beta of 1', 'beta2', { ...adam, beta2: 1 }],
    ['an epsilon of 0', 'epsilon', { ...adam, epsilon: 0 }],
    ['a momentum for adam', 'momentum', { ...adam, momentum: 0.9 }],
    ['a beta for momentum', 'beta1', { ...toyTraining, beta1: 0.9 }],
    ['a worker momentum of 1', 'workerMomentum', { ...gradient, workerMomentum: 1 }],
    ['an unknown mode', 'mode', { ...toyTraining, mode: 'sign' }],
  ])('refuses %s, naming training.%s', (_name, field, value) => {
    expect(() => parseTrainingSettings(value)).toThrow(
      expect.objectContaining({ code: 'trainer/bad-training', data: { field: `training.${field}` } }),
    );
  });

  it.each<[string, unknown]>([
    ['stepz', { ...toyTraining, stepz: 3 }],
    ['learningRate', { ...gradient, learningRate: 1 }],
    ['proximal', { ...gradient, proximal: 1 }],
    ['workerMomentum', { ...toyTraining, workerMomentum: 0.9 }],
  ])('refuses a setting that its mode has not: %s', (name, value) => {
    expect(() => parseTrainingSettings(value)).toThrow(
      expect.objectContaining({ code: 'trainer/bad-training', message: expect.stringContaining(name) }),
    );
  });

  it('takes the examples of the documentation', async () => {
    const page = await readFile(new URL('../../../../docs/training.md', import.meta.url), 'utf8');
    const examples = page.split('\n').filter((line) => line.startsWith('training = {'));
    const modes = examples.map((line) => parseTrainingSettings(parse(line)['training']).mode);
    expect(modes).toEqual(['weights', 'weights', 'gradient']);
  });

  it.each([[null], ['sgd'], [3], [[]]])('refuses %j', (value) => {
    expect(() => parseTrainingSettings(value)).toThrow(expect.objectContaining({ code: 'trainer/bad-training' }));
  });
});
