import type { Rng } from '../../shared/rng.ts';

/** Shuffles in place, every order equally likely (Fisher and Yates, as Durstenfeld wrote it, CACM 1964). */
export function shuffle(values: Int32Array, rng: Rng): Int32Array {
  for (let last = values.length - 1; last > 0; last -= 1) {
    const other = rng.below(last + 1);
    const kept = values[last] as number;
    values[last] = values[other] as number;
    values[other] = kept;
  }
  return values;
}
