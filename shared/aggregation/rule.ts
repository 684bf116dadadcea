import type { Rng } from '../rng.ts';
import type { Scalar } from './scalar.ts';

/**
 * How far a wrong result of a rule can be carried: to the chain, which recomputes it and punishes, or to anyone who
 * downloads the updates and recomputes it for themselves.
 */
export type Guarantee = 'settled on chain' | 'recomputable by anyone';

/** Parameters of a rule and of the pre-aggregators in front of it, by name. */
export type Params = Readonly<Record<string, string | number>>;

/** A matrix as rows of cells. */
export type Matrix<T> = readonly (readonly T[])[];

/** One parameter a rule takes: a named choice, an integer, a real number, or a choice beside a number. */
export interface Parameter {
  /** Name as written in plans and on the command line. */
  readonly name: string;
  /** What the parameter decides, in one sentence. */
  readonly meaning: string;
  /** Value when none is given. */
  readonly default: string | number;
  /** Named values it takes. */
  readonly choices: readonly string[];
  /** Smallest integer it takes; without it and without `real`, only the choices are taken. */
  readonly minimum?: number;
  /** Which finite real numbers it takes. */
  readonly real?: 'positive' | 'non-negative' | 'signed';
  /** The largest number it takes; without it there is none. */
  readonly maximum?: number;
  /** Choices the chain cannot recompute: with them the guarantee is at most *recomputable by anyone*. */
  readonly offChainChoices?: readonly string[];
}

/** What rules and pre-aggregators have in common. */
export interface Described {
  /** Canonical name, as ByzFL spells it where ByzFL has the rule. */
  readonly name: string;
  /** Other names it answers to; letter case never matters. */
  readonly aliases: readonly string[];
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The breakdown bound that `validate` holds n and f to, as a formula. */
  readonly bound: string;
  /** The strongest guarantee it can have; `guaranteeOf` states it for a whole pipeline. */
  readonly guarantee: Guarantee;
  /** Parameters it takes beyond f. */
  readonly parameters: readonly Parameter[];
  /**
   * Refuses an (n, f) beyond the breakdown bound, or parameters that do not fit it.
   *
   * @param n - number of updates
   * @param f - number of them that may be faulty, a non-negative integer
   * @param params - parameters whose fit depends on n or f; defaults unless given
   * @throws RuleError `rule/too-many-faulty`, `rule/bad-parameter`
   */
  validate(n: number, f: number, params?: Params): void;
}

/** What a Gram rule or a pre-aggregator is given to look at. */
export interface GramTask<T> {
  /** n x n inner products of the updates, in squared units; n + 1 rows and columns when a reference is the last one. */
  readonly gram: Matrix<T>;
  /** Updates that may be faulty. */
  readonly f: number;
  /** Parameters of the pipeline, complete. */
  readonly params: Params;
  /** The arithmetic the matrix is in. */
  readonly scalar: Scalar<T>;
  /** Length of one unit: `unit^2` times an entry of the matrix is a product of real updates. */
  readonly unit: number;
  /** Whether the last row is not an update but what the updates are compared with, such as the server's own update. */
  readonly reference: boolean;
}

/** A weighted sum of updates: update i times `shares[i] / whole`. */
export interface Shares<T> {
  /** Non-negative, one a row of the matrix that was looked at. */
  readonly shares: readonly T[];
  /** Positive: what the shares are parts of. They need not sum to it. */
  readonly whole: T;
}

/**
 * A rule that looks at one coordinate of all updates at a time, its value being `reduce / denominator`: floats divide,
 * integers round that quotient once. Every intermediate of `reduce` must be an integer below 2^53 for integer values.
 */
export interface CoordinateRule extends Described {
  /** The family of rules. */
  readonly family: 'coordinate';
  /** What the rule looks at. */
  readonly sees: 'values';
  /**
   * What its values are: `lengths` (the default) in the updates' units, so that a mixing's denominator divides them, or
   * `signs`, which no scale changes and no mixing's denominator divides.
   */
  readonly yields?: 'lengths' | 'signs';
  /** The positive integer that `reduce` is to be divided by. */
  denominator(n: number, f: number): number;
  /**
   * The rule's value at one coordinate times the denominator.
   *
   * @param values - the n values of the coordinate, as scratch: may be reordered
   */
  reduce(values: Float64Array, n: number, f: number): number;
}

/** A coordinate rule that is one weighted sum, its weights known before any update is read. */
export interface LinearRule extends Described {
  /** The family of rules. */
  readonly family: 'coordinate';
  /** What the rule looks at. */
  readonly sees: 'samples';
  /** The weighted sum the rule stands for. */
  shares<T>(samples: readonly number[], scalar: Scalar<T>): Shares<T>;
}

/** A rule that looks at the updates only through their inner products and answers with one weighted sum of them. */
export interface GramRule extends Described {
  /** The family of rules. */
  readonly family: 'gram';
  /** What the rule looks at. */
  readonly sees: 'gram';
  /**
   * Position of the one update whose distances are all that the rule looks at, if it is such a rule: then no inner
   * products are needed but that update's, and each update's with itself.
   */
  pivot?(params: Params): number;
  /** Whether it can be given a row that is not an update, and what it is: the server's update, the centre to clip at. */
  readonly reference?: string;
  /**
   * The weighted sum the rule stands for.
   *
   * @throws RuleError `rule/bad-parameter` when a parameter does not fit n
   */
  shares<T>(task: GramTask<T>): Shares<T>;
}

/** A rule that selects updates by their inner products and reduces each coordinate of the selected ones. */
export interface SelectingRule extends Described {
  /** The family of rules. */
  readonly family: 'gram';
  /** What the rule looks at. */
  readonly sees: 'both';
  /** How many of n updates are selected. */
  selected(n: number, f: number): number;
  /** Positions of the selected updates. */
  select<T>(task: GramTask<T>): number[];
  /** What reduces their coordinates. */
  readonly step: CoordinateRule;
  /** The f that `step` is run with. */
  stepFaulty(f: number): number;
}

/** Any aggregation rule. */
export type Rule = CoordinateRule | LinearRule | GramRule | SelectingRule;

/** Mixing of updates: mixed row i is the sum over j of `entries[i][j]` times row j, over `denominator`. */
export interface Mixing {
  /**
   * Non-negative, one row a mixed update, one column an original one; the entries of a row sum to the denominator at
   * most. Integers wherever rounds are decided.
   */
  readonly entries: Matrix<number>;
  /** The positive integer every mixed row is to be divided by. */
  readonly denominator: number;
}

/** What a pre-aggregator is given to look at. */
export interface MixTask<T> extends GramTask<T> {
  /**
   * Denominator that factors which are not fractions by nature are rounded to, a power of two; null where numbers are
   * real and nothing is rounded.
   */
  readonly grain: number | null;
  /** The round's random numbers, the same for everyone; drawn from by nobody else. */
  readonly random: Rng;
}

/** A step in front of a rule that replaces the updates by mixtures of them. */
export interface PreAggregator extends Described {
  /**
   * What a mixture of n updates looks like before the updates are known: its number of rows, and its denominator, or null
   * where that is the task's grain.
   */
  shape(n: number, f: number, params: Params): { readonly rows: number; readonly denominator: number | null };
  /** Whether a mixed row stands for the samples of all updates in it, rather than for those of the update in its place. */
  readonly gathers?: boolean;
  /** The mixture, from the inner products of the updates alone. */
  mix<T>(task: MixTask<T>): Mixing;
}
