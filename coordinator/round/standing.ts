import type { Hex } from '../../shared/bytes.ts';
import type { Pace } from '../../shared/round/participation.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';

/** What is known of one participant's times: a fold of the events, nothing else. */
export interface Standing {
  /** How long its recent answers took since their rounds opened, oldest first, in milliseconds. */
  readonly times: readonly number[];
  /** Whole deadlines let pass since its last answer. */
  readonly misses: number;
  /** The opening (its plan's seed index, which counts them) at which it missed the last of those. */
  readonly missedAt: number;
  /** The attempt it was asked in last and had not answered when collection closed. */
  readonly owes: Debt | null;
}

/** An answer that did not come in time. */
export interface Debt {
  /** Round. */
  readonly round: number;
  /** Attempt. */
  readonly attempt: number;
  /** When the round opened, in milliseconds since 1970; null if its times say nothing. */
  readonly openedAt: number | null;
}

/** Standings by participant; those never asked are not in it. */
export type Standings = Readonly<Record<Hex, Standing>>;

/** The doublings after which a participant that never answers is waited for once in 64 openings, and no more seldom. */
const MOST_DOUBLINGS = 6;

const UNKNOWN: Standing = { times: [], misses: 0, missedAt: 0, owes: null };

/** The standing of a participant, also of one that was never asked. */
export function standingOf(standings: Standings, participant: Hex): Standing {
  return standings[participant] ?? UNKNOWN;
}

/**
 * How long a participant is given: a high quantile (nearest rank) of its recent times, with slack, between the bounds
 * of the manifest. One whose times are not known is given the whole deadline.
 *
 * @returns milliseconds
 */
export function allowanceMs(
  { leastMs, quantilePercent, slackPercent }: Pace,
  deadlineMs: number,
  { times }: Standing,
): number {
  if (times.length === 0) return deadlineMs;
  const sorted = [...times].sort((a, b) => a - b);
  const rank = Math.ceil((sorted.length * quantilePercent) / 100);
  const usualMs = sorted[rank - 1] as number;
  return Math.min(deadlineMs, Math.max(leastMs, Math.ceil((usualMs * slackPercent) / 100)));
}

/**
 * Whether a round waits for a participant. One that let whole deadlines pass is waited for again at once after the
 * first, and after that at every second, fourth, ... opening, until it answers: what it can cost grows with the
 * logarithm of the rounds, and it is never shut out.
 */
export function isWaitedFor({ misses, missedAt }: Standing, { seedIndex }: Pick<RoundPlan, 'seedIndex'>): boolean {
  return misses === 0 || seedIndex - missedAt >= 2 ** Math.min(MOST_DOUBLINGS, misses - 1);
}

/**
 * After an answer: it is there, whatever it said.
 *
 * @param tookMs - how long an update took since its round opened; null if nothing follows from it
 */
export function afterAnswer({ window }: Pace, { times }: Standing, tookMs: number | null): Standing {
  // A clock that was set back gives times below zero: they say nothing.
  const isUsable = tookMs !== null && tookMs >= 0;
  return { ...UNKNOWN, times: isUsable ? [...times, tookMs].slice(-window) : times };
}

/**
 * After a deadline that passed without an answer. What was known of its times no longer holds: the next time it is given
 * the whole deadline. Only a whole deadline counts as missed; whoever overran a shorter one was within the bounds.
 */
export function afterSilence(standing: Standing, debt: Debt, seedIndex: number, wasWhole: boolean): Standing {
  const { misses } = standing;
  return {
    ...standing,
    times: [],
    ...(wasWhole && { misses: misses + 1, missedAt: seedIndex }),
    owes: debt,
  };
}
