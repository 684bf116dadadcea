import { createRng } from '../rng.ts';
import { checkSamples } from './check-rows.ts';
import { coarsenFor } from './coarsen.ts';
import { grainOf } from './grain.ts';
import { mixGram } from './mix-gram.ts';
import { composeMixings, keepRows, passReference, unmixShares } from './mixing.ts';
import { unitOf } from './real-gram.ts';
import {
  KNOWN_RULES,
  parseRuleSpec,
  type RuleBook,
  type RuleSpec,
  resolvePreAggregator,
  resolveRule,
} from './registry.ts';
import type { CoordinateRule, GramTask, Matrix, Mixing, PreAggregator, Rule, Shares } from './rule.ts';
import { RuleError, refuseBeyond } from './rule-error.ts';
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
  /** Denominator that real factors of integer mixtures are rounded to. */
  readonly grain: number;
}

/** What a pipeline has to know of a round beside the updates. */
export interface RoundFacts {
  /** Scale of the updates, units of 2^-updateBits: lengths among the parameters are real. 0 for real updates. */
  readonly updateBits: number;
  /** Where random numbers come from: the round's revealed seed, 32 bytes, or any unsigned 32-bit integer. */
  readonly seed: Uint8Array | number;
  /** Whether the inner products have one more row, for a reference that is no update. Default false. */
  readonly reference?: boolean;
}

/** What is left to do coordinate by coordinate once the inner products have been looked at. */
export type Plan<T> =
  | {
      /** Every coordinate is reduced on its own. */
      readonly kind: 'reduce';
      /** The rule that does it. */
      readonly rule: CoordinateRule;
      /** The f it is run with. */
      readonly f: number;
      /** The mixture the rule sees, null when it sees the updates themselves. */
      readonly mixing: Mixing | null;
      /** Whether each update enters it. */
      readonly active: boolean[];
    }
  | ({
      /** The updates are summed, whatever was mixed on the way. */
      readonly kind: 'sum';
    } & Shares<T>);

/**
 * Resolves a rule specification for n updates.
 *
 * @param enforceBound - false lets (n, f) beyond a breakdown bound through, as long as the formula has a value
 * @param book - what names stand for
 * @throws RuleError `rule/too-many-faulty`, and as `parseRuleSpec`
 * @throws AggregationError `aggregation/too-large` when the mixtures would not be exact over integers
 */
export function compilePipeline(
  input: RuleSpec,
  n: number,
  enforceBound: boolean,
  book: RuleBook = KNOWN_RULES,
): Pipeline {
  const spec = parseRuleSpec(input, book);
  const rule = resolveRule(spec.rule, book);
  const pre = spec.pre.map((name) => resolvePreAggregator(name, book));
  let rows = n;
  for (const member of [...pre, rule]) {
    if (enforceBound) member.validate(rows, spec.f, spec.params);
    refuseBeyond(member.name, rows, spec.f, rows - 1);
    if ('shape' in member) rows = member.shape(rows, spec.f, spec.params).rows;
  }
  if (rule.sees === 'values' && rule.denominator(rows, spec.f) < 1) rule.validate(rows, spec.f);
  if (rule.sees === 'both' && rule.step.denominator(rule.selected(rows, spec.f), rule.stepFaulty(spec.f)) < 1) {
    rule.validate(rows, spec.f);
  }
  return { spec, n, rule, pre, grain: grainOf(pre, n, spec.f, spec.params) };
}

/** Whether a pipeline looks at the inner products of the updates. */
export function needsGram({ pre, rule }: Pick<Pipeline, 'pre' | 'rule'>): boolean {
  return rule.sees === 'gram' || rule.sees === 'both' || pre.length > 0;
}

/**
 * Runs a pipeline in matrix space, down to a mixture or to shares.
 *
 * @param gramOf - gives the n x n inner products, or (n+1) x (n+1) with a reference last; called at most once, and only
 * if needed
 * @param samples - one count an update; looked at by the weighted mean alone
 * @throws AggregationError `aggregation/bad-samples`
 * @throws RuleError as the rule's `shares`; `rule/bad-parameter` for a reference that the rule has no use for
 */
export function planPipeline<T>(
  pipeline: Pipeline,
  gramOf: () => Matrix<T>,
  samples: readonly number[],
  scalar: Scalar<T>,
  facts: RoundFacts,
): Plan<T> {
  const { spec, n, rule, pre } = pipeline;
  const reference = facts.reference ?? false;
  if (reference) refuseReference(rule);
  let gram: Matrix<T> = needsGram(pipeline) ? gramOf() : [];
  let mixing: Mixing | null = null;
  let counts = samples;
  if (rule.sees === 'samples') checkSamples(samples, n);
  const taskOf = (matrix: Matrix<T>, behind: boolean): GramTask<T> => {
    const unit = unitOf(facts.updateBits, mixing?.denominator ?? 1);
    return { gram: matrix, f: spec.f, params: spec.params, scalar, unit, reference: behind };
  };
  for (const [position, step] of pre.entries()) {
    const updates = reference ? gram.slice(0, -1).map((row) => row.slice(0, -1)) : gram;
    const random = createRng(facts.seed, `aggregation/${position}`);
    const grain = scalar.exact ? pipeline.grain : null;
    const own = step.mix({ ...taskOf(updates, false), grain, random });
    const mixed = reference ? passReference(own) : own;
    if (step.gathers) counts = gather(counts, own);
    mixing = mixing === null ? mixed : composeMixings(mixed, mixing);
    // The last mixture's inner products are wanted only by a rule that looks at them.
    if (position < pre.length - 1 || rule.sees === 'gram' || rule.sees === 'both') gram = mixGram(gram, mixed, scalar);
  }
  // Factors that were rounded once may be rounded once more; a mixture that is exact is never made less so.
  const rounded = scalar.exact && pre.some((step) => step.shape(n, spec.f, spec.params).denominator === null);
  const reduction = (step: CoordinateRule, f: number, seen: Mixing | null): Plan<T> => {
    const fit = seen !== null && rounded ? coarsenFor(step, f, seen) : seen;
    const active = Array.from({ length: n }, (_, j) => fit === null || fit.entries.some((row) => row[j] !== 0));
    return { kind: 'reduce', rule: step, f, mixing: fit, active };
  };
  if (rule.sees === 'values') return reduction(rule, spec.f, mixing);
  if (rule.sees === 'both') {
    const selection = keepRows(rule.select(taskOf(gram, false)), gram.length);
    const seen = mixing === null ? selection : composeMixings(selection, mixing);
    return reduction(rule.step, rule.stepFaulty(spec.f), seen);
  }
  const shares = rule.sees === 'gram' ? rule.shares(taskOf(gram, reference)) : rule.shares(counts, scalar);
  return { kind: 'sum', ...(mixing === null ? shares : unmixShares(shares, mixing, scalar)) };
}

/** A gathered row stands for the samples of all that went into it. */
function gather(samples: readonly number[], { entries }: Mixing): number[] {
  return entries.map((row) => row.reduce((sum, entry, j) => (entry === 0 ? sum : sum + (samples[j] as number)), 0));
}

function refuseReference(rule: Rule): void {
  if (rule.sees === 'gram' && rule.reference !== undefined) return;
  const sentence = `${rule.name} has no use for a reference beside the updates: leave it out, or take FLTrust or CenteredClipping`;
  throw new RuleError('rule/bad-parameter', sentence, { rule: rule.name, parameter: 'reference' });
}
