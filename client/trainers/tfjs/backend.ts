import * as tf from '@tensorflow/tfjs-core';
import { TrainerError } from '../trainer-error.ts';
import { startCpu } from './backends/cpu.ts';
import { type NativeLoader, startNode, startNodeGpu } from './backends/native.ts';
import { firstLine, type StartedBackend } from './backends/started-backend.ts';
import { startWasm } from './backends/wasm.ts';
import { startWebGpu, type WebGpuLoaders } from './backends/webgpu.ts';

/** The backends in the order in which `auto` tries them. */
export const BACKEND_NAMES = ['node-gpu', 'webgpu', 'node', 'wasm', 'cpu'] as const;

/**
 * A TensorFlow.js backend: `node-gpu` is TensorFlow's native library on CUDA, `webgpu` any vendor's GPU, `node` the native
 * library on the CPU, `wasm` and `cpu` need nothing and repeat bit for bit.
 */
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Which backend to use; `auto` takes the first that works. */
export type BackendPreference = 'auto' | BackendName;

/** The backend in use. */
export interface BackendChoice {
  /** Its name. */
  readonly name: BackendName;
  /** Why this one, for people: what was tried before and how it failed. */
  readonly reason: string;
  /** What it computes on, where the backend tells. */
  readonly device?: string;
}

/** How the packages behind backends are brought in; each default is a dynamic import. */
export interface BackendPackages {
  /** `@tensorflow/tfjs-node-gpu`. */
  readonly nodeGpu: NativeLoader;
  /** `@tensorflow/tfjs-node`. */
  readonly node: NativeLoader;
  /** `webgpu` and `@tensorflow/tfjs-backend-webgpu`. */
  readonly webgpu: WebGpuLoaders;
  /** The folder of the WASM backend's `.wasm` files; default: in its package. */
  readonly wasmFolder?: string;
}

/** What may be said about a backend. */
export interface BackendOptions {
  /** The GPU: an index, or a name that `webgpu` or a UUID that `node-gpu` knows. Only GPU backends are tried then. */
  readonly device?: string;
  /** Other ways to bring in packages. */
  readonly packages?: Partial<BackendPackages>;
}

// Not literals in import(): the packages are optional, and who builds or checks this program may not have them.
const NODE_GPU: string = '@tensorflow/tfjs-node-gpu';
const NODE: string = '@tensorflow/tfjs-node';
const DAWN: string = 'webgpu';
const WEBGPU: string = '@tensorflow/tfjs-backend-webgpu';

const installed: BackendPackages = {
  nodeGpu: () => import(NODE_GPU),
  node: () => import(NODE),
  webgpu: { dawn: () => import(DAWN), backend: () => import(WEBGPU) },
};

const started = new Map<BackendName, StartedBackend>();
let lastWork: Promise<unknown> = Promise.resolve();

/**
 * Runs work on a started backend, after all work given before. TensorFlow.js has one current backend in a process and
 * one thread: without turns, a second trainer would move the first one's tensors to another backend midway.
 *
 * @param choice - what `selectBackend` returned
 * @param work - may await
 * @throws TrainerError `trainer/backend-failed` when the device failed meanwhile
 */
export function runOnBackend<Result>(choice: BackendChoice, work: () => Promise<Result>): Promise<Result> {
  return inTurn(async () => {
    const backend = started.get(choice.name);
    await tf.setBackend(backend?.registeredAs ?? choice.name);
    backend?.assertSound?.();
    try {
      return await work();
    } finally {
      backend?.assertSound?.();
    }
  });
}

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const mine = lastWork.then(work);
  lastWork = mine.catch(() => undefined);
  return mine;
}

/**
 * Starts a backend, or finds it started.
 *
 * @param preference - `auto`, or one backend and no other
 * @param options - device, and other ways to bring in packages
 * @throws TrainerError `trainer/backend-unavailable`
 */
export function selectBackend(
  preference: BackendPreference = 'auto',
  options: BackendOptions = {},
): Promise<BackendChoice> {
  return inTurn(() => startFirst(preference, options));
}

async function startFirst(preference: BackendPreference, options: BackendOptions): Promise<BackendChoice> {
  const failures: string[] = [];
  for (const name of preference === 'auto' ? BACKEND_NAMES : [preference]) {
    try {
      const backend = await start(name, options, preference === name);
      started.set(name, backend);
      const { device } = backend;
      const works = device === undefined ? `${name} works` : `${name} works, on ${device}`;
      return { name, reason: [...failures, works].join('; '), ...(device === undefined ? {} : { device }) };
    } catch (cause) {
      failures.push(`${name} is not available: ${firstLine(cause)}`);
    }
  }
  throw new TrainerError(
    'trainer/backend-unavailable',
    `no TensorFlow.js backend works (${failures.join('; ')}): install what is missing, or choose another backend`,
    { preference, failures },
  );
}

function start(name: BackendName, options: BackendOptions, isAskedFor: boolean): Promise<StartedBackend> {
  const { device } = options;
  const packages = { ...installed, ...options.packages };
  if (name === 'node-gpu') return startNodeGpu(packages.nodeGpu, device);
  if (name === 'webgpu') {
    return startWebGpu(packages.webgpu, { software: isAskedFor, ...(device === undefined ? {} : { device }) });
  }
  if (device !== undefined) throw new Error(`it has no devices to choose from, and "${device}" was asked for`);
  if (name === 'node') return startNode(packages.node);
  return name === 'wasm' ? startWasm(packages.wasmFolder) : startCpu();
}
