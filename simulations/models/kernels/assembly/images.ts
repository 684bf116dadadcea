// What convolutions and pools do with images. An image is `height * width * channels` values in that order.

/**
 * Lays the windows of an image out as rows, which makes a convolution a product of matrices: row (y, x) holds the
 * `size * size * channels` values that the window at (y, x) covers.
 *
 * @param image - the image, `width * channels` values a row
 * @param rows - window positions down
 * @param columns - window positions across
 * @param size - rows and columns of a window
 */
export function windows(image: usize, width: i32, channels: i32, rows: i32, columns: i32, size: i32, to: usize): void {
  const line = ((width * channels) as usize) << 2;
  const run = ((size * channels) as usize) << 2;
  const pixel = (channels as usize) << 2;
  for (let y = 0; y < rows; y++, image += line) {
    let corner = image;
    for (let x = 0; x < columns; x++, corner += pixel) {
      let from = corner;
      for (let i = 0; i < size; i++, from += line, to += run) copyRun(from, to, run);
    }
  }
}

/** The other way round: adds the rows' values to the image that they came from, row after row. */
export function addWindows(
  from: usize,
  width: i32,
  channels: i32,
  rows: i32,
  columns: i32,
  size: i32,
  image: usize,
): void {
  const line = ((width * channels) as usize) << 2;
  const run = ((size * channels) as usize) << 2;
  const pixel = (channels as usize) << 2;
  for (let y = 0; y < rows; y++, image += line) {
    let corner = image;
    for (let x = 0; x < columns; x++, corner += pixel) {
      let to = corner;
      for (let i = 0; i < size; i++, to += line, from += run) addRun(from, to, run);
    }
  }
}

function copyRun(from: usize, to: usize, bytes: usize): void {
  const end = from + bytes;
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}

function addRun(from: usize, to: usize, bytes: usize): void {
  const end = from + bytes;
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}

/**
 * The largest of every 2 x 2 square, of each channel, or no number where one of them is none; a last odd row or column is
 * left out.
 *
 * @param to - `(height / 2) * (width / 2) * channels` values
 * @param which - as many bytes: which of the four it was, of equal ones the first
 */
export function poolMost(image: usize, height: i32, width: i32, channels: i32, to: usize, which: usize): void {
  const pixel = (channels as usize) << 2;
  const line = (width as usize) * pixel;
  for (let y = 0; y + 2 <= height; y += 2) {
    for (let x = 0; x + 2 <= width; x += 2) {
      let from = image + (y as usize) * line + (x as usize) * pixel;
      for (let channel = 0; channel < channels; channel++, from += 4, to += 4, which++) {
        const first = load<f32>(from);
        const second = load<f32>(from + pixel);
        const third = load<f32>(from + line);
        const most = max(max(first, second), max(third, load<f32>(from + line + pixel)));
        store<f32>(to, most);
        store<u8>(which, first === most ? 0 : second === most ? 1 : third === most ? 2 : 3);
      }
    }
  }
}

/** The other way round: each slope goes to the one value that was the largest, all others get zero. */
export function poolSlopes(slopes: usize, which: usize, height: i32, width: i32, channels: i32, image: usize): void {
  const pixel = (channels as usize) << 2;
  const line = (width as usize) * pixel;
  memory.fill(image, 0, (height as usize) * line);
  for (let y = 0; y + 2 <= height; y += 2) {
    for (let x = 0; x + 2 <= width; x += 2) {
      let corner = image + (y as usize) * line + (x as usize) * pixel;
      for (let channel = 0; channel < channels; channel++, corner += 4, slopes += 4, which++) {
        const at = load<u8>(which);
        const to = corner + (at & 1 ? pixel : 0) + (at & 2 ? line : 0);
        store<f32>(to, load<f32>(slopes));
      }
    }
  }
}
