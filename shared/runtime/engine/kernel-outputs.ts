import type { AggregateProducts } from '../../aggregation/engine.ts';
import { AGGREGATE_FRACTION_BITS } from '../../fixed-point/constants.ts';
import { TRIPLE } from './tile-plan.ts';

/** Sums of two triples of rows, each of two int64 that are still to be added. */
const NINE = 9;

/** The Gram matrix from the Gram kernel's sums, one array a thread and stretch. */
export function readGram(parts: readonly BigInt64Array[], rows: number): bigint[][] {
  const gram = Array.from({ length: rows }, () => new Array<bigint>(rows).fill(0n));
  const triples = Math.ceil(rows / TRIPLE);
  let at = 0;
  for (let a = 0; a < triples; a += 1) {
    for (let b = a; b < triples; b += 1, at += NINE) {
      for (let cell = 0; cell < NINE; cell += 1) {
        const i = a * TRIPLE + Math.floor(cell / TRIPLE);
        const j = b * TRIPLE + (cell % TRIPLE);
        if (i >= rows || j >= rows) continue;
        const value = readSum(parts, at + cell);
        (gram[i] as bigint[])[j] = value;
        (gram[j] as bigint[])[i] = value;
      }
    }
  }
  return gram;
}

/** The products with an aggregate that was split as `256 high + low`, from the products kernel's sums. */
export function readProducts(parts: readonly BigInt64Array[], rows: number): AggregateProducts {
  const cell = cellsOf(parts);
  const along = Array.from({ length: rows }, (_, row) => {
    const triple = Math.floor(row / TRIPLE);
    return cell(triple, 0, row % TRIPLE) * FINER + cell(triple, 1, row % TRIPLE);
  });
  const last = Math.ceil(rows / TRIPLE);
  return { along, own: cell(last, 0, 0) * FINER * FINER + 2n * FINER * cell(last, 0, 1) + cell(last, 1, 1) };
}

/** A newcomer's products with each row and, last, itself, from the products kernel's sums. */
export function readNewcomer(parts: readonly BigInt64Array[], rows: number): bigint[] {
  const cell = cellsOf(parts);
  const others = Array.from({ length: rows }, (_, row) => cell(Math.floor(row / TRIPLE), 0, row % TRIPLE));
  // The newcomer is one row more among those that fill up triples.
  return [...others, cell(Math.ceil((rows + 1) / TRIPLE), 0, 0)];
}

/** Each row's product with itself, from the norms kernel's sums. */
export function readNorms(parts: readonly BigInt64Array[], rows: number): bigint[] {
  return Array.from({ length: rows }, (_, row) => {
    const inTriple = row % TRIPLE;
    return readSum(parts, Math.floor(row / TRIPLE) * NINE + inTriple * TRIPLE + inTriple);
  });
}

const FINER = 1n << BigInt(AGGREGATE_FRACTION_BITS);

/** The product of row i of the triple that stands apart with row j of another triple. */
function cellsOf(parts: readonly BigInt64Array[]): (triple: number, i: number, j: number) => bigint {
  return (triple, i, j) => readSum(parts, triple * NINE + i * TRIPLE + j);
}

function readSum(parts: readonly BigInt64Array[], at: number): bigint {
  return parts.reduce((sum, part) => sum + (part[2 * at] as bigint) + (part[2 * at + 1] as bigint), 0n);
}
