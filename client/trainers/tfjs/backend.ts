import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { TrainerError } from '../trainer-error.ts';
import { speedUpTransposedProducts } from './transposed-products.ts';

/** Which TensorFlow.js backend to use; `auto` takes the first that works of gpu, wasm, cpu. */
export type BackendPreference = 'auto' | 'gpu' | 'wasm' | 'cpu';

/** The backend in use. */
export interface BackendChoice {
  /** Its name: `gpu` is TensorFlow's native library, `wasm` and `cpu` repeat bit for bit. */
  readonly name: 'gpu' | 'wasm' | 'cpu';
  /** Why this one, for people: what was tried before and how it failed. */
  readonly reason: string;
}

/** How to bring in the optional `@tensorflow/tfjs-node-gpu`; the default is a dynamic import. */
export type GpuLoader = () => Promise<unknown>;

const GPU_PACKAGE = '@tensorflow/tfjs-node-gpu';
const NATIVE_BACKEND = 'tensorflow';

let lastWork: Promise<unknown> = Promise.resolve();

/**
 * Runs work on a started backend, after all work given before. TensorFlow.js has one current backend in a process and
 * one thread: without turns, a second trainer would move the first one's tensors to another backend midway.
 *
 * @param choice - what `selectBackend` returned
 * @param work - may await
 */
export function runOnBackend<Result>(choice: BackendChoice, work: () => Promise<Result>): Promise<Result> {
  return inTurn(async () => {
    await tf.setBackend(choice.name === 'gpu' ? NATIVE_BACKEND : choice.name);
    return work();
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
 * The optional GPU package depends on the union package `@tensorflow/tfjs` of its own version, and that on the same
 * version of tfjs-core; npm then installs one tfjs-core for all. Should two copies be installed, they still meet:
 * tfjs-core keeps its engine and kernel registry on the global object, so that a backend registered through one copy is
 * found through the other. Whether that happened is checked here rather than assumed.
 *
 * @param preference - `auto`, or one backend and no other
 * @param loadGpu - brings in the GPU package
 * @throws TrainerError `trainer/backend-unavailable`
 */
export function selectBackend(
  preference: BackendPreference = 'auto',
  loadGpu: GpuLoader = () => import(GPU_PACKAGE),
): Promise<BackendChoice> {
  return inTurn(() => startFirst(preference, loadGpu));
}

async function startFirst(preference: BackendPreference, loadGpu: GpuLoader): Promise<BackendChoice> {
  const attempts = { gpu: () => startGpu(loadGpu), wasm: startWasm, cpu: startCpu };
  const order = preference === 'auto' ? (['gpu', 'wasm', 'cpu'] as const) : [preference];
  const failures: string[] = [];
  for (const name of order) {
    try {
      await attempts[name]();
      return { name, reason: [...failures, `${name} works`].join('; ') };
    } catch (cause) {
      failures.push(`${name} is not available: ${firstLine(cause)}`);
    }
  }
  throw new TrainerError(
    'trainer/backend-unavailable',
    `no TensorFlow.js backend works (${failures.join('; ')}): reinstall the packages, or choose another backend`,
    { preference, failures },
  );
}

async function startGpu(loadGpu: GpuLoader): Promise<void> {
  await loadGpu();
  if (!tf.engine().backendNames().includes(NATIVE_BACKEND)) {
    throw new Error(`${GPU_PACKAGE} loaded but registered no "${NATIVE_BACKEND}" backend with this tfjs-core`);
  }
  await start(NATIVE_BACKEND);
}

async function startWasm(): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(dirname(entry), sep));
  const before = {
    uncaughtException: process.listeners('uncaughtException'),
    unhandledRejection: process.listeners('unhandledRejection'),
  };
  await start('wasm');
  // The module's loader installs handlers that rethrow, which would defeat those of the process it runs in.
  for (const listener of process.listeners('uncaughtException')) {
    if (!before.uncaughtException.includes(listener)) process.removeListener('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (!before.unhandledRejection.includes(listener)) process.removeListener('unhandledRejection', listener);
  }
  speedUpTransposedProducts('wasm');
}

async function startCpu(): Promise<void> {
  await import('@tensorflow/tfjs-backend-cpu');
  const production = tf.env().getBool('PROD');
  // On its first write this backend prints an advertisement, except in production mode.
  tf.env().set('PROD', true);
  try {
    await start('cpu');
    tf.tidy(() => tf.add(tf.scalar(1), 1).dataSync());
  } finally {
    tf.env().set('PROD', production);
  }
}

async function start(name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not start its "${name}" backend`);
  await tf.ready();
}

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split('\n')[0] ?? message;
}
