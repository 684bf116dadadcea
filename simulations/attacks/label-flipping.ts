import type { Parameter, Params } from '../../shared/aggregation/rule.ts';
import { AttackError } from './attack-error.ts';
import type { DataAttack } from './scene.ts';

const TO: Parameter = {
  name: 'to',
  meaning: 'the label it writes: opposite: classes - 1 - label; next: label + 1, around; or always this class',
  default: 'opposite',
  choices: ['opposite', 'next'],
  minimum: 0,
};
const FROM: Parameter = {
  name: 'from',
  meaning: 'which examples it relabels: any, or those of this class alone',
  default: 'any',
  choices: ['any'],
  minimum: 0,
};

/**
 * Label flipping: attackers follow the protocol on data whose labels they changed; `opposite` is ByzFL's, one class for
 * another (`from=5,to=3`) the targeted form.
 */
export const labelFlipping: DataAttack = {
  name: 'LabelFlipping',
  aliases: ['label-flip', 'label-flipping', 'LF'],
  summary: 'trains honestly on data with changed labels',
  source:
    'Biggio, Nelson, Laskov, ACML 2011; in federated learning Tolpegin et al., "Data poisoning attacks against federated learning systems", ESORICS 2020',
  parameters: [TO, FROM],
  kind: 'data',
  poison: (examples, { classes }, params) => ({ ...examples, labels: flip(examples.labels, classes, params) }),
};

function flip(labels: Int32Array, classes: number, { to = TO.default, from = FROM.default }: Params): Int32Array {
  for (const [name, value] of [
    ['to', to],
    ['from', from],
  ] as const) {
    if (typeof value === 'string' || value < classes) continue;
    const sentence = `LabelFlipping's ${name} is ${value}, but the data has the classes 0 to ${classes - 1}: give one of them`;
    throw new AttackError('attack/bad-parameter', sentence, {
      attack: 'LabelFlipping',
      parameter: name,
      value,
      classes,
    });
  }
  return labels.map((label) => {
    if (from !== 'any' && label !== from) return label;
    if (to === 'opposite') return classes - 1 - label;
    return to === 'next' ? (label + 1) % classes : Number(to);
  });
}
