import { z } from 'zod';
import type { ConfigFinding } from '../../shared/config-check.ts';
import { LEARNING_RATE_BITS, MOMENTS_DENOMINATOR_BITS, TAU_BITS } from '../../shared/fixed-point/constants.ts';
import type { ServerStep } from '../../shared/fixed-point/server-step-settings.ts';

/** A real number in units of 2^-bits, to the nearest. */
const fixed = (bits: number, least: number, most: number, error: string) =>
  z
    .number({ error })
    .transform((value) => Math.round(value * 2 ** bits))
    .refine((units) => units >= least && units <= most, { error });

const learningRate = fixed(LEARNING_RATE_BITS, 1, 2 ** 20, 'expected a rate from 2^-16 to 16');
const kept = fixed(MOMENTS_DENOMINATOR_BITS, 0, 2 ** MOMENTS_DENOMINATOR_BITS - 1, 'expected a share, 0 to below 1');
const tau = fixed(TAU_BITS, 1, 2 ** TAU_BITS, 'expected a number from 2^-30 to 1');

/** What each step takes beside its learning rate. */
const FURTHER = {
  FedAvg: [],
  FedAvgM: ['momentum'],
  FedAdagrad: ['beta1', 'tau'],
  FedYogi: ['beta1', 'beta2', 'tau'],
  FedAdam: ['beta1', 'beta2', 'tau'],
} as const satisfies Record<ServerStep['name'], readonly Further[]>;

type Further = 'momentum' | 'beta1' | 'beta2' | 'tau';

const STEPS = Object.keys(FURTHER) as [ServerStep['name'], ...ServerStep['name'][]];

/**
 * The section `[server]`: how the model moves by the aggregate, in real numbers, which are rounded to the units in which
 * manifests state them.
 */
export const serverSchema = z.strictObject({
  step: z.enum(STEPS, { error: `expected one of ${STEPS.join(', ')}` }).default('FedAvg'),
  learningRate: learningRate.prefault(1),
  momentum: kept.optional(),
  beta1: kept.optional(),
  beta2: kept.optional(),
  tau: tau.optional(),
});

type ServerSection = z.infer<typeof serverSchema>;

/** What a step is given too much or too little of. */
export function serverFindings(section: ServerSection): ConfigFinding[] {
  const needed: readonly Further[] = FURTHER[section.step];
  return (['momentum', 'beta1', 'beta2', 'tau'] as const).flatMap((name) => {
    const isGiven = section[name] !== undefined;
    if (isGiven === needed.includes(name)) return [];
    const message = isGiven ? `${section.step} takes none: leave it out` : `${section.step} needs it: give it a value`;
    return [{ field: `server.${name}`, message }];
  });
}

/** The step that a section without findings asks for. */
export function serverOf({ step, learningRate, ...further }: ServerSection): ServerStep {
  const taken = FURTHER[step].map((name) => [name, further[name]]);
  return { name: step, learningRate, ...Object.fromEntries(taken) } as ServerStep;
}
