import type { MemoryRows } from '../../shared/aggregation/engine.ts';
import { createRng } from '../../shared/rng.ts';

/** Values that noise is taken from; its length is prime, so that rows which start elsewhere never run in step. */
const NOISE_VALUES = 1_000_003;
/** Largest noise. */
const NOISE = 3000;
/** Largest value of what honest updates have in common. */
const SIGNAL = 1000;

/** Gives stretches of made updates: honest ones are a common signal with noise, faulty ones go against it. */
export interface UpdateSource {
  /** Fills a stretch of an update from a coordinate on. */
  fill(row: number, from: number, into: Int16Array): void;
}

/**
 * Creates a source of n updates of which the last f are faulty.
 *
 * @param seed - decides every value
 */
export function updateSource(n: number, f: number, seed: number): UpdateSource {
  const rng = createRng(seed, 'bench/aggregation');
  const noise = Int16Array.from({ length: NOISE_VALUES }, () => rng.below(2 * NOISE + 1) - NOISE);
  const starts = Array.from({ length: n }, () => rng.below(NOISE_VALUES));
  const scale = SIGNAL / NOISE;
  return {
    fill: (row, from, into) => {
      const sign = row < n - f ? 1 : -2;
      let at = ((starts[row] as number) + from) % NOISE_VALUES;
      let common = from % NOISE_VALUES;
      for (let i = 0; i < into.length; i += 1) {
        into[i] = (noise[at] as number) + sign * Math.round((noise[common] as number) * scale);
        at = at + 1 === NOISE_VALUES ? 0 : at + 1;
        common = common + 1 === NOISE_VALUES ? 0 : common + 1;
      }
    },
  };
}

/** Fills rows from a source. */
export function fillRows({ rows }: MemoryRows, source: UpdateSource): void {
  for (const [row, values] of rows.entries()) source.fill(row, 0, values);
}
