import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import type { Layout } from '../../shared/fixed-point/layout.ts';
import { checkShapes, type Saturated } from '../../shared/fixed-point/model.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import type { Rng } from '../../shared/rng.ts';
import { rhoOfUpdate } from './accountant.ts';
import { MOST_SIGMA, sampleDiscreteGaussian } from './discrete-gaussian.ts';
import { PrivacyError } from './privacy-error.ts';
import type { PrivacyOptions } from './privacy-options.ts';
import type { UniformIntegers } from './uniform-integers.ts';

/** How an update is clipped and covered: everything in units of 2^-bits. */
export interface NoisePlan {
  /** Binary places of the grid on which the noise is drawn: finer than the round's, whatever that is. */
  readonly bits: number;
  /** Largest Euclidean norm, an integer. */
  readonly clip: number;
  /** Parameter of the discrete Gaussian, an integer up to 2^20. */
  readonly sigma: number;
  /** What one update costs, as rho. */
  readonly rho: number;
}

/** Sigma in units of the round's grid, above which too many coordinates would be cut: half of what one may be. */
const MOST_ROUND_SIGMA = (MAX_UPDATE + 1) / 2;

/** Sigma in units of the round's grid, for which it stays the grid: the largest of a million draws fits it twice. */
const FITTING_ROUND_SIGMA = 1_024;

/** What a shortened vector is short of the clip, so that rounding seldom takes it beyond. */
const SAFETY = 1 - 2 ** -30;

/**
 * Puts what was asked for on the finest grid on which noise is sampled. The grid is not the round's: a clip of a few units
 * would cut almost every coordinate to zero. Sigma is rounded up and the clip down, so that an update never costs more
 * than `2 / noise^2`.
 *
 * @param options - clip and noise
 */
export function planNoise({ clip, noise }: Pick<PrivacyOptions, 'clip' | 'noise'>): NoisePlan {
  let bits = 0;
  const sigmaAt = (places: number): number => Math.ceil(noise * Math.floor(clip * powerOfTwo(places)));
  while (bits < MOST_BITS && sigmaAt(bits + 1) <= MOST_SIGMA) bits++;
  const fineClip = Math.floor(clip * powerOfTwo(bits));
  const sigma = sigmaAt(bits);
  return { bits, clip: fineClip, sigma, rho: rhoOfUpdate(fineClip, sigma) };
}

/** Binary places of the finest grid: products with it stay exact powers of two. */
const MOST_BITS = 60;

/**
 * Whether an update with this noise fits a round's grid.
 *
 * @param plan - clip and noise
 * @param updateBits - the round's scale
 * @throws PrivacyError `privacy/scale-too-fine`: the noise would be cut at the limit of a coordinate
 */
export function checkScale({ sigma, bits }: NoisePlan, updateBits: number): void {
  if (updateBits <= bits && sigma / powerOfTwo(bits - updateBits) <= MOST_ROUND_SIGMA) return;
  const fitting = Math.floor(Math.log2((FITTING_ROUND_SIGMA / sigma) * powerOfTwo(bits)));
  throw new PrivacyError(
    'privacy/scale-too-fine',
    fitting < 0
      ? 'the noise is larger than any update can be: lower clip or noise'
      : `the round counts in units of 2^-${updateBits}, in which this noise does not fit: the job needs initialUpdateBits of ${fitting} or less, or this client a lower clip or noise`,
    { updateBits, fitting },
  );
}

/**
 * Makes an update that tells little about the data behind it: shortens it to the clip, puts it on the plan's grid, adds
 * discrete Gaussian noise to every coordinate in use, and only then rounds to the round's grid, stochastically and without
 * bias, and cuts at ±8191. What follows the noise is post-processing: it takes nothing from the guarantee.
 *
 * @param layout - the job's layout; padding stays zero
 * @param update - what the client would add to the model: one array per tensor, in manifest order
 * @param updateBits - the round's scale, for which {@link checkScale} has passed
 * @param plan - clip and noise; of a tensor with a pre-scale, the scaled coordinates count
 * @param random - the source of the noise; in production a cryptographic one
 * @param rounding - the source of the rounding after the noise
 * @throws LayoutError `layout/shape-mismatch`
 */
export function encodePrivateUpdate(
  layout: Layout,
  update: readonly Float32Array[],
  updateBits: number,
  plan: NoisePlan,
  random: UniformIntegers,
  rounding: Rng,
): Saturated<Int16Array> {
  checkShapes(layout, update);
  const clipped = clipUpdate(layout, update, plan);
  const vector = new Int16Array(layout.dimension);
  const step = powerOfTwo(plan.bits - updateBits);
  let saturated = 0;
  for (const { offset, size } of layout.slots) {
    for (let at = offset; at < offset + size; at++) {
      const noisy = (clipped[at] as number) + sampleDiscreteGaussian(plan.sigma, random);
      const rounded = Math.floor(noisy / step + rounding.nextFloat());
      const kept = Math.min(MAX_UPDATE, Math.max(-MAX_UPDATE, rounded));
      if (kept !== rounded) saturated++;
      vector[at] = kept;
    }
  }
  return { vector, saturated };
}

/**
 * The update on the plan's grid, its integer norm at most the clip's: what sensitivity rests on is compared in exact
 * integers. Coordinates are cut towards zero, which costs less than a unit of a grid far finer than the noise.
 *
 * @returns `layout.dimension` integers
 */
export function clipUpdate(
  layout: Layout,
  update: readonly Float32Array[],
  { bits, clip }: Pick<NoisePlan, 'bits' | 'clip'>,
): Int32Array {
  const scaled = new Float64Array(layout.dimension);
  let squares = 0;
  layout.slots.forEach(({ offset, preScaleBits }, index) => {
    const unit = powerOfTwo(preScaleBits);
    (update[index] as Float32Array).forEach((value, at) => {
      const finite = Number.isFinite(value) ? value * unit : 0;
      scaled[offset + at] = finite;
      squares += finite * finite;
    });
  });
  const norm = Math.sqrt(squares) * powerOfTwo(bits);
  let factor = powerOfTwo(bits) * (norm > clip ? (clip / norm) * SAFETY : 1);
  const clipped = new Int32Array(layout.dimension);
  for (;;) {
    for (let at = 0; at < clipped.length; at++) clipped[at] = Math.trunc((scaled[at] as number) * factor);
    if (isWithin(clipped, clip)) return clipped;
    factor *= SAFETY;
  }
}

/** Exact: the sum is left as soon as it is beyond the clip's square, which is at most 2^48. */
function isWithin(vector: Int32Array, clip: number): boolean {
  const most = clip * clip;
  let squares = 0;
  for (let at = 0; at < vector.length; at++) {
    const q = vector[at] as number;
    squares += q * q;
    if (squares > most) return false;
  }
  return true;
}
