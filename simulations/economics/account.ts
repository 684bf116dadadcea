import type { KindTotals, RunResult } from '../experiment/run-result.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { gini, nakamotoCoefficient } from './concentration.ts';
import { quotient, tokensOf, total, unitsOf } from './money.ts';

/** What one kind of client earned and spent in a run; money in the token's smallest unit. */
export interface KindAccount {
  /** Clients of the kind. */
  readonly clients: number;
  /** Earned by all of them. */
  readonly earned: bigint;
  /** Earned by one of them in one round, in whole tokens: the mean over all clients and all rounds of the run. */
  readonly perClientRound: number;
  /** What their work cost them, if each of their updates cost what an honest one costs. */
  readonly cost: bigint;
  /** Earned less cost: negative where it did not pay. */
  readonly net: bigint;
}

/** The money of one run, in the token's smallest unit. */
export interface Account {
  /** Pots offered: one a round. */
  readonly offered: bigint;
  /** Of them what was paid: a round in which nobody scores pays nobody. */
  readonly paid: bigint;
  /** Those who follow the protocol. */
  readonly honest: KindAccount;
  /** Those who attack. */
  readonly byzantine: KindAccount;
  /** What an attacker earned over what an honest client earned: 1 where it is the same; null without either. */
  readonly relative: number | null;
  /** Stakes of all attackers together: what they would lose by a proven fault. */
  readonly stakeAtRisk: bigint;
  /**
   * Of it what they lost: nothing. A stake answers for two signed updates in one attempt, which a signature proves; an
   * attack within the protocol is an opinion about data, and no contract judges those.
   */
  readonly stakeLost: bigint;
  /** Gini coefficient of what all clients earned; null where nobody earned. */
  readonly gini: number | null;
  /** The same among the honest alone. */
  readonly giniHonest: number | null;
  /** Smallest number of clients who earned more than half of all that was paid; null where nobody earned. */
  readonly nakamoto: number | null;
  /** Whole tokens paid for each percentage point of accuracy above the initial model's; null where accuracy did not rise. */
  readonly costPerPoint: number | null;
}

/**
 * Draws up a run's account. What one client contributed is what it earned: the pot is split by score, and a score is what
 * the round found an update worth.
 *
 * @throws MoneyError `money/not-an-amount` for a pot, a stake or a cost that is none
 */
export function accountOf(spec: RunSpec, result: RunResult): Account {
  const work = unitsOf(spec.economics.costPerClientRound);
  const earnings = result.earnedByClient.map(BigInt);
  const honest = accountOfKind(result.kinds.honest, spec.rounds, work);
  const byzantine = accountOfKind(result.kinds.byzantine, spec.rounds, work);
  const paid = total(earnings);
  const gained = 100 * (result.finalAccuracy - (result.curve[0]?.accuracy ?? 0));
  return {
    offered: unitsOf(spec.economics.pot) * BigInt(spec.rounds),
    paid,
    honest,
    byzantine,
    relative: quotient(byzantine.earned * BigInt(honest.clients), honest.earned * BigInt(byzantine.clients)),
    stakeAtRisk: unitsOf(spec.economics.stake) * BigInt(byzantine.clients),
    stakeLost: 0n,
    gini: gini(earnings),
    giniHonest: gini(earnings.slice(0, honest.clients)),
    nakamoto: nakamotoCoefficient(earnings),
    costPerPoint: gained > 0 ? tokensOf(paid) / gained : null,
  };
}

function accountOfKind(kind: KindTotals, rounds: number, work: bigint): KindAccount {
  const earned = BigInt(kind.earned);
  const cost = work * BigInt(kind.updates);
  return {
    clients: kind.clients,
    earned,
    perClientRound: tokensOf(earned) / Math.max(1, kind.clients * rounds),
    cost,
    net: earned - cost,
  };
}
