// What is done to values one by one. Addresses and sizes are in bytes; `count` values are rounded up to a multiple of four.

/** Rectifies in place: what is below zero becomes zero; what is no number stays none. */
export function rectify(values: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (const end = values + ((count as usize) << 2); values < end; values += 16) {
    const x = v128.load(values);
    v128.store(values, v128.andnot(x, f32x4.le(x, zero)));
  }
}

/** Keeps slopes, in place, where the rectified value is above zero. */
export function rectifySlopes(slopes: usize, rectified: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (const end = slopes + ((count as usize) << 2); slopes < end; slopes += 16, rectified += 16) {
    v128.store(slopes, v128.and(v128.load(slopes), f32x4.gt(v128.load(rectified), zero)));
  }
}

/** Multiplies in place, value by value. */
export function scaleBy(values: usize, factors: usize, count: i32): void {
  for (const end = values + ((count as usize) << 2); values < end; values += 16, factors += 16) {
    v128.store(values, f32x4.mul(v128.load(values), v128.load(factors)));
  }
}

/**
 * Adds up the rows of a matrix, first row first, to what `start` holds (0: to zeros).
 *
 * @param from - rows `rowBytes` apart
 * @param to - `columns` values; it may be `start`
 */
export function sumRows(from: usize, rowBytes: usize, rows: i32, columns: i32, start: usize, to: usize): void {
  let column = 0;
  for (; column + 4 <= columns; column += 4) {
    const at = (column as usize) << 2;
    let sum = start === 0 ? f32x4.splat(0) : v128.load(start + at);
    let row = from + at;
    for (let i = 0; i < rows; i++, row += rowBytes) sum = f32x4.add(sum, v128.load(row));
    v128.store(to + at, sum);
  }
  for (; column < columns; column++) {
    const at = (column as usize) << 2;
    let sum: f32 = start === 0 ? 0 : load<f32>(start + at);
    let row = from + at;
    for (let i = 0; i < rows; i++, row += rowBytes) sum += load<f32>(row);
    store<f32>(to + at, sum);
  }
}
