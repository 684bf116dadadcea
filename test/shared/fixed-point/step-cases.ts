import fc from 'fast-check';
import { type Layout, layoutOf } from '../../../shared/fixed-point/layout.ts';

const AGGREGATE_LIMIT = 8191 * 256;
const int32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -5000, max: 5000 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0),
);
const coordinate = fc.oneof(
  fc.integer({ min: -AGGREGATE_LIMIT, max: AGGREGATE_LIMIT }),
  fc.constantFrom(AGGREGATE_LIMIT, -AGGREGATE_LIMIT, 1, -1, 0),
);

/** A model of one tensor, an aggregate of it, and scales of every kind. */
export interface ScaledCase {
  readonly layout: Layout;
  readonly scale: { readonly size: number; readonly fractionBits: number; readonly preScaleBits: number };
  readonly model: Int32Array;
  readonly aggregate: Int32Array;
  /** As many words of any value as two vectors have. */
  readonly words: Int32Array;
  readonly updateBits: number;
}

export const scaledCase: fc.Arbitrary<ScaledCase> = fc
  .record({
    fractionBits: fc.integer({ min: 0, max: 30 }),
    preScaleBits: fc.integer({ min: 0, max: 16 }),
    updateBits: fc.integer({ min: 0, max: 30 }),
    coordinates: fc.array(fc.tuple(int32, coordinate, int32, int32), { minLength: 1, maxLength: 66 }),
  })
  .map(({ fractionBits, preScaleBits, updateBits, coordinates }) => {
    const size = coordinates.length;
    const layout = layoutOf([{ name: 'w', shape: [size], fractionBits, preScaleBits }]);
    const { dimension } = layout;
    const [model, aggregate, words] = [dimension, dimension, 2 * dimension].map((length) => new Int32Array(length)) as [
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    coordinates.forEach(([m, a, first, second], at) => {
      model[at] = m;
      aggregate[at] = a;
      words[at] = first;
      words[dimension + at] = second;
    });
    return { layout, scale: { size, fractionBits, preScaleBits }, model, aggregate, words, updateBits };
  });

/** Cuts an integer to the int32 range. */
export function clampBig(value: bigint): bigint {
  const [low, high] = [-(1n << 31n), (1n << 31n) - 1n];
  return value < low ? low : value > high ? high : value;
}
