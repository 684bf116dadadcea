import { type Account, accountOf } from '../economics/account.ts';
import { tokensOf } from '../economics/money.ts';
import type { ResultLine } from '../experiment/experiment.ts';
import type { RunResult } from '../experiment/run-result.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** A cell's runs in numbers: spreads over those that finished, a run that does not have a quantity left out of it. */
export interface Summary {
  /** Accuracy at the end, 0 to 1. */
  readonly final: Spread;
  /** Best accuracy along the curve, 0 to 1. */
  readonly best: Spread;
  /** Share of triggered examples that go to the attacker's class at the end, 0 to 1. */
  readonly backdoor: Spread;
  /** Share of all weight that the rule gave to the attackers, 0 to 1. */
  readonly byzantineWeight: Spread;
  /** Bytes uploaded by all clients. */
  readonly bytesUp: Spread;
  /** Bytes downloaded by all clients. */
  readonly bytesDown: Spread;
  /** Virtual seconds that the run took. */
  readonly seconds: Spread;
  /** Updates that came too late. */
  readonly late: Spread;
  /** Clients that did not answer, counted each round. */
  readonly dropped: Spread;
  /** Rounds that closed at the deadline. */
  readonly atDeadline: Spread;
  /** Tokens that an honest client earned in a round. */
  readonly earnedHonest: Spread;
  /** Tokens that an attacker earned in a round. */
  readonly earnedByzantine: Spread;
  /** What an attacker earned over what an honest client earned. */
  readonly relative: Spread;
  /** Tokens paid in all. */
  readonly paid: Spread;
  /** Tokens that an attacker earned over the whole run, less the cost of its updates. */
  readonly netByzantine: Spread;
  /** Tokens that an honest client earned over the whole run, less the cost of its updates. */
  readonly netHonest: Spread;
  /** Tokens that the updates of one attacker cost. */
  readonly costByzantine: Spread;
  /** Stake of all attackers, in tokens. */
  readonly stakeAtRisk: Spread;
  /** Of it what was lost, in tokens. */
  readonly stakeLost: Spread;
  /** Gini coefficient of what all clients earned. */
  readonly gini: Spread;
  /** The same among the honest. */
  readonly giniHonest: Spread;
  /** Nakamoto coefficient of what all clients earned. */
  readonly nakamoto: Spread;
  /** Tokens paid for each percentage point of accuracy gained. */
  readonly costPerPoint: Spread;
}

/** The share of all weight that went to attackers; null for a rule without weights. */
export function byzantineShare({ kinds }: RunResult): number | null {
  const { honest, byzantine } = kinds;
  if (honest.weight === null || byzantine.weight === null) return null;
  const all = honest.weight + byzantine.weight;
  return all > 0 ? byzantine.weight / all : null;
}

/** Sums up the runs of a cell that finished. */
export function summarize(finished: readonly ResultLine[]): Summary {
  const runs = finished.map((run) => ({ run, account: accountOf(run.spec, run.result) }));
  const over = (of: (result: RunResult, account: Account) => number | null | undefined): Spread =>
    spreadOf(runs.map(({ run, account }) => of(run.result, account)).filter((value) => typeof value === 'number'));
  const each = (of: (account: Account) => Account['honest'], what: 'net' | 'cost'): Spread =>
    over((_, account) => (of(account).clients === 0 ? null : tokensOf(of(account)[what]) / of(account).clients));
  const paidFor = (of: (account: Account) => Account['honest']): Spread =>
    over((_, account) => (of(account).clients === 0 ? null : of(account).perClientRound));
  const honest = (account: Account): Account['honest'] => account.honest;
  const byzantine = (account: Account): Account['honest'] => account.byzantine;
  return {
    final: over((result) => result.finalAccuracy),
    best: over((result) => result.bestAccuracy),
    backdoor: over((result) => result.curve.at(-1)?.backdoor),
    byzantineWeight: over(byzantineShare),
    bytesUp: over((result) => result.curve.at(-1)?.bytesUp),
    bytesDown: over((result) => result.curve.at(-1)?.bytesDown),
    seconds: over((result) => result.curve.at(-1)?.seconds),
    late: over((result) => result.traffic?.late),
    dropped: over((result) => result.traffic?.dropped),
    atDeadline: over((result) => result.traffic?.atDeadline),
    earnedHonest: paidFor(honest),
    earnedByzantine: paidFor(byzantine),
    relative: over((_, account) => account.relative),
    paid: over((_, account) => tokensOf(account.paid)),
    netByzantine: each(byzantine, 'net'),
    netHonest: each(honest, 'net'),
    costByzantine: each(byzantine, 'cost'),
    stakeAtRisk: over((_, account) => tokensOf(account.stakeAtRisk)),
    stakeLost: over((_, account) => tokensOf(account.stakeLost)),
    gini: over((_, account) => account.gini),
    giniHonest: over((_, account) => account.giniHonest),
    nakamoto: over((_, account) => account.nakamoto),
    costPerPoint: over((_, account) => account.costPerPoint),
  };
}
