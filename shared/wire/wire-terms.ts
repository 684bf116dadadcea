import { z } from 'zod';

/** Most coordinates in a thousand that a sparse update may keep: beyond a quarter the other formats are shorter. */
const MOST_KEPT_PER_MILLE = 250;

const errorFeedback = z.literal(true).optional();

/**
 * How updates travel to the coordinator, as the manifest's `wire` says it. What is signed, committed to, stored and
 * aggregated is the same vector of int16 whatever the format; a format limits what that vector may be, and is shorter on
 * the way. Left out of a manifest: `int16`, no error feedback.
 */
export const wireSchema = z.discriminatedUnion('format', [
  /** Two bytes a coordinate, any value. */
  z.strictObject({ format: z.literal('int16'), errorFeedback }),
  /** One byte a coordinate, and one for the step of each block of 64. */
  z.strictObject({ format: z.literal('int8'), errorFeedback }),
  /** Half a byte a coordinate, and one for the step of each block of 64. */
  z.strictObject({ format: z.literal('int4'), errorFeedback }),
  /** The largest coordinates of each part and where they are. */
  z.strictObject({
    format: z.literal('topk'),
    /** How many of a thousand coordinates of a part are kept. */
    keepPerMille: z.number().int().min(1).max(MOST_KEPT_PER_MILLE),
    errorFeedback,
  }),
]);

/** How updates travel: {@link wireSchema}. */
export type WireTerms = z.infer<typeof wireSchema>;
