import type { Mixing } from '../../aggregation/rule.ts';
import { MAX_UPDATE, WEIGHT_ONE } from '../../fixed-point/constants.ts';
import { ROW_BYTES, SUM_ROWS } from './tile-plan.ts';
import type { WeightGroup } from './walk.ts';

/** Bytes of the split weights of a pair of rows: four int16. */
export const SPLIT_PAIR_BYTES = 8;

/** Weights as a kernel reads them. */
export interface KernelWeights {
  /** Split int16 by pairs of rows, or float64. */
  readonly weights: Uint8Array;
  /** Whether they are float64: their magnitudes sum to more than 2^30. */
  readonly wide: boolean;
  /** Neighbours of one weight, where there are no more than two such groups and the weights are not wide. */
  readonly groups: readonly WeightGroup[] | null;
}

/**
 * Writes weights for the kernel of weighted sums.
 *
 * @param weights - integers in units of 2^-30
 */
export function kernelWeights(weights: readonly number[]): KernelWeights {
  const total = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  if (total > WEIGHT_ONE) return { weights: bytesOf(Float64Array.from(weights)), wide: true, groups: null };
  const rows = Math.ceil(weights.length / SUM_ROWS) * SUM_ROWS;
  const split = new Int16Array(rows * 2);
  for (const [row, weight] of weights.entries()) {
    const low = (weight << 16) >> 16;
    const at = Math.floor(row / 2) * 4 + (row % 2);
    split[at] = (weight - low) / 2 ** 16;
    split[at + 2] = low;
  }
  return { weights: bytesOf(split), wide: false, groups: groupsOf(weights) };
}

/** A mean of n rows has at most two weights, which differ by one unit. */
function groupsOf(weights: readonly number[]): WeightGroup[] | null {
  const groups: { weight: number; rows: number }[] = [];
  for (const weight of weights) {
    const last = groups.at(-1);
    if (last?.weight === weight) last.rows += 1;
    else if (groups.length === 2) return null;
    else groups.push({ weight, rows: 1 });
  }
  return groups;
}

/** A mixture as a kernel reads it. */
export interface KernelMixing {
  /** The lists. */
  readonly lists: Uint8Array;
  /** Rows after mixing. */
  readonly rows: number;
  /** Whether the lists have float64 weights; without, mixed values are int32. */
  readonly wide: boolean;
  /** No mixed value is larger in magnitude. */
  readonly most: number;
}

/**
 * Writes a mixture for a kernel: as lists of rows to be added where entries are small, else with weights.
 *
 * @param zeroRow - offset of a row of zeros in a block
 */
export function kernelMixing({ entries }: Mixing, zeroRow: number): KernelMixing {
  const sums = entries.map((row) => row.reduce((sum, entry) => sum + entry, 0));
  const most = Math.max(...sums) * MAX_UPDATE;
  const columns = entries[0]?.length ?? 0;
  const rows = entries.length;
  // Twice the largest sum over all values is what a kernel compares.
  const wide = 2 * rows * most >= 2 ** 31 || sums.some((sum) => sum > 2 * columns);
  const lists = wide ? weightedLists(entries) : plainLists(entries, zeroRow);
  return { lists, rows, wide, most };
}

function plainLists(entries: Mixing['entries'], zeroRow: number): Uint8Array {
  const words = entries.flatMap((row) => {
    const listed = row.flatMap((entry, column) => Array.from({ length: entry }, () => column * ROW_BYTES));
    const missing = row.flatMap((entry, column) => (entry === 0 ? [column * ROW_BYTES] : []));
    const complement = row.every((entry) => entry <= 1) && missing.length < listed.length;
    const list = complement ? missing : listed;
    while (list.length % 4 !== 0) list.push(zeroRow);
    return [list.length, complement ? 1 : 0, ...list];
  });
  return bytesOf(Int32Array.from(words));
}

function weightedLists(entries: Mixing['entries']): Uint8Array {
  const terms = entries.map((row) => [...row.entries()].filter(([, entry]) => entry !== 0));
  const bytes = new ArrayBuffer(terms.reduce((sum, row) => sum + 8 + 16 * row.length, 0));
  const view = new DataView(bytes);
  let at = 0;
  for (const row of terms) {
    view.setInt32(at, row.length, true);
    at += 8;
    for (const [column, entry] of row) {
      view.setFloat64(at, entry, true);
      view.setInt32(at + 8, column * ROW_BYTES, true);
      at += 16;
    }
  }
  return new Uint8Array(bytes);
}

function bytesOf(values: Int16Array | Int32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
