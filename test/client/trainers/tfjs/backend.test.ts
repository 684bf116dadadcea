import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BackendPackages, runOnBackend, selectBackend } from '../../../../client/trainers/tfjs/backend.ts';
import { adapterOptions } from '../../../../client/trainers/tfjs/backends/dawn.ts';
import { restoreLegacyNodeUtil } from '../../../../client/trainers/tfjs/backends/legacy-node-util.ts';

const absent = async (): Promise<never> => {
  throw new Error("Cannot find package 'it'");
};
const nothing: Partial<BackendPackages> = { nodeGpu: absent, node: absent, webgpu: { dawn: absent, backend: absent } };
/** A native library, as far as this process can tell: the plain backend under its name. */
const registerNative = (isUsingGpuDevice: boolean) => async (): Promise<void> => {
  tf.registerBackend('tensorflow', () => Object.assign(Object.create(tf.findBackend('cpu')), { isUsingGpuDevice }));
};
afterEach(() => {
  if (tf.findBackendFactory('tensorflow') !== null) tf.removeBackend('tensorflow');
});

describe('selectBackend', () => {
  it('takes WASM where nothing else is installed, and says what it tried', async () => {
    const choice = await selectBackend('auto', { packages: nothing });
    expect(choice.name).toBe('wasm');
    expect(choice.reason).toMatch(/^node-gpu is not available: Cannot find .*; webgpu .*; node .*; wasm works$/);
    await runOnBackend(choice, async () => expect(tf.getBackend()).toBe('wasm'));
  });

  it('does not take a native package that registers its backend nowhere', async () => {
    const choice = await selectBackend('auto', { packages: { ...nothing, nodeGpu: async () => ({}) } });
    expect(choice.name).toBe('wasm');
    expect(choice.reason).toContain('registered no "tensorflow" backend');
  });

  it('refuses when the one backend asked for is missing', async () => {
    await expect(selectBackend('node-gpu', { packages: nothing })).rejects.toMatchObject({
      code: 'trainer/backend-unavailable',
      data: { preference: 'node-gpu' },
    });
  });

  it('does not take the GPU package for a GPU where it found none, and lets its library compute as node', async () => {
    await selectBackend('cpu');
    const packages = { ...nothing, nodeGpu: registerNative(false) };
    await expect(selectBackend('node-gpu', { packages })).rejects.toMatchObject({
      data: { failures: [expect.stringContaining('found no CUDA device')] },
    });
    tf.removeBackend('tensorflow');
    const choice = await selectBackend('auto', { packages });
    expect(choice.name).toBe('node');
    expect(choice.reason).toContain('found no CUDA device');
    await runOnBackend(choice, async () => expect(tf.getBackend()).toBe('tensorflow'));
  });

  it('tries GPUs alone when a device is asked for', async () => {
    await expect(selectBackend('wasm', { device: '1' })).rejects.toThrow('no devices to choose from');
    await expect(selectBackend('auto', { packages: nothing, device: '1' })).rejects.toMatchObject({
      code: 'trainer/backend-unavailable',
      data: { failures: { length: 5 } },
    });
  });

  // Last: a process that has computed on CUDA keeps the library.
  it('takes the GPU package first when it finds a GPU, and one device in a process', async () => {
    await selectBackend('cpu');
    const packages = { ...nothing, nodeGpu: registerNative(true) };
    vi.stubEnv('CUDA_VISIBLE_DEVICES', undefined);
    const choice = await selectBackend('auto', { packages, device: '1' });
    expect(choice).toEqual({
      name: 'node-gpu',
      reason: 'node-gpu works, on CUDA device 1',
      device: 'CUDA device 1',
    });
    expect(process.env['CUDA_VISIBLE_DEVICES']).toBe('1');
    await runOnBackend(choice, async () => expect(tf.getBackend()).toBe('tensorflow'));
    await expect(selectBackend('node-gpu', { packages, device: '0' })).rejects.toThrow('a process for each device');
    await expect(selectBackend('node', { packages })).rejects.toThrow('GPU build');
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

  it('has one thread on WASM, so that no number of cores moves a bit', async () => {
    await runOnBackend(await selectBackend('wasm'), async () => {
      expect(await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')).toBe(false);
      expect(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')).toBe(true);
    });
  });
});

describe('restoreLegacyNodeUtil', () => {
  it('adds what Node has dropped and leaves what it has', () => {
    const kept = (): boolean => false;
    const util: Record<string, unknown> = { isArray: kept };
    restoreLegacyNodeUtil(util);
    expect(util['isArray']).toBe(kept);
    const isNullOrUndefined = util['isNullOrUndefined'] as (value: unknown) => boolean;
    expect([null, undefined, 0, ''].map(isNullOrUndefined)).toEqual([true, true, false, false]);
  });

  it('reaches the module that CommonJS packages get', async () => {
    const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
    const before = util['isNullOrUndefined'];
    try {
      Reflect.deleteProperty(util, 'isNullOrUndefined');
      restoreLegacyNodeUtil();
      expect(util['isNullOrUndefined']).toBeTypeOf('function');
    } finally {
      util['isNullOrUndefined'] = before;
    }
  });
});

describe('adapterOptions', () => {
  const adapters = [
    { api: 'vulkan', name: 'NVIDIA A100' },
    { api: 'vulkan', name: 'AMD Radeon PRO' },
    { api: 'vulkan', name: 'NVIDIA A100' },
  ];

  it('chooses by index or by part of the name', () => {
    expect(adapterOptions(adapters, '1')).toEqual(['backend=vulkan', 'adapter=AMD Radeon PRO']);
    expect(adapterOptions(adapters, 'radeon')).toEqual(['backend=vulkan', 'adapter=AMD Radeon PRO']);
    expect(adapterOptions(adapters, '0')).toEqual(['backend=vulkan', 'adapter=NVIDIA A100']);
  });

  it.each([
    ['7', 'no adapter answers'],
    ['intel', '0: NVIDIA A100 (vulkan), 1: AMD Radeon PRO'],
    ['a100', 'several adapters'],
    ['2', 'Dawn chooses by name'],
  ])('refuses %s: %s', (device, why) => {
    expect(() => adapterOptions(adapters, device)).toThrow(why);
  });
});
