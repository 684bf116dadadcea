// Products of matrices of float32, C = S + A B, each value summed by one accumulator in the order of the inner index:
//
//     c = s; for k = 0 .. steps - 1: c = c + a[k] * b[k]        (product and sum rounded to float32 each)
//
// so that neither how a matrix is cut nor how many threads there are shows in a single bit. Four rows by eight columns stand
// in registers: one step loads two vectors of B and four values of A for sixteen operations on four lanes.

/** Bytes of one step of a panel of B: eight columns. */
const PANEL: usize = 32;
/** Bytes of packed B that stay in the nearest cache while rows pass by. */
const NEAR: usize = 24576;

/**
 * One block of four rows by eight columns.
 *
 * @param a - value (row i, step k) lies at `a + 4 i + k aStep`
 * @param b - a packed panel
 * @param steps - extent of the inner index
 * @param start - value that (0, 0) starts from, or 0 where all start from zero
 * @param startRow - bytes from one row's start to the next's
 * @param c - where (0, 0) goes
 * @param cRow - bytes from one row of C to the next
 * @param rows - rows that are stored, 1 to 4
 * @param columns - columns that are stored, 1 to 8
 */
function block(
  a: usize,
  aStep: usize,
  b: usize,
  steps: i32,
  start: usize,
  startRow: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  if (start !== 0) {
    c00 = v128.load(start);
    c01 = v128.load(start, 16);
    c10 = v128.load(start + startRow);
    c11 = v128.load(start + startRow, 16);
    c20 = v128.load(start + 2 * startRow);
    c21 = v128.load(start + 2 * startRow, 16);
    c30 = v128.load(start + 3 * startRow);
    c31 = v128.load(start + 3 * startRow, 16);
  }
  const end = b + (steps as usize) * PANEL;
  for (; b < end; b += PANEL, a += aStep) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(x, b0));
    c01 = f32x4.add(c01, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(x, b0));
    c11 = f32x4.add(c11, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(x, b0));
    c21 = f32x4.add(c21, f32x4.mul(x, b1));
    x = v128.load32_splat(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(x, b0));
    c31 = f32x4.add(c31, f32x4.mul(x, b1));
  }
  storeRow(c, columns, c00, c01);
  if (rows > 1) storeRow(c + cRow, columns, c10, c11);
  if (rows > 2) storeRow(c + 2 * cRow, columns, c20, c21);
  if (rows > 3) storeRow(c + 3 * cRow, columns, c30, c31);
}

function storeRow(to: usize, columns: i32, low: v128, high: v128): void {
  if (columns === 8) {
    v128.store(to, low);
    v128.store(to, high, 16);
  } else storeSome(to, columns, low, high);
}

function storeSome(to: usize, columns: i32, low: v128, high: v128): void {
  let rest = low;
  if (columns >= 4) {
    v128.store(to, low);
    rest = high;
    to += 16;
    columns -= 4;
  }
  if (columns > 0) v128.store32_lane(to, rest, 0);
  if (columns > 1) v128.store32_lane(to, rest, 1, 4);
  if (columns > 2) v128.store32_lane(to, rest, 2, 8);
}

/**
 * C = S + A B.
 *
 * @param a - A by fours of rows: value (row 4 q + i, step k) lies at `a + q aBlock + 4 i + k aStep`; behind the last
 * row there are values of whatever kind up to a multiple of four
 * @param rows - rows of A and C
 * @param steps - columns of A, rows of B
 * @param b - B, packed
 * @param columns - columns of B and C
 * @param start - S, whose rows are `startRow` bytes apart (0: one row for all); 0: zeros
 * @param c - C, whose rows are `cRow` bytes apart; it may be S
 */
export function multiply(
  a: usize,
  aBlock: usize,
  aStep: usize,
  rows: i32,
  steps: i32,
  b: usize,
  columns: i32,
  start: usize,
  startRow: usize,
  c: usize,
  cRow: usize,
): void {
  const panel = (steps as usize) * PANEL;
  const panels = (columns + 7) >> 3;
  if ((panels as usize) * panel <= NEAR) {
    for (let row = 0; row < rows; row += 4, a += aBlock, c += 4 * cRow) {
      let at: usize = 0;
      let from = b;
      for (let column = 0; column < columns; column += 8, at += 32, from += panel) {
        const s = start === 0 ? start : start + at;
        block(a, aStep, from, steps, s, startRow, c + at, cRow, min(4, rows - row), min(8, columns - column));
      }
      if (start !== 0) start += 4 * startRow;
    }
    return;
  }
  let at: usize = 0;
  for (let column = 0; column < columns; column += 8, at += 32, b += panel) {
    let from = a;
    let to = c + at;
    let s = start === 0 ? start : start + at;
    for (let row = 0; row < rows; row += 4, from += aBlock, to += 4 * cRow) {
      block(from, aStep, b, steps, s, startRow, to, cRow, min(4, rows - row), min(8, columns - column));
      if (start !== 0) s += 4 * startRow;
    }
  }
}
