import { describeOwn } from '../own-file.ts';
import { AttackError } from './attack-error.ts';
import type { ClaimAttack, DataAttack, SimulatedAttack, UpdateAttack } from './scene.ts';

/** The function that an attack of each kind must have. */
const REQUIRED = { update: 'forge', data: 'poison', claim: 'claim' } as const;

/** Functions that an attack may have. */
const OPTIONAL = ['boost', 'triggered'] as const;

/**
 * An attack from the default export of a file: `name`, `kind` and that kind's function (`forge`, `poison` or `claim`); what
 * else an attack states of itself may be left out. `looksAt` is `honest` unless it says otherwise.
 *
 * @param exported - the default export
 * @param path - the file, for messages
 * @throws AttackError `attack/bad-file`, naming what is missing
 */
export function attackFromFile(exported: unknown, path: string): SimulatedAttack {
  const refuse = (what: string): AttackError =>
    new AttackError('attack/bad-file', `the attack file ${path} ${what}: export default { name, kind, forge, … }`, {
      path,
    });
  const { own, description } = describeOwn(exported, path, refuse);
  const { kind, looksAt = 'honest' } = own;
  if (kind !== 'update' && kind !== 'data' && kind !== 'claim') {
    throw refuse('has no "kind" that is update, data or claim');
  }
  const required = REQUIRED[kind];
  if (typeof own[required] !== 'function')
    throw refuse(`has no function "${required}", which an attack of kind ${kind} needs`);
  for (const name of OPTIONAL) {
    if (own[name] !== undefined && typeof own[name] !== 'function') throw refuse(`has a "${name}" that is no function`);
  }
  if (kind === 'update' && looksAt !== 'own' && looksAt !== 'honest' && looksAt !== 'rule') {
    throw refuse('has a "looksAt" that is not own, honest or rule');
  }
  // Methods may use `this`: they are called on the object that they came with.
  if (kind === 'update') {
    const attack = exported as UpdateAttack;
    return {
      ...description,
      kind,
      looksAt: looksAt as UpdateAttack['looksAt'],
      forge: (scene, params) => attack.forge(scene, params),
    };
  }
  if (kind === 'claim') {
    const attack = exported as ClaimAttack;
    return { ...description, kind, claim: (samples, params) => attack.claim(samples, params) };
  }
  const attack = exported as DataAttack;
  const { boost, triggered } = attack;
  return {
    ...description,
    kind,
    poison: (examples, facts, params, rng) => attack.poison(examples, facts, params, rng),
    ...(boost && { boost: (params) => boost.call(attack, params) }),
    ...(triggered && { triggered: (test, facts, params) => triggered.call(attack, test, facts, params) }),
  };
}
