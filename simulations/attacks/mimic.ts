import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Parameter } from '../../shared/aggregation/rule.ts';
import { fillNormal } from '../random/normal.ts';
import { AttackError } from './attack-error.ts';
import type { Scene, UpdateAttack } from './scene.ts';
import { innerProduct, lengthOf, meanOf, sameFromAll, type Vectors } from './vectors.ts';

const EPSILON: Parameter = {
  name: 'epsilon',
  meaning: 'whose update is sent, by position among the honest; search: of the one farthest along the main direction',
  default: 0,
  choices: ['search'],
  minimum: 0,
};

const WARMUP: NumericParameter = {
  name: 'warmup',
  meaning: 'rounds in which a search looks for its victim, before it keeps to it',
  default: 1,
  choices: [],
  minimum: 1,
};

/**
 * Mimic: all attackers send the update of one honest participant, which thereby counts several times over. Nothing about it
 * is an outlier; it hurts where data differ from client to client.
 *
 * With a number it is always the same position (ByzFL's `epsilon`). With `search` it is the paper's heuristic: in the first
 * `warmup` rounds the main direction z in which honest updates vary is followed by Oja's rule, and the victim is the one
 * farthest along it; from then on the last victim is kept.
 */
export const mimic: UpdateAttack = {
  name: 'Mimic',
  aliases: [],
  summary: 'sends a copy of one honest update, which thereby counts several times',
  source: 'Karimireddy, He, Jaggi, "Byzantine-robust learning on heterogeneous datasets via bucketing", ICLR 2022',
  parameters: [EPSILON, WARMUP],
  kind: 'update',
  looksAt: 'honest',
  forge: (scene, params) => {
    const { epsilon = EPSILON.default } = params;
    const victim = epsilon === 'search' ? search(scene, numberParam(params, WARMUP)) : Number(epsilon);
    return sameFromAll(updateAt(scene.honest, victim), scene.byzantine);
  },
};

/** What a search knows after some rounds: their mean update, and the direction in which updates vary most. */
export interface MainDirection {
  /** Rounds that it has seen. */
  readonly rounds: number;
  /** Mean of the honest updates over them. */
  readonly mean: Float64Array;
  /** The direction, of length 1, or zero if nothing varied. */
  readonly z: Float64Array;
}

/**
 * One step of Oja's rule: z moves towards `sum_i <x_i - mean, z> (x_i - mean)`, as much as one round among those before.
 *
 * @param before - what was known
 * @param honest - the round's updates
 */
export function followMainDirection(before: MainDirection, honest: Vectors): MainDirection {
  const t = before.rounds;
  const current = meanOf(honest);
  const mean = before.mean.map((value, at) => (t * value + (current[at] as number)) / (t + 1));
  const pull = new Float64Array(mean.length);
  for (const update of honest) {
    const off = mean.map((value, at) => (update[at] as number) - value);
    const along = innerProduct(off, before.z);
    for (let at = 0; at < pull.length; at += 1) pull[at] = (pull[at] as number) + along * (off[at] as number);
  }
  const unit = normalized(pull);
  return {
    rounds: t + 1,
    mean,
    z: normalized(unit.map((value, at) => (t * (before.z[at] as number) + value) / (t + 1))),
  };
}

function search({ honest, memory, rng, round }: Scene, warmup: number): number {
  const chosen = memory.get('victim');
  if (typeof chosen === 'number' && round > warmup) return Math.min(chosen, honest.length - 1);
  const before = memory.get('direction') as MainDirection | undefined;
  const length = (honest[0] as Float32Array).length;
  const start = (): MainDirection => ({
    rounds: 0,
    mean: new Float64Array(length),
    z: fillNormal(new Float64Array(length), rng),
  });
  const direction = followMainDirection(before ?? start(), honest);
  const victim = farthestAlong(honest, direction.z);
  memory.set('direction', direction);
  memory.set('victim', victim);
  return victim;
}

/** The position of the update with the largest inner product, the first of equals. */
function farthestAlong(honest: Vectors, z: Float64Array): number {
  let victim = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const [i, update] of honest.entries()) {
    const along = innerProduct(update, z);
    if (along > most) [victim, most] = [i, along];
  }
  return victim;
}

function updateAt(honest: readonly Float32Array[], position: number): Float32Array {
  const update = honest[position];
  if (update !== undefined) return update;
  const sentence = `Mimic's epsilon is ${position}, but only ${honest.length} updates can be copied: give a smaller one`;
  throw new AttackError('attack/bad-parameter', sentence, { attack: 'Mimic', parameter: 'epsilon', value: position });
}

function normalized(vector: Float64Array): Float64Array {
  const length = lengthOf(vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
