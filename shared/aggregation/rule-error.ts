import { FedanchorError } from '../errors.ts';

/** Thrown when a rule, one of its parameters or its number of faulty participants is not one that can be run. */
export class RuleError extends FedanchorError<
  'rule/unknown' | 'rule/unknown-parameter' | 'rule/bad-parameter' | 'rule/too-many-faulty'
> {}

/**
 * Refuses more faulty participants than a rule can bear, rather than quietly computing something without a guarantee.
 *
 * @param rule - canonical name of the rule or pre-aggregator
 * @param n - participants whose updates are aggregated
 * @param f - participants declared faulty
 * @param bound - the most the rule bears for this n; below zero when n is too small for any f
 * @throws RuleError `rule/too-many-faulty` when f > bound
 */
export function refuseBeyond(rule: string, n: number, f: number, bound: number): void {
  if (f <= bound) return;
  const reason =
    bound < 0
      ? `${rule} cannot aggregate n = ${n} participants, whatever f: admit more`
      : `${rule} bears at most f = ${bound} faulty among n = ${n} participants, not f = ${f}: lower f or admit more`;
  throw new RuleError('rule/too-many-faulty', reason, { rule, n, f, bound });
}
