/** Up to here insertion beats the call into the engine's own sort. */
const INSERTION_LIMIT = 32;

/** Sorts numbers in place, smallest first; they must not include NaN. */
export function sortAscending(values: Float64Array): void {
  if (values.length > INSERTION_LIMIT) {
    values.sort();
    return;
  }
  for (let i = 1; i < values.length; i += 1) {
    const value = values[i] as number;
    let hole = i;
    while (hole > 0 && (values[hole - 1] as number) > value) {
      values[hole] = values[hole - 1] as number;
      hole -= 1;
    }
    values[hole] = value;
  }
}
