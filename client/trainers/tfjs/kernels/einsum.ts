import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { Composition } from './kernel-calls.ts';

/**
 * `Einsum`: Einstein's sum over tensors, such as `"ij,jk->ik"`, as products and sums in the order that tfjs-core plans.
 */
export const einsum: Composition = (calls, inputs, attrs) => {
  const terms = Object.values(inputs);
  const equation = attrs['equation'] as string;
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, terms.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, terms as never);
  const { path, steps } = backend_util.getEinsumComputePath(summedDims, idDims);
  let left = allDims.length;
  let output: TensorInfo | undefined;
  steps.forEach((step, index) => {
    for (const term of step) {
      const aligned = align(terms[term] as TensorInfo, left, idDims[term] ?? []);
      output = output === undefined ? aligned : calls.run('Multiply', { a: aligned, b: output });
    }
    if (index === steps.length - 1 || output === undefined) return;
    const axis = path[index] ?? -1;
    if (axis >= 0) output = calls.run('Sum', { x: output }, { axis: axis - (allDims.length - left), keepDims: false });
    left--;
  });
  // A result of its own, also where nothing was to be computed.
  return calls.run('Identity', { x: output as TensorInfo });

  function align(x: TensorInfo, dimensions: number, ids: number[]): TensorInfo {
    const { permutationIndices, expandDims } = backend_util.getEinsumPermutation(dimensions, ids);
    const turned = backend_util.isIdentityPermutation(permutationIndices) ? x : calls.transpose(x, permutationIndices);
    const shape = turned.shape.slice();
    for (const at of expandDims) shape.splice(at, 0, 1);
    return calls.reshape(turned, shape);
  }
};
