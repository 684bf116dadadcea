import { convolutionFilterGradient, convolutionInputGradient } from './convolution-gradients.ts';
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-gradients.ts';
import { einsum } from './einsum.ts';
import { type Composition, registerComposition } from './kernel-calls.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { unsortedSegmentSum } from './segment-sum.ts';
import { transposedProducts } from './transposed-products.ts';

/** Kernels that training needs and the WASM backend of TensorFlow.js 4.22 lacks, has as a slow loop, or has wrong. */
const COMPOSITIONS: Readonly<Record<string, Composition>> = {
  Conv2DBackpropFilter: convolutionFilterGradient,
  Conv2DBackpropInput: convolutionInputGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
  Einsum: einsum,
  MaxPoolGrad: maxPoolGradient,
  UnsortedSegmentSum: unsortedSegmentSum,
};

/**
 * Gives a backend every kernel that training needs, made of those it has. The effect is process-wide; a second call does
 * nothing.
 *
 * @param backendName - a started backend
 */
export function completeTrainingKernels(backendName: string): void {
  registerComposition(backendName, 'BatchMatMul', transposedProducts);
  for (const [kernel, composition] of Object.entries(COMPOSITIONS)) {
    registerComposition(backendName, kernel, () => composition);
  }
}
