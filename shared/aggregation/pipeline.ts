import { checkSamples } from './check-rows.ts';
import { composeMixings, mixGram, unmixShares } from './mixing.ts';
import { parseRuleSpec, type RuleSpec, resolvePreAggregator, resolveRule } from './registry.ts';
import type { CoordinateRule, Matrix, Mixing, PreAggregator, Rule } from './rule.ts';
import { refuseBeyond } from './rule-error.ts';
import type { Scalar } from './scalar.ts';

/** A rule with what stands in front of it, checked against a number of updates and ready to run. */
export interface Pipeline {
  /** The rule and settings, canonical. */
  readonly spec: RuleSpec;
  /** Number of updates it is for. */
  readonly n: number;
  /** The rule. */
  readonly rule: Rule;
  /** The pre-aggregators, the first applied first. */
  readonly pre: readonly PreAggregator[];
}

/** What is left to do coordinate by coordinate once the inner products have been looked at. */
export type Plan<T> =
  | {
      /** Every coordinate is reduced on its own. */
      readonly kind: 'reduce';
      /** The rule that does it. */
      readonly rule: CoordinateRule;
      /** The mixture the rule sees, null when it sees the updates themselves. */
      readonly mixing: Mixing | null;
    }
  | {
      /** The updates are summed. */
      readonly kind: 'sum';
      /** Shares of the original updates, whatever was mixed on the way. */
      readonly shares: readonly T[];
    };

/**
 * Resolves a rule specification for n updates.
 *
 * @param enforceBound - false lets (n, f) beyond a breakdown bound through, as long as the formula has a value
 * @throws RuleError `rule/too-many-faulty`, and as `parseRuleSpec`
 */
export function compilePipeline(input: RuleSpec, n: number, enforceBound: boolean): Pipeline {
  const spec = parseRuleSpec(input);
  const rule = resolveRule(spec.rule);
  const pre = spec.pre.map(resolvePreAggregator);
  if (enforceBound) for (const member of [...pre, rule]) member.validate(n, spec.f, spec.params);
  refuseBeyond(rule.name, n, spec.f, n - 1);
  if (rule.sees === 'values' && rule.denominator(n, spec.f) < 1) rule.validate(n, spec.f);
  return { spec, n, rule, pre };
}

/**
 * Runs a pipeline in matrix space, down to a mixture or to shares.
 *
 * @param gramOf - gives the n x n inner products; called at most once, and only if needed
 * @param samples - one count an update; looked at by the weighted mean alone
 * @throws AggregationError `aggregation/bad-samples`
 * @throws RuleError as the rule's `shares`
 */
export function planPipeline<T>(
  { spec, n, rule, pre }: Pipeline,
  gramOf: () => Matrix<T>,
  samples: readonly number[],
  scalar: Scalar<T>,
): Plan<T> {
  let gram: Matrix<T> = pre.length > 0 || rule.sees === 'gram' ? gramOf() : [];
  let mixing: Mixing | null = null;
  for (const [position, step] of pre.entries()) {
    const mixed = step.mix(gram, spec.f, spec.params, scalar);
    mixing = mixing === null ? mixed : composeMixings(mixed, mixing);
    // The last mixture's inner products are wanted only by a rule that looks at them.
    if (position < pre.length - 1 || rule.sees === 'gram') gram = mixGram(gram, mixed, scalar);
  }
  if (rule.sees === 'values') return { kind: 'reduce', rule, mixing };
  if (rule.sees === 'samples') checkSamples(samples, n);
  const shares = rule.sees === 'gram' ? rule.shares(gram, spec.f, spec.params, scalar) : rule.shares(samples, scalar);
  return { kind: 'sum', shares: mixing === null ? shares : unmixShares(shares, mixing, scalar) };
}
