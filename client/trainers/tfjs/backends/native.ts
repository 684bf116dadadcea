import * as tf from '@tensorflow/tfjs-core';
import { restoreLegacyNodeUtil } from './legacy-node-util.ts';
import { startRegistered } from './start-registered.ts';
import type { StartedBackend } from './started-backend.ts';

/** Brings in an optional package that registers TensorFlow's native library. */
export type NativeLoader = () => Promise<unknown>;

/** What the native packages call their backend, both of them. */
const REGISTERED_AS = 'tensorflow';

/** The devices that CUDA was told to use, once the GPU library is loaded: it looks only then. */
let visibleDevices: string | undefined;

/**
 * Starts TensorFlow's native library on CUDA, `@tensorflow/tfjs-node-gpu`. Where that package finds no GPU it computes on the
 * CPU without a word; here this counts as a failure.
 *
 * The optional package depends on the union package `@tensorflow/tfjs` of its own version, and that on the same version of
 * tfjs-core; npm then installs one tfjs-core for all. Should two copies be installed, they still meet: tfjs-core keeps its
 * engine and kernel registry on the global object, so that a backend registered through one copy is found through the
 * other. Whether that happened is checked here rather than assumed.
 *
 * @param load - brings in the package
 * @param device - index or UUID of the GPU, as CUDA_VISIBLE_DEVICES takes it
 */
export async function startNodeGpu(load: NativeLoader, device?: string): Promise<StartedBackend> {
  if (device !== undefined) {
    if (visibleDevices !== undefined && visibleDevices !== device) {
      throw new Error(`this process computes on CUDA device ${visibleDevices} already: run a process for each device`);
    }
    process.env['CUDA_VISIBLE_DEVICES'] = device;
  }
  const started = await startNative('@tensorflow/tfjs-node-gpu', load);
  if ((tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === false) {
    throw new Error(
      '@tensorflow/tfjs-node-gpu loaded and found no CUDA device: see that the driver and CUDA are there',
    );
  }
  visibleDevices = device ?? process.env['CUDA_VISIBLE_DEVICES'] ?? 'the first';
  return { ...started, device: `CUDA device ${visibleDevices}` };
}

/**
 * Starts TensorFlow's native library on the CPU, `@tensorflow/tfjs-node`. A process holds one copy of the library: where that
 * of the GPU package was loaded before and found no GPU, it is the one that computes.
 *
 * @param load - brings in the package
 */
export async function startNode(load: NativeLoader): Promise<StartedBackend> {
  if (visibleDevices !== undefined) {
    throw new Error('this process holds the GPU build of the library already: run another process');
  }
  if (tf.findBackendFactory(REGISTERED_AS) === null) return startNative('@tensorflow/tfjs-node', load);
  await startRegistered(REGISTERED_AS);
  return { registeredAs: REGISTERED_AS };
}

async function startNative(name: string, load: NativeLoader): Promise<StartedBackend> {
  restoreLegacyNodeUtil();
  await load();
  if (!tf.engine().backendNames().includes(REGISTERED_AS)) {
    throw new Error(`${name} loaded but registered no "${REGISTERED_AS}" backend with this tfjs-core`);
  }
  await startRegistered(REGISTERED_AS);
  return { registeredAs: REGISTERED_AS };
}
