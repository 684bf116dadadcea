import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { Composition, Operands } from './kernel-calls.ts';

type Shape4D = [number, number, number, number];

/**
 * `MaxPoolGrad`: each number of `dy` goes to the place of its window's maximum, the first one of several, row by row.
 *
 * The WASM backend of TensorFlow.js 4.22 has one of its own, which looks for maxima above zero only and so loses the slope
 * of every window without a positive number.
 */
export const maxPoolGradient: Composition = (_calls, inputs, attrs, backend) => {
  const { dy, input } = inputs as Operands<'dy' | 'input'>;
  const pool = backend_util.computePool2DInfo(
    input.shape as Shape4D,
    attrs['filterSize'] as [number, number],
    attrs['strides'] as [number, number],
    1,
    attrs['pad'] as 'valid',
    attrs['dimRoundingMode'] as 'floor' | undefined,
  );
  const values = backend.readSync(input.dataId) as Float32Array;
  const slopes = backend.readSync(dy.dataId) as Float32Array;
  const result = new Float32Array(util.sizeFromShape(input.shape));
  const { inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = pool;
  let slope = 0;
  for (let example = 0; example < pool.batchSize; example++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      const top = outRow * strideHeight - padInfo.top;
      const [firstRow, endRow] = [Math.max(top, 0), Math.min(top + pool.filterHeight, inHeight)];
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const left = outColumn * strideWidth - padInfo.left;
        const [firstColumn, endColumn] = [Math.max(left, 0), Math.min(left + pool.filterWidth, inWidth)];
        for (let channel = 0; channel < inChannels; channel++, slope++) {
          let largest = Number.NEGATIVE_INFINITY;
          let place = -1;
          for (let row = firstRow; row < endRow; row++) {
            let at = ((example * inHeight + row) * inWidth + firstColumn) * inChannels + channel;
            for (let column = firstColumn; column < endColumn; column++, at += inChannels) {
              const value = values[at] as number;
              if (value <= largest) continue;
              largest = value;
              place = at;
            }
          }
          if (place >= 0) result[place] = (result[place] as number) + (slopes[slope] as number);
        }
      }
    }
  }
  const output: TensorInfo = {
    dataId: backend.write(result, input.shape, 'float32'),
    shape: input.shape,
    dtype: 'float32',
  };
  return output;
};
