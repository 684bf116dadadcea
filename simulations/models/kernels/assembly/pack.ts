// Packs matrices for `multiply`: B into panels of eight columns, A by fours of rows.

/**
 * Packs a matrix whose columns are the panels' columns: panel p holds, for each row, columns 8 p to 8 p + 7, with zeros
 * behind the last column.
 *
 * @param from - the matrix, rows `rowBytes` apart
 * @param steps - rows
 * @param columns - columns
 * @param to - steps * 32 bytes a panel
 */
export function packColumns(from: usize, rowBytes: usize, steps: i32, columns: i32, to: usize): void {
  let column = 0;
  for (; column + 8 <= columns; column += 8, from += 32) {
    let row = from;
    for (let k = 0; k < steps; k++, row += rowBytes, to += 32) {
      v128.store(to, v128.load(row));
      v128.store(to, v128.load(row, 16), 16);
    }
  }
  if (column === columns) return;
  const left = columns - column;
  for (let k = 0; k < steps; k++, from += rowBytes, to += 32) {
    v128.store(to, f32x4.splat(0));
    v128.store(to, f32x4.splat(0), 16);
    for (let i = 0; i < left; i++) {
      const at = (i as usize) << 2;
      store<f32>(to + at, load<f32>(from + at));
    }
  }
}

/**
 * Packs a matrix whose rows are the packed columns: group g holds, for each step k, the values of rows g w to g w + w - 1
 * at k, with zeros behind the last row. With w = 8 these are panels, with w = 4 fours of rows.
 *
 * @param from - the matrix, rows `rowBytes` apart
 * @param rows - rows
 * @param steps - columns
 * @param width - w, 4 or 8
 * @param to - steps * 4 w bytes a group
 */
export function packRows(from: usize, rowBytes: usize, rows: i32, steps: i32, width: i32, to: usize): void {
  const step = (width as usize) << 2;
  const group = (steps as usize) * step;
  const quads = ((rows + width - 1) / width) * (width >> 2);
  for (let quad = 0; quad < quads; quad++) {
    const row = quad << 2;
    const target = to + ((row / width) as usize) * group + (((row % width) as usize) << 2);
    const source = from + (row as usize) * rowBytes;
    if (row + 4 <= rows) transpose(source, rowBytes, steps, step, target);
    else gatherSome(source, rowBytes, rows - row, steps, step, target);
  }
}

/** Four whole rows, four steps at a time. */
function transpose(from: usize, rowBytes: usize, steps: i32, step: usize, to: usize): void {
  const second = from + rowBytes;
  const third = second + rowBytes;
  const fourth = third + rowBytes;
  let at: usize = 0;
  let k = 0;
  for (; k + 4 <= steps; k += 4, at += 16, to += 4 * step) {
    const a = v128.load(from + at);
    const b = v128.load(second + at);
    const c = v128.load(third + at);
    const d = v128.load(fourth + at);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(to + step, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(to + 2 * step, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5));
    v128.store(to + 3 * step, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7));
  }
  for (; k < steps; k++, at += 4, to += step) {
    store<f32>(to, load<f32>(from + at));
    store<f32>(to, load<f32>(second + at), 4);
    store<f32>(to, load<f32>(third + at), 8);
    store<f32>(to, load<f32>(fourth + at), 12);
  }
}

/** Fewer than four rows, or none. */
function gatherSome(from: usize, rowBytes: usize, rows: i32, steps: i32, step: usize, to: usize): void {
  for (let k = 0; k < steps; k++, from += 4, to += step) {
    v128.store(to, f32x4.splat(0));
    for (let i = 0; i < rows; i++) {
      store<f32>(to + ((i as usize) << 2), load<f32>(from + (i as usize) * rowBytes));
    }
  }
}
