import { reduceCoordinates } from '../../aggregation/aggregate-integers.ts';
import type { Reduction, UpdateRows } from '../../aggregation/engine.ts';
import { loadRows } from './row-windows.ts';

/** Coordinates that are reduced at a time. */
const WINDOW = 2 ** 14;

/**
 * Reduces coordinates by the scalar reference, a window at a time: for rules and numbers of updates without a kernel.
 *
 * @param output - filled with the aggregate
 * @throws AggregationError, EngineError as an engine does
 */
export async function reduceByReference(rows: UpdateRows, reduction: Reduction, output: Int32Array): Promise<void> {
  const { rule, f, mixing } = reduction;
  for (let from = 0; from < output.length; from += WINDOW) {
    const to = Math.min(from + WINDOW, output.length);
    const window =
      rows.place === 'files' ? (await loadRows(rows, from, to)).rows : rows.rows.map((row) => row.subarray(from, to));
    output.set(reduceCoordinates(window, to - from, rule, f, mixing), from);
  }
}
