import { expect, it } from 'vitest';
import type { TrainingSettings } from '../../../../client/trainers/tfjs/training-settings.ts';
import { makeProgram } from './fresh-process.ts';

/** One of each kind: optimizers, epochs, gradients. */
const KINDS: readonly TrainingSettings[] = [
  {
    ...{ optimizer: 'adam', learningRate: 0.01, weightDecay: 0.01, proximal: 0.1 },
    ...{ batchSize: 16, steps: 20, clipNorm: 0.5 },
  },
  { optimizer: 'momentum', momentum: 0.5, learningRate: 0.2, batchSize: 512, epochs: 2 },
  { mode: 'gradient', workerMomentum: 0.9, batchSize: 512, epochs: 1 },
];

it('trains bit for bit the same in processes of their own, which print nothing else', async () => {
  const trainOnce = await makeProgram('test/client/trainers/tfjs/train-once.ts');
  const kinds = KINDS.map((settings) => JSON.stringify(settings));
  const [first, second, cpu] = await Promise.all([trainOnce('wasm'), trainOnce('wasm'), trainOnce('cpu')]);
  expect(first.stdout).toMatch(/^[0-9a-f]{64} 0$/);
  expect(second.stdout).toBe(first.stdout);
  expect(cpu.stdout).toMatch(/^[0-9a-f]{64} 0$/);
  expect([first.stderr, second.stderr, cpu.stderr]).toEqual(['', '', '']);
  const [one, other] = await Promise.all([trainOnce('wasm', ...kinds), trainOnce('wasm', ...kinds)]);
  expect(one.stdout).toMatch(/^[0-9a-f]{64} 0$/);
  expect(one.stdout).not.toBe(first.stdout);
  expect(other.stdout).toBe(one.stdout);
}, 60_000);
