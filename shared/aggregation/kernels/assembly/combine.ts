// Weighted sums of rows: roundDiv(sum_i w_i q_i, 2^22), weights in units of 2^-30.

/** Bytes of one row of a block: 64 coordinates. */
const ROW: usize = 128;
/** Largest magnitude of an aggregate's coordinate. */
const LIMIT: f64 = 8191 * 256;

/**
 * Weighted sums for weights whose magnitudes sum to at most 2^30.
 *
 * A weight is split `w = 2^16 h + l` with |l| <= 2^15, so that |h| <= 2^14: two int16. Rows are taken in pairs, because
 * one instruction multiplies two int16 and adds. The sum of the high parts is below 2^14 * 8191 + what is carried. The
 * low parts of eight rows are below 2^31 - 2^16; then everything above 16 bits is carried over to the high sum. At the
 * end `sum = 2^16 high + low`, 0 <= low < 2^16, and `floor((sum + 2^21) / 2^22)` is `(high + 32) >> 6`.
 *
 * @param rows - first row of the first block
 * @param blocks - blocks
 * @param blockBytes - from one block's first row to the next's
 * @param count - rows, a multiple of 8, those added having weight 0
 * @param weights - for each pair of rows two int16 of high parts and two of low parts
 * @param aggregate - 64 int32 a block
 */
