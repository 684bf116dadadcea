import type { Rng } from '../../shared/rng.ts';
import { log } from '../models/elementary.ts';

/**
 * A standard normal number by the polar method (Marsaglia and Bray, "A convenient method for generating normal variables",
 * SIAM Review 1964), of `+ - * / sqrt` alone: the same stream gives the same bits on every machine. The second number that
 * the method yields is not kept, so that each draw stands for itself.
 */
export function normal(rng: Rng): number {
  for (;;) {
    const x = 2 * rng.nextFloat() - 1;
    const y = 2 * rng.nextFloat() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * log(square)) / square);
  }
}
