import { backend_util } from '@tensorflow/tfjs-core';

/** Sizes of a two-dimensional convolution over `[batch, height, width, channels]`. */
export interface ConvolutionSizes {
  /** Examples. */
  readonly batch: number;
  /** Input channels. */
  readonly inChannels: number;
  /** Output channels; of a depthwise convolution `inChannels` times the multiplier. */
  readonly outChannels: number;
  /** Along the height and along the width. */
  readonly axes: readonly [AxisSizes, AxisSizes];
}

/** Sizes along one axis. */
export interface AxisSizes {
  /** Length of the input. */
  readonly input: number;
  /** Length of the filter. */
  readonly filter: number;
  /** Length of the output. */
  readonly output: number;
  /** How far the filter moves on from one output to the next. */
  readonly stride: number;
  /** Zeros in front of the input. */
  readonly before: number;
}

type Shape4D = [number, number, number, number];

/**
 * Reads the sizes of the convolution whose gradient is asked for.
 *
 * @param inShape - of the input
 * @param filterShape - of the filter
 * @param attrs - the gradient kernel's attributes
 * @param isDepthwise - each channel by itself
 * @throws Error for channels first, which the WASM backend does not have
 */
export function convolutionSizes(
  inShape: readonly number[],
  filterShape: readonly number[],
  attrs: Readonly<Record<string, unknown>>,
  isDepthwise: boolean,
): ConvolutionSizes {
  if (attrs['dataFormat'] === 'NCHW') throw new Error('channels first is not supported: put channels last');
  const info = backend_util.computeConv2DInfo(
    [...inShape] as Shape4D,
    [...filterShape] as Shape4D,
    attrs['strides'] as [number, number],
    1,
    attrs['pad'] as 'valid',
    attrs['dimRoundingMode'] as 'floor' | undefined,
    isDepthwise,
  );
  return {
    batch: info.batchSize,
    inChannels: info.inChannels,
    outChannels: info.outChannels,
    axes: [
      {
        input: info.inHeight,
        filter: info.filterHeight,
        output: info.outHeight,
        stride: info.strideHeight,
        before: info.padInfo.top,
      },
      {
        input: info.inWidth,
        filter: info.filterWidth,
        output: info.outWidth,
        stride: info.strideWidth,
        before: info.padInfo.left,
      },
    ],
  };
}
