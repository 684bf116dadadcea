import * as tf from '@tensorflow/tfjs-core';

/** Tensors by the names that a kernel knows them by. */
export type Operands<Names extends string> = Readonly<Record<Names, tf.TensorInfo>>;

/** Calls a backend's kernels one after the other, and forgets what lay between. */
export interface KernelCalls {
  /** Runs a kernel with one output. */
  run(kernel: string, inputs: Operands<string> | readonly tf.TensorInfo[], attrs?: object): tf.TensorInfo;
  /** The same numbers under another shape. */
  reshape(x: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo;
  /** Axes in another order; axis i of the result is axis `perm[i]` of `x`. */
  transpose(x: tf.TensorInfo, perm: readonly number[]): tf.TensorInfo;
}

/** What this file needs of a backend: forgetting a temporary tensor. */
interface TemporaryStore {
  disposeData(dataId: object): unknown;
}

/** A kernel made of a backend's other kernels. */
export type Composition = (
  calls: KernelCalls,
  inputs: Operands<string>,
  attrs: Readonly<Record<string, unknown>>,
  backend: tf.KernelBackend,
) => tf.TensorInfo;

const composed = new Set<string>();

/**
 * Registers a composition as a backend's kernel, in place of its own if it has one. The effect is process-wide; a second
 * call for the same kernel does nothing.
 *
 * @param backendName - a started backend
 * @param kernelName - the kernel
 * @param make - returns the composition; it is given what the backend had before, which fails if that was nothing
 */
export function registerComposition(
  backendName: string,
  kernelName: string,
  make: (own: tf.KernelConfig) => Composition,
): void {
  const key = `${backendName}/${kernelName}`;
  if (composed.has(key)) return;
  composed.add(key);
  const own = tf.getKernel(kernelName, backendName);
  const compose = make(own ?? { kernelName, backendName, kernelFunc: () => missing(kernelName, backendName) });
  if (own !== undefined) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    ...own,
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      withCalls(backendName, backend, (calls) =>
        compose(
          calls,
          inputs as Operands<string>,
          (attrs ?? {}) as Record<string, unknown>,
          backend as tf.KernelBackend,
        ),
      ),
  });
}

function withCalls(
  backendName: string,
  backend: unknown,
  compose: (calls: KernelCalls) => tf.TensorInfo,
): tf.TensorInfo {
  const made: tf.TensorInfo[] = [];
  const run: KernelCalls['run'] = (kernel, inputs, attrs = {}) => {
    const config = tf.getKernel(kernel, backendName);
    if (config === undefined) missing(kernel, backendName);
    const output = config.kernelFunc({ inputs, attrs, backend } as never) as tf.TensorInfo;
    made.push(output);
    return output;
  };
  let result: tf.TensorInfo | undefined;
  try {
    result = compose({
      run,
      reshape: (x, shape) => run('Reshape', { x }, { shape: [...shape] }),
      transpose: (x, perm) => run('Transpose', { x }, { perm: [...perm] }),
    });
    return result;
  } finally {
    // Views count their data once each, so each is given back once.
    for (const info of made) if (info !== result) (backend as TemporaryStore).disposeData(info.dataId);
  }
}

/** In the words that tfjs-core itself has for it, which the trainer explains. */
function missing(kernel: string, backendName: string): never {
  throw new Error(`Kernel '${kernel}' not registered for backend '${backendName}'.`);
}
