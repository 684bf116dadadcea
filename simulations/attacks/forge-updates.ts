import type { Params } from '../../shared/aggregation/rule.ts';
import { AttackError } from './attack-error.ts';
import type { Scene, UpdateAttack } from './scene.ts';

/**
 * Has an attack forge its updates and checks them: as many as attackers, as long as the honest ones, all numbers finite. A
 * NaN or an infinity is no attack on a rule, for none can be encoded as an update.
 *
 * @throws AttackError `attack/bad-forgery`
 */
export async function forgeUpdates(
  attack: UpdateAttack,
  scene: Scene,
  params: Params,
): Promise<readonly Float32Array[]> {
  const { byzantine, honest, round } = scene;
  const forged = await attack.forge(scene, params);
  const { length } = honest[0] as Float32Array;
  const refuse = (what: string, remedy: string): AttackError =>
    new AttackError('attack/bad-forgery', `${attack.name} ${what} in round ${round}: ${remedy}`, {
      attack: attack.name,
      round,
    });
  if (!Array.isArray(forged) || forged.length !== byzantine) {
    const found = Array.isArray(forged) ? `${forged.length} updates` : 'no array';
    throw refuse(`forged ${found}`, `return ${byzantine}, one for each attacker`);
  }
  for (const [i, update] of (forged as readonly Float32Array[]).entries()) {
    if (!(update instanceof Float32Array) || update.length !== length) {
      throw refuse(`forged no Float32Array of ${length} values as update ${i}`, 'return one like the honest updates');
    }
    // Attackers who all send the same are looked at once.
    if (update === forged[0] && i > 0) continue;
    const wrong = firstNotFinite(update);
    if (wrong >= 0) {
      throw refuse(`forged ${update[wrong]} at coordinate ${wrong} of update ${i}`, 'only finite numbers can be sent');
    }
  }
  return forged;
}

/** Its position, -1 if there is none. */
function firstNotFinite(values: Float32Array): number {
  for (let at = 0; at < values.length; at += 1) if (!Number.isFinite(values[at])) return at;
  return -1;
}
