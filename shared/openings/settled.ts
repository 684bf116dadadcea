import { guaranteeOf } from '../aggregation/guarantee.ts';
import { parseRuleSpec, type RuleSpec, resolveRule } from '../aggregation/registry.ts';
import { canonicalJson } from '../codec.ts';

/** Most updates of a round that the contracts recompute. */
const MOST_PARTICIPANTS = 64;

type Named = Pick<RuleSpec, 'rule' | 'pre'>;

/**
 * Whether a wrong result of a rule can be carried to the chain in every part: what makes its weights, and its aggregate.
 * The contracts know names and parameters by hash, so a manifest has to write them out as `parseRuleSpec` does.
 */
export function settledOnChain(spec: RuleSpec, n: number): boolean {
  const full = parseRuleSpec(spec);
  const isSpeltOut = full.rule === spec.rule && canonicalJson({ ...full.params }) === canonicalJson({ ...spec.params });
  return isSpeltOut && guaranteeOf(spec, n) === 'settled on chain';
}

/**
 * Whether the aggregate is the sum of the updates by the weights in the record, whatever gave the weights: then the chain
 * recomputes it from them.
 */
export function isWeighted({ rule: name }: Pick<RuleSpec, 'rule'>): boolean {
  const rule = resolveRule(name);
  // FLTrust's lengths are those of a row that is no participant's.
  return (rule.sees === 'samples' || rule.sees === 'gram') && rule.name !== 'FLTrust';
}

/** Whether the chain recomputes a coordinate, or all scores, of a round of n updates. */
export function recomputesCoordinates(spec: Named, n: number): boolean {
  const { name, sees } = resolveRule(spec.rule);
  const reduces = sees === 'values' && spec.pre.length === 0;
  return n <= MOST_PARTICIPANTS && name === spec.rule && (reduces || isWeighted(spec));
}

/** Whether the chain recomputes the weights of n updates. */
export function recomputesWeights(spec: RuleSpec, n: number): boolean {
  return isWeighted(spec) && settledOnChain(spec, n);
}

/** Whether the chain recomputes matrix, Gram matrix and rewards of a round of n updates. */
export function recomputesNumbers(n: number): boolean {
  return n <= MOST_PARTICIPANTS;
}
