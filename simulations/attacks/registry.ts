import type { Params } from '../../shared/aggregation/rule.ts';
import { type Catalogue, parseChoice, resolveChoice } from '../catalogue.ts';
import { adaptive } from './adaptive.ts';
import { AttackError } from './attack-error.ts';
import { attackFromFile } from './attack-from-file.ts';
import { backdoor } from './backdoor.ts';
import { copiedUpdate } from './copied-update.ts';
import { deltaWeights } from './delta-weights.ts';
import { gaussian } from './gaussian.ts';
import { inflatedSamples } from './inflated-samples.ts';
import { innerProductManipulation } from './inner-product-manipulation.ts';
import { labelFlipping } from './label-flipping.ts';
import { littleIsEnough } from './little-is-enough.ts';
import { mimic } from './mimic.ts';
import { minMax } from './min-max.ts';
import { minSum } from './min-sum.ts';
import { optimalInnerProductManipulation } from './optimal-inner-product-manipulation.ts';
import { optimalLittleIsEnough } from './optimal-little-is-enough.ts';
import type { SimulatedAttack } from './scene.ts';
import { signFlipping } from './sign-flipping.ts';
import { staleUpdate } from './stale-update.ts';
import { zeroUpdate } from './zero-update.ts';

/** Every attack. */
export const SIMULATED_ATTACKS: readonly SimulatedAttack[] = [
  signFlipping,
  innerProductManipulation,
  optimalInnerProductManipulation,
  littleIsEnough,
  optimalLittleIsEnough,
  minMax,
  minSum,
  mimic,
  adaptive,
  gaussian,
  zeroUpdate,
  deltaWeights,
  staleUpdate,
  copiedUpdate,
  inflatedSamples,
  labelFlipping,
  backdoor,
];

const CATALOGUE: Catalogue<SimulatedAttack> = {
  kind: 'attack',
  entries: SIMULATED_ATTACKS,
  error: (fault, message, data, cause) => new AttackError(`attack/${fault}`, message, data, cause),
  fromFile: attackFromFile,
};

/** An attack and all of its parameters. */
export interface ChosenAttack {
  /** The attack. */
  readonly attack: SimulatedAttack;
  /** Its parameters, complete. */
  readonly params: Params;
}

/**
 * Reads an attack from text: `SignFlipping`, `ALIE:tau=1.5`, or `IPM:10`, whose one value is the first parameter's. Names and
 * aliases in any letter case.
 *
 * @throws AttackError `attack/unknown`, `attack/unknown-parameter`, `attack/bad-parameter`
 *
 * @example
 * ```ts
 * parseSimulatedAttack('alie:tau=1.5').params; // { tau: 1.5 }
 * ```
 */
export function parseSimulatedAttack(text: string): ChosenAttack {
  const { entry, params } = parseChoice(CATALOGUE, text);
  return { attack: entry, params };
}

/**
 * Finds an attack by its name, or in a file whose default export it is, and completes its parameters.
 *
 * @param named - name or path, which begins with `./`, `../` or `/`; and the parameters that differ from their defaults
 * @param baseFolder - what a path is relative to
 * @throws AttackError `attack/unknown`, `attack/unknown-parameter`, `attack/bad-parameter`, `attack/bad-file`
 */
export async function resolveAttack(
  named: { readonly name: string; readonly params: Params },
  baseFolder: string = process.cwd(),
): Promise<ChosenAttack> {
  const { entry, params } = await resolveChoice(CATALOGUE, named, baseFolder);
  return { attack: entry, params };
}
