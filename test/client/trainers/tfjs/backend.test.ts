import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runOnBackend, selectBackend } from '../../../../client/trainers/tfjs/backend.ts';

const absent = async (): Promise<never> => {
  throw new Error("Cannot find package '@tensorflow/tfjs-node-gpu'");
};

describe('selectBackend', () => {
  it('takes WASM where the GPU package is not installed, and says why', async () => {
    const choice = await selectBackend('auto', absent);
    expect(choice.name).toBe('wasm');
    expect(choice.reason).toContain("Cannot find package '@tensorflow/tfjs-node-gpu'");
    await runOnBackend(choice, async () => expect(tf.getBackend()).toBe('wasm'));
  });

  it('does not take a GPU package that registers its backend nowhere', async () => {
    const choice = await selectBackend('auto', async () => ({}));
    expect(choice.name).toBe('wasm');
    expect(choice.reason).toContain('registered no "tensorflow" backend');
  });

  it('refuses when the one backend asked for is missing', async () => {
    await expect(selectBackend('gpu', absent)).rejects.toMatchObject({
      code: 'trainer/backend-unavailable',
      data: { preference: 'gpu' },
    });
  });

  it('takes the GPU package first when it registers its backend', async () => {
    const cpu = await selectBackend('cpu');
    expect(cpu.name).toBe('cpu');
    const choice = await selectBackend('auto', async () => {
      if (tf.findBackendFactory('tensorflow') === null) tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
    });
    expect(choice).toEqual({ name: 'gpu', reason: 'gpu works' });
    await runOnBackend(choice, async () => expect(tf.getBackend()).toBe('tensorflow'));
  });

  it('leaves the handlers of the process as they were', async () => {
    await selectBackend('wasm');
    expect(process.listeners('uncaughtException').filter((listener) => /ExitStatus/.test(String(listener)))).toEqual(
      [],
    );
    expect(process.listeners('unhandledRejection').filter((listener) => /throw reason/.test(String(listener)))).toEqual(
      [],
    );
  });
});

describe('products with transposed operands', () => {
  it('equal those of the plain backend, over batches and axes of one', async () => {
    const cases: [number[], number[], boolean, boolean][] = [
      [[3, 5], [5, 7], false, false],
      [[5, 3], [5, 7], true, false],
      [[3, 5], [7, 5], false, true],
      [[5, 3], [7, 5], true, true],
      [[2, 4, 3], [2, 4, 6], true, false],
      [[2, 3, 4], [1, 6, 4], false, true],
      [[1, 1], [9, 1], true, true],
    ];
    const fill = (shape: number[], seed: number): tf.Tensor =>
      tf.tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7 + seed) % 11) - 5),
        shape,
      );
    const productsOn = async (name: 'wasm' | 'cpu'): Promise<number[][]> =>
      runOnBackend(await selectBackend(name), async () => {
        const before = tf.memory().numTensors;
        const products = cases.map(([a, b, transposeA, transposeB]) =>
          tf.tidy(() => Array.from(tf.matMul(fill(a, 1), fill(b, 2), transposeA, transposeB).dataSync())),
        );
        expect(tf.memory().numTensors).toBe(before);
        return products;
      });
    expect(await productsOn('wasm')).toEqual(await productsOn('cpu'));
  });
});