export function combine(
  rows: usize,
  blocks: i32,
  blockBytes: usize,
  count: i32,
  weights: usize,
  aggregate: usize,
): void {
  const mask = i32x4.splat(0xffff);
  for (; blocks > 0; blocks--, rows += blockBytes) {
    for (let at = rows; at < rows + ROW; at += 16, aggregate += 32) {
      let highA = i32x4.splat(0);
      let highB = highA;
      let lowA = highA;
      let lowB = highA;
      let from = at;
      let weight = weights;
      for (let left = count; left > 0; left -= 8) {
        for (const end = from + 8 * ROW; from < end; from += 2 * ROW, weight += 8) {
          const p = v128.load(from);
          const q = v128.load(from, ROW);
          const a = i8x16.shuffle(p, q, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
          const b = i8x16.shuffle(p, q, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
          const h = v128.load32_splat(weight);
          const l = v128.load32_splat(weight, 4);
          highA = i32x4.add(highA, i32x4.dot_i16x8_s(a, h));
          highB = i32x4.add(highB, i32x4.dot_i16x8_s(b, h));
          lowA = i32x4.add(lowA, i32x4.dot_i16x8_s(a, l));
          lowB = i32x4.add(lowB, i32x4.dot_i16x8_s(b, l));
        }
        highA = i32x4.add(highA, i32x4.shr_s(lowA, 16));
        highB = i32x4.add(highB, i32x4.shr_s(lowB, 16));
        lowA = v128.and(lowA, mask);
        lowB = v128.and(lowB, mask);
      }
      v128.store(aggregate, i32x4.shr_s(i32x4.add(highA, i32x4.splat(32)), 6));
      v128.store(aggregate, i32x4.shr_s(i32x4.add(highB, i32x4.splat(32)), 6), 16);
    }
  }
}

/** Coordinates whose sums stay in a near cache while all rows are added to them; long runs are fetched ahead of use. */
const CHUNK: i32 = 4096;

/**
 * Weighted sums as `combine`, straight from where the rows are.
 *
 * @param runs - for each row the int32 address of its first coordinate
 * @param count - rows, a multiple of 8, those added having weight 0
 * @param weights - as for `combine`
 * @param coordinates - a multiple of 16
 * @param aggregate - one int32 a coordinate
 * @param room - one int32 a coordinate, for up to 4096 of them
 * @returns 1 when every coordinate is within ±8191, else 0
 */
export function combineRuns(
  runs: usize,
  count: i32,
  weights: usize,
  coordinates: i32,
  aggregate: usize,
  room: usize,
): i32 {
  // q + 8191 as unsigned is at most 16382 if, and only if, q is in range.
  const shift = i16x8.splat(8191);
  let most = i16x8.splat(0);
  for (let from = 0; from < coordinates; from += CHUNK) {
    const bytes = min(coordinates - from, CHUNK) * 4;
    memory.fill(aggregate, 0, bytes);
    memory.fill(room, 0, bytes);
    const last = runs + (count as usize) * 4;
    let weight = weights;
    for (let group = runs; group < last; group += 32, weight += 32) {
      for (let at: usize = 0; at < (bytes as usize); at += 64) {
        most = i16x8.max_u(
          most,
          addEight(group, weight, (from as usize) * 2 + at / 2, aggregate + at, room + at, shift),
        );
      }
    }
    for (const end = aggregate + bytes; aggregate < end; aggregate += 16) {
      v128.store(aggregate, i32x4.shr_s(i32x4.add(v128.load(aggregate), i32x4.splat(32)), 6));
    }
  }
  return v128.any_true(i16x8.gt_u(most, i16x8.splat(16382))) ? 0 : 1;
}

/** Adds 16 coordinates of eight rows to their sums; returns the largest `q + shift` of each lane. */
function addEight(group: usize, weight: usize, at: usize, high: usize, low: usize, shift: v128): v128 {
  const mask = i32x4.splat(0xffff);
  let most = i16x8.splat(0);
  let highA = v128.load(high);
  let highB = v128.load(high, 16);
  let highC = v128.load(high, 32);
  let highD = v128.load(high, 48);
  let lowA = v128.load(low);
  let lowB = v128.load(low, 16);
  let lowC = v128.load(low, 32);
  let lowD = v128.load(low, 48);
  for (const end = group + 32; group < end; group += 8, weight += 8) {
    const p = (load<u32>(group) as usize) + at;
    const q = (load<u32>(group, 4) as usize) + at;
    const h = v128.load32_splat(weight);
    const l = v128.load32_splat(weight, 4);
    let x = v128.load(p);
    let y = v128.load(q);
    most = i16x8.max_u(most, i16x8.max_u(i16x8.add(x, shift), i16x8.add(y, shift)));
    let pair = i8x16.shuffle(x, y, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
    highA = i32x4.add(highA, i32x4.dot_i16x8_s(pair, h));
    lowA = i32x4.add(lowA, i32x4.dot_i16x8_s(pair, l));
    pair = i8x16.shuffle(x, y, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
    highB = i32x4.add(highB, i32x4.dot_i16x8_s(pair, h));
    lowB = i32x4.add(lowB, i32x4.dot_i16x8_s(pair, l));
    x = v128.load(p, 16);
    y = v128.load(q, 16);
    most = i16x8.max_u(most, i16x8.max_u(i16x8.add(x, shift), i16x8.add(y, shift)));
    pair = i8x16.shuffle(x, y, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
    highC = i32x4.add(highC, i32x4.dot_i16x8_s(pair, h));
    lowC = i32x4.add(lowC, i32x4.dot_i16x8_s(pair, l));
    pair = i8x16.shuffle(x, y, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
    highD = i32x4.add(highD, i32x4.dot_i16x8_s(pair, h));
    lowD = i32x4.add(lowD, i32x4.dot_i16x8_s(pair, l));
  }
  v128.store(high, i32x4.add(highA, i32x4.shr_s(lowA, 16)));
  v128.store(high, i32x4.add(highB, i32x4.shr_s(lowB, 16)), 16);
  v128.store(high, i32x4.add(highC, i32x4.shr_s(lowC, 16)), 32);
  v128.store(high, i32x4.add(highD, i32x4.shr_s(lowD, 16)), 48);
  v128.store(low, v128.and(lowA, mask));
  v128.store(low, v128.and(lowB, mask), 16);
  v128.store(low, v128.and(lowC, mask), 32);
  v128.store(low, v128.and(lowD, mask), 48);
  return most;
}

/**
 * Plain sums of rows, straight from where they are: for rows that have one weight.
 *
 * Two sums of four values of 14 bits fit 16 bits each; interleaved and multiplied by ones they add up in 32.
 *
 * @param runs - for each row the int32 address of its first coordinate
 * @param count - rows, a multiple of 8, those added being zeros
 * @param coordinates - a multiple of 8
 * @param sums - one int32 a coordinate
 * @returns 1 when every coordinate is within ±8191, else 0
 */
export function addRuns(runs: usize, count: i32, coordinates: i32, sums: usize): i32 {
  const shift = i16x8.splat(8191);
  const ones = i16x8.splat(1);
  const last = runs + (count as usize) * 4;
  let most = i16x8.splat(0);
  for (let from: usize = 0; from < (coordinates as usize) * 2; from += CHUNK * 2) {
    const bytes = min<usize>((coordinates as usize) * 2 - from, CHUNK * 2);
    memory.fill(sums, 0, 2 * bytes);
    for (let group = runs; group < last; group += 32) {
      const p0 = (load<u32>(group) as usize) + from;
      const p1 = (load<u32>(group, 4) as usize) + from;
      const p2 = (load<u32>(group, 8) as usize) + from;
      const p3 = (load<u32>(group, 12) as usize) + from;
      const p4 = (load<u32>(group, 16) as usize) + from;
      const p5 = (load<u32>(group, 20) as usize) + from;
      const p6 = (load<u32>(group, 24) as usize) + from;
      const p7 = (load<u32>(group, 28) as usize) + from;
      let sum = sums;
      for (let at: usize = 0; at < bytes; at += 16, sum += 32) {
        let x = v128.load(p0 + at);
        let y = v128.load(p1 + at);
        most = i16x8.max_u(most, i16x8.max_u(i16x8.add(x, shift), i16x8.add(y, shift)));
        let a = i16x8.add(x, y);
        x = v128.load(p2 + at);
        y = v128.load(p3 + at);
        most = i16x8.max_u(most, i16x8.max_u(i16x8.add(x, shift), i16x8.add(y, shift)));
        a = i16x8.add(a, i16x8.add(x, y));
        x = v128.load(p4 + at);
        y = v128.load(p5 + at);
        most = i16x8.max_u(most, i16x8.max_u(i16x8.add(x, shift), i16x8.add(y, shift)));
        let b = i16x8.add(x, y);
        x = v128.load(p6 + at);
        y = v128.load(p7 + at);
        most = i16x8.max_u(most, i16x8.max_u(i16x8.add(x, shift), i16x8.add(y, shift)));
        b = i16x8.add(b, i16x8.add(x, y));
        x = i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
        y = i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
        v128.store(sum, i32x4.add(v128.load(sum), i32x4.dot_i16x8_s(x, ones)));
        v128.store(sum, i32x4.add(v128.load(sum, 16), i32x4.dot_i16x8_s(y, ones)), 16);
      }
    }
    sums += 2 * bytes;
  }
  return v128.any_true(i16x8.gt_u(most, i16x8.splat(16382))) ? 0 : 1;
}

/**
 * The weighted sum of two sums of rows, rounded: `floor((p a + q b + 2^21) / 2^22)`, for weights whose magnitudes sum to
 * at most 2^30 over all rows. The shift is that of unsigned integers: what it gets wrong lies above the 32 bits that the
 * result fits and that are kept.
 *
 * @param a - one int32 a coordinate, overwritten by the aggregate
 * @param b - one int32 a coordinate
 * @param p - weight of `a`
 * @param q - weight of `b`
 * @param coordinates - a multiple of 4
 */
export function weigh(a: usize, b: usize, p: i32, q: i32, coordinates: i32): void {
  const ps = i32x4.splat(p);
  const qs = i32x4.splat(q);
  const half = i64x2.splat(1 << 21);
  for (const end = a + (coordinates as usize) * 4; a < end; a += 16, b += 16) {
    const x = v128.load(a);
    const y = v128.load(b);
    const low = i64x2.add(i64x2.extmul_low_i32x4_s(x, ps), i64x2.extmul_low_i32x4_s(y, qs));
    const high = i64x2.add(i64x2.extmul_high_i32x4_s(x, ps), i64x2.extmul_high_i32x4_s(y, qs));
    const first = i64x2.shr_u(i64x2.add(low, half), 22);
    const second = i64x2.shr_u(i64x2.add(high, half), 22);
    v128.store(a, i32x4.shuffle(first, second, 0, 2, 4, 6));
  }
}

/**
 * Weighted sums for any weights whose magnitudes sum to at most 2^39, in float64, which holds every partial sum exactly;
 * the aggregate is cut to its range.
 *
 * @param rows - first row of the first block
 * @param blocks - blocks
 * @param blockBytes - from one block's first row to the next's
 * @param count - rows
 * @param weights - one float64 a row
 * @param aggregate - 64 int32 a block
 */
export function combineWide(
  rows: usize,
  blocks: i32,
  blockBytes: usize,
  count: i32,
  weights: usize,
  aggregate: usize,
): void {
  for (; blocks > 0; blocks--, rows += blockBytes) {
    for (let at = rows; at < rows + ROW; at += 8, aggregate += 16) {
      let a = f64x2.splat(0);
      let b = a;
      for (let i: usize = 0; i < (count as usize); i++) {
        const values = v128.load16x4_s(at + i * ROW);
        const weight = v128.load64_splat(weights + i * 8);
        a = f64x2.add(a, f64x2.mul(weight, f64x2.convert_low_i32x4_s(values)));
        b = f64x2.add(b, f64x2.mul(weight, f64x2.convert_low_i32x4_s(upperHalf(values))));
      }
      v128.store64_lane(aggregate, roundAndCut(a), 0);
      v128.store64_lane(aggregate, roundAndCut(b), 0, 8);
    }
  }
}

/** The upper two lanes of 32 bits, in the lower two. */
function upperHalf(lanes: v128): v128 {
  return i64x2.shuffle(lanes, lanes, 1, 1);
}

/** `floor((2 sum + 2^22) / 2^23)` cut to ±8191 * 256, as two int32 in the lower lanes. */
function roundAndCut(sums: v128): v128 {
  const doubled = f64x2.add(f64x2.add(sums, sums), f64x2.splat(4194304));
  const rounded = f64x2.floor(f64x2.div(doubled, f64x2.splat(8388608)));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.max(f64x2.min(rounded, f64x2.splat(LIMIT)), f64x2.splat(-LIMIT)));
}
