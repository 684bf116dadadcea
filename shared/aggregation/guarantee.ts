import { parseRuleSpec, type RuleSpecInput, resolvePreAggregator, resolveRule } from './registry.ts';
import type { Guarantee } from './rule.ts';

/** Most updates of one aggregation that a transaction can recompute. */
const SETTLED_PARTICIPANTS = 64;

/**
 * The guarantee a whole pipeline has: the weakest of its members', and *recomputable by anyone* beyond 64 participants
 * or with a parameter the chain cannot compute.
 *
 * @param n - number of updates aggregated at once
 * @throws RuleError as `parseRuleSpec`
 */
export function guaranteeOf(input: string | RuleSpecInput, n: number): Guarantee {
  const spec = parseRuleSpec(input);
  const members = [...spec.pre.map((name) => resolvePreAggregator(name)), resolveRule(spec.rule)];
  const settled =
    n <= SETTLED_PARTICIPANTS &&
    members.every(
      (member) =>
        member.guarantee === 'settled on chain' &&
        member.parameters.every(({ name, offChainChoices }) => !offChainChoices?.includes(String(spec.params[name]))),
    );
  return settled ? 'settled on chain' : 'recomputable by anyone';
}
