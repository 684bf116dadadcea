import type { Rng } from '../rng.ts';
import { MAX_UPDATE } from './constants.ts';
import type { Layout } from './layout.ts';
import { checkShapes, type Saturated } from './model.ts';
import { powerOfTwo } from './power-of-two.ts';

/** What 32 random bits are parts of. */
const BITS = 2 ** 32;

/**
 * Encodes what a client learnt as an int16 update.
 *
 * Rounding is stochastic: a value between two integers goes to either with the probability that keeps its expectation,
 * so that quantization adds noise but no bias (Alistarh et al., "QSGD", 2017). Values beyond ±8191 are cut and counted.
 *
 * @param layout - the job's layout
 * @param update - what the client would add to the model: one array per tensor, in manifest order
 * @param updateBits - the round's scale: units of 2^-updateBits
 * @param rng - the source of the rounding; seeded by the client
 * @throws LayoutError `layout/shape-mismatch`
 */
export function encodeUpdate(
  layout: Layout,
  update: readonly Float32Array[],
  updateBits: number,
  rng: Rng,
): Saturated<Int16Array> {
  checkShapes(layout, update);
  const vector = new Int16Array(layout.dimension);
  let saturated = 0;
  layout.slots.forEach((slot, index) => {
    const unit = powerOfTwo(updateBits + slot.preScaleBits);
    const values = update[index] as Float32Array;
    const { offset } = slot;
    // A plain loop: models have very many parameters, and each client encodes all of them each round.
    for (let at = 0; at < values.length; at++) {
      const exact = (values[at] as number) * unit;
      const rounded = roundStochastically(exact, rng.nextUint32());
      if (rounded >= -MAX_UPDATE && rounded <= MAX_UPDATE) {
        vector[offset + at] = rounded;
        continue;
      }
      saturated++;
      vector[offset + at] = Number.isNaN(rounded) ? 0 : Math.sign(rounded) * MAX_UPDATE;
    }
  });
  return { vector, saturated };
}

/**
 * Rounds away from zero with a probability of the fraction: up where `bits / 2^32 < value - floor(value)`, decided on the
 * magnitude, where nothing is rounded on the way: the difference itself is not exact for a small negative value.
 *
 * @param bits - 32 random bits
 */
function roundStochastically(value: number, bits: number): number {
  const length = Math.abs(value);
  const whole = Math.floor(length);
  const part = (length - whole) * BITS;
  if (value < 0) return -(whole + (BITS - 1 - bits < Math.floor(part) ? 1 : 0));
  return whole + (bits < part ? 1 : 0);
}

/**
 * The real values of an update: `q / 2^(updateBits + preScaleBits)`, without padding.
 *
 * @param layout - the job's layout
 * @param vector - `layout.dimension` coordinates
 * @param updateBits - the round's scale
 */
export function decodeUpdate(layout: Layout, vector: Int16Array, updateBits: number): Float64Array[] {
  return layout.slots.map(({ offset, size, preScaleBits }) => {
    const unit = powerOfTwo(updateBits + preScaleBits);
    const values = new Float64Array(size);
    for (let at = 0; at < size; at++) values[at] = (vector[offset + at] as number) / unit;
    return values;
  });
}

/** Largest magnitude in an update, in update units: what its sender signs for and the gate compares. */
export function largestMagnitude(vector: Int16Array): number {
  // Every byte that comes in goes through here: two bounds by an index take a quarter of the time of magnitudes by an
  // iterator.
  let [least, most] = [0, 0];
  for (let at = 0; at < vector.length; at++) {
    const q = vector[at] as number;
    if (q < least) least = q;
    if (q > most) most = q;
  }
  return Math.max(most, -least);
}
