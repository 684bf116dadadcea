import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Parameter } from '../../shared/aggregation/rule.ts';
import { DIRECTION, directionOf } from './directions.ts';
import { searchAround } from './golden-section.ts';
import type { UpdateAttack } from './scene.ts';
import { innerProduct, lengthOf, meanOf, sameFromAll, squaredDistance, stepFrom, type Vectors } from './vectors.ts';

const GOAL: Parameter = {
  name: 'goal',
  meaning: 'what it makes large: the aggregate’s distance from the honest mean, or how far it turns against the mean',
  default: 'distance',
  choices: ['distance', 'turn'],
};
const STEPS: NumericParameter = {
  name: 'steps',
  meaning: 'golden sections after the first 16 trials',
  default: 12,
  choices: [],
  minimum: 0,
  maximum: 100,
};

/**
 * Knows the rule: sends `mean - gamma * direction` with the gamma that hurts most after the rule, found by trying the rule
 * itself. The lengths tried follow the spread of the honest updates, so that no scale of updates suits it better than another.
 */
export const adaptive: UpdateAttack = {
  name: 'Adaptive',
  aliases: ['AGR-tailored'],
  summary: 'moves away from the honest mean as far as hurts most after the rule, which it tries out',
  source:
    'Fang, Cao, Jia, Gong, "Local model poisoning attacks to Byzantine-robust federated learning", USENIX Security 2020; Shejwalkar, Houmansadr, NDSS 2021 (tailored to the rule)',
  parameters: [{ ...DIRECTION, default: 'std' }, GOAL, STEPS],
  kind: 'update',
  looksAt: 'rule',
  forge: async ({ honest, byzantine, aggregate }, params) => {
    const { direction = 'std', goal = GOAL.default } = params;
    const mean = meanOf(honest);
    const away = directionOf(String(direction), honest, mean);
    const forged = (gamma: number): Float32Array[] => sameFromAll(stepFrom(mean, -gamma, away), byzantine);
    const harm = async (gamma: number): Promise<number> => {
      const aggregated = await aggregate([...honest, ...forged(gamma)]);
      return goal === 'turn' ? -innerProduct(aggregated, mean) : squaredDistance(aggregated, mean);
    };
    const { length } = await searchAround(harm, unitLength(honest, mean, away), numberParam(params, STEPS));
    return forged(length);
  },
};

/** The gamma that leads as far from the mean as honest updates are on average, or as the mean is long where none differ. */
function unitLength(honest: Vectors, mean: Float64Array, away: Float64Array): number {
  const spread = Math.sqrt(honest.reduce((sum, update) => sum + squaredDistance(update, mean), 0) / honest.length);
  const length = lengthOf(away);
  return length === 0 ? 1 : (spread || lengthOf(mean)) / length;
}
