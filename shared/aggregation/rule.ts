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

/** One parameter a rule takes: a named choice, an integer, or either. */
export interface Parameter {
  /** Name as written in plans and on the command line. */
  readonly name: string;
  /** What the parameter decides, in one sentence. */
  readonly meaning: string;
  /** Value when none is given. */
  readonly default: string | number;
  /** Named values it takes. */
  readonly choices: readonly string[];
  /** Smallest integer it takes; without it, only the choices are taken. */
  readonly minimum?: number;
  /** Choices the chain cannot recompute: with them the guarantee is at most *recomputable by anyone*. */
  readonly offChainChoices?: readonly string[];
}

/** What rules and pre-aggregators have in common. */
export interface Described {
  /** Canonical name, as ByzFL spells it where ByzFL has the rule. */
  readonly name: string;
  /** Other names it answers to; letter case never matters. */
  readonly aliases: readonly string[];
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

/**
 * A rule that looks at one coordinate of all updates at a time, its value being `reduce / denominator`: floats divide,
 * integers round that quotient once. Every intermediate of `reduce` must be an integer below 2^53 for integer values.
 */
export interface CoordinateRule extends Described {
  /** The family of rules. */
  readonly family: 'coordinate';
  /** What the rule looks at. */
  readonly sees: 'values';
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
  /** Non-negative shares, one an update; weights are the shares divided by their sum. */
  shares<T>(samples: readonly number[], scalar: Scalar<T>): T[];
}

/** A rule that looks at the updates only through their inner products and answers with one weighted sum of them. */
export interface GramRule extends Described {
  /** The family of rules. */
  readonly family: 'gram';
  /** What the rule looks at. */
  readonly sees: 'gram';
  /**
   * Non-negative shares, one an update, not all zero; weights are the shares divided by their sum. Invariant to the
   * scale of the matrix: a mixing's common denominator is never divided out.
   *
   * @param gram - n x n inner products of the updates
   * @throws RuleError `rule/bad-parameter` when a parameter does not fit n
   */
  shares<T>(gram: Matrix<T>, f: number, params: Params, scalar: Scalar<T>): T[];
}

/** Any aggregation rule. */
export type Rule = CoordinateRule | LinearRule | GramRule;

/** Integer mixing of updates: mixed row i is the sum over j of `entries[i][j]` times row j, over `denominator`. */
export interface Mixing {
  /** Non-negative integers, one row a mixed update, one column an original one. */
  readonly entries: Matrix<number>;
  /** The positive integer every mixed row is to be divided by; the entries of each row sum to it. */
  readonly denominator: number;
}

/** A step in front of a rule that replaces the updates by mixtures of them. */
export interface PreAggregator extends Described {
  /**
   * The mixture, from the inner products of the updates alone.
   *
   * @param gram - n x n inner products, at any scale
   */
  mix<T>(gram: Matrix<T>, f: number, params: Params, scalar: Scalar<T>): Mixing;
}
