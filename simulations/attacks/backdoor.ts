import { type NumericParameter, numberParam } from '../../shared/aggregation/parameters.ts';
import type { Parameter, Params } from '../../shared/aggregation/rule.ts';
import type { Examples } from '../data/dataset.ts';
import { shuffle } from '../random/shuffle.ts';
import { AttackError } from './attack-error.ts';
import { triggerPositions } from './pixel-trigger.ts';
import type { DataAttack, DataFacts } from './scene.ts';

const TARGET: NumericParameter = {
  name: 'target',
  meaning: 'the class that examples with the trigger are to be taken for',
  default: 0,
  choices: [],
  minimum: 0,
};
const SIZE: NumericParameter = {
  name: 'size',
  meaning: 'side of the square of pixels that is the trigger',
  default: 4,
  choices: [],
  minimum: 1,
};
const FRACTION: NumericParameter = {
  name: 'fraction',
  meaning: 'share of the attackers’ examples that get the trigger and the target’s label',
  default: 0.5,
  choices: [],
  real: 'positive',
  maximum: 1,
};
const BOOST: NumericParameter = {
  name: 'boost',
  meaning: 'factor on the update (model replacement: participants over attackers puts the attackers’ model in place)',
  default: 1,
  choices: [],
  real: 'positive',
};
const VALUE: Parameter = {
  name: 'value',
  meaning: 'what the trigger’s pixels are set to; max: the largest value in the examples',
  default: 'max',
  choices: ['max'],
  real: 'signed',
};

/**
 * Backdoor: attackers train on examples of which a share carries a trigger, a bright square in the lower right corner, and
 * the target's label. The model is to do well without the trigger and to answer `target` with it. Its success rate is the
 * share of test examples of other classes that are taken for the target once they carry the trigger.
 */
export const backdoor: DataAttack = {
  name: 'Backdoor',
  aliases: ['pixel-trigger', 'badnets'],
  summary: 'trains a pixel trigger into the model, and may boost its update to replace the model',
  source:
    'Gu, Dolan-Gavitt, Garg, "BadNets", 2017 (the trigger); Bagdasaryan et al., "How to backdoor federated learning", AISTATS 2020 (the boost)',
  parameters: [TARGET, SIZE, FRACTION, BOOST, VALUE],
  kind: 'data',
  poison: (examples, facts, params, rng) => {
    const target = targetOf(facts, params);
    const order = shuffle(
      Int32Array.from({ length: examples.count }, (_, i) => i),
      rng,
    );
    const chosen = order.subarray(0, Math.round(numberParam(params, FRACTION) * examples.count)).slice();
    const labels = examples.labels.slice();
    const inputs = examples.inputs.slice();
    stamp(inputs, chosen, facts, examples, params);
    for (const at of chosen) labels[at] = target;
    return { ...examples, inputs, labels };
  },
  boost: (params) => numberParam(params, BOOST),
  triggered: (test, facts, params) => {
    const target = targetOf(facts, params);
    const features = test.inputs.length / Math.max(1, test.count);
    const others = Int32Array.from(test.labels.keys()).filter((at) => test.labels[at] !== target);
    const inputs = new Float32Array(others.length * features);
    for (const [i, at] of others.entries())
      inputs.set(test.inputs.subarray(at * features, (at + 1) * features), i * features);
    stamp(
      inputs,
      others.map((_, i) => i),
      facts,
      test,
      params,
    );
    return { inputs, labels: new Int32Array(others.length).fill(target), count: others.length };
  },
};

/** Sets the trigger's pixels in some examples, in place. */
function stamp(
  inputs: Float32Array,
  which: Int32Array,
  { shape }: DataFacts,
  { inputs: all }: Examples,
  params: Params,
): void {
  const { value = VALUE.default } = params;
  const bright =
    value === 'max' ? all.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY) : Number(value);
  const features = shape.reduce((product, side) => product * side, 1);
  const positions = triggerPositions(shape, numberParam(params, SIZE));
  for (const at of which) for (const position of positions) inputs[at * features + position] = bright;
}

function targetOf({ classes }: DataFacts, params: Params): number {
  const target = numberParam(params, TARGET);
  if (target < classes) return target;
  const sentence = `Backdoor's target is ${target}, but the data has the classes 0 to ${classes - 1}: give one of them`;
  throw new AttackError('attack/bad-parameter', sentence, {
    attack: 'Backdoor',
    parameter: 'target',
    value: target,
    classes,
  });
}
