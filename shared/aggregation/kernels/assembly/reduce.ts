// What stands before and after the sorting networks of coordinate rules: mixtures of rows, and the one division.

/** Bytes of one row of a block: 64 coordinates of int16. */
const ROW: usize = 128;
/** Aggregate units in one update unit. */
const FINER: f64 = 256;

/**
 * The aggregate from reduced int32 values: `roundDiv(256 * value, denominator)`.
 *
 * The division is that of float64, as in the scalar reference: exact operands, one correctly rounded quotient, its floor.
 *
 * @param values - int32, overwritten by the aggregate
 * @param count - a multiple of 4
 * @param denominator - a positive integer
 */
export function divide(values: usize, count: i32, denominator: f64): void {
  for (; count > 0; count -= 4, values += 16) {
    const lanes = v128.load(values);
    const low = quotient(f64x2.convert_low_i32x4_s(lanes), denominator);
    const high = quotient(f64x2.convert_low_i32x4_s(i64x2.shuffle(lanes, lanes, 1, 1)), denominator);
    v128.store(values, i32x4.shuffle(low, high, 0, 2, 4, 6));
  }
}

/**
 * The aggregate from reduced float64 values, each an integer: as `divide`.
 *
 * @param values - float64
 * @param count - a multiple of 2
 * @param denominator - a positive integer
 * @param aggregate - int32; may be where the values are
 */
export function divideWide(values: usize, count: i32, denominator: f64, aggregate: usize): void {
  for (; count > 0; count -= 2, values += 16, aggregate += 8) {
    const lanes = quotient(v128.load(values), denominator);
    v128.store64_lane(aggregate, i32x4.shuffle(lanes, lanes, 0, 2, 0, 2), 0);
  }
}

/** 2^52 + 2^51: added to an integer of float64, it leaves the integer's int32 in the lower half of the bits. */
const TO_INT32: f64 = 6755399441055744;

/** `floor((2 * 256 * value + denominator) / (2 * denominator))`, as int32 in lanes 0 and 2. */
function quotient(values: v128, denominator: f64): v128 {
  const numerator = f64x2.add(f64x2.mul(values, f64x2.splat(2 * FINER)), f64x2.splat(denominator));
  return f64x2.add(f64x2.floor(f64x2.div(numerator, f64x2.splat(2 * denominator))), f64x2.splat(TO_INT32));
}

/**
 * Mixes the rows of one block by sums of some of them: int16 in, int32 out.
 *
 * Each mixture is a list of rows, or the sum of all rows less a list: whichever is shorter. Four values of 14 bits are
 * added in 16 bits, then widened.
 *
 * @param rows - first row of the block
 * @param count - rows of the block
 * @param lists - for each mixture two int32, the length of its list (a multiple of 4) and whether it is taken from the
 *   sum of all rows (1) or from nothing (0), then its list: int32 offsets from `rows`, a row of zeros to fill up
 * @param mixtures - mixtures
 * @param mixed - 64 int32 a mixture
 */
export function mix(rows: usize, count: i32, lists: usize, mixtures: i32, mixed: usize): void {
  for (let at: usize = 0; at < ROW; at += 16) {
    let allA = i32x4.splat(0);
    let allB = allA;
    for (let row = rows + at, end = row + (count as usize) * ROW; row < end; row += ROW) {
      const values = v128.load(row);
      allA = i32x4.add(allA, i32x4.extend_low_i16x8_s(values));
      allB = i32x4.add(allB, i32x4.extend_high_i16x8_s(values));
    }
    let list = lists;
    let to = mixed + 2 * at;
    for (let left = mixtures; left > 0; left--, to += 2 * ROW) {
      const end = list + 8 + 4 * (load<i32>(list) as usize);
      const complement = load<i32>(list, 4);
      let a = i32x4.splat(0);
      let b = a;
      for (list += 8; list < end; list += 16) {
        const p = v128.load(rows + at + load<u32>(list));
        const q = v128.load(rows + at + load<u32>(list, 4));
        const r = v128.load(rows + at + load<u32>(list, 8));
        const s = v128.load(rows + at + load<u32>(list, 12));
        const sum = i16x8.add(i16x8.add(p, q), i16x8.add(r, s));
        a = i32x4.add(a, i32x4.extend_low_i16x8_s(sum));
        b = i32x4.add(b, i32x4.extend_high_i16x8_s(sum));
      }
      if (complement) {
        a = i32x4.sub(allA, a);
        b = i32x4.sub(allB, b);
      }
      v128.store(to, a);
      v128.store(to, b, 16);
    }
  }
}

/**
 * Mixes the rows of one block by weighted sums of them: int16 in, float64 out, which holds every partial sum exactly.
 *
 * @param rows - first row of the block
 * @param lists - for each mixture the number of its terms as an int32 with 4 bytes of room behind, then for each term a
 *   float64 weight and an int32 offset from `rows` with 4 bytes of room behind
 * @param mixtures - mixtures
 * @param mixed - 64 float64 a mixture
 */
export function mixWide(rows: usize, lists: usize, mixtures: i32, mixed: usize): void {
  for (let at: usize = 0; at < ROW; at += 16) {
    let list = lists;
    let to = mixed + 4 * at;
    for (let left = mixtures; left > 0; left--, to += 4 * ROW) {
      const end = list + 8 + 16 * (load<i32>(list) as usize);
      let a = f64x2.splat(0);
      let b = a;
      let c = a;
      let d = a;
      for (list += 8; list < end; list += 16) {
        const weight = v128.load64_splat(list);
        const values = v128.load(rows + at + load<u32>(list, 8));
        const low = i32x4.extend_low_i16x8_s(values);
        const high = i32x4.extend_high_i16x8_s(values);
        a = f64x2.add(a, f64x2.mul(weight, f64x2.convert_low_i32x4_s(low)));
        b = f64x2.add(b, f64x2.mul(weight, f64x2.convert_low_i32x4_s(i64x2.shuffle(low, low, 1, 1))));
        c = f64x2.add(c, f64x2.mul(weight, f64x2.convert_low_i32x4_s(high)));
        d = f64x2.add(d, f64x2.mul(weight, f64x2.convert_low_i32x4_s(i64x2.shuffle(high, high, 1, 1))));
      }
      v128.store(to, a);
      v128.store(to, b, 16);
      v128.store(to, c, 32);
      v128.store(to, d, 48);
    }
  }
}
