import { z } from 'zod';
import { MOMENTS_DENOMINATOR_BITS, TAU_BITS } from '../fixed-point/constants.ts';
import type { ServerStep } from '../fixed-point/server-step-settings.ts';

const learningRate = z
  .number()
  .int()
  .min(1)
  .max(2 ** 20);

/** What a step keeps of a moment: nothing to almost everything. */
const kept = z
  .number()
  .int()
  .min(0)
  .max(2 ** MOMENTS_DENOMINATOR_BITS - 1);

const tau = z
  .number()
  .int()
  .min(1)
  .max(2 ** TAU_BITS);

/**
 * The section of a manifest that says how the model moves by the aggregate. No member has a default value: what a job does
 * is written in its manifest.
 */
export const serverStepSchema: z.ZodType<ServerStep> = z.discriminatedUnion(
  'name',
  [
    z.strictObject({ name: z.literal('FedAvg'), learningRate }),
    z.strictObject({ name: z.literal('FedAvgM'), learningRate, momentum: kept }),
    z.strictObject({ name: z.literal('FedAdagrad'), learningRate, beta1: kept, tau }),
    z.strictObject({ name: z.literal('FedYogi'), learningRate, beta1: kept, beta2: kept, tau }),
    z.strictObject({ name: z.literal('FedAdam'), learningRate, beta1: kept, beta2: kept, tau }),
  ],
  { error: 'expected FedAvg, FedAvgM, FedAdagrad, FedYogi or FedAdam' },
);
