import { z } from 'zod';
import { ConfigError } from '../../shared/config-check.ts';
import { type CourtTerms, courtSchema, leastSlashAmount } from '../../shared/round/court-terms.ts';

/** The `[court]` of a job's file: what a manifest's `court` holds, each of which may be left out. */
export const courtDraftSchema = z.strictObject(courtSchema.shape).partial();

/** What a job's file says of its court. */
export type CourtDraft = z.infer<typeof courtDraftSchema>;

/** What the defaults follow from. */
export interface CourtBasis {
  /** Pot of a round in the token's smallest unit. */
  readonly pricePerRound: bigint;
  /** Rounds that can be in their window at once. */
  readonly ringSize: number;
  /** The longest time a round stays open, in milliseconds. */
  readonly deadlineMs: number;
  /** Updates without which a round is not aggregated. */
  readonly quorum: number;
  /** Challenge window in ticks of 16 seconds. */
  readonly windowTicks: number;
}

const DAY_S = 86_400;
const HOUR_TICKS = 225;

/**
 * Completes the terms of a court. A stake is worth ten rounds' pots and a challenger's bond one; a day is given for each
 * move, and on top of the deadline for what keeps a coordinator from anchoring; two thirds of a round's quorum attest. The
 * fine exceeds by a quarter the least with which convicting oneself does not pay, and the bond holds two fines.
 *
 * @param file - the job's file, for messages
 * @throws ConfigError `config/invalid` if there are no rewards to derive amounts from, or the whole does not fit together
 */
export function completeCourt(file: string, draft: CourtDraft, basis: CourtBasis): CourtTerms {
  const { pricePerRound, ringSize, deadlineMs, quorum, windowTicks } = basis;
  const amount = (name: 'minStake' | 'challengerBond' | 'slashAmount', derived: () => bigint): string => {
    const given = draft[name];
    if (given !== undefined) return given;
    if (pricePerRound > 0n) return String(derived());
    throw refusal(file, name, 'rounds earn nothing, so there is nothing to derive it from: give it a value');
  };
  const bps = { proverBps: draft.proverBps ?? 2000, compensationBps: draft.compensationBps ?? 2000 };
  const minStake = amount('minStake', () => 10n * pricePerRound);
  const challengerBond = amount('challengerBond', () => pricePerRound);
  const slashAmount = amount('slashAmount', () => (5n * leastSlashAmount(bps, pricePerRound, ringSize)) / 4n);
  const parsed = courtSchema.safeParse({
    ...{ minStake, challengerBond, slashAmount, ...bps },
    coordinatorBond: draft.coordinatorBond ?? String(2n * BigInt(slashAmount)),
    answerS: draft.answerS ?? DAY_S,
    longestRoundS: draft.longestRoundS ?? Math.ceil(deadlineMs / 1000) + DAY_S,
    faultBps: draft.faultBps ?? 5000,
    attestationQuorum: draft.attestationQuorum ?? Math.ceil((2 * quorum) / 3),
    attestationTicks: draft.attestationTicks ?? Math.max(windowTicks, HOUR_TICKS),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refusal(file, issue?.path.join('.') ?? '', issue?.message ?? 'it is not valid');
}

function refusal(file: string, name: string, message: string): ConfigError {
  const field = `court.${name}`;
  return new ConfigError('config/invalid', `${file}, field "${field}": ${message}`, { file, field });
}
