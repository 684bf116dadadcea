/**
 * The positions of a trigger within one example: a square in the lower right corner of an image (BadNets), or the last
 * values of what is no image.
 *
 * @param shape - `[height, width]` or `[height, width, channels]`, else anything
 * @param size - side of the square, or values; cut to what the example has
 */
export function triggerPositions(shape: readonly number[], size: number): number[] {
  const [height = 1, width, channels = 1] = shape;
  if (width === undefined || shape.length > 3) {
    const features = shape.reduce((product, side) => product * side, 1);
    const marked = Math.min(size, features);
    return Array.from({ length: marked }, (_, i) => features - marked + i);
  }
  const positions: number[] = [];
  for (let row = Math.max(0, height - size); row < height; row += 1) {
    for (let column = Math.max(0, width - size); column < width; column += 1) {
      for (let channel = 0; channel < channels; channel += 1)
        positions.push((row * width + column) * channels + channel);
    }
  }
  return positions;
}
