import { FedanchorError } from '../../shared/errors.ts';
import type { Attack } from './attack.ts';
import { innerProductManipulation } from './inner-product-manipulation.ts';
import { signFlipping } from './sign-flipping.ts';

/** Thrown when an attack is asked for that does not exist or cannot be had so. */
export class AttackError extends FedanchorError<'attack/unknown' | 'attack/bad-strength'> {}

/** The attacks by name. */
export const ATTACKS: readonly Attack[] = [innerProductManipulation, signFlipping];

/**
 * Finds an attack from `name` or `name:strength`.
 *
 * @throws AttackError `attack/unknown`, `attack/bad-strength`
 */
export function parseAttack(text: string): { readonly attack: Attack; readonly strength: number } {
  const [name = '', given] = text.split(':');
  const attack = ATTACKS.find((known) => known.name === name.toLowerCase());
  if (!attack) {
    const known = ATTACKS.map((one) => one.name).join(', ');
    throw new AttackError('attack/unknown', `there is no attack named "${name}": choose one of ${known}`, { name });
  }
  const strength = given === undefined ? attack.defaultStrength : Number(given);
  if (!Number.isFinite(strength) || strength <= 0) {
    throw new AttackError('attack/bad-strength', `attack strength "${given}" must be a positive number, as in ipm:10`);
  }
  return { attack, strength };
}
