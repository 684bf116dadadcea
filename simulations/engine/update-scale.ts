import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import { nextUpdateBits, UPDATE_BITS_RANGE } from '../../shared/fixed-point/update-bits.ts';
import { diverged } from './simulation-error.ts';

/**
 * The scale of round 1: the finest that leaves the median honest update of the round a factor of 2 to the limit, which is
 * what the rule for later rounds comes to. A job's author finds it by a trial; a simulation by its first updates.
 */
export function firstUpdateBits(updates: readonly Float32Array[]): number {
  const median = updates.map(largest).sort((a, b) => a - b)[Math.floor(updates.length / 2)] ?? 0;
  let bits: number = UPDATE_BITS_RANGE.most;
  while (bits > UPDATE_BITS_RANGE.least && !(2 * median * powerOfTwo(bits) <= MAX_UPDATE)) bits--;
  return bits;
}

/**
 * The scale of the next round, by production's rule.
 *
 * @throws SimulationError `simulation/diverged` if updates are beyond what the coarsest scale can code
 */
export function followingUpdateBits(current: number, magnitudes: readonly number[], round: number): number {
  const next = nextUpdateBits(current, magnitudes);
  const median = [...magnitudes].sort((a, b) => a - b)[Math.floor(magnitudes.length / 2)] ?? 0;
  if (current === UPDATE_BITS_RANGE.least && median >= MAX_UPDATE) {
    const sentence = `half of the updates of round ${round} have values beyond ${MAX_UPDATE}, the most that can be coded`;
    throw diverged(sentence, { round, updateBits: current });
  }
  return next;
}

function largest(values: Float32Array): number {
  let most = 0;
  for (let at = 0; at < values.length; at++) {
    const length = Math.abs(values[at] as number);
    if (length > most) most = length;
  }
  return most;
}
