import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { AttackError } from '../../../simulations/attacks/attack-error.ts';
import { forgeUpdates } from '../../../simulations/attacks/forge-updates.ts';
import { reversedMean } from '../../../simulations/attacks/inner-product-manipulation.ts';
import { moved } from '../../../simulations/attacks/little-is-enough.ts';
import { minMaxUpdate } from '../../../simulations/attacks/min-max.ts';
import { minSumUpdate } from '../../../simulations/attacks/min-sum.ts';
import { bestFactor } from '../../../simulations/attacks/optimal.ts';
import { parseSimulatedAttack } from '../../../simulations/attacks/registry.ts';
import type { UpdateAttack } from '../../../simulations/attacks/scene.ts';
import { meanOf, type Vectors } from '../../../simulations/attacks/vectors.ts';
import { expectClose } from '../../shared/aggregation/vector-cases.ts';
import { type AttackCase, attackCases } from './attack-cases.ts';
import { sceneOf } from './scenes.ts';

/** What is sent, in double precision, and the factor where one is searched. */
async function forged(one: AttackCase): Promise<{ readonly update: Float64Array; readonly factor?: number }> {
  const update = one.rule === 'Optimal_ALittleIsEnough' ? moved : reversedMean;
  if (!one.rule.startsWith('Optimal_')) return { update: sentBy(one) };
  const factor = await factorOf(one, update);
  return { update: update(one.input, factor), factor };
}

function sentBy({ rule, input, params }: AttackCase): Float64Array {
  const { tau = Number.NaN } = params;
  const bisection = {
    direction: params.dev_type === 'unit_vec' ? 'unit' : (params.dev_type ?? ''),
    gamma: params.gamma_init ?? Number.NaN,
    threshold: params.stop_threshold ?? Number.NaN,
  };
  switch (rule) {
    case 'SignFlipping':
      return reversedMean(input, 1);
    case 'InnerProductManipulation':
      return reversedMean(input, tau);
    case 'ALittleIsEnough':
      return moved(input, tau);
    case 'MinMax':
      return minMaxUpdate(input, bisection);
    case 'MinSum':
      return minSumUpdate(input, bisection);
    case 'LabelFlipping':
      // The library averages gradients that were computed on flipped labels; the labels themselves: label-flipping.test.ts.
      return meanOf(input);
    default:
      throw new Error(`nothing stands for ${rule}`);
  }
}

function factorOf(
  { input, params }: AttackCase,
  update: (honest: Vectors, tau: number) => Float64Array,
): Promise<number> {
  const { agg = '', pre_agg_list = [], f = 0, evals = 0, start = 0, delta = 0, ratio = 0 } = params;
  const c = pre_agg_list.find((one) => one.c !== undefined)?.c;
  const spec = parseRuleSpec({
    rule: agg,
    pre: pre_agg_list.map(({ name }) => name),
    f,
    params: c === undefined ? {} : { c },
  });
  const scene = {
    honest: input,
    byzantine: f,
    round: (values: Float64Array) => values,
    aggregate: async (updates: readonly Float64Array[]) =>
      aggregateFloats(updates, spec, { enforceBound: false }).output,
  };
  return bestFactor(scene, update, { evals, start, delta, ratio });
}

/** Cases that are not a formula of double-precision vectors, tested below. */
const ELSEWHERE = ['Inf', 'Mimic'];

describe('attacks against reference outputs of other libraries', () => {
  const compared = attackCases.filter(({ rule }) => !ELSEWHERE.includes(rule));

  it('are all there', () => {
    const counts: Record<string, number> = {};
    for (const { rule } of attackCases) counts[rule] = (counts[rule] ?? 0) + 1;
    expect(counts).toEqual({
      ALittleIsEnough: 20,
      Inf: 10,
      InnerProductManipulation: 20,
      LabelFlipping: 10,
      MinMax: 21,
      MinSum: 21,
      Mimic: 20,
      Optimal_ALittleIsEnough: 21,
      Optimal_InnerProductManipulation: 21,
      SignFlipping: 10,
    });
  });

  for (const one of compared) {
    it(one.name, async () => {
      const { update, factor } = await forged(one);
      expectClose(update, one.output as readonly number[]);
      expect(factor).toBe(one.best_tau);
    });
  }
});

describe('what is sent', () => {
  /** What float32 holds of a vector. */
  const single = (vector: Iterable<number>) => Float32Array.from(vector);
  const fits = attackCases.filter(({ input }) =>
    input.every((row) => row.every((value) => single([value])[0] === value)),
  );

  it.each([
    ['SignFlipping', 'SignFlipping'],
    ['InnerProductManipulation', 'IPM:tau=2'],
    ['ALittleIsEnough', 'ALIE:tau=1.5'],
    ['MinMax', 'MinMax:direction=unit'],
    ['MinMax', 'MinMax:direction=std'],
    ['MinMax', 'MinMax:direction=sign'],
    ['MinSum', 'MinSum:direction=unit'],
    ['Mimic', 'Mimic:epsilon=0'],
    ['Mimic', 'Mimic:epsilon=1'],
  ])('by %s is the reference in single precision, from every attacker: %s', async (rule, text) => {
    const { attack, params } = parseSimulatedAttack(text);
    const settings: Readonly<Record<string, unknown>> = params;
    const cases = fits.filter(
      (one) =>
        one.rule === rule &&
        (one.params.tau ?? params['tau']) === params['tau'] &&
        (one.params.epsilon ?? settings['epsilon']) === settings['epsilon'] &&
        (one.params.dev_type?.replace('_vec', '') ?? params['direction']) === params['direction'],
    );
    expect(cases.length).toBeGreaterThanOrEqual(6);
    for (const { input, output } of cases) {
      const scene = sceneOf(input.map(single), { byzantine: 2 });
      const sent = await forgeUpdates(attack as UpdateAttack, scene, params);
      expect(sent).toHaveLength(2);
      // Added zeros: the sign of a zero is lost in the committed figures.
      for (const update of sent) expect(update.map((value) => value + 0)).toEqual(single(output as readonly number[]));
    }
  });

  it('is refused when it is infinite: no update can say so', async () => {
    const cases = attackCases.filter(({ rule }) => rule === 'Inf');
    expect(cases).toHaveLength(10);
    const inf: UpdateAttack = {
      ...(parseSimulatedAttack('ZeroUpdate').attack as UpdateAttack),
      name: 'Inf',
      forge: ({ honest }) => [(honest[0] as Float32Array).map(() => Number.POSITIVE_INFINITY)],
    };
    for (const { input, output } of cases) {
      expect(new Set(output)).toEqual(new Set(['Infinity']));
      const refusal = forgeUpdates(inf, sceneOf(input.map(single)), {});
      await expect(refusal).rejects.toThrow(AttackError);
      await expect(refusal).rejects.toMatchObject({ code: 'attack/bad-forgery', data: { attack: 'Inf', round: 1 } });
    }
  });
});
