import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type { Composition, Operands } from './kernel-calls.ts';

/**
 * `BatchMatMul` that transposes its operands first, by the backend's own transposition, and then multiplies.
 *
 * The WASM backend of TensorFlow.js 4.22 hands plain products to XNNPACK but computes those with a transposed operand,
 * which are two of the three products of every dense layer's training step, by a scalar loop. Transposing first gives
 * the same sums several times faster.
 *
 * @param own - the backend's kernel for plain products
 */
export function transposedProducts(own: KernelConfig): Composition {
  return (calls, inputs, attrs, backend) => {
    const { a, b } = inputs as Operands<'a' | 'b'>;
    const upright = (x: TensorInfo, isTransposed: unknown): TensorInfo => {
      if (isTransposed !== true) return x;
      const perm = x.shape.map((_, axis) => axis);
      perm.push(...perm.splice(-2).reverse());
      return calls.transpose(x, perm);
    };
    return own.kernelFunc({
      inputs: { a: upright(a, attrs['transposeA']), b: upright(b, attrs['transposeB']) },
      backend,
      attrs: { transposeA: false, transposeB: false },
    }) as TensorInfo;
  };
}
