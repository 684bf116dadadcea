import type { KernelConfig, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** What this file needs of a backend: forgetting a temporary tensor. */
interface TemporaryStore {
  disposeData(dataId: object): unknown;
}

const replaced = new Set<string>();

/**
 * Replaces a backend's matrix product by one that transposes its operands first, by the backend's own transposition.
 *
 * The WASM backend of TensorFlow.js 4.22 hands plain products to XNNPACK but computes those with a transposed operand,
 * which are two of the three products of every dense layer's training step, by a scalar loop. Transposing first gives
 * the same sums several times faster. The effect is process-wide; a second call does nothing.
 *
 * @param backendName - a started backend
 */
export function speedUpTransposedProducts(backendName: string): void {
  const product = tf.getKernel('BatchMatMul', backendName);
  const transpose = tf.getKernel('Transpose', backendName);
  if (replaced.has(backendName) || product === undefined || transpose === undefined) return;
  replaced.add(backendName);

  const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, backend, attrs }) => {
    const { a, b } = inputs as NamedTensorInfoMap & { a: TensorInfo; b: TensorInfo };
    const temporaries: TensorInfo[] = [];
    const upright = (x: TensorInfo, isTransposed: boolean): TensorInfo => {
      if (!isTransposed) return x;
      const perm = x.shape.map((_, axis) => axis);
      perm.push(...perm.splice(-2).reverse());
      const turned = transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as TensorInfo;
      temporaries.push(turned);
      return turned;
    };
    const output = product.kernelFunc({
      inputs: { a: upright(a, attrs?.['transposeA'] === true), b: upright(b, attrs?.['transposeB'] === true) },
      backend,
      attrs: { transposeA: false, transposeB: false },
    });
    for (const { dataId } of temporaries) (backend as TemporaryStore).disposeData(dataId);
    return output;
  };
  tf.unregisterKernel('BatchMatMul', backendName);
  tf.registerKernel({ ...product, kernelFunc });
}
