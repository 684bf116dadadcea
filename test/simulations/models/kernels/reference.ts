// What the kernels must give, value by value in plain loops: every product and every sum rounded to float32.

/** `start` plus the product of a `[rows, steps]` and a `[steps, columns]` matrix, inner index in order. */
export function multiply(
  a: Float32Array,
  b: Float32Array,
  start: (row: number, column: number) => number,
  [rows, steps, columns]: readonly [number, number, number],
): Float32Array {
  const c = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = start(i, j);
      for (let k = 0; k < steps; k++) {
        const product = Math.fround((a[i * steps + k] as number) * (b[k * columns + j] as number));
        sum = Math.fround(sum + product);
      }
      c[i * columns + j] = sum;
    }
  }
  return c;
}

/** Rows and columns exchanged. */
export function transposed(a: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: a.length }, (_, at) => a[(at % rows) * columns + Math.floor(at / rows)] as number);
}

/** The sum of rows, first row first. */
export function sumRows(a: Float32Array, columns: number, start: Float32Array): Float32Array {
  const sums = start.slice();
  for (const [at, value] of a.entries()) sums[at % columns] = (sums[at % columns] as number) + value;
  return sums;
}

/** The windows of an image `[height, width, channels]` as rows. */
export function windows(
  image: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  size: number,
): Float32Array {
  const rows: number[] = [];
  for (let y = 0; y + size <= height; y++) {
    for (let x = 0; x + size <= width; x++) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          for (let c = 0; c < channels; c++) rows.push(image[((y + i) * width + x + j) * channels + c] as number);
        }
      }
    }
  }
  return Float32Array.from(rows);
}

/** Windows added back to the image that they came from, in order. */
export function addWindows(
  rows: Float32Array,
  image: Float32Array,
  shape: readonly [number, number, number],
  size: number,
): Float32Array {
  // Where each value of a window came from is what windows of positions tell.
  const places = windows(Float32Array.from(image.keys()), shape, size);
  const sums = image.slice();
  for (const [at, place] of places.entries()) sums[place] = (sums[place] as number) + (rows[at] as number);
  return sums;
}

/** The largest of every 2 x 2 square, and the position in the image of the first one that is as large. */
export function poolMost(
  image: Float32Array,
  [height, width, channels]: readonly [number, number, number],
): { readonly most: Float32Array; readonly places: number[] } {
  const most: number[] = [];
  const places: number[] = [];
  for (let y = 0; y + 2 <= height; y += 2) {
    for (let x = 0; x + 2 <= width; x += 2) {
      for (let c = 0; c < channels; c++) {
        const square = [0, 1, 2, 3].map((at) => ((y + (at >> 1)) * width + x + (at & 1)) * channels + c);
        const values = square.map((at) => image[at] as number);
        most.push(Math.max(...values));
        places.push(square[values.indexOf(Math.max(...values))] as number);
      }
    }
  }
  return { most: Float32Array.from(most), places };
}
