import type { Rng } from '../../shared/rng.ts';
import { log } from '../models/elementary.ts';

/**
 * Standard normal numbers by the polar method (Marsaglia and Bray, "A convenient method for generating normal variables",
 * SIAM Review 1964), of `+ - * / sqrt` alone: the same stream gives the same bits on every machine.
 *
 * @param values - where they go
 */
export function fillNormal<Values extends Float32Array | Float64Array>(values: Values, rng: Rng): Values {
  for (let at = 0; at < values.length; ) {
    const x = 2 * rng.nextFloat() - 1;
    const y = 2 * rng.nextFloat() - 1;
    const square = x * x + y * y;
    if (square === 0 || square >= 1) continue;
    const factor = Math.sqrt((-2 * log(square)) / square);
    values[at] = x * factor;
    // The method yields two at a time; what is past the end is dropped.
    if (at + 1 < values.length) values[at + 1] = y * factor;
    at += 2;
  }
  return values;
}

/** One standard normal number, as {@link fillNormal} gives it; the second that the method yields is not kept. */
export function normal(rng: Rng): number {
  return fillNormal(one, rng)[0] as number;
}

const one = new Float64Array(1);
