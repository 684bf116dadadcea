/**
 * The arithmetic a Gram rule is written in, so that one text of the rule serves both domains: exact integers, which
 * decide rounds, and float64, which is compared with other libraries.
 */
export interface Scalar<T> {
  /** Whether nothing is ever rounded. */
  readonly exact: boolean;
  /** The neutral element of addition. */
  readonly zero: T;
  /** a + b */
  add(a: T, b: T): T;
  /** a - b */
  sub(a: T, b: T): T;
  /** a * b */
  mul(a: T, b: T): T;
  /** Negative when a < b, zero when equal, positive when a > b. */
  compare(a: T, b: T): number;
  /** The scalar equal to a safe integer. */
  fromInteger(value: number): T;
  /**
   * A real number as a part of `fromReal(1)`: the nearest multiple of 2^-52 where numbers are integers, so that what is
   * derived in float64 becomes an exact share once.
   *
   * @param value - 0 to 2^10
   */
  fromReal(value: number): T;
  /** The nearest float64. */
  toNumber(value: T): number;
}

/** What a share of one whole is in integers: doubles have no finer ones near it. */
const REAL_ONE = 2 ** 52;

/** Integers of any width: nothing is ever rounded. */
export const exactScalar: Scalar<bigint> = {
  exact: true,
  zero: 0n,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  fromInteger: (value) => BigInt(value),
  fromReal: (value) => BigInt(Math.floor(value * REAL_ONE + 0.5)),
  toNumber: (value) => Number(value),
};

/** IEEE 754 double precision. */
export const floatScalar: Scalar<number> = {
  exact: false,
  zero: 0,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  fromInteger: (value) => value,
  fromReal: (value) => value,
  toNumber: (value) => value,
};
