import { readFile } from 'node:fs/promises';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../shared/aggregation/scalar-engine.ts';
import { int16Vector } from '../../shared/commitments/vector-trees.ts';

/** The scalar reference, over the coordinator's own files. */
export function createFileEngine(): AggregationEngine {
  return createScalarEngine({
    load: async ({ paths }) => ({
      place: 'memory',
      rows: await Promise.all(paths.map(async (path) => int16Vector(await readFile(path)))),
    }),
  });
}
