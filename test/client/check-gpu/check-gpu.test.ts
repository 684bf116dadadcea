import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { backendChecks } from '../../../client/check-gpu/backend-checks.ts';
import {
  type CheckGpuOptions,
  type CheckGpuReport,
  checkGpu,
  renderThroughput,
} from '../../../client/check-gpu/check-gpu.ts';
import { type ChildWork, doChildWork } from '../../../client/check-gpu/child-work.ts';
import { type BackendPackages, selectBackend } from '../../../client/trainers/tfjs/backend.ts';

const absent = async (): Promise<never> => {
  throw new Error('not installed here');
};
const packages: Partial<BackendPackages> = { nodeGpu: absent, node: absent };
const options: CheckGpuOptions = { models: ['mlp'], seconds: 0.05, leakRounds: 0, limitSeconds: 60 };
const lines: string[] = [];
const tell = (line: string): void => {
  lines.push(line);
};
const inThisProcess = (work: ChildWork) => doChildWork(work, packages, () => undefined);

describe('checkGpu', () => {
  it('times steps on what there is, and says why the rest is not', async () => {
    const report = await checkGpu({ ...options, backends: ['node', 'wasm'] }, inThisProcess, tell);
    expect(report.missing).toEqual([{ name: 'node', reason: 'node is not available: not installed here' }]);
    expect(report.backends).toEqual([{ name: 'wasm', device: '', passed: true }]);
    expect(report.throughput).toEqual([
      {
        backend: 'wasm',
        model: 'mlp',
        result: expect.objectContaining({ parameters: 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10 }),
      },
    ]);
    expect(renderThroughput(report)).toMatch(/\n\| wasm \| CPU \| mlp \| 235,146 \| [\d.]+ \|/);
    expect(lines).toContain('node is not available: not installed here');
  });

  it('counts a backend whose process is lost as failed', async () => {
    const lost = async () => ({ kind: 'lost', reason: 'it ended without an answer (SIGSEGV)' }) as const;
    const report: CheckGpuReport = await checkGpu({ ...options, backends: ['webgpu'] }, lost, tell);
    expect(report.backends).toEqual([{ name: 'webgpu', device: '', passed: false }]);
    expect(renderThroughput(report)).toContain('SIGSEGV');
  });

  it('asks GPUs alone for a device', async () => {
    const asked: ChildWork[] = [];
    const note = async (work: ChildWork) => {
      asked.push(work);
      return { kind: 'unavailable', reason: 'no' } as const;
    };
    await checkGpu({ ...options, device: '1' }, note, tell);
    expect(asked.map(({ backend, device }) => [backend, device])).toEqual([
      ['node-gpu', '1'],
      ['webgpu', '1'],
      ['node', undefined],
      ['wasm', undefined],
    ]);
  });
});

describe('the suite', () => {
  /** Makes a kernel of the WASM backend wrong for as long as a check runs. */
  async function withFault(kernelName: string, factor: number, name: string): Promise<string> {
    await selectBackend('wasm');
    const right = tf.getKernel(kernelName, 'wasm');
    const multiply = tf.getKernel('Multiply', 'wasm');
    if (right === undefined || multiply === undefined) throw new Error('the kernels are gone');
    tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      ...right,
      kernelFunc: (args) => {
        const a = right.kernelFunc(args) as tf.TensorInfo;
        const backend = args.backend as tf.KernelBackend;
        const b = { dataId: backend.write(Float32Array.of(factor), [], 'float32'), shape: [], dtype: 'float32' };
        try {
          return multiply.kernelFunc({ ...args, inputs: { a, b: b as tf.TensorInfo } });
        } finally {
          for (const { dataId } of [a, b]) backend.disposeData(dataId);
        }
      },
    });
    try {
      const check = backendChecks({ backend: 'wasm' }).find((each) => each.name === name);
      return await (check as { run(): Promise<string> }).run();
    } finally {
      tf.unregisterKernel(kernelName, 'wasm');
      tf.registerKernel(right);
    }
  }

  const gradients = 'gives the CNN model gradients that agree with numeric ones';

  it.each(['Conv2DBackpropFilter', 'Conv2DBackpropInput', 'MaxPoolGrad', 'AvgPoolGrad'])(
    'finds a %s that is a tenth too large',
    async (kernel) => {
      await expect(withFault(kernel, 1.1, gradients)).rejects.toMatchObject({ code: 'check-gpu/failed' });
    },
  );

  it('passes where nothing is wrong', async () => {
    expect(await withFault('Conv2DBackpropFilter', 1, gradients)).toContain('6 tensors');
  });
});
