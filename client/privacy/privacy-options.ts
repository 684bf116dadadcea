import { z } from 'zod';
import { PrivacyError } from './privacy-error.ts';

/** The privacy that a client asks for its updates. */
export interface PrivacyOptions {
  /** Largest Euclidean norm of an update, in the model's unit; a longer one is shortened to it. */
  readonly clip: number;
  /** Noise in each coordinate as a multiple of the clip: the standard deviation is `noise * clip`. */
  readonly noise: number;
  /** The budget: what all updates together may cost at most, at `delta`. */
  readonly epsilon: number;
  /** The chance that is left out of the guarantee, below one in the number of people in the data. */
  readonly delta: number;
}

/** The most that an update's coordinate can be is 8191; noise of half of that is not left whole by it. */
const MOST_DEVIATION = 4_096;

/** Noise below a sixteenth of the clip costs an epsilon in the hundreds with each update: it protects nothing. */
const LEAST_NOISE = 1 / 16;

const optionsSchema = z
  .strictObject({
    clip: z
      .number()
      .min(2 ** -20)
      .max(MOST_DEVIATION / LEAST_NOISE),
    noise: z
      .number()
      .min(LEAST_NOISE)
      .max(2 ** 15),
    epsilon: z.number().positive().max(1_000_000),
    delta: z.number().positive().max(0.01),
  })
  .refine(({ clip, noise }) => clip * noise <= MOST_DEVIATION, {
    path: ['noise'],
    message: `noise times clip must be at most ${MOST_DEVIATION}: no update can hold more`,
  });

/**
 * Reads the options of a command line or of a configuration file.
 *
 * @param value - `{ clip, noise, epsilon, delta }`, all of them numbers
 * @throws PrivacyError `privacy/bad-option`, naming the first field at fault
 */
export function parsePrivacyOptions(value: unknown): PrivacyOptions {
  const parsed = optionsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || 'privacy';
  throw new PrivacyError(
    'privacy/bad-option',
    `privacy option "${field}": ${issue?.message ?? 'is not valid'}; give all of clip, noise, epsilon and delta`,
    { field },
  );
}

/**
 * Refuses noise over data that the job publishes: there is nothing to hide, and whoever repeats the training would find
 * another update than was signed.
 *
 * @param privacy - what the client asks for, if anything
 * @param isPublished - whether the job publishes its data
 * @throws PrivacyError `privacy/published-data`
 */
export function requireOwnData(privacy: PrivacyOptions | undefined, isPublished: boolean): void {
  if (!privacy || !isPublished) return;
  throw new PrivacyError(
    'privacy/published-data',
    'the job publishes its data, and its updates can be recomputed: noise would only look like a lie; run this job with a configuration that has no privacy options',
  );
}
