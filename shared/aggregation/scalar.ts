/**
 * The arithmetic a Gram rule is written in, so that one text of the rule serves both domains: exact integers, which
 * decide rounds, and float64, which is compared with other libraries.
 */
export interface Scalar<T> {
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
  /** The nearest float64. */
  toNumber(value: T): number;
}

/** Integers of any width: nothing is ever rounded. */
export const exactScalar: Scalar<bigint> = {
  zero: 0n,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  fromInteger: (value) => BigInt(value),
  toNumber: (value) => Number(value),
};

/** IEEE 754 double precision. */
export const floatScalar: Scalar<number> = {
  zero: 0,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  fromInteger: (value) => value,
  toNumber: (value) => value,
};
