import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { appendAggregate, gramMatrix } from '../../../shared/aggregation/gram.ts';
import { isNearCopy } from '../../../shared/aggregation/near-copies.ts';
import { parseRuleSpec, type RuleSpec } from '../../../shared/aggregation/registry.ts';
import { splitPot } from '../../../shared/aggregation/rewards.ts';
import { SCORE_METHODS, type ScoreMethod, scores } from '../../../shared/aggregation/scores.ts';
import { CLAIMANTS, type Claimant } from './free-riders.ts';
import type { RealRound } from './real-rounds.ts';

/** A pot that is large enough for shares of it to be exact for people. */
const POT = 10n ** 12n;

/** What one claimant was paid under one rule, as fractions of what an honest client was paid. */
export interface Pay {
  /** What it sent. */
  readonly claimant: string;
  /** The rule, with what stands in front of it. */
  readonly rule: string;
  /** How updates are scored. */
  readonly method: ScoreMethod;
  /** Faulty clients that the rule was told to expect. */
  readonly f: number;
  /** The claimant's pay over the mean pay of the honest clients beside the first, over all rounds. */
  readonly paid: number;
  /** The same for the first honest client, of whom some are copies. */
  readonly first: number;
  /** Rounds in which it was found to be a near-copy of the first honest client. */
  readonly foundCopies: number;
}

/** How alike honest updates are: the least and largest cosine between two of them, a round. */
export interface Likeness {
  /** Round number. */
  readonly round: number;
  /** Between clients with data of their own. */
  readonly least: number;
  /** Between clients with data of their own. */
  readonly largest: number;
  /** Between two with the same data in batches of their own. */
  readonly sameData: number;
  /** Between two roundings of one training. */
  readonly sameTraining: number;
}

/** Rules that are measured, each against f of the n that there are with a claimant. */
const MEASURED_RULES: readonly { readonly rule: string; readonly pre: readonly string[] }[] = [
  { rule: 'Average', pre: [] },
  { rule: 'Median', pre: [] },
  { rule: 'TrMean', pre: [] },
  { rule: 'MultiKrum', pre: [] },
  { rule: 'GeometricMedian', pre: [] },
  { rule: 'TrMean', pre: ['NNM'] },
];

/**
 * Lets every claimant join the honest clients, alone, under every rule, and pays them as a job would.
 *
 * @param rounds - what honest clients sent; round 1, of which nobody knows anything before, does not count
 * @param f - faulty clients that robust rules expect; a mean expects none
 */
export function measurePay(rounds: readonly RealRound[], f: number): Pay[] {
  const counted = rounds.filter(({ before }) => before !== null);
  return MEASURED_RULES.flatMap(({ rule, pre }) => {
    const spec = parseRuleSpec({ rule, pre, f: rule === 'Average' ? 0 : f });
    return CLAIMANTS.flatMap((claimant) => payOf(claimant, counted, spec));
  });
}

function payOf(claimant: Claimant, rounds: readonly RealRound[], spec: RuleSpec): Pay[] {
  const played = rounds.map((round) => {
    const rows = [...round.honest, claimant.send(round)];
    const samples = rows.map(() => 1);
    const facts = { updateBits: round.updateBits, seed: round.round };
    const { aggregate, active, gram } = aggregateIntegers(rows, spec, samples, facts);
    return { active, gram: appendAggregate(gram ?? gramMatrix(rows), rows, aggregate), last: round.honest.length };
  });
  return SCORE_METHODS.map((method) => {
    let [claimed, first, others] = [0, 0, 0];
    for (const { active, gram, last } of played) {
      const pay = splitPot(POT, scores(gram, active, method)).map(Number);
      claimed += pay[last] as number;
      first += pay[0] as number;
      others += pay.slice(1, last).reduce((sum, amount) => sum + amount, 0) / (last - 1);
    }
    return {
      ...{ claimant: claimant.name, rule: [...spec.pre, spec.rule].join('+'), method, f: spec.f },
      ...{ paid: claimed / others, first: first / others },
      foundCopies: played.filter(({ gram, last }) => isNearCopy(gram, 0, last)).length,
    };
  });
}

/** How alike the honest updates of one round are. */
export function likenessOf({ round, honest, sameData, sameTraining }: RealRound): Likeness {
  const gram = gramMatrix([...honest, sameData, sameTraining]).map((row) => row.map(Number));
  const cosine = (i: number, j: number): number => {
    const at = (x: number, y: number): number => gram[x]?.[y] as number;
    return at(i, j) / Math.sqrt(at(i, i) * at(j, j));
  };
  const n = honest.length;
  const between = honest.flatMap((_, i) => honest.slice(0, i).map((__, j) => cosine(i, j)));
  return {
    round,
    least: Math.min(...between),
    largest: Math.max(...between),
    sameData: cosine(0, n),
    sameTraining: cosine(0, n + 1),
  };
}
