import { expect, it } from 'vitest';
import { makeProgram } from './fresh-process.ts';

it('trains bit for bit the same in processes of their own, which print nothing else', async () => {
  const trainOnce = await makeProgram('test/client/trainers/tfjs/train-once.ts');
  const [first, second, cpu] = await Promise.all([trainOnce('wasm'), trainOnce('wasm'), trainOnce('cpu')]);
  expect(first.stdout).toMatch(/^[0-9a-f]{64} 0$/);
  expect(second.stdout).toBe(first.stdout);
  expect(cpu.stdout).toMatch(/^[0-9a-f]{64} 0$/);
  expect([first.stderr, second.stderr, cpu.stderr]).toEqual(['', '', '']);
}, 60_000);
