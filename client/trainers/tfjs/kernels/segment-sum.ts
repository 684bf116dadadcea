import { util } from '@tensorflow/tfjs-core';
import type { Composition, Operands } from './kernel-calls.ts';

/**
 * `UnsortedSegmentSum`: adds rows that bear the same number, the gradient of looking rows up in an embedding. Rows are
 * added in their order, one after the other, so that the same rows give the same bits. A row that bears a number outside
 * the range is left out, as TensorFlow does.
 */
export const unsortedSegmentSum: Composition = (_calls, inputs, attrs, backend) => {
  const { x, segmentIds } = inputs as Operands<'x' | 'segmentIds'>;
  const segments = attrs['numSegments'] as number;
  const values = backend.readSync(x.dataId) as Float32Array;
  const numbers = backend.readSync(segmentIds.dataId) as Int32Array;
  const rowShape = x.shape.slice(segmentIds.shape.length);
  const width = util.sizeFromShape(rowShape);
  const sums = new Float32Array(segments * width);
  numbers.forEach((segment, row) => {
    if (segment < 0 || segment >= segments) return;
    const to = segment * width;
    const from = row * width;
    for (let at = 0; at < width; at++) sums[to + at] = (sums[to + at] as number) + (values[from + at] as number);
  });
  const shape = [segments, ...rowShape];
  return { dataId: backend.write(sums, shape, 'float32'), shape, dtype: 'float32' };
};
