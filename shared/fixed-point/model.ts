import { type Layout, LayoutError } from './layout.ts';
import { powerOfTwo } from './power-of-two.ts';

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

/** An integer result and how often it had to be cut to its type's range. */
export interface Saturated<T> {
  /** The vector. */
  readonly vector: T;
  /** Coordinates that did not fit and were cut to the nearest end of the range, NaN counted as 0. */
  readonly saturated: number;
}

/** Cuts an integer to the int32 range. */
export function clampInt32(value: number): number {
  return Math.min(INT32_MAX, Math.max(INT32_MIN, value));
}

/**
 * The integer model of float32 tensors: each coordinate to the nearest multiple of 2^-fractionBits, halves upwards.
 *
 * @param layout - the job's layout
 * @param tensors - one array a tensor, in manifest order, without padding
 * @throws LayoutError `layout/shape-mismatch`
 */
export function encodeModel(layout: Layout, tensors: readonly Float32Array[]): Saturated<Int32Array> {
  checkShapes(layout, tensors);
  const vector = new Int32Array(layout.dimension);
  let saturated = 0;
  layout.slots.forEach((slot, index) => {
    const unit = powerOfTwo(slot.fractionBits);
    (tensors[index] as Float32Array).forEach((value, at) => {
      const exact = Math.floor(value * unit + 0.5);
      const kept = Number.isNaN(exact) ? 0 : clampInt32(exact);
      if (kept !== exact) saturated++;
      vector[slot.offset + at] = kept;
    });
  });
  return { vector, saturated };
}

/**
 * The float32 view of an integer model: `int / 2^fractionBits`, rounded to nearest, without padding.
 *
 * @param layout - the job's layout
 * @param vector - `layout.dimension` coordinates
 */
export function decodeModel(layout: Layout, vector: Int32Array): Float32Array[] {
  return layout.slots.map(({ offset, size, fractionBits }) => {
    const unit = powerOfTwo(fractionBits);
    const values = new Float32Array(size);
    for (let at = 0; at < size; at++) values[at] = (vector[offset + at] as number) / unit;
    return values;
  });
}

/**
 * Checks that float tensors have the layout's sizes.
 *
 * @throws LayoutError `layout/shape-mismatch`
 */
export function checkShapes(layout: Layout, tensors: readonly Float32Array[]): void {
  if (tensors.length !== layout.slots.length) {
    throw new LayoutError(
      'layout/shape-mismatch',
      `the manifest lists ${layout.slots.length} tensors, found ${tensors.length}`,
    );
  }
  layout.slots.forEach((slot, index) => {
    const found = tensors[index]?.length;
    if (found !== slot.size) {
      throw new LayoutError(
        'layout/shape-mismatch',
        `tensor "${slot.name}" has ${slot.size} elements in the manifest, found ${found}`,
      );
    }
  });
}
