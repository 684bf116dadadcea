import { z } from 'zod';

const count = z.number().int().positive().max(0xffff_ffff);
const durationMs = z.number().int().positive().max(31_536_000_000);

/** How long each participant is given, from how long it took before. */
const paceSchema = z.strictObject({
  /** The shortest time a round waits, in milliseconds; the longest is `deadlineMs`. */
  leastMs: durationMs,
  /** Which of a participant's recent answer times counts, in percent: 100 is the longest. */
  quantilePercent: z.number().int().min(50).max(100),
  /** What that time is multiplied by, in percent. */
  slackPercent: z.number().int().min(100).max(10_000),
  /** How many of its answers count as recent. */
  window: z.number().int().min(1).max(100),
  /** Whether an answer that came too late counts as one when it is asked who is to be waited for, and how long. */
  late: z.enum(['credited', 'ignored']),
});

/** What a manifest's `participation.pace` holds. */
export type Pace = z.infer<typeof paceSchema>;

const sampleSchema = z.strictObject({
  /** Updates that a round takes: it closes when so many are accepted. */
  size: count,
  /** How many participants more than that are asked. */
  extra: z.number().int().min(0).max(0xffff_ffff),
});

/** What a manifest's `participation.sample` holds. */
export type SampleRule = z.infer<typeof sampleSchema>;

/** The most rounds that a manifest may let an update be old. */
export const MOST_STALENESS = 1000;

const bufferSchema = z.strictObject({
  /** Updates that a round takes: it closes when so many are accepted, whoever is still training. */
  size: count,
  /** How many rounds older than the newest model the one that an update was trained from may be. */
  maxStaleness: z.number().int().min(0).max(MOST_STALENESS),
});

/** What a manifest's `participation.buffer` holds. */
export type BufferRule = z.infer<typeof bufferSchema>;

/**
 * The section of a manifest that says who takes part and how long a round waits. Members that may be absent have no
 * default value: filling one in would change the bytes, and with them the hash, of every manifest written without it.
 */
export const participationSchema = z
  .strictObject({
    /** Admission to the job: those listed, or anyone. */
    admission: z.union([z.literal('open'), z.array(z.string().regex(/^0x[0-9a-f]{40}$/))]),
    /** Participants that must have joined before round 1 opens. */
    expected: count,
    /** Updates without which a round is not aggregated. */
    quorum: count,
    /** The longest time a round stays open for those who have not answered, in milliseconds. */
    deadlineMs: durationMs,
    /** How often a round below its quorum is tried again before the job fails. */
    retries: z.number().int().min(0).max(1000),
    /**
     * Pause before a round that fell below its quorum ahead of its deadline is tried again, in milliseconds, doubled
     * with each further failure of the round, at most `deadlineMs`. Absent: no pause.
     */
    retryPauseMs: durationMs.optional(),
    /** Draws who is asked in each round. Absent: all who are present are asked, and the round waits for all of them. */
    sample: sampleSchema.optional(),
    /** Sets each round's deadline by how long its participants take. Absent: every round waits `deadlineMs`. */
    pace: paceSchema.optional(),
    /**
     * Buffered asynchronous rounds (FedBuff): clients train at their own pace, and an update of an older model is offered to
     * the round that is open when it is done. Absent: every update is trained from its round's own parent.
     */
    buffer: bufferSchema.optional(),
  })
  .superRefine(({ quorum, deadlineMs, sample, pace, buffer }, context) => {
    const refuse = (path: readonly string[], message: string) =>
      context.addIssue({ code: 'custom', path: [...path], message });
    if (buffer && buffer.size < quorum) {
      refuse(
        ['buffer', 'size'],
        `a buffer of ${buffer.size} cannot reach the quorum of ${quorum}: choose at least ${quorum}`,
      );
    }
    if (buffer && sample) {
      refuse(
        ['buffer'],
        'it does not go with sample: an update begun for one draw would answer another. Leave out one of the two',
      );
    }
    if (buffer && pace) {
      refuse(
        ['buffer'],
        'it does not go with pace: training goes on over rounds, so their lengths say nothing of it. Leave out one of the two',
      );
    }
    if (sample && sample.size < quorum) {
      context.addIssue({
        code: 'custom',
        path: ['sample', 'size'],
        message: `a sample of ${sample.size} cannot reach the quorum of ${quorum}: ask for at least ${quorum}`,
      });
    }
    if (pace && pace.leastMs > deadlineMs) {
      context.addIssue({
        code: 'custom',
        path: ['pace', 'leastMs'],
        message: `the shortest wait is beyond deadlineMs, the longest: choose at most ${deadlineMs}`,
      });
    }
  });
