import type { UpdateRows } from '../../shared/aggregation/engine.ts';
import type { AdmittedUpdates } from '../../shared/round/transition.ts';

/** The updates of a round without those of its first participant. */
export function dropFirst({ contributions, rows, products }: AdmittedUpdates): AdmittedUpdates {
  return {
    contributions: contributions.slice(1),
    rows: withoutFirst(rows),
    products: products?.slice(1).map((row) => row.slice(1)),
  };
}

function withoutFirst(rows: UpdateRows): UpdateRows {
  return rows.place === 'files' ? { ...rows, paths: rows.paths.slice(1) } : { ...rows, rows: rows.rows.slice(1) };
}
