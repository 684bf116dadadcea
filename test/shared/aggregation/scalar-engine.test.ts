import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { loadRows } from '../../../shared/runtime/engine/row-windows.ts';
import { describeAggregationEngine } from '../../conformance/aggregation-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fedanchor-engine-'));
const engine = createScalarEngine({ load: loadRows });
afterAll(() => rmSync(folder, { recursive: true }));

describeAggregationEngine('scalar', { engine: () => engine, folder: () => folder, runs: 10 });

test('without what reads files, rows in files are refused', async () => {
  const reading = createScalarEngine().gram({ place: 'files', paths: ['a'], dimension: 3 });
  await expect(reading).rejects.toMatchObject({ code: 'engine/no-files' });
});
