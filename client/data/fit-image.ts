import type { Pixels } from './decode-image.ts';

/**
 * Gives an image another number of channels: the gray of a colour is `(299 red + 587 green + 114 blue) / 1000` (ITU-R
 * BT.601), the colour of a gray is that gray three times.
 *
 * @param image - the image
 * @param channels - 1 or 3
 */
export function withChannels(image: Pixels, channels: number): Pixels {
  if (image.channels === channels) return image;
  const count = image.width * image.height;
  const { values } = image;
  if (channels === 3) {
    return {
      ...image,
      channels: 3,
      values: Float32Array.from({ length: 3 * count }, (_, at) => values[Math.floor(at / 3)] ?? 0),
    };
  }
  const gray = new Float32Array(count);
  for (let pixel = 0; pixel < count; pixel++) {
    const [red, green, blue] = [values[3 * pixel], values[3 * pixel + 1], values[3 * pixel + 2]] as [
      number,
      number,
      number,
    ];
    gray[pixel] = (299 * red + 587 * green + 114 * blue) / 1000;
  }
  return { ...image, channels: 1, values: gray };
}

/**
 * Resizes an image: each new pixel is the mean of the box of the old image that it covers, old pixels at the box's edge
 * counting by the part that is inside. Width and height are scaled each by itself. Only `+ - * /`, so that every machine
 * gets the same numbers.
 *
 * @param image - the image
 * @param width - new pixels in a row
 * @param height - new rows
 */
export function resizeByArea(image: Pixels, width: number, height: number): Pixels {
  const { channels } = image;
  if (image.width === width && image.height === height) return image;
  const columns = boxes(image.width, width);
  const rows = boxes(image.height, height);
  const values = new Float32Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let weight = 0;
        for (const [row, tall] of rows[y] ?? []) {
          for (const [column, wide] of columns[x] ?? []) {
            sum += tall * wide * (image.values[(row * image.width + column) * channels + channel] as number);
            weight += tall * wide;
          }
        }
        values[(y * width + x) * channels + channel] = sum / weight;
      }
    }
  }
  return { ...image, width, height, values };
}

/** For each of `to` new pixels along an axis: the old ones it covers, and how much of each. */
function boxes(from: number, to: number): [number, number][][] {
  return Array.from({ length: to }, (_, at) => {
    const covered: [number, number][] = [];
    // In units of 1 / to of an old pixel, all ends are integers.
    const [start, end] = [at * from, (at + 1) * from];
    for (let pixel = Math.floor(start / to); pixel * to < end; pixel++) {
      covered.push([pixel, Math.min(end, (pixel + 1) * to) - Math.max(start, pixel * to)]);
    }
    return covered;
  });
}
