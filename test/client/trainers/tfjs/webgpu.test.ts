import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { runOnBackend, selectBackend } from '../../../../client/trainers/tfjs/backend.ts';
import { makeProgram } from './fresh-process.ts';
import { findVulkan } from './software-vulkan.ts';
import { toyTraining } from './toy.ts';

const missing = await findVulkan();
if (missing !== undefined) console.warn(`WebGPU is not tested: ${missing}`);

const multiply = (): tf.Tensor =>
  tf.matMul(tf.reshape(tf.range(0, 600), [20, 30]), tf.reshape(tf.range(0, 300), [30, 10]));

// The conformance suite, which takes minutes on a software driver, is in backend-conformance.deep.test.ts.
describe.skipIf(missing !== undefined)('WebGPU', () => {
  it('computes what the plain backend computes, and leaves no navigator behind', async () => {
    const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    const choice = await selectBackend('webgpu');
    expect(choice.reason).toBe(`webgpu works, on ${choice.device}`);
    const product = await runOnBackend(choice, async () => {
      const result = multiply();
      try {
        return [...(await result.data())];
      } finally {
        result.dispose();
      }
    });
    const expected = await runOnBackend(await selectBackend('cpu'), async () => [...multiply().dataSync()]);
    expect(product).toEqual(expected);
    expect(Object.getOwnPropertyDescriptor(globalThis, 'navigator')).toEqual(navigator);
  });

  it('is not what auto takes where its adapter computes on the CPU', async () => {
    const absent = async (): Promise<never> => {
      throw new Error('not installed');
    };
    const { name, reason } = await selectBackend('auto', { packages: { nodeGpu: absent, node: absent } });
    if ((await selectBackend('webgpu')).device?.includes('swiftshader')) {
      expect(name).toBe('wasm');
      expect(reason).toContain('webgpu is not available: the only adapter computes on the CPU');
    } else {
      expect(name).toBe('webgpu');
    }
  });

  it('refuses another device in the same process', async () => {
    await expect(selectBackend('webgpu', { device: '5' })).rejects.toThrow('a process for each device');
  });

  it('says so when the device fails, in place of training on zeros', async () => {
    const choice = await selectBackend('webgpu');
    const { device } = tf.findBackend('webgpu') as unknown as { device: { createBuffer(options: object): unknown } };
    await expect(
      runOnBackend(choice, async () => {
        device.createBuffer({ size: 2 ** 40, usage: 8 });
        await new Promise((resolve) => setImmediate(resolve));
      }),
    ).rejects.toMatchObject({ code: 'trainer/backend-failed', message: expect.stringContaining('buffer size') });
    await expect(runOnBackend(choice, async () => 1)).rejects.toMatchObject({ code: 'trainer/backend-failed' });
  });
});

describe.skipIf(missing !== undefined)('a process that trains on WebGPU', () => {
  it('ends by itself, and finds a device by its name or not at all', async () => {
    const train = await makeProgram('test/client/trainers/tfjs/train-once.ts');
    vi.stubEnv('TRAIN_ON_DEVICE', '0');
    const { stdout, stderr } = await train('webgpu', JSON.stringify({ ...toyTraining, steps: 2 }));
    expect(stdout).toMatch(/^[0-9a-f]{64} 0$/);
    expect(stderr).toBe('');
    vi.stubEnv('TRAIN_ON_DEVICE', 'no such device');
    await expect(train('webgpu')).rejects.toThrow('no adapter answers to device "no such device"');
  }, 60_000);
});
