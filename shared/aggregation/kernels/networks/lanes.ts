import type { WasmCode } from './wasm-code.ts';

/** The kinds of lanes a coordinate kernel computes in. */
export type LaneKind = 'int16' | 'int32' | 'float64';

/** Writes code that leaves one vector on the stack. */
export type Value = () => void;

/**
 * What a coordinate kernel needs of a kind of lanes. Sums need more room than values of int16 have: a *wide* value is two
 * vectors of int32 there, and one vector of the same kind otherwise.
 */
export interface Lanes {
  /** Bytes of one lane. */
  readonly bytes: number;
  /** SIMD opcode: the smaller of two, lane by lane. */
  readonly min: number;
  /** SIMD opcode: the larger of two. */
  readonly max: number;
  /** SIMD opcode: the sum of two, which must fit the lane. */
  readonly add: number;
  /** SIMD opcode: the difference of two, which must fit the lane. */
  readonly subtract: number;
  /** SIMD opcode: all bits of the lane where the first is smaller. */
  readonly less: number;
  /** Leaves a small integer in every lane on the stack. */
  constant(code: WasmCode, value: number): void;
  /** The wide sum of some values, of at most 14 bits each if they are int16; in locals. */
  sum(code: WasmCode, values: readonly Value[]): number[];
  /** Leaves on the stack all bits of the lanes where `scale * value < 2 * sum`, the sum being wide. */
  scaledLess(code: WasmCode, value: Value, scale: number, sum: readonly number[]): void;
}

/** The lanes of a kind. */
export function lanesOf(kind: LaneKind): Lanes {
  return LANES[kind];
}

/** SIMD opcode: where the mask on top of the stack has ones the first operand's bits, else the second's. */
export const BITSELECT = 0x52;

/** SIMD opcode: bits that both have. */
export const AND = 0x4e;

const I16X8 = { splat: 0x10, lessThan: 0x2f, narrow: 0x85, add: 0x8e, sub: 0x91, min: 0x96, max: 0x98 };
const I32X4 = { splat: 0x11, lessThan: 0x39, add: 0xae, sub: 0xb1, mul: 0xb5, min: 0xb6, max: 0xb8 };
/** From the lower or the upper four int16 to int32: as they are, or multiplied. */
const WIDEN = { extend: [0xa7, 0xa8], multiply: [0xbc, 0xbd] } as const;
// An engine turns pmin and pmax into one instruction; they differ from min and max for NaN and -0 only.
const F64X2 = { splat: 0x14, lessThan: 0x49, add: 0xf0, sub: 0xf1, mul: 0xf2, min: 0xf6, max: 0xf7 };

/** Values of 14 bits that a sum of 16 bits can hold. */
const NARROW_TERMS = 4;

const int16: Lanes = {
  bytes: 2,
  min: I16X8.min,
  max: I16X8.max,
  add: I16X8.add,
  subtract: I16X8.sub,
  less: I16X8.lessThan,
  constant: (code, value) => {
    code.i32(value);
    code.simd(I16X8.splat);
  },
  sum: (code, values) => {
    const sums = [code.vector(), code.vector()];
    const narrow = code.vector();
    for (let at = 0; at < values.length; at += NARROW_TERMS) {
      addUp(code, values.slice(at, at + NARROW_TERMS), I16X8.add);
      code.set(narrow);
      for (const [half, sum] of sums.entries()) {
        code.get(narrow);
        code.simd(WIDEN.extend[half] as number);
        if (at > 0) {
          code.get(sum);
          code.simd(I32X4.add);
        }
        code.set(sum);
      }
    }
    return sums;
  },
  scaledLess: (code, value, scale, sum) => {
    const narrow = code.vector();
    value();
    code.set(narrow);
    for (const [half, wide] of sum.entries()) {
      code.get(narrow);
      int16.constant(code, scale);
      code.simd(WIDEN.multiply[half] as number);
      double(code, wide, I32X4.add);
      code.simd(I32X4.lessThan);
    }
    code.simd(I16X8.narrow);
  },
};

const int32: Lanes = ofOneWidth(4, I32X4, (code, value) => {
  code.i32(value);
  code.simd(I32X4.splat);
});

const float64: Lanes = ofOneWidth(8, F64X2, (code, value) => {
  code.f64(value);
  code.simd(F64X2.splat);
});

const LANES: Readonly<Record<LaneKind, Lanes>> = { int16, int32, float64 };

/** Lanes in which values and sums have the same kind. */
function ofOneWidth(bytes: number, ops: typeof I32X4, constant: Lanes['constant']): Lanes {
  return {
    bytes,
    min: ops.min,
    max: ops.max,
    add: ops.add,
    subtract: ops.sub,
    less: ops.lessThan,
    constant,
    sum: (code, values) => {
      const sum = code.vector();
      addUp(code, values, ops.add);
      code.set(sum);
      return [sum];
    },
    scaledLess: (code, value, scale, [sum]) => {
      value();
      constant(code, scale);
      code.simd(ops.mul);
      double(code, sum as number, ops.add);
      code.simd(ops.lessThan);
    },
  };
}

/** Leaves the sum of some values on the stack. */
function addUp(code: WasmCode, values: readonly Value[], add: number): void {
  for (const [at, value] of values.entries()) {
    value();
    if (at > 0) code.simd(add);
  }
}

function double(code: WasmCode, local: number, add: number): void {
  code.get(local);
  code.get(local);
  code.simd(add);
}
