import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reduceCoordinates } from '../../../../shared/aggregation/aggregate-integers.ts';
import { gramMatrix } from '../../../../shared/aggregation/gram.ts';
import { meamed } from '../../../../shared/aggregation/rules/meamed.ts';
import { median } from '../../../../shared/aggregation/rules/median.ts';
import { createRng } from '../../../../shared/rng.ts';
import { createEngine } from '../../../../shared/runtime/engine/create-engine.ts';
import { describeAggregationEngine } from '../../../conformance/aggregation-engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'fedanchor-engine-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers of threads and sizes of pieces: none of them may change a bit. */
const set = {
  'one thread, sizes as they are': createEngine({ threads: 1 }),
  'two threads, small pieces': createEngine({
    threads: 2,
    sizes: { tileBytes: 1, stagedBytes: 1, copiedBytes: 1, rangeBlocks: 1 },
  }),
  'three threads, odd pieces': createEngine({
    threads: 3,
    sizes: { tileBytes: 100_000, stagedBytes: 20_000, copiedBytes: 30_000, rangeBlocks: 3 },
  }),
};
afterAll(() => Promise.all(Object.values(set).map((engine) => engine.close())));

for (const [name, engine] of Object.entries(set)) {
  describeAggregationEngine(name, { engine: () => engine, folder: () => folder, runs: 15 });
}

describe('the engine of threads', () => {
  const engine = set['two threads, small pieces'];

  test('more updates than a kernel takes are left to the reference', async () => {
    const rng = createRng(1, 'test/many');
    const rows = Array.from({ length: 257 }, () => Int16Array.from({ length: 130 }, () => rng.below(4001) - 2000));
    const expected = reduceCoordinates(rows, 130, meamed, 100, null);
    expect(await engine.reduce({ place: 'memory', rows }, { rule: meamed, f: 100, mixing: null })).toEqual(expected);
    const mean = { ...median, name: 'Unheard of', reduce: (values: Float64Array) => values[0] as number };
    const first = await engine.reduce({ place: 'memory', rows }, { rule: mean, f: 0, mixing: null });
    expect(first).toEqual(reduceCoordinates(rows, 130, mean, 0, null));
  });

  test('there may be more updates than files that can be open, and in one file', async () => {
    const rng = createRng(2, 'test/files');
    const rows = Array.from({ length: 600 }, () => Int16Array.from({ length: 70 }, () => rng.below(101) - 50));
    const paths = rows.map((row, i) => {
      const path = join(folder, `many-${i}`);
      writeFileSync(path, new Uint8Array(row.buffer));
      return path;
    });
    const [first, second] = paths as [string, string];
    expect(await engine.gram({ place: 'files', paths, dimension: 70 })).toEqual(gramMatrix(rows));
    const twice = { place: 'files', paths: [first, second, first], dimension: 70 } as const;
    expect(await engine.gram(twice)).toEqual(gramMatrix([0, 1, 0].map((row) => rows[row] as Int16Array)));
  });

  test('a file that is missing or too short is named', async () => {
    const whole = join(folder, 'whole');
    const short = join(folder, 'short');
    writeFileSync(whole, new Uint8Array(2000));
    writeFileSync(short, new Uint8Array(1999));
    for (const path of [short, join(folder, 'missing'), folder]) {
      const reading = engine.gram({ place: 'files', paths: [whole, path, whole], dimension: 1000 });
      await expect(reading).rejects.toMatchObject({ code: 'engine/unreadable-row', data: { row: 1 } });
    }
    expect(await engine.gram({ place: 'files', paths: [whole], dimension: 1000 })).toEqual([[0n]]);
  });

  test('reading once is a walk like any other', async () => {
    await expect(engine.readOnce({ place: 'memory', rows: [new Int16Array(500)] })).resolves.toBeUndefined();
    await expect(engine.readOnce({ place: 'memory', rows: [] })).rejects.toMatchObject({ code: 'aggregation/empty' });
  });

  test('a closed engine refuses, and what was under way is rejected', async () => {
    const closing = createEngine({ threads: 1 });
    const rows = closing.allocate(100, 100_000);
    const under = closing.gram(rows);
    const waiting = closing.gram(rows);
    const refused = [under, waiting].map((one) => expect(one).rejects.toMatchObject({ code: 'engine/closed' }));
    await closing.close();
    await Promise.all(refused);
    await expect(closing.gram(rows)).rejects.toMatchObject({ code: 'engine/closed' });
  });
});
