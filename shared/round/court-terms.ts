import { z } from 'zod';

/** A whole in basis points. */
const WHOLE_BPS = 10_000;

/** The most moves that a dispute can take, each of which has its own time: the contract counts with so many. */
export const MOST_MOVES = 9;

// The contracts hold amounts in 96 bits.
const amount = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,28})$/, "expected a whole number in quotes, in the token's smallest unit")
  .refine((text) => BigInt(text) < 1n << 96n, 'expected less than 2^96');
const positiveAmount = amount.refine((text) => text !== '0', 'expected more than zero');
const seconds = z.number().int().positive().max(0xffff_ffff);

/**
 * The section of a manifest that gives its job a court: stakes, bonds and disputes on chain. It has no default: a manifest
 * without it is a job without a court, and hashes as it always has.
 */
export const courtSchema = z
  .strictObject({
    /** Least stake of a participant. All amounts are decimal strings in the smallest unit of the token of rewards. */
    minStake: positiveAmount,
    /** Least bond of the coordinator, below which it opens no round. */
    coordinatorBond: positiveAmount,
    /** What whoever opens a dispute puts down, and loses if the round is right. */
    challengerBond: positiveAmount,
    /** What the coordinator loses by a round that it cannot defend. */
    slashAmount: positiveAmount,
    /** Time for each move in a dispute, in seconds. */
    answerS: seconds.max(Math.floor(0xffff_ffff / MOST_MOVES)),
    /** Longest time from a round's opening to its anchoring, in seconds: who leaves meanwhile still counts. */
    longestRoundS: seconds,
    /** Part of a stake that signing two different updates for one attempt costs, in 1/10,000. */
    faultBps: z.number().int().min(1).max(WHOLE_BPS),
    /** Part of what is slashed that goes to whoever proved the fault, in 1/10,000; below half. */
    proverBps: z
      .number()
      .int()
      .min(0)
      .max(WHOLE_BPS / 2 - 1),
    /** Part of what is slashed that the participants of the rewound rounds share, in 1/10,000. */
    compensationBps: z.number().int().min(0).max(WHOLE_BPS),
    /** Attestations that a round needs to become final; with 0 its window suffices. */
    attestationQuorum: z.number().int().min(0).max(1000),
    /** For how many ticks of 16 seconds after its window a round may wait for them before anyone may rewind it. */
    attestationTicks: z.number().int().min(0).max(0xff_ffff),
  })
  .superRefine(({ proverBps, compensationBps, coordinatorBond, slashAmount }, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (proverBps + compensationBps >= WHOLE_BPS) {
      refuse('compensationBps', `with proverBps it must stay below ${WHOLE_BPS}, so that something is destroyed`);
    }
    if (BigInt(coordinatorBond) < BigInt(slashAmount)) {
      refuse('coordinatorBond', `it is below slashAmount, which it must cover: at least ${slashAmount}`);
    }
  });

/** What a manifest's `court` holds. */
export type CourtTerms = z.infer<typeof courtSchema>;

/**
 * The least `slashAmount` with which convicting oneself does not pay: what is destroyed exceeds the rewards of all rounds
 * that one rewind can erase.
 *
 * @param pricePerRound - in the token's smallest unit
 * @param ringSize - rounds that can be in their window at once
 */
export function leastSlashAmount(
  { proverBps, compensationBps }: Pick<CourtTerms, 'proverBps' | 'compensationBps'>,
  pricePerRound: bigint,
  ringSize: number,
): bigint {
  // Terms that are yet to be refused may destroy nothing.
  const destroyedBps = BigInt(Math.max(1, WHOLE_BPS - proverBps - compensationBps));
  const needed = (pricePerRound * BigInt(ringSize) + 1n) * BigInt(WHOLE_BPS);
  return (needed + destroyedBps - 1n) / destroyedBps;
}
