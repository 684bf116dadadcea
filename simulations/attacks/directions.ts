import type { Parameter } from '../../shared/aggregation/rule.ts';
import { deviationOf, lengthOf, type Vectors } from './vectors.ts';

/** The directions of Shejwalkar and Houmansadr that an attack leaves the honest mean in, all taken backwards. */
export const DIRECTION: Parameter = {
  name: 'direction',
  meaning: 'where it moves away from the mean, backwards: the unit vector along it, the standard deviations, its signs',
  default: 'unit',
  choices: ['unit', 'std', 'sign'],
};

/**
 * The direction of a name: `unit` the mean at length 1 (zero where the mean is), `std` the standard deviation at each
 * coordinate with divisor n, `sign` the signs of the mean.
 */
export function directionOf(name: string, honest: Vectors, mean: Float64Array): Float64Array {
  if (name === 'std') return deviationOf(honest, mean, 'n');
  if (name === 'sign') return mean.map(Math.sign);
  const length = lengthOf(mean);
  return mean.map((value) => (length === 0 ? 0 : value / length));
}
