import { z } from 'zod';
import type { Distribution, NetworkSpec } from './run-spec.ts';

const positive = z.number({ error: 'expected a number' }).positive('expected a number above 0');
const count = z.number().int().positive();
const chance = z.number().min(0).max(1, 'expected a chance from 0 to 1');

const distribution = z
  .union(
    [
      z.number().min(0),
      z.strictObject({ kind: z.literal('constant'), value: z.number().min(0) }),
      z.strictObject({ kind: z.literal('uniform'), least: z.number().min(0), most: z.number().min(0) }),
      z.strictObject({ kind: z.literal('lognormal'), median: positive, sigma: z.number().min(0) }),
      z.strictObject({ kind: z.literal('exponential'), mean: positive }),
    ],
    {
      error:
        'expected a number, or a distribution such as { kind = "lognormal", median = 1, sigma = 0.5 }, ' +
        '{ kind = "uniform", least = 1, most = 2 } or { kind = "exponential", mean = 1 }',
    },
  )
  .transform((given): Distribution => (typeof given === 'number' ? { kind: 'constant', value: given } : given));

/** Deadlines that follow participants' times. */
const pace = z.strictObject({
  leastSeconds: positive,
  quantilePercent: z.number().int(),
  slackPercent: z.number().int(),
  window: count,
  late: z.enum(['credited', 'ignored'], { error: 'expected "credited" or "ignored"' }),
});

/** The section `[network]`: clients and links on a virtual clock. */
export const networkSchema = z.strictObject({
  /** Seconds a client takes for one example. */
  secondsPerExample: distribution,
  downBytesPerSecond: distribution,
  upBytesPerSecond: distribution,
  /** Seconds a message takes, each way. */
  latencySeconds: distribution.prefault(0),
  /** Seconds the coordinator takes to close a round. */
  coordinatorSeconds: z.number().min(0).exactOptional(),
  dropout: chance.default(0),
  straggler: z.strictObject({ chance, factor: positive }).default({ chance: 0, factor: 1 }),
  /** Rounds close with a quorum, when all have answered or a deadline has passed. */
  synchronous: z
    .strictObject({
      quorum: count,
      deadlineSeconds: positive,
      extra: z.number().int().min(0).exactOptional(),
      retries: z.number().int().min(0).exactOptional(),
      pace: pace.exactOptional(),
    })
    .optional(),
  /** Rounds close with so many updates, whichever round's model they were trained from (FedBuff). */
  buffered: z.strictObject({ size: count, maxStaleness: z.number().int().min(0), concurrency: count }).optional(),
});

/** What a run knows of its network; the way in which rounds close has been chosen already. */
export function networkOf(section: z.infer<typeof networkSchema> | undefined): NetworkSpec | null {
  if (section === undefined) return null;
  const { synchronous, buffered, ...rest } = section;
  if (buffered !== undefined) return { ...rest, mode: { kind: 'buffered', ...buffered } };
  if (synchronous !== undefined) return { ...rest, mode: { kind: 'synchronous', ...synchronous } };
  return null;
}
