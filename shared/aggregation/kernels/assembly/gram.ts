// Inner products of rows of int16, exact in 64 bits.
//
// Rows are taken three by three: nine sums in registers need six loads a step, and nothing is spilled. One step a turn of
// the loop is deliberate: unrolled further, older engines load everything first and spill what they loaded.

/** Bytes of one row of a block: 64 coordinates. */
const ROW: usize = 128;
/** Three rows. */
const TRIPLE: usize = 3 * ROW;
/** Bytes of the nine sums of two triples, two lanes of 64 bits each. */
const NINE: usize = 9 * 16;

/**
 * Adds the products of two triples of rows over one or two blocks to their nine sums. Two blocks are 16 steps, which is
 * what a lane of 32 bits takes when |q| <= 8191: 16 * 2 * 8191^2 < 2^31.
 */
function addNine(a: usize, b: usize, blocks: i32, blockBytes: usize, sums: usize): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s20 = s00;
  let s21 = s00;
  let s22 = s00;
  for (; blocks > 0; blocks--) {
    for (const end = a + ROW; a < end; a += 16, b += 16) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, ROW);
      const b2 = v128.load(b, 2 * ROW);
      let x = v128.load(a);
      s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, b0));
      s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, b1));
      s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, b2));
      x = v128.load(a, ROW);
      s10 = i32x4.add(s10, i32x4.dot_i16x8_s(x, b0));
      s11 = i32x4.add(s11, i32x4.dot_i16x8_s(x, b1));
      s12 = i32x4.add(s12, i32x4.dot_i16x8_s(x, b2));
      x = v128.load(a, 2 * ROW);
      s20 = i32x4.add(s20, i32x4.dot_i16x8_s(x, b0));
      s21 = i32x4.add(s21, i32x4.dot_i16x8_s(x, b1));
      s22 = i32x4.add(s22, i32x4.dot_i16x8_s(x, b2));
    }
    a += blockBytes - ROW;
    b += blockBytes - ROW;
  }
  widen(sums, s00);
  widen(sums + 16, s01);
  widen(sums + 32, s02);
  widen(sums + 48, s10);
  widen(sums + 64, s11);
  widen(sums + 80, s12);
  widen(sums + 96, s20);
  widen(sums + 112, s21);
  widen(sums + 128, s22);
}

/** Adds four lanes of 32 bits to two of 64. */
function widen(sum: usize, lanes: v128): void {
  const pairs = i64x2.add(i64x2.extend_low_i32x4_s(lanes), i64x2.extend_high_i32x4_s(lanes));
  v128.store(sum, i64x2.add(v128.load(sum), pairs));
}

/**
 * Adds the inner products of all rows of consecutive blocks to `sums`: for each triple of rows, for each triple from it
 * on, nine pairs of int64 whose two lanes add up to the inner product.
 *
 * @param rows - first row of the first block
 * @param blocks - blocks
 * @param blockBytes - from one block's first row to the next's
 * @param triples - rows of a block by threes, the last filled up with zeros
 * @param sums - triples * (triples + 1) / 2 * 144 bytes
 */
export function gram(rows: usize, blocks: i32, blockBytes: usize, triples: i32, sums: usize): void {
  for (; blocks > 0; blocks -= 2, rows += 2 * blockBytes) {
    const end = rows + (triples as usize) * TRIPLE;
    let sum = sums;
    for (let a = rows; a < end; a += TRIPLE) {
      for (let b = a; b < end; b += TRIPLE, sum += NINE) addNine(a, b, min(blocks, 2), blockBytes, sum);
    }
  }
}

/**
 * Adds the inner products of every triple of rows with itself to `sums`: nine pairs of int64 for each.
 *
 * @param rows - first row of the first block
 * @param blocks - blocks
 * @param blockBytes - from one block's first row to the next's
 * @param triples - rows of a block by threes
 * @param sums - triples * 144 bytes
 */
export function norms(rows: usize, blocks: i32, blockBytes: usize, triples: i32, sums: usize): void {
  for (; blocks > 0; blocks -= 2, rows += 2 * blockBytes) {
    const end = rows + (triples as usize) * TRIPLE;
    let sum = sums;
    for (let a = rows; a < end; a += TRIPLE, sum += NINE) addNine(a, a, min(blocks, 2), blockBytes, sum);
  }
}

/**
 * Adds the inner products of one triple of rows with every triple and then with itself to `sums`: nine pairs of int64
 * for each.
 *
 * @param one - the triple in the first block
 * @param rows - first row of the first block
 * @param blocks - blocks
 * @param blockBytes - from one block's first row to the next's
 * @param triples - rows of a block by threes
 * @param sums - (triples + 1) * 144 bytes
 */
export function products(one: usize, rows: usize, blocks: i32, blockBytes: usize, triples: i32, sums: usize): void {
  for (; blocks > 0; blocks -= 2, rows += 2 * blockBytes, one += 2 * blockBytes) {
    const some = min(blocks, 2);
    const end = rows + (triples as usize) * TRIPLE;
    let sum = sums;
    for (let b = rows; b < end; b += TRIPLE, sum += NINE) addNine(one, b, some, blockBytes, sum);
    addNine(one, one, some, blockBytes, sum);
  }
}
