import { DEFAULT_FRACTION_BITS, MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import { powerOfTwo } from '../../shared/fixed-point/power-of-two.ts';
import type { NamedTensor } from '../../shared/safetensors.ts';
import { error, type Finding, warning } from './finding.ts';
import type { InspectedTensor } from './task-workbench.ts';

/** Weights are counted in int32 of this unit. */
const LARGEST_WEIGHT = powerOfTwo(31 - DEFAULT_FRACTION_BITS);

/** Part of the range beyond which training may soon leave it. */
const HEADROOM = 1 / 4;

/**
 * Holds a model to the range in which weights are counted (int32 in units of 2^-24: within ±128), and to its architecture.
 *
 * @param described - the architecture's tensors, where they are known
 */
export function checkModel(
  model: readonly NamedTensor[],
  described: readonly InspectedTensor[] | undefined,
): Finding[] {
  const findings: Finding[] = [];
  for (const { name, values } of model) {
    let largest = 0;
    let areNumbers = true;
    for (const value of values) {
      areNumbers &&= Number.isFinite(value);
      largest = Math.max(largest, Math.abs(value));
    }
    const what = `tensor "${name}" has a weight of ${largest}`;
    if (!areNumbers) {
      findings.push(
        error('model/not-finite', 'model', `tensor "${name}" has a weight that is not finite: train it anew`),
      );
    } else if (largest >= LARGEST_WEIGHT) {
      findings.push(
        error('model/too-large', 'model', `${what}, and weights must stay below ${LARGEST_WEIGHT}: scale it`),
      );
    } else if (largest > LARGEST_WEIGHT * HEADROOM) {
      const message = `${what}: above ${LARGEST_WEIGHT} weights are cut, and training may carry it there`;
      findings.push(warning('model/nearly-too-large', 'model', message));
    }
  }
  if (described === undefined) return findings;
  const list = (tensors: readonly InspectedTensor[]) => tensors.map(({ shape }) => `[${shape.join(', ')}]`);
  const [expected, found] = [list(described), list(model)];
  const at = expected.findIndex((shape, index) => shape !== found[index]);
  if (at < 0 && expected.length === found.length) return findings;
  const where = at < 0 ? expected.length : at;
  const message = `tensor ${where + 1} of the model is ${found[where] ?? 'missing'}, the architecture has ${expected[where] ?? 'no more'}${described[where] ? ` ("${described[where].name}")` : ''}: draw the model again with "fedanchor client init-model"`;
  return [...findings, error('model/other-tensors', 'model', message)];
}

/**
 * Holds the scale of the first round's updates to what training may give; later rounds find their own.
 *
 * @param farthest - how far one round can carry one weight, where the settings bound it
 */
export function checkBits(
  model: readonly NamedTensor[],
  initialUpdateBits: number,
  farthest: number | undefined,
): Finding[] {
  const unit = 1 / powerOfTwo(initialUpdateBits);
  const limit = MAX_UPDATE * unit;
  const field = 'initialUpdateBits';
  if (farthest !== undefined && farthest < unit) {
    const message = `an update counts in units of ${unit}, and a round's training moves no weight by more than ${farthest}: choose at least ${bitsFor(farthest)}`;
    return [error('bits/too-coarse', field, message)];
  }
  const weights = Math.sqrt(meanSquare(model));
  // A tenth of a typical weight is a step that training often takes; what is cut is lost to the round.
  if (weights > 0 && limit < weights / 10 && (farthest === undefined || limit < farthest)) {
    const message = `an update reaches ${limit} at most, less than a tenth of a typical weight (${weights.toPrecision(2)}): what is beyond is cut in the first round; choose at most ${bitsFor(weights / 10)}`;
    return [warning('bits/too-fine', field, message)];
  }
  return [];
}

/** The finest scale in which a value still fits twice over. */
function bitsFor(value: number): number {
  let bits = 0;
  while (bits < 30 && 2 * value * powerOfTwo(bits + 1) <= MAX_UPDATE) bits += 1;
  return bits;
}

function meanSquare(model: readonly NamedTensor[]): number {
  let [sum, count] = [0, 0];
  for (const { values } of model) {
    for (const value of values) sum += value * value;
    count += values.length;
  }
  return count === 0 ? 0 : sum / count;
}
